"""Augmentations keep what a picture is: what all of them hold to, and those that change only where it stands."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.transforms.augment import affine, crop, flip, none, perspective, rotate, scale, shift

ALL = {name: refs.resolve(name, kind="augmentation") for name in PARTS["augmentation"]}
CHANGING = sorted(set(ALL) - {"none"})
MOVING = ["none", "shift", "flip", "shift_flip", "affine", "affine_flip", "crop", "rotate", "scale", "perspective"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, shape, generator=generator(seed), dtype=torch.uint8)


def dots(count: int, height: int, width: int, row: int, column: int) -> Tensor:
    images = torch.zeros((count, 1, height, width), dtype=torch.uint8)
    images[:, 0, row, column] = 255
    return images


@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (4, 3, 32, 20), (1, 3, 1, 1), (3, 2, 7, 50)])
@pytest.mark.parametrize("name", ALL)
def test_shape_and_kind_of_the_pictures_are_kept(name, shape):
    images = noise(*shape)
    before = images.clone()
    made = ALL[name](images, generator())
    assert made.shape == images.shape
    assert made.dtype == torch.uint8
    assert torch.equal(images, before)  # and those that were given are not changed


@pytest.mark.parametrize("name", ALL)
def test_the_same_generator_gives_the_same_pictures(name):
    images = noise(16, 3, 20, 20)
    assert torch.equal(ALL[name](images, generator(3)), ALL[name](images, generator(3)))
    if name != "none":
        assert not torch.equal(ALL[name](images, generator(3)), ALL[name](images, generator(4)))
        assert not torch.equal(ALL[name](images, generator(3)), images)


@pytest.mark.parametrize("name", CHANGING)
def test_strength_0_changes_nothing_and_more_strength_changes_more(name):
    images = noise(64, 3, 24, 24)
    assert torch.equal(ALL[name](images, generator(), strength=0.0), images)
    changed = [(ALL[name](images, generator(), strength=strength).int() - images).abs().float().mean() for strength in (0.3, 2.0)]
    assert 0 <= changed[0] < changed[1]


@pytest.mark.parametrize("name", CHANGING)
def test_what_happens_to_a_picture_does_not_depend_on_the_others(name):
    images = noise(12, 3, 20, 20)
    others = noise(12, 3, 20, 20, seed=9)
    others[5] = images[5]
    assert torch.equal(ALL[name](images, generator())[5], ALL[name](others, generator())[5])


@pytest.mark.parametrize("name", [*MOVING, "colour", "grey", "blur", "contrast", "erase"])
def test_a_blank_picture_stays_blank(name):
    images = torch.full((8, 3, 15, 11), 77, dtype=torch.uint8)
    assert torch.equal(ALL[name](images, generator()), images)


@pytest.mark.parametrize("name", CHANGING)
def test_each_picture_has_a_draw_of_its_own(name):
    images = noise(1, 3, 20, 20).expand(32, -1, -1, -1)
    assert len({bytes(image.flatten().tolist()) for image in ALL[name](images, generator())}) > 1


def test_none_leaves_pictures_alone():
    images = noise(2, 1, 5, 5)
    assert none(images, generator()) is images


@pytest.mark.parametrize(("height", "width"), [(40, 40), (30, 57), (28, 28)])
def test_shift_moves_by_at_most_a_tenth_in_every_direction(height, width):
    made = shift(dots(400, height, width, height // 2, width // 2), generator())
    at = made.nonzero()
    assert len(at) == 400  # the dot is neither lost nor doubled
    rows, columns = at[:, 2] - height // 2, at[:, 3] - width // 2
    assert {int(rows.min()), int(rows.max())} == {-(height // 10), height // 10}
    assert {int(columns.min()), int(columns.max())} == {-(width // 10), width // 10}
    assert len(set(map(tuple, at[:, 2:].tolist()))) > 10


def test_shift_moves_tiny_pictures_by_a_pixel():
    at = shift(dots(200, 5, 5, 2, 2), generator()).nonzero()[:, 2:] - 2
    assert set(at.flatten().tolist()) == {-1, 0, 1}


def test_shift_continues_the_border():
    ramp = torch.arange(20, dtype=torch.uint8).repeat(1, 1, 20, 1)
    for image in shift(ramp.expand(50, -1, -1, -1), generator()):
        steps = image[0, 0].int().diff()
        assert set(steps.tolist()) <= {0, 1}  # moved, with the first or last column repeated, and nothing wrapped around


def test_shift_moves_all_channels_together():
    images = noise(10, 1, 20, 20).expand(-1, 3, -1, -1)
    made = shift(images, generator())
    assert torch.equal(made[:, 0], made[:, 1])
    assert torch.equal(made[:, 0], made[:, 2])


def test_flip_mirrors_about_half_of_the_pictures_and_nothing_else():
    images = noise(400, 3, 6, 9)
    made = flip(images, generator())
    mirrored = (made == images.flip(3)).flatten(1).all(1)
    untouched = (made == images).flatten(1).all(1)
    assert (mirrored ^ untouched).all()
    assert 150 < int(mirrored.sum()) < 250


@pytest.mark.parametrize(("height", "width"), [(60, 60), (40, 120)])
def test_affine_moves_by_a_tenth_at_most_but_for_what_it_turns_and_scales(height, width):
    images = torch.zeros((200, 1, height, width), dtype=torch.uint8)
    images[:, 0, height // 2 - 3 : height // 2 + 3, width // 2 - 3 : width // 2 + 3] = 255
    made = affine(images, generator()).double()
    weight = made.sum((1, 2, 3))
    rows = (made.sum(3) * torch.arange(height)).sum((1, 2)) / weight - (height - 1) / 2
    columns = (made.sum(2) * torch.arange(width)).sum((1, 2)) / weight - (width - 1) / 2
    tilt, grown = 0.1 * 0.18, 1 / 0.9  # a tenth along one side, turned by ten degrees, moves this much along the other
    assert rows.abs().max() <= grown * (0.1 * height + tilt * width) + 1
    assert columns.abs().max() <= grown * (0.1 * width + tilt * height) + 1
    assert columns.abs().max() > 0.07 * width


def test_affine_turns_without_bending_whatever_the_sides():
    """A square stays a square: its two diagonals stay equally long, also in a picture that is three times as wide as high."""
    height, width = 60, 180
    images = torch.zeros((100, 1, height, width), dtype=torch.uint8)
    images[:, 0, 20:40, 80:100] = 255
    made = affine(images, generator()).double().squeeze(1)
    weight = made.sum((1, 2))
    y, x = torch.arange(height).double(), torch.arange(width).double()
    mean_y, mean_x = (made.sum(2) * y).sum(1) / weight, (made.sum(1) * x).sum(1) / weight
    yy = (made.sum(2) * (y - mean_y[:, None]) ** 2).sum(1) / weight
    xx = (made.sum(1) * (x - mean_x[:, None]) ** 2).sum(1) / weight
    xy = ((made * (y[None, :, None] - mean_y[:, None, None])) * (x[None, None, :] - mean_x[:, None, None])).sum((1, 2)) / weight
    assert ((yy - xx).abs() / xx).max() < 0.08  # a square has no long axis, however it is turned
    assert (xy.abs() / xx).max() < 0.08


def test_affine_turns_by_up_to_ten_degrees():
    images = torch.zeros((200, 1, 101, 101), dtype=torch.uint8)
    images[:, 0, 50, 10:91] = 255
    made = affine(images, generator()).float().squeeze(1)
    left, right = made[:, :, 35].argmax(1), made[:, :, 65].argmax(1)
    degrees = torch.rad2deg(torch.atan2((right - left).float(), torch.tensor(30.0)))
    assert degrees.abs().max() <= 12
    assert degrees.abs().max() > 6


def test_a_picture_mirrored_twice_is_itself():
    images = noise(8, 3, 6, 9)
    assert torch.equal(flip(flip(images, generator(), strength=2), generator(), strength=2), images)


def test_crop_keeps_the_size_and_fills_with_the_mirrored_border():
    ramp = torch.arange(32, dtype=torch.uint8).repeat(1, 1, 32, 1)
    made = crop(ramp.expand(100, -1, -1, -1), generator())
    assert made.shape == (100, 1, 32, 32)
    starts = made[:, 0, 0, :].int()
    assert set(starts.diff(dim=1).flatten().tolist()) == {-1, 1}, "neighbours stay neighbours, forwards or mirrored"
    assert {int(row[16]) - 16 for row in starts} == set(range(-4, 5)), "by up to 4 of 32 pixels, He et al. 2016"


def bar(count: int, side: int = 101) -> Tensor:
    images = torch.zeros((count, 1, side, side), dtype=torch.uint8)
    images[:, 0, side // 2, 10 : side - 10] = 255
    return images


@pytest.mark.parametrize(("strength", "most"), [(1.0, 15), (0.4, 6)])
def test_rotate_turns_by_so_many_degrees(strength, most):
    made = rotate(bar(300), generator(), strength).float().squeeze(1)
    run = 30.0
    rise = made[:, :, 50 + 15].argmax(1) - made[:, :, 50 - 15].argmax(1)
    degrees = torch.rad2deg(torch.atan2(rise.float(), torch.tensor(run)))
    assert most * 0.7 < degrees.abs().max() <= most + 2  # a pixel of 30 is two degrees


def test_scale_makes_a_square_larger_or_smaller_by_a_quarter_and_leaves_it_in_the_middle():
    images = torch.zeros((300, 1, 60, 60), dtype=torch.uint8)
    images[:, 0, 20:40, 20:40] = 255
    made = scale(images, generator()).double().squeeze(1) / 255
    sides = made.sum((1, 2)).sqrt()
    assert 15 < sides.min() < 17
    assert 24 < sides.max() < 26
    assert (made.flip(1) - made).abs().max() < 0.02


def test_perspective_makes_parallel_edges_meet():
    images = torch.zeros((200, 1, 60, 60), dtype=torch.uint8)
    images[:, 0, 15:45, 15:45] = 255
    made = (perspective(images, generator()) > 127).squeeze(1)
    left, right = made[:, :, :30].sum(2).float(), made[:, :, 30:].sum(2).float()
    widths = left + right
    top, bottom = widths[:, 18], widths[:, 41]
    assert 0.7 < (top / bottom).min() < 0.95 < 1.05 < (top / bottom).max() < 1.43
    assert made[:, 29:31, 29:31].all(), "the middle stays where it is"
