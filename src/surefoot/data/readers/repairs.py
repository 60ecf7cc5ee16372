"""Corrections to the data, written down beside it: the source itself is never changed.

`repairs.csv` has the columns `id, place, action, value, reason`; `place` says which item, as reports name it, `id` and `reason` are for people:

    drop                     the item is not used
    relabel, VALUE           its target is VALUE
    rotate, 90 | 180 | 270   degrees clockwise
    convert, grey | colour | invert
    keep                     a person looked at its label, and it stands: nothing changes, and nobody asks about it again
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.data.measures import to_grey
from surefoot.data.nearest import quote_some, suggest
from surefoot.data.readers import fingerprint
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, Refused, TableSource, take_words

COLUMNS = ("id", "place", "action", "value", "reason")
KEEP = "keep"
ACTIONS = ("drop", "relabel", "rotate", "convert", KEEP)
TURNS = ("90", "180", "270")
CONVERSIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "grey": lambda image: image if image.ndim == 2 else to_grey(image),
    "colour": lambda image: image if image.ndim == 3 else np.repeat(image[..., None], 3, 2),
    "invert": lambda image: 255 - image,
}
DROPPED = "data.repaired"


@dataclass(frozen=True)
class Repair:
    """One line of the file; its place as it is written there, for names may begin or end in spaces."""

    line: int
    place: str
    action: str
    value: str = ""
    reason: str = ""
    id: str = ""

    def spellings(self) -> tuple[str, str]:
        """What the place may be: as written, or without the spaces around it, which a person may have left there."""
        return self.place, self.place.strip()


def find_repairs(config: DataConfig, root: Path) -> Path | None:
    """The file of repairs of a project, None where there is none.

    Raises:
        DataError: one was named in the settings, and is not there.
    """
    if not config.repairs:
        return None
    path = root / config.repairs
    if path.is_file():
        return path
    if config.repairs != DataConfig().repairs:
        raise DataError(f"There is no file {config.repairs}.", where="data.repairs", next="Check the name, or leave the setting out.")
    return None


def list_decided(config: DataConfig, root: Path) -> set[str]:
    """Places whose label a person has decided about: nobody need be asked again.

    Raises:
        DataError: a line of the file is wrong.
    """
    path = find_repairs(config, root)
    return {name for repair in read_repairs(path) if repair.action in ("drop", "relabel", KEEP) for name in repair.spellings()} if path else set()


def mend(source: ImageSource | TableSource, config: DataConfig, root: Path) -> ImageSource | TableSource:
    """The source as the project's repairs want it: dropped items are among the refused, and the notes count the rest.

    Raises:
        DataError: a line is wrong; it is named, with what is allowed.
    """
    path = find_repairs(config, root)
    repairs = [repair for repair in read_repairs(path) if repair.action != KEEP] if path else []
    if path is None or not repairs:
        return source
    repairs = _find_places(source, repairs, path)
    changed = [repair for repair in repairs if repair.action != "drop"]
    if isinstance(source, ImageSource):
        source = _mend_pictures(source, changed, path)
    else:
        source = _mend_table(source, changed, config, path)
    source = _drop(source, {repair.place: repair for repair in repairs if repair.action == "drop"}, path.name)
    counts = Counter(repair.action for repair in repairs)
    told = ", ".join(f"{count:,} × {action}" for action, count in sorted(counts.items()))
    printed = fingerprint.of_words(source.fingerprint, hash_repairs(path))
    return replace(source, notes=[*source.notes, f"{path.name} was applied: {told}."], fingerprint=printed)


def hash_repairs(path: Path) -> str:
    """SHA-256 (hex) of what a file of repairs changes, "" where it changes nothing; of its bytes where a line is wrong, which its reader will tell."""
    try:
        changes = [replace(repair, line=0) for repair in read_repairs(path) if repair.action != KEEP]
    except DataError:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return fingerprint.of_words(*map(repr, changes)) if changes else ""


def read_repairs(path: Path) -> list[Repair]:
    """The lines of a file of repairs.

    Raises:
        DataError: a column is missing, or a line says what can't be done.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # a name may hold a line break, as macOS's `Icon\r` does
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} is no CSV in UTF-8: {error}.", where=str(path), next=f"Write it as CSV with the columns {', '.join(COLUMNS)}.") from error
    head = [name.strip() for name in rows[0]] if rows else []
    missing = [name for name in ("place", "action") if name not in head]
    if rows and missing:
        raise DataError(
            f"{path.name} has no column {quote_some(missing)}.",
            where=f"{path}:1",
            next=f"Its columns are {', '.join(COLUMNS)}; place and action must be there.",
        )
    repairs = []
    for line, cells in enumerate(rows[1:], 2):
        said = {name: cell if name == "place" else cell.strip() for name, cell in zip(head, cells)}
        if any(map(str.strip, said.values())):
            repairs.append(_check(Repair(line, **{name: said.get(name, "") for name in COLUMNS}), path))
    return repairs


def read_head(path: Path) -> tuple[str, ...]:
    """The columns of a file of repairs, in their order."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return tuple(name.strip() for name in next(csv.reader(file), []))


def write_repairs(repairs: Sequence[Repair], head: Sequence[str] = COLUMNS) -> bytes:
    """Repairs as the file's content; a column of a person's own stays empty."""
    text = io.StringIO()
    plain, quoted = (csv.writer(text, lineterminator="\n", quoting=one) for one in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    plain.writerow(head)
    for repair in repairs:
        cells = [getattr(repair, name, "") for name in head]
        (plain if all(cell == cell.strip() and "\r" not in cell for cell in cells) else quoted).writerow(cells)
    return text.getvalue().encode()


def _check(repair: Repair, path: Path) -> Repair:
    if not repair.place.strip():
        raise _explain(path, repair, "names no place", "Write where the item is, as the report does: a path in the folder, or file:line.")
    if repair.action not in ACTIONS:
        hint = suggest(repair.action, ACTIONS)
        raise _explain(path, repair, f'says "{repair.action}", which is no action', f"{hint}Actions are {', '.join(ACTIONS)}.")
    allowed = {"rotate": TURNS, "convert": tuple(CONVERSIONS)}.get(repair.action)
    if allowed and repair.value not in allowed:
        raise _explain(path, repair, f'cannot {repair.action} by "{repair.value}"', f"{suggest(repair.value, allowed)}Values are {', '.join(allowed)}.")
    if repair.action == "relabel" and not repair.value:
        raise _explain(path, repair, "relabels to nothing", "Write the target in the column value, or drop the item.")
    return repair


def _find_places(source: ImageSource | TableSource, repairs: list[Repair], path: Path) -> list[Repair]:
    """The repairs with places that are there.

    Raises:
        DataError: a place is not there, or two lines relabel it.
    """
    known, refused = set(source.places), {one.place for one in source.refused}
    found: list[Repair] = []
    targets: dict[str, Repair] = {}
    for written in repairs:
        repair = replace(written, place=next((name for name in written.spellings() if name in known or name in refused), written.place.strip()))
        found.append(repair)
        if repair.action == "relabel" and targets.setdefault(repair.place, repair).value != repair.value:
            first = targets[repair.place]
            raise _explain(path, repair, f'relabels to "{repair.value}" what line {first.line} relabels to "{first.value}"', "Keep one of the two lines.")
        if repair.place in known or (repair.action == "drop" and repair.place in refused):
            continue
        hint = suggest(repair.place, source.places) if len(source.places) < 20_000 else ""
        raise _explain(
            path, repair, f'names "{repair.place}", where no usable item is', f"{hint}Write the place as the report does; remove the line if it is gone."
        )
    return found


def _mend_pictures(source: ImageSource, repairs: list[Repair], path: Path) -> ImageSource:
    rows = {place: row for row, place in enumerate(source.places)}
    labels, changes = list(source.labels), dict[int, list[Repair]]()
    named = {str(label): label for label in labels if isinstance(label, str | int)}
    for repair in repairs:
        if repair.action == "rotate" and source.annotations:
            raise _explain(path, repair, "turns a picture and not its boxes", "Turn the file, and draw its boxes anew; or drop it.")
        if repair.action != "relabel":
            changes.setdefault(rows[repair.place], []).append(repair)
        elif repair.value in named:
            labels[rows[repair.place]] = named[repair.value]
        else:
            raise _explain(path, repair, f'relabels to "{repair.value}", which is no class', f"{suggest(repair.value, named)}Classes are {quote_some(named)}.")

    def read(row: int) -> np.ndarray:
        image = source.read(row)
        for repair in changes.get(row, ()):
            image = np.rot90(image, -int(repair.value) // 90) if repair.action == "rotate" else CONVERSIONS[repair.value](image)
        return np.ascontiguousarray(image)

    return replace(source, labels=labels, read=read, changed=frozenset(changes) | source.changed)


def _mend_table(source: TableSource, repairs: list[Repair], config: DataConfig, path: Path) -> TableSource:
    asked = [config.target] if isinstance(config.target, str) else list(config.target)
    targets = [name for name in asked if name] or list(source.suggested_target)
    rows = {place: row for row, place in enumerate(source.places)} if repairs else {}
    columns = dict(source.columns)
    for repair in repairs:
        if repair.action != "relabel":
            raise _explain(path, repair, f"wants to {repair.action} a row of a table", "Rows can be dropped or relabelled.")
        if len(targets) != 1 or targets[0] not in columns:
            raise _explain(path, repair, "relabels a row that has several targets, or none", "Drop it, or mend the table.")
        values = columns[targets[0]]
        if values is source.columns[targets[0]]:
            columns[targets[0]] = values = values.copy()
        values[rows[repair.place]] = _parse(repair, values, path)
    return replace(source, columns=columns)


def _parse(repair: Repair, values: np.ndarray, path: Path) -> Any:
    """A target as its column holds it."""
    if values.dtype == object:
        return repair.value
    words = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
    with contextlib.suppress(ValueError):
        value = words[repair.value.lower()] if repair.value.lower() in words else float(repair.value)
        if math.isfinite(value):
            return value
    raise _explain(path, repair, f'relabels to "{repair.value}", and the target is a number', "Write a number; drop the item if it has no target.")


def _drop(source: ImageSource | TableSource, drops: dict[str, Repair], name: str) -> ImageSource | TableSource:
    """Without the dropped items, which are refused by the file of repairs; those that were refused before are so by it now."""
    if not drops:
        return source
    kept = np.asarray([row for row, place in enumerate(source.places) if place not in drops], np.int64)
    refused = [one for one in source.refused if one.place not in drops]
    refused += [Refused(repair.place, f"dropped by {name}{': ' if repair.reason else ''}{repair.reason}", DROPPED) for repair in drops.values()]
    if isinstance(source, TableSource):
        columns = {column: values[kept] for column, values in source.columns.items()}
        places, given, sources = (take_words(words, kept) if words else [] for words in (source.places, source.given_sets, source.sources))
        return replace(source, columns=columns, places=places, given_sets=given, sources=sources, refused=refused)
    read, fetch, drawn, position = source.read, source.fetch, source.annotations, {int(row): at for at, row in enumerate(kept)}
    return replace(
        source,
        places=[source.places[row] for row in kept],
        labels=[source.labels[row] for row in kept],
        given_sets=[source.given_sets[row] for row in kept],
        refused=refused,
        read=lambda row: read(int(kept[row])),
        fetch=(lambda row: fetch(int(kept[row]))) if fetch else None,
        changed=frozenset(position[row] for row in source.changed if row in position),
        sources=[source.sources[row] for row in kept] if source.sources else [],
        annotations=replace(drawn, drawings=[drawn.drawings[row] for row in kept]) if drawn else None,
        columns={name: values[kept] for name, values in source.columns.items()},
    )


def _explain(path: Path, repair: Repair, what: str, next: str) -> DataError:
    return DataError(f"Line {repair.line} of {path.name} {what}.", where=f"{path}:{repair.line}", next=next)
