"""Charts as inline SVG: what is drawn where, and that nothing breaks them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, Rule, Series, bars, histogram, lines, mini_histogram, scatter, thin

HOSTILE = '"><script>alert(1)</script>'
numbers = st.floats(allow_nan=True, allow_infinity=True)


def parts(chart: str, tag: str, kind: str = "") -> list[ElementTree.Element]:
    """The elements of a chart by tag and class; the chart must be well formed."""
    root = ElementTree.fromstring(f"<div>{chart}</div>")
    return [element for element in root.iter(tag) if kind in element.get("class", "").split() or not kind]


def test_a_line_goes_through_its_points_in_order():
    chart = lines("Loss", [Series("train", [(1, 2.0), (2, 1.0), (3, 0.5)])], Axis("epoch"), Axis("loss"))
    pixels = [tuple(map(float, pair.split())) for pair in parts(chart, "path", "line")[0].get("d", "").removeprefix("M").split("L")]
    assert [x for x, _ in pixels] == sorted(x for x, _ in pixels)
    assert [y for _, y in pixels] == sorted(y for _, y in pixels), "a falling loss goes down the screen"


def test_a_chart_says_what_it_is_to_those_who_do_not_see_it():
    chart = lines("Loss by epoch", [Series("train", [(1, 2.0), (2, 1.0)])], Axis("epoch"), Axis("loss"))
    picture = parts(chart, "svg")[0]
    assert (picture.get("role"), picture.get("aria-label")) == ("img", "Loss by epoch")
    assert {"epoch", "loss"} <= {element.text for element in parts(chart, "text", "axis-title")}
    assert "train: 2 at epoch 1" in {element.text for element in parts(chart, "title")}


def test_several_lines_have_a_legend_and_one_has_none():
    one, two = Series("train", [(1, 2.0), (2, 1.0)]), Series("val", [(1, 2.1), (2, 1.4)], 2, True)
    assert not parts(lines("Loss", [one], Axis("epoch"), Axis("loss")), "li")
    keys = parts(lines("Loss", [one, two], Axis("epoch"), Axis("loss")), "li")
    assert ["".join(key.itertext()) for key in keys] == ["train", "val"]


def test_values_that_are_not_finite_are_left_out():
    chart = lines("Loss", [Series("train", [(1, 2.0), (2, float("nan")), (3, float("inf")), (4, 1.0)])], Axis("epoch"), Axis("loss"))
    assert parts(chart, "path", "line")[0].get("d", "").count("L") == 1
    assert lines("Loss", [Series("train", [(1, float("nan"))])], Axis("epoch"), Axis("loss")) == ""


def test_a_rule_is_drawn_at_its_value_and_fits_on_the_chart():
    chart = lines("Accuracy", [Series("val", [(1, 0.5), (2, 0.6)])], Axis("epoch"), Axis("accuracy", is_share=True), [Rule("goal", 0.97)])
    rule = parts(chart, "line", "rule")[0]
    top = min(float(y) for y in re.findall(r" ([\d.]+)", parts(chart, "path", "line")[0].get("d", "")))
    assert 0 < float(rule.get("y1", "0")) < top
    assert "goal 97.0\u00a0%" in {element.text for element in parts(chart, "text", "rule-label")}


@pytest.mark.parametrize(("values", "anchor", "is_above"), [((0.90, 0.9, 0.1), "end", True), ((0.90, 0.9, 0.9), None, False), ((0.1, 0.1, 0.1), None, True)])
def test_the_label_of_a_rule_keeps_off_the_points(values, anchor, is_above):
    chart = lines("Accuracy", [Series("val", list(enumerate(values)))], Axis("epoch"), Axis("accuracy", 0.0, 1.0, is_share=True), [Rule("goal", 0.86)])
    label, rule = parts(chart, "text", "rule-label")[0], parts(chart, "line", "rule")[0]
    assert label.get("text-anchor") == anchor
    assert (float(label.get("y", "0")) < float(rule.get("y1", "0"))) == is_above


def test_few_points_are_marked_so_that_a_line_between_them_is_not_taken_for_a_trend():
    two, many = [(1.0, 2.0), (2.0, 1.0)], [(float(i), float(i)) for i in range(13)]
    runs = [Series(name, two, tone, is_dashed=True) for tone, name in enumerate(("real", "zeroed", "shuffled", "tiny batch"), start=1)]
    assert len(parts(lines("Trial runs", runs, Axis("share"), Axis("loss")), "circle", "solid")) == 8
    assert not parts(lines("Loss", [Series("train", many)], Axis("epoch"), Axis("loss")), "circle", "solid")
    assert not parts(lines("ROC", [Series("guessing", two, has_dots=False)], Axis("x"), Axis("y")), "circle", "solid")


def test_an_interval_is_a_band_around_its_line():
    chart = lines("Error", [Series("val", [(1, 0.5), (2, 0.4)], band=[(0.4, 0.6), (0.3, 0.5)])], Axis("share"), Axis("error"))
    assert parts(chart, "path", "band")[0].get("d", "").count("L") == 3


def test_bars_are_as_long_as_their_values():
    chart = bars("Items", [Bar("a", 100), Bar("b", 50), Bar("c", 0)], Axis("items"))
    widths = [float(element.get("width", "0")) for element in parts(chart, "rect", "fill")]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    assert widths[2] == 1.0, "a zero is still seen"


def test_a_negative_bar_ends_at_zero():
    chart = bars("Gaps", [Bar("bias", -0.014), Bar("variance", 0.021)], Axis("error"))
    left, right = parts(chart, "rect", "fill")
    assert float(left.get("x", "0")) + float(left.get("width", "0")) == pytest.approx(float(right.get("x", "0")), abs=0.02)


def test_a_whisker_spans_its_interval():
    chart = bars("Values", [Bar("net", 0.5, (0.4, 0.7))], Axis("accuracy", 0.0, 1.0), from_zero=False)
    whisker, dot = parts(chart, "line", "whisker")[0], parts(chart, "circle", "dot")[0]
    low, high, middle = float(whisker.get("x1", "0")), float(whisker.get("x2", "0")), float(dot.get("cx", "0"))
    assert (high - middle) == pytest.approx(2 * (middle - low), rel=0.01)


def test_a_histogram_has_a_column_per_bin():
    chart = histogram("Target", [4, 2, 1], [0, 10, 20, 30], Axis("cnt"))
    heights = [float(element.get("height", "0")) for element in parts(chart, "rect", "fill")]
    assert heights[0] == pytest.approx(2 * heights[1], rel=0.01)
    assert histogram("Target", [4, 2], [0, 1], Axis("cnt")) == ""
    assert len(parts(mini_histogram("age", [1, 2, 3]), "rect")) == 3
    assert mini_histogram("age", [0, 0]) == ""


def test_few_dots_can_be_pointed_at_and_many_stay_light():
    few = scatter("Trials", [Series("rung 1", [(i, i) for i in range(20)])], Axis("trial"), Axis("value"))
    many = scatter("Items", [Series("items", [(i, i) for i in range(100_000)])], Axis("true"), Axis("predicted"), diagonal=True)
    assert len(parts(few, "circle", "dot")) == 20
    assert not parts(many, "circle", "dot")
    assert len(many) < 40_000


def test_thinning_keeps_the_last_point():
    kept = thin([(float(i), 0.0) for i in range(1001)], 100)
    assert len(kept) <= 101
    assert kept[0] == (0.0, 0.0)
    assert kept[-1] == (1000.0, 0.0)


def test_names_from_the_data_stay_text():
    drawn = bars(HOSTILE, [Bar(HOSTILE, 1.0, text=HOSTILE)], Axis(HOSTILE), [Rule(HOSTILE, 0.5)]) + lines(
        HOSTILE, [Series(HOSTILE, [(1, 1), (2, 2)]), Series(HOSTILE, [(1, 1), (2, 2)])], Axis(HOSTILE), Axis(HOSTILE)
    )
    assert not parts(drawn, "script")
    assert HOSTILE in {element.text for element in parts(drawn, "title")}


@settings(max_examples=150, deadline=None)
@given(points=st.lists(st.tuples(numbers, numbers), max_size=8), is_log=st.booleans(), is_share=st.booleans())
def test_no_number_breaks_a_chart(points, is_log, is_share):
    x, y = Axis("x", is_log=is_log), Axis("y", is_share=is_share)
    drawn = lines("t", [Series("a", points)], x, y) + scatter("t", [Series("a", points)], x, y, diagonal=True)
    drawn += bars("t", [Bar(str(x), y, (x, y)) for x, y in points], Axis("z", is_share=is_share), from_zero=is_log)
    placed = [
        value for element in parts(drawn, "*") for name, value in element.attrib.items() if name in ("d", "x", "y", "cx", "cy", "x1", "y1", "x2", "y2", "width")
    ]
    assert not [value for value in placed if "nan" in value or "inf" in value]
