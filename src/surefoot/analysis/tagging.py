"""Tags that need no person: what can be measured on an item, and what the audit said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

import numpy as np

from surefoot.analysis.pictures import brightness, sharpness
from surefoot.analysis.texts import tag_texts
from surefoot.types.data_reports import FieldSpec
from surefoot.types.error_reports import ErrorRow
from surefoot.types.findings import Finding

CLASSIC = {"image": ("blurry", "dark", "odd size", "mislabel"), "table": ("missing values", "outlier", "mislabel")}
"""Tag columns that every error table has, by kind of data (Ng, Machine Learning Yearning, ch. 14 to 17)."""
_AUDITED = {
    "blurry": "blurry", "dark": "dark", "inverted": "inverted", "odd_size": "odd size", "outliers": "outlier",
    "near_duplicates": "near duplicate", "conflicting_labels": "conflicting label", "exif_rotated": "rotated",
}  # fmt: skip
"""What the audit may find of an item (the code without its area), as a tag."""
_LOW = 0.05
"""The darkest and the blurriest twentieth of val are tagged: such tags rank, they do not judge."""
_FAR = 4.0
"""Robust standard deviations from the median from which on a number is an outlier."""
_NORMAL = 1.349
"""Interquartile range of the normal law, in standard deviations."""


def tag_items(fields: tuple[FieldSpec, ...], items: tuple[np.ndarray, ...], others: tuple[np.ndarray, ...]) -> list[list[str]]:
    """Dark and blurry pictures; rows with missing values, numbers far from the others, or odd texts.

    Args:
        items: one array (N, ...) per field. others: the same of a sample of val, which say what is usual.
    """
    if not len(items[0]):
        return []
    if fields[0].name == "image":
        found = [(tag, measure(items[0]) < np.quantile(measure(others[0]), _LOW)) for tag, measure in (("dark", brightness), ("blurry", sharpness))]
    else:
        found = [("missing values", _find_gaps(fields, items)), ("outlier", _find_far(fields, items, others))]
    tags = [[tag for tag, here in found if here[row]] for row in range(len(items[0]))]
    for field, array in zip(fields, items, strict=True):
        if field.is_text:
            tags = [list(dict.fromkeys([*had, *more])) for had, more in zip(tags, tag_texts(array), strict=True)]
    return tags


def _find_gaps(fields: tuple[FieldSpec, ...], items: tuple[np.ndarray, ...]) -> np.ndarray:
    gaps = np.zeros(len(items[0]), bool)
    for field, array in zip(fields, items, strict=True):
        if field.name in ("numeric", "category"):
            gaps |= (np.isnan(array) if field.name == "numeric" else array == 0).any(1)
    return gaps


def _find_far(fields: tuple[FieldSpec, ...], items: tuple[np.ndarray, ...], others: tuple[np.ndarray, ...]) -> np.ndarray:
    far = np.zeros(len(items[0]), bool)
    for field, array, usual in zip(fields, items, others, strict=True):
        for column in range(array.shape[1]) if field.name == "numeric" else ():
            known = usual[~np.isnan(usual[:, column]), column]
            if len(known):
                low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
                far |= (high > low) & (np.abs(np.nan_to_num(array[:, column], nan=middle) - middle) > _FAR * (high - low) / _NORMAL)
    return far


def audited_tags(findings: Iterable[Finding]) -> Mapping[str, list[str]]:
    """Item id -> what the audit found about it, as tags."""
    found: dict[str, list[str]] = {}
    for finding in findings:
        tag = _AUDITED.get(finding.code.removeprefix("data."))
        for id in finding.ids if tag else ():
            found.setdefault(id, []).append(str(tag))
    return found


def unify(rows: Iterable[ErrorRow], known: Iterable[Iterable[str]]) -> list[ErrorRow]:
    """The rows with each tag once, written as the known one, or the first one, that it differs from in case alone: two would share what mending brings.

    Args:
        known: lists of tags that need no person, each of which stays as it is: of classes `a` and `A`, `a as b` and `A as b` are two.
    """
    kept = list(dict.fromkeys(chain(*CLASSIC.values(), *known)))
    spelled = {tag.casefold(): tag for tag in reversed(kept)}
    unified = []
    for row in rows:
        tags = (tag if tag in kept else spelled.setdefault(tag.casefold(), tag) for tag in row.tags)
        unified.append(row.model_copy(update={"tags": tuple(dict.fromkeys(tags))}))
    return unified
