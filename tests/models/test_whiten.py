"""The first layer that is fitted instead of trained: patches without correlation, and nothing to compute on the way back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from surefoot.models.convnet import ConvNet
from surefoot.models.cost import count_flops, count_training_flops
from surefoot.models.notation import describe
from surefoot.models.whiten import Whiten
from surefoot.types.errors import ConfigError


def smooth_pictures(num: int = 200, channels: int = 3) -> torch.Tensor:
    """Neighbouring pixels go together, as in photos."""
    noise = torch.randn(num, channels, 20, 20, generator=torch.Generator().manual_seed(0))
    smooth = F.avg_pool2d(noise, 5, stride=1)
    return smooth / smooth.std()


def fitted(kernel: int = 3, channels: int = 3, out: int = 20) -> tuple[Whiten, torch.Tensor]:
    layer, pictures = Whiten(channels, out, kernel, 1, 0), smooth_pictures(channels=channels)
    layer.fit(pictures)
    return layer, pictures


def test_what_the_filters_say_is_uncorrelated_and_of_variance_one():
    layer, pictures = fitted()
    said = layer(pictures)[:, :10].movedim(1, 0).flatten(1).detach()
    covariance = torch.cov(said)
    assert torch.allclose(covariance - torch.diag(covariance.diagonal()), torch.zeros(10, 10), atol=1e-3)
    assert bool((covariance.diagonal() > 0.5).all())
    assert bool((covariance.diagonal() < 1.001).all())


def test_each_filter_comes_with_its_negative():
    layer, _ = fitted()
    assert torch.equal(layer.weight[:10], -layer.weight[10:])


def test_the_leading_directions_are_kept():
    layer, pictures = fitted(kernel=3, channels=1, out=4)
    patches = F.unfold(pictures, 3).transpose(1, 2).flatten(0, 1)
    leading = np.linalg.svd((patches - patches.mean(0)).numpy(), full_matrices=False)[2][0]
    first = layer.weight[0].flatten().numpy()
    assert abs(leading @ first) / np.linalg.norm(first) == pytest.approx(1, abs=1e-4)


def test_noise_is_not_blown_up():
    layer = Whiten(1, 18, 3, 1, 0)
    layer.fit(torch.ones(10, 1, 8, 8))
    assert bool(torch.isfinite(layer.weight).all())
    assert float(layer.weight.abs().max()) < 15


def test_nothing_of_it_is_trained_and_nothing_is_computed_for_it_on_the_way_back():
    torch.manual_seed(0)
    frozen, learned = (ConvNet((3, 16, 16), 5, f"{first}5-8 -> RELU -> CONV3-8 -> RELU -> GAP -> FC") for first in ("WHITEN", "CONV"))
    picture = (torch.randn(1, 3, 16, 16),)
    assert frozen.body[0].weight.requires_grad is False
    assert count_flops(frozen, picture) == count_flops(learned, picture)
    forward = {row.name: row.flops for row in describe(frozen.layers, (3, 16, 16), 5)}
    saved = count_training_flops(learned, picture) - count_training_flops(frozen, picture)
    assert saved == forward["WHITEN5-8"] + forward["CONV3-8"]  # its own weights' gradients, and those of what it says


def test_channels_that_are_left_open_fit_the_patch():
    assert [describe("WHITEN3 -> GAP -> FC", (1, 9, 9), 5, width)[1].name for width in (7, 64)] == ["WHITEN3-6", "WHITEN3-18"]


@pytest.mark.parametrize(
    ("layers", "match"),
    [
        ("WHITEN3-20 -> FC", r"WHITEN3-20 asks for 20 channels: its filters come in pairs, 9 of them at most for a patch of 3x3x1"),
        ("WHITEN3-7 -> FC", r"WHITEN3-7 asks for 7 channels: its filters come in pairs"),
        ("CONV3-8 -> WHITEN3-8 -> FC", r"WHITEN3-8 is fitted to the pixels, and here it is given something else"),
        ("WHITEN64 -> FC", r"WHITEN64 asks for a kernel of 64x64"),
    ],
)
def test_what_can_not_be_fitted_is_refused(layers, match):
    with pytest.raises(ConfigError, match=match):
        describe(layers, (1, 9, 9), 5)
