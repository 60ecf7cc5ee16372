"""Labels that lie beside the pictures in list files: labels.csv, train.txt, metadata.jsonl, an im2rec .lst."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from posixpath import basename, dirname, splitext
from typing import Any

import numpy as np

from surefoot.data import pictures
from surefoot.data.nearest import quote_some
from surefoot.data.readers.encoding import read_words
from surefoot.data.readers.header import MISSING_WORDS
from surefoot.data.readers.labels import is_number, type_labels
from surefoot.data.readers.piles import GIVEN_SETS, Entry, Pile, has_picture_suffix, is_hidden
from surefoot.data.targets import check_column
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, ItemError, Refused

LISTS = (".csv", ".tsv", ".txt", ".lst", ".jsonl")
MAX_LIST_BYTES, SAMPLE_ROWS, MOST_LISTS = 2**28, 50, 20
VECTOR_NAMES = ("label", "target")
"""Under which a list of numbers is a label, one number or more: under `labels` it may also name the things on a picture."""
LABEL_NAMES = ("label", "labels", "class", "target", "category", "cls", "class_id", "label_id", "y", "species")
SET_NAMES = frozenset(("split", "set", "subset", "partition"))
UNNAMED = "column "
"""How columns without a header begin; a number follows."""
_OPEN = "unexpected end of data"
"""What Python's csv says of a quoted cell that never ends, if it is strict."""

Row = dict[str, str]


@dataclass
class Beside:
    """What lies beside the pictures and says what they are.

    Attributes:
        labels: path -> label as it is written, a word or float64 (K,), None where it is left out. given: path -> given set. has_labels: lists may merely
            say who is in which set.
        unsaid: columns any of which may be the label, where none of the lists tells. rivals: those that are the label only if folders name no classes,
            for they are called otherwise.
        columns: name -> path -> cell, of all that lists say of the pictures.
        spare: files that were read as lists or labels, and are no pictures. refused: lines that name no picture. disputed: those that say another label or
            set of a picture than a line before.
    """

    labels: dict[str, Any] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    spare: set[str] = field(default_factory=set)
    refused: list[Refused] = field(default_factory=list)
    disputed: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    has_labels: bool = False
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class _List:
    """One list file, read.

    Attributes:
        names: every way in which it may name a picture -> path. path: the column that names the pictures. labels: those that say the label, and whether
            one `is_named` like it, or none `has_header` to be.
        unsaid: columns any of which may be the label. given: the one that says the set, "" for none. others: all columns but `path`. notes: what was assumed.
    """

    entry: Entry
    rows: list[Row]
    names: dict[str, str]
    path: str
    labels: tuple[str, ...]
    is_named: bool
    has_header: bool
    unsaid: tuple[str, ...]
    given: str
    others: tuple[str, ...]
    notes: list[str]


def read_lists(pile: Pile) -> Beside | None:
    """Labels, sets and more by list files; None where there is none.

    A list file is a table (.csv, .tsv, .txt, .lst, .jsonl; with a header or without) at the top of the pile, or one folder below, of which one
    column names pictures: by path, by name, or by name without suffix.

    Raises:
        DataError: lists have other numbers of label columns, or one can't be read to its end.
    """
    seen = list_seen(pile)
    candidates = _list_candidates(pile, seen) if seen else []
    names = _index_names([entry.path for entry in seen]) if candidates else {}
    lists = [found for entry in candidates if (found := _read_list(pile, entry, names))]
    return _join_lists(lists) if lists else None


def tell_unread(pile: Pile) -> str:
    """A list beside the pictures whose lines name other files than these; empty where there is none."""
    seen = list_seen(pile)
    names = _index_names([entry.path for entry in seen])
    for entry in _list_candidates(pile, seen) if seen else []:
        try:
            text, _ = read_words(entry.path, pile.fetch(entry, MAX_LIST_BYTES))
        except ItemError:
            continue
        near = _add_near(names, entry)
        rows = _parse(text, entry.path, near)
        strange = [row for row in rows if not any(_find(cell, near) for cell in row.values())]
        is_prose = entry.path.lower().endswith(".txt") and not any(has_picture_suffix(cell) for row in strange for cell in row.values())
        if 2 * len(strange) > len(rows) and not is_prose:
            last = ", ".join(strange[-1].values())  # the first may be a header
            return f'{len(strange):,} of the {len(rows):,} lines of {entry.path} name no picture that is there, such as "{last[:80]}"'
    return ""


def list_seen(pile: Pile) -> list[Entry]:
    """What is named like a picture, and not hidden."""
    return [entry for entry in pile.entries if has_picture_suffix(entry.path) and not is_hidden(entry.path)]


def _index_names(paths: list[str]) -> dict[str, str]:
    """Every way to name a picture -> its path: whole, by its last parts, and each without suffix; ways that two pictures share name none."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for depth in range(len(parts)):
            tail = "/".join(parts[depth:])
            for way in {tail, splitext(tail)[0]}:
                if found.setdefault(way, path) != path:
                    twice.add(way)
    whole = set(paths)
    return {way: path for way, path in found.items() if way not in twice} | {path: path for path in whole}


def _list_candidates(pile: Pile, seen: list[Entry]) -> list[Entry]:
    lists = [one for one in pile.entries if one.path.lower().endswith(LISTS) and not is_hidden(one.path) and 0 < one.size <= MAX_LIST_BYTES]
    if not lists:
        return []
    depth = min(entry.path.count("/") for entry in seen)
    beside = {splitext(entry.path)[0] for entry in seen}
    near = [one for one in lists if one.path.count("/") <= depth + 1 and splitext(one.path)[0] not in beside]
    return sorted(near, key=lambda one: one.path)[:MOST_LISTS]  # not as the file system has them: of two lines that differ the first counts


def _read_list(pile: Pile, entry: Entry, names: dict[str, str]) -> _List | None:
    try:
        text, notes = read_words(entry.path, pile.fetch(entry, MAX_LIST_BYTES))
    except ItemError:
        return None
    names = _add_near(names, entry)
    head = "\n".join(text.split("\n", SAMPLE_ROWS)[:SAMPLE_ROWS])
    column = _find_paths(_parse(head, entry.path, names), names)
    if not column:
        return None
    rows = _parse(text, entry.path, names, is_whole=True)
    if not rows:
        raise DataError(
            f"{entry.path} can't be read as a list: a quotation mark is opened and not closed.",
            where=f"{pile.name}, {entry.path}",
            next='Close it, or write a quotation mark inside a cell twice: "".',
        )
    if column not in rows[0]:
        return None
    others = [name for name in rows[0] if name != column]
    given = next((name for name in others if name.lower() in SET_NAMES or _are_sets(rows, name)), "")
    labels, unsaid = _pick_labels(rows, [name for name in others if name != given])
    is_named = any(name.lower() in LABEL_NAMES for name in labels)
    return _List(entry, rows, names, column, labels, is_named, not column.startswith(UNNAMED), unsaid, given, tuple(others), notes)


def _add_near(names: dict[str, str], entry: Entry) -> dict[str, str]:
    """Names as a list in a folder means them: first the pictures that lie in this folder, whose names others may bear elsewhere."""
    folder = f"{dirname(entry.path)}/"
    return names | {way.removeprefix(folder): path for way, path in names.items() if way.startswith(folder)} if len(folder) > 1 else names


def _parse(text: str, path: str, names: dict[str, str], *, is_whole: bool = False) -> list[Row]:
    """Rows as column -> cell; columns without a header are called `column 1`, `column 2`, ...; none where a quotation mark of the whole file stays open."""
    lines = [line for line in text.splitlines() if line.strip()]
    if splitext(path)[1].lower() == ".jsonl":
        return _parse_json(lines)
    mark = next((one for one in ("\t", ",", ";") if sum(one in line for line in lines) > len(lines) / 2), "")
    try:
        cells = [[cell.strip() for cell in row] for row in _read_cut(lines, mark, is_whole=is_whole)] if mark else [_cut_words(line, names) for line in lines]
    except csv.Error:  # a cell of more characters than csv takes: no list of pictures has one
        return []
    if not cells:
        return []
    has_header = not any(_find(cell, names) for cell in cells[0]) and any(_find(cell, names) for row in cells[1:] for cell in row)
    header = cells[0] if has_header else [f"{UNNAMED}{j}" for j in range(1, len(cells[0]) + 1)]
    return [dict(zip(header, row, strict=False)) for row in (cells[1:] if has_header else cells)]


def _read_cut(lines: list[str], mark: str, *, is_whole: bool) -> Iterable[list[str]]:
    """Lines cut at the mark. Raises csv.Error where a cell is too large, or the last one of a whole file is quoted and goes on."""
    try:
        return [*csv.reader(lines, delimiter=mark, strict=True)]
    except csv.Error as error:
        if is_whole and _OPEN in str(error):
            raise
    return csv.reader(lines, delimiter=mark)


def _parse_json(lines: list[str]) -> list[Row]:
    rows = []
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            rows.append({str(name): told for name, value in record.items() if (told := _tell_value(name, value)) is not None})
    return rows


def _tell_value(name: str, value: Any) -> str | None:
    """A value of a JSON record as a cell, a list only where it is a label of several amounts; None for what no cell holds."""
    if isinstance(value, list) and name in VECTOR_NAMES and all(one is None or isinstance(one, int | float) for one in value):
        return json.dumps(value)
    return None if isinstance(value, list | dict) else "" if value is None else str(value)


def _cut_words(line: str, names: dict[str, str]) -> list[str]:
    """A line of words: the whole is a name, or its last word is the label (names may hold spaces)."""
    return [line.strip()] if _find(line.strip(), names) else [cell.strip() for cell in line.rsplit(None, 1)]


def _find(cell: str, names: dict[str, str]) -> str:
    return names.get(cell.replace("\\", "/").removeprefix("./"), "")


def _find_paths(rows: list[Row], names: dict[str, str]) -> str:
    """The column that names pictures in at least half of the rows; empty where none does."""
    found = [(name, cell) for row in rows[:SAMPLE_ROWS] for name, cell in row.items() if _find(cell, names)]
    hits, whole = Counter(name for name, _ in found), Counter(name for name, cell in found if has_picture_suffix(cell))
    best = max(hits, key=lambda name: (hits[name], whole[name]), default="")  # a running number may happen to be a picture's name without suffix
    return best if best and 2 * hits[best] >= min(len(rows), SAMPLE_ROWS) else ""


def _are_sets(rows: list[Row], name: str) -> bool:
    found = {row.get(name, "").lower() for row in rows[:1000]}
    return bool(found) and found <= set(GIVEN_SETS)


def _pick_labels(rows: list[Row], others: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that say the label: one by its name, the only one, or several that are all numbers; else none, and those of which one may be it."""
    by_name = {name.lower(): name for name in others}
    named = next((by_name[word] for word in LABEL_NAMES if word in by_name), "")
    if named:
        return (named,), ()
    if len(others) > 1 and others[0] == "column 1" and _counts_up([row.get("column 1", "") for row in rows]):
        others = others[1:]  # im2rec's own running number
    if len(others) < 2 or all(_are_amounts([row.get(name, "") for row in rows]) for name in others):
        return tuple(others), ()
    return (), tuple(others)


def _are_amounts(cells: list[str]) -> bool:
    """Whether all that is said are numbers; a gap, or a word for none, is a label that is missing."""
    said = [cell for cell in cells if cell and cell not in MISSING_WORDS]
    return bool(said) and all(map(is_number, said))


def name_labels(source: ImageSource, target: str | list[str], where: str) -> ImageSource:
    """The pictures with the labels that the settings name: columns of the lists beside them. Nothing is changed where none is named.

    Raises:
        DataError: there is no such column; or none is named, and the lists have several that could be the label.
    """
    asked = [name for name in ([target] if isinstance(target, str) else target) if name]
    if not asked and source.unsaid:
        raise _explain_unsaid(source, where)
    if not asked or (asked in (["label"], ["boxes"]) and asked[0] not in source.columns):  # as reports call what has no name of its own
        return source
    for name in asked:
        check_column(source, name, "data.target")
    rows = zip(*(source.columns[name].tolist() for name in asked), strict=True)
    labels = type_labels({str(row): _read_cells(["" if cell is None else cell for cell in cells]) for row, cells in enumerate(rows)}, where)
    return replace(source, labels=list(labels.values()), unsaid=())


def _explain_unsaid(source: ImageSource, where: str) -> DataError:
    has_folders = any(label is not None for label in source.labels)
    lie = f"The pictures of {where} lie in folders that may be their classes, and the list beside them" if has_folders else ""
    several = "a column" if len(source.unsaid) == 1 else "several columns"
    column = f'data.target = "{source.unsaid[0]}"'
    return DataError(
        f"{lie or f'The list beside the pictures of {where}'} has {several} that could be the label: {quote_some(source.unsaid)}.",
        where=where,
        next=f'data.target = "label" takes the folders, {column} the column.' if has_folders else f'Name the right one: {column}; or call it "label".',
    )


def _read_cells(cells: list[str]) -> Any:
    """The label that one cell or several say; None where one is empty, or one of several amounts is no number."""
    if len(cells) == 1 and cells[0].startswith("["):
        amounts = _read_list_of_numbers(cells[0])
        return cells[0] if amounts is None else amounts if len(amounts) and np.isfinite(amounts).all() else None
    if "" in cells or not cells or (len(cells) > 1 and not all(map(is_number, cells))):
        return None
    return cells[0] if len(cells) == 1 else np.array([float(cell) for cell in cells])


def _read_list_of_numbers(cell: str) -> np.ndarray | None:
    """`[1.5, null]` as float64 (2,), NaN for null; None where the cell is no such list."""
    try:
        return np.asarray(json.loads(cell), np.float64).reshape(-1)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _counts_up(cells: list[str]) -> bool:
    return len(set(cells)) == len(cells) and all(cell.isdecimal() for cell in cells)


def _join_lists(lists: list[_List]) -> Beside:
    lists = _leave_columns(lists)
    found = Beside(has_labels=any(one.labels or one.unsaid for one in lists), spare={one.entry.path for one in lists})
    found.unsaid = next((one.unsaid for one in lists if one.unsaid), ())
    widths = {len(one.labels) for one in lists if one.labels}
    if len(widths) > 1:
        raise DataError("The list files have other numbers of label columns.", where=quote_some(found.spare), next="Give all of them the same columns.")
    for one in lists:
        of_file = _given_by_name(one.entry.path)
        for number, row in enumerate(one.rows, start=1):
            _take(found, f"{one.entry.path}:{number}", _find(row.get(one.path, ""), one.names), row, one, of_file)
    if not any(one.is_named or (one.labels and not one.has_header) for one in lists):
        found.rivals = tuple(dict.fromkeys(name for one in lists for name in one.labels + one.unsaid))
    told = ["columns" if found.rivals else "labels"] * found.has_labels + ["sets"] * bool(found.given)
    found.notes.append(f"The {' and '.join(told) or 'sets'} of the pictures were read from {quote_some(sorted(found.spare), 5)}.")
    found.notes += [note for one in lists for note in one.notes]
    return found


def _leave_columns(lists: list[_List]) -> list[_List]:
    """The lists, less the labels of those that merely say more of pictures to which others give what is called a label."""
    labelled = {"", *(_find(row.get(one.path, ""), one.names) for one in lists if one.is_named for row in one.rows)}  # "": what names no picture
    return [
        one if one.is_named or not labelled.issuperset(_find(row.get(one.path, ""), one.names) for row in one.rows) else replace(one, labels=(), unsaid=())
        for one in lists
    ]


def _take(found: Beside, place: str, path: str, row: Row, of: _List, given: str) -> None:
    """What a line says: its label where its list has labels, its set where it says one. What contradicts a line before is refused."""
    if not path:
        found.refused.append(Refused(place, f'names "{row.get(of.path, "")}", which is not there', pictures.WRONG_TYPE))
        return
    label = _read_cells([row.get(name, "") for name in of.labels])
    said = GIVEN_SETS.get(row.get(of.given, "").lower(), "") if of.given else given
    has_other = bool(of.labels) and path in found.labels and not np.array_equal(found.labels[path], label)
    has_other |= any(found.columns.get(name, {}).get(path, row.get(name, "")) != row.get(name, "") for name in of.unsaid)
    if has_other or (said and found.given.get(path, said) != said):
        found.disputed.append(Refused(place, f"says another label or set of {path} than a line before", pictures.WRONG_TYPE))
        return
    if of.labels or of.unsaid:
        found.labels[path] = label
    for name in of.others:
        found.columns.setdefault(name, {}).setdefault(path, row.get(name, ""))
    if said:
        found.given[path] = said


def _given_by_name(path: str) -> str:
    words = basename(path).lower().replace("-", "_").replace(".", "_").split("_")
    return next((GIVEN_SETS[word] for word in words if word in GIVEN_SETS), "")
