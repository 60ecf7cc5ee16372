"""What a net costs."""

from __future__ import annotations

import torch
from torch import nn

from surefoot.models.cost import count_flops, count_parameters


def test_flops_are_two_per_multiply_and_add_of_the_whole_batch():
    assert count_flops(nn.Linear(10, 7), (torch.randn(3, 10),)) == 2 * 3 * 10 * 7
    assert count_flops(nn.Conv2d(2, 5, 3, padding=1), (torch.randn(4, 2, 6, 6),)) == 2 * 4 * 5 * 2 * 9 * 36


def test_a_transformer_is_counted_also_where_gradients_are_off():
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    with torch.no_grad():
        assert count_flops(layer, (torch.randn(1, 5, 8),)) >= 2 * 5 * 8 * (4 * 8 + 2 * 16)


def test_counting_leaves_the_net_as_it_was():
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    net[2].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    count_flops(net, (torch.randn(8, 4),))
    assert [module.training for module in net] == [True, True, False]
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net[0].weight.grad is None


def test_one_item_is_enough_to_count_a_net_with_batch_norm():
    assert count_flops(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).train(), (torch.randn(1, 4),)) == 24


def test_frozen_parameters_are_not_counted():
    net = nn.Linear(3, 2)
    assert count_parameters(net) == 8
    net.weight.requires_grad_(False)
    assert count_parameters(net) == 2
