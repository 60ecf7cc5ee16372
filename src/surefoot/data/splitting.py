"""Who goes where: stratified, by group or by time; seeded, keyed by content, and append-only.

A unit is what must stay together: items of equal content, of one group, near duplicates. Units of a stratum are taken in the order of their hash, and each
goes to the set that is furthest below its quota. So a first split is stratified to the item, moving files changes nothing, and newcomers move nobody.
Where units hold several labels (multilabel, groups of several classes), they are dealt by iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011).
Sets are codes of a byte, and nothing here holds a Python object per item: the process took 2.2 times the memory for a million rows as for 100,000, now 1.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from surefoot import randomness
from surefoot.data.units import LabelCounts, Units, cell_blocks

NAMES = ("", "train", "val", "test", "train_dev")
"""What the codes of sets (int8) mean; 0 is undecided."""
CODES = {name: code for code, name in enumerate(NAMES)}
_BINS = 10
"""Strata of an amount: deciles of the target, fewer where a bin would hold under `_PER_BIN` items."""
_PER_BIN = 10
_PARTS = 10**6
"""Shares are counted in millionths, so that ties are ties: whole numbers, 2.5 times as fast as rounded floats."""
_BLOCK = 1 << 16
"""Units that are turned into Python's numbers at a time."""


def name_sets(codes: np.ndarray) -> np.ndarray:
    """Codes int8 (N,) as object (N,) of names."""
    return np.asarray(NAMES, dtype=object)[codes]


def is_in(codes: np.ndarray, *names: str) -> np.ndarray:
    """bool (N,): whether a code stands for one of the sets."""
    return np.isin(codes, [CODES[name] for name in names])


def make_strata(targets: np.ndarray, task: str) -> np.ndarray:
    """Class index; the rarest label of an item, or class on a picture; decile of the amount, of several amounts of what they share. int32 (N,)."""
    if task in ("binary", "multiclass"):
        return targets[:, 0].astype(np.int32)
    if task in ("multilabel", "detection"):
        return _rank_rarest(targets)
    amounts = targets[:, 0] if targets.shape[1] == 1 else _first_component(targets)
    bins = max(1, min(_BINS, len(amounts) // _PER_BIN))
    edges = np.quantile(amounts, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, amounts).astype(np.int32)


def _rank_rarest(targets: np.ndarray) -> np.ndarray:
    """How rare the rarest label of each item is: 0 for the rarest of all, the number of labels for items without one."""
    frequent = np.zeros(targets.shape[1], np.int64)
    for rows in cell_blocks(targets):
        frequent += (targets[rows] > 0).sum(0)
    rarity, strata = np.argsort(frequent, kind="stable"), np.empty(len(targets), np.int32)
    for rows in cell_blocks(targets):
        ranked = targets[rows][:, rarity] > 0
        strata[rows] = np.where(ranked.any(1), ranked.argmax(1), len(rarity))
    return strata


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
        known: int8 (U,) codes of sets, 0 for units that have none yet.

    Returns:
        int8 (U,) codes of sets.
    """
    names = np.asarray([CODES[name] for name in quotas], np.int8)
    place = np.full(len(NAMES), -1, np.int8)
    place[names] = np.arange(len(names))
    waiting = np.flatnonzero(known == 0).astype(units.of.dtype)
    keys = _order_keys(units, waiting, seed, "split")
    shares = [round(share * _PARTS) for share in quotas.values()]
    placed = known.copy()
    if units.labels is None:
        waiting = waiting[np.lexsort((keys, units.strata[waiting]))]
        del keys
        placed[waiting] = names[_deal_plain(units, shares, place[known], waiting)]
    else:
        dealt = _deal_labels(units, shares, place[known], waiting[np.lexsort((keys, -units.sizes()[waiting]))])
        placed[dealt >= 0] = names[dealt[dealt >= 0]]
    return placed


def _order_keys(units: Units, which: np.ndarray, seed: int, *purpose: int | str) -> np.ndarray:
    """The hash of each unit that decides its turn, uint64."""
    found = np.empty(len(which), np.uint64)
    for start in range(0, len(which), _BLOCK):
        some = which[start : start + _BLOCK]
        found[start : start + len(some)] = randomness.keys(seed, str(purpose[0]), *purpose[1:], names=units.names(some))
    return found


def _list_blocks(units: Units, sizes: np.ndarray, which: np.ndarray) -> Iterator[tuple[int, int]]:
    """Stratum and size of each unit in turn, as Python's numbers, of which few are held at a time."""
    for start in range(0, len(which), _BLOCK):
        some = which[start : start + _BLOCK]
        yield from zip(units.strata[some].tolist(), sizes[some].tolist())


def _deal_plain(units: Units, shares: list[int], codes: np.ndarray, waiting: np.ndarray) -> np.ndarray:
    """The set of each waiting unit in turn, as int8: that which lacks most of its stratum, of equals that which lacks most overall."""
    sizes, sets = units.sizes(), range(len(shares))
    filled: dict[int, list[int]] = {}
    placed = np.flatnonzero(codes >= 0)
    for one, (stratum, size) in zip(codes[placed], _list_blocks(units, sizes, placed)):
        filled.setdefault(stratum, [0] * len(shares))[one] += size
    overall = [sum(have[one] for have in filled.values()) for one in sets]
    total, left, dealt = sum(overall), len(waiting), np.empty(len(waiting), np.int8)
    for turn, (stratum, size) in enumerate(_list_blocks(units, sizes, waiting)):
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
        dealt[turn] = best
        have[best] += size
        overall[best] += size
        left -= 1
    return dealt


def _deal_labels(units: Units, shares: list[int], codes: np.ndarray, waiting: np.ndarray) -> np.ndarray:
    """Iterative stratification: of the label that the fewest waiting units have, each unit goes to the set that lacks most of this label.

    Each label looks for its units anew, byte by byte, which costs less than to hold them for all labels: the targets take eight bytes a label and item.

    Returns:
        int32 (U,), the set of each waiting unit, -1 for the others.

    Source: Sechidis, Tsoumakas and Vlahavas 2011, On the Stratification of Multi-Label Data, algorithm 1; here on units, the largest first.
    """
    assert units.labels is not None
    lack, overall, left = _wanted(units, units.labels, shares, codes, waiting)
    turn, dealt = np.full(len(units), -1, units.of.dtype), np.full(len(units), -1, np.int32)
    turn[waiting] = np.arange(len(waiting))
    sizes = units.sizes()
    while ahead := [(number, label) for label, number in enumerate(left) if number]:
        rarest = min(ahead)[1]
        some = units.labels.units_with(rarest)
        some = some[(turn[some] >= 0) & (dealt[some] < 0)]
        for unit, size, pairs in _list_holdings(units.labels, sizes, some[np.argsort(turn[some])]):
            best = max(range(len(shares)), key=lambda one: (lack[one][rarest], overall[one]))
            dealt[unit] = best
            overall[best] -= _PARTS * size
            for label, count in pairs:
                lack[best][label] -= _PARTS * count
                left[label] -= 1
    return dealt


def _list_holdings(labels: LabelCounts, sizes: np.ndarray, which: np.ndarray) -> Iterator[tuple[int, int, Iterable[tuple[int, int]]]]:
    """Unit, size, and pairs of label and count of each unit in turn, as Python's numbers, of which few are held at a time."""
    for at in range(0, len(which), _BLOCK):
        some = which[at : at + _BLOCK]
        for unit, size, start, end in zip(some.tolist(), sizes[some].tolist(), labels.starts[some].tolist(), labels.starts[some + 1].tolist()):
            yield unit, size, zip(labels.labels[start:end].tolist(), labels.counts[start:end].tolist())


def _wanted(units: Units, labels: LabelCounts, shares: list[int], codes: np.ndarray, waiting: np.ndarray) -> tuple[list[list[int]], list[int], list[int]]:
    """What each set lacks of each label, and of items, before the waiting units are dealt, in millionths of an item; and how many of these have each label."""
    width, sizes = int(labels.labels.max(initial=0)) + 1, units.sizes()
    set_of = codes.astype(np.int32)
    set_of[waiting] = len(shares)
    have, left = np.zeros((len(shares) + 1, width), np.int64), np.zeros(width, np.int64)
    for unit_of, label_of, counts in labels.blocks():
        sets = set_of[unit_of]
        counted = sets >= 0  # units of sets without a quota count for none
        np.add.at(have, (sets[counted], label_of[counted]), counts[counted])
        left += np.bincount(label_of[sets == len(shares)], minlength=width)
    of_items = np.bincount(set_of[set_of >= 0], sizes[set_of >= 0], len(shares) + 1).astype(np.int64)
    lack = np.outer(shares, have.sum(0)) - _PARTS * have[:-1]
    return lack.tolist(), (np.asarray(shares) * of_items.sum() - _PARTS * of_items[:-1]).tolist(), left.tolist()


def fill_time(times: np.ndarray, quotas: dict[str, float]) -> np.ndarray:
    """Item -> set by time, int8 codes: the earliest train, then val, the latest test; items of one moment stay together."""
    _, of, counts = np.unique(times, return_inverse=True, return_counts=True)
    names = np.asarray([CODES[name] for name in quotas], np.int8)
    return names[_cut(counts, np.asarray(list(quotas.values())))][of]


def join_time(times: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """The sets with newcomers (code 0) placed: each joins the latest known item that is not after it, the earliest of all where there is none."""
    known = np.flatnonzero(sets)
    known = known[np.argsort(times[known], kind="stable")]
    places = np.searchsorted(times[known], times, side="right") - 1
    return np.where(sets != 0, sets, sets[known[np.maximum(places, 0)]])


def make_folds(units: Units, inside: np.ndarray, *, folds: int, iterations: int, seed: int) -> np.ndarray:
    """In which folds each unit is val. Each iteration deals the units of each stratum anew, like cards; groups of several classes by their labels.

    Args:
        inside: bool (U,), the units that are dealt.

    Returns:
        bool (U, iterations * folds).
    """
    is_val = np.zeros((len(units), iterations * folds), bool)
    dealt = np.flatnonzero(inside)
    sizes, strata = units.sizes(), units.strata
    for iteration in range(iterations):
        keys = _order_keys(units, dealt, seed, "folds", iteration)
        if units.labels is not None:
            order = dealt[np.lexsort((keys, -sizes[dealt]))]
            numbers = _deal_labels(units, [_PARTS // folds] * folds, np.full(len(inside), -1), order)[order]
        else:
            order = dealt[np.lexsort((keys, strata[dealt]))]
            numbers = np.asarray(_deal_cards(sizes[order].tolist(), strata[order].tolist(), folds), np.int64)
        is_val[order, iteration * folds + numbers] = True
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
