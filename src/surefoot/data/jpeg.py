"""Pictures as JPEG files inside a pack, a sixth of the bytes or less; decoded a batch at a time by threads: Pillow decodes without the lock."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

_PARTS = 4
"""Tasks per thread and batch: enough that none waits long for the last one."""


def encode(picture: np.ndarray, quality: int) -> bytes:
    """A picture uint8 (C, H, W), C of 1 or 3, as a JPEG file; quality 1 to 100 as libjpeg counts, colours at half the resolution."""
    pixels = picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0))
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def decode_into(files: Sequence[Any], out: np.ndarray) -> None:
    """Decodes the bytes of N files into `out`, uint8 (N, C, H, W), on all cores; how many there are changes nothing in the pixels."""
    threads = os.cpu_count() or 1
    size = max(1, -(-len(files) // (threads * _PARTS)))
    if threads == 1 or len(files) <= size:
        _decode_some(files, out)
        return
    starts = range(0, len(files), size)
    list(_pool(threads).map(lambda start: _decode_some(files[start : start + size], out[start : start + size]), starts))


def _decode_some(files: Sequence[Any], out: np.ndarray) -> None:
    for file, target in zip(files, out):
        with Image.open(BytesIO(file), formats=("JPEG",)) as image:
            pixels = np.asarray(image)
        target[...] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="jpeg")
