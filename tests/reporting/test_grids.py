"""Heat maps, stacked shares and parallel coordinates."""

from __future__ import annotations

import pytest

from surefoot.reporting.axes import Axis
from surefoot.reporting.grids import Dimension, confusion, parallel, stacked, worst_confused

from .test_charts import parts


def test_confusion_puts_the_truth_in_rows_and_shades_by_share():
    chart = confusion("Confusion", ((8, 2), (0, 5)), ["ant", "bee"])
    told = {element.text: element for element in parts(chart, "title")}
    assert {"ant: 8 of 10 right (80.0\u00a0%)", "ant: 2 of 10 called bee (20.0\u00a0%)", "bee: 5 of 5 right (100.0\u00a0%)"} <= set(told)
    styles = [element.get("style") for element in parts(chart, "rect", "heat")]
    assert styles == ["fill-opacity:0.82", "fill-opacity:0.28", "fill-opacity:0.00", "fill-opacity:1.00"]


def test_right_and_wrong_differ_by_more_than_shade():
    kinds = [element.get("class") for element in parts(confusion("Confusion", ((8, 2), (0, 5)), ["ant", "bee"]), "rect", "heat")]
    assert kinds == ["heat t1", "heat t2", "heat t2", "heat t1"]


def test_of_many_classes_the_most_confused_are_kept():
    counts = [[10 if row == column else 0 for column in range(100)] for row in range(100)]
    counts[7][93], counts[50][51] = 5, 4
    kept, names = worst_confused(counts, [f"c{i}" for i in range(100)], most=4)
    assert names == ["c7", "c50", "c51", "c93"]
    assert kept[0] == [10, 0, 0, 5]


def test_parts_of_a_whole_fill_the_row():
    widths = [float(element.get("width", "0")) for element in parts(stacked("Sets", [("train", 600), ("val", 200), ("test", 200)]), "rect")]
    assert sum(widths) + 6 == pytest.approx(460)
    assert stacked("Sets", []) == ""


def test_a_share_that_does_not_fit_into_its_part_stands_beside_its_name():
    chart = stacked("Sets", [("train", 900), ("test", 100)])
    assert [element.text for element in parts(chart, "text")] == ["90.0\u00a0%"]
    assert ["".join(key.itertext()) for key in parts(chart, "li")] == ["train: 900", "test: 100 (10.0\u00a0%)"]


@pytest.mark.parametrize(("smaller", "best"), [(False, "lr 0.1, augment flip: v 0.9"), (True, "lr 0.001, augment none: v 0.5")])
def test_the_best_trial_stands_out_and_is_drawn_last(smaller, best):
    dimensions = [Dimension("lr", [0.001, 0.01, 0.1], is_log=True), Dimension("augment", ["none", "shift", "flip"])]
    chart = parallel("Settings", dimensions, [0.5, 0.7, 0.9], Axis("v"), smaller_is_better=smaller)
    last = parts(chart, "path", "trace")[-1]
    assert "best" in (last.get("class") or "")
    assert last[0].text == best


def test_mixed_settings_become_rungs():
    chart = parallel("Settings", [Dimension("batch", [32, "auto", 64])], [0.1, 0.2, 0.3], Axis("v"))
    assert {"32", "64", "auto"} <= {element.text for element in parts(chart, "text")}


def test_labels_of_upright_axes_stand_above_the_level_at_which_lines_arrive():
    chart = parallel("Settings", [Dimension("lr", ["low", "high"])], [0.1, 0.2], Axis("v"))
    arrivals = {float(element.get("d", "").removeprefix("M").split("C")[0].split()[1]) for element in parts(chart, "path", "trace")}
    labels = [float(element.get("y", "0")) for element in parts(chart, "text") if element.text in ("low", "high")]
    assert len(labels) == 2
    assert all(min(abs(height - label) for height in arrivals) >= 5 for label in labels)
