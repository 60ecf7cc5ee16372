"""What must stay on one side of a split: items of equal content, of one group, near duplicates, also across each other.

A million items take some 40 bytes each while they are joined and 16 afterwards: contents are numbers, and only what really connects makes a graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from surefoot.data.columns import take_rows

_MIXED = 0.05
"""Share of items in units of several strata from which units are dealt by their labels; a few conflicting duplicates are no groups."""
_BLOCK = 1 << 16
_CELLS = 1 << 20
"""Cells of targets that are looked at together."""
_DIGITS = 16
"""Of a content hash."""

Words: TypeAlias = Sequence[str | None] | pa.Array | pa.ChunkedArray


@dataclass(frozen=True)
class LabelCounts:
    """Which labels a unit has, and how many of its items have each; in the smallest whole numbers that hold them.

    Attributes:
        starts: int (U + 1,); what is said of unit u lies from `starts[u]` to `starts[u + 1]`, one row at least.
        labels, counts: int (P,); those of one unit in rising order of labels.
    """

    starts: np.ndarray
    labels: np.ndarray
    counts: np.ndarray

    def units_with(self, label: int) -> np.ndarray:
        """The units that have a label, in rising order."""
        rows = np.flatnonzero(self.labels == label).astype(self.starts.dtype)
        return np.searchsorted(self.starts, rows, side="right") - 1

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Unit, label and count of some rows at a time."""
        for at in range(0, len(self.starts) - 1, _BLOCK):
            starts = self.starts[at : at + _BLOCK + 1]
            rows = slice(starts[0], starts[-1])
            yield np.repeat(np.arange(at, at + len(starts) - 1), np.diff(starts)), self.labels[rows], self.counts[rows]


@dataclass(frozen=True)
class Units:
    """Items that stay together.

    Attributes:
        of: int (N,) unit of each item. strata: int per unit, the least of its items'.
        contents: of the items. first: int per unit, the item of its smallest content, which names it. ordinals: int per unit, where units share a content.
        labels: of units and their items; None where each unit has one stratum.
    """

    of: np.ndarray
    strata: np.ndarray
    contents: pa.ChunkedArray
    first: np.ndarray
    ordinals: np.ndarray | None = None
    labels: LabelCounts | None = None

    def __len__(self) -> int:
        return len(self.strata)

    def names(self, which: np.ndarray) -> Iterator[str]:
        """A name for each of some units, one by one: it depends on content alone."""
        for start in range(0, len(which), _BLOCK):
            some = which[start : start + _BLOCK]
            contents = take_rows(self.contents, self.first[some]).to_pylist()
            yield from contents if self.ordinals is None else (f"{content}-{number}" for content, number in zip(contents, self.ordinals[some].tolist()))

    def sizes(self) -> np.ndarray:
        """Items of each unit, int64."""
        return np.bincount(self.of, minlength=len(self))


def make_units(contents: Words, groups: Words, strata: np.ndarray, *, by_content: bool, near: Words = (), labels: np.ndarray | None = None) -> Units:
    """Joins items of equal content (unless told not to), of equal group, and near duplicates of one cluster, also across each other.

    Args:
        contents: hash of each item. groups, near: group and cluster of each item, None for items that stand for themselves; empty for none at all.
        strata: int (N,). labels: (N, L), above 0 where an item has a label, of which it may have several (multilabel).
    """
    contents = _as_column(contents)
    others = [column for column in map(_as_column, (groups, near if by_content else ())) if column.null_count < len(column)]
    of = _join(([number_equal(rank_words(contents))] if by_content else []) + [_encode(column) for column in others], len(strata))
    numbers = rank_words(contents)  # once more: cheaper than to hold them while items are joined
    first = _find_smallest(of, numbers)
    least = np.full(len(first), np.iinfo(strata.dtype).max, strata.dtype)
    np.minimum.at(least, of, strata)
    return Units(of, least, contents, first, _count_before(numbers[first]), _count_labels(of, strata, least, labels))


def rank_words(column: pa.ChunkedArray) -> np.ndarray:
    """Words as uint64 (N,) in the same order: content hashes as what they say, other words by their rank."""
    if not pc.all(pc.equal(pc.binary_length(column), _DIGITS)).as_py():
        return _rank_by_sorting(column)
    numbers = np.empty(len(column), np.uint64)
    at = 0
    for chunk in _blocks(column):
        digits = _HEX[np.frombuffer(chunk.buffers()[2], np.uint8)[_span(chunk)].reshape(-1, _DIGITS)]
        if (digits > 15).any():
            return _rank_by_sorting(column)
        pairs = digits[:, ::2] << np.uint8(4) | digits[:, 1::2]
        numbers[at : at + len(chunk)] = np.ascontiguousarray(pairs).view(">u8")[:, 0]
        at += len(chunk)
    return numbers


_HEX = np.full(256, 255, np.uint8)
_HEX[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


def _blocks(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in column.chunks:
        for start in range(0, len(chunk), _BLOCK):
            yield chunk.slice(start, _BLOCK)


def _span(chunk: pa.Array) -> slice:
    """Which bytes of its buffer the words of an Arrow array are."""
    offsets = np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    return slice(int(offsets[0]), int(offsets[-1]))


def _rank_by_sorting(column: pa.ChunkedArray) -> np.ndarray:
    encoded = column.combine_chunks().dictionary_encode()
    ranks = np.empty(len(encoded.dictionary), np.uint64)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(ranks), dtype=np.uint64)
    return ranks[encoded.indices.to_numpy()]


def number_equal(numbers: np.ndarray) -> np.ndarray:
    """Equal numbers (N,) as one code, int (N,)."""
    order = np.argsort(numbers, kind="stable")
    starts = _starts(numbers, order)
    codes = np.empty(len(numbers), _index_type(len(numbers)))
    codes[order] = np.cumsum(starts, dtype=codes.dtype) - 1
    return codes


def _starts(numbers: np.ndarray, order: np.ndarray) -> np.ndarray:
    """bool (N,): where in the order another number begins."""
    starts = np.ones(len(order), bool)
    for at in range(1, len(order), _BLOCK):
        block = order[at - 1 : at + _BLOCK]
        starts[at : at + _BLOCK] = numbers[block[1:]] != numbers[block[:-1]]
    return starts


def _as_column(column: Words) -> pa.ChunkedArray:
    if isinstance(column, pa.ChunkedArray):
        return column
    return pa.chunked_array([column if isinstance(column, pa.Array) else pa.array(column, pa.string())])


def _encode(column: pa.ChunkedArray) -> np.ndarray:
    """Words as int32 codes, -1 for None."""
    return column.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)


def _index_type(count: int) -> type[np.signedinteger]:
    return np.int32 if count < 2**31 else np.int64


def _join(ties: list[np.ndarray], count: int) -> np.ndarray:
    """Unit of each item: those that a chain of equal codes connects, numbered by their first item.

    An item belongs to its first tie; only where it has another one too are the two connected, so that the graph is as small as what overlaps.
    """
    ties = [codes for codes in map(_drop_single, ties) if (codes >= 0).any()]
    widths = [int(codes.max()) + 1 for codes in ties]
    total = sum(widths)
    of = np.full(count, -1, _index_type(total + count))
    links, begin = [], 0
    for codes, width in zip(ties, widths, strict=True):
        tied = codes >= 0
        both = np.flatnonzero(tied & (of >= 0))
        links.append(np.stack([of[both], codes[both] + begin]).astype(np.int64))
        np.copyto(of, codes + of.dtype.type(begin), where=tied & (of < 0))
        begin += width
    if links and (edges := np.concatenate(links, 1)).shape[1]:
        of = np.where(of >= 0, _connect(edges, total, of.dtype)[of], of)
    alone = np.flatnonzero(of < 0)
    of[alone] = total + np.arange(len(alone))
    return _number_by_first(of, total + len(alone))


def _drop_single(codes: np.ndarray) -> np.ndarray:
    """Codes without those that one item alone has: they tie nothing."""
    counts = np.bincount(codes[codes >= 0]) if (codes >= 0).any() else np.zeros(1, np.int64)
    return np.where((codes >= 0) & (counts > 1)[codes], codes, codes.dtype.type(-1))


def _connect(edges: np.ndarray, total: int, kind: np.dtype) -> np.ndarray:
    """Node -> the smallest of those that edges int64 (2, E) connect it with."""
    nodes, ends = np.unique(edges, return_inverse=True)
    ends = ends.reshape(2, -1)
    parts = connected_components(coo_matrix((np.ones(ends.shape[1], np.int8), tuple(ends)), shape=(len(nodes),) * 2), directed=False)[1]
    smallest = np.full(len(nodes), total, np.int64)
    np.minimum.at(smallest, parts, nodes)
    root = np.arange(total, dtype=kind)
    root[nodes] = smallest[parts]
    return root


def _number_by_first(of: np.ndarray, width: int) -> np.ndarray:
    """The same units, numbered in the order in which they first occur."""
    rows = np.arange(len(of), dtype=of.dtype)
    first = np.zeros(width, of.dtype)
    first[of[::-1]] = rows[::-1]  # of several rows the last that is written stays, which is the first
    place = first[of]
    return (np.cumsum(place == rows, dtype=of.dtype) - 1)[place]


def _find_smallest(of: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The item of the smallest number in each unit, the first of equals."""
    count = int(of.max(initial=-1)) + 1
    smallest = np.full(count, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, of, numbers)
    rows = np.flatnonzero(numbers == smallest[of])[::-1]
    first = np.empty(count, of.dtype)
    first[of[rows]] = rows
    return first


def _count_before(numbers: np.ndarray) -> np.ndarray | None:
    """How many units before each have the same number: equal contents kept apart on request still need names of their own. None where all differ."""
    order = np.argsort(numbers, kind="stable")
    starts = _starts(numbers, order)
    if starts.all():
        return None
    at = np.arange(len(order))
    ordinals = np.empty(len(order), np.int64)
    ordinals[order] = at - np.maximum.accumulate(np.where(starts, at, 0))
    return ordinals


def cell_blocks(cells: np.ndarray) -> Iterator[slice]:
    """The rows of a table (N, L) in blocks of some megabytes."""
    step = max(1, _CELLS // max(1, cells.shape[1]))
    return (slice(at, at + step) for at in range(0, len(cells), step))


def _count_labels(of: np.ndarray, strata: np.ndarray, least: np.ndarray, labels: np.ndarray | None) -> LabelCounts | None:
    """What each unit holds; None where hardly a unit has more than one stratum. Items without a label have a label of their own."""
    if labels is None and (strata != least[of]).sum() <= _MIXED * len(of):
        return None
    width = int(strata.max(initial=0)) + 1 if labels is None else labels.shape[1] + 1
    order = np.argsort(of, kind="stable").astype(of.dtype)  # the items of one unit after those of another
    ends, step = np.concatenate([[0], np.cumsum(np.bincount(of))]), max(1, _CELLS // width)
    found = []
    for at in range(0, max(1, len(least)), step):
        last = min(at + step, len(least))
        items = order[ends[at] : ends[last]]
        rows, told = (np.arange(len(items)), strata[items]) if labels is None else np.nonzero(_with_none(labels[items] > 0))
        pairs, counts = np.unique(of[items[rows]].astype(np.int64) * width + told, return_counts=True)
        found.append(tuple(map(_shrink, (np.bincount(pairs // width - at, minlength=last - at), pairs % width, counts))))
    lengths, names, counts = map(np.concatenate, zip(*found))
    return LabelCounts(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(_index_type(len(names))), names, counts)


def _with_none(labels: np.ndarray) -> np.ndarray:
    """bool (N, L) with one more label, for those that have none."""
    return np.hstack([labels, ~labels.any(1, keepdims=True)])


def _shrink(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
