"""What is wrong with the data: evidence in, findings out."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, islice

import numpy as np

from surefoot.data.identity import group_equals
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.findings import Finding
from surefoot.types.source import Refused

_REFUSED_TEXT = {
    "data.corrupt_item": "can't be read",
    "data.empty_item": "are empty",
    "data.wrong_type": "are of a kind that is no item",
    "data.too_large": "are larger than anything that is read",
    "data.repaired": "are dropped",
}
_LONELY, _TIMES, _FEW_COLUMNS = 0.7, 3, 3
"""How far one column must go alone, and how many times as far as the next, of three at least. Of public tables the best goes 0.93 (iris), the
next 0.90; 0.76 and 0.73 (breast cancer); 0.50 and 0.18 (bikes by the hour); 0.33 and 0.00 (hypothyroid)."""
_REASONS = 5
"""Reasons of refusal that one sentence names."""
_MISSING = 0.3
_RARE = 5
"""A class with fewer items can't be measured in three sets."""
_FEWEST = 50
"""Items under which to gather more is worth more than any model (scikit-learn's chart "Choosing the right estimator"): their test set has ten."""
_IMBALANCE = 10.0
"""Largest class over smallest, from which accuracy alone misleads (He and Garcia 2009, "Learning from Imbalanced Data")."""
_LIST = 100
MOSTLY = 0.5
"""Share of numbers in a column of words from which it may be one of amounts."""


def refused(items: Sequence[Refused]) -> list[Finding]:
    """One finding per kind of refusal, with its commonest reasons; the whole list stands in the report."""
    by_code: dict[str, list[Refused]] = defaultdict(list)
    for item in items:
        by_code[item.code].append(item)
    return [
        Finding(
            code=code,
            severity="info" if code == "data.repaired" or all(is_litter(item.place) for item in group) else "warn",
            what=f"{len(group):,} file(s) or row(s) {_REFUSED_TEXT.get(code, 'are refused')}: {name_reasons(group)}.",
            where=", ".join(item.place for item in group[:5]),
            next="Mend or remove them; they are not used.",
            evidence={"refused": len(group)},
        )
        for code, group in sorted(by_code.items())
    ]


def name_reasons(group: Sequence[Refused]) -> str:
    """The commonest reasons, each with its first place; of several also how often each is."""
    counts = Counter(item.reason for item in group)
    if len(counts) == 1:
        return f"{group[0].reason} ({'e.g. ' if len(group) > 1 else ''}{group[0].place})"
    first = {item.reason: item.place for item in reversed(group)}
    named = [f"{reason} ({count:,}, e.g. {first[reason]})" for reason, count in counts.most_common(_REASONS)]
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(_REASONS))
    return "; ".join([*named, *([f"{rest:,} more for other reasons"] if rest else [])])


def duplicates(contents: Sequence[str], ids: Sequence[str], targets: Sequence[object] | np.ndarray | None) -> list[Finding]:
    """Equal contents, and equal contents with different targets.

    Args:
        targets: what items of equal content must share; None for amounts: whoever measures a setting three times gets three, and none of them is wrong.
    """
    equal = list(group_equals(contents).values())
    conflicting = [] if targets is None else [rows for rows in equal if len({repr(targets[row]) for row in rows}) > 1]
    found = []
    if equal:
        copies = sum(len(rows) - 1 for rows in equal)
        found.append(
            Finding(
                code="data.duplicates",
                severity="info",
                what=f"{copies:,} item(s) repeat another one exactly ({len(equal):,} groups).",
                where="content",
                next="They are kept on one side of the split; remove them if they are mistakes.",
                evidence={"copies": copies, "groups": len(equal), "items": len(contents)},
                ids=tuple(ids[row] for row in islice(chain.from_iterable(equal), _LIST)),
            )
        )
    if conflicting:
        items = sum(len(rows) for rows in conflicting)
        found.append(
            Finding(
                code="data.conflicting_labels",
                severity="warn",
                what=f"{items:,} items are equal to another one and have a different target ({len(conflicting):,} groups).",
                where="targets",
                next="Look at them and mend the labels; no model can get all of them right.",
                evidence={"items": items, "groups": len(conflicting), "share": items / max(len(contents), 1)},
                ids=tuple(ids[row] for row in islice(chain.from_iterable(conflicting), _LIST)),
            )
        )
    return found


def too_few(num: int) -> list[Finding]:
    """Fewer usable items than anything can be said about."""
    if num >= _FEWEST:
        return []
    return [
        Finding(
            code="data.too_few",
            severity="warn",
            what=f"Only {num:,} items can be used: a fifth of them, the usual test set, is {num // 5:,}, on which one item more or less is everything.",
            where="data.source",
            next="Gather more before anything else: a few hundred are a beginning. Until then believe the intervals, and no value without one.",
            evidence={"items": num, "threshold": _FEWEST},
        )
    ]


def balance(counts: Mapping[str, int], pictures: Mapping[str, int] | None = None) -> list[Finding]:
    """Rare and unequal classes.

    Args:
        counts: class -> items, or boxes. pictures: class -> pictures on which a box of it is, where boxes are counted: these make it rare.
    """
    rare = {name: held for name, held in (counts if pictures is None else pictures).items() if held < _RARE}
    common = {name: count for name, count in counts.items() if name not in rare}
    found = [_tell_rare(rare, are_boxes=pictures is not None)] if rare else []
    if len(common) > 1 and max(common.values()) > _IMBALANCE * min(common.values()):
        found.append(_tell_unequal(common, sum(counts.values()), are_boxes=pictures is not None))
    return found


def spellings(counts: Mapping[str, int]) -> list[Finding]:
    """Classes that differ in capitals alone, as yes and Yes do. Single letters, a and A, are classes of their own. `counts`: class -> items."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        alike[name.casefold()].append(name)
    several = [names for names in alike.values() if len(names) > 1 and len(names[0]) > 1]
    if not several:
        return []
    named = "; ".join(", ".join(f"{name} ({counts[name]:,})" for name in names) for names in several[:_REASONS])
    return [
        Finding(
            code="data.mixed_types",
            severity="warn",
            what=f"{sum(map(len, several)):,} classes differ from another one in capitals alone: {named}{'; …' if len(several) > _REASONS else ''}.",
            where="classes",
            next="Write each label one way; until then each spelling is a class of its own.",
            evidence={name: counts[name] for names in several for name in names},
        )
    ]


def _tell_rare(rare: Mapping[str, int], *, are_boxes: bool) -> Finding:
    named = ", ".join(f"{name} ({count})" for name, count in list(rare.items())[:10])
    lost = "they can't be learned and measured" if are_boxes else "so few say next to nothing, wherever they go"  # under K-fold val measures them
    held = f"are on fewer than {_RARE} pictures" if are_boxes else f"have fewer than {_RARE} items"
    return Finding(
        code="data.rare_class",
        severity="warn",
        what=f"{len(rare)} class(es) {held}: {named}{', …' if len(rare) > 10 else ''}.",
        where="classes",
        next=f"Gather more of them, or merge them: {lost}.",
        evidence=dict(rare),
    )


def _tell_unequal(common: Mapping[str, int], total: int, *, are_boxes: bool) -> Finding:
    most = max(common, key=lambda name: common[name])
    largest, smallest, share = common[most], min(common.values()), common[most] / total
    return Finding(
        code="data.imbalance",
        severity="info",
        what=f"{most} is {share:.1%} of all boxes, {largest / smallest:.1f} times the rarest."
        if are_boxes
        else f"{most} is {share:.1%} of all items: saying it always is {share:.1%} accurate and says nothing.",
        where="classes",
        next="Look at the average precision of each class: the mean over classes is the metric, and rare ones count as much as common ones."
        if are_boxes
        else "Look at recall and precision per class; try train.class_weights = 'balanced', or problem.metric = 'balanced_accuracy' or 'f1_macro'.",
        evidence={"largest": largest, "smallest": smallest, "threshold": _IMBALANCE},
    )


def columns(profiles: Sequence[ColumnProfile], rows: int) -> list[Finding]:
    """Missing values, constant and identifier-like columns."""
    found = []
    gaps = [p for p in profiles if p.missing and p.role == "input"]
    if gaps:
        worst = max(gaps, key=lambda p: p.missing)
        found.append(
            Finding(
                code="data.missing_values",
                severity="warn" if worst.missing > _MISSING * rows else "info",
                what=f"{len(gaps)} column(s) have missing values; most in {worst.name}: {worst.missing / rows:.1%}.",
                where=", ".join(p.name for p in gaps[:10]),
                next="Numbers are filled with the train median beside a column that says where; categories get a value of their own, texts are empty.",
                evidence={p.name: p.missing for p in gaps[:20]},
            )
        )
    for code, role, why, advice in (
        ("data.constant_column", "constant", "hold one value only", "They are left out."),
        ("data.id_column", "id", "name the rows and say nothing about them", "They are left out; if one is a real input, list it nowhere and rename it."),
    ):
        names = [p.name for p in profiles if p.role == role]
        if names:
            found.append(
                Finding(
                    code=code,
                    severity="info",
                    what=f"{len(names)} column(s) {why}.",
                    where=", ".join(names[:10]),
                    next=advice,
                    evidence={"columns": names[:50]},
                )
            )
    return found


def mixed_types(shares: Mapping[str, float]) -> list[Finding]:
    """Amounts that are read as words because of some of their cells. `shares`: column -> share of its cells that are numbers, where some are none."""
    return [
        Finding(
            code="data.mixed_types",
            severity="info",
            what=f"{share:.1%} of the cells of {name} are numbers and the others are words, so that all of it is read as words.",
            where=name,
            next="Mend the words, or leave these cells empty: the column is then read as numbers.",
            evidence={"numbers": share, "threshold": MOSTLY},
        )
        for name, share in shares.items()
        if MOSTLY <= share < 1
    ]


def extremes(counts: Mapping[str, tuple[int, int, int]], rows: int) -> list[Finding]:
    """Infinite numbers and those too large. `counts`: column -> infinite, too large, and those of them that are lost, as `count_extremes` tells them."""
    found = []
    for name, (infinite, beyond, lost) in counts.items():
        if infinite:
            what = f"{name}: {infinite:,} of {rows:,} numbers are infinite; they count as missing."
            advice = "Ask how they came about (a division by zero, the logarithm of zero), and give a finite number that means the same."
            found.append(_tell_extreme("data.missing_values", name, what, advice, {"infinite": infinite, "rows": rows}))
        if beyond:
            fate = (
                f"; {lost:,} of them are so even in the column's own unit, and count as missing" if lost else "; the column is divided by a power of ten first"
            )
            what = f"{name}: {beyond:,} of {rows:,} numbers are beyond what a model computes with (1e30){fate}."
            advice = "Give the column in a larger unit, or take its logarithm; mend those that are slips."
            found.append(_tell_extreme("data.wrong_type", name, what, advice, {"beyond": beyond, "lost": lost, "rows": rows}))
    return found


def _tell_extreme(code: str, name: str, what: str, advice: str, evidence: dict[str, int]) -> Finding:
    return Finding(code=code, severity="warn", what=what, where=name, next=advice, evidence=evidence)


def leaks(scores: Mapping[str, float], threshold: float) -> list[Finding]:
    """Columns that alone predict the target too well, or that stand alone in doing so well.

    Args:
        scores: column -> share of the way from the trivial to the perfect predictor.
    """
    return _tell_lonely(scores, threshold) + [
        Finding(
            code="data.leaking_column",
            severity="warn",
            what=f"{name} alone predicts the target almost perfectly ({score:.1%} of the way from guessing to perfect).",
            where=name,
            next=f"Ask how it came about: if it is known only after the target, add {json.dumps(name, ensure_ascii=False)} to data.ignore in surefoot.toml.",
            evidence={"score": score, "threshold": threshold},
        )
        for name, score in scores.items()
        if score >= threshold
    ]


def _tell_lonely(scores: Mapping[str, float], threshold: float) -> list[Finding]:
    """A column that tells most of the target where no other tells a third of that: wrong labels hide how well one predicts that was written down after them."""
    (name, score), (_, next_best), *_ = [*sorted(scores.items(), key=lambda one: -one[1]), ("", 0.0), ("", 0.0)]
    if len(scores) < _FEW_COLUMNS or not _LONELY <= score < threshold or next_best * _TIMES > score:
        return []
    return [
        Finding(
            code="data.leaking_column",
            severity="info",
            what=f"{name} alone goes {score:.1%} of the way from guessing to perfect, the next best column {max(next_best, 0.0):.1%}.",
            where=name,
            next=f"If it is known only after the target, nothing else is learned: add {json.dumps(name, ensure_ascii=False)} to data.ignore then.",
            evidence={"score": score, "next": next_best, "threshold": _LONELY, "times": _TIMES},
        )
    ]


def is_litter(place: str) -> bool:
    """Files that systems leave behind; nobody meant them as items."""
    name = place.rsplit("/", 1)[-1]
    return name.startswith(".") or name in ("Thumbs.db", "desktop.ini") or "__MACOSX" in place
