"""Boxes held against their picture: what is kept, clipped, dropped and refused, and what becomes of them on the way to the report."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.box_profile import name_targets, profile_boxes, read_table, tabulate
from surefoot.data.box_samples import read_boxes
from surefoot.data.boxes import Pile, Settled, join_boxes, no_boxes, settle, turn_corners
from surefoot.data.coco_writer import write_coco
from surefoot.data.framing import boxes_field, stack_boxes
from surefoot.data.packs import Block, open_pack, write_pack
from surefoot.data.readers.annotated import make_boxes
from surefoot.data.splitting import make_strata
from surefoot.store.blobs import Blobs
from surefoot.types.data_reports import FieldSpec
from surefoot.types.source import Drawing

SIZE = (100, 60)


def drawing(*corners, **options):
    return Drawing(make_boxes([(*one, 0, False, False) for one in corners]), **options)


def hold(one, size=SIZE, turn=1):
    return settle(one, size, turn, ("cat",), "a.png")


numbers = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 0.0, 100.0]))


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=6), st.booleans())
def test_whatever_is_drawn_what_is_left_lies_in_the_picture_and_nothing_is_lost_in_silence(rows, is_relative):
    found = hold(drawing(*rows, is_relative=is_relative))
    corners = found.boxes.corners
    assert np.isfinite(corners).all()
    assert (corners >= 0).all()
    assert (corners <= [100, 60, 100, 60]).all()
    assert (corners[:, 2:] > corners[:, :2]).all() or not len(corners)
    assert len(found.boxes) + len(found.refused) + found.num_repeated == len(rows)


def test_shares_of_the_sides_become_pixels():
    assert hold(drawing((0.1, 0.5, 0.2, 1.0), is_relative=True)).boxes.corners.tolist() == [[10, 30, 20, 60]]


@pytest.mark.parametrize("turn", range(1, 9))
def test_corners_turn_as_pixels_do(turn):
    from surefoot.data.pictures import _turn_upright

    stored = np.zeros((30, 50), np.uint8)
    stored[4:10, 7:21] = 1
    upright = _turn_upright(stored, turn)
    rows, columns = np.flatnonzero(upright.any(1)), np.flatnonzero(upright.any(0))
    ((x0, y0, x1, y1),) = turn_corners(np.asarray([[7.0, 4, 21, 10]]), upright.shape[::-1], turn)
    assert (x0, y0, x1, y1) == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def test_the_table_of_boxes_is_read_as_it_was_written():
    some = Settled(make_boxes([(1, 2, 30.25, 40, 1, True, False), (5, 5, 9, 9, 0, False, True)]), SIZE)
    found = read_table(tabulate(["a", "b"], [some, Settled(no_boxes(), (7, 8))]))
    assert found["a"].size == SIZE
    assert (found["b"].size, len(found["b"].boxes)) == ((7, 8), 0)
    for name in ("corners", "classes", "is_difficult", "is_crowd"):
        assert np.array_equal(getattr(found["a"].boxes, name), getattr(some.boxes, name))


def test_the_profile_counts_classes_everywhere_and_sizes_outside_a_given_test_set():
    settled = [hold(drawing((0, 0, 10, 10), (0, 0, 40, 10))), hold(drawing((0, 0, 90, 50))), hold(drawing())]
    profile = profile_boxes(settled, [True, False, True], ("cat", "dog"), "ref")
    assert profile.classes == {"cat": (3, 2), "dog": (0, 0)}
    assert (profile.num_boxes, profile.num_negatives) == (3, 1)
    assert profile.per_picture == {"0": 1, "1": 0, "2": 1}
    assert profile.shapes == {"2:3 to 3:2": 1, "3:2 to 2:1": 0, "2:1 to 4:1": 1}
    assert sum(profile.sides) == 2
    assert profile.side_edges[-1] == 20.0


def test_equal_boxes_in_another_order_are_the_same_target():
    one, other, third = (hold(drawing(*rows)) for rows in ([(0, 0, 5, 5), (1, 1, 9, 9)], [(1, 1, 9, 9), (0, 0, 5, 5)], [(0, 0, 5, 5)]))
    names = name_targets(np.zeros((3, 1)), Pile(dict(enumerate([one, other, third])), {}), np.arange(3))
    assert names[0] == names[1] != names[2]


def test_the_stratum_of_a_picture_is_the_rarest_class_on_it():
    """Rare by pictures, not by boxes: a crowd on one picture does not make a class common."""
    counts = np.asarray([[1, 0, 0], [3, 0, 0], [2, 1, 0], [1, 1, 50], [0, 0, 0]], float)
    assert make_strata(counts, "detection").tolist() == [2, 2, 1, 0, 3]  # ranks of the classes, the rarest first; a stratum of its own for negatives


def test_packs_hold_boxes_of_any_number_beside_their_pictures(tmp_path):
    store, sets = Blobs(tmp_path), [make_boxes([(1, 2, 3, 4, 5, True, False)] * count) for count in (2, 0, 3)]
    drawn, image = boxes_field(sets), FieldSpec(name="image", shape=(1, 2, 2), dtype="uint8")
    block = Block(["a", "b", "c"], ["a", "b", "c"], (np.zeros((3, 1, 2, 2), np.uint8), stack_boxes(sets, drawn)), np.zeros((3, 1)), np.ones(3, np.float32))
    found = read_boxes(open_pack(store, write_pack(store, (image, drawn), 1, [block])), np.asarray([2, 1, 0]))[1]
    assert [len(one) for one in found] == [3, 0, 2]
    assert found[0].corners.tolist() == [[1, 2, 3, 4]] * 3
    assert found[2].classes.tolist() == [5, 5]
    assert (found[2].is_difficult.all(), found[2].is_crowd.any()) == (True, False)


def test_coco_is_written_with_numbers_from_one_and_without_the_boxes_of_a_sealed_set():
    some = Settled(join_boxes([make_boxes([(1, 2, 4, 8, 1, True, False)]), make_boxes([(0, 0, 5, 5, 0, False, True)])]), SIZE)
    content = json.loads(write_coco(["x/a.png"], [some], [SIZE], ["cat", "dog"]))
    assert content["images"] == [{"id": 1, "file_name": "x/a.png", "width": 100, "height": 60}]
    assert content["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    first, second = content["annotations"]
    assert first == {"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 6], "area": 18, "iscrowd": 0, "ignore": 1}
    assert (second["id"], second["iscrowd"]) == (2, 1)
    assert "annotations" not in json.loads(write_coco(["x/a.png"], None, [SIZE], ["cat"]))
