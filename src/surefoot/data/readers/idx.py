"""IDX files, as MNIST comes (format: LeCun, Cortes and Burges, the MNIST database page): big-endian header, then the numbers."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np

from surefoot.data.nearest import quote_some
from surefoot.data.readers import fingerprint
from surefoot.data.readers.blocks import Block, open_blocks
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
NAME = re.compile(r"idx\d-ubyte(\.gz)?$", re.IGNORECASE)
SETS = (("train", re.compile("train")), ("test", re.compile("t10k|test")), ("val", re.compile("val")))
DEFLATE_LIMIT = 1032
"""Deflate can't shrink anything to less than 1/1032 (zlib, technical details): a header that promises more is wrong."""


def is_idx(head: bytes) -> bool:
    """Whether a file's (unpacked) first bytes are an IDX header: two zeros, a known type, 1 to 4 axes."""
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= 4


def list_idx(path: Path) -> list[Path]:
    """Files directly in a folder that are named like IDX files, sorted."""
    return sorted(file for file in path.iterdir() if NAME.search(file.name) and file.is_file())


def open_idx_folder(path: Path) -> ImageSource:
    """Reads every pair of pictures and labels of a folder; `train` and `t10k` (or `test`) in the names are the given sets.

    Raises:
        DataError: no pictures, labels missing, two files for one set, or a file that isn't what its header says.
    """
    files: dict[str, Path] = {}
    for file in list_idx(path):
        if "images" in file.name and file.with_name(file.name.removesuffix(".gz")) not in files.values():
            name = _name_set(file.name)
            if name in files:
                raise DataError(
                    f'{path.name}/ holds two files of pictures for the same set: "{files[name].name}" and "{file.name}".',
                    where=str(path),
                    next=f'Name one of them: source = "{path.name}/{file.name}".',
                )
            files[name] = file
    if not files:
        raise DataError(
            f"{path.name}/ holds IDX files ({quote_some(file.name for file in list_idx(path))}) but none named like pictures.",
            where=str(path),
            next="Looked for names such as train-images-idx3-ubyte.gz and t10k-images-idx3-ubyte.gz.",
        )
    return _open_pairs([(files[name], name) for name in ("", "train", "val", "test") if name in files], path)


def open_idx_file(path: Path) -> ImageSource:
    """Reads one file of pictures and the labels beside it; no given set.

    Raises:
        DataError: as for folders.
    """
    return _open_pairs([(path, "")], path)


def read_idx(path: Path) -> np.ndarray:
    """Reads one IDX file, gzip or plain, as an array in native byte order.

    Raises:
        DataError: a wrong magic number, or more or fewer bytes than the header says.
    """
    is_packed = path.suffix == ".gz"
    try:
        with gzip.open(path, "rb") if is_packed else open(path, "rb") as file:
            head = file.read(4)
            if not is_idx(head):
                raise _explain(path, f"begins with the bytes {head.hex(' ') or '(none)'}, which is no IDX header")
            shape = struct.unpack(f">{head[3]}I", file.read(4 * head[3]))
            dtype = np.dtype(TYPES[head[2]])
            expected = math.prod(shape) * dtype.itemsize
            if expected > path.stat().st_size * (DEFLATE_LIMIT if is_packed else 1):
                raise _explain(path, f"is truncated: its header says {shape}, {expected:,} bytes, but the file has {path.stat().st_size:,}")
            data = file.read(expected + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
        raise _explain(path, f"is truncated or damaged: {error}") from error
    if len(data) != expected:
        relation = "fewer" if len(data) < expected else "more"
        raise _explain(path, f"holds {relation} bytes of numbers than the {expected:,} its header says, shape {shape}")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _open_pairs(pairs: list[tuple[Path, str]], where: Path) -> ImageSource:
    blocks, files = [], []
    for images, given_set in pairs:
        beside = _find_labels(images)
        pixels, targets = read_idx(images), read_idx(beside)
        if pixels.ndim < 3 or targets.ndim != 1:
            raise _explain(images, f"has {pixels.ndim} axes and its labels have {targets.ndim}; pictures have 3 or 4, labels 1")
        blocks.append(Block(images.name, pixels, targets, given_set))
        files += [images, beside]
    return open_blocks(blocks, fingerprint.of_files(files), where.name)


def _find_labels(images: Path) -> Path:
    """`train-images-idx3-ubyte.gz` -> `train-labels-idx1-ubyte`, packed or not."""
    if "images" not in images.name:
        raise DataError(
            f"{images.name} is not named like a file of pictures, so its labels can't be found.",
            where=str(images),
            next='Name the file of pictures, e.g. train-images-idx3-ubyte.gz; its labels lie beside it under the same name with "labels".',
        )
    name = re.sub(r"idx\d", "idx1", images.name.replace("images", "labels")).removesuffix(".gz")
    for candidate in (images.with_name(name), images.with_name(name + ".gz")):
        if candidate.is_file() and candidate != images:
            return candidate
    raise DataError(
        f"Labels are missing: there is no {name} (or .gz) beside {images.name}.", where=str(images), next="Put the file of labels beside the pictures."
    )


def _name_set(name: str) -> str:
    return next((given for given, pattern in SETS if pattern.search(name.lower())), "")


def _explain(path: Path, what: str) -> DataError:
    return DataError(f"{path.name} {what}.", where=str(path), next="Copy or download it again, and compare its checksum with the original's.")
