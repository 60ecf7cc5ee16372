"""Short trainings that show whether a net learns at all: the same few steps on real, zeroed and shuffled data, at another lr, and twice alike."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from surefoot import randomness
from surefoot.engine import probe
from surefoot.engine.build import Desk, build_network, set_last_bias
from surefoot.engine.feed import count_steps
from surefoot.engine.fit import Fitted, Job, fit
from surefoot.engine.head import find_dropout
from surefoot.engine.jobs import fill_batch, make_job
from surefoot.optim.usual import find_usual
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.context import Context

_STEPS, _LAST, _ITEMS, _BATCH, _ASKED = 80, 16, 1_000, 64, 2_000
_SCHEDULE: dict[str, object] = {"schedule": "onecycle", "warmup": 0.0, "milestones": []}
"""Whatever the user's own: here it is asked whether the net learns, and s08 judges how lr goes on."""
_RUNS, _FEWEST, _FEWEST_ASKED = 5, 16, 500
"""Such runs a sanity check usually takes; and the items of a batch, and of val, under which they show nothing."""
_ORDER = "short run"
"""The name that all of them are drawn under."""
_FEW = 5
"""Steps after which two equal trainings are compared: a draw that isn't seeded shows in the first."""


@dataclass(frozen=True)
class Trials:
    """What every short run shares.

    Attributes:
        base: the net before any, its last bias at the best constant, on at most a thousand train items.
        train: settings of a short run.
        say: called with the name of each run as it begins.
        says: what the net gives, as `HeadEvidence.says` has it.
    """

    ctx: Context
    base: Job
    train: TrainConfig
    say: Callable[[str], None]
    says: str = ""

    def prior(self, on: np.ndarray | None = None) -> float:
        """The loss, on val or on some rows, of saying the prior."""
        return probe.prior_loss(self.base, on, self.says)

    def run(self, job: Job, name: str, lr: float = 0.0) -> Fitted:
        """Trains a copy of the job's net, at another lr where one is given.

        All runs see the same items in the same order. In orders of their own, and with last losses of 640 of 1,000 items, one run had a few of a long tail's
        amounts less than another: mostly zero amounts cost 0.398 on real inputs and 0.395 on zeroed ones, and 0.297 and 0.475 in one order.
        """
        self.say(name)
        train = self.train.model_copy(update={"lr": lr}) if lr else self.train
        return fit(replace(job, network=copy.deepcopy(job.network)), train, seed=self.ctx.seed, name=_ORDER)


def set_up(ctx: Context, desk: Desk, model: ModelConfig, train: TrainConfig, says: str = "", bearable: float = 0.0) -> Trials:
    """A fresh net and seeded parts of the first fold's train and val rows.

    Args:
        says: in which terms the net answers, see `head.HeadEvidence`.
        bearable: items that all runs together may learn from; batches are smaller where these are few. 0: as many as it takes.
    """
    part = desk.folds[0]
    batch = int(np.clip(bearable / (_RUNS * _STEPS), _FEWEST, _BATCH)) if bearable else _BATCH
    rows = _pick(ctx, "short runs", part.train, min(_ITEMS, _LAST * batch))  # an epoch at most between two looks
    short = fill_batch(train.model_copy(update={"batch_size": min(batch, len(rows))}), len(rows))
    epoch = count_steps(len(rows), short.batch_size)
    look = _LAST // epoch * epoch  # whole epochs: each item counts as often as any other in a run's last loss, as it does in the prior's
    short = short.model_copy(update={"epochs": _STEPS // look * look / epoch, "val_steps": look, **_SCHEDULE})
    job = make_job(desk, build_network(desk, model, part), part, train)
    base = replace(job, train=rows, watch=rows[:0], val=_pick(ctx, "asked in short runs", part.val, max(_FEWEST_ASKED, _ASKED * batch // _BATCH)))
    set_last_bias(base.network, probe.find_constant(base, says))
    return Trials(ctx, base, short, lambda name: ctx.events.progress(f"sanity: {name}", 0, 1), says)


def _pick(ctx: Context, what: str, rows: np.ndarray, num: int) -> np.ndarray:
    """A seeded sample, in the pack's order: that is the source's, often class by class, so that the first rows would not do."""
    return rows[np.sort(randomness.stream(ctx.seed, what).permutation(len(rows))[:num])]


def last_loss(fitted: Fitted) -> float:
    """The mean loss of a run's last steps; infinite where it diverged."""
    return math.inf if fitted.diverged or not fitted.records else fitted.records[-1].loss


def free(trials: Trials) -> tuple[Trials, Fitted] | None:
    """The same without dropout for good, and its run on real inputs; None where the net has none."""
    network = copy.deepcopy(trials.base.network)
    modules = find_dropout(network)
    for module in modules:
        module.p = 0.0
    freed = replace(trials, base=replace(trials.base, network=network))
    return (freed, freed.run(freed.base, "real inputs, no dropout")) if modules else None


def unclip(trials: Trials) -> tuple[Trials, Fitted] | None:
    """The same without clipping, and its run on real inputs; None where nothing is clipped."""
    if not trials.train.clip:
        return None
    freed = replace(trials, train=trials.train.model_copy(update={"clip": 0.0}))
    return freed, freed.run(freed.base, "real inputs, no clipping")


def try_lrs(trials: Trials, real: Fitted, kind: str, is_better: Callable[[float, float], bool]) -> dict[float, Fitted]:
    """The same run at the optimizer's usual lr, and at lrs around the one asked for, up to the first that does better.

    Args:
        real: the run at the lr asked for. kind: `image` or `table`.
        is_better: (loss of the run, loss of the other) -> whether the other is clearly better.
    """
    usual, asked = find_usual(trials.train.optimizer).peak(kind), trials.train.lr
    others = [lr for lr in (usual, usual / 10, asked / 10, asked * 10, asked / 100) if not 0.5 < lr / asked < 2]
    if last_loss(real) == math.inf:
        others = sorted((lr for lr in {*others, asked / 1000} if lr < asked), reverse=True)
    found: dict[float, Fitted] = {}
    for lr in dict.fromkeys(others):
        found[lr] = trials.run(trials.base, f"real inputs, lr {lr:.2g}", lr)
        if is_better(last_loss(real), last_loss(found[lr])):
            break
    return found


def is_same_again(trials: Trials, desk: Desk, model: ModelConfig) -> tuple[bool, bool, bool]:
    """Whether the same seed gives the same first weights, the same answers in eval mode, and the same weights after a few steps."""
    part, base = desk.folds[0], trials.base
    nets = [build_network(desk, model, part) for _ in range(2)]
    few = trials.train.model_copy(update={"epochs": _FEW * trials.train.batch_size / len(base.train), "val_steps": 10 * _FEW})
    job = replace(base, val=base.val[:0])
    ends = [fit(replace(job, network=copy.deepcopy(base.network)), few, seed=trials.ctx.seed, name="twice").network for _ in range(2)]
    return probe.are_equal(*nets), probe.says_the_same(base, base.train[:16]), probe.are_equal(*ends)
