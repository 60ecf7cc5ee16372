"""s03: decides once and for all who trains, who chooses and who judges, and seals the test set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from surefoot.analysis.belonging import spread_out
from surefoot.analysis.drift import Drift, compare_sets
from surefoot.analysis.resolve import count_independent, smallest_difference, smallest_share
from surefoot.checks import split as checks
from surefoot.data import splitting
from surefoot.data.columns import take_rows
from surefoot.data.placing import (
    Draft,
    find_parted,
    place_general,
    place_given,
    place_known,
    place_rest,
    read_draft,
    refuse_equal,
    refuse_returned,
    release_by_time,
    release_train,
    straddling,
)
from surefoot.data.remembering import Recalled, put_away, read_known
from surefoot.data.splitting import NAMES, is_in, name_sets
from surefoot.data.units import Units, make_units
from surefoot.types import AuditReport, Context, DataError, Finding, Problem, RefusedItem, Split, SplitConfig, SplitStepConfig

_FEW = 1_000
"""Under this many items K-fold is the default: a fifth of them can't tell models apart."""
_BLOCK = 1 << 16
"""Items that are written at a time."""
_TYPICAL = 0.9
"""Accuracy at which the resolution of val is stated before any model is there."""


@dataclass(frozen=True)
class Dealt:
    """bool (N, folds): in which folds each item is val, and in which it is used at all."""

    protocol: str
    folds: int
    val: np.ndarray
    used: np.ndarray


def split(ctx: Context, config: SplitStepConfig, *, problem: Problem, audit: AuditReport) -> Split:
    """Splits the usable items; known ones keep their set, unless another is given now. A hold-out after K-fold parts what was train into train and val.

    Raises:
        DataError: fewer than two classes can be measured in a set.
    """
    wanted = config.split
    index = ctx.store.get_table(audit.index)
    draft = read_draft(index, frozenset(one.name for one in audit.sources if one.role == "general"))
    splits = [one for one in (ctx.previous, ctx.made_last) if isinstance(one, Split)]
    practical = ~draft.is_general
    has_time = len(draft) > 0 and not np.isnan(draft.times[practical]).any()
    by = "given" if splitting.is_in(draft.given, "val", "test").any() else "group" if wanted.group else "time" if has_time else "stratified"
    units = _make_units(draft, problem, wanted)
    place_given(draft, units, by_content=wanted.group_by == "content")
    known = read_known(ctx.store, splits, wanted.group)
    recalled, may_part = place_known(draft, units, known)
    quotas, is_classes = _quotas(draft, wanted), problem.task in ("binary", "multiclass")
    is_holdout = _protocol(draft, wanted) == "holdout"
    if by == "time":
        if is_holdout:
            release_by_time(draft, recalled, quotas)
        _place_by_time(draft, practical, quotas)
    else:
        if is_holdout:
            release_train(draft, units, may_part, quotas, ctx.seed, is_classes=is_classes)
        place_rest(draft, units, quotas, ctx.seed, is_classes=is_classes)
    place_general(draft, units, wanted.train_dev, ctx.seed)
    dealt = _deal(draft, units, wanted, by, ctx.seed)
    if known and by != "time" and wanted.group_by == "content":
        refuse_returned(draft, recalled.rows >= known.num_last)
        refuse_equal(draft, units)
    _check_folds(draft, dealt, problem)
    compared = np.where(practical & draft.kept(), draft.sets, np.int8(0))  # that general sources differ is the audit's to say
    drift = compare_sets(ctx.store, audit.features, draft.ids, compared, units.of, seed=ctx.seed) if audit.features else {}
    newcomers = int((recalled.rows < 0).sum()) if known else 0
    apart = 0 if by == "time" else straddling(draft, units, by_content=wanted.group_by == "content")
    away = put_away(ctx.store, known, recalled.rows[draft.kept() & (recalled.rows >= 0)], is_holdout=is_holdout)
    report = _report(ctx, problem, draft, dealt, (by, newcomers, drift, apart, _judge_known(draft, dealt, recalled, splits[0] if splits else None)))
    return report.model_copy(update={"away": away, "grouped_by": wanted.group})


def _make_units(draft: Draft, problem: Problem, wanted: SplitConfig) -> Units:
    strata = splitting.make_strata(draft.targets, problem.task)
    labels = draft.targets if problem.task in ("multilabel", "detection") else None
    return make_units(draft.contents, draft.groups, strata, by_content=wanted.group_by == "content", near=draft.near, labels=labels)


def _place_by_time(draft: Draft, practical: np.ndarray, quotas: dict[str, float]) -> None:
    """Practical items by their moments; newcomers join those they come after."""
    times, sets = draft.times[practical], draft.sets[practical]
    draft.sets[practical] = splitting.join_time(times, sets) if sets.any() else splitting.fill_time(times, quotas)


def _quotas(draft: Draft, wanted: SplitConfig) -> dict[str, float]:
    """Set -> share, for the items that are not given: a given test set leaves 75/25 for train and val."""
    given = set(name_sets(np.unique(draft.given)))
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


def _protocol(draft: Draft, wanted: SplitConfig) -> str:
    if wanted.protocol != "auto":
        return wanted.protocol
    return "kfold" if (~draft.is_general).sum() < _FEW and not is_in(draft.given, "val").any() else "holdout"


def _deal(draft: Draft, units: Units, wanted: SplitConfig, by: str, seed: int) -> Dealt:
    """Folds of the practical items outside the test set; general ones are trained on in all of them, save beside an equal that is val."""
    protocol, count = _protocol(draft, wanted), len(draft)
    if protocol == "holdout":
        return Dealt(protocol, 1, is_in(draft.sets, "val")[:, None], np.ones((count, 1), bool))
    is_inside = ~is_in(draft.sets, "test") & draft.kept() & ~draft.is_general
    draft.sets[is_inside] = splitting.CODES["train"]
    inside = np.flatnonzero(is_inside)
    folds = min(wanted.folds, max(2, len(np.unique(units.of[inside]))))
    if by == "time":
        val, used = np.zeros((count, folds), bool), np.zeros((count, folds), bool)
        val[inside], used[inside] = splitting.make_time_folds(draft.times[inside], folds)
        used[draft.is_general] = True
        return Dealt(protocol, folds, val, used)
    iterations = wanted.iterations if protocol == "iterated_kfold" else 1
    is_dealt = np.zeros(len(units), bool)
    is_dealt[units.of[inside]] = True
    val = splitting.make_folds(units, is_dealt, folds=folds, iterations=iterations, seed=seed)[units.of]
    used = ~(val & draft.is_general[:, None])
    val[~is_inside] = False
    return Dealt(protocol, folds * iterations, val, used)


def _judge_known(draft: Draft, dealt: Dealt, recalled: Recalled, last: Split | None) -> list[Finding]:
    """What became of the last split. Train and val of K-fold are one, so that beside it only who enters or leaves the test set is in another set."""
    if last is None:
        return []
    told = recalled.sets
    moved = draft.kept() & (told > 0) & (draft.sets != told)
    in_test = is_in(told, "test") != is_in(draft.sets, "test")
    moved &= in_test | (~recalled.is_open & (last.protocol == dealt.protocol == "holdout"))
    ids = take_rows(draft.ids, np.flatnonzero(moved)).to_pylist()
    return [
        *checks.forgotten(int((told > 0).sum()), sum(last.counts.values()), len(draft)),
        *checks.overruled(ids, into_test=int((moved & is_in(draft.sets, "test")).sum()), out_of_test=int((moved & is_in(told, "test")).sum())),
    ]


def _report(ctx: Context, problem: Problem, draft: Draft, dealt: Dealt, found: tuple[str, int, dict[str, Drift], int, list[Finding]]) -> Split:
    """The report; `found` is by what was split, the number of newcomers, what a classifier says about pairs of sets, how many
    contents stand in two, and what became of the last split."""
    by, newcomers, drift, apart, on_known = found
    keep = draft.kept()
    numbers = np.bincount(draft.sets[keep], minlength=len(NAMES)).tolist()
    counts = {name: number for name, number in sorted(zip(NAMES, numbers)) if number}
    class_counts = _count_classes(draft, keep, dealt, problem)
    num_val = counts.get("val") or int(dealt.val[keep].any(1).sum())
    is_amount = not problem.classes
    alone = _count_alone(draft, keep & (is_in(draft.sets, "val") if counts.get("val") else dealt.val.any(1)), problem)
    resolves = smallest_share(alone) if is_amount else smallest_difference(_TYPICAL, alone)
    ids = take_rows(draft.ids, np.fromiter(draft.refused, np.int64)).to_pylist()
    refused = tuple(RefusedItem(place=id, reason=reason, code="split.leak") for id, reason in zip(ids, draft.refused.values()))
    _check_measurable(class_counts if problem.task != "detection" else {}, {"train": counts.get("train", 0), "val": num_val, "test": counts.get("test", 0)})
    findings = [
        *on_known,
        *checks.leaks(refused, apart),
        *(checks.parted_copies(take_rows(draft.ids, find_parted(draft)).to_pylist(), int(keep.sum())) if by == "time" else []),
        *(checks.val_size(num_val, resolves, is_amount=is_amount) if dealt.protocol == "holdout" else []),
        *checks.missing_classes(class_counts),
        *checks.shift(drift, by=by),
    ]
    return Split(
        sets=_write_sets(ctx, draft, keep, dealt),
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
        shift=drift,
        findings=tuple(findings),
    )


def _count_alone(draft: Draft, is_val: np.ndarray, problem: Problem) -> int:
    """The independent items that val is worth: all of them, save where some belong to one group."""
    rows = np.flatnonzero(is_val)
    groups = take_rows(draft.groups, rows)
    if groups.null_count == len(groups):
        return len(rows)
    of = np.unique(groups.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)[1]
    return count_independent(of, spread_out(draft.targets[rows], problem))


def _write_sets(ctx: Context, draft: Draft, keep: np.ndarray, dealt: Dealt) -> str:
    """Ref of the table, which is written block by block."""
    words = {"id": pa.string(), "set": pa.string(), "val_folds": pa.list_(pa.int32()), "used_folds": pa.list_(pa.int32())}
    also = {"group": draft.groups} if draft.groups.null_count < len(draft) else {}
    also |= {"whole": draft.wholes} if draft.wholes is not draft.ids else {}
    schema = pa.schema([*words.items(), *((name, pa.string()) for name in also)])

    def blocks() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(draft), _BLOCK):
            kept = start + np.flatnonzero(keep[start : start + _BLOCK])
            mask = pa.array(keep[start : start + _BLOCK])
            ids, *others = (column.slice(start, _BLOCK).filter(mask).combine_chunks() for column in (draft.ids, *also.values()))
            sets = pa.array(name_sets(draft.sets[kept]), pa.string())
            yield pa.record_batch([ids, sets, _to_lists(dealt.val[kept]), _to_lists(dealt.used[kept]), *others], schema)

    return ctx.store.put_batches(schema, blocks())


def _to_lists(folds: np.ndarray) -> pa.Array:
    """bool (N, folds) as a list of fold numbers for each item."""
    ends = np.concatenate([[0], np.cumsum(folds.sum(1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(np.nonzero(folds)[1].astype(np.int32)))


def _count_classes(draft: Draft, keep: np.ndarray, dealt: Dealt, problem: Problem) -> dict[str, dict[str, int]]:
    """Set -> class -> items, or boxes."""
    if problem.task not in ("binary", "multiclass", "detection"):
        return {}
    in_sets = {NAMES[code]: keep & (draft.sets == code) for code in np.unique(draft.sets[keep]).tolist()}
    if (is_val := keep & is_in(draft.sets, "train") & dealt.val.any(1)).any():
        in_sets["val"] = in_sets["val"] | is_val if "val" in in_sets else is_val
    if problem.task == "detection":
        counts = {name: draft.targets[inside].sum(0) for name, inside in in_sets.items()}
    else:
        counts = {name: np.bincount(draft.targets[inside, 0].astype(int), minlength=len(problem.classes)) for name, inside in in_sets.items()}
    return {name: {c: int(number) for c, number in zip(problem.classes, numbers)} for name, numbers in counts.items()}


def _check_folds(draft: Draft, dealt: Dealt, problem: Problem) -> None:
    """Makes sure that every fold has something to train on: a few large groups, or rows sorted by target, may leave nothing, or one class."""
    is_classes = problem.task in ("binary", "multiclass")
    is_train = is_in(draft.sets, "train") & draft.kept()
    for fold in range(dealt.folds):
        train = is_train & dealt.used[:, fold] & ~dealt.val[:, fold]
        if not train.any() or (is_classes and len(np.unique(draft.targets[train, 0])) < 2):
            raise DataError(
                f"Fold {fold + 1} of {dealt.folds} has {'one class' if train.any() else 'nothing'} to train on.",
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
