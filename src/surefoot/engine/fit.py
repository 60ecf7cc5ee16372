"""THE loop: epochs and steps, nothing else. Read this first.

What happens at step n is a function of (seed, name, n): the order of the items (`feed`), the augmentation and the dropout (`step`) are drawn anew
from streams keyed by them. So a run that was killed goes on from its checkpoint and ends with the weights it would have had anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from surefoot.data.examples import Examples
from surefoot.engine import averaging, checkpoint, health, interrupt, ranks, shards
from surefoot.engine.feed import Feed, count_steps
from surefoot.engine.predict import predict, to_outputs
from surefoot.engine.step import Gear, gear_up, take_step
from surefoot.metrics.metric import Metric, better
from surefoot.models.network import Network
from surefoot.types.configs import TrainConfig
from surefoot.types.problem import Problem
from surefoot.types.reports import EpochRecord

__all__ = ["Fitted", "Job", "Run", "count_steps", "evaluate", "fit"]

_CHECK_EVERY, _KEEP_EVERY = 50, 200
"""Steps between looks at the loss for NaN, each of which waits for the device (about a thousandth of a small step), and between copies of the run
from which a fault is traced (1 % of the steps of a small MLP, far less of any other net)."""

Loss = Callable[..., Tensor]
Listen = Callable[[float, float], None]


@dataclass(frozen=True)
class Job:
    """What is fitted on what.

    Attributes:
        network: fresh, or with weights to go on from.
        examples, targets: the pack, and all its targets as the loss takes them.
        train, val: int64 rows of the pack; val may be empty.
        watch: rows of the train set on which the metric is measured beside val; may be empty.
        loss_options: label smoothing and class weights, for a loss that takes them.
        folder: of the project, where the user's own parts are.
    """

    network: Network
    problem: Problem
    examples: Examples
    targets: Tensor
    loss: Loss
    metric: Metric
    train: np.ndarray
    val: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    watch: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    loss_options: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None


@dataclass
class Run:
    """A run under way; a checkpoint holds exactly this, and the gear's state.

    Attributes:
        step: how many are done. loss_sum, num_items: since the last record, on the device.
        best, best_epoch: the weights of the best val metric so far, and when that was.
        of: what it is a run of: only a run of the same goes on from its checkpoints. Empty: any does.
    """

    loss_sum: Tensor
    step: int = 0
    num_items: int = 0
    records: list[EpochRecord] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: float = 0.0
    of: dict[str, Any] = field(default_factory=dict)

    def add(self, loss: Tensor, num: int) -> None:
        """Counts a step: the mean loss of so many items."""
        self.step += 1
        self.num_items += num
        self.loss_sum.add_(loss, alpha=num)

    @property
    def best_value(self) -> float | None:
        """The best val metric so far."""
        return next((record.val_metric for record in self.records if record.epoch == self.best_epoch), None)


@dataclass(frozen=True)
class Fitted:
    """A run that ended.

    Attributes:
        network: with the last weights, averaged, or halfway back under lookahead, where asked for; after a fault the last healthy ones. On the CPU if the
            processes shared its weights.
        best, best_epoch: the weights of the best val metric, and when that was.
        fault: where the run broke; None where it did not.
    """

    network: Network
    records: tuple[EpochRecord, ...]
    best: dict[str, Tensor]
    best_epoch: float
    fault: health.Fault | None = None

    @property
    def diverged(self) -> bool:
        """Whether the loss stopped being a finite number."""
        return self.fault is not None


def fit(job: Job, config: TrainConfig, *, seed: int, name: str, folder: Path | None = None, listen: Listen | None = None) -> Fitted:
    """Trains `job.network` as `config` says.

    Args:
        job: what is fitted on what.
        config: fully resolved: no setting is left to be chosen.
        seed, name: of the run; every draw follows from them.
        folder: checkpoints and `metrics.jsonl` go there, and a run that was interrupted, or has more epochs now, goes on from them; None: neither.
        listen: called with (epochs done, epochs in all) now and then.

    Returns:
        Fitted, with the records up to its end or its fault.

    Raises:
        SurefootError: in the folder is a run of another model, or with other settings.
    """
    with Feed(job, config, seed=seed, name=name) as feed, checkpoint.Writer(folder if ranks.is_first() else None) as writer:
        course, of = _plan(config, feed.steps_per_epoch), checkpoint.describe_run(config, seed, name, len(job.train))
        gear, run, started = gear_up(job, config, course.num_steps), Run(_zero(job), of=of), perf_counter()
        checkpoint.resume(folder, job.network, gear, run)
        writer.log(run.records)
        healthy, fault = checkpoint.capture(job.network, gear, run), None

        while run.step < course.num_steps and not is_over(run, config):
            is_due = course.looks_after(run.step)
            before = health.copy_weights(job.network) if is_due else []
            batch = feed.take(run.step)
            loss = take_step(job, config, gear, batch, run.step, (seed, name))
            run.add(loss, batch.num_global or len(batch.targets))
            if listen:
                listen(run.step / course.epoch_steps, course.num_steps / course.epoch_steps)
            ends = interrupt.is_asked(by_clock=folder is not None)
            if (ends or course.checks_at(run.step)) and not _is_healthy(job, run):
                fault = _trace(job, config, gear, run, feed, healthy)
                break
            if is_due:
                _look(job, run, gear, lr=config.lr * gear.factor(run.step - 1), moved=health.measure_update(before, job.network), started=started)
                writer.log(run.records)
            if ends or course.saves_at(run.step):
                writer.save(job.network, gear, run)
            if run.step % _KEEP_EVERY == 0:
                healthy = checkpoint.capture(job.network, gear, run)
            if ends:
                interrupt.obey(by_clock=folder is not None)

    ranks.wait()
    averaging.finish(job.network, averaging.find_last(job.network, gear.average, gear.slow))
    network = shards.gather(job.network, gear.blank) if gear.blank else job.network
    return Fitted(network.eval(), tuple(run.records), run.best, run.best_epoch, fault)


@dataclass(frozen=True)
class Course:
    """When what is due: steps of an epoch, of the run, between looks at val, and between checkpoints. Steps done are counted from 1."""

    epoch_steps: int
    num_steps: int
    look_every: int
    save_every: int

    def looks_after(self, done: int) -> bool:
        """Whether val is looked at after the next step."""
        return (done + 1) % self.look_every == 0 or done + 1 == self.num_steps

    def saves_at(self, done: int) -> bool:
        """Whether a checkpoint is due; the last one lets a run be extended."""
        return done % self.save_every == 0 or done == self.num_steps

    def checks_at(self, done: int) -> bool:
        """Whether loss and weights are looked at for NaN: always before anything is kept."""
        return done % _CHECK_EVERY == 0 or self.looks_after(done - 1) or self.saves_at(done)


def _plan(config: TrainConfig, epoch_steps: int) -> Course:
    return Course(
        epoch_steps=epoch_steps,
        num_steps=max(1, round(config.epochs * epoch_steps)),
        look_every=config.val_steps or max(1, round((config.val_epochs or 1.0) * epoch_steps)),
        save_every=config.snapshot_steps or round(config.snapshot_epochs * epoch_steps) or max(epoch_steps, 100),
    )


def is_over(run: Run, config: TrainConfig) -> bool:
    """The rule of early stopping: `patience` looks at val in a row, none of them better than the best before."""
    return bool(config.patience and run.best) and sum(record.epoch > run.best_epoch for record in run.records) >= config.patience


def _zero(job: Job) -> Tensor:
    return torch.zeros((), dtype=torch.float64, device=job.targets.device)


def _trace(job: Job, config: TrainConfig, gear: Gear, run: Run, feed: Feed, healthy: checkpoint.State) -> health.Fault:
    """Goes back to the last healthy copy of the run, finds where it broke after it, and leaves the network there."""
    records, broken_at = run.records, run.step
    checkpoint.restore(healthy, job.network, gear, run)
    fault = health.find_fault(job, config, gear, feed, range(run.step, broken_at))
    checkpoint.restore(healthy, job.network, gear, run)
    run.records = records
    return fault


def _is_healthy(job: Job, run: Run) -> bool:
    """Whether loss and weights are finite numbers, on all processes alike."""
    size = torch.nn.utils.get_total_norm([p.detach() for p in job.network.parameters()])
    return bool(torch.isfinite(ranks.add_up(run.loss_sum + shards.whole(size))))


def _look(job: Job, run: Run, gear: Gear, *, lr: float, moved: float, started: float) -> None:
    """Ends an interval: what it cost, what val says, how the net feels, and the best weights so far."""
    norm = torch.nn.utils.get_total_norm([p.grad for p in job.network.parameters() if p.grad is not None]) if gear.unclipped is None else gear.unclipped
    epoch = run.step / count_steps(len(job.train), gear.batch_size)
    with averaging.swapped(job.network, averaging.find_last(job.network, gear.average, gear.slow)):
        val_loss, val_metric, train_metric = ranks.follow_first(*evaluate(job, job.val), evaluate(job, job.watch)[1])
        dead, saturated = health.measure_activity(job.network, job.examples.inputs(torch.from_numpy(health.pick_shown(job.train))))
        record = EpochRecord(
            epoch=epoch, step=run.step, loss=float(ranks.add_up(run.loss_sum)) / (run.num_items * ranks.count()), val_loss=val_loss, val_metric=val_metric,
            train_metric=train_metric, lr=lr, grad_norm=float(shards.whole(norm)), update_ratio=moved, dead_frac=dead, saturated_frac=saturated,
            micro_batch=gear.micro_batch, seconds=perf_counter() - started,
        )  # fmt: skip
        if val_metric is not None and (run.best_value is None or better(job.metric, val_metric, run.best_value)):
            run.best, run.best_epoch = {name: shards.keep(value) for name, value in job.network.state_dict().items()}, epoch
    run.records.append(record)
    run.loss_sum, run.num_items = torch.zeros_like(run.loss_sum), 0


def evaluate(job: Job, rows: np.ndarray) -> tuple[float | None, float | None]:
    """Loss and metric of the network on some rows; (None, None) without rows."""
    if not len(rows):
        return None, None
    logits = predict(job.network, job.examples, rows)
    loss = float(job.loss(torch.from_numpy(logits).to(job.targets.device), job.targets[torch.from_numpy(rows)]))
    score = job.metric.score(job.examples.plain_targets(rows), to_outputs(job.problem, job.network, logits))
    return loss, float(score)
