"""Who goes where: stratified, by group or by time; seeded, keyed by content, and append-only.

A unit is what must stay together: items of equal content, of one group, near duplicates. Units of a stratum are taken in the order of their hash, and each
goes to the set that is furthest below its quota. So a first split is stratified to the item, moving files changes nothing, and newcomers move nobody.
Where units hold several labels (multilabel, groups of several classes), they are dealt by iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from surefoot import randomness
from surefoot.data.identity import number_equals

SETS = ("train", "val", "test")
_BINS = 10
"""Strata of an amount: deciles of the target, fewer where a bin would hold under `_PER_BIN` items."""
_PER_BIN = 10
_PARTS = 10**6
"""Shares are counted in millionths, so that ties are ties: whole numbers, 2.5 times as fast as rounded floats."""
_MIXED = 0.05
"""Share of items in units of several strata from which units are dealt by their labels; a few conflicting duplicates are no groups."""

Words: TypeAlias = Sequence[str | None] | pa.Array | pa.ChunkedArray


@dataclass(frozen=True)
class Units:
    """Items that stay together.

    Attributes:
        of: int64 (N,) unit of each item. keys: a name per unit that depends on content alone. strata: int64 per unit, the least of its items'.
        labels: int64 (P, 3) rows of unit, label and how many of its items have it, sorted by unit; None where each unit has one stratum.
    """

    of: np.ndarray
    keys: list[str]
    strata: np.ndarray
    labels: np.ndarray | None = None

    def members(self) -> list[np.ndarray]:
        """The items of each unit."""
        order = np.argsort(self.of, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.of, minlength=len(self.keys)))[:-1])

    def sizes(self) -> np.ndarray:
        """Items of each unit, int64."""
        return np.bincount(self.of, minlength=len(self.keys))


def make_units(contents: Words, groups: Words, strata: np.ndarray, *, by_content: bool, near: Words = (), labels: np.ndarray | None = None) -> Units:
    """Joins items of equal content (unless told not to), of equal group, and near duplicates of one cluster, also across each other.

    Args:
        contents: hash of each item. groups, near: group and cluster of each item, None for items that stand for themselves; empty for none at all.
        strata: int64 (N,). labels: bool (N, L), where an item may have several (multilabel).
    """
    content_of, words = _encode(contents)
    ties = [content_of] if by_content else []
    ties += [_encode(column)[0] for column in (groups, near if by_content else ()) if len(column)]
    of = _join(ties, len(strata))
    num = int(of.max(initial=-1)) + 1
    ranks = np.empty(len(words), np.int64)
    order = pc.sort_indices(words).to_numpy()
    ranks[order] = np.arange(len(words))
    first = np.full(num, len(words), np.int64)
    np.minimum.at(first, of, ranks[content_of])
    keys = words.take(pa.array(order[first])).to_pylist()
    if len(np.unique(first)) < num:  # equal contents kept apart on request still need names of their own
        keys = number_equals(keys)
    least = np.full(num, np.iinfo(np.int64).max)
    np.minimum.at(least, of, strata)
    return Units(of, keys, least, _count_labels(of, strata, least, labels))


def _encode(column: Words) -> tuple[np.ndarray, pa.Array]:
    """Words as int64 codes (-1 for None) in the order in which they occur, and the distinct words."""
    array = column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column, pa.string())
    encoded = array.dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    if isinstance(encoded, pa.ChunkedArray):  # without a row there is no chunk to combine
        return np.empty(0, np.int64), pa.array([], pa.string())
    return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary


def _join(ties: list[np.ndarray], count: int) -> np.ndarray:
    """Unit of each item: those that a chain of equal codes connects, numbered by their first item."""
    if not ties:
        return np.arange(count)
    if len(ties) == 1 and (ties[0] >= 0).all():
        return ties[0]
    rows, columns, width = [], [], count
    for codes in ties:
        inside = np.flatnonzero(codes >= 0)
        rows.append(inside)
        columns.append(codes[inside] + width)
        width += int(codes.max(initial=-1)) + 1
    left, right = np.concatenate(rows), np.concatenate(columns)
    graph = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(width, width))
    of = connected_components(graph, directed=False)[1][:count]
    _, first, inverse = np.unique(of, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _count_labels(of: np.ndarray, strata: np.ndarray, least: np.ndarray, labels: np.ndarray | None) -> np.ndarray | None:
    """Rows of unit, label and count; None where hardly a unit has more than one stratum. Items without a label have a label of their own."""
    if labels is not None:
        none = ~labels.any(1, keepdims=True)
        items, told = np.nonzero(np.hstack([labels, none]))
    elif (strata != least[of]).sum() > _MIXED * len(of):
        items, told = np.arange(len(of)), strata
    else:
        return None
    width = int(told.max(initial=0)) + 1
    pairs, counts = np.unique(of[items] * width + told, return_counts=True)
    return np.stack([pairs // width, pairs % width, counts], 1)


def make_strata(targets: np.ndarray, task: str) -> np.ndarray:
    """Class index; the rarest label of an item, or class on a picture; decile of the amount, of several amounts of what they share. int64 (N,)."""
    if task in ("binary", "multiclass"):
        return targets[:, 0].astype(np.int64)
    if task in ("multilabel", "detection"):
        rarity = np.argsort((targets > 0).sum(0), kind="stable")
        ranked = targets[:, rarity] > 0
        return np.where(ranked.any(1), ranked.argmax(1), targets.shape[1]).astype(np.int64)
    amounts = targets[:, 0] if targets.shape[1] == 1 else _first_component(targets)
    bins = max(1, min(_BINS, len(amounts) // _PER_BIN))
    edges = np.quantile(amounts, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, amounts).astype(np.int64)


def _first_component(targets: np.ndarray) -> np.ndarray:
    """The first principal component of standardised amounts: one number per item that says most of all of them."""
    spread = targets.std(0)
    scaled = (targets - targets.mean(0)) / np.where(spread > 0, spread, 1)
    loadings = np.linalg.eigh(scaled.T @ scaled)[1][:, -1]
    return scaled @ (loadings * np.sign(loadings[np.abs(loadings).argmax()]))


def fill_quotas(units: Units, quotas: dict[str, float], known: np.ndarray, seed: int) -> np.ndarray:
    """Set of each unit. Known units keep theirs; the others go, in hash order within their stratum, to the set furthest below its quota.

    Args:
        quotas: set -> share; shares add up to 1.
        known: object (U,) of set names, "" for units that have none yet.

    Returns:
        object (U,) of set names.
    """
    names = list(quotas)
    codes = np.full(len(known), -1, np.int64)
    for number, name in enumerate(names):
        codes[known == name] = number
    waiting = np.flatnonzero(known == "")
    keys = _order_keys(units, waiting, seed, "split")
    shares = [round(quotas[name] * _PARTS) for name in names]
    if units.labels is None:
        waiting = waiting[np.lexsort((keys, units.strata[waiting]))]
        dealt = _deal_plain(units, shares, codes, waiting)
    else:
        dealt = _deal_labels(units, shares, codes, waiting[np.lexsort((keys, -units.sizes()[waiting]))])
    placed = known.copy()
    placed[dealt[0]] = np.asarray(names, dtype=object)[dealt[1]]
    return placed


def _order_keys(units: Units, which: np.ndarray, seed: int, *purpose: int | str) -> np.ndarray:
    """The hash of each unit that decides its turn, uint64."""
    return randomness.keys(seed, str(purpose[0]), *purpose[1:], names=(units.keys[unit] for unit in which.tolist()))


def _deal_plain(units: Units, shares: list[int], codes: np.ndarray, waiting: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Each waiting unit in turn to the set that lacks most of its stratum, of equals to the one that lacks most overall."""
    sizes, sets = units.sizes(), range(len(shares))
    filled: dict[int, list[int]] = {}
    for unit in np.flatnonzero(codes >= 0).tolist():
        filled.setdefault(int(units.strata[unit]), [0] * len(shares))[codes[unit]] += int(sizes[unit])
    overall = [sum(have[one] for have in filled.values()) for one in sets]
    total, dealt, left = sum(overall), [], len(waiting)
    for stratum, size in zip(units.strata[waiting].tolist(), sizes[waiting].tolist()):
        have = filled.setdefault(stratum, [0] * len(shares))
        here = sum(have) + size
        total += size
        open_to: Sequence[int] = sets
        if left <= len(shares):  # of a few large groups there is none to spare
            empty = [one for one in sets if not overall[one]]
            open_to = empty if len(empty) >= left else sets
        best, most, most_overall = -1, 0, 0
        for one in open_to:
            lack = shares[one] * here - _PARTS * have[one]
            if best < 0 or lack >= most:
                lack_overall = shares[one] * total - _PARTS * overall[one]
                if best < 0 or lack > most or lack_overall > most_overall:
                    best, most, most_overall = one, lack, lack_overall
        dealt.append(best)
        have[best] += size
        overall[best] += size
        left -= 1
    return waiting, dealt


def _deal_labels(units: Units, shares: list[int], codes: np.ndarray, waiting: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Iterative stratification: of the label that the fewest waiting units have, each unit goes to the set that lacks most of this label.

    Source: Sechidis, Tsoumakas and Vlahavas 2011, On the Stratification of Multi-Label Data, algorithm 1; here on units, the largest first.
    """
    assert units.labels is not None
    unit_of, label_of, _ = units.labels.T
    width, sizes = int(label_of.max(initial=0)) + 1, units.sizes().tolist()
    of_unit = np.split(units.labels[:, 1:], np.searchsorted(unit_of, np.arange(1, len(units.keys))))
    lack, overall = _wanted(units, shares, codes, waiting)
    turn = np.full(len(units.keys), -1, np.int64)
    turn[waiting] = np.arange(len(waiting))
    order = np.lexsort((turn[unit_of], label_of))
    with_label = np.split(unit_of[order], np.searchsorted(label_of[order], np.arange(1, width)))
    left = np.bincount(label_of[turn[unit_of] >= 0], minlength=width)
    dealt: dict[int, int] = {}
    while (left > 0).any():
        rarest = int(np.where(left > 0, left, np.iinfo(np.int64).max).argmin())
        for unit in with_label[rarest].tolist():
            if turn[unit] < 0 or unit in dealt:
                continue
            best = max(range(len(shares)), key=lambda one: (lack[one][rarest], overall[one]))
            dealt[unit] = best
            overall[best] -= _PARTS * sizes[unit]
            for label, count in of_unit[unit].tolist():
                lack[best][label] -= _PARTS * count
                left[label] -= 1
    return np.fromiter(dealt, np.int64, len(dealt)), list(dealt.values())


def _wanted(units: Units, shares: list[int], codes: np.ndarray, waiting: np.ndarray) -> tuple[list[list[int]], list[int]]:
    """What each set lacks of each label, and of items, before the waiting units are dealt; in millionths of an item."""
    assert units.labels is not None
    unit_of, label_of, counts = units.labels.T
    width, sizes = int(label_of.max(initial=0)) + 1, units.sizes()
    set_of = codes.copy()
    set_of[waiting] = len(shares)
    have = np.zeros((len(shares) + 1, width), np.int64)
    counted = set_of[unit_of] >= 0  # units of sets without a quota count for none
    np.add.at(have, (set_of[unit_of[counted]], label_of[counted]), counts[counted])
    of_items = np.bincount(set_of[set_of >= 0], sizes[set_of >= 0], len(shares) + 1).astype(np.int64)
    lack = np.outer(shares, have.sum(0)) - _PARTS * have[:-1]
    return lack.tolist(), (np.asarray(shares) * of_items.sum() - _PARTS * of_items[:-1]).tolist()


def fill_time(times: np.ndarray, quotas: dict[str, float]) -> list[str]:
    """Item -> set by time: the earliest train, then val, the latest test; items of one moment stay together."""
    _, of, counts = np.unique(times, return_inverse=True, return_counts=True)
    names = list(quotas)
    by_moment = _cut(counts, np.asarray(list(quotas.values())))
    return [names[by_moment[moment]] for moment in of]


def join_time(times: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """The sets with newcomers (set "") placed: each joins the latest known item that is not after it, the earliest of all where there is none."""
    known = np.flatnonzero(sets != "")
    known = known[np.argsort(times[known], kind="stable")]
    places = np.searchsorted(times[known], times, side="right") - 1
    return np.where(sets != "", sets, sets[known[np.maximum(places, 0)]])


def make_folds(units: Units, inside: np.ndarray, *, folds: int, iterations: int, seed: int) -> np.ndarray:
    """In which folds each unit is val. Each iteration deals the units of each stratum anew, like cards; groups of several classes by their labels.

    Args:
        inside: bool (U,), the units that are dealt.

    Returns:
        bool (U, iterations * folds).
    """
    is_val = np.zeros((len(units.keys), iterations * folds), bool)
    dealt = np.flatnonzero(inside)
    sizes, strata = units.sizes(), units.strata
    for iteration in range(iterations):
        keys = _order_keys(units, dealt, seed, "folds", iteration)
        if units.labels is not None:
            order, numbers = _deal_labels(units, [_PARTS // folds] * folds, np.full(len(inside), -1), dealt[np.lexsort((keys, -sizes[dealt]))])
        else:
            order = dealt[np.lexsort((keys, strata[dealt]))]
            numbers = _deal_cards(sizes[order].tolist(), strata[order].tolist(), folds)
        is_val[order, iteration * folds + np.asarray(numbers, np.int64)] = True
    return is_val


def _deal_cards(sizes: list[int], strata: list[int], folds: int) -> list[int]:
    """The fold of each unit in turn: the one with the fewest of its stratum, of equals the smallest."""
    filled: dict[int, list[int]] = {}
    overall, numbers = [0] * folds, []
    for size, stratum in zip(sizes, strata):
        have = filled.setdefault(stratum, [0] * folds)
        fold = min(range(folds), key=lambda one: (have[one], overall[one]))
        have[fold] += size
        overall[fold] += size
        numbers.append(fold)
    return numbers


def make_time_folds(times: np.ndarray, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """Forward chaining: the items in `folds` + 1 blocks of time; fold k is trained on the blocks up to k and chosen on block k + 1.

    Items of one moment stay in one block, unless there are fewer moments than blocks.

    Returns:
        bool (N, folds): in which folds an item is val, and in which it is used at all.
    """
    _, moments = np.unique(times, return_inverse=True)
    if moments.max(initial=0) < folds:
        moments = np.argsort(np.argsort(times, kind="stable"), kind="stable")
    block = _cut(np.bincount(moments), np.full(folds + 1, 1 / (folds + 1)))[moments]
    fold = np.arange(folds)
    return block[:, None] - 1 == fold, np.maximum(block[:, None] - 1, 0) <= fold


def _cut(counts: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Moment -> block: cut where the blocks come nearest to their shares of the items; each has a moment of its own, as far as they go.

    Args:
        counts: items of each moment, in the order of time. shares: of each block; they add up to 1.
    """
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
    starts = [0]
    for number, start in enumerate(np.searchsorted(middle, np.cumsum(shares)[:-1]), 1):
        starts.append(max(starts[-1] + 1, min(int(start), len(counts) - len(shares) + number)))
    return np.searchsorted(starts[1:], np.arange(len(counts)), side="right")
