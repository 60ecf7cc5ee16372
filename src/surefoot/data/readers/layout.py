"""Paths -> classes and given sets: what the folders of a pile of pictures say about each picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from posixpath import splitext
from typing import Any

from surefoot.data.nearest import quote_some
from surefoot.data.readers import pictures
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, ItemError, Refused

GIVEN_SETS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
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
        refused: what was seen and is no readable file.
        fingerprint: of all that was listed.
    """

    name: str
    entries: list[Entry]
    fetch: Callable[[Entry, int], bytes]
    refused: list[Refused]
    fingerprint: str


def arrange(pile: Pile, known: frozenset[str] = frozenset()) -> ImageSource:
    """Turns a pile of files into pictures with labels.

    Single wrapping folders are skipped, `train`, `val` and `test` folders become given sets, the next folder is the class.

    Args:
        pile: the files.
        known: class names that are known already (a test or wild set beside its source): one of them alone is enough.

    Raises:
        DataError: there is no picture, or fewer than two class folders.
    """
    items, refused = _pick_pictures(pile)
    if not items:
        raise _explain_no_pictures(pile, refused)
    trails = [split_path(item.path)[:-1] for item in items]
    given_sets, trails = _split_off_sets(_skip_wrappers(trails, known), known)
    _check_classes(pile, {trail[0] for trail in trails if trail}, known)
    inside = [row for row, trail in enumerate(trails) if trail]
    refused += [Refused(items[row].path, "lies in no class folder, so it has no label", pictures.WRONG_TYPE) for row, trail in enumerate(trails) if not trail]
    kept = [items[row] for row in inside]

    def fetch(row: int) -> bytes:
        if kept[row].size > pictures.MAX_BYTES:
            raise ItemError(f"the file has {kept[row].size:,} bytes, more than {pictures.MAX_BYTES:,}", pictures.TOO_LARGE)
        return pile.fetch(kept[row], pictures.MAX_BYTES)

    return ImageSource(
        places=[item.path for item in kept],
        labels=[trails[row][0] for row in inside],
        given_sets=[given_sets[row] for row in inside],
        read=lambda row: pictures.decode(fetch(row)),
        refused=sorted(refused, key=lambda one: one.place),
        notes=_note_subfolders([trails[row] for row in inside]),
        fingerprint=pile.fingerprint,
        fetch=fetch,
    )


def read_folders(paths: list[str], known: frozenset[str] = frozenset()) -> tuple[list[str], list[tuple[str, ...]]]:
    """The given set of each path, and the folders left of it, of which the first is its class; none where it lies in no class folder."""
    return _split_off_sets(_skip_wrappers([split_path(path)[:-1] for path in paths], known), known)


def is_hidden(path: str) -> bool:
    """Whether a path names a hidden or system file, or lies in such a folder."""
    return any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in split_path(path))


def has_picture_suffix(path: str) -> bool:
    """Whether a path ends like a picture of an allowed format."""
    return splitext(path)[1].lower() in pictures.SUFFIXES


def split_path(path: str) -> tuple[str, ...]:
    """The folders and the name of a path with `/`; pathlib would take ten times as long, seconds for 60,000 of them."""
    return tuple([part for part in path.split("/") if part not in ("", ".")])


def _pick_pictures(pile: Pile) -> tuple[list[Entry], list[Refused]]:
    """Pictures by name, or by content where the name says nothing; all else is refused with its reason."""
    items, refused = [], list(pile.refused)
    for entry in sorted(pile.entries, key=lambda one: one.path):
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


def _skip_wrappers(trails: list[tuple[str, ...]], known: frozenset[str]) -> list[tuple[str, ...]]:
    """Drops folders that wrap all others, as archives have them; never a given set's, a known class's, or the last one."""
    while True:
        first = {trail[0] for trail in trails if trail}
        if len(first) != 1 or first & known or _name_sets(first) or max(map(len, trails)) < 2:
            return trails
        trails = [trail[1:] for trail in trails]


def _split_off_sets(trails: list[tuple[str, ...]], known: frozenset[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Given set and remaining folders of each picture: `train/cat` or `cat/train`.

    A lone `train` among other folders is a class (a vehicle); two sets at least, or nothing but sets, are a split.
    """
    first = {trail[0] for trail in trails if trail}
    sets = _name_sets(first)
    if sets and (len(sets) == len(first) or len(set(sets.values())) > 1):
        given = [sets.get(trail[0], "") if trail else "" for trail in trails]
        return given, _skip_wrappers([trail[1:] if one else () for trail, one in zip(trails, given, strict=True)], known)
    if first and all(len(trail) > 1 and trail[1].lower() in GIVEN_SETS for trail in trails if trail):
        return [GIVEN_SETS[trail[1].lower()] if trail else "" for trail in trails], [trail[:1] + trail[2:] for trail in trails]
    return [""] * len(trails), trails


def _name_sets(names: set[str]) -> dict[str, str]:
    return {name: GIVEN_SETS[name.lower()] for name in names if name.lower() in GIVEN_SETS}


def _check_classes(pile: Pile, classes: set[str], known: frozenset[str]) -> None:
    if len(classes) >= 2 or (classes and known):
        return
    found = f"only one class folder, {quote_some(classes)}" if classes else "no class folders"
    raise DataError(
        f"Labels are missing: {pile.name} holds pictures but {found}.",
        where=pile.name,
        next="Put the pictures of each class into a folder of its own, e.g. `photos/cat/1.jpg` and `photos/dog/2.jpg`, and name the folder around them.",
    )


def _explain_no_pictures(pile: Pile, refused: list[Refused]) -> DataError:
    seen = f"; of {len(refused)} things seen the first is {refused[0].place}: {refused[0].reason}" if refused else "; it is empty"
    return DataError(
        f"{pile.name} holds no pictures{seen}.",
        where=pile.name,
        next=f"Looked for pictures ({', '.join(pictures.FORMATS)}) in class folders, tables (train.csv, test.csv) and IDX files; check `data.source`.",
    )


def _note_subfolders(trails: list[tuple[str, ...]]) -> list[str]:
    deeper = sorted({"/".join(trail) for trail in trails if len(trail) > 1})
    if not deeper:
        return []
    return [f"Class folders hold {len(deeper)} subfolders ({quote_some(deeper, 3)}); their pictures have the class of the outer folder."]
