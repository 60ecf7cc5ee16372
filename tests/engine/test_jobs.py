"""From settings to a job: batches that the data can fill, and an lr that the optimizer bears."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surefoot.engine import jobs
from surefoot.engine.build import Desk
from surefoot.engine.devices import measure_rate
from surefoot.engine.fit import fit
from surefoot.engine.jobs import fill_batch, resolve_train, tell_batch, tell_lr, training_step
from surefoot.optim.usual import find_usual
from surefoot.types import ConfigError, ModelConfig, TrainConfig, UsageError

from .samples import FULL, make_table_desk, start_job


@pytest.mark.parametrize("asked", [0, 100])
def test_the_batch_of_gradient_descent_is_the_whole_train_set(asked: int) -> None:
    assert resolve_train(TrainConfig(optimizer="gd", batch_size=asked), 100, "image").batch_size == 100


def test_gradient_descent_by_another_batch_is_refused() -> None:
    with pytest.raises(ConfigError, match="gd takes the whole train set at each step, 100 items here, and not 32") as caught:
        resolve_train(TrainConfig(optimizer="gd", batch_size=32), 100, "image")
    assert (caught.value.where, "sgd" in caught.value.next) == ("train.batch_size = 32", True)


def test_gradient_descent_takes_one_step_an_epoch_on_any_part_of_the_data(desk: Desk) -> None:
    config = resolve_train(FULL.model_copy(update={"optimizer": "gd", "batch_size": 0, "epochs": 3.0}), 90, "image")
    fitted = fit(start_job(desk), fill_batch(config, 100), seed=0, name="whole")
    assert [record.step for record in fitted.records] == [1, 2, 3]


def test_a_batch_larger_than_the_data_is_cut_and_told() -> None:
    asked = TrainConfig(batch_size=5_000)
    assert resolve_train(asked, 100, "image").batch_size == 100
    assert tell_batch(asked, 100) == "train.batch_size = 5,000 is more than the 100 items to train on: each step takes all of them"
    assert not tell_batch(TrainConfig(batch_size=100), 100)
    assert not tell_batch(TrainConfig(), 100)


def test_an_lr_left_open_is_the_optimizers_own_and_one_that_was_said_stays() -> None:
    assert resolve_train(TrainConfig(optimizer="sgd"), 100, "table").lr == find_usual("sgd").table
    assert resolve_train(TrainConfig(optimizer="mine:own"), 100, "image").lr == find_usual("adamw").image
    assert resolve_train(TrainConfig(optimizer="sgd", lr=0.7), 100, "table").lr == 0.7


def test_an_lr_that_was_set_to_nothing_is_told_and_one_that_was_left_out_is_not() -> None:
    assert "train.lr = 0 leaves it open" in tell_lr(TrainConfig(lr=0.0))
    assert tell_lr(TrainConfig()) == tell_lr(TrainConfig(lr=0.1)) == ""


SLOW = """
import time

import torch


class Slow(torch.optim.SGD):
    def step(self, closure=None):
        time.sleep(0.02)
        super().step()


def slow(parameters, *, lr, weight_decay, momentum):
    return Slow(parameters, lr=lr)
"""


def test_the_rate_that_a_plan_rests_on_is_that_of_the_optimizer_that_trains(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SLOW)
    config = FULL.model_copy(update={"optimizer": "mine:slow"})
    job = start_job(replace(desk, folder=tmp_path), config)
    before = {name: value.clone() for name, value in job.network.state_dict().items()}
    assert measure_rate(training_step(job, config), 0.2) < 50
    assert all(bool((value == before[name]).all()) for name, value in job.network.state_dict().items())


def test_the_rate_that_a_plan_rests_on_is_that_with_augmentation(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import time\n\n\ndef slowly(images, generator):\n    time.sleep(0.02)\n    return images\n")
    config = FULL.model_copy(update={"augment": "mine:slowly"})
    assert measure_rate(training_step(start_job(replace(desk, folder=tmp_path), config), config), 0.2) < 50


def test_a_loss_that_takes_no_option_that_is_in_use_is_named(desk: Desk) -> None:
    amounts = replace(desk, problem=desk.problem.model_copy(update={"loss": "mse"}))
    with pytest.raises(UsageError, match="The loss mse takes no label_smoothing"):
        start_job(amounts)


@pytest.mark.parametrize(("settings", "share"), [({}, 0.1), ({"class_weights": "balanced"}, 0.5), ({"sampling": "balanced"}, 0.5)])
def test_a_net_starts_at_the_shares_that_it_will_be_shown(tmp_path: Path, settings: dict[str, str], share: float) -> None:
    """A net that is trained for half an epoch would else stay between the classes' own shares and even ones."""
    desk = make_table_desk(tmp_path, "binary", (np.arange(300) % 10 == 0)[:, None], 200)
    job = jobs.start_job(desk, ModelConfig(width=4, depth=1), desk.folds[0], TrainConfig(**settings))
    assert 1 / (1 + np.exp(-job.network.body.final.bias.item())) == pytest.approx(share)


def test_a_net_for_amounts_starts_where_it_did(tmp_path: Path) -> None:
    desk = make_table_desk(tmp_path, "regression", np.linspace(-5.0, -1.0, 300)[:, None], 200)
    assert jobs.measure_shift(desk, desk.folds[0].train, TrainConfig(class_weights="balanced")).tolist() == [0.0]
