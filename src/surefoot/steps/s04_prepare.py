"""s04: chooses how records become inputs, measures statistics on train alone, and packs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from surefoot import randomness
from surefoot.checks import prepare as checks
from surefoot.data import making, preprocess
from surefoot.data.examples import scale_targets
from surefoot.data.packs import Block, Pack, open_pack, write_pack
from surefoot.data.pictures import to_picture
from surefoot.data.readers import open_source
from surefoot.data.targets import encode_targets
from surefoot.settings import budget_seconds
from surefoot.transforms.statistics import measure
from surefoot.types import (
    AuditReport,
    Context,
    FieldSpec,
    FoldData,
    ImageSource,
    ItemError,
    PreparedData,
    PrepareStepConfig,
    Problem,
    Split,
    TableSource,
)

_SHOWN = 8
_SHOWN_CLASSES = 12


def prepare(ctx: Context, config: PrepareStepConfig, *, problem: Problem, audit: AuditReport, split: Split) -> PreparedData:
    """Packs train and val in one file, the test set in a sealed one, the wild set in a third; fits the transforms per fold."""
    source = open_source(config.data, ctx.root)
    table = _join(ctx.store.get_table(audit.index), ctx.store.get_table(split.sets))
    sets = np.asarray(table.column("set").to_pylist())
    recipe, reason = _choose_recipe(source, audit, config, np.asarray(table.column("row"))[sets != "test"])
    ctx.events.say(f"  inputs: {reason}")
    fields = preprocess.fields(recipe)
    pack_ref = _pack(ctx, source, recipe, fields, table.filter(pa.array(sets != "test")), is_sealed=False)
    test_ref = _pack(ctx, source, recipe, fields, table.filter(pa.array(sets == "test")), is_sealed=True)
    wild_ref, num_wild = _pack_wild(ctx, config, problem, recipe, fields)
    pack = open_pack(ctx.store, pack_ref)
    inside = table.filter(pa.array(sets != "test"))
    rows = _fold_rows(inside, split.folds)
    folds = tuple(
        FoldData(fold=k, num_train=len(rows[f"fold{k}.train"]), num_val=len(rows[f"fold{k}.val"]), fitted=_fit(ctx, pack, problem, rows[f"fold{k}.train"]))
        for k in range(split.folds)
    )
    everything = np.arange(len(pack))
    ranges = _ranges(pack, rows["fold0.train"])
    sample, pictures = _sample(ctx, pack, problem, rows["fold0.train"])
    return PreparedData(
        fields=fields,
        recipe=recipe,
        pack=pack_ref,
        test_pack=test_ref,
        wild_pack=wild_ref,
        rows=ctx.store.put_arrays(rows),
        folds=folds,
        fitted_final=_fit(ctx, pack, problem, everything),
        num_rows=len(pack),
        num_test=int((sets == "test").sum()),
        num_wild=num_wild,
        pack_bytes=pack.num_bytes,
        in_memory=pack.num_bytes <= config.data.memory_mb * 2**20,
        ranges=ranges,
        sample=sample,
        pictures=pictures,
        findings=tuple(checks.judge(ranges, [(rows[f"fold{k}.train"], rows[f"fold{k}.val"]) for k in range(split.folds)])),
    )


def _join(index: pa.Table, sets: pa.Table) -> pa.Table:
    """The audit's index with the set and folds of each item, in the source's order; items the split refused fall away."""
    at = pc.index_in(index.column("id"), sets.column("id").combine_chunks())
    kept = pc.is_valid(at)
    joined, at = index.filter(kept), at.filter(kept)
    for name in ("set", "val_folds", "used_folds"):
        joined = joined.append_column(name, sets.column(name).take(at))
    return joined


def _choose_recipe(source: ImageSource | TableSource, audit: AuditReport, config: PrepareStepConfig, rows: np.ndarray) -> tuple[dict[str, Any], str]:
    if isinstance(source, TableSource):
        recipe = making.table_recipe(source, audit, rows)
        return recipe, f"{len(recipe['columns'])} columns"
    side, why = making.choose_side(audit, config.data, budget_seconds(config.budget))
    recipe = making.image_recipe(audit, side)
    return recipe, f"pictures of {recipe['height']} x {recipe['width']} x {recipe['channels']}: {why}"


def _pack(ctx: Context, source: ImageSource | TableSource, recipe: dict[str, Any], fields: tuple[FieldSpec, ...], table: pa.Table, *, is_sealed: bool) -> str:
    rows = np.asarray(table.column("row"))
    targets = np.asarray(table.column("target").to_pylist(), np.float64).reshape(len(rows), -1)
    blocks = making.make_blocks(source, recipe, rows, table.column("id").to_pylist(), targets, np.asarray(table.column("weight")))
    return write_pack(ctx.store, fields, targets.shape[1], _with_progress(ctx, blocks, len(rows)), is_sealed=is_sealed)


def _with_progress(ctx: Context, blocks: Iterator[Block], total: int) -> Iterator[Block]:
    done = 0
    for block in blocks:
        done += len(block.ids)
        ctx.events.progress("packing", done, total)
        yield block


def _pack_wild(ctx: Context, config: PrepareStepConfig, problem: Problem, recipe: dict[str, Any], fields: tuple[FieldSpec, ...]) -> tuple[str, int]:
    """The wild items that can be read and have a known target, sealed like the test set: nobody chooses on them."""
    if not config.data.wild:
        return "", 0
    source = open_source(config.data, ctx.root, which="wild")
    targets = encode_targets(source, problem)
    readable = [row for row in range(len(source)) if not np.isnan(targets[row]).any() and _is_readable(source, row)]
    rows = np.asarray(readable, np.int64)
    blocks = making.make_blocks(source, recipe, rows, [f"wild-{row}" for row in readable], targets[rows], np.ones(len(rows), np.float32))
    return write_pack(ctx.store, fields, targets.shape[1], blocks, is_sealed=True), len(rows)


def _is_readable(source: ImageSource | TableSource, row: int) -> bool:
    if isinstance(source, TableSource):
        return True
    try:
        source.read(row)
    except ItemError:
        return False
    return True


def _fold_rows(table: pa.Table, folds: int) -> dict[str, np.ndarray]:
    """`fold{k}.train`, `fold{k}.val`: int64 positions in the pack."""
    val_folds, used_folds, sets = (table.column(name).to_pylist() for name in ("val_folds", "used_folds", "set"))
    rows = {}
    for k in range(folds):
        is_val = np.asarray([k in folds_of for folds_of in val_folds], bool)
        is_train = np.asarray([s == "train" and k in used for s, used in zip(sets, used_folds)], bool) & ~is_val
        rows[f"fold{k}.train"], rows[f"fold{k}.val"] = np.flatnonzero(is_train), np.flatnonzero(is_val)
    return rows


def _fit(ctx: Context, pack: Pack, problem: Problem, rows: np.ndarray) -> str:
    targets = scale_targets(problem, pack.targets[rows])
    return ctx.store.put_arrays(measure(pack.fields, pack.chunks(rows), targets))


def _ranges(pack: Pack, rows: np.ndarray) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for chunk in pack.chunks(rows):
        for field, array in zip(pack.fields, chunk):
            finite = array[~np.isnan(array)] if array.dtype.kind == "f" else array
            if finite.size:
                low, high = found.get(field.name, (np.inf, -np.inf))
                found[field.name] = (min(low, float(finite.min())), max(high, float(finite.max())))
    return found


def _sample(ctx: Context, pack: Pack, problem: Problem, rows: np.ndarray) -> tuple[dict[str, tuple[str, ...]], str]:
    """Class -> ids of a few train pictures, as the net will see them, and the pictures themselves."""
    if pack.fields[0].name != "image" or problem.task not in ("binary", "multiclass"):
        return {}, ""
    shuffled = randomness.stream(ctx.seed, "sample grid").permutation(rows)
    labels = pack.targets[shuffled, 0].astype(int)
    picked = {name: shuffled[labels == number][:_SHOWN] for number, name in enumerate(problem.classes[:_SHOWN_CLASSES])}
    sample = {name: tuple(pack.ids(some)) for name, some in picked.items() if len(some)}
    pictures = {i: to_picture(image) for some in picked.values() if len(some) for i, image in zip(pack.ids(some), pack.gather(some)[0])}
    return sample, ctx.store.put_arrays(pictures)
