"""What a net costs: parameters and FLOPs."""

from __future__ import annotations

from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(module: nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def count_flops(module: nn.Module, example_inputs: tuple[Tensor, ...]) -> int:
    """Forward FLOPs of the given batch."""
    with FlopCounterMode(display=False) as counter:
        module(*example_inputs)
    return counter.get_total_flops()
