"""Which device and how many threads: measured once, written down, replayed."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter

import torch

from surefoot.types.context import Context
from surefoot.types.errors import UsageError

_SECONDS, _SHORT_S, _CALLS = 0.4, 0.1, 40
"""How long each thread count is measured: less where it shows in so many calls. With 0.4 s for all, measuring took a fifth of a budget of one minute."""


def choose_device(name: str) -> str:
    """`auto` -> the first accelerator there is, else `cpu`.

    Raises:
        UsageError: a device was asked for that is not there.
    """
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"There is no device {name!r} here.", where=f"device = {name!r}", next="Use device = 'auto', or `surefoot doctor` to see what there is."
        ) from error
    return name


def settle_threads(ctx: Context, asked: int, name: str, step: Callable[[], object]) -> int:
    """Sets the number of CPU threads: as asked, else the faster of one and all for this very work; a resumed run uses the same.

    Args:
        asked: from `train.threads`; 0 means measure.
        name: under which the choice is written down.
        step: does the work once; tiny nets run faster on one thread than on two.
    """
    threads = asked or ctx.ledger.decide(f"threads for {name}", lambda: _faster(step))
    torch.set_num_threads(threads)
    return threads


def measure_rate(step: Callable[[], object], seconds: float = _SECONDS) -> float:
    """Calls per second of `step`, after one call to warm up."""
    step()
    calls, passed, started = 0, 0.0, perf_counter()
    while calls < 2 or passed < (_SHORT_S if calls >= _CALLS else seconds):
        step()
        calls, passed = calls + 1, perf_counter() - started
    return calls / passed


def _faster(step: Callable[[], object]) -> int:
    rates = {}
    for threads in sorted({1, os.cpu_count() or 1}):
        torch.set_num_threads(threads)
        rates[threads] = measure_rate(step)
    return max(rates, key=lambda threads: rates[threads])
