"""What readers hand to the audit: one item after another, nothing believed yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


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
    """

    columns: dict[str, np.ndarray]
    places: list[str]
    given_sets: list[str]
    booleans: tuple[str, ...] = ()
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fingerprint: str = ""
    kind: str = "table"
    suggested_target: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    sources: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.places)
