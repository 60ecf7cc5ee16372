"""What the looks at all pictures of a set come to: findings, items worth a look, and how the set is spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import splitext
from typing import Any

import numpy as np

from surefoot.analysis import leakage
from surefoot.analysis.suspects import judge_pictures
from surefoot.checks import pictures as checks
from surefoot.data.groups import Near
from surefoot.types.data_reports import NearPair, Spread, Suspect
from surefoot.types.findings import Finding
from surefoot.types.problem import Problem

_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"), "PNG": (".png",), "GIF": (".gif",), "BMP": (".bmp",), "WEBP": (".webp",), "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}  # fmt: skip
_ANY = frozenset(suffix for own in _SUFFIXES.values() for suffix in own)
_ODD_MODE = 0.05
"""A mode that fewer than one in twenty pictures have is worth a look."""
_BINS = 20
_LISTED = 500
_UPRIGHT = 1
_SIZES = 50
_PAIRS = 200


_NARROW = 64
"""The greyest that 14 bits, 0..16383, become where 16 bits are brought to 8; 12 bits become 16 at most."""


@dataclass(frozen=True)
class Used:
    """The items that are used, column by column.

    Attributes:
        rows: int64 (N,), their rows in the source. targets: float64 (N, T).
        contents: hashes. groups: names that equal and nearly equal items share. visible: bool (N,), False for a given test set, of which no statistic is made.
    """

    rows: np.ndarray
    ids: Sequence[str]
    places: Sequence[str]
    given_sets: Sequence[str]
    contents: Sequence[str]
    groups: Sequence[str]
    targets: np.ndarray
    visible: np.ndarray


@dataclass(frozen=True)
class Looks:
    """Findings; finding code -> position of an item -> why; and fields of `AuditReport`, under their names there."""

    findings: list[Finding] = field(default_factory=list)
    found: dict[str, dict[int, str]] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)


def sum_up_pictures(records: np.ndarray, used: Used, problem: Problem, seed: int) -> Looks:
    """Findings and spreads of the pictures that are used.

    Args:
        records: (N,) of `measures.RECORD`, of the items in `used`.
    """
    places, ids, visible = used.places, used.ids, used.visible
    odd = judge_pictures(records, visible)
    file_modes = _count(records["mode"][visible])
    turned = np.flatnonzero(records["turn"] > _UPRIGHT)
    misnamed = _find_misnamed(records, places)
    rare = {mode for mode, count in _count(records["mode"]).items() if count < _ODD_MODE * len(records)}
    found = {
        **odd,
        "data.mixed_modes": {row: f"stored as {mode}" for row, mode in _each(records["mode"]) if mode in rare},
        "data.exif_rotated": {int(row): f"stored turned (EXIF orientation {records['turn'][row]}), set upright" for row in turned},
        "data.wrong_type": misnamed,
    }
    findings = [
        *checks.suspects(odd, ids, places),
        *checks.modes(file_modes),
        *_find_narrow(records, used),
        *(checks.turned(_count(records["turn"][turned]), [ids[row] for row in turned.tolist()]) if problem.task != "detection" else []),  # told with the boxes
        *checks.misnamed([places[row] for row in misnamed], [ids[row] for row in misnamed]),
        *_find_leaks(records[visible], used, problem, seed),
    ]
    sizes = Counter(f"{height}x{width}" for height, width in zip(records["height"].tolist(), records["width"].tolist()))
    sides = np.sort(np.stack([records["height"], records["width"]])[:, visible], 0)
    shown = {
        "sizes": dict(sizes.most_common(_SIZES)),
        **({"shorter_side": int(np.median(sides[0])), "longer_side": int(np.median(sides[1]))} if visible.any() else {}),
        "modes": _count(np.where(records["is_colour"], "colour", "grey")),
        "file_modes": file_modes,
        "turned": _count(records["turn"][turned]),
        "measures": {name: measure_spread(records[name][visible]) for name in ("brightness", "contrast", "sharpness", "bytes") if records[name][visible].any()},
    }
    return Looks(findings, {code: told for code, told in found.items() if told}, shown)


def _find_narrow(records: np.ndarray, used: Used) -> list[Finding]:
    """Pictures of 16 bits (modes I;16 and I) of which no more than the lowest quarter of the range is used."""
    wide = np.flatnonzero(np.char.startswith(records["mode"], b"I") & used.visible)
    dim = wide[records["high"][wide] <= _NARROW]
    greys = int(records["high"][dim].max(initial=0)) + 1
    return checks.narrow([used.places[row] for row in dim], [used.ids[row] for row in dim], len(wide), greys)


def sum_up_likes(near: Near, used: Used, problem: Problem) -> Looks:
    """What is nearly equal, and what repeats an item of a given set that is judged later."""
    paired = np.flatnonzero(np.isin(used.rows, [row for pair in near.pairs for row in pair[:2]]))
    position = dict(zip(used.rows[paired].tolist(), paired.tolist()))
    is_class = problem.task in ("binary", "multiclass", "multilabel")
    pairs = []
    for a, b, likeness in near.pairs:
        at, other = position[a], position[b]
        differs = is_class and bool((used.targets[at] != used.targets[other]).any())
        ends = {"a": used.ids[at], "b": used.ids[other], "place_a": used.places[at], "place_b": used.places[other]}
        pairs.append(NearPair(**ends, likeness=min(likeness, 1.0), is_conflicting=differs))
    groups = Counter(near.names[content] for content in (used.contents if near.names else ()) if content in near.names)
    across = find_across(used.groups, used.given_sets, used.places)
    findings = [
        *checks.near(pairs, groups.total(), len(used.ids), max(groups.values(), default=0)),
        *checks.across_sets([used.places[row] for row in across], [used.ids[row] for row in across]),
    ]
    return Looks(findings, {"data.duplicates": across} if across else {}, {"near": tuple(pairs[:_PAIRS]), "num_near": groups.total()})


def _find_leaks(records: np.ndarray, used: Used, problem: Problem, seed: int) -> list[Finding]:
    """Whether bytes, sides, modes, dates or names of the files tell the class.

    Args:
        records: of the visible pictures.
    """
    if problem.task not in ("binary", "multiclass"):
        return []
    targets, rows = used.targets[used.visible, 0], np.flatnonzero(used.visible).tolist()
    features = leakage.describe_files(records, [used.places[row] for row in rows], [problem.classes[int(target)] for target in targets])
    return checks.file_leaks(leakage.score_columns(features, targets, is_classification=True, seed=seed), leakage.FILE_THRESHOLD)


def list_suspects(found: Mapping[str, Mapping[int, str]], ids: Sequence[str], places: Sequence[str]) -> tuple[Suspect, ...]:
    """Items with all that is said of them, those with the rarer codes first; at most 500."""
    by_item: dict[int, dict[str, str]] = {}
    for code, told in sorted(found.items(), key=lambda one: len(one[1])):
        for row, why in told.items():
            by_item.setdefault(row, {})[code] = why
    return tuple(Suspect(id=ids[row], place=places[row], reasons=reasons) for row, reasons in list(by_item.items())[:_LISTED])


def find_across(groups: Iterable[str], given_sets: Sequence[str], places: Sequence[str]) -> dict[int, str]:
    """Positions of items that repeat one of a given set judged later, each with why.

    Args:
        groups: of each item, a name that equal and nearly equal items share.
    """
    if len(set(given_sets) - {""}) < 2:
        return {}
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    told: dict[int, str] = {}
    for rows in members.values():
        given = {given_sets[row] for row in rows} - {""}
        if len(given) > 1:
            first = "test" if "test" in given else "val"
            original = next(row for row in rows if given_sets[row] == first)
            told |= {row: f"repeats {places[original]} of the given {first} set" for row in rows if given_sets[row] not in ("", first)}
    return dict(sorted(told.items()))


def _find_misnamed(records: np.ndarray, places: Sequence[str]) -> dict[int, str]:
    told = {}
    for row, name in _each(records["format"]):
        suffix = splitext(places[row])[1].lower()
        if name in _SUFFIXES and suffix in _ANY and suffix not in _SUFFIXES[name]:
            told[row] = f"named {suffix}, and its content is {name}"
    return told


def _each(values: np.ndarray) -> Iterable[tuple[int, str]]:
    return enumerate(value.decode() for value in values.tolist())


def _count(values: np.ndarray) -> dict[str, int]:
    """Value as text -> how often it is there, the most frequent first."""
    counts = Counter(value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist())
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def measure_spread(values: np.ndarray) -> Spread:
    """Quantiles and a histogram of numbers (N,)."""
    numbers = values.astype(np.float64)
    low, median, high = np.quantile(numbers, (0.01, 0.5, 0.99))
    histogram, edges = np.histogram(numbers, bins=_BINS)
    return Spread(
        low=float(low), median=float(median), high=float(high), histogram=tuple(int(n) for n in histogram), edges=tuple(float(edge) for edge in edges)
    )
