"""A net that no device holds whole: each process keeps its part of every weight, and a layer's weights are gathered while it runs (FSDP2).

Whoever asks for whole values here must be asked in every process: they are gathered from all of them.

Source: Zhao et al. 2023, "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel".
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from surefoot.engine import ranks
from surefoot.models.network import Network
from surefoot.types.configs import TrainConfig
from surefoot.types.errors import ConfigError

_COPIES = 4
"""Of each weight while it is trained: itself, its gradient, and AdamW's two moments."""
_FILL = 0.7
"""Share of a device's memory that these may take; the rest is for what the layers say."""


def is_wanted(network: nn.Module, config: TrainConfig, device: str) -> bool:
    """Whether the processes share the weights too: asked for, or needed because the net doesn't fit on one device.

    Raises:
        ConfigError: the optimizer needs every matrix whole.
    """
    if ranks.count() < 2 or config.shard == "off" or (config.shard == "auto" and fits(network, device)):
        return False
    if config.optimizer == "muon":
        raise ConfigError(
            "muon needs every matrix whole, and here each process holds a part.",
            where="train.shard",
            next="Set train.optimizer = 'adamw', or train.shard = 'off'.",
        )
    return True


def fits(network: nn.Module, device: str) -> bool:
    """Whether a device holds the net and what training keeps beside it. A CPU always does: its processes share one memory."""
    if not device.startswith("cuda"):
        return True
    needed = sum(parameter.numel() * parameter.element_size() for parameter in network.parameters()) * _COPIES
    return needed <= _FILL * torch.cuda.get_device_properties(device).total_memory


def shard(network: nn.Module, device: str) -> None:
    """Leaves each process its part of every weight, layer by layer; the network is called as before, by all processes together.

    What is not on the device yet is brought there a layer at a time, so that it need have room for the largest layer only, and for the parts.
    """
    from torch.distributed.device_mesh import init_device_mesh  # 0.3 s that only several processes need, here and below
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device.split(":")[0], (ranks.count(),))
    for layer in network.modules():
        if not any(layer.children()) and any(True for _ in layer.parameters()):
            fully_shard(layer, mesh=mesh)
    fully_shard(network, mesh=mesh)


def is_sharded(network: nn.Module) -> bool:
    """Whether this process holds a part of the net only."""
    return ranks.count() > 1 and hasattr(network, "unshard")


def whole(value: Tensor) -> Tensor:
    """The value with the parts of all processes; itself where it is whole already."""
    return value.full_tensor() if hasattr(value, "full_tensor") else value


def spread(value: Tensor, like: Any) -> Tensor:
    """A whole value, the same in every process, as this one holds `like`: its part, where that is one. Nothing is sent."""
    if not hasattr(like, "placements"):
        return value
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def keep(value: Tensor) -> Tensor:
    """A copy of the whole value: on the CPU where this process holds a part only, because no device need have room for all of them."""
    return whole(value.detach()).to("cpu", copy=True) if hasattr(value, "full_tensor") else value.detach().clone()


def make_blank(network: Network) -> Network:
    """The net without the numbers that are saved, from which `gather` makes a whole one; before it is sharded. Nothing is copied on its device."""
    blank: dict[int, Any] = {}
    for value in network.state_dict(keep_vars=True).values():
        empty = torch.empty_like(value, device="meta")
        blank[id(value)] = nn.Parameter(empty, value.requires_grad) if isinstance(value, nn.Parameter) else empty
    return copy.deepcopy(network, blank)


def gather(network: Network, blank: Network) -> Network:
    """A whole net with the weights of all parts, on the CPU: one weight at a time is whole on the device."""
    like = blank.state_dict()
    values = {name: torch.empty_like(like[name], device="cpu").copy_(whole(value)) for name, value in network.state_dict().items()}
    blank.load_state_dict(values, assign=True)
    return blank.to("cpu")
