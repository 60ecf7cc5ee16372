"""Boxes as they are drawn -> boxes that may be learned from: held against the real picture, clipped, and refused with a reason.

What is decided here, once for every format. A box is refused if its class is unknown, a corner is no finite number, it has no width or
height, or less than a quarter of it lies inside the picture; what else reaches beyond is clipped. A picture whose annotation states
another size than it has is refused whole: nobody knows which of the two the boxes belong to. A picture without boxes is a negative.

Letters: M boxes, K classes, H W pixels of the upright picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from surefoot.types.source import KEPT_FRAC, Boxes, Drawing, ImageSource, ItemError, Refused

WRONG_TYPE, CORRUPT, ODD_SIZE = "data.wrong_type", "data.corrupt_item", "data.odd_size"
UPRIGHT = 1


@dataclass(frozen=True)
class Settled:
    """The boxes of one picture, held against it.

    Attributes:
        size: width and height of the upright picture.
        refused: boxes that are not used: the picture's place with the number and class of the box, or the place in the annotation.
        num_clipped: boxes that reached beyond the picture; overshoot: by how many pixels at most.
        num_repeated: boxes that repeated another one and were dropped.
        turn: "" for an upright picture, "turned" where boxes were turned with it, "unclear" where nothing says how they were drawn, else "drawn upright".
    """

    boxes: Boxes
    size: tuple[int, int]
    refused: list[Refused] = field(default_factory=list)
    num_clipped: int = 0
    overshoot: float = 0.0
    num_repeated: int = 0
    turn: str = ""


@dataclass(frozen=True)
class Pile:
    """The boxes of a whole source, by its rows; `refused` are the pictures that can't be used for their annotation."""

    settled: dict[int, Settled]
    refused: dict[int, Refused]


def no_boxes() -> Boxes:
    """None at all."""
    return Boxes(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, bool))


def join_boxes(parts: list[Boxes]) -> Boxes:
    """Those of several, one after another."""
    if not parts:
        return no_boxes()
    names = ("corners", "classes", "is_difficult", "is_crowd")
    return Boxes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def count_classes(boxes: Boxes, num_classes: int) -> np.ndarray:
    """Boxes of each class: float64 (K,)."""
    return np.bincount(boxes.classes[boxes.classes >= 0], minlength=num_classes).astype(np.float64)


def settle_all(source: ImageSource, seen: Mapping[int, tuple[int, int, int]]) -> Pile:
    """Holds the boxes of every picture that can be read against it.

    Args:
        source: with annotations.
        seen: row -> width and height of the upright picture, and its EXIF orientation.
    """
    assert source.annotations is not None
    settled, refused = {}, {}
    for row, (width, height, turn) in seen.items():
        drawing = source.annotations.drawings[row]
        try:
            settled[row] = settle(drawing, (width, height), turn, source.annotations.classes, source.places[row])
        except ItemError as error:
            refused[row] = Refused(source.places[row], error.reason, error.code)
    return Pile(settled, refused)


def settle(drawing: Drawing, size: tuple[int, int], turn: int, classes: tuple[str, ...], place: str) -> Settled:
    """Holds the boxes of one picture against it.

    Args:
        drawing: as the annotation has it.
        size: width and height of the upright picture.
        turn: its EXIF orientation.
        classes: the known ones. place: of the picture, for what is refused.

    Raises:
        ItemError: the annotation states another size than the picture has.
    """
    corners, turned = _turn_with(drawing, size, turn)
    boxes = Boxes(corners, drawing.boxes.classes, drawing.boxes.is_difficult, drawing.boxes.is_crowd)
    refused = _find_faults(boxes, size, classes, place)
    is_good = np.ones(len(boxes), bool)
    is_good[list(refused)] = False
    good = boxes.take(is_good)
    clipped = clip(good.corners, size)
    overshoot = np.abs(good.corners - clipped).max(1, initial=0.0)
    good = Boxes(clipped, good.classes, good.is_difficult, good.is_crowd)
    first = _find_first(good)
    return Settled(
        boxes=good.take(first),
        size=size,
        refused=[*refused.values(), *drawing.refused],
        num_clipped=int((overshoot > 0).sum()),
        overshoot=float(overshoot.max(initial=0.0)),
        num_repeated=len(good) - len(first),
        turn=turned,
    )


def clip(corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Corners (M, 4) moved into a picture of this width and height."""
    return np.clip(corners, 0.0, np.asarray([*size, *size], np.float64))


def measure_areas(corners: np.ndarray) -> np.ndarray:
    """Square pixels of each box, 0 where it has no width or height: float64 (M,)."""
    return np.clip(corners[:, 2] - corners[:, 0], 0, None) * np.clip(corners[:, 3] - corners[:, 1], 0, None)


def turn_corners(corners: np.ndarray, size: tuple[int, int], turn: int) -> np.ndarray:
    """Corners drawn on the stored picture as they lie on the upright one (CIPA DC-008, tag 274): what `pictures.decode` does to pixels.

    Args:
        size: width and height of the upright picture.
        turn: EXIF orientation, 1 to 8.
    """
    x0, y0, x1, y1 = corners.T
    if turn in (5, 6, 7, 8):
        x0, y0, x1, y1 = y0, x0, y1, x1
    width, height = size
    if turn in (2, 3, 6, 7):
        x0, x1 = width - x1, width - x0
    if turn in (3, 4, 7, 8):
        y0, y1 = height - y1, height - y0
    return np.stack([x0, y0, x1, y1], 1)


def _turn_with(drawing: Drawing, size: tuple[int, int], turn: int) -> tuple[np.ndarray, str]:
    """Corners in pixels of the upright picture.

    The stated size says whether the boxes were drawn on the picture as stored or upright. Where it can't (no size, a square, a half turn)
    they are taken as drawn upright: that is how annotation tools and browsers show a picture.
    """
    with np.errstate(over="ignore"):
        corners = drawing.boxes.corners * np.asarray([*size, *size], np.float64) if drawing.is_relative else drawing.boxes.corners
    stored = size[::-1] if turn in (5, 6, 7, 8) else size
    if drawing.size != (0, 0) and drawing.size not in (size, stored):
        stated, real = (f"{one[0]} x {one[1]}" for one in (drawing.size, size))
        raise ItemError(f"its annotation was drawn on {stated} pixels, the picture has {real}", ODD_SIZE)
    if turn == UPRIGHT or not 1 < turn <= 8:
        return corners, ""
    if drawing.size == (0, 0) or stored == size:
        return corners, "unclear"
    return (turn_corners(corners, size, turn), "turned") if drawing.size == stored else (corners, "drawn upright")


def _find_first(boxes: Boxes) -> np.ndarray:
    """Positions of the boxes that repeat no earlier one."""
    if len(boxes) < 2:
        return np.arange(len(boxes))
    rows = np.column_stack([boxes.classes, boxes.corners])
    return np.sort(np.unique(rows, axis=0, return_index=True)[1])


def _find_faults(boxes: Boxes, size: tuple[int, int], classes: tuple[str, ...], place: str) -> dict[int, Refused]:
    """Number of a box -> why it is refused."""
    faults: dict[int, Refused] = {}
    is_finite = np.isfinite(boxes.corners).all(1)
    plain = np.where(is_finite[:, None], boxes.corners, 0.0)
    is_known = (boxes.classes >= 0) & (boxes.classes < len(classes))
    with np.errstate(over="ignore", invalid="ignore"):  # coordinates may be anything; what is infinitely large lies outside
        sides = plain[:, 2:] - plain[:, :2]
        is_kept = measure_areas(clip(plain, size)) >= KEPT_FRAC * sides[:, 0] * sides[:, 1]
    for number in np.flatnonzero(~(is_finite & (sides > 0).all(1) & is_known & is_kept)).tolist():
        x0, y0, x1, y1 = boxes.corners[number].tolist()
        code = CORRUPT
        if not is_finite[number]:
            reason = "a corner is no finite number"
        elif x1 <= x0 or y1 <= y0:
            reason = f"its size is {x1 - x0:g} x {y1 - y0:g}"
        elif not is_known[number]:
            reason, code = "its class is none of the known ones", WRONG_TYPE
        else:
            reason = f"it lies outside its picture of {size[0]} x {size[1]} pixels: {x0:g}, {y0:g} to {x1:g}, {y1:g}"
        name = f" ({classes[boxes.classes[number]]})" if is_known[number] else ""
        faults[number] = Refused(f"{place}, box {number + 1}{name}", reason, code)
    return faults
