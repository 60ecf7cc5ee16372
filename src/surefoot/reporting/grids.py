"""Charts of many cells or many axes as inline SVG: heat maps, stacked shares, parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from surefoot.reporting.axes import Axis, Scale, fit_scale, line, picture, text
from surefoot.reporting.charts import CHAR_WIDTH, Point, legend, path_of
from surefoot.reporting.markup import EMPTY, element, join
from surefoot.reporting.words import number, share, short

MOST_CLASSES = 24
MOST_RUNGS = 5
NARROWEST = 54.0
"""Pixels that a share takes inside its part of a row."""


@dataclass(frozen=True)
class Dimension:
    """One upright axis of parallel coordinates: a scale of numbers, or rungs where there are names or few numbers."""

    title: str
    values: Sequence[float | str]
    is_log: bool = False


def confusion(title: str, counts: Sequence[Sequence[int]], names: Sequence[str]) -> Markup:
    """Counts by class: rows are the truth, columns what was said; the colour is the share of the row."""
    if not counts:
        return EMPTY
    size = len(counts)
    left = min(140.0, 18 + CHAR_WIDTH * max(len(name) for name in names[:size]))
    cell = min(64.0, (520 - left - 10) / size)
    top = 34.0
    below = top + cell * size
    cells = [_cell(counts, names, (row, column), (left + column * cell, top + row * cell, cell)) for row in range(size) for column in range(size)]
    is_tilted = cell < CHAR_WIDTH * max(len(short(name, 14)) for name in names[:size])
    rows = [_named(names[i], left - 7, top + (i + 0.5) * cell + 4, "end") for i in range(size)]
    columns = [_column_name(names[i], left + (i + 0.5) * cell, below, is_tilted) for i in range(size)]
    width = left + cell * size + 10
    titles = [text(6, 16, "truth ↓   predicted →", "axis-title")]
    height = below + (min(100.0, 20 + CHAR_WIDTH * 0.7 * max(len(short(name, 14)) for name in names[:size])) if is_tilted else 26)
    return picture(title, join([*cells, *rows, *columns, *titles]), max(width, 200.0), height)


def _cell(counts: Sequence[Sequence[int]], names: Sequence[str], at: tuple[int, int], box: tuple[float, float, float]) -> Markup:
    (row, column), (x, y, side) = at, box
    count, total = counts[row][column], sum(counts[row])
    portion = count / total if total else 0.0
    verb = "right" if row == column else f"called {names[column]}"
    told = element("title", f"{names[row]}: {count:,} of {total:,} {verb} ({share(portion)})")
    tone = "t1" if row == column else "t2"
    opacity = 0.0 if not count else 0.1 + 0.9 * portion
    square = element("rect", x=x, y=y, width=side - 1.5, height=side - 1.5, rx=2, class_="cell")
    heat = element("rect", told, x=x, y=y, width=side - 1.5, height=side - 1.5, rx=2, class_=f"heat {tone}", style=f"fill-opacity:{opacity:.2f}")
    if side < 20 or not count:
        return square + heat
    return square + heat + text(x + side / 2 - 0.75, y + side / 2 + 4, number(count), "cell-text strong" if opacity > 0.6 else "cell-text", "middle")


def _named(name: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", short(name, 17), element("title", name), x=x, y=y, class_="label", text_anchor=anchor)


def _column_name(name: str, x: float, below: float, is_tilted: bool) -> Markup:
    if not is_tilted:
        return _named(short(name, 14), x, below + 18, "middle")
    turned = f"rotate(-45 {x:.1f} {below + 14:.1f})"
    return element("text", short(name, 14), element("title", name), x=x + 4, y=below + 14, class_="label", text_anchor="end", transform=turned)


def heat(title: str, shares: Sequence[Sequence[float]], names: Sequence[str], told: Sequence[Sequence[str]]) -> Markup:
    """A square of shares in [0, 1], rows and columns by the same names; `told` is said of each cell."""
    size = len(names)
    left = min(150.0, 18 + CHAR_WIDTH * max(len(short(name, 17)) for name in names))
    cell = min(64.0, (460 - left - 10) / size)
    pieces = []
    for row in range(size):
        pieces.append(_named(names[row], left - 7, 8 + (row + 0.5) * cell + 4, "end"))
        for column in range(size):
            x, y, part = left + column * cell, 8 + row * cell, shares[row][column]
            box = element("rect", element("title", told[row][column]), x=x, y=y, width=cell - 1.5, height=cell - 1.5, rx=2, class_="cell")
            lit = element("rect", x=x, y=y, width=cell - 1.5, height=cell - 1.5, rx=2, class_="heat t1 still", style=f"fill-opacity:{0.9 * part:.2f}")
            label = text(x + cell / 2 - 0.75, y + cell / 2 + 4, f"{part:.0%}", "cell-text strong" if part > 0.6 else "cell-text", "middle")
            pieces.append(box + lit + (label if cell >= 34 else EMPTY))
    below = 8 + cell * size
    is_tilted = cell < CHAR_WIDTH * max(len(short(name, 14)) for name in names)
    pieces += [_column_name(name, left + (i + 0.5) * cell, below, is_tilted) for i, name in enumerate(names)]
    height = below + (min(100.0, 20 + CHAR_WIDTH * 0.7 * max(len(short(name, 14)) for name in names)) if is_tilted else 26)
    return picture(title, join(pieces), 460, height)


def worst_confused(counts: Sequence[Sequence[int]], names: Sequence[str], most: int = MOST_CLASSES) -> tuple[list[list[int]], list[str]]:
    """Where there are too many classes to read, those with the most errors, in their order."""
    size = len(counts)
    if size <= most:
        return [list(row) for row in counts], list(names)
    wrong = [sum(counts[i]) + sum(row[i] for row in counts) - 2 * counts[i][i] for i in range(size)]
    kept = sorted(sorted(range(size), key=lambda i: -wrong[i])[:most])
    return [[counts[row][column] for column in kept] for row in kept], [names[i] for i in kept]


def stacked(title: str, parts: Sequence[tuple[str, int]]) -> Markup:
    """Parts of a whole in one row, e.g. the sizes of the sets."""
    total = sum(count for _, count in parts)
    if total <= 0:
        return EMPTY
    pieces: list[Markup] = []
    keys: list[tuple[str, int, bool]] = []
    at = 0.0
    for tone, (name, count) in enumerate(parts, start=1):
        width = 460 * count / total
        told = element("title", f"{name}: {count:,} ({share(count / total)})")
        pieces.append(element("rect", told, x=at, y=4, width=max(width - 2, 1), height=40, rx=3, class_=f"fill t{tone}"))
        if width > NARROWEST:
            pieces.append(text(at + width / 2, 29, share(count / total), "cell-text strong", "middle"))
        beside = "" if width > NARROWEST else f" ({share(count / total)})"
        keys.append((f"{name}: {count:,}{beside}", tone, False))
        at += width
    return picture(title, join(pieces), 460, 48) + legend(keys)


def parallel(title: str, dimensions: Sequence[Dimension], results: Sequence[float], result: Axis, *, smaller_is_better: bool = False) -> Markup:
    """A line per trial across one upright axis per setting, ending at its result; the better, the stronger.

    Source: Inselberg, The plane with parallel coordinates, 1985.
    """
    if len(results) < 2 or not dimensions:
        return EMPTY
    gap = max(110.0, 820.0 / len(dimensions))
    left, top, floor = 56.0, 44.0, 270.0
    places = [_upright(dimension, top, floor) for dimension in dimensions]
    last = fit_scale(result, results, floor, top)
    xs = [left + gap * i for i in range(len(dimensions) + 1)]
    order = sorted(range(len(results)), key=lambda i: results[i], reverse=smaller_is_better)
    traces = []
    for rank, i in enumerate(order):
        points = [(x, heights[i]) for x, (heights, _) in zip(xs, places)] + [(xs[-1], last(results[i]))]
        best = rank == len(order) - 1
        told = ", ".join(f"{d.title} {_said(d.values[i])}" for d in dimensions) + f": {result.title} {number(results[i])}"
        opacity = 1.0 if best else 0.12 + 0.5 * (rank / len(order)) ** 2
        kind = "trace best t2" if best else "trace t1"
        traces.append(element("path", element("title", told), d=_smooth(points), class_=kind, style=f"stroke-opacity:{opacity:.2f}"))
    axes = [_draw_upright(x, d.title, labels, (top, floor)) for x, d, (_, labels) in zip(xs, dimensions, places)]
    axes.append(_draw_upright(xs[-1], result.title, [(last(value), label) for value, label in last.ticks()], (top, floor)))
    whole = picture(title, join([*traces, *axes]), xs[-1] + 60, floor + 16, "chart broad")
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=title)


def _said(value: float | str) -> str:
    return value if isinstance(value, str) else number(value)


def _upright(dimension: Dimension, top: float, floor: float) -> tuple[list[float], list[tuple[float, str]]]:
    """The height of each value on the axis, and the labels beside it."""
    numbers = [value for value in dimension.values if not isinstance(value, str)]
    if len(numbers) == len(dimension.values) and len(set(numbers)) > MOST_RUNGS:
        scale = fit_scale(Axis(dimension.title, is_log=dimension.is_log), numbers, floor, top)
        return [scale(value) for value in numbers], [(scale(value), label) for value, label in scale.ticks(4)]
    names = [_said(value) for value in sorted(set(dimension.values), key=lambda value: (isinstance(value, str), value))]
    rung = Scale(Axis(dimension.title), 0, max(1, len(names) - 1), floor - 20, top + 20)
    heights = {name: rung(i) for i, name in enumerate(names)}
    return [heights[_said(value)] for value in dimension.values], [(height, short(name or "none", 14)) for name, height in heights.items()]


def _draw_upright(x: float, title: str, labels: Sequence[tuple[float, str]], ends: tuple[float, float]) -> Markup:
    ticks = [line((x - 4, height), (x + 4, height), "upright") for height, _ in labels]
    names = [text(x - 6, height - 6, label, "tick halo", "end") for height, label in labels]  # above the level at which lines arrive
    return join([line((x, ends[0]), (x, ends[1]), "upright"), *ticks, *names, text(x, 20, short(title, 16), "axis-title", "middle")])


def _smooth(points: Sequence[Point]) -> str:
    """A curve that leaves and meets each axis level, so that lines can be followed by eye."""
    steps = [path_of(points[:1])]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        steps.append(f"C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}")
    return "".join(steps) if all(math.isfinite(value) for point in points for value in point) else ""
