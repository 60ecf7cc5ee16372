"""Schedules: number of steps -> a pure function from the step (0, 1, ...) to a factor in [0, 1] of the peak lr.

A schedule holds no state, so a resumed run needs only its step number. The factor stays at its end value after the last step.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int], float]

DROPS = (0.5, 0.75)
DROP_TO = 0.1
DECAY_TO = 0.01
ONECYCLE_WARMUP_FRAC = 0.3
WSD_WARMUP_FRAC = 0.05
WSD_COOLDOWN_FRAC = 0.2


def fixed(num_steps: int) -> Schedule:
    """The peak lr throughout, however many steps there are."""
    return lambda step: 1.0


def step(num_steps: int) -> Schedule:
    """A tenth of the lr after half of the steps, and again after three quarters (He et al. 2016)."""
    return lambda step: DROP_TO ** sum(step >= drop * num_steps for drop in DROPS)


def exponential(num_steps: int) -> Schedule:
    """The same factor off at each step, down to a hundredth."""
    return lambda step: DECAY_TO ** _progress(step, num_steps)


def cosine(num_steps: int) -> Schedule:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter 2017)."""
    return lambda step: 0.5 * (1.0 + math.cos(math.pi * _progress(step, num_steps)))


def onecycle(num_steps: int) -> Schedule:
    """A triangle: up to the peak in the first 30 % of the steps, then down to nearly 0 (Smith and Topin 2018)."""
    warmup = max(1, round(ONECYCLE_WARMUP_FRAC * num_steps))
    return lambda step: min((step + 1) / warmup, _remaining(step, num_steps, num_steps - warmup))


def wsd(num_steps: int) -> Schedule:
    """Warm up, stay, cool down: 5 % up, then the peak, then 1 - sqrt over the last 20 % (Hägele et al. 2024)."""
    warmup = max(1, round(WSD_WARMUP_FRAC * num_steps))
    cooldown = round(WSD_COOLDOWN_FRAC * num_steps)
    return lambda step: min(1.0, (step + 1) / warmup, 1.0 - math.sqrt(1.0 - _remaining(step, num_steps, cooldown)))


def _progress(step: int, num_steps: int) -> float:
    """Share of the steps that are done before this one, at most 1."""
    return min(step / max(num_steps, 1), 1.0)


def _remaining(step: int, num_steps: int, decay_steps: int) -> float:
    """1 up to the last step before the decay, then evenly down: 0 first after the last step, so that no step is wasted."""
    return min(1.0, max(0.0, (num_steps - step) / (decay_steps + 1)))
