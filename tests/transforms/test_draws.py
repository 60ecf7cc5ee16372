"""What augmentations carry to the device of the pictures: few numbers each, and nobody waits for them."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.transforms import boxes
from surefoot.transforms.mix import cutmix, mixup
from surefoot.types.examples import Batch

BATCH = 64
FEW = 12
"""Numbers a picture; of its pixels there are 480 in a channel."""
DRAWING_THERE = ("noise",)
"""Draws as many numbers as there are pixels, by a generator on their device; the stand-in for a device has none."""


class Carried(TorchDispatchMode):
    """Notes what goes from the CPU to another device: how many numbers, and whether the device was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[tuple[int, bool]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.ops.aten._to_copy.default and args[0].device.type == "cpu" and str(kwargs.get("device")) == "meta":
            self.copies.append((args[0].numel(), bool(kwargs.get("non_blocking"))))
        return function(*args, **kwargs)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def demand_few(carried: Carried, at_least: int = 1) -> None:
    assert len(carried.copies) >= at_least
    assert max(number for number, _ in carried.copies) <= FEW * BATCH
    assert all(is_free for _, is_free in carried.copies), "none waits for the device"


@pytest.mark.parametrize("name", sorted(set(PARTS["augmentation"]) - {"none", *DRAWING_THERE}))
def test_pictures_on_a_device_are_changed_there(name):
    change = refs.resolve(name, kind="augmentation")
    images = torch.empty(BATCH, 3, 24, 20, dtype=torch.uint8, device="meta")
    with Carried() as carried:
        made = change(images, generator())
    assert (made.device.type, made.shape, made.dtype) == ("meta", images.shape, images.dtype)
    demand_few(carried)


@pytest.mark.parametrize("mix", [mixup, cutmix])
def test_partners_are_drawn_here_and_found_there(mix):
    batch = Batch((torch.empty(BATCH, 3, 24, 20, dtype=torch.uint8, device="meta"),), torch.empty(BATCH, dtype=torch.int64, device="meta"))
    with Carried() as carried:
        assert mix(batch, 0.8, np.random.default_rng(0)).others.device.type == "meta"
    demand_few(carried)


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        ("shift", (1910209383, 2081389138)), ("flip", (702353365, 3830688585)), ("shift_flip", (2119017120, 326312934)), ("crop", (1333072189, 2316324095)),
    ],
)  # fmt: skip
def test_what_a_seed_draws_stays_what_it_was(name, sums):
    """Of those that move whole pixels, which are the same on every machine; a run that was interrupted under an older version goes on with them."""
    images = torch.randint(0, 256, (64, 3, 24, 20), generator=generator(5), dtype=torch.uint8)
    change = refs.resolve(name, kind="augmentation")
    assert tuple(crc32(change(images, generator(seed)).contiguous().numpy().tobytes()) for seed in (0, 7)) == sums


def test_boxes_that_move_by_whole_pixels_stay_what_they_were():
    images = torch.randint(0, 256, (64, 3, 24, 20), generator=generator(5), dtype=torch.uint8)
    corners = torch.tensor([[2.0, 3.0, 9.0, 12.0]]).repeat(64, 1)
    _, moved, kept = boxes.shift(images, corners, torch.arange(64), generator(4))
    assert len(kept) == 64
    by = (moved - corners)[:, :2]
    assert by.abs().amax(0).tolist() == [2.0, 2.0]
    assert torch.equal(by, by.round())
