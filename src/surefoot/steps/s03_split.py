"""s03: decides once and for all who trains, who chooses and who judges, and seals the test set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from surefoot.analysis.resolve import smallest_difference, smallest_share
from surefoot.checks import split as checks
from surefoot.data import splitting
from surefoot.types import AuditReport, Context, DataError, Problem, RefusedItem, Split, SplitConfig, SplitStepConfig

_FEW = 1_000
"""Under this many items K-fold is the default: a fifth of them can't tell models apart."""
_RARE = 5
_TYPICAL = 0.9
"""Accuracy at which the resolution of val is stated before any model is there."""


@dataclass
class Draft:
    """A split under way: columns of the audit's index as arrays, and the set of each item ("" while undecided)."""

    ids: list[str]
    contents: list[str]
    given: np.ndarray
    targets: np.ndarray
    groups: list[str | None]
    near: list[str | None]
    times: np.ndarray
    sets: np.ndarray
    refused: dict[int, str]


@dataclass(frozen=True)
class Dealt:
    """For each item the folds in which it is val, and those in which it is used at all."""

    protocol: str
    folds: int
    val: list[list[int]]
    used: list[list[int]]


def split(ctx: Context, config: SplitStepConfig, *, problem: Problem, audit: AuditReport) -> Split:
    """Splits the usable items; known ones keep their set.

    Raises:
        DataError: fewer than two classes can be measured in a set.
    """
    wanted = config.split
    draft = _read(ctx.store.get_table(audit.index))
    known = _known(ctx)
    has_time = not np.isnan(draft.times).any() and len(draft.times) > 0
    by = "given" if (draft.given != "").any() else "group" if wanted.group else "time" if has_time else "stratified"
    strata = splitting.make_strata(draft.targets, problem.task)
    units = splitting.make_units(draft.contents, draft.groups, strata, by_content=wanted.group_by == "content", near=draft.near)
    _place_given(draft, units, wanted)
    newcomers = _place_known(draft, units, known)
    quotas = _quotas(draft, wanted)
    if by == "time":
        draft.sets = splitting.join_time(draft.times, draft.sets) if known else np.asarray(splitting.fill_time(draft.times, quotas), dtype=object)
    else:
        _place_rest(draft, units, problem, quotas, ctx.seed)
    dealt = _deal(draft, units, wanted, by, ctx.seed)
    _check_folds(draft, dealt, problem)
    return _report(ctx, problem, draft, dealt, by, newcomers if known else 0)


def _read(index: pa.Table) -> Draft:
    columns = index.to_pydict()
    return Draft(
        ids=columns["id"],
        contents=columns["content"],
        given=np.asarray(columns["given_set"], dtype=object),
        targets=np.asarray(columns["target"], np.float64),
        groups=columns["group"],
        near=columns["near"],
        times=np.asarray([np.nan if t is None else t for t in columns["time"]], np.float64),
        sets=np.full(len(columns["id"]), "", dtype=object),
        refused={},
    )


def _known(ctx: Context) -> dict[str, str]:
    """Id -> set, as the latest split has it."""
    if not isinstance(ctx.previous, Split):
        return {}
    table = ctx.store.get_table(ctx.previous.sets)
    return dict(zip(table.column("id").to_pylist(), table.column("set").to_pylist()))


def _place_given(draft: Draft, units: splitting.Units, wanted: SplitConfig) -> None:
    """A given set stays; items outside the given test set that are equal to one in it are refused: they would leak."""
    for members in units.members():
        given = {str(draft.given[item]) for item in members} - {""}
        if not given:
            continue
        first = "test" if "test" in given else "val" if "val" in given else "train"
        for item in members:
            name = str(draft.given[item]) or first
            if name != first and wanted.group_by == "content":
                draft.refused[int(item)] = f"equal or nearly equal to an item of the given {first} set"
            draft.sets[item] = name
    has_val = bool((draft.given == "val").any())
    has_test = bool((draft.given == "test").any())
    if not (has_val and has_test):  # what is missing is carved out of train
        draft.sets[draft.sets == "train"] = ""


def _place_known(draft: Draft, units: splitting.Units, known: dict[str, str]) -> int:
    """Known items keep their set, their equals follow them; a newcomer equal to items of two sets is refused. Returns the number of newcomers."""
    newcomers = 0
    for members in units.members() if known else []:
        sets = {known[draft.ids[item]] for item in members if draft.ids[item] in known}
        for item in members:
            if draft.ids[item] in known:
                draft.sets[item] = known[draft.ids[item]]
                continue
            newcomers += 1
            if len(sets) > 1:
                draft.refused[int(item)] = f"a newcomer equal or nearly equal to items of {' and '.join(sorted(sets))}"
            elif sets:
                draft.sets[item] = next(iter(sets))
    return newcomers


def _quotas(draft: Draft, wanted: SplitConfig) -> dict[str, float]:
    """Set -> share, for the items that are not given: a given test set leaves 75/25 for train and val."""
    given = set(draft.given[draft.given != ""])
    if "test" in given and "val" in given:
        return {"train": 1.0}
    if "test" in given:
        return {"train": 0.75, "val": 0.25} if (wanted.train, wanted.val) == (0.6, 0.2) else _normal({"train": wanted.train, "val": wanted.val})
    if "val" in given:
        return _normal({"train": wanted.train + wanted.val, "test": wanted.test})
    return _normal({"train": wanted.train, "val": wanted.val, "test": wanted.test})


def _normal(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items() if share > 0}


def _place_rest(draft: Draft, units: splitting.Units, problem: Problem, quotas: dict[str, float], seed: int) -> None:
    members = units.members()
    placed = {unit: str(draft.sets[items[0]]) for unit, items in enumerate(members) if draft.sets[items[0]] != ""}
    if problem.task in ("binary", "multiclass"):
        counts = np.bincount(draft.targets[:, 0].astype(int), minlength=len(problem.classes))
        for unit, items in enumerate(members):
            if unit not in placed and all(counts[int(draft.targets[item, 0])] < _RARE for item in items):
                placed[unit] = "train"
    for unit, name in splitting.fill_quotas(units, quotas, placed, seed).items():
        for item in members[unit]:
            if draft.sets[item] == "":
                draft.sets[item] = name


def _protocol(draft: Draft, wanted: SplitConfig) -> str:
    if wanted.protocol != "auto":
        return wanted.protocol
    return "kfold" if len(draft.ids) < _FEW and "val" not in draft.given else "holdout"


def _deal(draft: Draft, units: splitting.Units, wanted: SplitConfig, by: str, seed: int) -> Dealt:
    protocol, count = _protocol(draft, wanted), len(draft.ids)
    if protocol == "holdout":
        return Dealt(protocol, 1, [[0] if name == "val" else [] for name in draft.sets], [[0]] * count)
    inside = np.flatnonzero((draft.sets != "test") & ~np.isin(np.arange(count), list(draft.refused)))
    draft.sets[inside] = "train"
    folds = min(wanted.folds, max(2, len({int(units.of[item]) for item in inside})))
    val: list[list[int]] = [[] for _ in range(count)]
    used: list[list[int]] = [[] for _ in range(count)]
    if by == "time":
        for item, v, u in zip(inside, *splitting.make_time_folds(draft.times[inside], folds)):
            val[item], used[item] = v, u
        return Dealt(protocol, folds, val, used)
    iterations = wanted.iterations if protocol == "iterated_kfold" else 1
    dealt = splitting.make_folds(units, {int(units.of[item]) for item in inside}, folds=folds, iterations=iterations, seed=seed)
    for item in inside:
        val[item] = dealt[int(units.of[item])]
    return Dealt(protocol, folds * iterations, val, [list(range(folds * iterations))] * count)


def _report(ctx: Context, problem: Problem, draft: Draft, dealt: Dealt, by: str, newcomers: int) -> Split:
    keep = [item for item in range(len(draft.ids)) if item not in draft.refused]
    counts = dict(Counter(str(draft.sets[item]) for item in keep))
    class_counts = _count_classes(draft, keep, dealt.val, problem)
    num_val = counts.get("val") or sum(bool(dealt.val[item]) for item in keep)
    is_amount = not problem.classes
    resolves = smallest_share(num_val) if is_amount else smallest_difference(_TYPICAL, num_val)
    refused = tuple(RefusedItem(place=draft.ids[item], reason=reason, code="split.leak") for item, reason in draft.refused.items())
    _check_measurable(class_counts, {"train": counts.get("train", 0), "val": num_val, "test": counts.get("test", 0)})
    findings = [
        *checks.leaks(refused, _straddling(draft, keep)),
        *(checks.val_size(num_val, resolves, is_amount=is_amount) if dealt.protocol == "holdout" else []),
        *checks.missing_classes(class_counts),
    ]
    return Split(
        sets=ctx.store.put_table(_to_table(draft, keep, dealt)),
        protocol=dealt.protocol,
        folds=dealt.folds,
        by=by,
        counts=counts,
        class_counts=class_counts,
        unmeasured=tuple(name for name in problem.classes if class_counts and not class_counts.get("test", {}).get(name)),
        resolves=resolves,
        is_amount=is_amount,
        newcomers=newcomers,
        refused=refused,
        findings=tuple(findings),
    )


def _to_table(draft: Draft, keep: list[int], dealt: Dealt) -> pa.Table:
    return pa.table(
        {
            "id": [draft.ids[item] for item in keep],
            "set": [str(draft.sets[item]) for item in keep],
            "val_folds": pa.array([dealt.val[item] for item in keep], pa.list_(pa.int32())),
            "used_folds": pa.array([dealt.used[item] for item in keep], pa.list_(pa.int32())),
        }
    )


def _count_classes(draft: Draft, keep: list[int], val_folds: list[list[int]], problem: Problem) -> dict[str, dict[str, int]]:
    if problem.task not in ("binary", "multiclass"):
        return {}
    found: dict[str, Counter[str]] = {}
    for item in keep:
        name = problem.classes[int(draft.targets[item, 0])]
        found.setdefault(str(draft.sets[item]), Counter())[name] += 1
        if draft.sets[item] == "train" and val_folds[item]:
            found.setdefault("val", Counter())[name] += 1
    return {name: {c: counts.get(c, 0) for c in problem.classes} for name, counts in found.items()}


def _straddling(draft: Draft, keep: list[int]) -> list[str]:
    """Contents that stand in two sets, which happens only where it was asked for."""
    sets: dict[str, set[str]] = {}
    for item in keep:
        sets.setdefault(draft.contents[item], set()).add(str(draft.sets[item]))
    return [content for content, names in sets.items() if len(names) > 1]


def _check_folds(draft: Draft, dealt: Dealt, problem: Problem) -> None:
    """Makes sure that every fold has something to train on: a few large groups, or rows sorted by target, may leave nothing, or one class."""
    is_classes = problem.task in ("binary", "multiclass")
    for fold in range(dealt.folds):
        train = [
            item
            for item in np.flatnonzero(draft.sets == "train")
            if item not in draft.refused and fold in dealt.used[item] and (dealt.protocol == "holdout" or fold not in dealt.val[item])
        ]
        if not train or (is_classes and len({draft.targets[item, 0] for item in train}) < 2):
            raise DataError(
                f"Fold {fold + 1} of {dealt.folds} has {'one class' if train else 'nothing'} to train on.",
                where="s03_split",
                next="Items of one group, of one moment and equal items stay together: see split.group, split.time and split.folds, or give more items.",
            )


def _check_measurable(class_counts: dict[str, dict[str, int]], counts: dict[str, int]) -> None:
    for name, count in counts.items():
        if not count:
            raise DataError(
                f"The {name} set is empty.",
                where="s03_split",
                next=f"Give more items, or a larger share (split.{name}); equal items stay together unless split.group_by = ''.",
            )
    for name in ("val", "test"):
        if class_counts and sum(count > 0 for count in class_counts.get(name, {}).values()) < 2:
            raise DataError(
                f"The {name} set has fewer than two classes: nothing can be measured on it.",
                where="s03_split",
                next="Give more items, or larger shares: split.val, split.test.",
            )
