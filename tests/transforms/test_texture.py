"""Blur, noise and erasing take away what they say, and no more."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surefoot.transforms.texture import blur, erase, noise


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photos(num: int = 64, side: int = 32) -> Tensor:
    return torch.randint(0, 256, (num, 3, side, side), generator=generator(5), dtype=torch.uint8)


def test_blur_keeps_the_mean_and_takes_away_detail():
    images = photos()
    made = blur(images, generator())
    assert (made.double().mean((1, 2, 3)) - images.double().mean((1, 2, 3))).abs().max() < 0.1  # 3,072 rounded pixels
    detail = made.double().diff(dim=3).abs().mean((1, 2, 3)) / images.double().diff(dim=3).abs().mean((1, 2, 3))
    assert detail.max() <= 1
    assert detail.min() < 0.4


def test_blur_spreads_a_dot_by_at_most_a_pixel_of_32():
    dots = torch.zeros((200, 1, 32, 32), dtype=torch.uint8)
    dots[:, :, 16, 16] = 255
    made = blur(dots, generator()).double().squeeze(1)
    away = torch.arange(32).double() - 16
    sd = ((made.sum(1) * away**2).sum(1) / made.sum((1, 2))).sqrt()
    assert 0.8 < sd.max() < 1.1
    assert sd.min() < 0.1


def test_noise_has_the_spread_that_is_drawn_for_each_picture_and_no_drift():
    images = torch.full((300, 3, 32, 32), 128, dtype=torch.uint8)
    made = noise(images, generator()).double()
    sd = (made - 128).std((1, 2, 3))
    assert 18 < sd.max() < 21
    assert sd.min() < 2
    assert (made - 128).mean().abs() < 0.1


def test_erase_fills_one_rectangle_of_every_other_picture_with_its_mean():
    images = photos(400)
    made = erase(images, generator())
    holes = (made != images).any(1)
    areas = holes.float().mean((1, 2))
    assert 150 < int((areas > 0).sum()) < 250
    assert 0.25 < areas.max() < 0.4
    means = images.float().mean((2, 3)).round()
    for image, hole, mean in zip(made, holes, means, strict=True):
        if hole.any():
            rows, columns = hole.any(1).nonzero().flatten(), hole.any(0).nonzero().flatten()
            inside = image[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].flatten(1)
            assert torch.equal(inside.float(), mean[:, None].expand_as(inside))


@pytest.mark.parametrize("side", [1, 2, 5])
def test_tiny_pictures_survive(side):
    for change in (blur, noise, erase):
        assert change(photos(16, side), generator(), strength=2).shape == (16, 3, side, side)
