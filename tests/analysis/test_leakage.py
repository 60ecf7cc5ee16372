"""Columns that give the target away are found, whatever they hold, and healthy ones are not."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.analysis.leakage import THRESHOLD, score_columns

NUM = 5_000


def score(column: np.ndarray, targets: np.ndarray, *, is_classification: bool) -> float:
    return score_columns({"column": column}, targets.astype(float), is_classification=is_classification, seed=0)["column"]


def words(codes: np.ndarray) -> np.ndarray:
    return np.asarray([f"unit {code * 7_919 % 10_007:05}" for code in codes.tolist()], object)


@pytest.mark.parametrize("classes", [2, 7, 0])
def test_two_hundred_names_that_each_decide_the_target_give_it_away(classes):
    """Of amounts (no classes) too: their order in the alphabet has nothing to do with what they say."""
    draw = np.random.default_rng(0)
    names = np.repeat(np.arange(200), 25)
    told = draw.integers(0, classes, 200) if classes else draw.normal(size=200)
    assert score(words(names), told[names], is_classification=bool(classes)) >= THRESHOLD
    other = draw.permutation(told[names])
    assert score(words(names), other, is_classification=bool(classes)) < 0.1


def test_beginnings_of_words_that_each_stand_once_give_the_target_away():
    ill = np.random.default_rng(0).random(NUM) < 0.5
    codes = np.asarray([f"{'AB'[int(one)]}{number:05}" for number, one in enumerate(ill)], object)
    assert score(codes, ill, is_classification=True) >= THRESHOLD


def test_words_that_stand_once_or_twice_and_healthy_categories_give_nothing_away():
    draw = np.random.default_rng(0)
    ill = draw.random(NUM) < 0.5
    assert score(words(np.arange(NUM)), ill, is_classification=True) < 0.1
    twice = np.arange(NUM) // 2
    assert score(words(twice), ill[twice * 2], is_classification=True) < 0.5  # a table that was written down twice
    job = draw.integers(0, 12, NUM)
    risk = draw.random(12)
    assert score(words(job), draw.random(NUM) < risk[job], is_classification=True) < 0.8


def test_missing_words_are_a_word_of_their_own():
    ill = np.random.default_rng(0).random(NUM) < 0.5
    assert score(np.where(ill, None, "seen"), ill, is_classification=True) >= THRESHOLD
