"""Axes for charts: scales from values to pixels, ticks at round numbers, and the frame they make."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from surefoot.reporting.markup import EMPTY, element, join
from surefoot.reporting.words import MINUS, NBSP, number

WIDTH = 460
HEIGHT = 280
LARGEST, SMALLEST = 1e100, 1e-100
LEFT, RIGHT, TOP, BOTTOM = 58.0, 14.0, 30.0, 44.0


@dataclass(frozen=True)
class Axis:
    """What an axis shows.

    Attributes:
        title: the quantity, with its unit.
        low, high: its ends, where they are not to follow from the data.
        is_log: equal steps are equal factors; falls back to a plain axis where a value is not positive.
        is_share: fractions in [0, 1], written as percentages.
        is_whole: counts, between which there is nothing to mark.
    """

    title: str
    low: float | None = None
    high: float | None = None
    is_log: bool = False
    is_share: bool = False
    is_whole: bool = False

    def label(self, value: float, step: float = 0.0) -> str:
        """The text at a tick, with the decimals that the distance between ticks needs."""
        if self.is_log and not self.is_share:
            return _short_number(value)
        scaled, width = (value * 100, step * 100) if self.is_share else (value, step)
        decimals = max(0, math.ceil(-math.log10(width) - 1e-9)) if width > 0 else 0
        if not self.is_share and abs(scaled) >= 1e5:
            return _short_number(scaled)
        text = f"{scaled:,.{min(decimals, 8)}f}".replace("-", MINUS)
        return f"{text}{NBSP}%" if self.is_share else text


@dataclass(frozen=True)
class Scale:
    """Where values of an axis lie between two pixels."""

    axis: Axis
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        if self.axis.is_log:
            portion = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low)) if value > 0 else 0.0
        else:
            portion = (value - self.low) / (self.high - self.low)
        return self.start + portion * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[tuple[float, str]]:
        """About `count` round values inside the ends, each with its label."""
        if self.axis.is_log:
            return [(value, self.axis.label(value)) for value in log_ticks(self.low, self.high, count)]
        values = [value for value in linear_ticks(self.low, self.high, count) if not self.axis.is_whole or value.is_integer()]
        step = values[1] - values[0] if len(values) > 1 else 0.0
        return [(value, self.axis.label(value, step)) for value in values]


def _short_number(value: float) -> str:
    """A tick label that stays short: `20k`, `1.5M`, `1e-4`."""
    size = abs(value)
    for bound, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= bound and size < 1e13:
            return f"{number(value / bound, 3)}{unit}"
    if 0 < size < 1e-2 or size >= 1e13:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}".replace("-", MINUS)
    return number(value).rstrip("0").rstrip(".") if size < 1 else number(value)


def linear_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten between `low` and `high` (Heckbert, Graphics Gems, 1990)."""
    span = high - low
    raw = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.7)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Powers of ten between `low` and `high`, with 2 and 5 between them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for factors in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 5, 6, 7, 8, 9)):
        values = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
        inside = [value for value in values if low * 0.999 <= value <= high * 1.001]
        if len(inside) >= (3 if len(factors) < 3 else 2):
            break
    stride = max(1, math.ceil(len(inside) / (count + 2)))
    return inside[::stride]


def is_drawable(value: float) -> bool:
    """Whether a value can be placed on an axis: finite, and not so large that spans overflow."""
    return math.isfinite(value) and abs(value) < LARGEST


def fit_scale(axis: Axis, values: Iterable[float], start: float, end: float) -> Scale:
    """A scale that holds the finite values, with some air around them where the axis does not fix its ends."""
    finite = [value for value in values if is_drawable(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    if axis.is_log and low <= SMALLEST:
        axis = Axis(axis.title, axis.low, axis.high, is_share=axis.is_share)
    if axis.is_log:
        factor = (high / low) ** 0.05 if high > low else 2.0
        low, high = low / factor, high * factor
    else:
        largest = max(abs(low), abs(high))
        air = (high - low) * 0.06 if high - low > max(largest * 1e-9, SMALLEST) else largest * 0.1 if largest > SMALLEST else 0.5
        low, high = low - air, high + air
    if axis.is_share:
        low, high = max(low, 0.0) if min(finite, default=0.0) >= 0 else low, min(high, 1.0) if max(finite, default=1.0) <= 1 else high
    low, high = (low if axis.low is None else axis.low), (high if axis.high is None else axis.high)
    return Scale(axis, low, high if high > low else low + 1.0, start, end)


@dataclass(frozen=True)
class Plane:
    """Two scales at a right angle, and the size of the picture they span."""

    x: Scale
    y: Scale
    height: int = HEIGHT

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixel of a point."""
        return self.x(x), self.y(y)


def fit_plane(x: Axis, xs: Sequence[float], y: Axis, ys: Sequence[float], height: int = HEIGHT) -> Plane:
    """A plane that holds the given values."""
    return Plane(fit_scale(x, xs, LEFT, WIDTH - RIGHT), fit_scale(y, ys, height - BOTTOM, TOP), height)


def picture(title: str, content: Markup, width: float = WIDTH, height: float = HEIGHT, kind: str = "chart") -> Markup:
    """An SVG that scales with its card and is read aloud by its title."""
    return element("svg", content, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=title, class_=kind)


def text(x: float, y: float, content: str, kind: str = "tick", anchor: str | None = None) -> Markup:
    """A label inside a chart; `anchor` is `middle` or `end`."""
    return element("text", content, x=x, y=y, class_=kind, text_anchor=anchor)


def line(start: tuple[float, float], end: tuple[float, float], kind: str) -> Markup:
    """A straight line between two pixels."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], class_=kind)


def draw_plane(title: str, plane: Plane, marks: Markup) -> Markup:
    """Grid, ticks and titles of a plane, with the marks upon them."""
    left, right, floor, ceiling = plane.x.start, plane.x.end, plane.y.start, plane.y.end
    rows = [
        join([line((left, plane.y(value)), (right, plane.y(value)), "grid"), text(left - 8, plane.y(value) + 4, label, anchor="end")])
        for value, label in plane.y.ticks()
    ]
    columns = [
        join([line((plane.x(value), floor), (plane.x(value), floor + 4), "axis"), text(plane.x(value), floor + 17, label, anchor="middle")])
        for value, label in plane.x.ticks()
    ]
    names = [text(6, 14, plane.y.axis.title, "axis-title"), text((left + right) / 2, plane.height - 6, plane.x.axis.title, "axis-title", "middle")]
    edge = line((left, floor), (right, floor), "axis")
    return picture(title, join([*rows, edge, *columns, marks, *names]), height=plane.height) if floor > ceiling else EMPTY
