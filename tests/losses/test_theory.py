"""What a loss must be before the first step, checked against the losses themselves."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from surefoot import losses
from surefoot.losses.classification import binary_cross_entropy, cross_entropy
from surefoot.losses.regression import mse
from surefoot.losses.theory import balanced_weights, class_shares, expected_at_init, prior_bias, prior_shift

CLASSES = np.repeat([0, 1, 2, 3], [50, 30, 15, 5])
LABELS = (np.random.default_rng(0).random((200, 3)) < [0.1, 0.5, 0.8]).astype(np.int64)


def test_zero_logits_cost_ln_k():
    value, theory = expected_at_init("multiclass", None, 10)
    assert value == pytest.approx(np.log(10))
    assert "ln 10" in theory
    assert expected_at_init("binary", None, 1)[0] == pytest.approx(np.log(2))
    assert expected_at_init("multilabel", None, 7)[0] == pytest.approx(np.log(2))


def test_standardised_targets_cost_their_variance():
    assert expected_at_init("regression", None, 1)[0] == 1.0
    targets = np.array([[1.0, 0.0], [-3.0, 2.0]])
    assert expected_at_init("vector_regression", targets, 2)[0] == pytest.approx(14 / 4)
    assert expected_at_init("vector_regression", targets, 2)[0] == pytest.approx(float(mse(torch.zeros(2, 2), torch.tensor(targets))))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("is_balanced", [False, True])
@pytest.mark.parametrize("has_prior", [False, True])
def test_softmax_theory_is_what_the_loss_gives(smoothing, is_balanced, has_prior):
    weights = balanced_weights("multiclass", CLASSES, 4) if is_balanced else None
    prior = class_shares("multiclass", CLASSES, 4) if has_prior else None
    bias = prior_bias("multiclass", CLASSES, 4) if has_prior else np.zeros(4)
    logits = torch.tensor(bias).expand(len(CLASSES), 4)
    given = None if weights is None else torch.tensor(weights)
    loss = cross_entropy(logits, torch.tensor(CLASSES), class_weights=given, label_smoothing=smoothing)
    due, _ = expected_at_init("multiclass", prior, 4, label_smoothing=smoothing, class_weights=weights)
    assert float(loss) == pytest.approx(due, abs=1e-9)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("is_balanced", [False, True])
@pytest.mark.parametrize("has_prior", [False, True])
def test_sigmoid_theory_is_what_the_loss_gives(smoothing, is_balanced, has_prior):
    weights = balanced_weights("multilabel", LABELS, 3) if is_balanced else None
    prior = class_shares("multilabel", LABELS, 3) if has_prior else None
    bias = prior_bias("multilabel", LABELS, 3) if has_prior else np.zeros(3)
    logits = torch.tensor(bias).expand(len(LABELS), 3)
    given = None if weights is None else torch.tensor(weights)
    loss = binary_cross_entropy(logits, torch.tensor(LABELS, dtype=torch.float64), class_weights=given, label_smoothing=smoothing)
    due, _ = expected_at_init("multilabel", prior, 3, label_smoothing=smoothing, class_weights=weights)
    assert float(loss) == pytest.approx(due, abs=1e-9)


def test_a_prior_bias_costs_the_entropy_of_the_shares():
    prior = np.array([0.5, 0.25, 0.25])
    assert expected_at_init("multiclass", prior, 3)[0] == pytest.approx(1.5 * np.log(2))
    assert expected_at_init("binary", np.array([0.25]), 1)[0] == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)))


def test_the_softmax_bias_is_the_centred_log_prior():
    bias = prior_bias("multiclass", CLASSES, 4)
    assert bias.mean() == pytest.approx(0.0)
    np.testing.assert_allclose(np.exp(bias) / np.exp(bias).sum(), [0.5, 0.3, 0.15, 0.05])


def test_the_sigmoid_bias_is_the_logit_of_the_prior():
    np.testing.assert_allclose(prior_bias("binary", np.array([1, 0, 0, 0]), 1), [np.log(1 / 3)])
    np.testing.assert_allclose(prior_bias("binary", np.array([[1.0], [0.0], [0.0], [0.0]]), 1), [np.log(1 / 3)])


def test_the_regression_bias_is_the_mean_target():
    np.testing.assert_allclose(prior_bias("vector_regression", np.array([[1.0, 4.0], [3.0, 8.0]]), 2), [2.0, 6.0])


def test_a_class_without_items_has_a_finite_bias():
    assert np.isfinite(prior_bias("multiclass", np.array([0, 0, 1]), 3)).all()
    assert prior_bias("binary", np.zeros(5), 1)[0] == pytest.approx(np.log(0.1 / 0.9))


def test_balanced_weights_agree_with_scikit_learn():
    np.testing.assert_allclose(balanced_weights("multiclass", CLASSES, 4), compute_class_weight("balanced", classes=np.arange(4), y=CLASSES))
    ours = balanced_weights("multilabel", LABELS, 3)
    for j in range(3):
        np.testing.assert_allclose(ours[j], compute_class_weight("balanced", classes=np.arange(2), y=LABELS[:, j]))


def test_balanced_weights_ignore_a_class_without_items():
    np.testing.assert_allclose(balanced_weights("multiclass", np.array([0, 0, 2]), 3), [0.75, 0.0, 1.5])
    np.testing.assert_allclose(balanced_weights("binary", np.zeros(4), 1), [[1.0, 0.0]])


def test_losses_are_found_by_name(tmp_path):
    assert losses.get("cross_entropy") is cross_entropy
    (tmp_path / "mine.py").write_text("def cubed(outputs, targets, weights=None):\n    return ((outputs - targets).abs() ** 3).mean()\n")
    assert float(losses.get("mine:cubed", tmp_path)(torch.zeros(2, 1), torch.full((2, 1), 2.0))) == 8.0


@pytest.mark.parametrize(("task", "targets", "num"), [("multiclass", CLASSES, 4), ("multilabel", LABELS, 3), ("binary", LABELS[:, 0], 1)])
def test_even_weights_move_the_prior_to_even_odds(task, targets, num):
    moved = prior_bias(task, targets, num) + prior_shift(task, targets, num, is_weighted=True, is_drawn_evenly=False)
    assert np.ptp(moved) == pytest.approx(0.0, abs=1e-9)
    assert num > 1 or moved == pytest.approx(0.0, abs=1e-9)
    assert not prior_shift(task, targets, num, is_weighted=False, is_drawn_evenly=False).any()


def test_drawing_evenly_moves_as_much_as_weighing_evenly_and_a_class_that_never_occurs_not_at_all():
    by_draw, by_both = (prior_shift("multiclass", CLASSES, 5, is_weighted=weighted, is_drawn_evenly=True) for weighted in (False, True))
    assert np.exp(by_draw[3] - by_draw[0]) == pytest.approx(10.0)  # 50 items against 5
    assert by_both == pytest.approx(2 * by_draw)
    assert by_draw[4] == 0
