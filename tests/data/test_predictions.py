"""Predictions are stored and read back equal, and pooled with the number of their fold."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data.predictions import load_predictions, pool, save_predictions
from surefoot.store.blobs import Blobs
from surefoot.types.examples import Predictions


def make(rows: int, *, logits: bool = True, start: int = 0) -> Predictions:
    rng = np.random.default_rng(start)
    ids = np.asarray([f"{start + n:016x}-{n}" for n in range(rows)], object)
    return Predictions(ids, rng.random((rows, 3)), rng.integers(0, 3, rows), rng.normal(size=(rows, 3)).astype(np.float32) if logits else None)


def assert_equal(one: Predictions, other: Predictions) -> None:
    assert one.ids.tolist() == other.ids.tolist()
    for name in ("outputs", "targets", "logits", "folds"):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None)
        if left is not None:
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("rows", [0, 1, 12])
@pytest.mark.parametrize("logits", [True, False])
def test_predictions_are_read_back_equal(tmp_path, rows, logits):
    store = Blobs(tmp_path)
    assert_equal(load_predictions(store, save_predictions(store, make(rows, logits=logits))), make(rows, logits=logits))


def test_ids_of_unequal_length_are_read_back_equal(tmp_path):
    store = Blobs(tmp_path)
    ids = np.asarray(["a", "wild-12345", "abc-0"], object)
    said = Predictions(ids, np.zeros((3, 1)), np.zeros((3, 1)), folds=np.array([0, 1, -1], np.int16))
    assert_equal(load_predictions(store, save_predictions(store, said)), said)


def test_pooled_predictions_stand_one_after_another_and_know_their_fold():
    parts = [make(2), make(3, start=10), make(1, start=20)]
    pooled = pool(parts)
    assert pooled.folds.tolist() == [0, 0, 1, 1, 1, 2]
    assert pooled.ids.tolist() == [i for part in parts for i in part.ids]
    np.testing.assert_array_equal(pooled.outputs, np.concatenate([part.outputs for part in parts]))
    np.testing.assert_array_equal(pooled.logits, np.concatenate([part.logits for part in parts]))
    assert len(pooled) == 6


def test_logits_are_pooled_only_where_every_part_has_them():
    assert pool([make(2), make(2, logits=False)]).logits is None
