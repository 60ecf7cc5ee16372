"""The multilayer perceptron."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surefoot.models.mlp import MLP


@pytest.mark.parametrize("shape", [(14,), (3, 8, 8)])
def test_it_takes_rows_and_pictures(shape):
    assert MLP(shape, 5).eval()(torch.randn(3, *shape)).shape == (3, 5)


def test_width_depth_and_dropout_are_what_was_asked_for():
    net = MLP((14,), 5, width=20, depth=3, dropout=0.3)
    kinds = [type(module) for module in net.body]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout] * 3 + [nn.Linear]
    assert [module.out_features for module in net.body if isinstance(module, nn.Linear)] == [20, 20, 20, 5]
    assert {module.p for module in net.body if isinstance(module, nn.Dropout)} == {0.3}


def test_without_hidden_layers_it_is_linear():
    net = MLP((4,), 1, depth=0)
    assert [type(module) for module in net.body] == [nn.Linear]
    assert net.final is net.body[0]
