"""The multilayer perceptron."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from surefoot.models.mlp import MLP


@pytest.mark.parametrize("shape", [(14,), (3, 8, 8)])
def test_it_takes_rows_and_pictures(shape):
    assert MLP(shape, 5).eval()(torch.randn(3, *shape)).shape == (3, 5)


def test_width_depth_and_dropout_are_what_was_asked_for():
    net = MLP((14,), 5, width=20, depth=3, dropout=0.3)
    assert [module.out_features for module in net.modules() if isinstance(module, nn.Linear)] == [20, 20, 20, 5]
    assert [module.p for module in net.modules() if isinstance(module, nn.Dropout)] == [0.3] * 3
    assert net.final.out_features == 5


def test_without_hidden_layers_it_is_linear():
    net = MLP((4,), 2, depth=0)
    x, y = torch.randn(3, 4), torch.randn(3, 4)
    torch.testing.assert_close(net(x + y), net(x) + net(y))


def test_the_loss_at_the_start_is_ln_k():
    torch.manual_seed(0)
    loss = F.cross_entropy(MLP((14,), 7)(torch.randn(70, 14)), torch.arange(70) % 7)
    assert loss.item() == pytest.approx(math.log(7), abs=0.02)


def test_items_of_a_batch_do_not_leak_into_each_other_in_eval_mode():
    net = MLP((14,), 5, dropout=0.5).eval()
    inputs = torch.randn(6, 14)
    torch.testing.assert_close(net(inputs), torch.cat([net(inputs[row : row + 1]) for row in range(6)]))
