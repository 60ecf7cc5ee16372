"""s02: reads every item once, refuses what can't be used, and says what is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from surefoot import durable
from surefoot.analysis.belonging import find_ties
from surefoot.analysis.columns import check_columns
from surefoot.analysis.looks import Looks, Used, list_suspects, sum_up_likes, sum_up_pictures
from surefoot.analysis.mending import find_conflicts, propose_repairs
from surefoot.analysis.sources import Usable, look, name_sources
from surefoot.analysis.text_looks import sum_up_texts
from surefoot.checks import boxes as box_checks
from surefoot.checks import data as checks
from surefoot.checks import sources as source_checks
from surefoot.data import box_profile
from surefoot.data.boxes import Pile
from surefoot.data.groups import Near
from surefoot.data.identity import hash_rows, number_equals
from surefoot.data.indexing import INDEX, as_table, find_time, name_wholes, read_groups, read_weights, to_batches
from surefoot.data.looking import look_at_all
from surefoot.data.near_pictures import near_pictures
from surefoot.data.near_rows import near_rows
from surefoot.data.profile import profile_columns
from surefoot.data.readers import open_source
from surefoot.data.sets import given_by_column
from surefoot.data.targets import check_column, encode_targets
from surefoot.data.text import is_blank, read_texts
from surefoot.types import (
    AuditReport,
    AuditStepConfig,
    BoxProfile,
    ColumnProfile,
    Context,
    DataError,
    Finding,
    ImageSource,
    Named,
    Problem,
    Refused,
    RefusedItem,
    TableSource,
    take_words,
)

_LISTED = 2_000
_NAMED = 10
"""Classes and refused items that one sentence names."""
_SEEN = "seen.jsonl"
"""What an interrupted audit has looked at."""


def audit(ctx: Context, config: AuditStepConfig, *, problem: Problem) -> AuditReport:
    """Reads the source and returns an index of what is usable, with findings.

    Raises:
        DataError: nothing readable is left, or fewer than two classes can be measured.
    """
    source = given_by_column(open_source(config.data, ctx.root), config.split.column)
    targets, refused = encode_targets(source, problem), list(source.refused)
    rows, contents, records, profiles = _read(ctx, config, problem, source, refused)
    pile = box_profile.settle_pictures(source, records, rows, targets, refused)
    rows = rows[~np.isnan(targets[rows]).any(1)]
    _check_left(rows, targets, problem, refused)
    contents = take_words(contents, rows)
    near = _find_near(ctx, source, rows, contents, records, profiles)
    used = _list_used(source, rows, contents, near, targets[rows])
    index = ctx.store.get_table(written := _write_index(ctx, source, config, used, near, profiles))
    usable = Usable(source, rows, used.ids, used.contents, used.targets, index.column("group"))
    seen = look(usable, profiles, config.data, problem, root=ctx.root, seed=ctx.seed)
    counts, edges = _count_targets(used.targets, problem)
    likes = sum_up_likes(near, used, problem)
    looks = _look_closer(source, records, profiles, used, problem, ctx.seed)
    boxes = _profile_boxes(ctx, pile, used, problem)
    findings = [*_check_items(refused, used, counts, problem, pile), *_check_boxes(source, pile, used, boxes), *likes.findings, *looks.findings]
    is_dated = index.column("time").null_count < len(index)
    findings += [*_check_table(source, profiles, used, problem, by_time=is_dated, seed=ctx.seed), *source_checks.judge(seen.drift, seen.reports)]
    report = AuditReport(
        fingerprint=source.fingerprint,
        num_items=len(source) + len(source.refused),  # what reading refused is one of the source's items
        num_usable=len(rows),
        index=written,
        refused=tuple(RefusedItem(place=r.place, reason=r.reason, code=r.code) for r in refused[:_LISTED]),
        balance=counts,
        balance_edges=edges,
        columns=profiles,
        **_suspect(ctx, source, problem, used, refused, likes.found | looks.found),
        num_wild=len(open_source(config.data, ctx.root, which="wild")) if config.data.wild else 0,
        sources=seen.reports,
        drift=seen.drift,
        features=ctx.store.put_table(seen.features.to_table()),
        boxes=boxes,
        findings=tuple(findings),
        **{**likes.shown, **looks.shown},
    )
    durable.remove(ctx.run_dir / _SEEN)  # only now: what follows the looks may be interrupted too
    return report


def _read(
    ctx: Context, config: AuditStepConfig, problem: Problem, source: ImageSource | TableSource, refused: list[Refused]
) -> tuple[np.ndarray, Sequence[str], np.ndarray, tuple[ColumnProfile, ...]]:
    """Rows that can be read, int64; content hash of each row; records of the pictures, or profiles of the columns. What can't be read goes to `refused`."""
    if isinstance(source, ImageSource):
        return *_look(ctx, source, refused), ()
    before = ctx.previous.columns if isinstance(ctx.previous, AuditReport) else ()
    visible = np.fromiter((given != "test" for given in source.given_sets), bool, len(source))
    profiles = profile_columns(source, problem.target, config.data, config.split, visible, before)
    return *_read_rows(source, profiles, refused), np.zeros(0), profiles


def _check_items(refused: list[Refused], used: Used, counts: dict[str, int], problem: Problem, pile: Pile | None) -> list[Finding]:
    return [
        *checks.refused(refused),
        *checks.too_few(len(used.ids)),
        *checks.duplicates(used.contents, used.ids, box_profile.name_targets(used.targets, pile, used.rows) if problem.classes else None),
        *([*checks.spellings(counts), *checks.balance(counts)] if problem.task in ("binary", "multiclass") else []),
    ]


def _profile_boxes(ctx: Context, pile: Pile | None, used: Used, problem: Problem) -> BoxProfile | None:
    if pile is None:
        return None
    settled = [pile.settled[row] for row in used.rows.tolist()]
    return box_profile.profile_boxes(settled, used.visible.tolist(), problem.classes, ctx.store.put_table(box_profile.tabulate(used.ids, settled)))


def _check_boxes(source: ImageSource | TableSource, pile: Pile | None, used: Used, boxes: BoxProfile | None) -> list[Finding]:
    if pile is None or boxes is None or not isinstance(source, ImageSource):
        return []
    return box_checks.judge(box_profile.measure_flaws(source, pile, used.rows), boxes.classes)


def _look_closer(source: ImageSource | TableSource, records: np.ndarray, profiles: tuple[ColumnProfile, ...], used: Used, problem: Problem, seed: int) -> Looks:
    if isinstance(source, ImageSource):
        return sum_up_pictures(records[used.rows], used, problem, seed)
    return sum_up_texts(source, profiles, used, problem, seed)


def _check_table(
    source: ImageSource | TableSource, profiles: tuple[ColumnProfile, ...], used: Used, problem: Problem, *, by_time: bool, seed: int
) -> list[Finding]:
    if not isinstance(source, TableSource):
        return []
    return [*check_columns(source, profiles, used, problem, seed), *find_ties(source, profiles, used, problem, by_time=by_time, seed=seed)]


def _read_rows(source: TableSource, profiles: tuple[ColumnProfile, ...], refused: list[Refused]) -> tuple[np.ndarray, Sequence[str]]:
    """Rows, and for each row of the source the hash of what its inputs hold; a row of nothing but empty texts goes to `refused`."""
    if not any(p.role == "input" for p in profiles):
        told = ", ".join(f'"{p.name}" ({p.role})' for p in profiles[:_NAMED])
        raise DataError(
            f"No column is left as an input of {told}.",
            where="data.ignore, data.target",
            next=" ".join(["Ignore fewer columns, or bring data that has more.", *source.notes[:_NAMED]]),
        )
    hashes = hash_rows(_told(source, profiles))
    inputs = [p for p in profiles if p.role == "input"]
    empty = np.zeros(len(source), bool)
    if all(p.kind == "text" for p in inputs):
        empty = np.all([[is_blank(text) for text in read_texts(source.columns[p.name])] for p in inputs], axis=0)
        named = " and ".join(p.name for p in inputs)
        refused += [
            Refused(source.places[row], f"{named}: the text is empty, or only a word for what is missing, such as N/A", "data.empty_item")
            for row in np.flatnonzero(empty).tolist()
        ]
    return np.flatnonzero(~empty), hashes


def _look(ctx: Context, source: ImageSource, refused: list[Refused]) -> tuple[np.ndarray, Sequence[str], np.ndarray]:
    """Rows of the pictures that can be read; of all of them the content hashes and the records; what can't be read goes to `refused` with its reason."""
    records, errors = look_at_all(source, ctx.run_dir / _SEEN, lambda done: ctx.events.progress("reading pictures", done, len(source)))
    refused += [Refused(source.places[row], error.reason, error.code) for row, error in errors.items()]
    contents = [content.decode() for content in records["content"].tolist()]
    return np.delete(np.arange(len(source)), list(errors)), contents, records


def _find_near(
    ctx: Context, source: ImageSource | TableSource, rows: np.ndarray, contents: Sequence[str], records: np.ndarray, profiles: tuple[ColumnProfile, ...]
) -> Near:
    ctx.events.progress("looking for near duplicates", 0, len(contents))
    if isinstance(source, ImageSource):
        return near_pictures(dict(zip(rows.tolist(), contents)), records["thumb"].reshape(len(records), -1), source.read, ctx.seed)
    return near_rows(rows, contents, _told(source, profiles), source.booleans, {p.name for p in profiles if p.kind == "text"})


def _told(source: TableSource, profiles: tuple[ColumnProfile, ...]) -> dict[str, np.ndarray]:
    """What a row says of its item, the group and the time included: two patients with the same values are two items."""
    return {p.name: source.columns[p.name] for p in profiles if p.role not in ("target", "id", "weight", "ignored")}


def _list_used(source: ImageSource | TableSource, rows: np.ndarray, contents: Sequence[str], near: Near, targets: np.ndarray) -> Used:
    given = take_words(source.given_sets, rows)
    return Used(
        rows=rows,
        ids=number_equals(contents),
        places=take_words(source.places, rows),
        given_sets=given,
        contents=contents,
        groups=Named(len(rows), lambda some: [near.names.get(one, one) for one in contents[some]]) if near.names else contents,
        targets=targets,
        visible=np.fromiter((name != "test" for name in given), bool, len(rows)),
    )


def _suspect(
    ctx: Context, source: ImageSource | TableSource, problem: Problem, used: Used, refused: list[Refused], found: dict[str, dict[int, str]]
) -> dict[str, Any]:
    """The part of the report on items that stand out. `found`: code -> item -> why."""
    return {
        "suspects": list_suspects(found, used.ids, used.places),
        "suspected": {code: len(told) for code, told in found.items()},
        "repairs": _propose(ctx, source, problem, used, refused, found),
    }


def _propose(ctx: Context, source: ImageSource | TableSource, problem: Problem, used: Used, refused: list[Refused], found: dict[str, dict[int, str]]) -> str:
    """Ref of the proposed repairs. Equal rows of a table with other targets are no slips as a rule: too little is known of them."""
    is_class = problem.task in ("binary", "multiclass") and isinstance(source, ImageSource)
    labels = [problem.classes[int(target)] for target in used.targets[:, 0]] if is_class else []
    conflicts = find_conflicts(used.groups, used.targets) if is_class else {}
    table = propose_repairs(refused, found, conflicts, labels, used)
    return ctx.store.put_table(table) if table.num_rows else ""


def _check_left(rows: np.ndarray, targets: np.ndarray, problem: Problem, refused: list[Refused]) -> None:
    if not len(rows):
        reasons = Counter(item.reason for item in refused).most_common(_NAMED)
        raise DataError(
            f"None of the {len(targets):,} items can be used: {'; '.join(f'{reason} ({count:,})' for reason, count in reasons) or 'none has a target'}.",
            where=", ".join(item.place for item in refused[:_NAMED]) or f"s02_audit, {' and '.join(problem.target)}",
            next="Mend or replace them; check data.source and data.target.",
        )
    if problem.task in ("binary", "multiclass"):
        counts = np.bincount(targets[rows, 0].astype(int), minlength=len(problem.classes))
        if (counts >= 5).sum() < 2:
            listed = ", ".join(f"{name}: {count}" for name, count in zip(problem.classes[:_NAMED], counts))
            listed += f" and {len(counts) - _NAMED:,} more classes" if len(counts) > _NAMED else ""
            raise DataError(
                f"Fewer than two classes have the five items that measuring takes ({listed}).",
                where="s02_audit",
                next="Gather more items of at least two classes.",
            )
    if problem.task == "detection" and not targets[rows].any():
        raise DataError("No box is left: all are refused, or none was drawn.", where="s02_audit", next="Look at the annotations; check data.source.")


def _write_index(ctx: Context, source: ImageSource | TableSource, config: AuditStepConfig, used: Used, near: Near, profiles: tuple[ColumnProfile, ...]) -> str:
    """Ref of the table, which is written block by block."""
    rows, table = used.rows, as_table(source)
    for setting, name in (("split.group", config.split.group), ("data.id", config.data.id), ("data.weight", config.data.weight)):
        if name:
            check_column(table, name, setting)
    for setting, names in (("data.ignore", config.data.ignore), ("data.text", config.data.text)):
        for name in names:
            check_column(table, name, setting)
    has_time = isinstance(source, TableSource) or bool(config.split.time)  # files lie in the order of their names: only who asks gets a split by time
    columns = {
        "row": rows,
        "id": used.ids,
        "whole": name_wholes(source, profiles, rows),
        "content": used.contents,
        "place": used.places,
        "given_set": used.given_sets,
        "target": used.targets,
        "group": read_groups(table.columns[config.split.group][rows]) if config.split.group else None,
        "near": [near.names.get(content) for content in used.contents] if near.names else None,
        "time": find_time(table, config.split.time, rows) if has_time else None,
        "weight": read_weights(table.columns[config.data.weight][rows], config.data.weight) if config.data.weight else np.ones(len(rows), np.float32),
        "source": name_sources(source, config.data, rows),
    }
    return ctx.store.put_batches(INDEX, to_batches(columns, len(rows)))


def _count_targets(targets: np.ndarray, problem: Problem) -> tuple[dict[str, int], tuple[float, ...]]:
    if problem.task in ("binary", "multiclass"):
        counts = np.bincount(targets[:, 0].astype(int), minlength=len(problem.classes))
        return {name: int(count) for name, count in zip(problem.classes, counts)}, ()
    if problem.task in ("multilabel", "detection"):
        return {name: int(count) for name, count in zip(problem.classes, targets.sum(0))}, ()
    low, high = float(targets[:, 0].min()), float(targets[:, 0].max())
    bins = 20 if high - low > 1e-9 * max(abs(low), abs(high)) else 1  # values that differ in their last digits make no twenty bins
    histogram, edges = np.histogram(targets[:, 0], bins=bins)
    return {f"{edges[n]:.6g}": int(count) for n, count in enumerate(histogram)}, tuple(float(edge) for edge in edges)
