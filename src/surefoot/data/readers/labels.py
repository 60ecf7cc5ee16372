"""Targets as arrays, or words as written -> one label per item, and labels of two sources made comparable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from surefoot.data.nearest import quote_some
from surefoot.data.readers.encoding import decode_cells
from surefoot.data.readers.header import MISSING_WORDS
from surefoot.types.errors import DataError

_WHOLE = re.compile(r"[+-]?\d{1,18}")
"""Whole numbers that an int64 holds."""


def read_labels(targets: np.ndarray, where: str) -> tuple[list[Any], list[str]]:
    """One label per item, as `ImageSource.labels` wants them, and notes on what was normalised.

    Args:
        targets: (N,) or (N, 1) words, ints or numbers, or (N, T): one-hot rows become class indices, others float64 vectors.
        where: named in errors and notes.

    Raises:
        DataError: targets of another shape or kind.
    """
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim not in (1, 2) or targets.dtype.kind not in "biufUS" or (targets.ndim == 2 and targets.dtype.kind in "US"):
        raise DataError(
            f"The targets are an array of shape {targets.shape} and type {targets.dtype}.",
            where=where,
            next="Give one word or number per item, shape (N,), or a row of numbers per item, shape (N, T).",
        )
    if targets.ndim == 2:
        return _read_rows(targets.astype(np.float64), where)
    if targets.dtype.kind == "S":
        return decode_cells(f"The target of {where}", targets)
    if targets.dtype.kind == "b":
        targets = targets.astype(np.int64)
    return _read_numbers(targets, where) if targets.dtype.kind == "f" else (targets.tolist(), [])


def align_labels(labels: list[Any], like: list[Any], where: str) -> list[Any]:
    """Labels of a test or wild set in the form of its source's, so that `3` from an array equals the folder `3`.

    Raises:
        DataError: the forms differ (words against vectors, vectors of other lengths), or no word is shared.
    """
    ours, theirs = _name_form(labels), _name_form(like)
    if (ours, theirs) == ("words", "ints") and all(one is None or _is_int(one) for one in labels):
        labels = [None if one is None else int(one) for one in labels]
    elif (ours, theirs) == ("ints", "words"):
        labels = [None if one is None else str(one) for one in labels]
    elif ours == "ints" and theirs.startswith("vectors") and _fit_vectors(labels, length := len(next(one for one in like if one is not None))):
        labels = [None if one is None else _as_vector(one, length) for one in labels]
    elif "" not in (ours, theirs) and ours != theirs:
        raise DataError(f"Its labels are {ours}, the source's are {theirs}.", where=where, next="Give both sets labels of the same kind.")
    if theirs == "words":  # ints may be quantities, of which a new one is nothing strange
        classes, known = {one for one in labels if one is not None}, {one for one in like if one is not None}
        if classes and not classes & known:
            raise DataError(
                f"None of its classes ({quote_some(sorted(map(str, classes)))}) is a class of the source ({quote_some(sorted(map(str, known)))}).",
                where=where,
                next="Rename the classes so that the same thing has the same name in both.",
            )
    return labels


def is_number(cell: str) -> bool:
    """Whether a cell says a finite number."""
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def type_labels(labels: dict[str, Any], where: str) -> dict[str, Any]:
    """Vectors as they are; else words, ints where all are whole numbers, or vectors of one number where all are numbers.

    Codes such as 007 are words: no amount is written so. Among numbers `nan`, `NA` and their like, as tables have them, are no label; among words they
    may name a class.

    Raises:
        DataError: vectors of several lengths, or beside words.
    """
    said = [label for label in labels.values() if label is not None]
    lengths = {len(label) if isinstance(label, np.ndarray) else 0 for label in said}
    if len(lengths) > 1:
        raise DataError(
            "The labels of the pictures are lists of other lengths.",
            where=where,
            next="Write as many numbers for each; where a list names classes, a column for each class that is 1 or 0.",
        )
    if lengths - {0}:
        return labels
    amounts = {path: None if label in MISSING_WORDS else label for path, label in labels.items()}
    said = [label for label in amounts.values() if label is not None]
    if said and all(_WHOLE.fullmatch(label) for label in said):
        is_padded = any(label.lstrip("+-") != str(abs(int(label))) for label in said)
        return amounts if is_padded else {path: None if label is None else int(label) for path, label in amounts.items()}
    if said and all(is_number(label) for label in said):
        return {path: None if label is None else np.array([float(label)]) for path, label in amounts.items()}
    return labels


def _read_numbers(targets: np.ndarray, where: str) -> tuple[list[Any], list[str]]:
    known = np.isfinite(targets)
    if np.all(targets[known] == np.rint(targets[known])):
        labels = [int(value) if ok else None for value, ok in zip(targets.tolist(), known.tolist(), strict=True)]
        return labels, [f"Targets in {where} are whole numbers stored as {targets.dtype}; they are read as ints."]
    return [np.array([value]) if ok else None for value, ok in zip(targets.astype(np.float64).tolist(), known.tolist(), strict=True)], []


def _read_rows(targets: np.ndarray, where: str) -> tuple[list[Any], list[str]]:
    if targets.size and np.isin(targets, (0.0, 1.0)).all() and (targets.sum(axis=1) == 1).all():
        return targets.argmax(axis=1).tolist(), [f"Targets in {where} are one-hot rows; they are read as class indices."]
    return [row if np.isfinite(row).all() else None for row in targets], []


def _name_form(labels: Sequence[Any]) -> str:
    """What kind of labels these are; empty where there are none."""
    first = next((one for one in labels if one is not None), None)
    if first is None:
        return ""
    if isinstance(first, str):
        return "words"
    return "ints" if isinstance(first, int) else f"vectors of {len(first)}"


def _fit_vectors(labels: list[Any], length: int) -> bool:
    return length == 1 or all(one is None or 0 <= one < length for one in labels)


def _as_vector(label: int, length: int) -> np.ndarray:
    """A number that happened to be whole, or the place of the one in a row that happened to be one-hot."""
    return np.array([float(label)]) if length == 1 else np.eye(length)[label]


def _is_int(word: str) -> bool:
    return word.isdecimal() and word == str(int(word))
