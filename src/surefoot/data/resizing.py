"""From a picture of any size to the one size that the graph takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from surefoot.types.source import ItemError

_GAP = 3.0
"""Pillow shrinks by boxes first, down to so many times the wanted size: 6 to 11 times faster on 12 megapixels, at most 1 grey level from the full filter."""

_ROUNDING = 1e-6
"""Pixels by which a box that was computed differs from the one that was meant."""


def decode_image(array: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    """A picture as the graph takes it.

    A picture of the wanted size is not touched. Any other is brought to it as the recipe's `resize` says: `cover` (the default) scales it until it covers
    the wanted size, keeping its aspect ratio, and crops around its centre; `fit` scales it until it lies within, and leaves the rest black; `stretch`
    scales each side by itself. With `short_side`, `cover` brings the shorter side to so many pixels before it crops, whatever the size was.
    Grey is the luma of ITU-R 601, as Pillow's `L`.

    Args:
        array: uint8 (H, W) or (H, W, 3).

    Returns:
        uint8 (C, H, W); may share memory with `array`.

    Raises:
        ItemError: the array is no picture.
    """
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.size == 0 or array.shape[2:] not in ((), (3,)):
        raise ItemError(f"a picture is uint8 (H, W) or (H, W, 3), this is {array.dtype} {array.shape}", "data.wrong_type")
    if array.ndim == 3 and recipe["channels"] == 1:
        array = np.asarray(Image.fromarray(np.ascontiguousarray(array)).convert("L"))
    if array.shape[:2] != (recipe["height"], recipe["width"]) or recipe.get("short_side"):
        array = _RESIZE[recipe.get("resize", "cover")](array, recipe)
    if array.ndim == 3:
        return np.ascontiguousarray(array.transpose(2, 0, 1))
    return array[None] if recipe["channels"] == 1 else np.repeat(array[None], 3, axis=0)


def find_cover(h: int, w: int, recipe: Mapping[str, Any]) -> float:
    """By how much `cover` enlarges a picture of h x w pixels."""
    return max(float(max(recipe["height"] / h, recipe["width"] / w)), recipe.get("short_side", 0) / min(h, w))


def find_fit(h: int, w: int, recipe: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Where `fit` lays a picture of h x w pixels: top, left, height and width in the frame."""
    height, width = recipe["height"], recipe["width"]
    scale = min(height / h, width / w)
    inner = (min(height, max(1, round(h * scale))), min(width, max(1, round(w * scale))))
    return (height - inner[0]) // 2, (width - inner[1]) // 2, *inner


def _cover(array: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    """Scales and crops in one go: the centred box of the wanted aspect ratio is resampled."""
    (h, w), height, width = array.shape[:2], recipe["height"], recipe["width"]
    scale = find_cover(h, w, recipe)
    left, top = (w - width / scale) / 2, (h - height / scale) / 2
    return _resample(array, height, width, (max(left, 0.0), max(top, 0.0), min(w - left, w), min(h - top, h)))


def _fit(array: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    h, w = array.shape[:2]
    top, left, height, width = find_fit(h, w, recipe)
    made = np.zeros((recipe["height"], recipe["width"], *array.shape[2:]), np.uint8)
    made[top : top + height, left : left + width] = _resample(array, height, width, (0, 0, w, h))
    return made


def _stretch(array: np.ndarray, recipe: Mapping[str, Any]) -> np.ndarray:
    return _resample(array, recipe["height"], recipe["width"], (0, 0, array.shape[1], array.shape[0]))


_RESIZE = {"cover": _cover, "fit": _fit, "stretch": _stretch}


def _resample(array: np.ndarray, height: int, width: int, box: tuple[float, float, float, float]) -> np.ndarray:
    """A box (left, top, right, bottom) of a picture in another size: Lanczos where it shrinks, bicubic where it grows."""
    shrinks = width < box[2] - box[0] - _ROUNDING or height < box[3] - box[1] - _ROUNDING
    how = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize((width, height), how, box, reducing_gap=_GAP))
