"""YOLO: a text file per picture, a line per box: class, then centre x, centre y, width and height as shares of the picture's sides.

The names of the classes stand in a YAML file (`names`), in `classes.txt` or in `obj.names`. A line with more numbers is an outline
(class, then x and y of its points); its box is the smallest around it. A picture without a text file is a negative (Ultralytics' documentation
of data sets for detection).
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from surefoot.data.readers.annotated import Album, Found, clean, explain_broken, find_suffix, make_boxes, read_head, read_whole, stem
from surefoot.data.readers.encoding import read_words
from surefoot.data.readers.piles import Entry, Pile, split_path
from surefoot.types.errors import DataError
from surefoot.types.source import Drawing, ItemError, Refused

MAX_BYTES = 1 << 24
NAME_FILES = ("classes.txt", "obj.names")
_LOOKED_AT = 200
"""Text files, at most, that are asked whether they hold boxes."""
_MOST_CLASSES = 100_000
WRONG_TYPE = "data.wrong_type"
Row = tuple[float, float, float, float, int, bool, bool]


def find_yolo(pile: Pile) -> Found | None:
    """What the text files of a pile say; None where they hold no boxes.

    Raises:
        DataError: the YAML is broken, or names no class.
    """
    files = [entry for entry in find_suffix(pile, ".txt") if entry.path.rsplit("/", 1)[-1].lower() not in NAME_FILES]
    if not files:
        return None
    album = Album(pile)
    labels = {entry.path: picture for entry in files if (picture := _find_picture(entry.path, album))}
    if not _hold_boxes(pile, [entry for entry in files if entry.path in labels]):
        return None
    settings = _read_settings(pile)
    absent = [entry for entry in files if entry.path not in labels and "labels" in split_path(entry.path.lower())]
    found = Found(classes=(), files={*labels, *(one.path for one in absent), *settings.paths}, takes_unlisted=True)
    found.refused += [Refused(stem(entry.path), f"is not there, and {entry.path} is about it") for entry in absent]
    found.notes += settings.notes
    lines = {entry.path: _read_lines(pile, entry, found) for entry in files if entry.path in labels}
    found.classes = settings.classes or _number_classes(lines, found)
    for path, split in lines.items():
        found.drawings[labels[path]].append(_draw(path, split, found.classes))
    _place_sets(settings.sets, pile, album, found)
    return found


class Settings:
    """What the YAML and the files of names say: `classes` in order, `sets` as the YAML has them, the `paths` of these files, and
    `notes` on what was assumed of them.

    Of each set it keeps what the YAML says, as a note would, and the paths in the pile that this may mean, the likeliest first.
    """

    def __init__(self) -> None:
        self.classes: tuple[str, ...] = ()
        self.sets: dict[str, list[tuple[str, list[str]]]] = {}
        self.paths: set[str] = set()
        self.notes: list[str] = []


def _find_picture(path: str, album: Album) -> str | None:
    """`labels/train/a.txt` is about `images/train/a.jpg`, `a.txt` about the `a.jpg` beside it."""
    parts = list(split_path(path))
    folders = [number for number, part in enumerate(parts[:-1]) if part.lower() == "labels"]
    if not folders:
        picture = album.find(path, path)
        return picture if picture and split_path(picture)[:-1] == tuple(parts[:-1]) and stem(picture) == stem(path) else None
    parts[folders[-1]] = "images"
    wanted = "/".join(parts)
    picture = album.find(wanted, wanted)
    return picture if picture and stem(picture) == stem(path) else None


def _hold_boxes(pile: Pile, files: list[Entry]) -> bool:
    """Whether any of the first files begins with a box: one that is broken says nothing of the others."""
    for entry in files[:_LOOKED_AT]:
        first = next((line.split() for line in read_words(entry.path, read_head(pile, entry, MAX_BYTES))[0].splitlines() if line.strip()), [])
        if len(first) >= 5 and all(re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|inf", word) for word in first):
            return True
    return False


def _read_settings(pile: Pile) -> Settings:
    found = Settings()
    for entry in find_suffix(pile, ".yaml", ".yml"):
        notes: list[str] = []
        content = _parse_yaml(pile, entry, notes)
        if isinstance(content, dict) and "names" in content:
            found.paths.add(entry.path)
            found.notes += notes
            found.classes = found.classes or _read_names(content["names"], f"{pile.name}, {entry.path}")
            for name, given in (("train", "train"), ("val", "val"), ("valid", "val"), ("test", "test")):
                values = content.get(name)
                for value in filter(None, values if isinstance(values, list) else [values]):
                    paths = _locate(entry.path, content.get("path"), value)
                    found.sets.setdefault(given, []).append((f"{entry.path} says `{name}: {clean(value)}`", paths))
    for entry in pile.entries:
        if entry.path.rsplit("/", 1)[-1].lower() in NAME_FILES:
            found.paths.add(entry.path)
            found.classes = found.classes or tuple(clean(line) for line in _text(pile, entry, found.notes).splitlines() if line.strip())
    return found


def _parse_yaml(pile: Pile, entry: Entry, notes: list[str]) -> Any:
    try:
        return yaml.safe_load(_text(pile, entry, notes))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise explain_broken(pile, entry, " ".join(str(error).split())) from error


def _read_names(names: Any, where: str) -> tuple[str, ...]:
    """A list of names, or number -> name; numbers that are left out get their number as a name."""
    by_number = dict(enumerate(names)) if isinstance(names, list) else names
    is_sound = isinstance(by_number, dict) and by_number and all(isinstance(number, int) and 0 <= number < _MOST_CLASSES for number in by_number)
    if not is_sound or not all(isinstance(name, str | int | float) for name in by_number.values()):
        raise DataError("`names` is no list of class names.", where=where, next="Write it as a list, or as `0: name`, a line each.")
    return tuple(clean(by_number.get(number, number)) for number in range(max(by_number) + 1))


def _locate(place: str, root: Any, value: Any) -> list[str]:
    """The paths of the pile that a path in the YAML at `place` may mean: below `path:`, or from the YAML's own folder, whatever is said of folders above."""
    top = split_path(place)[:-1]
    below, parts = ([part for part in split_path(str(one or "").replace("\\", "/")) if part != ".."] for one in (root, value))
    return list(dict.fromkeys(["/".join([*top, *below, *parts]), "/".join([*top, *parts])]))


def _read_lines(pile: Pile, entry: Entry, found: Found) -> list[tuple[int, list[str]]]:
    """(number of the line, words) of each line that holds something."""
    try:
        text, _ = read_words(entry.path, pile.fetch(entry, MAX_BYTES))  # numbers, which every encoding writes alike
        return [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    except ItemError as error:
        found.refused.append(Refused(entry.path, error.reason, error.code))
        return []


def _number_classes(lines: dict[str, list[tuple[int, list[str]]]], found: Found) -> tuple[str, ...]:
    """Without names the numbers are the names."""
    numbers = {number for split in lines.values() for _, words in split if (number := _read_class(words[0])) is not None}
    found.notes.append(f"No file names the classes; the {len(numbers)} numbers that are used are their names. A YAML file with `names` would name them.")
    return tuple(str(number) for number in range(max(numbers, default=-1) + 1))


def _draw(path: str, lines: list[tuple[int, list[str]]], classes: tuple[str, ...]) -> Drawing:
    rows: list[Row] = []
    refused = []
    for number, words in lines:
        kind, values = words[0], _read_values(words[1:])
        if values is None:
            refused.append(Refused(f"{path}:{number}", f"{len(words)} words, where a class and four numbers (or an outline) are due"))
        elif (known := _read_class(kind)) is None or known >= len(classes):
            refused.append(Refused(f"{path}:{number}", f"its class is {kind}, and classes are 0 to {len(classes) - 1}", WRONG_TYPE))
        else:
            rows.append((*values, known, False, False))
    return Drawing(make_boxes(rows), is_relative=True, refused=tuple(refused))


def _read_class(word: str) -> int | None:
    """The number of a class, `3` or `3.0`; None for what is none that could be meant."""
    return int(float(word)) if re.fullmatch(r"[0-9]{1,5}(\.0*)?", word) else None


def _read_values(words: list[str]) -> tuple[float, float, float, float] | None:
    """The corners of a box or of an outline's box, as shares."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        return None
    if len(values) == 4:
        x, y, width, height = values
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if len(values) >= 6 and len(values) % 2 == 0:
        return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])
    return None


def _place_sets(sets: dict[str, list[tuple[str, list[str]]]], pile: Pile, album: Album, found: Found) -> None:
    """Folders and lists of pictures that the YAML names as train, val and test; what names neither is told."""
    entries = {entry.path: entry for entry in pile.entries}
    for given in ("train", "val", "test"):
        for told, paths in sets.get(given, []):
            named = next((path for path in paths if path in entries and path.endswith(".txt")), "")
            inside = next((held for path in paths if (held := [one for one in entries if one.startswith(f"{path}/" if path else "")])), [])
            if named:
                found.files.add(named)
                _place_listed(_text(pile, entries[named], found.notes), named, given, album, found)
            for path in [] if named else inside:
                found.place(path, given)
            if not named and not inside:
                found.notes.append(f"{told}, and nothing is there: this says of no picture which set it belongs to.")


def _place_listed(text: str, path: str, given: str, album: Album, found: Found) -> None:
    """Pictures that a list names, a line each."""
    for line in filter(str.strip, text.splitlines()):
        if picture := album.find(line.strip(), path, given):
            found.place(picture, given)
        else:
            found.refused.append(Refused(clean(line), f"is not there, and {path} lists it"))


def _text(pile: Pile, entry: Entry, notes: list[str]) -> str:
    text, assumed = read_words(entry.path, read_whole(pile, entry))
    notes += assumed
    return text
