"""Views of a picture: averaged when the net is asked, not when it learns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from surefoot.models.build import build
from surefoot.models.views import Views
from surefoot.types import FieldSpec, ModelConfig
from surefoot.types.errors import ConfigError

IMAGE = (FieldSpec(name="image", shape=(1, 4, 4), dtype="float32"),)


class Corner(nn.Module):
    """Says what stands in the upper left corner."""

    def forward(self, x):
        return x[:, :, 0, 0]


def test_a_net_says_the_mean_over_its_views_once_it_is_trained():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    said = {kind: float(Views(Corner(), kind).eval()(x)) for kind in ("flip", "shift", "flip_shift")}
    assert said == {"flip": (0 + 3) / 2, "shift": pytest.approx((0 + 0 + 5) / 3), "flip_shift": pytest.approx((0 + 3 + 0 + 2 + 5 + 7) / 6)}
    assert float(Views(Corner(), "flip").train()(x)) == 0


def test_views_come_with_the_net_that_the_settings_ask_for_and_keep_its_last_layer_known():
    net = build(ModelConfig(views="flip"), IMAGE, 3)
    assert isinstance(net, Views)
    assert isinstance(net.final, nn.Linear)
    assert not isinstance(build(ModelConfig(), IMAGE, 3), Views)


def test_a_table_has_no_views():
    with pytest.raises(ConfigError, match="Only pictures have views"):
        build(ModelConfig(views="flip"), (FieldSpec(name="numeric", shape=(3,), dtype="float32"),), 3)
