"""s04: chooses how records become inputs, measures statistics on train alone, and packs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from surefoot import randomness
from surefoot.analysis import drawings
from surefoot.analysis.explore import Look, explore
from surefoot.checks import prepare as checks
from surefoot.data import crew, making, preprocess
from surefoot.data.examples import scale_targets
from surefoot.data.framing import BOXES
from surefoot.data.nearest import quote_some, suggest
from surefoot.data.packs import Block, Manner, Pack, open_pack, read_manifest, rows_per_block, write_pack
from surefoot.data.readers import open_source
from surefoot.data.shards import JPEG
from surefoot.data.targets import encode_targets
from surefoot.settings import budget_seconds
from surefoot.transforms.statistics import choose, measure
from surefoot.types import (
    AuditReport,
    Context,
    DataConfig,
    DataError,
    Finding,
    FoldData,
    ImageSource,
    PrepareConfig,
    PreparedData,
    PrepareStepConfig,
    Problem,
    Split,
    TableSource,
    UsageError,
)

_OPEN = "train and val"
_SHOWN = 8
_SHOWN_CLASSES = 12


def prepare(ctx: Context, config: PrepareStepConfig, *, problem: Problem, audit: AuditReport, split: Split) -> PreparedData:
    """Packs train and val in one file, the test set in a sealed one, the wild set in a third; fits the transforms per fold."""
    source = open_source(config.data, ctx.root)
    table = _join(ctx.store.get_table(audit.index), ctx.store.get_table(split.sets))
    sets = np.asarray(table.column("set").to_pylist())
    recipe, reason, choices = _choose_recipe(ctx, config, source, audit, np.asarray(table.column("row")), sets)
    quality, stored = _choose_quality(ctx, recipe, table.num_rows + audit.num_wild, config.prepare)
    for said in (f"inputs: {reason}", *choices, *([f"stored {stored}"] if stored else [])):
        ctx.events.say(f"  {said}")
    work = crew.Work(recipe, quality, config.prepare.workers)
    drawn = drawings.read_drawn(ctx.store, audit, recipe)
    inside = table.filter(pa.array(sets != "test"))
    test = table.filter(pa.array(sets == "test"))
    packs = _pack_all(ctx, work, config.data, problem, source, (_list_items(inside, drawn), _list_items(test, drawn)))
    pack = open_pack(ctx.store, packs["pack"])
    rows = _list_rows(source, recipe, config.prepare, inside, split.folds) | {f"test.{name}": found for name, found in _find_groups(test).items()}
    folds = tuple(_fit_fold(ctx, pack, problem, config, k, rows) for k in range(split.folds))
    ranges = _ranges(pack, rows["fold0.train"])
    look = Look(source, recipe, pack, problem, inside, rows["fold0.train"], ctx.store.get_arrays(folds[0].fitted))
    drawings.write_sets(ctx, problem, table, drawn, rows)
    return PreparedData(
        fields=preprocess.fields(recipe),
        recipe=recipe,
        **packs,
        rows=ctx.store.put_arrays(rows),
        folds=folds,
        fitted_final=_fit(ctx, pack, problem, rows.get("whole", np.arange(len(pack))), config.prepare),
        num_rows=len(pack),
        num_test=len(test),
        pack_bytes=pack.num_bytes,
        in_memory=pack.num_bytes <= config.data.memory_mb * 2**20,
        ranges=ranges,
        choices=choices,
        stored=stored,
        **_show(ctx, look, audit, drawn),
        findings=(*_judge(ranges, rows, split.folds), *drawings.find_lost(drawn, inside.column("id").to_pylist(), recipe)),
    )


def _judge(ranges: dict[str, tuple[float, float]], rows: dict[str, np.ndarray], folds: int) -> list[Finding]:
    return checks.judge(ranges, [(rows[f"fold{k}.train"], rows[f"fold{k}.val"]) for k in range(folds)])


def _join(index: pa.Table, sets: pa.Table) -> pa.Table:
    """The audit's index with the set and folds of each item, in the source's order; items the split refused fall away."""
    at = pc.index_in(index.column("id"), sets.column("id").combine_chunks())
    kept = pc.is_valid(at)
    joined, at = index.filter(kept), at.filter(kept)
    for name in ("set", "val_folds", "used_folds"):
        joined = joined.append_column(name, sets.column(name).take(at))
    return joined


def _choose_recipe(
    ctx: Context, config: PrepareStepConfig, source: ImageSource | TableSource, audit: AuditReport, rows: np.ndarray, sets: np.ndarray
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    """The recipe, the reason for it, and how texts are read."""
    if isinstance(source, TableSource):
        texts, choices = making.learn_texts(source, audit, rows[sets == "train"], config.data, ctx.root)
        recipe = making.table_recipe(source, audit, rows[sets != "test"], config.prepare, texts)
        return recipe, f"{len(recipe['columns'])} columns", choices
    if audit.boxes:
        recipe, why = making.boxes_recipe(audit, config.data, config.prepare)
        return recipe, f"pictures of {recipe['height']} x {recipe['width']} x {recipe['channels']} with their boxes: {why}", ()
    side, why = making.choose_side(audit, config.data, budget_seconds(config.budget))
    recipe = making.image_recipe(audit, side, config.prepare)
    return recipe, f"pictures of {recipe['height']} x {recipe['width']} x {recipe['channels']}: {why}", ()


def _choose_quality(ctx: Context, recipe: dict[str, Any], num: int, config: PrepareConfig) -> tuple[int, str]:
    """The JPEG quality of so many pictures, 0 for pixels, and a sentence about it. The room is measured once: what is packed meanwhile changes nothing."""

    def measure_room() -> int:
        before = ctx.previous.shards if isinstance(ctx.previous, PreparedData) else ()  # the same packs again take no room
        return making.measure_room(ctx.root) + sum(ctx.store.path(ref).stat().st_size for ref in before if ctx.store.has(ref))

    quality, why = making.choose_quality(recipe, num, ctx.ledger.decide("bytes free for packs", measure_room), config)
    return quality, why and f"{f'as JPEG of quality {quality}' if quality else 'as pixels'}: {why}"


def _list_items(table: pa.Table, drawn: dict[str, drawings.Drawn]) -> making.Items:
    rows = np.asarray(table.column("row"))
    targets = np.asarray(table.column("target").to_pylist(), np.float64).reshape(len(rows), -1)
    ids = table.column("id").to_pylist()
    return making.Items(rows, ids, targets, np.asarray(table.column("weight")), [drawn[id].framed for id in ids] if drawn else [])


def _pack_all(
    ctx: Context, work: crew.Work, data: DataConfig, problem: Problem, source: ImageSource | TableSource, items: tuple[making.Items, making.Items]
) -> dict[str, Any]:
    """Packs what lies open, the test set, and the wild set where there is one: fields of the report. `items`: of the first two."""
    refs = {"pack": _pack(ctx, work, problem, source, items[0], _OPEN), "test_pack": _pack(ctx, work, problem, source, items[1], "test")}
    refs["wild_pack"] = _pack_wild(ctx, work, data, problem) if data.wild else ""
    manifests = {name: read_manifest(ctx.store, ref) for name, ref in refs.items() if ref}
    shards = tuple(shard.file for manifest in manifests.values() for shard in manifest.shards)
    return refs | {"shards": shards, "num_wild": manifests["wild_pack"].num_rows if refs["wild_pack"] else 0}


def _pack(ctx: Context, work: crew.Work, problem: Problem, source: ImageSource | TableSource, items: making.Items, name: str) -> str:
    """Packs some items; a packing that was interrupted goes on after the last shard that is whole. All but train and val is sealed."""
    fields = making.list_fields(work.recipe, items)
    size = rows_per_block(preprocess.fields(work.recipe))
    forms = {"image": JPEG} if work.quality else {}
    key = hashlib.sha256(json.dumps([name, work.recipe, work.quality, source.fingerprint, items.ids]).encode()).hexdigest()
    manner = Manner(work.recipe, problem.classes, forms, ctx.run_dir / "packing" / f"{name}.jsonl", key)
    decode = crew.choose_decode(work, source, -(-len(items.rows) // size))

    def blocks(start: int) -> Iterator[Block]:
        made = making.make_blocks(source, work.recipe, items, decode, start)
        return _with_progress(ctx, made, start * size, len(items.rows))

    ref = write_pack(ctx.store, fields, items.targets.shape[1], blocks, is_sealed=name != _OPEN, manner=manner)
    refused = read_manifest(ctx.store, ref).refused
    if refused and work.is_seen:
        raise DataError(
            f"{len(refused):,} items can't be read any more: {refused[0].place}: {refused[0].reason}.",
            where="data.source",
            next="The data changed since it was audited: `surefoot run --from audit`.",
        )
    return ref


def _with_progress(ctx: Context, blocks: Iterator[Block], done: int, total: int) -> Iterator[Block]:
    for block in blocks:
        done += len(block.ids)
        ctx.events.progress("packing", done, total)
        yield block


def _pack_wild(ctx: Context, work: crew.Work, data: DataConfig, problem: Problem) -> str:
    """The wild items that can be read and have a known target, sealed like the test set: nobody chooses on them. No audit has seen them."""
    source = open_source(data, ctx.root, which="wild")
    targets = encode_targets(source, problem)
    boxes = drawings.settle_wild(source, targets, work.recipe, ctx.run_dir / "packing" / "wild-seen.jsonl")
    rows = np.asarray(list(boxes), np.int64) if boxes is not None else np.flatnonzero(~np.isnan(targets).any(1))
    if not len(rows):
        return ""
    items = making.Items(rows, [f"wild-{row}" for row in rows], targets[rows], np.ones(len(rows), np.float32), list((boxes or {}).values()))
    return _pack(ctx, replace(work, is_seen=False), problem, source, items, "wild")


def _list_rows(source: ImageSource | TableSource, recipe: dict[str, Any], config: PrepareConfig, inside: pa.Table, folds: int) -> dict[str, np.ndarray]:
    """All that is known of positions in the pack, under the names that `PreparedData.rows` has."""
    rows = _fold_rows(inside, folds) | _find_groups(inside)
    if isinstance(source, TableSource):
        rows |= _leave_out_gaps(source, recipe, config, np.asarray(inside.column("row")), rows)
    return rows


def _fold_rows(table: pa.Table, folds: int) -> dict[str, np.ndarray]:
    """`fold{k}.train`, `fold{k}.val`, `train_dev`: int64 positions in the pack."""
    val_folds, used_folds, sets = (table.column(name).to_pylist() for name in ("val_folds", "used_folds", "set"))
    rows = {}
    for k in range(folds):
        is_val = np.asarray([k in folds_of for folds_of in val_folds], bool)
        is_train = np.asarray([s == "train" and k in used for s, used in zip(sets, used_folds)], bool) & ~is_val
        rows[f"fold{k}.train"], rows[f"fold{k}.val"] = np.flatnonzero(is_train), np.flatnonzero(is_val)
    rows["train_dev"] = np.flatnonzero(np.asarray(sets, dtype=object) == "train_dev")
    return rows


def _find_groups(table: pa.Table) -> dict[str, np.ndarray]:
    """`groups`: a number per item of the pack, its own where it belongs to no group; nothing where none has one."""
    names = table.column("group")
    if names.null_count == len(names):
        return {}
    codes = np.asarray(names.combine_chunks().dictionary_encode().indices.fill_null(-1), np.int64)
    return {"groups": np.where(codes < 0, len(codes) + np.arange(len(codes)), codes)}


def _leave_out_gaps(source: TableSource, recipe: dict[str, Any], config: PrepareConfig, at: np.ndarray, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`fold{k}.train` and `whole` without the items that have gaps where these are to be dropped; val keeps them, for the model will have to answer them too.

    Args:
        at: rows of the source, by position in the pack.

    Raises:
        UsageError: a column of the settings is no input. DataError: nothing is left to train on.
    """
    names = [column["name"] for column in recipe["columns"]]
    if unknown := next((name for name in config.columns if name not in names), None):
        raise UsageError(f'"{unknown}" is no input column.', where=f"prepare.columns.{unknown}", next=f"{suggest(unknown, names)}Inputs: {quote_some(names)}.")
    dropping = [name for name in names if choose(config, name).missing == "drop"]
    if not dropping:
        return {}
    whole = np.logical_and.reduce([pd.notna(source.columns[name][at]) for name in dropping])
    left = {name: some[whole[some]] for name, some in rows.items() if name.endswith(".train")}
    if not all(map(len, left.values())):
        raise DataError(
            f"Without the rows that have gaps in {quote_some(dropping)} nothing is left to train on.", where="prepare.missing", next="Fill the gaps instead."
        )
    return left | {"whole": np.flatnonzero(whole)}


def _fit_fold(ctx: Context, pack: Pack, problem: Problem, config: PrepareStepConfig, fold: int, rows: dict[str, np.ndarray]) -> FoldData:
    train, val = rows[f"fold{fold}.train"], rows[f"fold{fold}.val"]
    return FoldData(fold=fold, num_train=len(train), num_val=len(val), fitted=_fit(ctx, pack, problem, train, config.prepare))


def _fit(ctx: Context, pack: Pack, problem: Problem, rows: np.ndarray, config: PrepareConfig) -> str:
    targets = scale_targets(problem, pack.targets[rows])
    inputs = tuple(field for field in pack.fields if field.name != BOXES)
    return ctx.store.put_arrays(measure(inputs, pack.chunks(rows), targets, config))


def _ranges(pack: Pack, rows: np.ndarray) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for chunk in pack.chunks(rows):
        for field, array in zip(pack.fields, chunk):
            if field.name == BOXES:
                continue
            finite = array[~np.isnan(array)] if array.dtype.kind == "f" else array
            if finite.size:
                low, high = found.get(field.name, (np.inf, -np.inf))
                found[field.name] = (min(low, float(finite.min())), max(high, float(finite.max())))
    return found


def _show(ctx: Context, look: Look, audit: AuditReport, drawn: dict[str, drawings.Drawn]) -> dict[str, Any]:
    """What a person may see of the items outside the test set: fields of the report, under their names there."""
    explored, sample, pictures = explore(ctx, look, audit)
    shown = drawings.show(ctx, look.pack, look.train, pictures) if drawn else drawings.Shown(sample, pictures)
    return {"explored": explored, "sample": shown.sample, "pictures": shown.pictures, "drawn": shown.drawn, **_keep_texts(ctx, look)}


def _keep_texts(ctx: Context, look: Look) -> dict[str, Any]:
    """What a person reads of each item, stored, and of a few train items by class; nothing where the recipe has no text."""
    inside, problem = look.table, look.problem
    texts = making.join_texts(look.source, look.recipe, np.asarray(inside.column("row"))) if isinstance(look.source, TableSource) else []
    if not texts:
        return {}
    shuffled = randomness.stream(ctx.seed, "sample texts").permutation(look.train)
    sample = {"": tuple(texts[row] for row in shuffled[:_SHOWN])}
    if problem.task in ("binary", "multiclass"):
        labels = np.asarray([target[0] for target in inside.column("target").to_pylist()], int)[shuffled]
        sample = {name: tuple(texts[row] for row in shuffled[labels == number][:_SHOWN]) for number, name in enumerate(problem.classes[:_SHOWN_CLASSES])}
    stored = ctx.store.put_table(pa.table({"id": inside.column("id"), "text": pa.array(texts, pa.string())}))
    return {"texts": stored, "sample_texts": sample}
