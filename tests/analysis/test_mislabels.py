"""Which labels to doubt, how many are wrong, and what a person does about them."""

import csv
import io

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from surefoot.analysis.mislabels import are_surest_contradicted, count_wrong, doubt, is_seconded, mislabel_scores, review_minutes, suggest_repairs
from surefoot.data.predictions import save_predictions
from surefoot.data.readers.repairs import write_repairs
from surefoot.store.blobs import Blobs
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.error_reports import Mislabel
from surefoot.types.errors import UsageError
from surefoot.types.examples import Predictions
from surefoot.types.reports import BaselineReport, ModelScore, TuneReport


def said(targets, probs, **more):
    return Predictions(np.arange(len(targets)).astype(str), probs, targets, **more)


def test_a_doubtful_label_is_found_by_hand():
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.1, 0.9]])
    suspects = mislabel_scores(np.array([0, 0, 1, 1, 0]), probs)
    np.testing.assert_array_equal(suspects.rows, [4])
    np.testing.assert_allclose(suspects.scores, [0.1])
    np.testing.assert_array_equal(suspects.suggested, [1])


def test_an_unsure_model_accuses_nobody():
    assert len(mislabel_scores(np.array([0, 1, 0, 1]), np.full((4, 2), 0.5)).rows) == 0


def test_a_class_without_items_is_never_suggested():
    probs = np.array([[0.1, 0.3, 0.6], [0.2, 0.2, 0.6], [0.1, 0.5, 0.4]])
    assert 2 not in mislabel_scores(np.array([0, 0, 1]), probs).suggested


def test_labels_in_sets_are_refused():
    with pytest.raises(UsageError, match="one class"):
        mislabel_scores(np.zeros((2, 2), np.int64), np.zeros((2, 2)))


def probs_of(given):
    """Of ten neighbours, out of fold, for the digits with these labels."""
    return cross_val_predict(KNeighborsClassifier(10), load_digits().data / 16, given, cv=5, method="predict_proba")


def doubted(given):
    """Suspects among the digits with these labels."""
    return mislabel_scores(given, probs_of(given))


def plant(num=90):
    """Digits of which so many have another label."""
    truth, rng = load_digits().target, np.random.default_rng(0)
    flipped = rng.choice(len(truth), num, replace=False)
    given = truth.copy()
    given[flipped] = (truth[flipped] + rng.integers(1, 10, num)) % 10
    return truth, given, flipped


def test_planted_flips_in_real_digits_are_found():
    truth, given, flipped = plant()
    suspects = doubted(given)
    is_flip = np.isin(suspects.rows, flipped)
    assert is_flip.sum() >= 60
    assert is_flip.mean() >= 0.8
    assert (np.diff(suspects.scores) >= 0).all()
    assert (suspects.suggested[is_flip] == truth[suspects.rows[is_flip]]).mean() > 0.95


def test_clean_digits_are_left_alone():
    assert len(doubted(load_digits().target).rows) <= 8


def test_the_queue_puts_planted_flips_first():
    _, given, flipped = plant()
    is_flip = np.isin(np.arange(len(given)), flipped)
    scores = doubt(given, probs_of(given))
    assert roc_auc_score(is_flip, scores) >= 0.97
    assert is_flip[np.argsort(-scores)[: len(flipped)]].mean() >= 0.85


def test_the_share_of_wrong_labels_is_counted():
    truth, given, _ = plant()
    measured = count_wrong(said(given, probs_of(given)))
    assert measured.interval[0] <= 0.05 <= measured.interval[1]
    assert count_wrong(said(truth, probs_of(truth))).value < 0.01


def test_an_item_that_several_folds_speak_of_is_counted_once():
    _, given, _ = plant()
    once = said(given, probs_of(given))
    thrice = Predictions(np.tile(once.ids, 3), np.tile(once.outputs, (3, 1)), np.tile(once.targets, 3))
    first, again = count_wrong(once), count_wrong(thrice)
    assert (again.value, again.n) == (pytest.approx(first.value), first.n)
    assert again.interval == pytest.approx(first.interval)
    grouped = count_wrong(said(given, once.outputs, groups=np.arange(len(given)) // 10))
    assert np.ptp(grouped.interval) > 2.5 * np.ptp(first.interval)


def test_hard_data_has_easy_items_and_mixed_up_labels_have_none():
    rng = np.random.default_rng(0)
    for hard in (rng.random(1500), rng.beta(0.5, 0.5, 1500)):
        assert not are_surest_contradicted(said((rng.random(1500) < hard).astype(int), np.stack([1 - hard, hard], 1)))
    mixed = np.where(rng.random(1500) < 0.5, 0.2, 0.8)  # separable, and a fifth of the labels turned
    assert are_surest_contradicted(said((rng.random(1500) < mixed).astype(int), np.stack([1 - mixed, mixed], 1)))


@pytest.mark.parametrize(("shared", "agrees"), [(0.95, True), (0.5, False)])
def test_a_model_of_another_kind_seconds_what_labels_contradict(tmp_path, shared, agrees):
    """Both models are right on two labels of three. Where labels are wrong both say the same; where both know too little each errs in its own way."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 900)
    own = np.where(rng.random(900) < shared, truth, rng.integers(0, 4, 900))
    store, val = Blobs(tmp_path), said(truth, np.eye(4)[truth])
    refs = [save_predictions(store, said(truth, np.eye(4)[preds])) for preds in (np.zeros(900, int), own, truth)]
    majority, linear, net = (ModelScore(value=0.67, predictions=ref) for ref in refs)
    baseline = BaselineReport(models={"majority": majority, "linear": linear}, best="linear", trivial="majority")
    tune = TuneReport(winner="net", val=net, net=net, weights=(), model=ModelConfig(), train=TrainConfig(), epochs=1, best_epoch=1)
    assert is_seconded(store, tune, baseline, val) == agrees


def test_a_sure_model_beside_an_unsure_one_does_not_make_the_unsure_one_doubt():
    """Bars are set for each model apart: the second knows less, and is not taken to accuse."""
    targets = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    sure = np.eye(2)[[0, 1, 0, 1]] * 0.96 + 0.02
    unsure = np.eye(2)[[0, 1, 0, 1]] * 0.1 + 0.45
    probs, parts = np.concatenate([sure, unsure]), np.repeat([0, 1], 4)
    assert len(mislabel_scores(targets, probs, parts).rows) == 0
    assert count_wrong(said(targets, probs, folds=parts)).value == 0.0


def test_the_review_is_a_repairs_file_and_has_its_price():
    one = Mislabel(id="a-0", given="cat", suggested="dog", score=0.02, place="pets/cat/1.png")
    (row,) = csv.DictReader(io.StringIO(write_repairs(suggest_repairs([one])).decode()))
    assert {name: row[name] for name in ("place", "id", "action", "value")} == {"place": "pets/cat/1.png", "id": "a-0", "action": "relabel", "value": "dog"}
    assert row["reason"]
    assert review_minutes(120) == pytest.approx(10)
