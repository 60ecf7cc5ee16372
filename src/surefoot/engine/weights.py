"""Weights to the store and back: safetensors, named by hash."""

from __future__ import annotations

import torch
from safetensors.torch import load
from safetensors.torch import save as to_bytes
from torch import nn

from surefoot.types.context import Store


def dump_weights(network: nn.Module) -> bytes:
    """All parameters and buffers as safetensors. Each is copied: the format takes no memory that two names share, as tied weights do."""
    return to_bytes({name: value.detach().to("cpu", copy=True).contiguous() for name, value in network.state_dict().items()})


def save_weights(store: Store, network: nn.Module) -> str:
    """Stores all parameters and buffers."""
    return store.put_bytes(dump_weights(network))


def load_weights(store: Store, ref: str, network: nn.Module) -> None:
    """Gives the network stored weights, strictly."""
    with torch.no_grad():
        network.load_state_dict(load(store.get_bytes(ref)))
