"""The two-sample test: silent on random splits, and a planted shift is found with the column that carries it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surefoot.analysis.drift import compare, judge_scores
from surefoot.data.features import Features, describe, read_features, sample_items

P, AUC = 0.01, 0.55


def draw(rows, columns, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, columns)).astype(np.float32)
    values[:, -1] = rng.integers(0, 4, rows)
    return rng, values


def make(values):
    is_word = np.arange(values.shape[1]) == values.shape[1] - 1
    return Features(np.arange(len(values)).astype(object), tuple(f"x{j}" for j in range(values.shape[1])), values, is_word)


def find(values, sets, units, seed):
    pairs = {f"{a}, {b}": (sets == a, sets == b) for a, b in ((0, 1), (0, 2), (1, 2))}
    return {name: one for name, one in compare(make(values), pairs, units, seed=seed).items() if one.p <= P and one.auc >= AUC}


def test_random_splits_raise_no_alarm():
    alarms = 0
    for seed in range(60):
        rng, values = draw(600, 6, seed)
        alarms += bool(find(values, rng.choice(3, 600, p=[0.6, 0.2, 0.2]), np.arange(600), seed))
    assert alarms <= 2  # at 1 % each, three of 60 come once in 43 times


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_random_splits_of_groups_and_of_duplicates_raise_no_alarm_either(noise):
    alarms = 0
    for seed in range(40):
        rng, values = draw(200, 6, seed)
        units = np.sort(rng.integers(0, 200, 800))
        values = (values[units] + noise * rng.normal(size=(800, 6))).astype(np.float32)
        alarms += bool(find(values, rng.choice(3, 200, p=[0.6, 0.2, 0.2])[units], units, seed))
    assert alarms <= 2


def test_the_same_rows_taken_for_independent_would_raise_alarms():
    """Why units are exchanged whole: copies in both halves give their set away."""
    alarms = 0
    for seed in range(10):
        rng, values = draw(100, 6, seed)
        units = np.sort(rng.integers(0, 100, 800))
        alarms += bool(find(values[units], rng.choice(3, 100, p=[0.6, 0.2, 0.2])[units], np.arange(800), seed))
    assert alarms == 10


@pytest.mark.parametrize("kind", ["moved", "spread", "words", "missing"])
def test_a_planted_shift_is_found_and_its_column_named_first(kind):
    rng, values = draw(1_500, 8, 0)
    sets = rng.choice(3, 1_500, p=[0.6, 0.2, 0.2])
    later, column = sets == 2, {"words": "x7"}.get(kind, "x3")
    if kind == "moved":
        values[later, 3] += 0.8
    elif kind == "spread":
        values[later, 3] *= 3
    elif kind == "words":
        values[later, 7] = rng.integers(2, 6, later.sum())
    else:
        values[later & (rng.random(1_500) < 0.4), 3] = np.nan
    found = find(values, sets, np.arange(1_500), 0)
    assert set(found) == {"0, 2", "1, 2"}
    assert next(iter(found["0, 2"].columns)) == column


def test_piles_of_too_few_items_are_not_judged():
    _, values = draw(90, 4, 0)
    assert find(values, np.repeat([0, 1, 2], 30), np.arange(90), 0) == {}
    assert compare(make(values), {"a": (np.arange(90) < 45, np.arange(90) >= 45)}, np.arange(90), seed=0) == {}


def test_the_score_s_p_is_that_of_the_rank_sum():
    from scipy import stats

    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=200), rng.random(200) < 0.3
    scores[labels] += 0.4
    auc, p = judge_scores(scores, labels, np.arange(200))
    reference = stats.mannwhitneyu(scores[labels], scores[~labels], alternative="greater", method="asymptotic", use_continuity=False)
    assert auc == pytest.approx(reference.statistic / (labels.sum() * (~labels).sum()))
    assert p == pytest.approx(reference.pvalue)


def test_pictures_are_described_by_brightness_contrast_colour_and_layout():
    picture = np.zeros((12, 18, 3), np.uint8)
    picture[:6, :, 0] = 240
    found = describe(picture[None])[0]
    assert found.shape == (41,)
    assert found[0] == pytest.approx(40)
    assert found[2:5].tolist() == [120, 0, 0]
    assert found[5:].reshape(6, 6)[:3].tolist() == [[80.0] * 6] * 3
    assert describe(np.full((1, 2, 3), 7, np.uint8))[0, 5:].tolist() == [7.0] * 36


def test_features_come_back_from_their_table_as_they_were():
    _, values = draw(20, 3, 0)
    values[4] = np.nan
    features = replace(make(values), ids=np.asarray([f"id{n}" for n in range(20)], object))
    again = read_features(features.to_table())
    assert np.array_equal(again.values, features.values, equal_nan=True)
    assert (again.names, again.is_word.tolist()) == (features.names, features.is_word.tolist())


def test_every_source_has_its_share_of_the_sample():
    sources = np.asarray(["a"] * 1_000 + ["b"] * 50, object)
    picked = sample_items(sources, 200, 0)
    assert (sources[picked] == "a").sum() == 100
    assert (sources[picked] == "b").sum() == 50
    assert np.array_equal(picked, sample_items(sources, 200, 0))
