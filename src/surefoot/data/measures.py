"""What one look at a picture tells, as a record of fixed size; in whole numbers, so that no order of work changes a bit of it.

Letters: N pictures, H W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.data.identity import hash_image

THUMB = 16
RECORD = np.dtype(
    [
        ("content", "S16"), ("height", "<u4"), ("width", "<u4"), ("is_colour", "?"),
        ("mode", "S8"), ("format", "S8"), ("turn", "u1"), ("bytes", "<u8"), ("taken", "<f8"),
        ("thumb", "u1", (THUMB, THUMB)), ("tint", "u1", (3,)), ("low", "u1"), ("high", "u1"),
        ("brightness", "<f4"), ("contrast", "<f4"), ("sharpness", "<f4"),
    ]
)  # fmt: skip
"""Of one picture: hash of its pixels; size; mode and format as in the file, EXIF orientation (1: upright), bytes of the file and EXIF time of the shot (seconds
since 1970), 0 where there is none; the grey picture in 16 x 16 means; mean red, green and blue; the grey values (0..255) that 2 % and 98 % of its pixels lie
below; mean grey (0..1); standard deviation of grey (0..1); and variance of the Laplacian over variance, which contrast does not change (after Pech-Pacheco et
al. 2000)."""

_SIDE = 256
"""Larger pictures are measured on means of blocks, so that a photo and its enlargement are judged alike."""
_TAILS = 0.02


def measure(images: Sequence[np.ndarray]) -> np.ndarray:
    """A record (N,) per picture, uint8 (H, W) or (H, W, 3); what a file says is that of pixels without one."""
    records = np.zeros(len(images), RECORD)
    small = [_shrink(image) for image in images]
    alike: dict[tuple[int, ...], list[int]] = {}
    for row, image in enumerate(small):
        alike.setdefault(image.shape, []).append(row)
    records["content"] = [hash_image(image).encode() for image in images]
    records["height"], records["width"] = [image.shape[0] for image in images], [image.shape[1] for image in images]
    records["is_colour"] = [image.ndim == 3 for image in images]
    records["mode"] = np.where(records["is_colour"], b"RGB", b"L")
    records["turn"] = 1
    for rows in alike.values():
        _measure_alike(records, rows, np.stack([small[row] for row in rows]))
    return records


def _shrink(image: np.ndarray) -> np.ndarray:
    """Means of square blocks, where a side is longer than 256: uint8, the same axes."""
    factor = -(-max(image.shape[:2]) // _SIDE)
    if factor == 1:
        return image
    height, width = max(image.shape[0] // factor, 1), max(image.shape[1] // factor, 1)
    tall, wide = min(factor, image.shape[0]), min(factor, image.shape[1])
    blocks = image[: height * tall, : width * wide].reshape(height, tall, width, wide, -1)
    means = (blocks.sum((1, 3), dtype=np.uint32) + tall * wide // 2) // (tall * wide)
    return means.astype(np.uint8).reshape(height, width, *image.shape[2:])


def _measure_alike(records: np.ndarray, rows: list[int], images: np.ndarray) -> None:
    """Fills in the records of pictures (N, H, W) or (N, H, W, 3) of one shape."""
    pixels = images.shape[1] * images.shape[2]
    grey = to_grey(images) if images.ndim == 4 else images
    counts = _count_greys(grey)
    greys = np.arange(256)
    total, squares = counts @ greys, counts @ (greys * greys)
    variance = (squares * pixels - total * total) / pixels**2
    reached = counts.cumsum(1)
    records["thumb"][rows] = make_thumbs(grey)
    tint = images.sum(1, dtype=np.uint32).sum(1, dtype=np.int64)  # over all pixels at once it takes ten times as long
    records["tint"][rows] = (tint.reshape(len(images), -1) + pixels // 2) // pixels
    records["low"][rows] = (reached >= _TAILS * pixels).argmax(1)
    records["high"][rows] = (reached >= (1 - _TAILS) * pixels).argmax(1)
    records["brightness"][rows] = total / pixels / 255
    records["contrast"][rows] = np.sqrt(variance) / 255
    records["sharpness"][rows] = np.where(variance > 0, _laplacian_variance(grey) / np.maximum(variance, 1e-9), 0)


def to_grey(images: np.ndarray) -> np.ndarray:
    """Luma of ITU-R 601, rounded: uint8 (..., 3) -> uint8 (...)."""
    red, green, blue = (images[..., channel].astype(np.uint32) for channel in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint8)


def make_thumbs(grey: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W) -> uint8 (N, 16, 16): means of blocks, the nearest pixel where a side is shorter."""
    sums, area = grey, np.ones((1, 1), np.int64)
    for axis in (1, 2):
        starts = np.arange(THUMB) * grey.shape[axis] // THUMB
        lengths = np.maximum(np.diff(np.append(starts, grey.shape[axis])), 1)
        sums = np.add.reduceat(sums, starts, axis=axis, dtype=np.uint32)
        area = area * (lengths[:, None] if axis == 1 else lengths[None, :])
    return ((sums + area // 2) // area).astype(np.uint8)


def _count_greys(grey: np.ndarray) -> np.ndarray:
    """int64 (N, 256): pixels of each grey value."""
    offsets = 256 * np.arange(len(grey)).reshape(-1, 1, 1)
    return np.bincount((grey + offsets).reshape(-1), minlength=256 * len(grey)).reshape(len(grey), 256)


def _laplacian_variance(grey: np.ndarray) -> np.ndarray:
    """float64 (N,), 0 where a picture has no inner pixel."""
    wide = grey.astype(np.int32)
    laplacian = wide[:, :-2, 1:-1] + wide[:, 2:, 1:-1] + wide[:, 1:-1, :-2] + wide[:, 1:-1, 2:] - 4 * wide[:, 1:-1, 1:-1]
    count = laplacian.shape[1] * laplacian.shape[2]
    if not count:
        return np.zeros(len(grey))
    total, squares = laplacian.sum((1, 2), dtype=np.int64), (laplacian * laplacian).sum((1, 2), dtype=np.int64)
    return np.asarray((squares * count - total * total) / count**2)
