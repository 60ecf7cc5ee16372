"""Which device and how many threads: measured once, written down, replayed."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter

import torch

from surefoot.engine import ranks
from surefoot.types.context import Context
from surefoot.types.errors import UsageError

_SECONDS, _SHORT_S, _CALLS = 0.4, 0.1, 40
"""How long each thread count is measured: less where it shows in so many calls. With 0.4 s for all, measuring took a fifth of a budget of one minute."""
_OTHERS = ("mps", "xpu", "hpu", "xla", "mtia", "meta")
"""Kinds of devices that PyTorch knows and that nothing here was made for: MPS has no float64, on which the sanity checks rest."""


def choose_device(name: str) -> str:
    """`auto` and `cuda` -> this process's GPU, `auto` without one -> `cpu`.

    A GPU has its number: which is the current one differs between threads, and what is read ahead would be brought to another than the net.

    Raises:
        UsageError: a device was asked for that is not there, or of a kind that nothing here is made for.
    """
    if name in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{ranks.own_gpu()}"
    if name == "auto":
        return "cpu"
    if name.split(":")[0] in _OTHERS:
        raise UsageError(
            f"Nothing is trained on {name!r}: the sanity checks count in float64 and the loop keeps its sums in it, and all is tested on cpu and cuda alone.",
            where=f"device = {name!r}",
            next="Use device = 'cpu', or 'auto', which takes a GPU of NVIDIA or AMD where there is one.",
        )
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"There is no device {name!r} here.", where=f"device = {name!r}", next="Use device = 'auto', or `surefoot doctor` to see what there is."
        ) from error
    return name


def settle_threads(ctx: Context, asked: int, name: str, step: Callable[[], object], device: str = "cpu") -> int:
    """Sets the number of CPU threads: as asked, else the faster of one and all for this very work; a resumed run uses the same.

    Args:
        asked: from `train.threads`; 0 means measure.
        name: under which the choice is written down.
        step: does the work once, on `device`; tiny nets run faster on one thread than on two.
    """
    threads = asked or ctx.ledger.decide(f"threads for {name}", lambda: _faster(step, device))
    torch.set_num_threads(threads)
    return threads


def wait_for(device: str) -> None:
    """Until a device has done what it was given: CUDA takes work and returns at once, so that a clock would see how fast it is handed over."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def measure_rate(step: Callable[[], object], seconds: float = _SECONDS, device: str = "cpu") -> float:
    """Calls per second of `step`, after one call to warm up.

    Args:
        seconds: that it is measured for, less where it is fast; on a GPU up to twice that.
        device: that the work is done on. A GPU is waited for after as many calls as there were before: after each, it would stand idle until the next one
            comes, as in no training.
    """
    step()
    wait_for(device)
    calls, passed, started = 0, 0.0, perf_counter()
    while calls < 2 or passed < (_SHORT_S if calls >= _CALLS else seconds):
        more = max(1, calls) if device.startswith("cuda") else 1
        for _ in range(more):
            step()
        wait_for(device)
        calls, passed = calls + more, perf_counter() - started
    return calls / passed


def _faster(step: Callable[[], object], device: str) -> int:
    rates = {}
    for threads in sorted({1, os.cpu_count() or 1}):
        torch.set_num_threads(threads)
        rates[threads] = measure_rate(step, device=device)
    return max(rates, key=lambda threads: rates[threads])
