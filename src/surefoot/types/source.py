"""What readers hand to the audit: one item after another, nothing believed yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from operator import eq
from typing import Any, SupportsIndex, overload

import numpy as np

_BLOCK = 1 << 16
"""Words that are made at a time."""


class Named(Sequence[str]):
    """Words of N rows, made when they are asked for: as a list those of a million rows take 70 MB and more.

    Args:
        name: some rows that follow each other -> their words.
    """

    def __init__(self, num: int, name: Callable[[slice], Iterable[str]]) -> None:
        self._num, self._name = num, name

    def __len__(self) -> int:
        return self._num

    @overload
    def __getitem__(self, row: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: SupportsIndex | slice) -> str | list[str]:
        rows = range(self._num)[row]
        if not isinstance(rows, range):
            return next(iter(self._name(slice(rows, rows + 1))))
        return [*self._name(slice(rows.start, rows.stop))] if rows.step == 1 else [self[one] for one in rows]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._name(slice(start, min(start + _BLOCK, self._num))) for start in range(0, self._num, _BLOCK))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]

    def take(self, rows: np.ndarray) -> Sequence[str]:
        """Those of some rows, int64 (M,); fastest in ascending order."""

        def name(some: slice) -> Iterator[str]:
            wanted = rows[some]
            for part in np.split(wanted, np.flatnonzero(np.diff(wanted // _BLOCK)) + 1):  # those in between are made too, but for a block alone
                first = part.min(initial=self._num)
                near = self[first : part.max(initial=-1) + 1]
                yield from (near[at] for at in (part - first).tolist())

        return self if len(rows) == self._num else Named(len(rows), name)


def repeat_word(word: str, num: int) -> Named:
    """The same word for N rows."""
    return Named(num, lambda some: repeat(word, some.stop - some.start))


def take_words(words: Sequence[str], rows: np.ndarray) -> Sequence[str]:
    """The words of some rows, int64 (M,); never one by one, which takes ten times as long where they are made when asked for."""
    return words.take(rows) if isinstance(words, Named) else [words[row] for row in rows.tolist()]


@dataclass(frozen=True)
class Refused:
    """An item that can't be used: where it is, why, and the finding code its reason belongs to."""

    place: str
    reason: str
    code: str = "data.corrupt_item"


class ItemError(Exception):
    """One item can't be read; the audit lists it as refused and goes on."""

    def __init__(self, reason: str, code: str = "data.corrupt_item") -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code


KEPT_FRAC = 0.25
"""Share of a box's area that must lie inside its picture, when it is read and when it is moved: what is cut off at the edge is still the thing,
a sliver of it is not."""


@dataclass(frozen=True)
class Boxes:
    """Boxes around things on one picture, M of them.

    Attributes:
        corners: float64 (M, 4), x0, y0, x1, y1 in pixels from the picture's upper left corner; x1 and y1 are the far edges, so a whole
            picture is 0, 0, width, height.
        classes: int64 (M,) places in the list of classes; -1 where the class is not in it.
        is_difficult, is_crowd: bool (M,): a detector is not blamed for missing these.
    """

    corners: np.ndarray
    classes: np.ndarray
    is_difficult: np.ndarray
    is_crowd: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, which: np.ndarray) -> Boxes:
        """Some of them: a mask bool (M,), or positions."""
        return Boxes(self.corners[which], self.classes[which], self.is_difficult[which], self.is_crowd[which])


@dataclass(frozen=True)
class Drawing:
    """The boxes of one picture as its annotation has them: nothing is believed yet.

    Attributes:
        size: width and height of the picture as the annotation says; (0, 0) where it says nothing.
        is_relative: corners are shares of the picture's sides, not pixels.
        refused: boxes that could not even be read, or whose class is not known: where they stand, and why.
        listed: how often the annotations list the picture.
    """

    boxes: Boxes
    size: tuple[int, int] = (0, 0)
    is_relative: bool = False
    refused: tuple[Refused, ...] = ()
    listed: int = 1


@dataclass(frozen=True)
class Annotations:
    """What is drawn on a pile of pictures.

    Attributes:
        classes: their names, in the order of the classes' numbers.
        drawings: one per picture, in the order of the source.
    """

    classes: tuple[str, ...]
    drawings: list[Drawing]


@dataclass(frozen=True)
class ImageSource:
    """A pile of pictures, each read when asked for.

    Attributes:
        places: where each item is: a path inside the folder or archive, or `name[row]` for arrays.
        labels: the target of each item as found: a string, an int, or a float vector (multilabel, regression); None if unlabelled.
        given_sets: "train", "val", "test" or "" per item, where the source came with a split.
        read: row -> uint8 array (H, W) or (H, W, 3); raises ItemError.
        refused: files that were seen and are no items (wrong type, hidden, unreadable).
        notes: what was normalised while reading, one sentence each, for findings.
        fingerprint: a hash of path, size and mtime of all that was listed (content where there is no file).
        changed: rows whose pixels are other than their file's: somebody had them turned or converted.
        fetch: row -> the item's file as it is, for who decodes it elsewhere; raises ItemError. None where there are no files.
        sources: name of the source of each item; empty where there is one source.
        annotations: what is drawn on the pictures; None where nothing is. `labels` then count the boxes of each class, float64 (K,).
        columns: name -> what a list beside the pictures says of each, object (N,) of words as written, None where nothing.
        unsaid: columns any of which may be the label until the settings name one; `labels` are those of folders meanwhile, else None.
    """

    places: list[str]
    labels: list[Any]
    given_sets: list[str]
    read: Callable[[int], np.ndarray]
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fingerprint: str = ""
    kind: str = "image"
    fetch: Callable[[int], bytes] | None = None
    changed: frozenset[int] = frozenset()
    sources: list[str] = field(default_factory=list)
    annotations: Annotations | None = None
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.places)

    def of_set(self, given_set: str) -> ImageSource:
        """The same items, all of them given as one set."""
        return replace(self, given_sets=[given_set] * len(self))


@dataclass(frozen=True)
class TableSource:
    """Rows and named columns, as read.

    Attributes:
        columns: name -> NumPy array of N values: float64 (NaN is missing), bool as float64 listed in `booleans`,
            datetime64[ns] (NaT is missing) or object arrays of str (None is missing). Spaces around text are stripped.
        places: `file:line` per row.
        given_sets: as for images.
        booleans: names of the columns whose values were true/false words.
        refused: rows that can't be used (ragged ...), with line and reason.
        notes: what was normalised while reading, one sentence each, for findings.
        texts: names of the columns that hold text, whatever their cells look like.
        sources: name of the source of each row; empty strings where there is one source.
        written: column of dates or numbers that were text -> how they are written, as plain JSON (`readers.cells.ColumnType.to_plain`).
    """

    columns: dict[str, np.ndarray]
    places: Sequence[str]
    given_sets: Sequence[str]
    booleans: tuple[str, ...] = ()
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fingerprint: str = ""
    kind: str = "table"
    suggested_target: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    sources: Sequence[str] = field(default_factory=list)
    written: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.places)
