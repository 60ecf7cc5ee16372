"""What a net costs: parameters and FLOPs, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(module: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def count_flops(module: nn.Module, example_inputs: tuple[Tensor, ...]) -> int:
    """Forward FLOPs of the given batch: two per multiply and add of convolutions and matrix products; all else counts as nothing.

    The net is left as it was: it runs in eval mode, so that batch norm takes no statistics from the examples.
    """
    return _count(module, lambda: module(*example_inputs))


def count_training_flops(module: nn.Module, example_inputs: tuple[Tensor, ...]) -> int:
    """FLOPs of a training step on the given batch, forward and backward, counted as in `count_flops`: what is frozen costs nothing on the way back."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return _count(module, lambda: torch.autograd.grad(module(*example_inputs).sum(), parameters, allow_unused=True))


def _count(module: nn.Module, work: Callable[[], object]) -> int:
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        # With gradients on: without them attention takes a fused path that the counter does not see.
        with torch.enable_grad(), FlopCounterMode(display=False) as counter:
            work()
    finally:
        for part, mode in modes.items():
            part.training = mode
    return counter.get_total_flops()
