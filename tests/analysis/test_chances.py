"""Probs of a net with class weights, and the chances that they come from."""

from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.analysis.chances import find_chances
from surefoot.analysis.mislabels import mislabel_scores
from surefoot.engine.predict import activate
from surefoot.losses import balanced_weights
from surefoot.types.configs import TrainConfig
from surefoot.types.examples import Predictions

CASES = [("binary", {"class_weights": "balanced"}), ("binary", {"sampling": "balanced"}), ("multiclass", {"class_weights": "balanced"})]


def make(task, settings, num=20_000):
    """Items whose classes are drawn by known chances, the rare class one in twenty, and the logits that cost least when classes weigh as the settings say."""
    draw = np.random.default_rng(0)
    rare = draw.random(num) < 0.05
    far = draw.normal(size=num) + 3.0 * rare  # its log odds are then 3 x - 4.5 + ln(0.05 / 0.95), by Bayes
    odds = 3 * far - 4.5 + np.log(0.05 / 0.95)
    true = np.stack([np.zeros(num), odds], 1) if task == "multiclass" else odds[:, None]
    targets = rare.astype(np.int64)
    problem = SimpleNamespace(task=task, classes=("usual", "rare"), num_outputs=true.shape[1])
    weights = balanced_weights(task, targets, problem.num_outputs)
    moved = true + (np.log(weights) if task == "multiclass" else np.log(weights[:, 1] / weights[:, 0]))
    examples = SimpleNamespace(plain_targets=lambda rows: targets[rows])
    desk = SimpleNamespace(problem=problem, examples=examples, folds=[SimpleNamespace(train=np.arange(num))])
    tune = SimpleNamespace(is_evened=True, train=TrainConfig(**settings), temperature=1.5)
    said = Predictions(np.arange(num).astype(str), activate(problem, moved, 1.5), targets, logits=moved)
    return desk, tune, said, activate(problem, true)


@pytest.mark.parametrize(("task", "settings"), CASES)
def test_the_chances_behind_evened_probs_are_found(task, settings):
    desk, tune, said, true = make(task, settings)
    found, temperature = find_chances(desk, tune, said)
    assert temperature == pytest.approx(1.0, abs=0.05)
    assert np.abs(found.outputs - true).max() < 0.03
    assert np.abs(said.outputs - true).max() > 0.3


def test_fewer_clean_labels_are_in_doubt_once_class_weights_are_undone():
    desk, tune, said, true = make(*CASES[0])
    found, _ = find_chances(desk, tune, said)
    doubted, by_truth, before = (len(mislabel_scores(said.targets, probs).rows) for probs in (found.outputs, true, said.outputs))
    assert doubted == pytest.approx(by_truth, rel=0.1)
    assert before > 1.5 * doubted


def test_probs_of_a_winner_without_class_weights_stay_as_they_are():
    desk, _, said, _ = make(*CASES[0])
    assert find_chances(desk, SimpleNamespace(is_evened=False, temperature=1.5), said) == (said, 1.5)
