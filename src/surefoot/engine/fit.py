"""THE loop: epochs and steps, nothing else. Read this first.

What happens at step n is a function of (seed, name, n): the order of the items, the augmentation and the dropout are drawn anew from streams
keyed by them. So a run that was killed goes on from its checkpoint and ends with the weights it would have had anyway.
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

from surefoot import optim, randomness, refs
from surefoot.data.examples import Examples
from surefoot.engine import averaging, checkpoint, interrupt
from surefoot.engine.predict import predict, to_outputs
from surefoot.metrics.metric import Metric, better
from surefoot.models.network import Network
from surefoot.types.configs import TrainConfig
from surefoot.types.examples import Batch
from surefoot.types.problem import Problem
from surefoot.types.reports import EpochRecord

_CHECK_EVERY = 50
"""Steps between looks at the loss for NaN: each look waits for the device, about a thousandth of a small step at this interval."""

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


@dataclass(frozen=True)
class Gear:
    """What turns a loss into better weights: resolved once, used every step."""

    optimizer: torch.optim.Optimizer
    factor: Callable[[int], float]
    augment: Callable[[Tensor, torch.Generator], Tensor]
    average: averaging.Average


@dataclass
class Run:
    """A run under way; a checkpoint holds exactly this."""

    step: int = 0
    records: list[EpochRecord] = field(default_factory=list)
    loss_sum: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    num_items: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: float = 0.0
    diverged: bool = False


@dataclass(frozen=True)
class Fitted:
    """A run that ended. `network` holds the last weights (averaged where asked for), `best` those of the best val metric."""

    network: Network
    records: tuple[EpochRecord, ...]
    best: dict[str, Tensor]
    best_epoch: float
    diverged: bool = False

    def best_record(self) -> EpochRecord:
        """The epoch whose weights are in `best`."""
        return next(record for record in self.records if record.epoch == self.best_epoch)


def fit(job: Job, config: TrainConfig, *, seed: int, name: str, folder: Path | None = None, listen: Listen | None = None) -> Fitted:
    """Trains `job.network` as `config` says.

    Args:
        job: what is fitted on what.
        config: fully resolved: no setting is left to be chosen.
        seed, name: of the run; every draw follows from them.
        folder: checkpoints and `metrics.jsonl` go there, and a run that was interrupted goes on from them; None: neither.
        listen: called with (epochs done, epochs in all) now and then.

    Returns:
        Fitted; `diverged` where the loss was no finite number, with the records up to there.
    """
    steps_per_epoch = count_steps(len(job.train), config.batch_size)
    num_steps = max(1, round(config.epochs * steps_per_epoch))
    snapshot_steps = round(config.snapshot_epochs * steps_per_epoch) or max(steps_per_epoch, 100)
    gear = _gear_up(job, config, num_steps)
    run = checkpoint.resume(folder, job.network, gear.optimizer, gear.average, Run())
    order, started = np.zeros(0, np.int64), perf_counter()

    for step in range(run.step, num_steps):
        epoch, position = divmod(step, steps_per_epoch)
        if position == 0 or not len(order):
            order = randomness.stream(seed, f"{name} order", epoch).permutation(len(job.train))
        picked = torch.from_numpy(job.train[order[_share(position, steps_per_epoch, len(order))]])
        lr = config.lr * gear.factor(step)
        loss = _step(job, config, gear, picked, lr, _reseed(seed, name, step))
        run.loss_sum += loss * len(picked)
        run.num_items += len(picked)
        run.step = step + 1

        at_end = run.step % steps_per_epoch == 0 or run.step == num_steps
        if (at_end or run.step % _CHECK_EVERY == 0) and not bool(torch.isfinite(run.loss_sum)):
            run.diverged = True
            break
        if listen:
            listen(run.step / steps_per_epoch, num_steps / steps_per_epoch)
        if at_end:
            with averaging.swapped(job.network, gear.average):
                _record(job, run, epoch=run.step / steps_per_epoch, lr=lr, seconds=perf_counter() - started)
            checkpoint.log(folder, run.records)
        if folder and run.step < num_steps and (run.step % snapshot_steps == 0 or interrupt.is_asked()):
            checkpoint.save(folder, job.network, gear.optimizer, gear.average, run)
        interrupt.obey()

    averaging.finish(job.network, gear.average)
    return Fitted(job.network.eval(), tuple(run.records), run.best, run.best_epoch, run.diverged)


def _gear_up(job: Job, config: TrainConfig, num_steps: int) -> Gear:
    groups = optim.parameter_groups(job.network.train(), config.weight_decay)
    make = optim.get_optimizer(config.optimizer, job.folder)
    return Gear(
        optimizer=make(groups, lr=config.lr, weight_decay=config.weight_decay, momentum=config.momentum),
        factor=optim.get_schedule(config.schedule, job.folder)(num_steps),
        augment=refs.resolve(config.augment, kind="augmentation", folder=job.folder),
        average=averaging.start(job.network, config.averaging),
    )


def _step(job: Job, config: TrainConfig, gear: Gear, picked: Tensor, lr: float, generator: torch.Generator) -> Tensor:
    """One batch: forward, backward, step. Returns its loss, still on the device."""
    batch = _augmented(job.examples.batch(picked, job.targets), gear.augment, generator)
    for group in gear.optimizer.param_groups:
        group["lr"] = lr
    loss = _loss(job, config, batch)
    gear.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if config.clip:
        torch.nn.utils.clip_grad_norm_(job.network.parameters(), config.clip)
    gear.optimizer.step()
    averaging.update(gear.average, job.network, config.averaging)
    return loss.detach()


def count_steps(num_train: int, batch_size: int) -> int:
    """Steps of an epoch: each item once, none repeated or dropped."""
    return max(1, -(-num_train // batch_size))


def _share(position: int, steps: int, num: int) -> slice:
    """The items of one step: batches differ by one item at most, so that no tail of one breaks batch norm."""
    return slice(position * num // steps, (position + 1) * num // steps)


def _reseed(seed: int, name: str, step: int) -> torch.Generator:
    """Sets the global generators (dropout) to where they are at this step, and returns the one for augmentation."""
    torch.manual_seed(randomness.key(seed, f"{name} dropout", step))
    return torch.Generator().manual_seed(randomness.key(seed, f"{name} augment", step))


def _augmented(batch: Batch, augment: Callable, generator: torch.Generator) -> Batch:
    if batch.inputs[0].ndim != 4:
        return batch
    return Batch((augment(batch.inputs[0], generator),), batch.targets, batch.weights, batch.rows)


def _loss(job: Job, config: TrainConfig, batch: Batch) -> Tensor:
    try:
        loss = job.loss(job.network(*batch.inputs), batch.targets, weights=batch.weights, **job.loss_options)
    except Exception as error:
        shapes = ", ".join(f"{tuple(given.shape)} {str(given.dtype).removeprefix('torch.')}" for given in (*batch.inputs, batch.targets))
        error.add_note(f"while: a training step, inputs and targets {shapes}")
        raise
    if config.l1:
        loss = loss + config.l1 * torch.stack([p.abs().sum() for p in job.network.parameters() if p.ndim > 1]).sum()
    return loss


def _record(job: Job, run: Run, *, epoch: float, lr: float, seconds: float) -> None:
    """Ends an epoch: what it cost, what val says, and the best weights so far."""
    norm = torch.nn.utils.get_total_norm([p.grad for p in job.network.parameters() if p.grad is not None])
    val_loss, val_metric = evaluate(job, job.val)
    record = EpochRecord(
        epoch=epoch, step=run.step, loss=float(run.loss_sum) / max(run.num_items, 1), val_loss=val_loss, val_metric=val_metric,
        train_metric=evaluate(job, job.watch)[1], lr=lr, grad_norm=float(norm), seconds=seconds,
    )  # fmt: skip
    earlier = [r for r in run.records if r.epoch == run.best_epoch]
    if val_metric is not None and (not earlier or better(job.metric, val_metric, earlier[0].val_metric or 0.0)):
        run.best, run.best_epoch = {k: v.detach().clone() for k, v in job.network.state_dict().items()}, epoch
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
