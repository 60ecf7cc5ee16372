"""CIFAR's binary batches: records of a label (or two) and 3,072 bytes of pixels, red, green and blue planes of 32 x 32.

Format: Krizhevsky, The CIFAR-10 and CIFAR-100 datasets (page of the data). The Python version of the same data is pickled, and no pickle is loaded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surefoot.data.nearest import quote_some
from surefoot.data.readers import fingerprint
from surefoot.data.readers.encoding import read_words
from surefoot.data.readers.piles import Entry, Pile, split_path
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource

SIDE, PIXELS = 32, 3 * 32 * 32
LABELS = {1: 10, 2: 100}
"""Bytes of labels before the pixels -> classes: CIFAR-10 has one, CIFAR-100 a coarse and a fine one, of which the fine one is taken."""
MOST_NAMES_BYTES = 2**16
NAMES = ("batches.meta.txt", "fine_label_names.txt")
_NAMED = {1: re.compile(r"(data_batch_\d+|test_batch)\.bin"), 2: re.compile(r"(train|test)\.bin")}
"""How the batches of CIFAR-10 are called, and those of CIFAR-100, which many other files are too: they are known by the list of names beside them."""
_DUE = {"data_batch": 10_000, "test_batch": 10_000, "train": 50_000, "test": 10_000}
"""Records of the original files."""


@dataclass(frozen=True)
class Batch:
    """One file of records: its name, and its bytes as uint8 (N,), mapped or held by the archive they lie in."""

    name: str
    data: np.ndarray


def list_batches(path: Path) -> list[Path]:
    """Binary batches directly in a folder, sorted. Raises: as `is_batch`."""
    return sorted(file for file in path.iterdir() if file.suffix == ".bin" and file.is_file() and is_batch(file))


def is_batch(path: Path) -> bool:
    """Whether a file is whole records of one of the two lengths, with labels in range.

    Raises:
        DataError: it is called as CIFAR's are, and torn, or has labels that CIFAR has none of.
    """
    if path.suffix != ".bin":
        return False
    size = path.stat().st_size
    has_names = (path.parent / NAMES[1]).is_file()
    _check_whole(path.name, size, str(path), has_names=has_names)
    return size > 0 and _is_labelled(Batch(path.name, np.memmap(path, np.uint8, "r")), str(path), has_names=has_names)


def find_batches(pile: Pile) -> list[Entry]:
    """The binary batches of an archive, sorted; all of its .bin files must be some.

    Raises:
        DataError: as for `is_batch`.
    """
    files = sorted((entry for entry in pile.entries if entry.path.endswith(".bin")), key=lambda entry: entry.path)
    has_names = any(split_path(entry.path)[-1:] == NAMES[1:] for entry in pile.entries) if files else False
    named = [(f"{pile.name}, {entry.path}", split_path(entry.path)[-1], entry) for entry in files]
    for where, name, entry in named:
        _check_whole(name, entry.size, where, has_names=has_names)
    fits = [any(entry.size and entry.size % (width + PIXELS) == 0 for width in LABELS) for entry in files]
    if not files or not all(fits):
        return []
    return files if all(_is_labelled(Batch(name, _read_entry(pile, entry)), where, has_names=has_names) for where, name, entry in named) else []


def _check_whole(name: str, size: int, where: str, *, has_names: bool) -> None:
    """Raises DataError where a file is called as CIFAR's are and is no whole records. `has_names`: the names of CIFAR-100's classes lie beside it."""
    width = _width_by_name(name, has_names=has_names)
    length = width + PIXELS
    if not width or (size and size % length == 0):
        return
    due = next(records for begin, records in _DUE.items() if name.startswith(begin)) * length
    raise DataError(
        f"{name} is torn: it has {size:,} bytes, {size // length:,} × {length:,} and {size % length:,} more.",
        where=where,
        next=f"Copy or download it again; CIFAR-{LABELS[width]}'s own has {due:,} bytes.",
    )


def _is_labelled(batch: Batch, where: str, *, has_names: bool) -> bool:
    """Whether whole records have labels of one of the two sets. Raises: DataError where a file is called as CIFAR's are, and has others."""
    width = _width_by_name(batch.name, has_names=has_names)
    if _label_bytes(batch.data) or not width:
        return bool(_label_bytes(batch.data))
    labels = batch.data.reshape(-1, width + PIXELS)[:, width - 1]
    strange = np.flatnonzero(labels >= LABELS[width])
    raise DataError(
        f"{batch.name} has {len(strange):,} of {len(labels):,} labels out of range: record {strange[0]} has {labels[strange[0]]}, and "
        f"CIFAR-{LABELS[width]}'s are 0 to {LABELS[width] - 1}.",
        where=where,
        next="Copy or download it again; records of another kind need another name.",
    )


def _width_by_name(name: str, *, has_names: bool) -> int:
    """Bytes of labels in a file that is called as CIFAR's are; 0 for any other. `has_names`: the names of CIFAR-100's classes lie beside it."""
    return next((width for width, named in _NAMED.items() if named.fullmatch(name) and (width == 1 or has_names)), 0)


def check_no_pickles(pile: Pile) -> None:
    """Raises DataError where an archive holds the pickled batches of CIFAR's Python version."""
    named = [entry for entry in pile.entries if _is_named_pickled(split_path(entry.path)[-1])]
    found = [Path(pile.name, entry.path) for entry in named if is_pickle(pile.fetch(entry, 3))]
    if found:
        raise refuse_pickles(found)


def is_pickle(head: bytes) -> bool:
    """Whether a file begins as a pickle of protocol 2 or later, with what a dictionary or list begins with."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and head[2:3] in b"}](c\x95\x8a"


def list_pickles(path: Path) -> list[Path]:
    """The pickled batches of CIFAR's Python version directly in a folder."""
    found = []
    for file in sorted(path.iterdir()):
        if file.is_file() and _is_named_pickled(file.name):
            with open(file, "rb") as content:
                found += [file] if is_pickle(content.read(3)) else []
    return found


def _is_named_pickled(name: str) -> bool:
    return (name in ("train", "test", "test_batch") or name.startswith("data_batch_")) and "." not in name


def refuse_pickles(files: list[Path]) -> DataError:
    """Why pickles are not read, and what to take instead."""
    return DataError(
        f"{quote_some((file.name for file in files), 3)} {'is a Python pickle' if len(files) == 1 else 'are Python pickles'}: "
        "loading one runs whatever code it holds, so none is ever loaded.",
        where=str(files[0].parent),
        next="Take the binary version of the data (CIFAR: cifar-10-binary.tar.gz), or save the arrays with np.savez(path, x=x, y=y).",
    )


def open_batches(paths: list[Path]) -> ImageSource:
    """Maps binary batches; see `_open`."""
    batches = [Batch(path.name, np.memmap(path, np.uint8, "r") if path.stat().st_size else np.zeros(0, np.uint8)) for path in paths]
    lists = {file.name: file.read_bytes() for file in (paths[0].parent / name for name in NAMES) if file.is_file() and file.stat().st_size < MOST_NAMES_BYTES}
    return _open(batches, lists, fingerprint.of_files(paths), str(paths[0].parent))


def open_packed(pile: Pile) -> ImageSource:
    """The binary batches of an archive, as they lie in it; see `_open`."""
    batches = [Batch(split_path(entry.path)[-1], _read_entry(pile, entry)) for entry in find_batches(pile)]
    lists = [entry for entry in pile.entries if split_path(entry.path)[-1] in NAMES and entry.size < MOST_NAMES_BYTES]
    return _open(batches, {entry.path: pile.fetch(entry, entry.size) for entry in lists}, pile.fingerprint, pile.name)


def _read_entry(pile: Pile, entry: Entry) -> np.ndarray:
    return np.frombuffer(pile.view(entry) if pile.view else pile.fetch(entry, entry.size), np.uint8)


def _open(files: list[Batch], lists: dict[str, bytes], mark: str, where: str) -> ImageSource:
    """Records of batches; `test` in a file's name makes its records the given test set where other files are there too.

    Args:
        lists: path -> content of the files that may name the classes. mark: fingerprint of all.

    Raises:
        DataError: a file that is no whole records.
    """
    label_bytes = {_label_bytes(file.data) for file in files}
    if len(label_bytes) != 1 or 0 in label_bytes:
        told = f"{where}: {quote_some(file.name for file in files)}"
        raise DataError("These are no batches of one kind.", where=told, next="Give the files of CIFAR-10 or of CIFAR-100, whole.")
    width = label_bytes.pop()
    batches = [file.data.reshape(-1, width + PIXELS) for file in files]
    starts = np.cumsum([0, *map(len, batches)])
    labels = np.concatenate([batch[:, width - 1] for batch in batches]).astype(int).tolist()
    names, notes = _read_names(lists, LABELS[width])
    is_test = ["test" in file.name for file in files]

    def read(row: int) -> np.ndarray:
        batch = int(np.searchsorted(starts, row, side="right")) - 1
        planes = batches[batch][row - starts[batch], width:].reshape(3, SIDE, SIDE)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))

    return ImageSource(
        places=[f"{file.name}[{row}]" for file, batch in zip(files, batches, strict=True) for row in range(len(batch))],
        labels=[names[label] for label in labels] if names else labels,
        given_sets=["test" if test and not all(is_test) else "" for test, batch in zip(is_test, batches, strict=True) for _ in range(len(batch))],
        read=read,
        notes=notes + (["CIFAR-100: the fine labels are taken."] if width == 2 else []),
        fingerprint=mark,
    )


def _label_bytes(data: np.ndarray) -> int:
    """1 or 2 by the length of the records uint8 (N,) and the range of their labels; 0 where neither fits."""
    for width, classes in LABELS.items():
        if len(data) and len(data) % (width + PIXELS) == 0:
            records = data.reshape(-1, width + PIXELS)
            if int(records[:, width - 1].max()) < classes:
                return width
    return 0


def _read_names(lists: dict[str, bytes], num: int) -> tuple[list[str], list[str]]:
    """The names of the classes by the first list that has as many, none where no list has; and notes on how it was read."""
    for path, content in lists.items():
        text, notes = read_words(path, content)
        names = [line.strip() for line in text.splitlines() if line.strip()]
        if len(names) == num:
            return names, notes
    return [], []
