"""The losses are PyTorch's, weighted as they say."""

import pytest
import torch
from torch.nn import functional as F

from surefoot.losses.classification import binary_cross_entropy, cross_entropy
from surefoot.losses.regression import huber, mae, mse
from surefoot.types.errors import UsageError

RANDOM = torch.Generator().manual_seed(0)
LOGITS = torch.randn(8, 3, generator=RANDOM)
CLASSES = torch.tensor([0, 1, 2, 2, 1, 0, 0, 1])
LABELS = (torch.rand(8, 3, generator=RANDOM) < 0.4).float()
NUMBERS = 2 * torch.randn(8, 3, generator=RANDOM)
WEIGHTS = torch.tensor([1.0, 2.0, 0.0, 1.0, 3.0, 1.0, 0.5, 1.0])
CLASS_WEIGHTS = torch.tensor([1.0, 2.0, 0.5])


def same(ours, theirs):
    assert ours.shape == ()
    torch.testing.assert_close(ours, theirs)


def test_cross_entropy_is_pytorchs():
    same(cross_entropy(LOGITS, CLASSES), F.cross_entropy(LOGITS, CLASSES))
    same(cross_entropy(LOGITS, CLASSES, label_smoothing=0.2), F.cross_entropy(LOGITS, CLASSES, label_smoothing=0.2))
    same(cross_entropy(LOGITS, CLASSES, class_weights=CLASS_WEIGHTS), F.cross_entropy(LOGITS, CLASSES, weight=CLASS_WEIGHTS))


def test_binary_cross_entropy_is_pytorchs():
    same(binary_cross_entropy(LOGITS, LABELS), F.binary_cross_entropy_with_logits(LOGITS, LABELS))
    same(binary_cross_entropy(LOGITS, LABELS, label_smoothing=0.2), F.binary_cross_entropy_with_logits(LOGITS, 0.8 * LABELS + 0.1))


@pytest.mark.parametrize(("ours", "theirs"), [(mse, F.mse_loss), (mae, F.l1_loss), (huber, F.huber_loss)])
def test_regression_losses_are_pytorchs(ours, theirs):
    same(ours(LOGITS, NUMBERS), theirs(LOGITS, NUMBERS))


@pytest.mark.parametrize(("loss", "targets"), [(cross_entropy, CLASSES), (binary_cross_entropy, LABELS), (mse, NUMBERS), (mae, NUMBERS), (huber, NUMBERS)])
def test_a_weight_of_two_is_an_item_twice(loss, targets):
    twice = torch.tensor([0, 1, 1, 3])
    weights = torch.tensor([1.0, 2.0, 0.0, 1.0])
    same(loss(LOGITS[:4], targets[:4], weights), loss(LOGITS[twice], targets[twice]))
    same(loss(LOGITS[:4], targets[:4], 10 * weights), loss(LOGITS[twice], targets[twice]))


@pytest.mark.parametrize(("loss", "targets"), [(cross_entropy, CLASSES), (binary_cross_entropy, LABELS), (mse, NUMBERS), (mae, NUMBERS), (huber, NUMBERS)])
def test_a_batch_without_weight_costs_nothing(loss, targets):
    logits = LOGITS.clone().requires_grad_()
    value = loss(logits, targets, torch.zeros(8))
    value.backward()
    assert value.item() == 0.0
    assert not logits.grad.any()


def test_item_and_class_weights_multiply():
    losses = F.cross_entropy(LOGITS, CLASSES, reduction="none")
    both = WEIGHTS * CLASS_WEIGHTS[CLASSES]
    same(cross_entropy(LOGITS, CLASSES, WEIGHTS, CLASS_WEIGHTS), (losses * both).sum() / both.sum())


def test_labels_have_weights_for_their_zeros_and_ones():
    table = torch.tensor([[1.0, 3.0], [1.0, 1.0], [0.5, 2.0]])
    cells = table[torch.arange(3), LABELS.long()] * WEIGHTS[:, None]
    losses = F.binary_cross_entropy_with_logits(LOGITS, LABELS, reduction="none")
    same(binary_cross_entropy(LOGITS, LABELS, WEIGHTS, table), (losses * cells).sum() / cells.sum())
    same(binary_cross_entropy(LOGITS, LABELS, class_weights=table[:1].expand(3, 2)), binary_cross_entropy(LOGITS, LABELS, class_weights=table[0]))


def test_zero_logits_cost_ln_k_under_any_weights_and_smoothing():
    value = cross_entropy(torch.zeros(8, 3), CLASSES, WEIGHTS, CLASS_WEIGHTS, 0.3)
    same(value, torch.tensor(3.0).log())


@pytest.mark.parametrize("loss", [binary_cross_entropy, mse, mae, huber])
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(UsageError, match=r"gives \(8, 1\) and the targets are \(8,\)"):
        loss(torch.zeros(8, 1), torch.zeros(8))


@pytest.mark.parametrize("loss", [mse, mae, huber])
def test_regression_takes_no_smoothing(loss):
    with pytest.raises(TypeError, match="label_smoothing"):
        loss(NUMBERS, NUMBERS, label_smoothing=0.1)


@pytest.mark.parametrize(("loss", "targets"), [(cross_entropy, CLASSES), (binary_cross_entropy, LABELS), (mse, NUMBERS)])
def test_half_precision_is_summed_in_float32(loss, targets):
    value = loss(LOGITS.bfloat16(), targets)
    assert value.dtype == torch.float32
    same(value, loss(LOGITS.bfloat16().float(), targets))


@pytest.mark.parametrize(("loss", "targets"), [(cross_entropy, CLASSES), (binary_cross_entropy, LABELS), (mse, NUMBERS), (huber, NUMBERS)])
def test_gradients_agree_with_finite_differences(loss, targets):
    targets = targets.double() if targets.is_floating_point() else targets
    logits = LOGITS.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, targets, WEIGHTS.double()), (logits,))
