"""What is wrong with a split: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.types.data_reports import RefusedItem
from surefoot.types.findings import Finding

_COARSE, _COARSE_SHARE = 0.05, 0.2
"""A val set that can't tell five points apart, or errors of which one is a fifth smaller, chooses by chance more often than not."""


def leaks(refused: Sequence[RefusedItem], contents: Sequence[str]) -> list[Finding]:
    """Items left out because they are equal to items of another set; contents that stand in two sets because it was asked for."""
    found = []
    if contents:
        found.append(
            Finding(
                code="split.leak",
                severity="stop",
                what=f"{len(contents):,} contents stand in two sets, as split.group_by = '' allows.",
                where="s03_split",
                next="Set split.group_by = 'content', then `surefoot run --from split`.",
                evidence={"contents": len(contents)},
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
            severity="warn",
            what=f"Val has {num_val:,} items: {what} {resolves:.1%} {noise}.",
            where="val",
            next="Set split.protocol = 'kfold': every item is val once.",
            evidence={"items": num_val, "resolves": resolves, "threshold": threshold},
        )
    ]


def missing_classes(class_counts: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    """Classes without an item in val or test."""
    missing = sorted({name for kind in ("val", "test") for name, count in class_counts.get(kind, {}).items() if not count})
    if not missing:
        return []
    return [
        Finding(
            code="split.class_missing",
            severity="warn",
            what=f"{len(missing)} class(es) have no item in val or test and are not measured: {', '.join(missing[:10])}.",
            where="val, test",
            next="Gather more of them: five items are the least.",
            evidence={name: counts.get(missing[0], 0) for name, counts in class_counts.items()},
        )
    ]
