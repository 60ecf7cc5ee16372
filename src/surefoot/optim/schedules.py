"""Schedules: number of steps -> a pure function from the step (0, 1, ...) to a factor in [0, 1] of the peak lr.

A schedule holds no state, so a resumed run needs only its step number. The factor stays at its end value after the last step.
It asks for the options of `[train]` it heeds by name; there 0 and an empty list mean its own default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from surefoot.types.errors import ConfigError

Schedule = Callable[[int], float]

DROPS, DROP_TO = (0.5, 0.75), 0.1
STAGES, STAGE_TO = (0.3, 0.6, 0.8), 0.2
DECAY_TO = 0.01
ONECYCLE_WARMUP_FRAC = 0.3
WSD_WARMUP_FRAC = 0.05
WSD_COOLDOWN_FRAC = 0.2


def fixed(num_steps: int) -> Schedule:
    """The peak lr throughout, however many steps there are."""
    return lambda step: 1.0


def step(num_steps: int, gamma: float = 0.0) -> Schedule:
    """A tenth (`gamma`) of the lr after half of the steps, and again after three quarters (He et al. 2016)."""
    return multistep(num_steps, DROPS, gamma or DROP_TO)


def multistep(num_steps: int, milestones: Sequence[float] = (), gamma: float = 0.0) -> Schedule:
    """A fifth (`gamma`) of the lr at each of the `milestones`: 0.3, 0.6 and 0.8 of the run (Zagoruyko and Komodakis 2016)."""
    drops, factor = tuple(milestones) or STAGES, gamma or STAGE_TO
    return lambda step: factor ** sum(step >= drop * num_steps for drop in drops)


def exponential(num_steps: int, gamma: float = 0.0) -> Schedule:
    """The same factor off at each step, down to a hundredth (`gamma`) at the end."""
    return lambda step: (gamma or DECAY_TO) ** _progress(step, num_steps)


def polynomial(num_steps: int, power: float = 1.0) -> Schedule:
    """What is left of the run to the `power`: 1 is a straight line to 0, 2 falls early, 0.5 late (Chen et al. 2017, DeepLab)."""
    return lambda step: (1.0 - _progress(step, num_steps)) ** power


def cosine(num_steps: int) -> Schedule:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter 2017)."""
    return lambda step: 0.5 * (1.0 + math.cos(math.pi * _progress(step, num_steps)))


def onecycle(num_steps: int, warmup: float = 0.0) -> Schedule:
    """A triangle: up to the peak in the first 30 % (`warmup`) of the steps, then down to nearly 0 (Smith and Topin 2018)."""
    rise = max(1, round((warmup or ONECYCLE_WARMUP_FRAC) * num_steps))
    return lambda step: min((step + 1) / rise, _remaining(step, num_steps, num_steps - rise))


def wsd(num_steps: int, warmup: float = 0.0) -> Schedule:
    """Warm up, stay, cool down: 5 % (`warmup`) up, then the peak, then 1 - sqrt over the last 20 % (Hägele et al. 2024).

    Raises:
        ConfigError: the warmup reaches into the cooldown.
    """
    if warmup > 1 - WSD_COOLDOWN_FRAC:
        raise ConfigError(
            f"The schedule is longer than the training: wsd warms up for {warmup:.0%} of the steps and cools down for {WSD_COOLDOWN_FRAC:.0%}.",
            where="train.warmup",
            next=f"Set train.warmup to at most {1 - WSD_COOLDOWN_FRAC:g}, or train.schedule = 'onecycle'.",
        )
    rise = max(1, round((warmup or WSD_WARMUP_FRAC) * num_steps))
    cooldown = min(round(WSD_COOLDOWN_FRAC * num_steps), num_steps - rise)  # of few steps, both may be rounded up
    return lambda step: min(1.0, (step + 1) / rise, 1.0 - math.sqrt(1.0 - _remaining(step, num_steps, cooldown)))


def warm_up(schedule: Schedule, num_steps: int) -> Schedule:
    """The schedule after so many steps of an even rise; its first step is at the peak."""
    if not num_steps:
        return schedule
    return lambda step: (step + 1) / (num_steps + 1) if step < num_steps else schedule(step - num_steps)


def check_options(warmup: float, milestones: Sequence[float]) -> None:
    """Makes sure that warmup and milestones, shares of the run, lie within it.

    Raises:
        ConfigError: the warmup leaves no step, or the milestones don't ascend between its end and that of the run.
    """
    advice = "Milestones are shares of the run, each larger than the one before, after the warmup and below 1: train.milestones = [0.5, 0.75]."
    if warmup >= 1:
        _refuse(f"The schedule is longer than the training: its warmup takes {warmup:.0%} of the steps.", "warmup", "Set train.warmup below 1, e.g. 0.1.")
    if milestones and max(milestones) >= 1:
        _refuse(f"The schedule is longer than the training: it has a milestone at {max(milestones):.0%} of the steps.", "milestones", advice)
    if any(later <= earlier for earlier, later in pairwise(milestones)):
        _refuse(f"The milestones {', '.join(f'{share:g}' for share in milestones)} don't ascend.", "milestones", advice)
    if milestones and milestones[0] <= warmup:
        end = f"the warmup ends at {warmup:.0%}" if warmup else "it must be above 0"
        _refuse(f"The first milestone is at {milestones[0]:.0%} of the steps, and {end}.", "milestones", advice)


def _refuse(what: str, setting: str, advice: str) -> None:
    raise ConfigError(what, where=f"train.{setting}", next=advice)


def _progress(step: int, num_steps: int) -> float:
    """Share of the steps that are done before this one, at most 1."""
    return min(step / max(num_steps, 1), 1.0)


def _remaining(step: int, num_steps: int, decay_steps: int) -> float:
    """1 up to the last step before the decay, then evenly down: 0 first after the last step, so that no step is wasted."""
    return min(1.0, max(0.0, (num_steps - step) / (decay_steps + 1)))
