"""Charts as inline SVG: pure functions from numbers to markup, without scripts. Colours are CSS variables, so they follow the theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from markupsafe import Markup

from surefoot.reporting.axes import Axis, Plane, Scale, draw_plane, fit_plane, fit_scale, is_drawable, line, picture, text
from surefoot.reporting.markup import EMPTY, element, join
from surefoot.reporting.words import number, short

Point = tuple[float, float]
MOST_POINTS = 400
MOST_HITS = 60
MOST_MARKED = 12
ROW_HEIGHT = 25.0
CHAR_WIDTH = 6.9


@dataclass(frozen=True)
class Series:
    """A named run of points.

    Attributes:
        tone: 1 to 6, its colour.
        band: the interval (low, high) around each point of a line.
        has_dots: whether a line of few points marks them; a curve that is exact between its points needs none.
        sizes: radius of each dot in pixels, where dots differ.
    """

    name: str
    points: Sequence[Point]
    tone: int = 1
    is_dashed: bool = False
    band: Sequence[tuple[float, float]] = ()
    sizes: Sequence[float] = ()
    has_dots: bool = True


@dataclass(frozen=True)
class Rule:
    """A value to compare with, drawn across the chart."""

    label: str
    value: float


@dataclass(frozen=True)
class Bar:
    """A labelled value with its interval; `text` is written beside it instead of the bare number."""

    label: str
    value: float
    interval: tuple[float, float] | None = None
    tone: int = 1
    text: str = ""


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most about `most` finite points, evenly taken, the last one always among them."""
    finite = [(x, y) for x, y in points if is_drawable(x) and is_drawable(y)]
    stride = math.ceil(len(finite) / most) if finite else 1
    kept = finite[::stride]
    return kept if not finite or kept[-1] == finite[-1] else [*kept, finite[-1]]


def legend(entries: Sequence[tuple[str, int, bool]], kind: str = "") -> Markup:
    """Names beside their colours, outside the picture, so that they wrap on small screens. Entries are (name, tone, dashed); `kind` may be `dots`."""
    keys = [element("li", element("i", class_=f"t{tone}{' dashed' if dashed else ''}"), name) for name, tone, dashed in entries]
    return element("ul", *keys, class_=f"legend {kind}".strip()) if len(keys) > 1 else EMPTY


def path_of(points: Sequence[Point]) -> str:
    """Pixels as the path of an SVG line."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if points else ""


def lines(title: str, series: Sequence[Series], x: Axis, y: Axis, rules: Sequence[Rule] = ()) -> Markup:
    """Lines over a common x, e.g. learning curves; values that are not finite are left out."""
    shown = [replace(run, points=thin(run.points)) for run in series]
    shown = [run for run in shown if run.points]
    if not shown:
        return EMPTY
    rules = _drawable(rules)
    points = [point for run in shown for point in run.points]
    heights = [y for _, y in points] + [rule.value for rule in rules] + [end for run in shown for ends in run.band for end in ends]
    plane = fit_plane(x, [x for x, _ in points], y, heights)
    marks = [*(_band(plane, run) for run in shown), *(_line(plane, run) for run in shown), _rules_across(plane, rules, _ink(plane, shown))]
    return draw_plane(title, plane, join(marks)) + legend([(run.name, run.tone, run.is_dashed) for run in shown])


def _line(plane: Plane, run: Series) -> Markup:
    pixels = [plane.at(*point) for point in run.points]
    kind = f"line t{run.tone}{' dashed' if run.is_dashed else ''}"
    path = element("path", element("title", run.name), d=path_of(pixels), class_=kind)
    if len(pixels) > MOST_HITS:
        return path
    solid = " solid" if run.has_dots and len(pixels) <= MOST_MARKED else ""
    return path + join(
        element("circle", element("title", _told(plane, run.name, point)), cx=cx, cy=cy, r=4, class_=f"hit t{run.tone}{solid}")
        for (cx, cy), point in zip(pixels, run.points, strict=True)
    )


def _told(plane: Plane, name: str, point: Point) -> str:
    x, y = plane.x.axis, plane.y.axis
    return f"{name}: {_value(y, point[1])} at {x.title} {_value(x, point[0])}"


def _value(axis: Axis, value: float) -> str:
    return axis.label(value, 0.001) if axis.is_share else number(value)


def _band(plane: Plane, run: Series) -> Markup:
    if len(run.band) != len(run.points) or not all(is_drawable(end) for ends in run.band for end in ends):
        return EMPTY
    upper = [plane.at(x, high) for (x, _), (_, high) in zip(run.points, run.band, strict=True)]
    lower = [plane.at(x, low) for (x, _), (low, _) in zip(run.points, run.band, strict=True)]
    return element("path", d=path_of([*upper, *reversed(lower)]) + "Z", class_=f"band t{run.tone}")


def _drawable(rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if is_drawable(rule.value)]


def _ink(plane: Plane, shown: Sequence[Series]) -> list[Point]:
    """Pixels that lines cover, near enough to one another that no label slips between two of them."""
    covered: list[Point] = []
    for run in shown:
        pixels = [plane.at(*point) for point in run.points]
        covered += pixels[:1]
        for (x0, y0), (x1, y1) in pairwise(pixels):
            steps = max(1, math.ceil(max(abs(x1 - x0), abs(y1 - y0)) / 8))
            covered += [(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps) for i in range(1, steps + 1)]
    return covered


def _rules_across(plane: Plane, rules: Sequence[Rule], ink: Sequence[Point]) -> Markup:
    pieces = []
    for rule in rules:
        height, label = plane.y(rule.value), f"{rule.label} {_value(plane.y.axis, rule.value)}"
        pieces.append(line((plane.x.start, height), (plane.x.end, height), "rule"))
        x, y, anchor = _free_side(plane, height, CHAR_WIDTH * len(label), ink)
        pieces.append(text(x, y, label, "rule-label", anchor))
    return join(pieces)


def _free_side(plane: Plane, height: float, width: float, ink: Sequence[Point]) -> tuple[float, float, str | None]:
    """Where a rule's label covers least: above or below the rule, at its left or right end; within the chart, and above it where nothing is in the way."""
    best: tuple[int, tuple[float, float, str | None]] | None = None
    for top, baseline in ((height - 18, height - 5), (height + 3, height + 14)):
        for left, place in ((plane.x.start, (plane.x.start + 4, baseline, None)), (plane.x.end - width - 8, (plane.x.end - 4, baseline, "end"))):
            covered = sum(left - 4 <= x <= left + width + 12 and top - 4 <= y <= top + 19 for x, y in ink)
            covered += len(ink) + 1 if top < plane.y.end - 18 or top + 15 > plane.y.start else 0
            if best is None or covered < best[0]:
                best = covered, place
    assert best is not None
    return best[1]


def scatter(title: str, groups: Sequence[Series], x: Axis, y: Axis, rules: Sequence[Rule] = (), *, diagonal: bool = False) -> Markup:
    """Points in groups; with `diagonal` both axes are the same and the line of equality is drawn."""
    shown = [Series(group.name, thin(group.points, 1500), group.tone, sizes=group.sizes) for group in groups]
    points = [point for group in shown for point in group.points]
    if not points:
        return EMPTY
    rules = _drawable(rules)
    xs, ys = [x for x, _ in points], [y for _, y in points] + [rule.value for rule in rules]
    plane = fit_plane(x, xs + ys, y, xs + ys, 400) if diagonal else fit_plane(x, xs, y, ys)
    equal = line(plane.at(plane.x.low, plane.y.low), plane.at(plane.x.high, plane.y.high), "rule") if diagonal else EMPTY
    marks = join([equal, *(_dots(plane, group) for group in shown), _rules_across(plane, rules, [plane.at(*point) for point in points])])
    return draw_plane(title, plane, marks) + legend([(group.name, group.tone, False) for group in shown if group.points], "dots")


def _dots(plane: Plane, group: Series) -> Markup:
    """Dots one by one where they can be told apart, else as one path: 12 bytes each instead of 120."""
    if len(group.points) <= 2 * MOST_HITS:
        sizes = group.sizes if len(group.sizes) == len(group.points) else [4.0] * len(group.points)
        return join(
            element(
                "circle", element("title", _told(plane, group.name, point)), cx=plane.x(point[0]), cy=plane.y(point[1]), r=size, class_=f"dot t{group.tone}"
            )
            for point, size in zip(group.points, sizes, strict=True)
        )
    steps = "".join("M{:.1f} {:.1f}h0".format(*plane.at(*point)) for point in group.points)
    return element("path", element("title", group.name), d=steps, class_=f"cloud t{group.tone}")


def bars(title: str, entries: Sequence[Bar], axis: Axis, rules: Sequence[Rule] = (), *, from_zero: bool = True) -> Markup:
    """One row per entry: a bar from zero, or with `from_zero` off a dot, and its interval as a whisker."""
    entries = [entry for entry in entries if is_drawable(entry.value)]
    if not entries:
        return EMPTY
    rules = _drawable(rules)
    left = min(165.0, 16 + CHAR_WIDTH * max(len(entry.label) for entry in entries))
    right = 460 - 22 - CHAR_WIDTH * max(len(entry.text or number(entry.value)) for entry in entries)
    ends = [end for entry in entries for end in (entry.value, *(entry.interval or ()))] + [rule.value for rule in rules]
    scale = fit_scale(axis, [*ends, *([0.0] if from_zero else [])], left, right)
    if from_zero:
        scale = Scale(scale.axis, min(scale.low, 0.0) if min(ends) < 0 else 0.0, scale.high, left, right)
    top = 8 + 15.0 * len(rules)
    floor = top + ROW_HEIGHT * len(entries) + 4
    rows = [_bar_row(scale, entry, top + ROW_HEIGHT * i, from_zero) for i, entry in enumerate(entries)]
    marks = [_frame_of_bars(scale, top, floor), *rows, *(_rule_down(scale, rule, i, floor) for i, rule in enumerate(rules))]
    return picture(title, join(marks), height=floor + 42)


def _frame_of_bars(scale: Scale, top: float, floor: float) -> Markup:
    ticks = scale.ticks(3)
    grid = [line((scale(value), top), (scale(value), floor), "grid") for value, _ in ticks]
    labels = [text(scale(value), floor + 16, label, anchor="middle") for value, label in ticks]
    return join([*grid, *labels, text((scale.start + scale.end) / 2, floor + 35, scale.axis.title, "axis-title", "middle")])


def _bar_row(scale: Scale, entry: Bar, top: float, from_zero: bool) -> Markup:
    middle, zero, end = top + ROW_HEIGHT / 2, scale(max(scale.low, 0.0) if from_zero else scale.low), scale(entry.value)
    shown = entry.text or number(entry.value)
    label = element("text", short(entry.label, 20), element("title", entry.label), x=scale.start - 8, y=middle + 4, class_="label", text_anchor="end")
    whisker = EMPTY
    if entry.interval and all(map(is_drawable, entry.interval)):
        low, high = scale(entry.interval[0]), scale(entry.interval[1])
        whisker = join([line((low, middle), (high, middle), "whisker"), *(line((x, middle - 4), (x, middle + 4), "whisker") for x in (low, high))])
    told = element("title", f"{entry.label}: {shown}")
    if from_zero:
        mark = element("rect", told, x=min(zero, end), y=top + 4, width=max(abs(end - zero), 1.0), height=ROW_HEIGHT - 8, rx=2, class_=f"fill t{entry.tone}")
    else:
        mark = element("circle", told, cx=end, cy=middle, r=5, class_=f"dot t{entry.tone}")
    pieces = [label, mark, whisker] if from_zero else [label, whisker, mark]
    return join([*pieces, text(456, middle + 4, shown, "value", "end")])


def _rule_down(scale: Scale, rule: Rule, order: int, floor: float) -> Markup:
    x = scale(rule.value)
    anchor = "end" if x > (scale.start + scale.end) / 2 else None
    label = f"{rule.label} {_value(scale.axis, rule.value)}"
    return line((x, 6 + 15.0 * order), (x, floor), "rule") + text(x + (-5 if anchor else 5), 15 + 15.0 * order, label, "rule-label", anchor)


def histogram(title: str, counts: Sequence[int], edges: Sequence[float], x: Axis) -> Markup:
    """How many items fall between one edge and the next."""
    if not counts or len(edges) != len(counts) + 1 or not all(map(is_drawable, edges)):
        return EMPTY
    x = Axis(x.title, edges[0], edges[-1], is_share=x.is_share)
    plane = fit_plane(x, list(edges), Axis("items", low=0.0, is_whole=True), [float(count) for count in counts])
    marks = []
    for count, low, high in zip(counts, edges, edges[1:]):
        left, right, top = plane.x(low), plane.x(high), plane.y(count)
        told = element("title", f"{number(low)} to {number(high)}: {count:,}")
        marks.append(element("rect", told, x=left, y=top, width=max(right - left - 1, 0.5), height=plane.y.start - top, class_="fill t1"))
    return draw_plane(title, plane, join(marks))


def mini_histogram(title: str, counts: Sequence[int]) -> Markup:
    """A histogram the size of a word, for a cell of a table."""
    if not counts or max(counts) <= 0:
        return EMPTY
    width, tallest = 84 / len(counts), max(counts)
    columns = [
        element("rect", x=i * width, y=24 - 24 * count / tallest, width=max(width - 1, 0.5), height=24 * count / tallest, class_="fill t1")
        for i, count in enumerate(counts)
    ]
    return picture(title, join(columns), 84, 24, "mini")
