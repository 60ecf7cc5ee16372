"""Mean average precision of boxes, against answers worked out by hand from COCO's definition."""

import numpy as np
import pytest

from surefoot import metrics
from surefoot.metrics.detection import match, measure_overlaps


def due(*rows):
    """(item, class, x0, y0, x1, y1[, is_difficult, is_crowd])."""
    return np.asarray([(*row, 0, 0)[:8] for row in rows], np.float64).reshape(-1, 8)


def said(*rows):
    """(item, class, x0, y0, x1, y1, score)."""
    return np.asarray(rows, np.float64).reshape(-1, 7)


def score(name, targets, outputs):
    return metrics.get(name).score(targets, outputs)


BOX, SHIFTED = (0, 0, 10, 10), (0, 0, 10, 8)
"""Their overlap is 0.8."""


def test_overlap_is_intersection_over_union_and_over_the_box_said_for_crowds():
    one, other = np.asarray([[0.0, 0, 10, 10]]), np.asarray([[5.0, 5, 15, 15], [20, 20, 30, 30], [0, 0, 10, 10]])
    assert measure_overlaps(one, other, np.zeros(3, bool)) == pytest.approx(np.asarray([[25 / 175, 0, 1]]))
    assert measure_overlaps(one, other, np.ones(3, bool)) == pytest.approx(np.asarray([[0.25, 0, 1]]))
    assert measure_overlaps(np.zeros((1, 4)), np.zeros((1, 4)), np.zeros(1, bool)) == 0


def test_perfect_boxes_score_one_and_none_score_zero():
    targets = due((0, 0, *BOX), (0, 1, *BOX), (1, 0, *BOX))
    outputs = said((0, 0, *BOX, 0.9), (0, 1, *BOX, 0.8), (1, 0, *BOX, 0.7))
    for name in ("map_50", "map_50_95"):
        assert score(name, targets, outputs) == 1.0
        assert score(name, targets, said()) == 0.0


def test_an_overlap_of_eight_tenths_counts_at_seven_of_ten_levels():
    targets, outputs = due((0, 0, *BOX)), said((0, 0, *SHIFTED, 0.9))
    assert score("map_50", targets, outputs) == 1.0
    assert score("map_50_95", targets, outputs) == pytest.approx(0.7)


def test_precision_is_averaged_over_101_recalls():
    """Two due; said in order: right, wrong, right. Recall 0.5 at precision 1, then 1 at 2/3: 51 recalls up to 0.5 have 1, 50 have 2/3."""
    targets = due((0, 0, *BOX), (1, 0, *BOX))
    outputs = said((0, 0, *BOX, 0.9), (0, 0, 50, 50, 60, 60, 0.8), (1, 0, *BOX, 0.7))
    assert score("map_50", targets, outputs) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert score("map_50", targets, outputs[:2]) == pytest.approx(51 / 101)


def test_a_box_found_twice_is_wrong_the_second_time():
    targets = due((0, 0, *BOX), (1, 0, *BOX))
    outputs = said((0, 0, *BOX, 0.9), (0, 0, *SHIFTED, 0.8), (1, 0, *BOX, 0.7))
    assert score("map_50", targets, outputs) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_difficult_and_crowded_boxes_count_neither_way():
    outputs = said((0, 0, *BOX, 0.5), (0, 0, 20, 20, 30, 30, 0.9), (0, 0, 21, 21, 29, 29, 0.8))
    difficult = due((0, 0, *BOX), (0, 0, 20, 20, 30, 30, 1, 0))
    crowd = due((0, 0, *BOX), (0, 0, 20, 20, 30, 30, 0, 1))
    plain = due((0, 0, *BOX))
    assert score("map_50", crowd, outputs) == 1.0  # a crowd takes both
    assert score("map_50", difficult, outputs) == pytest.approx(1 / 2)  # the second finds it taken, and is wrong before the right one
    assert score("map_50", plain, outputs) == pytest.approx(1 / 3)
    assert np.isnan(score("map_50", due((0, 0, *BOX, 1, 0)), outputs))


def test_classes_count_the_same_and_those_that_are_not_due_do_not_count():
    targets = due((0, 0, *BOX), (1, 0, *BOX), (2, 0, *BOX), (0, 1, *BOX))
    outputs = said((0, 0, *BOX, 0.9), (1, 0, *BOX, 0.9), (2, 0, *BOX, 0.9), (0, 7, *BOX, 1.0))
    assert score("map_50", targets, outputs) == 0.5


def test_a_box_is_matched_within_its_item_and_class_only():
    assert score("map_50", due((0, 0, *BOX)), said((1, 0, *BOX, 0.9))) == 0.0
    assert score("map_50", due((0, 0, *BOX)), said((0, 1, *BOX, 0.9))) == 0.0


def test_a_hundred_boxes_an_item_are_judged():
    noise = [(0, 0, 50, 50, 60, 60, 0.9)] * 100
    assert score("map_50", due((0, 0, *BOX)), said(*noise, (0, 0, *BOX, 0.8))) == 0.0
    assert score("map_50", due((0, 0, *BOX)), said(*noise[:99], (0, 0, *BOX, 0.8))) == pytest.approx(0.01)


def test_each_takes_the_box_it_overlaps_most_of_those_left():
    overlaps = np.asarray([[0.9, 0.6], [0.95, 0.7], [0.9, 0.4]])
    assert match(overlaps, np.zeros(2, bool), np.zeros(2, bool), 0.5).tolist() == [1, 1, 0]
    assert match(overlaps, np.asarray([True, False]), np.zeros(2, bool), 0.5).tolist() == [1, -1, 0]
