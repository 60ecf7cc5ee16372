"""Pictures are brought to one size, and a painted rectangle stays under its box."""

import numpy as np
import pytest

from surefoot.data.boxes import no_boxes
from surefoot.data.framing import boxes_field, choose_frame, frame_boxes, stack_boxes, unstack_boxes
from surefoot.data.preprocess import decode_image
from surefoot.types.source import Boxes

RECIPES = {
    "fit": {"kind": "image", "height": 64, "width": 64, "channels": 3, "resize": "fit"},
    "cover": {"kind": "image", "height": 64, "width": 64, "channels": 3},
    "fit into a wide frame": {"kind": "image", "height": 32, "width": 96, "channels": 3, "resize": "fit"},
    "stretch": {"kind": "image", "height": 48, "width": 80, "channels": 3, "resize": "stretch"},
    "the middle of a larger one": {"kind": "image", "height": 64, "width": 64, "channels": 3, "short_side": 80},
}


def one_box(*corners):
    return Boxes(np.asarray([corners], np.float64), np.zeros(1, np.int64), np.zeros(1, bool), np.zeros(1, bool))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("size", [(200, 120), (120, 200), (30, 20), (64, 64), (97, 61)])
def test_a_painted_rectangle_stays_under_its_box(recipe, size):
    width, height = size
    corners = (width * 2 // 5, height * 2 // 5, width * 3 // 5, height * 3 // 5)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[corners[1] : corners[3], corners[0] : corners[2]] = 255
    packed = decode_image(picture, recipe)[0] > 140
    (found,) = frame_boxes(one_box(*corners), size, recipe).corners
    rows, columns = np.flatnonzero(packed.any(1)), np.flatnonzero(packed.any(0))
    assert found == pytest.approx([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], abs=1.0)


def test_a_fitted_picture_is_shown_whole_and_black_is_around_it():
    packed = decode_image(np.full((50, 100, 3), 255, np.uint8), RECIPES["fit"])
    assert (packed[:, 16:48] == 255).all()
    assert not packed[:, :16].any()
    assert not packed[:, 48:].any()
    frame = choose_frame((100, 50), RECIPES["fit"])
    assert (frame.scale_x, frame.scale_y, frame.left, frame.top) == (0.64, 0.64, 0, 16)


def test_cropping_clips_boxes_at_the_edge_and_drops_those_of_which_less_than_a_quarter_is_left():
    half, sliver, gone = one_box(20, 10, 80, 90), one_box(0, 10, 60, 90), one_box(0, 10, 40, 90)
    cover = {"kind": "image", "height": 100, "width": 100, "channels": 3}
    assert frame_boxes(half, (200, 100), cover).corners.tolist() == [[0, 10, 30, 90]]
    assert len(frame_boxes(sliver, (200, 100), cover)) == 0
    assert len(frame_boxes(gone, (200, 100), cover)) == 0
    assert len(frame_boxes(no_boxes(), (200, 100), cover)) == 0
    assert frame_boxes(gone, (200, 100), cover | {"resize": "fit"}).corners.tolist() == [[0, 30, 20, 70]]


def test_boxes_come_back_from_a_pack_as_they_went_in():
    first = Boxes(np.asarray([[0, 0, 5.5, 7.25], [3, 2, 9, 8]]), np.asarray([0, 4]), np.asarray([True, False]), np.asarray([False, True]))
    field = boxes_field([first, no_boxes()])
    assert field.is_ragged
    one, none = unstack_boxes(stack_boxes([first, no_boxes()], field))
    for name in ("corners", "classes", "is_difficult", "is_crowd"):
        assert getattr(one, name).tolist() == getattr(first, name).tolist()
    assert len(none) == 0
