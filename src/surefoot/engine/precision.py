"""In what precision a net is trained: measured, never assumed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch

from surefoot.losses.weighting import HALVES


def list_promising(device: str) -> list[str]:
    """The precisions that are worth measuring on a device, the safest first.

    Without units of its own bf16 halves a CPU's speed (LOG.md), and fp16 costs two hundred times as much: neither is tried there.
    """
    if device.startswith("cuda"):
        return ["fp32", "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"]
    has_units = torch.backends.mkldnn.is_available() and torch.cpu._is_avx512_bf16_supported()
    return ["fp32", "bf16"] if device == "cpu" and has_units else ["fp32"]


def casting(precision: str, device: str) -> Callable[[], contextlib.AbstractContextManager[object]]:
    """What a forward pass runs inside: autocast, or nothing for fp32."""
    if precision not in HALVES:
        return contextlib.nullcontext
    kind, dtype = device.split(":")[0], HALVES[precision]
    return lambda: torch.autocast(kind, dtype)


def make_scaler(precision: str, device: str) -> torch.amp.GradScaler | None:
    """What keeps small gradients of fp16 from becoming 0; None for all else, which have the exponents of fp32."""
    return torch.amp.GradScaler(device.split(":")[0]) if precision == "fp16" else None
