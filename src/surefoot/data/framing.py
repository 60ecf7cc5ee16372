"""Where boxes lie when their picture was brought to the packed size, and how a pack holds them.

A pack holds the boxes of each picture as a ragged field with a row per box: x0, y0, x1, y1 in pixels of the packed picture, the class counted from 1, so
that a row of zeros is no box, and 1 where it is difficult, or a crowd.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.data.boxes import clip, measure_areas
from surefoot.data.resizing import find_cover, find_fit
from surefoot.types.data_reports import FieldSpec
from surefoot.types.source import KEPT_FRAC, Boxes

BOXES = "boxes"
COLUMNS = ("x0", "y0", "x1", "y1", "class", "is_difficult", "is_crowd")


@dataclass(frozen=True)
class Frame:
    """From pixels of the picture to pixels of the frame: x * scale_x + left, y * scale_y + top."""

    scale_x: float
    scale_y: float
    left: float
    top: float


def choose_frame(size: tuple[int, int], recipe: Mapping[str, Any]) -> Frame:
    """Where a picture of this width and height comes to lie by an image recipe: what `resizing.decode_image` does to its pixels."""
    (width, height), (wanted_width, wanted_height) = size, (recipe["width"], recipe["height"])
    if size == (wanted_width, wanted_height) and not recipe.get("short_side"):
        return Frame(1.0, 1.0, 0.0, 0.0)
    resize = recipe.get("resize", "cover")
    if resize == "stretch":
        return Frame(wanted_width / width, wanted_height / height, 0.0, 0.0)
    if resize == "fit":
        top, left, inner_height, inner_width = find_fit(height, width, recipe)
        return Frame(inner_width / width, inner_height / height, left, top)
    scale = find_cover(height, width, recipe)
    return Frame(scale, scale, (wanted_width - width * scale) / 2, (wanted_height - height * scale) / 2)


def frame_boxes(boxes: Boxes, size: tuple[int, int], recipe: Mapping[str, Any]) -> Boxes:
    """The boxes in pixels of the frame; those of which cropping leaves less than a quarter are dropped.

    Args:
        size: width and height of the picture that they are drawn on.
    """
    frame = choose_frame(size, recipe)
    scale, shift = np.asarray([frame.scale_x, frame.scale_y] * 2), np.asarray([frame.left, frame.top] * 2)
    moved = boxes.corners * scale + shift
    inside = clip(moved, (recipe["width"], recipe["height"]))
    return Boxes(inside, boxes.classes, boxes.is_difficult, boxes.is_crowd).take(measure_areas(inside) >= KEPT_FRAC * measure_areas(moved))


def boxes_field(boxes: Iterable[Boxes]) -> FieldSpec:
    """The field of a pack that holds these."""
    return FieldSpec(name=BOXES, shape=(max([1, *map(len, boxes)]), len(COLUMNS)), dtype="float32", names=COLUMNS, is_ragged=True)


def stack_boxes(boxes: Sequence[Boxes], field: FieldSpec) -> np.ndarray:
    """The boxes of N pictures as the field has them: float32 (N, most, 7)."""
    stacked = np.zeros((len(boxes), *field.shape), np.float32)
    for rows, one in zip(stacked, boxes):
        rows[: len(one)] = np.column_stack([one.corners, one.classes + 1, one.is_difficult, one.is_crowd])
    return stacked


def unstack_boxes(stacked: np.ndarray) -> list[Boxes]:
    """What `stack_boxes` stacked; corners are float32 numbers by now."""
    kept = (rows[rows[:, 4] > 0].astype(np.float64) for rows in stacked)
    return [Boxes(rows[:, :4], rows[:, 4].astype(np.int64) - 1, rows[:, 5] > 0, rows[:, 6] > 0) for rows in kept]
