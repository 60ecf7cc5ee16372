"""A pile: every file that was seen in a folder or archive, whatever holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from posixpath import splitext
from typing import Any

from surefoot.data import pictures
from surefoot.types.source import ItemError, Refused

GIVEN_SETS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
SYSTEM_FILES = frozenset(("thumbs.db", "desktop.ini", "__macosx"))
HEAD_BYTES = 16


@dataclass(frozen=True)
class Entry:
    """A file of a pile: its path from the pile's top with `/`, its size in bytes, and the key its container finds it by."""

    path: str
    size: int
    key: Any


@dataclass(frozen=True)
class Pile:
    """Every file that was seen in a folder or archive.

    Attributes:
        name: how messages call it.
        entries: the files that may be read.
        fetch: (entry, limit) -> the file's first `limit` bytes; raises ItemError.
        view: entry -> the whole file where it lies, not copied; None where that can't be.
        refused: what was seen and is no readable file.
        fingerprint: of all that was listed.
    """

    name: str
    entries: list[Entry]
    fetch: Callable[[Entry, int], bytes]
    refused: list[Refused]
    fingerprint: str
    view: Callable[[Entry], memoryview] | None = None


def join_piles(piles: Sequence[Pile], name: str) -> Pile:
    """Several piles as one; the name of each becomes a folder around its files."""
    entries = [Entry(f"{pile.name}/{entry.path}", entry.size, (number, entry)) for number, pile in enumerate(piles) for entry in pile.entries]
    refused = [replace(one, place=f"{pile.name}/{one.place}") for pile in piles for one in pile.refused]
    mark = hashlib.sha256("\n".join(pile.fingerprint for pile in piles).encode()).hexdigest()
    return Pile(name, entries, lambda entry, limit: piles[entry.key[0]].fetch(entry.key[1], limit), refused, mark)


def is_hidden(path: str) -> bool:
    """Whether a path names a hidden or system file, or lies in such a folder."""
    folder, _, name = path.rpartition("/")
    return _hides(name) or (folder != "" and _is_hidden_folder(folder))


@lru_cache(4096)
def _is_hidden_folder(path: str) -> bool:
    return any(map(_hides, path.split("/")))


def _hides(part: str) -> bool:
    return (part.startswith(".") and part != ".") or part.lower() in SYSTEM_FILES


def has_picture_suffix(path: str) -> bool:
    """Whether a path ends like a picture of an allowed format."""
    return splitext(path)[1].lower() in pictures.SUFFIXES


def split_path(path: str) -> tuple[str, ...]:
    """The folders and the name of a path with `/`; pathlib would take ten times as long, seconds for 60,000 of them."""
    return tuple([part for part in path.split("/") if part not in ("", ".")])


def pick_pictures(pile: Pile, spare: frozenset[str] = frozenset()) -> tuple[list[Entry], list[Refused]]:
    """Pictures by name, or by content where the name says nothing; all else is refused with its reason, save what is read otherwise (`spare`)."""
    items, refused = [], list(pile.refused)
    for entry in sorted(pile.entries, key=lambda one: one.path):
        if entry.path in spare:
            continue
        if is_hidden(entry.path):
            refused.append(Refused(entry.path, "a hidden or system file", pictures.WRONG_TYPE))
        elif has_picture_suffix(entry.path):
            items.append(entry)
        else:
            try:
                if pictures.is_picture(pile.fetch(entry, HEAD_BYTES)):
                    items.append(entry)
                else:
                    refused.append(Refused(entry.path, f"no picture of a known format ({', '.join(pictures.FORMATS)})", pictures.WRONG_TYPE))
            except ItemError as error:
                refused.append(Refused(entry.path, error.reason, error.code))
    return items, refused
