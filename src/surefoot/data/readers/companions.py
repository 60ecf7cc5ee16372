"""Labels under each picture's own name, as WebDataset has them: a file of another suffix beside it."""

from __future__ import annotations

import json
from collections import Counter
from posixpath import basename, dirname, splitext
from typing import Any

import numpy as np

from surefoot.data import pictures
from surefoot.data.readers.beside import LABEL_NAMES, VECTOR_NAMES, Beside, list_seen
from surefoot.data.readers.encoding import read_words
from surefoot.data.readers.labels import is_number
from surefoot.data.readers.piles import Entry, Pile
from surefoot.types.errors import DataError
from surefoot.types.source import ItemError, Refused

BOX_NAMES = ("annotations", "objects", "boxes", "bboxes", "bbox", "instances")
"""Under which the JSON beside a picture may hold boxes."""
_LOOKED_AT = 20
COMPANIONS = (".json", ".cls", ".label")


def read_companions(pile: Pile) -> Beside | None:
    """Labels under the pictures' own names, as WebDataset has them; the key of a file ends at the first dot of its name. None where there are none.

    A companion is `a/7.cls`, `a/7.label` or `a/7.json` beside `a/7.jpg`. A picture without one is refused; one whose amounts are `null` in part or as a
    whole is kept without a label, as from a list.

    Raises:
        DataError: companions hold boxes.
    """
    files = [(entry, splitext(entry.path)[1].lower()) for entry in pile.entries if entry.path.lower().endswith(COMPANIONS)]
    seen = list_seen(pile) if files else []
    if not seen:
        return None
    keys = {_key(entry.path) for entry in seen}
    companions: dict[str, dict[str, Entry]] = {}
    for entry, suffix in files:
        if (key := _key(entry.path)) in keys:
            companions.setdefault(key, {})[suffix] = entry
    notes: list[str] = []
    labels = {entry.path: _read_label(pile, companions.get(_key(entry.path), {}), notes) for entry in seen}
    num_labelled = sum(label is not None for label in labels.values())
    if 2 * num_labelled < len(seen):
        _check_no_boxes(pile, [files[".json"] for files in companions.values() if ".json" in files][:_LOOKED_AT])
        return None
    gaps = {path for path, label in labels.items() if isinstance(label, np.ndarray) and np.isnan(label).any()}
    settled = _settle_labels({path: label for path, label in labels.items() if path not in gaps})
    found = Beside(labels=dict.fromkeys(gaps), spare={one.path for files in companions.values() for one in files.values()}, has_labels=True)
    found.notes = [notes[0] + (f" So were {len(notes) - 1:,} more beside pictures." if notes[1:] else "")] if notes else []
    found.refused = [Refused(path, "has no label beside it", pictures.WRONG_TYPE) for path, label in settled.items() if label is None]
    found.labels |= {path: label for path, label in settled.items() if label is not None}
    return found


def _key(path: str) -> str:
    return f"{dirname(path)}/{basename(path).partition('.')[0]}"


def _settle_labels(labels: dict[str, Any]) -> dict[str, Any]:
    """The labels; where some are vectors, those of the commonest length, and None for all others."""
    lengths = Counter(len(label) for label in labels.values() if isinstance(label, np.ndarray))
    if not lengths:
        return labels
    length = lengths.most_common(1)[0][0]
    return {path: label if isinstance(label, np.ndarray) and len(label) == length else None for path, label in labels.items()}


def _read_label(pile: Pile, files: dict[str, Entry], notes: list[str]) -> str | np.ndarray | None:
    """What the companions of a picture say of it: a name before a number, and the .json before the .cls, whose number may be that of a class called 7."""
    told = [label for suffix in COMPANIONS if len(label := _read_companion(pile, files, suffix, notes))]
    return next((label for label in told if isinstance(label, str) and not is_number(label)), told[0] if told else None)


def _read_companion(pile: Pile, files: dict[str, Entry], suffix: str, notes: list[str]) -> str | np.ndarray:
    if suffix not in files:
        return ""
    try:
        text, assumed = read_words(files[suffix].path, pile.fetch(files[suffix], 2**20))
    except ItemError:
        return ""
    notes += assumed
    return _find_in_json(text) if suffix == ".json" else text.strip()


def _check_no_boxes(pile: Pile, files: list[Entry]) -> None:
    """Raises DataError where companions hold boxes: nothing says whether their numbers are corners or sizes, pixels or shares."""
    for entry in files:
        try:
            record = json.loads(pile.fetch(entry, 2**20))
        except (ItemError, ValueError, RecursionError):
            continue
        name = next((name for name in BOX_NAMES if isinstance(record, dict) and isinstance(record.get(name), list)), "")
        if name and any(isinstance(one, list | dict) for one in record[name]):
            raise DataError(
                f'{entry.path} holds boxes under "{name}", in no format that says what their numbers mean.',
                where=f"{pile.name}, {entry.path}",
                next="Write them as VOC's XML or YOLO's lines under the name of each picture (7.jpg, 7.xml), or as a COCO file; a mere label under \"label\".",
            )


def _find_in_json(text: str) -> str | np.ndarray:
    """A word, or float64 (K,) with NaN for null; empty where it says neither."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(record, dict):
        return ""
    named = next((record[name] for name in LABEL_NAMES if isinstance(record.get(name), str | int | float) and record[name] != ""), "")
    if named != "" or any(name in record for name in BOX_NAMES):
        return str(named)
    numbers: list[Any] = next((record[name] for name in VECTOR_NAMES if isinstance(record.get(name), list)), [])
    if not numbers or not all(one is None or (isinstance(one, int | float) and abs(one) < 1e300) for one in numbers):
        return ""
    return str(float(numbers[0])) if len(numbers) == 1 and numbers[0] is not None else np.asarray(numbers, np.float64)
