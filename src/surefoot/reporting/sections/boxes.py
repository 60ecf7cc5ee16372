"""Boxes on pages: how many, how large, of what shape; and pictures with their boxes drawn over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, bars, histogram, legend
from surefoot.reporting.markup import EMPTY, card, cards, element, facts, figure, join
from surefoot.reporting.pictures import encode_picture
from surefoot.reporting.views import Scene
from surefoot.reporting.words import number
from surefoot.types.data_reports import BoxProfile, PreparedData
from surefoot.types.problem import Problem

MOST_BARS = 24
TONES = 6
SHOWN_SIDE = 320
Drawn = Sequence[tuple[tuple[float, float, float, float], int]]


def show_boxes(profile: BoxProfile) -> Markup:
    """The explorer of the audit: classes, boxes per picture, sizes and shapes."""
    counted = [
        ("Boxes", number(profile.num_boxes)),
        ("Pictures without one", number(profile.num_negatives)),
        ("Boxes refused", number(len(profile.refused)) if profile.refused else None),
        ("Boxes clipped", number(profile.num_clipped) if profile.num_clipped else None),
        ("Boxes repeated", number(profile.num_repeated) if profile.num_repeated else None),
    ]
    return join([facts(counted), cards(_classes(profile), _per_picture(profile), _sides(profile), _shapes(profile))])


def show_drawn(report: PreparedData, scene: Scene) -> Markup:
    """Packed train pictures with their boxes, and one of them after each augmentation."""
    if not report.drawn or not scene.with_items:
        return EMPTY
    problem = scene.find(Problem)
    names = problem.classes if problem else ()
    rows = []
    for title, ids in report.sample.items():
        tiles = [boxed_tile(scene.pictures[id], report.drawn[id], names, _caption(id)) for id in ids if id in scene.pictures and id in report.drawn]
        if tiles:
            rows.append(element("div", element("h4", title), element("div", *tiles, class_="tiles")))
    if not rows:
        return EMPTY
    keys = legend([(name, tone(k), False) for k, name in enumerate(names[:MOST_BARS])])
    note = "Train pictures as they are packed, those with rare classes first. Does each box hold what it says? Do boxes follow their picture when it is moved?"
    return card("A look at the boxes", join([keys, element("div", *rows, class_="drawn")]), note, wide=True)


def boxed_tile(pixels: np.ndarray, boxes: Drawn, names: Sequence[str], caption: str = "") -> Markup:
    """A picture with its boxes over it, each in the colour of its class and with its name.

    Args:
        pixels: uint8 (H, W) or (H, W, 3). boxes: (x0, y0, x1, y1) in its pixels, and the number of the class.
    """
    height, width = pixels.shape[:2]
    drawn = [
        element("rect", element("title", _name(kind, names)), x=x0, y=y0, width=x1 - x0, height=y1 - y0, class_=f"box t{tone(kind)}")
        for (x0, y0, x1, y1), kind in boxes
    ]
    picture = element("image", href=encode_picture(pixels, SHOWN_SIDE), width=width, height=height)
    count = f"a picture with {len(boxes)} boxes"
    svg = element("svg", picture, *drawn, viewBox=f"0 0 {width} {height}", role="img", aria_label=count)
    return element("figure", svg, element("figcaption", caption) if caption else None, class_="tile boxed")


def tone(kind: int) -> int:
    """The colour of a class: there are six, in turn."""
    return kind % TONES + 1


def _name(kind: int, names: Sequence[str]) -> str:
    return names[kind] if kind < len(names) else f"class {kind}"


def _caption(id: str) -> str:
    """What was done to the picture, where something was."""
    return id.partition(" ")[2]


def _classes(profile: BoxProfile) -> Markup:
    entries = sorted(profile.classes.items(), key=lambda entry: -entry[1][0])
    total = profile.num_boxes or 1
    rows = [Bar(name, count, text=f"{count:,} ({100 * count / total:.0f} %)") for name, (count, _) in entries[:MOST_BARS]]
    left_out = f" The {MOST_BARS} largest of {len(entries)} classes." if len(entries) > MOST_BARS else ""
    on = ", ".join(f"{name} {pictures:,}" for name, (_, pictures) in entries[:6])
    return figure("Boxes per class", bars("Boxes per class", rows, Axis("boxes", is_whole=True)), f"Pictures that hold one: {on}.{left_out}")


def _per_picture(profile: BoxProfile) -> Markup:
    if not profile.per_picture:
        return EMPTY
    rows = [Bar(name, count) for name, count in profile.per_picture.items()]
    return figure("Boxes per picture", bars("Pictures by their number of boxes", rows, Axis("pictures", is_whole=True)), "Outside a given test set.")


def _sides(profile: BoxProfile) -> Markup:
    if not sum(profile.sides):
        return EMPTY
    chart = histogram("Histogram of box sizes", list(profile.sides), profile.side_edges, Axis("square root of the area, in pixels"))
    return figure("Box sizes", chart, "In pixels of the pictures as they came. Small boxes may be lost when pictures are made smaller.")


def _shapes(profile: BoxProfile) -> Markup:
    if not profile.shapes:
        return EMPTY
    rows = [Bar(name, count) for name, count in profile.shapes.items()]
    return figure("Box shapes", bars("Boxes by width to height", rows, Axis("boxes", is_whole=True)), "Width to height: 2:1 is twice as wide as high.")
