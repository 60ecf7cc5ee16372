"""Weights to the store and back, also where two names share one tensor."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from surefoot.engine.weights import load_weights, save_weights
from surefoot.store.blobs import Blobs


def test_a_net_that_uses_a_layer_twice_is_stored_and_comes_back(tmp_path: Path) -> None:
    store, twice = Blobs(tmp_path), nn.Linear(3, 3)
    ref, other = save_weights(store, nn.Sequential(twice, twice)), nn.Linear(3, 3)
    network = nn.Sequential(other, other)
    load_weights(store, ref, network)
    assert torch.equal(network[0].weight, twice.weight)
    assert network[0].weight is network[1].weight
