"""Who was split before, and where: items keep their set also through runs that they were not part of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from surefoot.data.columns import take_rows
from surefoot.data.splitting import CODES, NAMES, is_in, name_sets
from surefoot.types.context import Store
from surefoot.types.data_reports import Split

_BLOCK = 1 << 16
"""Ids that are compared, or rows that are written, at a time."""
_AWAY = pa.schema([("id", pa.string()), ("set", pa.string()), ("group", pa.string()), ("whole", pa.string()), ("is_open", pa.bool_())])


@dataclass(frozen=True)
class Known:
    """Items of earlier splits, mapped: first those of the last one, then those that were away from it.

    Attributes:
        wholes: of the items, over all that their rows say, whatever the settings leave out; the ids where they leave out nothing.
        sets: int8 (M,) codes of `splitting.NAMES`. groups: of the items, null where there is none or they were grouped by another column.
        is_open: bool (M,), K-fold called it train, which a hold-out parts into train and val. num_last: items of the last split.
    """

    ids: pa.ChunkedArray
    wholes: pa.ChunkedArray
    sets: np.ndarray
    groups: pa.ChunkedArray
    is_open: np.ndarray
    num_last: int


@dataclass(frozen=True)
class Recalled:
    """What is known of each item.

    Attributes:
        rows: int (N,) row among the known, -1 for newcomers. sets: int8 (N,), 0 for newcomers. is_open: bool (N,), see `Known`.
    """

    rows: np.ndarray
    sets: np.ndarray
    is_open: np.ndarray


def read_known(store: Store, splits: Sequence[Split], grouped_by: str) -> Known | None:
    """The items of the last split and those that it remembers; then what the others know beside, of which `num_last` counts none.

    Args:
        splits: the last one first. grouped_by: the column that groups items now.
    """
    known = None
    for one in (_read_known(store, split, grouped_by) for split in splits):
        if known is None:
            known = one
        elif (is_new := recall(one.ids, one.wholes, known).rows < 0).any():
            pairs = ((known.ids, one.ids), (known.wholes, one.wholes), (known.groups, one.groups))
            ids, wholes, groups = (pa.chunked_array([*first.chunks, *other.filter(pa.array(is_new)).chunks]) for first, other in pairs)
            wholes = ids if known.wholes is known.ids and one.wholes is one.ids else wholes
            sets, is_open = np.concatenate([known.sets, one.sets[is_new]]), np.concatenate([known.is_open, one.is_open[is_new]])
            known = Known(ids, wholes, sets, groups, is_open, known.num_last)
    return known


def _read_known(store: Store, last: Split, grouped_by: str) -> Known:
    tables = [store.get_table(ref) for ref in (last.sets, last.away) if ref]
    sets = [to_codes(table.column("set")) for table in tables]
    is_open = [is_in(sets[0], "train") & (last.protocol != "holdout"), *(table.column("is_open").to_numpy() for table in tables[1:])]
    is_same = last.grouped_by == grouped_by
    has_groups = [is_same and "group" in table.column_names for table in tables]
    groups = [table.column("group") if has else pa.chunked_array([pa.nulls(len(table), pa.string())]) for table, has in zip(tables, has_groups, strict=True)]
    own = [table.column("id") for table in tables]
    parts = (own, [read_wholes(table, ids) for table, ids in zip(tables, own, strict=True)], groups)
    ids, wholes, named = (pa.chunked_array(list(chain.from_iterable(one.chunks for one in some)), pa.string()) for some in parts)
    has_wholes = any(whole is not id for whole, id in zip(parts[1], own, strict=True))
    return Known(ids, wholes if has_wholes else ids, np.concatenate(sets), named, np.concatenate(is_open), len(tables[0]))


def read_wholes(table: pa.Table, ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column `whole` of a table of items; `ids` themselves where it says nothing."""
    wholes = table.column("whole") if "whole" in table.column_names else None
    return ids if wholes is None or wholes.null_count == len(wholes) else pc.coalesce(wholes, ids)


def recall(ids: pa.ChunkedArray, wholes: pa.ChunkedArray, known: Known | None) -> Recalled:
    """Finds items among the known: by their ids, and, where settings have changed what counts, by all that their rows say."""
    if known is None or not len(known.ids):
        return Recalled(np.full(len(ids), -1, np.int32), np.zeros(len(ids), np.int8), np.zeros(len(ids), bool))
    rows = _find(ids, known.ids)
    if (rows < 0).any() and (wholes is not ids or known.wholes is not known.ids):
        rows = np.where(rows < 0, _find(wholes, known.wholes), rows)
    is_known = rows >= 0
    return Recalled(rows, np.where(is_known, known.sets[rows], np.int8(0)), is_known & known.is_open[rows])


def _find(ids: pa.ChunkedArray, known: pa.ChunkedArray) -> np.ndarray:
    """The row among the known of each id, int32 (N,), -1 for others; by sorted hashes, 17 bytes for each known id, where a table of the ids takes 100."""
    rows = np.full(len(ids), -1, np.int32)
    hashes = np.concatenate([_hash_words(chunk) for chunk in known.chunks])
    order = np.argsort(hashes)
    hashes = hashes[order]
    for begin in range(0, len(ids), _BLOCK):
        block = ids.slice(begin, _BLOCK)
        at = order[np.minimum(np.searchsorted(hashes, np.concatenate([_hash_words(chunk) for chunk in block.chunks])), len(order) - 1)]
        rows[begin : begin + len(block)] = np.where(pc.equal(take_rows(known, at), block).to_numpy(), at, -1)
    return rows


def find_names(store: Store, ids: np.ndarray, theirs: Split, ours: Split) -> dict[str, str]:
    """What `ours` calls items of `theirs`: the same row has another id where the settings leave out other columns.

    Args:
        ids: of items of `theirs`, object (N,).

    Returns:
        Id -> the other id, of those whose two ids differ; what `ours` does not know is not in it.
    """
    table, other = (store.get_table(split.sets) for split in (theirs, ours))
    if not any("whole" in one.column_names for one in (table, other)):
        return {}
    table = table.filter(pc.is_in(table.column("id"), value_set=pa.array(np.unique(ids.astype(str)), pa.string())))
    own, known = table.column("id"), read_known(store, [ours], ours.grouped_by)
    rows = recall(own, read_wholes(table, own), known).rows
    if known is None or not (rows >= 0).any():
        return {}
    pairs = zip(own.filter(pa.array(rows >= 0)).to_pylist(), take_rows(known.ids, rows[rows >= 0]).to_pylist(), strict=True)
    return {mine: yours for mine, yours in pairs if mine != yours}


def find_companions(groups: pa.ChunkedArray, known: Known | None, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is known of the absent members of each item's group.

    Args:
        groups: of the items, null where there is none. rows: int (N,), see `Recalled`.

    Returns:
        int8 (N,) with a bit for each of their sets, and bool (N,) whether K-fold called one of them train, which is no bit.
    """
    masks, has_open = np.zeros(len(groups), np.int8), np.zeros(len(groups), bool)
    if known is None or known.groups.null_count == len(known.groups):
        return masks, has_open
    is_away = np.ones(len(known.ids), bool)
    is_away[rows[rows >= 0]] = False
    for code in range(1, len(NAMES)):
        for is_open in (False, True):
            names = known.groups.filter(pa.array(is_away & (known.sets == code) & (known.is_open == is_open))).unique().drop_null()
            has_one = pc.is_in(groups, value_set=names).to_numpy()
            if is_open:
                has_open |= has_one
            else:
                masks[has_one] |= np.int8(1) << code
    return masks, has_open


def put_away(store: Store, known: Known | None, rows: np.ndarray, *, is_holdout: bool) -> str:
    """Writes down, block by block, the known items that are not in this split.

    Args:
        rows: int (K,), the known ones that are in it. is_holdout: else train and val are one from now on, of the absent too.

    Returns:
        Ref of the table, "" where all are there.
    """
    is_away = np.ones(len(known.ids) if known else 0, bool)
    is_away[rows] = False
    if known is None or not is_away.any():
        return ""
    is_inside = is_in(known.sets, "train", "val") & (not is_holdout)
    sets = np.where(is_inside, np.int8(CODES["train"]), known.sets)

    def blocks() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(is_away), _BLOCK):
            some = start + np.flatnonzero(is_away[start : start + _BLOCK])
            mask = pa.array(is_away[start : start + _BLOCK])
            ids, groups, wholes = (column.slice(start, _BLOCK).filter(mask).combine_chunks() for column in (known.ids, known.groups, known.wholes))
            names = pa.array(name_sets(sets[some]), pa.string())
            yield pa.record_batch([ids, names, groups, wholes, pa.array((known.is_open | is_inside)[some])], _AWAY)

    return store.put_batches(_AWAY, blocks())


def to_codes(column: pa.ChunkedArray) -> np.ndarray:
    """Names of sets as int8 codes; 0 for null and for what names none."""
    found = [pc.fill_null(pc.index_in(chunk, pa.array(NAMES)), 0).to_numpy(zero_copy_only=False).astype(np.int8) for chunk in column.chunks]
    return np.concatenate([np.zeros(0, np.int8), *found])


def _hash_words(words: pa.Array) -> np.ndarray:
    blocks = [words.slice(at, _BLOCK).to_numpy(zero_copy_only=False) for at in range(0, len(words), _BLOCK)]
    return np.concatenate([np.zeros(0, np.uint64), *(pd.util.hash_array(block, categorize=False) for block in blocks)])
