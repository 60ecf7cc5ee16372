"""Slices are told where errors gather, and nowhere else."""

import numpy as np
import pytest
from scipy import stats

from surefoot.analysis.slices import by_amount, by_category, by_cluster, correct, find_slices, list_candidates, pick_rows
from surefoot.types.data_reports import FieldSpec
from surefoot.types.examples import Predictions


def many(rng, n=2000):
    """Forty columns of five values each, as slices."""
    columns = rng.integers(1, 6, (n, 40))
    return {name: here for k in range(40) for name, here in by_category(f"c{k}", columns[:, k], {v: f"v{v}" for v in range(1, 6)}).items()}


def test_a_planted_slice_is_found_among_two_hundred_and_its_gain_told():
    rng = np.random.default_rng(0)
    candidates = many(rng)
    here = candidates["c7 = v3"]
    wrong = (rng.random(2000) < np.where(here, 0.25, 0.05)).astype(float)
    found = find_slices(candidates, wrong, is_share=True)
    assert [one.name for one in found] == ["c7 = v3"]
    assert found[0].error.interval[0] < 0.25 < found[0].error.interval[1]
    assert found[0].could_bring == pytest.approx((wrong[here].mean() - wrong[~here].mean()) * here.mean())


def test_pure_noise_has_no_slices():
    told = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        told += len(find_slices(many(rng), (rng.random(2000) < 0.1).astype(float), is_share=True))
    assert told <= 3  # at q = 0.05 one set in twenty may tell something


def test_amounts_are_tested_by_their_losses():
    rng = np.random.default_rng(0)
    size = rng.normal(size=900)
    losses = rng.exponential(size=900) * np.where(size > np.quantile(size, 2 / 3), 2.0, 1.0)
    (found,) = find_slices(by_amount("size", size), losses, is_share=False)
    assert found.name.startswith("size > ")


def test_q_values_are_those_of_benjamini_and_hochberg():
    p_values = np.random.default_rng(0).random(50) ** 2
    np.testing.assert_allclose(correct(p_values), stats.false_discovery_control(p_values))


def test_missing_values_and_few_values_are_slices_of_their_own():
    values = np.array([1.0, 2.0, np.nan] * 10)
    found = by_amount("age", values)
    assert set(found) == {"age is missing", "age = 1", "age = 2"}
    assert found["age is missing"].sum() == 10


def test_like_items_make_a_cluster():
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 1, (300, 6)), rng.normal(12, 1, (40, 6))]).astype(np.float32)
    lone = np.arange(340) >= 300
    clusters = by_cluster(features, seed=0)
    assert any(here.sum() >= 10 and not here[~lone].any() for here in clusters.values())
    assert (np.sum(list(clusters.values()), axis=0) == 1).all()


def test_pictures_are_sliced_by_how_they_look_and_rows_by_their_values():
    image = FieldSpec(name="image", shape=(1, 8, 8), dtype="uint8")
    pictures = np.random.default_rng(0).integers(0, 255, (90, 1, 8, 8)).astype(np.uint8)
    assert {name.split()[0] for name in list_candidates((image,), (pictures,), {})} >= {"brightness", "sharpness", "contrast"}
    fields = (FieldSpec(name="numeric", shape=(1,), dtype="float32", names=("age",)), FieldSpec(name="category", shape=(1,), dtype="int32", names=("job",)))
    rows = (np.arange(90, dtype=np.float32)[:, None], np.array([[k % 3] for k in range(90)], np.int32))
    found = list_candidates(fields, rows, {"job": {1: "clerk", 2: "nurse"}})
    assert {"job = clerk", "job = nurse", "job = missing or unseen"} <= set(found)


def test_groups_that_err_together_by_chance_have_no_slices():
    """A hundred patients of 20 pictures each, of whom 30 are got wrong whatever their clinic: forty columns of five values each."""
    told = by_rows = 0
    groups = np.repeat(np.arange(100), 20)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        wrong = (rng.random(100) < 0.3).astype(float)[groups]
        candidates = {name: here[groups] for name, here in many(rng, 100).items()}
        rows = pick_rows(Predictions(np.arange(2000).astype(str), wrong[:, None], wrong[:, None], groups=groups), 5000, seed=seed)
        assert len(rows) == len(np.unique(groups[rows])) == 100
        told += len(find_slices({name: here[rows] for name, here in candidates.items()}, wrong[rows], is_share=True))
        by_rows += len(find_slices(candidates, wrong, is_share=True))
    assert told <= 3
    assert by_rows > 500


def test_an_item_that_several_folds_speak_of_is_looked_at_once():
    ids = np.tile(np.arange(50).astype(str), 3)
    said = Predictions(ids, np.zeros((150, 1)), np.zeros((150, 1)))
    rows = pick_rows(said, 40, seed=0)
    assert len(rows) == len(set(ids[rows])) == 40
    assert max(rows) >= 100  # not the first fold's word alone
    np.testing.assert_array_equal(rows, pick_rows(said, 40, seed=0))


@pytest.mark.parametrize("values", [[10001.0, 10002.0], [1e-9, 2e-9, 3e-9], [123456.7, 123456.8, 123456.9]])
def test_values_that_begin_alike_keep_a_slice_each(values):
    found = by_amount("mileage", np.repeat(values, 30))
    assert [int(here.sum()) for here in found.values()] == [30] * len(values)


def test_thirds_that_begin_alike_are_named_apart():
    names = list(by_amount("year", np.linspace(100_000, 100_003, 90)))
    assert len(set(names)) == 3
    assert names[0].removeprefix("year <= ") != names[2].removeprefix("year > ")
