"""The weights that a run ends with: their average, or those of lookahead, in short runs too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefoot.engine.averaging import decay_at
from surefoot.engine.build import Desk
from surefoot.engine.fit import Fitted, fit
from surefoot.types import TrainConfig

from .samples import FULL, start_job

PLAIN = FULL.model_copy(update={"averaging": 0.0, "augment": "none"})
AHEAD = PLAIN.model_copy(update={"lookahead": 5, "schedule": "fixed", "snapshot_steps": 7})


def train(desk: Desk, config: TrainConfig, folder: Path | None = None) -> Fitted:
    return fit(start_job(desk, config), config, seed=0, name="run", folder=folder)


def test_a_short_run_ends_with_trained_weights_however_slow_the_average(desk: Desk) -> None:
    """28 steps: with the same decay from the first on, 0.999 would leave 97 % of the untrained weights."""
    plain, averaged = (train(desk, PLAIN.model_copy(update={"averaging": decay})).records[-1] for decay in (0.0, 0.999))
    assert plain.val_metric is not None
    assert averaged.val_metric is not None
    assert plain.val_metric > 0.8
    assert averaged.val_metric > plain.val_metric - 0.1


def test_the_decay_rises_to_the_one_that_was_asked_for_as_a_function_of_the_step() -> None:
    assert decay_at(0, 0.99) == pytest.approx(0.1)
    assert [decay_at(step, 0.99) for step in (890, 891, 10**6)] == [pytest.approx(891 / 900), 0.99, 0.99]


def test_a_run_under_lookahead_ends_halfway_between_fast_and_slow_weights_wherever_it_stops(desk: Desk, tmp_path: Path) -> None:
    """28 steps, three after the last time of catching up; the last look at val was at the same weights."""
    fitted = train(desk, AHEAD, tmp_path)
    kept = load_file(tmp_path / "checkpoints" / "step-000000028.safetensors")
    moved = 0.0
    for name, value in fitted.network.state_dict().items():
        if value.is_floating_point():
            fast, slow = kept[f"model/{name}"], kept[f"slow/{name}"]
            assert torch.allclose(value, (fast + slow) / 2, atol=1e-6), name
            moved += float((fast - slow).abs().sum())
    assert moved > 0
    if fitted.best_epoch == fitted.records[-1].epoch:
        assert all(torch.equal(value, fitted.best[name]) for name, value in fitted.network.state_dict().items())


def test_a_run_under_lookahead_that_is_extended_ends_bit_equal_to_the_longer_one(desk: Desk, tmp_path: Path) -> None:
    longer = AHEAD.model_copy(update={"epochs": 6.0})
    train(desk, AHEAD, tmp_path)
    extended, at_once = train(desk, longer, tmp_path), train(desk, longer)
    assert all(torch.equal(value, extended.network.state_dict()[name]) for name, value in at_once.network.state_dict().items())
