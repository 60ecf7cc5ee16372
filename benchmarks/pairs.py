"""Two ways to do the same work, timed in turns in one process: what else the machine does meets both alike."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from time import perf_counter

import numpy as np

Side = Callable[[], Callable[[], object]]
"""Gets everything ready, and returns what is timed."""

_RESAMPLES = 10_000


def compare(first: Side, second: Side, num_pairs: int) -> dict[str, object]:
    """Seconds of `first` divided by seconds of `second`, pair by pair, the order changing from pair to pair; one untimed run of each comes before."""
    for side in (first, second):
        side()()
    seconds: list[tuple[float, float]] = []
    for number in range(num_pairs):
        if number % 2:
            later = _time(second)
            seconds.append((_time(first), later))
        else:
            seconds.append((_time(first), _time(second)))
    return summarise(seconds)


def summarise(seconds: list[tuple[float, float]]) -> dict[str, object]:
    """Median ratio with its interval and all ratios, and the median seconds of both sides."""
    ratios = [first / second for first, second in seconds]
    return {
        "median_ratio": round(statistics.median(ratios), 4), "interval": bootstrap_median(ratios), "pairs": len(ratios),
        "median_seconds": [round(statistics.median(side), 3) for side in zip(*seconds)], "ratios": [round(ratio, 4) for ratio in ratios],
    }  # fmt: skip


def bootstrap_median(values: list[float]) -> list[float]:
    """The 95 % percentile interval of the median (Efron and Tibshirani 1993)."""
    drawn = np.random.default_rng(0).choice(values, (_RESAMPLES, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return [round(float(low), 4), round(float(high), 4)]


def _time(side: Side) -> float:
    work = side()
    gc.collect()
    started = perf_counter()
    work()
    return perf_counter() - started
