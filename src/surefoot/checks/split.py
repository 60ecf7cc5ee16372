"""What is wrong with a split: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from surefoot.types.data_reports import Drift, RefusedItem
from surefoot.types.findings import Finding

_COARSE, _COARSE_SHARE = 0.05, 0.2
"""A val set that can't tell five points apart, or errors of which one is a fifth smaller, chooses by chance more often than not."""

ALIKE = 0.3
"""Likeness of targets within a group, or of neighbours in time, from which it is worth parting by it: 0 is chance, 1 is equal."""

DRIFT_P, DRIFT_AUC = 0.01, 0.55
"""Corrected p up to which two piles differ, and the AUC under which the difference, sure as it is, hardly matters."""


def leaks(refused: Sequence[RefusedItem], contents: int) -> list[Finding]:
    """Items left out because they are equal to items of another set; the number of contents that stand in two sets because it was asked for."""
    found = []
    if contents:
        found.append(
            Finding(
                code="split.leak",
                severity="stop",
                what=f"{contents:,} contents stand in two sets, as split.group_by = '' allows.",
                where="s03_split",
                next="Set split.group_by = 'content', then `surefoot run --from split`.",
                evidence={"contents": contents},
            )
        )
    if refused:
        found.append(
            Finding(
                code="split.leak",
                severity="warn",
                what=f"{len(refused):,} items are equal to items of another set and are left out: {refused[0].reason}.",
                where="s03_split",
                next="Nothing: the measurement stays honest. Remove them from the data to silence this.",
                evidence={"refused": len(refused)},
                ids=tuple(item.place for item in refused)[:100],
            )
        )
    return found


def forgotten(recalled: int, known: int, total: int) -> list[Finding]:
    """A split that knows nobody of the last one. `recalled`: items that are known of it; `known`: items that it had; `total`: items now."""
    if recalled or not known or not total:
        return []
    return [
        Finding(
            code="split.forgotten",
            severity="warn",
            what=f"None of the {total:,} items is one of the {known:,} of the last split: all were dealt anew, and train may hold what was test.",
            where="s03_split",
            next="If it is other data, give it a project of its own. If not, what its items say was changed: a column that came, went, is ignored or is "
            "read as another kind; put it back, then `surefoot run --from audit`, or take no test value from before for comparison.",
            evidence={"recalled": 0, "known": known, "items": total},
        )
    ]


def overruled(moved: Sequence[str], *, into_test: int, out_of_test: int) -> list[Finding]:
    """Items whose set in the last split was another than the one that is given now, and how many of them enter and leave the test set."""
    if not moved:
        return []
    touched = into_test + out_of_test
    return [
        Finding(
            code="split.overruled",
            severity="warn" if touched else "info",
            what=f"{len(moved):,} items were in another set before the sets were given as they are now; {into_test:,} of them enter the test set, "
            f"{out_of_test:,} leave it.",
            where="s03_split",
            next="Compare no value on this test set with one from before: it is another set, and models of earlier rounds were trained on some of it."
            if touched
            else "Compare no value on val with one from before: it is another set.",
            evidence={"items": len(moved), "into_test": into_test, "out_of_test": out_of_test},
            ids=tuple(moved)[:100],
        )
    ]


def parted_copies(parted: Sequence[str], total: int) -> list[Finding]:
    """Items of a split by time that have an equal or nearly equal one at another time, in another set."""
    if not parted:
        return []
    return [
        Finding(
            code="split.time_leak",
            severity="warn",
            what=f"{len(parted):,} of {total:,} items are equal or nearly equal to one of another time, on the other side of the split.",
            where="s03_split",
            next="Where they are one thing written down twice, drop the copies (repairs.csv) or keep them together (split.group, split.time = 'none'); "
            "where the same happens again and again, nothing: so it will in use.",
            evidence={"items": len(parted), "share": len(parted) / max(total, 1)},
            ids=tuple(parted)[:100],
        )
    ]


def shift(drift: Mapping[str, Drift], *, by: str) -> list[Finding]:
    """Sets whose inputs a classifier can tell apart; a split by time or by group may well do that, any other should not."""
    told = {pair: one for pair, one in drift.items() if one.p <= DRIFT_P and one.auc >= DRIFT_AUC}
    if not told:
        return []
    worst = max(told, key=lambda pair: told[pair].auc)
    one, other = worst.split(", ")
    columns = ", ".join(told[worst].columns)
    expected = {"time": "the later data is different", "group": "the groups differ"}.get(by, "")
    return [
        Finding(
            code="split.shift",
            severity="info" if expected else "warn",
            what=f"A classifier tells the inputs of {one} and {other} apart (AUC {told[worst].auc:.2f}, p {told[worst].p:.1g})"
            + (f": {expected}" if expected else "")
            + f"; most different: {columns}.",
            where=", ".join(told),
            next="Expect a lower value on test than on val, and watch it in use."
            if expected
            else "Look at these columns: if the sets were given, they are not from one place; if not, items that belong together may be parted: split.group.",
            evidence={f"auc {pair}": found.auc for pair, found in told.items()}
            | {f"p {pair}": found.p for pair, found in told.items()}
            | {"threshold p": DRIFT_P},
        )
    ]


def group_leak(alike: Mapping[str, tuple[float, int]]) -> list[Finding]:
    """Columns that name persons or things, by which nothing is split. `alike`: column -> likeness of the targets within a group, and number of groups."""
    return [
        Finding(
            code="split.group_leak",
            severity="warn",
            what=f"{name} names {groups:,} groups of rows whose targets are alike ({likeness:.0%} of their variance lies between groups), and sets part them.",
            where=name,
            next=f"If the model will meet new ones, set split.group = '{name}', then `surefoot run --from audit`; val flatters else. If not, nothing.",
            evidence={"likeness": likeness, "groups": groups, "threshold": ALIKE},
        )
        for name, (likeness, groups) in alike.items()
        if likeness >= ALIKE
    ]


def time_leak(alike: Mapping[str, float], num: int) -> list[Finding]:
    """Dates by which nothing is split. `alike`: column -> autocorrelation of the targets in its order, of `num` rows."""
    return [
        Finding(
            code="split.time_leak",
            severity="warn",
            what=f"In the order of {name} the targets of neighbouring rows are alike (autocorrelation {likeness:.2f}), and sets part them by chance.",
            where=name,
            next=f"If the model will be used on later days, set split.time = '{name}', then `surefoot run --from audit`: val flatters else.",
            evidence={"autocorrelation": likeness, "rows": num, "threshold": ALIKE},
        )
        for name, likeness in alike.items()
        if likeness >= max(ALIKE, 4 / max(num, 1) ** 0.5)
    ]


def val_size(num_val: int, resolves: float, *, is_amount: bool = False) -> list[Finding]:
    """A val set that can't tell models apart."""
    threshold = _COARSE_SHARE if is_amount else _COARSE
    if resolves <= threshold:
        return []
    what = "errors that differ by less than" if is_amount else "differences under"
    noise = "of their size are noise on it" if is_amount else "are noise on it"
    return [
        Finding(
            code="split.val_too_small",
            severity="warn" if resolves > 2 * threshold else "info",
            what=f"Val has {num_val:,} items: {what} {resolves:.1%} {noise}.",
            where="val",
            next="Set split.protocol = 'kfold': every item is val once.",
            evidence={"items": num_val, "resolves": resolves, "threshold": threshold},
        )
    ]


def missing_classes(class_counts: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    """Classes without an item in train, or in val or test; each set is told by its name, for under K-fold val measures what test may not."""
    lacked = {kind: sorted(name for name, count in counts.items() if not count) for kind, counts in class_counts.items()}
    untaught = lacked.get("train", [])
    unseen = {kind: names for kind in ("val", "test") if (names := [name for name in lacked.get(kind, []) if name not in untaught])}
    missing = sorted(set(chain(*unseen.values())))
    sets = " or ".join(f"{kind} ({_list(names)})" for kind, names in unseen.items())
    told = [
        (
            untaught,
            f"train and can't be learnt: {_list(untaught)}",
            "train",
            "Put some of their items into train: see split.column, or the sets that were given.",
        ),
        (missing, f"{sets} and are not measured there", ", ".join(unseen), "Gather more of them: five items are the least."),
    ]
    return [
        Finding(
            code="split.class_missing",
            severity="warn",
            what=f"{len(names)} class(es) have no item in {what}.",
            where=where,
            next=advice,
            evidence={name: counts.get(names[0], 0) for name, counts in class_counts.items()},
        )
        for names, what, where, advice in told
        if names
    ]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + ", …" * (len(names) > 10)
