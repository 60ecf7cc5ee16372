"""Boxes follow their pictures: what is painted stays under its box, what leaves the picture is clipped or dropped."""

import pytest
import torch

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.transforms.boxes import GREY, SMALLEST_SIDE, move_boxes

MOVES = {name: refs.resolve(name, kind="box_augmentation") for name in PARTS["box_augmentation"]}

SIDE = (60, 90)


def painted(corners):
    """A black picture for each box, with a white rectangle under it."""
    images = torch.zeros(len(corners), 3, *SIDE, dtype=torch.uint8)
    for image, (x0, y0, x1, y1) in zip(images, corners, strict=True):
        image[:, y0:y1, x0:x1] = 255
    return images, torch.tensor(corners, dtype=torch.float32), torch.arange(len(corners))


def white(image):
    """The box around what is clearly white: above halfway from the grey that comes in from outside."""
    rows, columns = (torch.nonzero((image[0] > 185).any(axis))[:, 0] for axis in (1, 0))
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1] if len(rows) else None


@pytest.mark.parametrize("name", [name for name in MOVES if name != "affine"])
def test_a_painted_rectangle_stays_exactly_under_its_box(name):
    images, corners, items = painted([(30 + k % 5, 20 + k % 7, 60 - k % 3, 44) for k in range(40)])
    moved, inside, kept = MOVES[name](images, corners, items, torch.Generator().manual_seed(1))
    assert len(kept) == 40
    assert not torch.equal(moved, images)
    for item, box in zip(kept.tolist(), inside, strict=True):
        assert box.tolist() == pytest.approx(white(moved[item]), abs=0.0 if name in ("flip", "shift") else 1.0)


def test_a_turned_rectangle_lies_inside_its_box_and_touches_its_sides():
    images, corners, items = painted([(35, 22, 55, 38)] * 40)
    moved, inside, _ = MOVES["affine"](images, corners, items, torch.Generator().manual_seed(1))
    for image, box in zip(moved, inside, strict=True):
        found = white(image)
        assert [found[0] - box[0] > -1.5, found[1] - box[1] > -1.5, box[2] - found[2] > -1.5, box[3] - found[3] > -1.5] == [True] * 4
        assert max(found[0] - box[0], found[1] - box[1], box[2] - found[2], box[3] - found[3]) < 4


@pytest.mark.parametrize("name", MOVES)
def test_draws_are_the_generators_and_pictures_without_boxes_are_moved_too(name):
    images, _, _ = painted([(10, 10, 50, 50)] * 8)
    nothing = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    once, again = (MOVES[name](images, *nothing, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(once[0], again[0])
    assert not torch.equal(once[0], MOVES[name](images, *nothing, torch.Generator().manual_seed(4))[0])
    assert len(once[1]) == len(once[2]) == 0
    assert (once[0].dtype, once[0].shape) == (images.dtype, images.shape)


def test_what_comes_in_from_outside_is_grey():
    images = torch.full((30, 1, 40, 40), 255, dtype=torch.uint8)
    moved, _, _ = MOVES["shift"](images, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.Generator().manual_seed(0))
    assert set(moved.unique().tolist()) == {int(GREY), 255}


@pytest.mark.parametrize(
    ("by", "left"),
    [
        ((0, 0), [10, 10, 30, 30]),
        ((-20, 0), [0, 10, 10, 30]),  # half is left
        ((-24, 0), [0, 10, 6, 30]),  # three tenths
        ((-26, 0), None),  # a fifth
        ((85, 85), None),  # a corner of 5 x 5 = a sixteenth
        ((-200, 0), None),
    ],
)
def test_a_box_that_leaves_is_clipped_and_dropped_when_less_than_a_quarter_is_left(by, left):
    matrix = torch.eye(3)[None].clone()
    matrix[0, :2, 2] = torch.tensor(by, dtype=torch.float32)
    inside, kept = move_boxes(torch.tensor([[10.0, 10, 30, 30]]), matrix, (100, 100))
    assert inside.tolist() == ([] if left is None else [left])
    assert kept.tolist() == ([] if left is None else [0])


def test_boxes_that_become_smaller_than_two_pixels_are_dropped():
    matrices = torch.diag_embed(torch.tensor([[0.5, 0.5, 1.0]])).expand(2, 3, 3)
    _, kept = move_boxes(torch.tensor([[0.0, 0, 3.9, 20], [0, 0, 2 * SMALLEST_SIDE, 20]]), matrices, (100, 100))
    assert kept.tolist() == [1]
