"""Boosting: a model that is a text, says the same from its text, and uses categories and gaps as what they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from surefoot.models.boosting import SEPARATOR, Rounds, fit_boosting, flatten, predict_boosting, raw_scores

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(400, 3)).astype(np.float32)
NUMBERS[RNG.random((400, 3)) < 0.1] = np.nan
CODES = RNG.integers(0, 6, (400, 2)).astype(np.int32)
INPUTS = (NUMBERS, CODES)
SIGNAL = np.nan_to_num(NUMBERS[:, 0]) + np.where(CODES[:, 0] % 2, 1.0, -1.0)  # odd and even codes: no threshold tells them apart
TASKS = {
    "binary": ((SIGNAL > 0).astype(np.int64), 2),
    "multiclass": (np.digitize(SIGNAL, [-1, 1]), 3),
    "multilabel": (np.stack([SIGNAL > 0, NUMBERS[:, 1] > 0], 1).astype(np.int64), 2),
    "regression": (SIGNAL[:, None] * 3 + 7, 0),
    "vector_regression": (np.stack([SIGNAL, np.nan_to_num(NUMBERS[:, 1])], 1), 0),
}


@pytest.fixture(scope="module")
def fitted() -> dict[str, tuple[str, int]]:
    return {task: fit_boosting(INPUTS, targets, task, num_classes, seed=0) for task, (targets, num_classes) in TASKS.items()}


# features


def test_fields_become_one_row_of_float32_with_codes_last():
    images = RNG.integers(0, 256, (4, 3, 2, 2), dtype=np.uint8)
    assert flatten((images,)).tolist() == images.reshape(4, 12).tolist()
    made = flatten(INPUTS)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, np.concatenate([NUMBERS, CODES.astype(np.float32)], 1))
    assert flatten((NUMBERS[:0], CODES[:0])).shape == (0, 5)


# round trips


@pytest.mark.parametrize("task", TASKS)
def test_the_model_is_a_text_that_says_the_same_when_read_back(fitted, task, tmp_path):
    text, _ = fitted[task]
    (tmp_path / "model.txt").write_bytes(text.encode())
    read = (tmp_path / "model.txt").read_bytes().decode()
    assert read == text
    np.testing.assert_array_equal(predict_boosting(read, INPUTS, task), predict_boosting(text, INPUTS, task))


@pytest.mark.parametrize("task", TASKS)
def test_outputs_have_the_shape_that_metrics_take(fitted, task):
    outputs = predict_boosting(fitted[task][0], INPUTS, task)
    width = {"binary": 2, "multiclass": 3, "multilabel": 2, "regression": 1, "vector_regression": 2}[task]
    assert outputs.shape == (400, width)
    assert outputs.dtype == np.float64
    if task in ("binary", "multiclass"):
        np.testing.assert_allclose(outputs.sum(1), 1)
    if task == "multilabel":
        assert ((outputs >= 0) & (outputs <= 1)).all()


@pytest.mark.parametrize(
    ("task", "link"),
    [
        ("binary", lambda raw: np.concatenate([expit(-raw), expit(raw)], 1)),
        ("multiclass", lambda raw: softmax(raw, 1)),
        ("multilabel", expit),
        ("regression", lambda raw: raw),
        ("vector_regression", lambda raw: raw),
    ],
)
def test_raw_scores_lead_to_the_outputs_over_the_link_of_the_task(fitted, task, link):
    text, _ = fitted[task]
    np.testing.assert_allclose(link(raw_scores(text, INPUTS)), predict_boosting(text, INPUTS, task), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("task", TASKS)
def test_a_row_gets_the_same_answer_alone_as_among_others(fitted, task):
    text, _ = fitted[task]
    alone = np.concatenate([predict_boosting(text, tuple(array[n : n + 1] for array in INPUTS), task) for n in range(5)])
    np.testing.assert_array_equal(alone, predict_boosting(text, INPUTS, task)[:5])


def test_several_outputs_are_several_models_in_one_text(fitted):
    assert len(fitted["multilabel"][0].split(SEPARATOR)) == 2
    assert len(fitted["vector_regression"][0].split(SEPARATOR)) == 2
    assert SEPARATOR not in fitted["multiclass"][0]


# fitting


@pytest.mark.parametrize("task", TASKS)
def test_it_learns_what_is_there_to_learn(fitted, task):
    targets, _ = TASKS[task]
    outputs = predict_boosting(fitted[task][0], INPUTS, task)
    if task in ("binary", "multiclass"):
        assert (outputs.argmax(1) == targets).mean() > 0.93
    elif task == "multilabel":
        assert ((outputs > 0.5) == targets).mean() > 0.93
    else:
        assert 1 - ((outputs - targets) ** 2).mean(0).max() / targets.var(0).min() > 0.9


def test_categories_are_told_apart_by_name_and_not_by_number():
    codes = np.tile(np.arange(20, dtype=np.int32), 50)[:, None]
    odd = (codes[:, 0] * 7 % 20 % 2).astype(np.int64)
    text, _ = fit_boosting((codes,), odd, "binary", 2, seed=0, rounds=Rounds(30, early=False))
    assert "num_cat=1" in text
    assert (predict_boosting(text, (codes,), "binary").argmax(1) == odd).all()


def test_a_gap_is_a_value_like_any_other():
    numbers = np.zeros((300, 1), np.float32)
    numbers[::3] = np.nan
    text, _ = fit_boosting((numbers,), np.isnan(numbers[:, 0]).astype(np.int64), "binary", 2, seed=0)
    assert (predict_boosting(text, (numbers,), "binary").argmax(1) == np.isnan(numbers[:, 0])).all()


def test_the_same_seed_gives_the_same_model():
    targets, classes = TASKS["multiclass"]
    fits = [fit_boosting(INPUTS, targets, "multiclass", classes, seed=seed, rounds=Rounds(10, early=False))[0] for seed in (3, 3)]
    assert fits[0] == fits[1]


def test_as_many_rounds_are_fitted_as_were_asked_for():
    targets, classes = TASKS["multiclass"]
    text, rounds = fit_boosting(INPUTS, targets, "multiclass", classes, seed=0, rounds=Rounds(7, early=False))
    assert rounds == 7
    assert text.count("\nTree=") == 7 * classes


def test_fitting_stops_early_where_nothing_can_be_learnt_and_the_text_holds_the_best_rounds():
    noise = np.random.default_rng(1).integers(0, 2, 400)
    text, rounds = fit_boosting(INPUTS, noise, "binary", 2, seed=0)
    assert rounds < 100
    assert text.count("\nTree=") == rounds


def test_a_class_that_no_row_has_gets_no_chance():
    text, _ = fit_boosting(INPUTS, TASKS["binary"][0], "multiclass", 3, seed=0, rounds=Rounds(5, early=False))
    assert predict_boosting(text, INPUTS, "multiclass")[:, 2].max() < 1e-6


def test_a_label_that_all_rows_share_is_said_of_all():
    targets = np.stack([np.ones(400), np.zeros(400)], 1).astype(np.int64)
    outputs = predict_boosting(fit_boosting(INPUTS, targets, "multilabel", 2, seed=0, rounds=Rounds(5, early=False))[0], INPUTS, "multilabel")
    assert outputs[:, 0].min() > 0.99
    assert outputs[:, 1].max() < 0.01


@pytest.mark.parametrize("rows", [2, 5, 99, 100])
def test_few_rows_are_enough(rows):
    inputs = tuple(array[:rows] for array in INPUTS)
    text, rounds = fit_boosting(inputs, np.arange(rows) % 2, "binary", 2, seed=0)
    assert rounds >= 1
    assert np.isfinite(predict_boosting(text, inputs, "binary")).all()


def test_pictures_are_learnt_too():
    labels = RNG.integers(0, 2, 200)
    images = RNG.integers(0, 100, (200, 1, 20, 20), dtype=np.uint8)
    images[labels == 1, :, 5:15, 5:15] += 100
    text, _ = fit_boosting((images,), labels, "binary", 2, seed=0, rounds=Rounds(20, early=False))
    assert (predict_boosting(text, (images,), "binary").argmax(1) == labels).mean() > 0.95
