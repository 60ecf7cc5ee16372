"""Simple models on parts that a solver can't use: what is all of one class, is said to be of it."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.engine.yardsticks import fit_yardstick
from surefoot.models.boosting import Rounds

from .samples import make_table_desk


@pytest.mark.parametrize(("task", "kind"), [("binary", 0), ("binary", 1), ("multiclass", 2)])
@pytest.mark.parametrize("name", ["linear", "knn", "boosting"])
def test_a_part_of_one_class_gives_a_model_that_says_that_class(tmp_path, task, kind, name):
    """Sixteen rows of the learning curve, or a sample of a rare class: their share is 1, less half an item."""
    targets = np.r_[np.full(20, kind), np.arange(30) % (2 if task == "binary" else 3)][:, None]
    desk = make_table_desk(tmp_path, task, targets, 20)
    part = desk.folds[0]
    outputs = fit_yardstick(name, desk, part, part.val, Rounds(5)).outputs
    assert (outputs.argmax(1) == kind).all()
    if name == "linear":
        assert outputs[:, kind] == pytest.approx(outputs[0, kind])
        assert 0.9 < outputs[0, kind] < 1


def test_a_label_that_all_items_have_is_said_of_all(tmp_path):
    draw = np.random.default_rng(0)
    targets = np.stack([np.ones(60), np.zeros(60), draw.integers(0, 2, 60)], 1)
    desk = make_table_desk(tmp_path, "multilabel", targets, 40)
    outputs = fit_yardstick("linear", desk, desk.folds[0], desk.folds[0].val).outputs
    assert outputs[:, :2] == pytest.approx(np.tile([1 - 0.5 / 40, 0.5 / 40], (20, 1)))
