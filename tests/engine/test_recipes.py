"""What a training takes where its settings leave it open."""

from __future__ import annotations

from typing import Any

import pytest

from surefoot.engine.recipes import follow_recipe
from surefoot.types import TrainConfig

from .samples import make_problem


@pytest.mark.parametrize(
    ("asked", "channels", "augment", "smoothing"),
    [
        ({}, 1, "affine", 0.1),
        ({}, 3, "shift_flip", 0.1),
        ({"epochs": 2.0}, 3, "none", 0.1),
        ({"epochs": 3.0}, 3, "shift_flip", 0.1),
        ({}, 0, "", 0.0),
    ],
)
def test_pictures_are_changed_in_long_runs_and_their_labels_smoothed(asked: dict[str, Any], channels: int, augment: str, smoothing: float) -> None:
    filled = follow_recipe(TrainConfig(**asked), make_problem(), channels)
    assert (filled.augment, filled.label_smoothing) == (augment, smoothing)


def test_what_the_user_said_stays() -> None:
    asked = TrainConfig(augment="none", label_smoothing=0.0)
    assert follow_recipe(asked, make_problem(), 3) == asked


def test_labels_are_smoothed_only_where_the_loss_can() -> None:
    assert follow_recipe(TrainConfig(loss="mse"), make_problem(), 1).label_smoothing == 0.0
    assert follow_recipe(TrainConfig(), make_problem(task="binary"), 1).label_smoothing == 0.0
