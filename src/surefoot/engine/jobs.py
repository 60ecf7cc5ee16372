"""From settings to a job: what was left to choose is chosen here, in one place, from the data."""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from surefoot import losses, randomness
from surefoot.engine import shards
from surefoot.engine.build import Desk, Part, build_network, set_prior
from surefoot.engine.devices import measure_rate, settle_threads
from surefoot.engine.feed import count_steps
from surefoot.engine.fit import Job
from surefoot.engine.precision import list_promising
from surefoot.engine.step import gear_up, take_step
from surefoot.models.network import Network
from surefoot.optim.usual import find_usual
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.context import Context
from surefoot.types.errors import ConfigError, UsageError

_BATCHES = ((500, 16), (2_000, 32), (8_000, 64), (100_000, 128))
"""Train items up to which a batch has so many: small sets need the steps, large ones the speed."""
_LARGEST = 256
_SMOKE_STEPS = 120
WATCHED = 1_000
"""Train items whose metric is measured beside val's: enough to see overfitting, cheap enough for every epoch."""
PLAIN: dict[str, object] = {
    "augment": "none",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "averaging": 0.0,
    "l1": 0.0,
    "mixup": 0.0,
    "cutmix": 0.0,
    "lookahead": 0,
    "patience": 0,
}
"""Nothing that regularises, for nets that must learn by heart."""
_FULL_BATCH = "gd"
"""The optimizer whose batch is whatever it trains on."""


def resolve_train(train: TrainConfig, num_train: int, kind: str, **chosen: object) -> TrainConfig:
    """Settles what the user left open.

    Args:
        num_train: items trained on. kind: `image` or `table`.
        chosen: settings decided by the step, such as `epochs`; they go before the user's.

    Raises:
        ConfigError: gradient descent by whole batches was asked for, and another size of batch.
    """
    if train.optimizer == _FULL_BATCH and train.batch_size not in (0, num_train):
        raise ConfigError(
            f"gd takes the whole train set at each step, {num_train:,} items here, and not {train.batch_size:,}.",
            where=f"train.batch_size = {train.batch_size}",
            next="Leave train.batch_size out, or set train.optimizer = 'sgd' for batches of that size.",
        )
    size = next((batch for limit, batch in _BATCHES if num_train <= limit), _LARGEST)
    settled = train.model_copy(
        update={
            "batch_size": train.batch_size or size,
            "lr": train.lr or find_usual(train.optimizer).peak(kind),
            "epochs": train.epochs or 1.0,
            "augment": train.augment or "none",
        }
    )
    return fill_batch(settled.model_copy(update=chosen), num_train)


def fill_batch(train: TrainConfig, num_train: int) -> TrainConfig:
    """The same settings with a batch that these items can fill: folds, phases and parts of a set differ in size. Under `gd` it is all of them."""
    size = num_train if train.optimizer == _FULL_BATCH else min(train.batch_size, num_train)
    return train.model_copy(update={"batch_size": size})


def tell_batch(train: TrainConfig, num_train: int) -> str:
    """What to say of a batch that was asked for larger than the train set, and is cut to it; empty where it isn't."""
    if train.batch_size <= num_train:
        return ""
    return f"train.batch_size = {train.batch_size:,} is more than the {num_train:,} items to train on: each step takes all of them"


def tell_lr(train: TrainConfig) -> str:
    """What to say of an lr that was set to 0: nothing is trained at that, and the settings call it open."""
    if train.lr or "lr" not in train.model_fields_set:
        return ""
    return "train.lr = 0 leaves it open: the optimizer's usual one is tried first, and the search chooses"


def start_job(desk: Desk, model: ModelConfig, part: Part, config: TrainConfig) -> Job:
    """A fresh net that already says the prior of its train rows, as class weights and even drawing will have it, ready to be fitted."""
    network = build_network(desk, model, part)
    set_prior(network, desk.problem, desk.examples.plain_targets(part.train), measure_shift(desk, part.train, config))
    return make_job(desk, network, part, config)


def make_job(desk: Desk, network: Network, part: Part, config: TrainConfig) -> Job:
    """A job for a network, with the weights it has; they are brought to the device, unless several processes will share them: `gear_up` deals them out then."""
    device = desk.examples.device
    targets = desk.examples.plain_targets(part.train)
    weights = None
    if config.class_weights == "balanced" and desk.problem.classes:
        weights = torch.from_numpy(losses.balanced_weights(desk.problem.task, targets, desk.problem.num_outputs)).float().to(device)
    loss = losses.get(config.loss or desk.problem.loss, desk.folder)
    watched = randomness.stream(desk.seed, "watch").permutation(len(part.train))[: WATCHED if len(part.val) else 0]
    return Job(
        network=network if shards.is_wanted(network, config, device) else network.to(device),
        problem=desk.problem,
        examples=desk.examples,
        targets=desk.examples.encode(part.statistics),
        loss=loss,
        metric=desk.metric,
        train=part.train,
        val=part.val,
        watch=part.train[np.sort(watched)],
        loss_options=_loss_options(loss, config.loss or desk.problem.loss, config, weights),
        folder=desk.folder,
    )


def measure_shift(desk: Desk, rows: np.ndarray, config: TrainConfig) -> np.ndarray:
    """What class weights and even drawing, on these train rows, may add to the logits of a net, (K,); 0 for amounts. See `losses.prior_shift`."""
    if not desk.problem.classes:
        return np.zeros(desk.problem.num_outputs)
    used = {"is_weighted": config.class_weights == "balanced", "is_drawn_evenly": config.sampling == "balanced"}
    return losses.prior_shift(desk.problem.task, desk.examples.plain_targets(rows), desk.problem.num_outputs, **used)


def _loss_options(loss: Callable, name: str, config: TrainConfig, class_weights: torch.Tensor | None) -> dict[str, Any]:
    """Those of our options that are in use and that the loss of this name, perhaps the user's own, takes.

    Raises:
        UsageError: an option is in use that the loss does not take.
    """
    used = {
        option: value
        for option, value in (("label_smoothing", config.label_smoothing), ("class_weights", class_weights))
        if value is not None and not (isinstance(value, float) and value == 0)
    }
    unknown = [option for option in used if option not in inspect.signature(loss).parameters]
    if unknown:
        raise UsageError(
            f"The loss {name} takes no {' and no '.join(unknown)}.", where="train.loss", next=f"Give it the argument, or leave train.{unknown[0]} out."
        )
    return used


def count_epoch_items(job: Job) -> float:
    """What an epoch takes, in items learnt from: val and what is watched are asked after it, and to ask is to go forward alone, a third of a step."""
    return len(job.train) + (len(job.val) + len(job.watch)) / 3


def smoke_epochs(train: TrainConfig, num_train: int) -> float:
    """What the budget `smoke` bears: two epochs, or on small sets as many as make `_SMOKE_STEPS` steps."""
    return max(2.0, _SMOKE_STEPS / count_steps(num_train, train.batch_size))


def training_step(job: Job, config: TrainConfig) -> Callable[[], object]:
    """The next step of this job on a copy of its network, to be timed: nothing of the job changes.

    Optimizer and augmentation are the job's own: Muon takes 18 ms where SGD takes 3.7 on the net of a table. The lr stays at its peak, as a schedule
    counts on an end.
    """
    copied, config = replace(job, network=copy.deepcopy(job.network)), config.model_copy(update={"schedule": "fixed"})
    gear, steps = gear_up(copied, config, 1), itertools.count()
    picked = torch.from_numpy(job.train[: config.batch_size])

    def step() -> None:
        take_step(copied, config, gear, job.examples.batch(picked, job.targets), next(steps), (0, "measure"))

    return step


def settle_speed(ctx: Context, job: Job, config: TrainConfig, name: str) -> tuple[TrainConfig, float]:
    """Settles threads and precision for this job; both are measured once and written down under `name`.

    Returns:
        The settings with nothing of this left open, and how many train items a second they bear.
    """
    settle_threads(ctx, config.threads, name, training_step(job, config.model_copy(update={"precision": "fp32"})), job.examples.device)
    rates = ctx.ledger.decide(f"items per second of {name}", lambda: _measure_precisions(job, config))
    precision = max(rates, key=lambda one: rates[one])
    return config.model_copy(update={"precision": precision}), float(rates[precision])


def _measure_precisions(job: Job, config: TrainConfig) -> dict[str, float]:
    device = job.examples.device
    asked = list_promising(device) if config.precision == "auto" else [config.precision]
    num = min(config.batch_size, len(job.train))
    return {one: num * measure_rate(training_step(job, config.model_copy(update={"precision": one})), device=device) for one in asked}
