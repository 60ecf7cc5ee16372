"""Pictures with boxes: what a format of annotations says about the pictures of a pile, made into one source.

COCO, VOC and YOLO each give a `Found`; everything that is the same for all of them is here. A picture that the annotations list
without a box is a negative; one that they don't list was looked at by nobody and is refused, unless the format takes it for a negative.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import takewhile

import numpy as np

from surefoot.data import pictures
from surefoot.data.boxes import count_classes, join_boxes
from surefoot.data.readers.layout import make_source
from surefoot.data.readers.piles import GIVEN_SETS, Entry, Pile, has_picture_suffix, is_hidden, pick_pictures, split_path
from surefoot.types.errors import DataError
from surefoot.types.source import Annotations, Boxes, Drawing, ImageSource, ItemError, Refused

MAX_BYTES = 1 << 30
"""The largest annotation file that is read: COCO's own have 450 MB."""
_RANK = ("train", "val", "test")


class Album:
    """The pictures of a pile, found by the names that annotations give them."""

    def __init__(self, pile: Pile) -> None:
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for entry in pile.entries:
            if has_picture_suffix(entry.path) and not is_hidden(entry.path):
                self._by_name[_name(entry.path)].append(entry.path)
                self._by_stem[stem(entry.path)].append(entry.path)

    def find(self, name: str, near: str = "", given_set: str = "") -> str | None:
        """The path of the picture meant by a name or path, with its suffix, another one, or none; None where there is none.

        A dot makes no suffix: `frame.0001` is a name too, so it is looked for as it is before what follows its last dot is taken off. Of
        several with that name: the one whose path ends like the name, then one of the given set, then the one nearest to the
        annotation file `near`.
        """
        name = name.replace("\\", "/").removeprefix("./")
        candidates = self._by_name.get(_name(name)) or self._by_stem.get(_name(name)) or self._by_stem.get(stem(name)) or []
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        tails = (f"/{name}", f"/{_bare(name)}")

        def fitness(path: str) -> tuple[bool, bool, int]:
            is_meant = f"/{path}".endswith(tails) or f"/{_bare(path)}".endswith(tails)
            return is_meant, bool(given_set) and set_of_folders(path) == given_set, _count_shared(path, near)

        return max(sorted(candidates), key=fitness)


@dataclass
class Found:
    """What annotations say.

    Attributes:
        classes: in the order of their numbers.
        drawings: path of a picture -> what is drawn on it, once for each time it is listed.
        sets: path of a picture -> "train", "val" or "test", where the annotations say it. doubled: paths that they put into several, with what was said.
        files: paths that belong to the annotations, and are no items.
        takes_unlisted: a picture that nothing is said about is a negative.
    """

    classes: tuple[str, ...]
    drawings: dict[str, list[Drawing]] = field(default_factory=lambda: defaultdict(list))
    sets: dict[str, str] = field(default_factory=dict)
    doubled: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    takes_unlisted: bool = False

    def place(self, picture: str, given: str) -> None:
        """Puts a picture into a set; in whatever order they are told, test goes before val, and val before train: nothing is learnt from what judges."""
        known = self.sets.get(picture, given)
        if known != given:
            self.doubled[picture] = f"{picture} is listed as {known} and as {given}"
        self.sets[picture] = max(known, given, key=_RANK.index)


def annotate(pile: Pile, found: Found) -> ImageSource:
    """Makes a source of a pile of pictures and what was found about them.

    Raises:
        DataError: no picture that is annotated is there.
    """
    items, refused = pick_pictures(pile, frozenset(found.files))
    listed = [item for item in items if item.path in found.drawings or found.takes_unlisted]
    unlisted = [item for item in items if item.path not in found.drawings and not found.takes_unlisted]
    refused += [Refused(item.path, "no annotation lists it: nobody says that it is empty", pictures.WRONG_TYPE) for item in unlisted]
    if not listed or not found.classes:
        raise _explain_nothing(pile, found, items)
    if found.doubled:
        first, told = next(iter(found.doubled.items()))
        found.notes.append(f"{len(found.doubled):,} picture(s) are listed in several sets, e.g. {told}; it counts as {found.sets[first]}.")
    drawings = [_join(found.drawings.get(item.path, [])) for item in listed]
    labels = [count_classes(drawing.boxes, len(found.classes)) for drawing in drawings]
    given = _drop_single([found.sets.get(item.path) or set_of_folders(item.path) for item in listed])
    return replace(make_source(pile, listed, labels, given, (refused + found.refused, found.notes)), annotations=Annotations(found.classes, drawings))


def rename_classes(source: ImageSource, classes: tuple[str, ...]) -> ImageSource:
    """The same source with the numbers of another one's classes; boxes of classes that it lacks are of none."""
    assert source.annotations is not None
    number = np.asarray([classes.index(name) if name in classes else -1 for name in source.annotations.classes] + [-1], np.int64)
    drawings = [replace(one, boxes=replace(one.boxes, classes=number[one.boxes.classes])) for one in source.annotations.drawings]
    labels = [count_classes(one.boxes, len(classes)) for one in drawings]
    return replace(source, labels=labels, annotations=replace(source.annotations, classes=classes, drawings=drawings))


def find_suffix(pile: Pile, *suffixes: str) -> list[Entry]:
    """The files of a pile with one of these suffixes, in the order of their paths; hidden ones aside."""
    return sorted((one for one in pile.entries if one.path.lower().endswith(suffixes) and not is_hidden(one.path)), key=lambda one: one.path)


def read_head(pile: Pile, entry: Entry, size: int) -> bytes:
    """The first bytes of a file; none where it can't be read, so that it is told as what it is later."""
    try:
        return pile.fetch(entry, size)
    except ItemError:
        return b""


def read_whole(pile: Pile, entry: Entry) -> bytes:
    """A file on which all annotations rest.

    Raises:
        DataError: it can't be read.
    """
    try:
        return pile.fetch(entry, MAX_BYTES)
    except ItemError as error:
        raise explain_broken(pile, entry, error.reason) from error


def explain_broken(pile: Pile, entry: Entry, why: str) -> DataError:
    """What to say of a file on which all annotations rest."""
    what = f"{entry.path} is broken: {why}."
    return DataError(what, where=f"{pile.name}, {entry.path}", next="Copy or download it again, or write it anew; nothing was read from it.")


def clean(word: object) -> str:
    """A name as text that can be written anywhere, without spaces around it; JSON may hold halves of characters."""
    return str(word).encode("utf-8", "backslashreplace").decode().strip()


def make_boxes(rows: list[tuple[float, float, float, float, int, bool, bool]]) -> Boxes:
    """Rows of x0, y0, x1, y1, class, is_difficult, is_crowd as boxes."""
    table = np.asarray([row[:4] for row in rows], np.float64).reshape(-1, 4)
    kinds, difficult, crowd = (np.asarray([row[at] for row in rows], dtype) for at, dtype in ((4, np.int64), (5, bool), (6, bool)))
    return Boxes(table, kinds, difficult, crowd)


def as_number(value: object) -> float:
    """A coordinate as written; NaN for what is no number, so that its box is refused."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def stem(path: str) -> str:
    """The name of a file without folders and suffix."""
    name = _name(path)
    return name.rpartition(".")[0] or name


def _bare(path: str) -> str:
    """A path without its suffix."""
    return path.removesuffix(_name(path)) + stem(path)


def set_of_folders(path: str) -> str:
    """The given set that the folders of a path name, such as `train2017/` or `valid/`; the innermost counts."""
    return name_set(reversed(split_path(path)[:-1]))


def name_set(words: Iterable[str]) -> str:
    """The set that the first of some words names which names one; a year behind it is ignored."""
    return next((GIVEN_SETS[word] for one in words if (word := re.sub(r"[\d_-]+$", "", one.lower())) in GIVEN_SETS), "")


def _count_shared(path: str, other: str) -> int:
    """How many folders two paths have in common, from the top."""
    pairs = zip(split_path(path)[:-1], split_path(other)[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def _join(drawings: list[Drawing]) -> Drawing:
    """One drawing of a picture that is listed several times: all of its boxes, of which repeated ones are dropped later."""
    if not drawings:
        return Drawing(join_boxes([]))
    sizes = [one.size for one in drawings if one.size != (0, 0)]
    return replace(
        drawings[0],
        boxes=join_boxes([one.boxes for one in drawings]),
        size=sizes[0] if sizes else (0, 0),
        refused=tuple(reason for one in drawings for reason in one.refused),
        listed=len(drawings),
    )


def _drop_single(given: list[str]) -> list[str]:
    """One set alone is no split."""
    return [""] * len(given) if len(set(given)) == 1 else given


def _explain_nothing(pile: Pile, found: Found, items: list[Entry]) -> DataError:
    if not found.classes:
        return DataError(
            f"{pile.name} holds annotations, and none of them names a class.", where=pile.name, next="Draw boxes, and give each the name of its class."
        )
    first = found.refused[0] if found.refused else None
    missing = f"; of {len(found.refused):,} that are missing or broken the first is {first.place}: {first.reason}" if first else ""
    return DataError(
        f"{pile.name} holds annotations, and none of its {len(items):,} pictures is listed in them{missing}.",
        where=pile.name,
        next="Put the pictures into the same folder or archive, under the names that the annotations give them.",
    )
