"""The lr range test: where a loss diverges is found, and nothing of the job changes."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from surefoot.engine.build import Desk
from surefoot.engine.fit import fit
from surefoot.engine.lr_range import HIGH, LOW, STEPS, find_lr, propose

from .samples import FULL, start_job

LRS = np.geomspace(LOW, HIGH, STEPS).tolist()


def test_the_proposal_is_a_tenth_of_where_the_loss_diverges() -> None:
    losses = [2.0] * 40 + [1.0] * 39 + [4.5]
    assert propose(LRS, losses) == pytest.approx(LRS[79] / 10)


def test_without_divergence_it_is_where_the_loss_falls_steepest() -> None:
    """The steepest of a logistic fall is its middle."""
    losses = [1 + 1 / (1 + np.exp((step - 60) / 4)) for step in range(STEPS)]
    assert propose(LRS, losses) == pytest.approx(LRS[60])


@pytest.mark.parametrize("losses", [[2.0] * STEPS, [2.0] * 50 + [float("nan")], [1.0] * 3 + [float("inf")], np.linspace(1, 3, STEPS).tolist()])
def test_where_the_loss_never_falls_nothing_is_proposed(losses: list[float]) -> None:
    assert propose(LRS, losses) == 0.0


def test_a_loss_that_ends_in_nan_after_it_fell_has_diverged_there() -> None:
    assert propose(LRS, [2.0] * 30 + [1.0] * 30 + [float("nan")]) == pytest.approx(LRS[60] / 10)


def test_a_loss_below_zero_may_rise_without_having_diverged() -> None:
    losses = [-1.0] * 30 + np.linspace(-1, -5, 40).tolist() + [-4.0] * 30
    assert LRS[30] <= propose(LRS, losses) <= LRS[70]


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "momentum", "gd"])
def test_a_net_trained_with_what_was_found_learns(desk: Desk, optimizer: str) -> None:
    config = FULL.model_copy(update={"optimizer": optimizer, "augment": "none", "averaging": 0.0, "epochs": 60.0 if optimizer == "gd" else 8.0})
    config = config.model_copy(update={"batch_size": 100}) if optimizer == "gd" else config
    found = find_lr(start_job(desk, config, 0.0), config, seed=0, name="range")
    assert len(found.lrs) == len(found.losses) <= STEPS
    assert LOW < found.lr < HIGH
    fitted = fit(start_job(desk, config, 0.0), config.model_copy(update={"lr": found.lr}), seed=0, name="after")
    assert not fitted.diverged
    assert max(record.val_metric or 0 for record in fitted.records) > 0.9


def test_it_follows_from_seed_and_name_and_leaves_the_job_as_it_was(desk: Desk) -> None:
    job = start_job(desk)
    before = copy.deepcopy(job.network.state_dict())
    first = find_lr(job, FULL, seed=0, name="range")
    torch.rand(3)  # draws in between change nothing
    assert find_lr(job, FULL, seed=0, name="range") == first
    assert find_lr(job, FULL, seed=1, name="range").losses != first.losses
    assert find_lr(job, FULL, seed=0, name="other").losses != first.losses
    assert all(torch.equal(value, before[name]) for name, value in job.network.state_dict().items())
    assert all(parameter.grad is None for parameter in job.network.parameters())
