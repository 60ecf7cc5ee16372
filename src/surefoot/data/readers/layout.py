"""Paths -> classes and given sets: what the folders of a pile of pictures say about each picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from posixpath import splitext
from typing import Any

import numpy as np

from surefoot.data import pictures
from surefoot.data.nearest import quote_some
from surefoot.data.readers.beside import Beside, read_lists, tell_unread
from surefoot.data.readers.companions import read_companions
from surefoot.data.readers.labels import type_labels
from surefoot.data.readers.piles import GIVEN_SETS, Entry, Pile, pick_pictures, split_path
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, ItemError, Refused

_UNREAD = frozenset([".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".svg", ".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".dcm"])
"""Pictures of other formats, as phones, cameras and scanners write them."""


def arrange(pile: Pile, known: frozenset[str] = frozenset(), *, is_labelled: bool = True) -> ImageSource:
    """Turns a pile of files into pictures with labels.

    Labels that lie beside the pictures count first (see `beside.py` and `companions.py`). Else single wrapping folders are skipped, and `train`, `val`
    and `test` folders, which are given sets; the next folder is the class. Where lists may mean something else than the label, the settings decide.

    Args:
        pile: the files.
        known: class names that are known already (a test or wild set beside its source): one of them alone is enough.
        is_labelled: whether labels are wanted; raw pictures have none (None each).

    Raises:
        DataError: there is no picture, or fewer than two class folders.
    """
    beside = (read_lists(pile) or read_companions(pile)) if is_labelled else None
    items, refused = pick_pictures(pile, frozenset(beside.spare) if beside else frozenset())
    if not items:
        raise _explain_no_pictures(pile, refused)
    if not is_labelled:
        return make_source(pile, items, [None] * len(items), [""] * len(items), (refused, []))
    if not beside or not beside.has_labels:
        return _by_folders(pile, items, beside, refused, known)
    given, trails = read_folders([item.path for item in items], known)
    if beside.rivals and len({trail[0] for trail in trails if trail}) > 1:
        source = _by_folders(pile, items, replace(beside, disputed=[]), refused, known)
        notes = [f"{len(beside.disputed):,} lines of lists say something else of a picture than a line before, which counts."] if beside.disputed else []
        columns = _list_columns(beside, source.places)
        return replace(source, columns=columns, unsaid=beside.rivals, notes=source.notes + notes)  # the settings decide who is right
    return _by_lists(pile, items, beside, refused, {item.path: one for item, one in zip(items, given)} | beside.given)


def _by_lists(pile: Pile, items: list[Entry], beside: Beside, refused: list[Refused], given: dict[str, str]) -> ImageSource:
    """The pictures that a list or a companion names. `given`: path -> given set."""
    kept = [item for item in items if item.path in beside.labels]
    typed = type_labels(beside.labels, quote_some(sorted(beside.spare)))
    refused, said = [*refused, *beside.refused, *beside.disputed], {one.place for one in beside.refused}
    refused += [
        Refused(item.path, f"no list {'says its label' if item.path in beside.given else 'names it'}, so it has no label", pictures.WRONG_TYPE)
        for item in items
        if item.path not in beside.labels | dict.fromkeys(said)
    ]
    labels = [typed[item.path] for item in kept]
    if not beside.unsaid and len({str(label) for label in labels if label is not None}) < 2:
        raise DataError(
            f"The lists beside the pictures of {pile.name} give them fewer than two labels.",
            where=quote_some(sorted(beside.spare), 5),
            next="Write a line for each picture, its path and its label, e.g. `photos/1.jpg,cat`.",
        )
    source = make_source(pile, kept, labels, [given[item.path] for item in kept], (refused, beside.notes))
    return replace(source, columns=_list_columns(beside, source.places), unsaid=beside.unsaid)


def _list_columns(beside: Beside, places: list[str]) -> dict[str, np.ndarray]:
    """Name -> object (N,) cells, None where a list says nothing."""
    return {name: np.asarray([cells.get(place) or None for place in places], object) for name, cells in beside.columns.items()}


def _by_folders(pile: Pile, items: list[Entry], beside: Beside | None, refused: list[Refused], known: frozenset[str]) -> ImageSource:
    """The pictures in class folders; lists beside them may say who is in which set."""
    trails = [split_path(item.path)[:-1] for item in items]
    given_sets, trails = _split_off_sets(_skip_wrappers(trails, known), known)
    if beside:
        given_sets = [beside.given.get(item.path, given) for item, given in zip(items, given_sets, strict=True)]
        refused = [*refused, *beside.refused, *beside.disputed]
    _check_classes(pile, {trail[0] for trail in trails if trail}, known)
    inside = [row for row, trail in enumerate(trails) if trail]
    refused += [Refused(items[row].path, "lies in no class folder, so it has no label", pictures.WRONG_TYPE) for row, trail in enumerate(trails) if not trail]
    notes = _note_subfolders([trails[row] for row in inside]) + (beside.notes if beside else [])
    return make_source(pile, [items[row] for row in inside], [trails[row][0] for row in inside], [given_sets[row] for row in inside], (refused, notes))


def make_source(pile: Pile, items: list[Entry], labels: list[Any], given_sets: list[str], said: tuple[list[Refused], list[str]]) -> ImageSource:
    """The source of some files of a pile; `said` is what was refused, and the notes."""
    fetch = _fetcher(pile, items)
    return ImageSource(
        places=[item.path for item in items],
        labels=labels,
        given_sets=given_sets,
        read=lambda row: pictures.decode(fetch(row)),
        refused=sorted(said[0], key=lambda one: one.place),
        notes=said[1],
        fingerprint=pile.fingerprint,
        fetch=fetch,
    )


def read_folders(paths: list[str], known: frozenset[str] = frozenset()) -> tuple[list[str], list[tuple[str, ...]]]:
    """The given set of each path, and the folders left of it, of which the first is its class; none where it lies in no class folder."""
    return _split_off_sets(_skip_wrappers([split_path(path)[:-1] for path in paths], known), known)


def _fetcher(pile: Pile, items: list[Entry]) -> Callable[[int], bytes]:
    def fetch(row: int) -> bytes:
        if items[row].size > pictures.MAX_BYTES:
            raise ItemError(f"the file has {items[row].size:,} bytes, more than {pictures.MAX_BYTES:,}", pictures.TOO_LARGE)
        return pile.fetch(items[row], pictures.MAX_BYTES)

    return fetch


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
    unread = tell_unread(pile)
    raise DataError(
        f"Labels are missing: {pile.name} holds pictures but {found}{unread and f'; {unread}'}.",
        where=pile.name,
        next="Put the pictures of each class into a folder of its own, e.g. `photos/cat/1.jpg` and `photos/dog/2.jpg`, and name the folder around them.",
    )


def _explain_no_pictures(pile: Pile, refused: list[Refused]) -> DataError:
    seen = f"; of {len(refused)} things seen the first is {refused[0].place}: {refused[0].reason}" if refused else "; it is empty"
    others = sorted({suffix for one in refused if (suffix := splitext(one.place)[1].lower()) in _UNREAD})
    convert = f"Save the {' and '.join(others)} files as JPEG or PNG first. " if others else ""
    return DataError(
        f"{pile.name} holds no pictures{seen}.",
        where=pile.name,
        next=f"{convert}Looked for pictures ({', '.join(pictures.FORMATS)}) in class folders, tables (train.csv, test.csv) and IDX files; check `data.source`.",
    )


def _note_subfolders(trails: list[tuple[str, ...]]) -> list[str]:
    deeper = sorted({"/".join(trail) for trail in trails if len(trail) > 1})
    if not deeper:
        return []
    return [f"Class folders hold {len(deeper)} subfolders ({quote_some(deeper, 3)}); their pictures have the class of the outer folder."]
