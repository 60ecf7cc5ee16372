"""CIFAR's binary batches: records of a label (or two) and 3,072 bytes of pixels, red, green and blue planes of 32 x 32.

Format: Krizhevsky, The CIFAR-10 and CIFAR-100 datasets (page of the data). The Python version of the same data is pickled, and no pickle is loaded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from surefoot.data.nearest import quote_some
from surefoot.data.readers import fingerprint
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource

SIDE, PIXELS = 32, 3 * 32 * 32
LABELS = {1: 10, 2: 100}
"""Bytes of labels before the pixels -> classes: CIFAR-10 has one, CIFAR-100 a coarse and a fine one, of which the fine one is taken."""
NAMES = ("batches.meta.txt", "fine_label_names.txt")


def list_batches(path: Path) -> list[Path]:
    """Binary batches directly in a folder, sorted."""
    return sorted(file for file in path.iterdir() if file.suffix == ".bin" and file.is_file() and is_batch(file))


def is_batch(path: Path) -> bool:
    """Whether a file is whole records of one of the two lengths, with labels in range."""
    return path.suffix == ".bin" and bool(_label_bytes(path))


def is_pickle(head: bytes) -> bool:
    """Whether a file begins as a pickle of protocol 2 or later, with what a dictionary or list begins with."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and head[2:3] in b"}](c\x95\x8a"


def list_pickles(path: Path) -> list[Path]:
    """The pickled batches of CIFAR's Python version directly in a folder."""
    found = []
    for file in sorted(path.iterdir()):
        if file.is_file() and (file.name in ("train", "test", "test_batch") or file.name.startswith("data_batch_")) and not file.suffix:
            with open(file, "rb") as content:
                found += [file] if is_pickle(content.read(3)) else []
    return found


def refuse_pickles(files: list[Path]) -> DataError:
    """Why pickles are not read, and what to take instead."""
    return DataError(
        f"{quote_some((file.name for file in files), 3)} {'is a Python pickle' if len(files) == 1 else 'are Python pickles'}: "
        "loading one runs whatever code it holds, so none is ever loaded.",
        where=str(files[0].parent),
        next="Take the binary version of the data (CIFAR: cifar-10-binary.tar.gz), or save the arrays with np.savez(path, x=x, y=y).",
    )


def open_batches(paths: list[Path]) -> ImageSource:
    """Maps binary batches; `test` in a file's name makes its records the given test set where other files are there too.

    Raises:
        DataError: a file that is no whole records.
    """
    label_bytes = {_label_bytes(path) for path in paths}
    if len(label_bytes) != 1 or 0 in label_bytes:
        raise DataError("These are no batches of one kind.", where=quote_some(map(str, paths)), next="Give the files of CIFAR-10 or of CIFAR-100, whole.")
    width = label_bytes.pop()
    batches = [np.memmap(path, np.uint8, "r").reshape(-1, width + PIXELS) for path in paths]
    starts = np.cumsum([0, *map(len, batches)])
    labels = np.concatenate([batch[:, width - 1] for batch in batches]).astype(int).tolist()
    names = _read_names(paths[0].parent, LABELS[width])
    is_test = ["test" in path.name for path in paths]

    def read(row: int) -> np.ndarray:
        batch = int(np.searchsorted(starts, row, side="right")) - 1
        planes = batches[batch][row - starts[batch], width:].reshape(3, SIDE, SIDE)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))

    return ImageSource(
        places=[f"{path.name}[{row}]" for path, batch in zip(paths, batches, strict=True) for row in range(len(batch))],
        labels=[names[label] for label in labels] if names else labels,
        given_sets=["test" if test and not all(is_test) else "" for test, batch in zip(is_test, batches, strict=True) for _ in range(len(batch))],
        read=read,
        notes=["CIFAR-100: the fine labels are taken."] if width == 2 else [],
        fingerprint=fingerprint.of_files(paths),
    )


def _label_bytes(path: Path) -> int:
    """1 or 2 by the length of the records and the range of their labels; 0 where neither fits."""
    size = path.stat().st_size
    for width, classes in LABELS.items():
        if size and size % (width + PIXELS) == 0:
            records = np.memmap(path, np.uint8, "r").reshape(-1, width + PIXELS)
            if int(records[:, width - 1].max()) < classes:
                return width
    return 0


def _read_names(folder: Path, num: int) -> list[str]:
    for file in (folder / name for name in NAMES):
        if file.is_file() and file.stat().st_size < 2**16:
            names = [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
            if len(names) == num:
                return names
    return []
