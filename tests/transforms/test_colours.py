"""Light and colour: what each change leaves alone is as certain as what it changes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surefoot.transforms.colours import brighten, brightness, colour, contrast, find_light, grey, invert, recolour, set_contrast


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photos(num: int = 64, channels: int = 3) -> Tensor:
    """Not near black or white, so that nothing is cut off."""
    return torch.randint(90, 160, (num, channels, 12, 10), generator=generator(5), dtype=torch.uint8)


def test_black_and_white_swapped_twice_is_the_picture_itself():
    images = photos()
    once = invert(images, generator(), strength=2)
    assert torch.equal(once, 255 - images)
    assert torch.equal(invert(once, generator(), strength=2), images)


def test_half_of_the_pictures_are_inverted_and_a_fifth_loses_its_colour():
    images = photos(1000)
    assert 430 < int((invert(images, generator()) != images).flatten(1).any(1).sum()) < 570
    assert 150 < int((grey(images, generator()) != images).flatten(1).any(1).sum()) < 250


def test_a_picture_without_colour_has_three_equal_channels_and_keeps_its_light():
    images = photos()
    made = grey(images, generator(), strength=2)
    changed = made[(made != images).flatten(1).any(1)]
    assert len(changed) > 10
    assert torch.equal(changed[:, 0], changed[:, 1])
    assert (find_light(made) - find_light(images)).abs().max() < 0.51


def test_brightness_multiplies_each_picture_by_one_factor_within_its_bounds():
    images = photos(200)
    factors = brightness(images, generator()).double().mean((1, 2, 3)) / images.double().mean((1, 2, 3))
    assert factors.min() == pytest.approx(0.6, abs=0.03)
    assert factors.max() == pytest.approx(1.4, abs=0.03)
    assert torch.equal(brighten(images, torch.full((200,), 0.5))[3], (images[3] * 0.5).round().to(torch.uint8))


def test_contrast_keeps_the_mean_grey():
    images = photos(100)
    made = contrast(images, generator())
    assert (find_light(made).mean((1, 2, 3)) - find_light(images).mean((1, 2, 3))).abs().max() < 0.3
    spread = made.double().std((1, 2, 3)) / images.double().std((1, 2, 3))
    assert spread.max() > 1.2
    assert spread.min() < 0.8
    flat = set_contrast(images, torch.zeros(100)).flatten(1)
    assert torch.equal(flat.amin(1), flat.amax(1))


def test_colour_keeps_the_light_and_full_turns_keep_the_picture():
    images = photos(100)
    made = colour(images, generator())
    assert (find_light(made) - find_light(images)).abs().max() < 1.2  # each channel is rounded
    assert not torch.equal(made, images)
    whole = recolour(images, torch.ones(100), torch.full((100,), 2 * torch.pi))
    assert torch.equal(whole, images)


def test_no_saturation_is_grey_and_a_third_of_a_turn_makes_red_green():
    red = torch.zeros((1, 3, 1, 1), dtype=torch.uint8)
    red[:, 0] = 120
    assert recolour(red, torch.zeros(1), torch.zeros(1)).flatten().tolist() == [36, 36, 36]  # 0.299 of 120
    turned = recolour(red, torch.ones(1), torch.tensor([-2 * torch.pi / 3])).flatten().tolist()
    assert turned.index(max(turned)) == 1 or recolour(red, torch.ones(1), torch.tensor([2 * torch.pi / 3])).flatten().argmax() == 1


@pytest.mark.parametrize("change", [colour, grey])
def test_pictures_without_colour_are_left_as_they_are(change):
    images = photos(channels=1)
    assert torch.equal(change(images, generator(), strength=2), images)
