"""The lr range test: a few steps with a growing lr show how much a net and its optimizer bear (Smith 2017, "Cyclical Learning Rates", section 3.3)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from surefoot.engine.feed import Feed
from surefoot.engine.fit import Job
from surefoot.engine.step import gear_up, take_step
from surefoot.types.configs import TrainConfig
from surefoot.types.reports import LrRange

LOW, HIGH, STEPS = 1e-5, 1.0, 100
KEEP = 0.8
"""Share of the past in the smoothed loss: the last five steps count, a quarter of a power of ten."""
DIVERGED, STARTS = 4.0, 10
"""The loss has diverged when, smoothed, it is so many times its best; the first steps, where lr is too small to do harm, are not asked."""
SHARE = 0.1
"""Of the lr at which the loss diverges. Over five optimizers, digits and bike hires, two seeds each, five epochs with this lr ended with less val loss
than with the lr at which the loss falls steepest in 13 of the 18 cases where the two differ, and with more in 4 (LOG.md)."""
LEARNT = 0.98
"""A smoothed loss that never falls under this share of its start has told nothing."""


def find_lr(job: Job, config: TrainConfig, *, seed: int, name: str) -> LrRange:
    """Raises lr evenly on a log scale from 1e-5 to 1, a step each, until the loss diverges; the job's own network stays as it is.

    Args:
        job: what would be fitted. config: as it would be fitted, precision, clipping and augmentation included; its lr and schedule are of no account.
        seed, name: every draw follows from them.

    Returns:
        The lrs and smoothed losses of the steps, and the lr proposed: a tenth of where the loss diverges, else where it falls steepest; 0 where it never
        falls.
    """
    tried = replace(job, network=copy.deepcopy(job.network))
    config = config.model_copy(update={"lr": 1.0, "schedule": "fixed", "warmup": 0.0, "compile": "off"})
    gear = gear_up(tried, config, STEPS)
    gear.factor = lambda step: LOW * (HIGH / LOW) ** (step / (STEPS - 1))
    lrs: list[float] = []
    losses: list[float] = []
    smoothed = 0.0
    with Feed(tried, config, seed=seed, name=name) as feed:
        for step in range(STEPS):
            smoothed = KEEP * smoothed + (1 - KEEP) * float(take_step(tried, config, gear, feed.take(step), step, (seed, name)))
            lrs.append(gear.factor(step))
            losses.append(smoothed / (1 - KEEP ** (step + 1)))  # without this, the first would be drawn to 0
            if _has_diverged(losses):
                break
    shown = [pair for pair in zip(lrs, losses) if math.isfinite(pair[1])]
    return LrRange(lr=propose(lrs, losses), lrs=tuple(lr for lr, _ in shown), losses=tuple(loss for _, loss in shown))


def propose(lrs: Sequence[float], losses: Sequence[float]) -> float:
    """The peak lr that a curve of smoothed losses speaks for; 0 where the loss never falls.

    Args:
        lrs: ascending. losses: as many; the last may be no finite number.
    """
    finite = [loss for loss in losses if math.isfinite(loss)]
    if len(finite) < STARTS or losses[0] - min(finite) <= (1 - LEARNT) * abs(losses[0]):
        return 0.0
    if _has_diverged(losses):
        return SHARE * lrs[len(losses) - 1]
    slopes = np.gradient(np.asarray(finite))
    return float(lrs[STARTS // 2 + int(np.argmin(slopes[STARTS // 2 :]))])


def _has_diverged(losses: Sequence[float]) -> bool:
    """Whether the last of the losses is far above the best; losses below 0, which a user's own may be, are measured by their size."""
    if not math.isfinite(losses[-1]):
        return True
    best = min(losses)
    return len(losses) > STARTS and losses[-1] - best > (DIVERGED - 1) * abs(best)
