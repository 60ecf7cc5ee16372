"""Pictures as JPEG files inside a pack, a sixth of the bytes or less; decoded a batch at a time by threads, for decoders work without the interpreter's lock.

`simplejpeg`, where it is installed (the extra `[jpeg]`), and Pillow give the same pixels, for both hold libjpeg-turbo; the first writes them straight into the
batch: 0.22 instead of 0.36 ms of a core for a photo of 224 pixels.
"""

from __future__ import annotations

import importlib
import os
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

_PARTS = 4
"""Tasks per thread and batch: enough that none waits long for the last one."""
_FRAME, _SCAN, _END = (0xC0, 0xC1), 0xDA, b"\xff\xd9"
"""Markers of ITU-T T.81: a frame that is decoded in one go (baseline, extended), the scan of its pixels, the end of the picture."""
_NEEDED = frozenset([0xC4, 0xDB, 0xDD, 0xE0, 0xEE, *_FRAME])
"""Segments that say how pixels are decoded: tables, restart interval, and what JFIF and Adobe say of the colours."""


def encode(picture: np.ndarray, quality: int) -> bytes:
    """A picture uint8 (C, H, W), C of 1 or 3, as a JPEG file; quality 1 to 100 as libjpeg counts, colours at half the resolution."""
    pixels = picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0))
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def keep(file: bytes, picture: np.ndarray) -> bytes:
    """The file itself, if it is a JPEG file of just these pixels: they need not be encoded a second time, which loses some. Nothing where it is not.

    What is no part of the picture (place and camera, preview, colour profile, whatever follows the end) is left out. A progressive file is not kept:
    decoding it takes three times as long.

    Args:
        picture: uint8 (C, H, W), what the file was decoded to.
    """
    try:
        plain = _strip(file, picture.shape)
        if not plain:
            return b""
        found = allocate(1, picture.shape)
        _decode_some([plain], found)
    except (IndexError, OSError, SyntaxError, ValueError, struct.error):
        return b""
    return plain if np.array_equal(found[0], picture) else b""


def _strip(file: bytes, shape: tuple[int, ...]) -> bytes:
    """The segments of a JPEG file that its pixels need; nothing if it is none, or of another shape (C, H, W)."""
    if file[:2] != b"\xff\xd8":
        return b""
    kept, at = [file[:2]], 2
    while file[at] == 0xFF:
        marker, length = struct.unpack_from(">xBH", file, at)
        if marker == _SCAN:
            end = file.index(_END, at) + 2  # pixels never look like a marker: a 0 follows each 255 of theirs
            return b"".join([*kept, file[at:end]])
        if marker in _FRAME and struct.unpack_from(">BHHB", file, at + 4) != (8, *shape[1:], shape[0]):
            return b""
        if 0xC0 <= marker <= 0xCF and marker not in _NEEDED:
            return b""
        if marker in _NEEDED:
            kept.append(file[at : at + 2 + length])
        at += 2 + length
    return b""


def allocate(num: int, shape: tuple[int, ...]) -> np.ndarray:
    """An array uint8 (N, C, H, W) to decode into. It lies in memory as decoders write, colours last, which is what convolutions like best too."""
    channels, height, width = shape
    return np.empty((num, height, width, channels), np.uint8).transpose(0, 3, 1, 2)


def decode_into(files: Sequence[Any], out: np.ndarray) -> None:
    """Decodes the bytes of N files into `out`, from `allocate`, on all cores; how many there are changes nothing in the pixels."""
    threads = os.cpu_count() or 1
    size = max(1, -(-len(files) // (threads * _PARTS)))
    if threads == 1 or len(files) <= size:
        _decode_some(files, out)
        return
    starts = range(0, len(files), size)
    list(_pool(threads).map(lambda start: _decode_some(files[start : start + size], out[start : start + size]), starts))


def _decode_some(files: Sequence[Any], out: np.ndarray) -> None:
    fast = _find_fast()
    mode, colours = ("L", "GRAY") if out.shape[1] == 1 else ("RGB", "RGB")
    size = (out.shape[3], out.shape[2])
    for file, target in zip(files, out.transpose(0, 2, 3, 1)):
        data = memoryview(file).cast("B")
        if fast:
            fast.decode_jpeg(data, colours, buffer=target, strict=False)
        elif _is_of(data, out.shape[1:]):  # Pillow's decoder alone, without opening a file
            # no name keeps picture or bytes, so that the next ones get their warm memory: 0.36 ms of a core for 224 pixels, 0.40 with names
            target[...] = np.frombuffer(Image.frombytes(mode, size, data, "jpeg", mode, "").tobytes(), np.uint8).reshape(target.shape)
        else:
            with Image.open(BytesIO(data), formats=("JPEG",)) as image:
                target[...] = np.asarray(image).reshape(target.shape)


def _is_of(file: memoryview, shape: tuple[int, ...]) -> bool:
    """Whether a file's frame has the shape (C, H, W), behind segments that libjpeg reads as this does: its decoder alone writes as much as the file says."""
    at, end = 2, len(file) - 10
    while at < end and file[at] == 0xFF and file[at + 1] in _NEEDED:
        if file[at + 1] in _FRAME:
            return file[:2] == b"\xff\xd8" and struct.unpack_from(">BHHB", file, at + 4) == (8, *shape[1:], shape[0])
        at += 2 + int.from_bytes(file[at + 2 : at + 4], "big")
    return False


@cache
def _find_fast() -> Any:
    """The module simplejpeg, or None without the extra `[jpeg]`."""
    try:
        return importlib.import_module("simplejpeg")
    except ImportError:
        return None


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="jpeg")
