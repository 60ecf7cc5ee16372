"""Data in numbered files: WebDataset's tar shards, as a folder of them or a pattern with braces, `shards-{000..003}.tar`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from glob import escape, glob
from pathlib import Path

from surefoot.data.readers import archive
from surefoot.data.readers.joining import concatenate, prefix_places
from surefoot.data.readers.layout import arrange
from surefoot.data.readers.members import tell_apart
from surefoot.data.readers.opening import find_boxes
from surefoot.data.readers.piles import GIVEN_SETS, has_picture_suffix, join_piles
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource

BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}|\{([^{}]*,[^{}]*)\}")
MOST_SHARDS = 100_000


def is_pattern(name: str) -> bool:
    """Whether a name stands for several files: braces with a range or a list, or a star."""
    return bool(BRACES.search(name)) or "*" in name


def expand(name: str) -> list[str]:
    """`a-{08..10}.tar` -> a-08.tar, a-09.tar, a-10.tar; `{a,b}.tar` -> a.tar, b.tar; several braces multiply.

    Raises:
        DataError: more than 100,000 files.
    """
    names, found = [name], True
    while found:
        found, grown = False, []
        for one in names:
            match = BRACES.search(one)
            if not match:
                grown.append(one)
                continue
            found = True
            grown += [one[: match.start()] + middle + one[match.end() :] for middle in _list_middles(match)]
        names = grown
        if len(names) > MOST_SHARDS:
            raise DataError(f"{name} stands for more than {MOST_SHARDS:,} files.", where=name, next="Name fewer, or a folder of larger shards.")
    return names


def find_files(name: str, root: Path) -> list[Path]:
    """The files that a pattern stands for; all of a range must be there.

    Raises:
        DataError: some, or all, are missing.
    """
    paths: list[Path] = []
    missing: list[str] = []
    for one in expand(name):
        path = root / Path(one).expanduser()
        hits = sorted(map(Path, glob(str(path) if "*" in one else escape(str(path)))))
        paths += hits
        missing += [] if hits else [one]
    if missing:
        raise DataError(
            f"{len(missing):,} of the files that {name} stands for are missing, the first is {missing[0]}.",
            where=str(root),
            next="Copy or download them, or name the range that is there.",
        )
    return paths


def list_shards(path: Path) -> list[Path]:
    """Tar files directly in a folder, sorted."""
    return sorted(file for file in path.iterdir() if ".tar" in file.suffixes[-2:] and file.is_file() and not file.name.startswith("."))


def open_shards(paths: list[Path], known: frozenset[str] = frozenset(), *, is_labelled: bool = True) -> ImageSource:
    """Opens tar shards as one source; shards named `train-0001.tar`, `val-...` and `test-...` are given sets.

    Where annotations with boxes lie beside the pictures (VOC's XML or YOLO's lines under the name of each, or COCO files), they are read over all shards.

    Raises:
        DataError: a shard is torn, or holds no labelled pictures.
    """
    names = tell_apart(paths)
    piles = [replace(archive.list_tar(path), name=name) for path, name in zip(paths, names, strict=True)]
    whole = join_piles(piles, f"{paths[0].name} and {len(paths) - 1:,} more shards" if len(paths) > 1 else paths[0].name)
    if is_labelled and (drawn := find_boxes(whole)):
        return _give_sets(drawn, {name: _set_of(path) for path, name in zip(paths, names, strict=True)})
    labels = frozenset(folder for pile in piles for entry in pile.entries if has_picture_suffix(entry.path) for folder in entry.path.split("/")[:-1][-1:])
    sources = [prefix_places(arrange(pile, known | labels, is_labelled=is_labelled), pile.name) for pile in piles]
    given = [_set_of(path) for path in paths]
    sources = [source.of_set(one) if one and len(set(given)) > 1 else source for source, one in zip(sources, given, strict=True)]
    return sources[0] if len(sources) == 1 else concatenate(sources)


def _give_sets(source: ImageSource, sets: dict[str, str]) -> ImageSource:
    """The source with the given sets that its shards are named by, where they name several."""
    depth = 2 + max(name.count("/") for name in sets)

    def find(place: str) -> str:
        heads = place.split("/", depth)
        return next(sets[head] for k in range(1, depth) if (head := "/".join(heads[:k])) in sets)

    given = [find(place) for place in source.places]
    return replace(source, given_sets=given) if len(set(given)) > 1 else source


def check_tars(paths: list[Path], is_tar: Callable[[Path], bool], name: str) -> None:
    """Raises DataError where a pattern stands for something else than tar files."""
    other = next((path for path in paths if not is_tar(path)), None)
    if other is not None:
        raise DataError(
            f"{name} stands for {len(paths):,} files, and {os.path.basename(other)} is no tar shard.",
            where=str(other),
            next="Patterns are read for tar shards and for tables of one kind; give other data each a table [[data.sources]].",
        )


def _list_middles(match: re.Match[str]) -> list[str]:
    first, last, words = match.groups()
    if words is not None:
        return words.split(",")
    numbers = range(int(first), int(last) + 1)
    if len(numbers) > MOST_SHARDS:
        raise DataError(f"{match.group()} stands for {len(numbers):,} files.", where=match.string, next=f"At most {MOST_SHARDS:,} are read.")
    width = len(first) if first.startswith("0") or len(first) == len(last) else 0
    return [f"{number:0{width}d}" for number in numbers]


def _set_of(path: Path) -> str:
    words = re.split(r"[-_.]", path.name.lower())
    return next((GIVEN_SETS[word] for word in words if word in GIVEN_SETS), "")
