"""Probs of a net with class weights, and the chances that they come from."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from surefoot.analysis.calibration import fit_chances
from surefoot.analysis.chances import find_chances, find_outside_chances
from surefoot.analysis.mislabels import mislabel_scores
from surefoot.engine.jobs import measure_shift
from surefoot.engine.predict import activate
from surefoot.losses import balanced_weights
from surefoot.losses.classification import binary_cross_entropy
from surefoot.types.configs import TrainConfig
from surefoot.types.examples import Predictions

WEIGHTED = {"class_weights": "balanced"}
CASES = [("binary", WEIGHTED), ("binary", {"sampling": "balanced"}), ("multiclass", WEIGHTED)]


def make(task, settings, *, sureness=1.0, shares=(0.05,), num=80_000):
    """Items whose classes are drawn by known chances, and the logits that cost least when classes weigh as the settings say.

    Args:
        sureness: what these logits are multiplied by, as those of a net that learnt by heart are. shares: of the rare class, one for each fold.
    """
    draw = np.random.default_rng(0)
    folds = np.arange(num) % len(shares)
    share = np.asarray(shares)[folds]
    rare = draw.random(num) < share
    far = draw.normal(size=num) + 3.0 * rare  # its log odds are then 3 x - 4.5 + ln(share / (1 - share)), by Bayes
    odds = 3 * far - 4.5 + np.log(share / (1 - share))
    true = np.stack([np.zeros(num), odds], 1) if task == "multiclass" else odds[:, None]
    targets = rare.astype(np.int64)
    problem = SimpleNamespace(task=task, classes=("usual", "rare"), num_outputs=true.shape[1])
    parts, moved = [SimpleNamespace(train=np.flatnonzero(folds == fold)) for fold in range(len(shares))], true.copy()
    for part in parts:
        weights = balanced_weights(task, targets[part.train], problem.num_outputs)
        moved[part.train] += np.log(weights) if task == "multiclass" else np.log(weights[:, 1] / weights[:, 0])
    desk = SimpleNamespace(problem=problem, examples=SimpleNamespace(plain_targets=lambda rows: targets[rows]), folds=parts)
    tune = SimpleNamespace(is_evened=True, train=TrainConfig(**settings), temperature=1.5)
    moved *= sureness
    said = Predictions(np.arange(num).astype(str), activate(problem, moved, 1.5), targets, logits=moved, folds=folds)
    return desk, tune, said, activate(problem, true)


@pytest.mark.parametrize("sureness", [1.0, 2.0])
@pytest.mark.parametrize(("task", "settings"), CASES)
def test_the_chances_behind_evened_probs_are_found_however_sure_the_net_is(task, settings, sureness):
    """With the shift taken off before the temperature, half of it stayed in the probs of a net that is twice too sure."""
    desk, tune, said, true = make(task, settings, sureness=sureness)
    found = find_chances(desk, tune, said)
    assert np.abs(found.outputs - true).max() < 0.03
    assert np.abs(said.outputs - true).max() > 0.3


def test_each_folds_chances_are_found_by_its_own_train_rows():
    """Rows in groups, or in time: 2 % of one fold's train rows are rare, and 20 % of the other's."""
    desk, tune, said, true = make(*CASES[0], shares=(0.02, 0.2))
    found = find_chances(desk, tune, said)
    assert np.abs(found.outputs - true).max() < 0.03


def test_chances_of_a_net_that_weighed_by_batches_are_as_many_as_rare_items():
    """Its loss is divided by the weights of each batch, and one with a rare item has more of them: less than ln(91 / 9) is there to be taken off."""
    draw = np.random.default_rng(0)
    rare = draw.random(8_000) < 0.09
    inputs = torch.from_numpy(draw.normal(size=(8_000, 2)) + 1.5 * rare[:, None]).float()
    targets, train, held_out = rare.astype(np.int64), np.arange(4_000), np.arange(4_000, 8_000)
    weights = torch.from_numpy(balanced_weights("binary", targets[train], 1)).float()
    torch.manual_seed(0)
    layer, labels = torch.nn.Linear(2, 1), torch.from_numpy(targets).float()[:, None]
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, 2_000)
    for _ in range(2_000):
        rows = torch.randint(0, 4_000, (16,))
        optimizer.zero_grad()
        binary_cross_entropy(layer(inputs[rows]), labels[rows], class_weights=weights).backward()
        optimizer.step()
        schedule.step()
    logits = layer(inputs[held_out]).detach().numpy()
    problem = SimpleNamespace(task="binary", classes=("usual", "rare"), num_outputs=1)
    desk = SimpleNamespace(problem=problem, examples=SimpleNamespace(plain_targets=lambda rows: targets[rows]), folds=[SimpleNamespace(train=train)])
    tune = SimpleNamespace(is_evened=True, train=TrainConfig(class_weights="balanced", batch_size=16), temperature=1.0)
    said = Predictions(held_out.astype(str), activate(problem, logits), targets[held_out], logits=logits)
    found = find_chances(desk, tune, said)
    temperature, share = fit_chances(logits, measure_shift(desk, train, tune.train), said.targets, "binary")
    assert found.outputs[:, 1].mean() == pytest.approx(targets[held_out].mean(), abs=0.01)
    assert temperature == pytest.approx(1.0, abs=0.2)
    assert 0.7 < share < 0.95


def test_fewer_clean_labels_are_in_doubt_once_class_weights_are_undone():
    desk, tune, said, true = make(*CASES[0])
    found = find_chances(desk, tune, said)
    doubted, by_truth, before = (len(mislabel_scores(said.targets, probs).rows) for probs in (found.outputs, true, said.outputs))
    assert doubted == pytest.approx(by_truth, rel=0.1)
    assert before > 1.5 * doubted


def test_probs_of_a_winner_without_class_weights_stay_as_they_are():
    desk, _, said, _ = make(*CASES[0])
    assert find_chances(desk, SimpleNamespace(is_evened=False, temperature=1.5), said) is said


@pytest.mark.parametrize("is_evened", [True, False])
def test_models_that_have_not_seen_the_items_get_a_temperature_and_a_share_of_their_own(is_evened):
    """Half of the shift, three times too sure; the winner's temperature and share were applied to them."""
    desk, tune, said, true = make(*CASES[0])
    even, rows = np.log(true[:, 1:] / true[:, :1]), np.arange(len(true))
    parts, tune.is_evened = rows % 2, is_evened
    logits = 3 * (even + 0.5 * (said.logits - even) * is_evened)
    assert np.abs(find_outside_chances(desk, tune, rows, logits, parts) - true).max() < 0.03
