"""Who goes where: stratified, by group or by time; seeded, keyed by content, and append-only.

A unit is what must stay together: items of equal content, of one group. Units of a stratum are taken in the order of their hash, and each goes to the set
that is furthest below its quota. So a first split is stratified to the item, moving files changes nothing, and newcomers move nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot import randomness
from surefoot.data.identity import number_equals

SETS = ("train", "val", "test")
_BINS = 10
"""Strata of an amount: deciles of the target, fewer where a bin would hold under `_PER_BIN` items."""
_PER_BIN = 10


@dataclass(frozen=True)
class Units:
    """Items that stay together.

    Attributes:
        of: int64 (N,) unit of each item. keys: a name per unit that depends on content alone. strata: int64 per unit.
    """

    of: np.ndarray
    keys: list[str]
    strata: np.ndarray

    def members(self) -> list[np.ndarray]:
        """The items of each unit."""
        order = np.argsort(self.of, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.of, minlength=len(self.keys)))[:-1])


def make_units(contents: list[str], groups: list[str | None], strata: np.ndarray, *, by_content: bool, near: Sequence[str | None] = ()) -> Units:
    """Joins items of equal content and of one group of near duplicates (unless told not to), and of equal group, also across each other."""
    parent = list(range(len(contents)))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    first: dict[tuple[str, str], int] = {}
    for item, (content, group, like) in enumerate(zip(contents, groups, near or [None] * len(contents))):
        for kind, value in (("content", content if by_content else None), ("near", like if by_content else None), ("group", group)):
            if value is not None:
                other = first.setdefault((kind, value), item)
                parent[root(item)] = root(other)
    roots = np.asarray([root(item) for item in range(len(contents))])
    _, of = np.unique(roots, return_inverse=True)
    members: dict[int, list[int]] = defaultdict(list)
    for item, unit in enumerate(of):
        members[unit].append(item)
    keys = [min(contents[item] for item in members[unit]) for unit in range(len(members))]
    if len(set(keys)) < len(keys):  # equal contents kept apart on request still need names of their own
        keys = number_equals(keys)
    return Units(of, keys, np.asarray([strata[members[unit]].min() for unit in range(len(members))]))


def make_strata(targets: np.ndarray, task: str) -> np.ndarray:
    """Class index; the rarest label an item has for multilabel; decile of the (first) amount. int64 (N,)."""
    if task in ("binary", "multiclass"):
        return targets[:, 0].astype(np.int64)
    if task == "multilabel":
        rarity = np.argsort(targets.sum(0), kind="stable")
        ranked = targets[:, rarity] > 0
        return np.where(ranked.any(1), ranked.argmax(1), targets.shape[1]).astype(np.int64)
    bins = max(1, min(_BINS, len(targets) // _PER_BIN))
    edges = np.quantile(targets[:, 0], np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, targets[:, 0]).astype(np.int64)


def fill_quotas(units: Units, quotas: dict[str, float], known: dict[int, str], seed: int) -> dict[int, str]:
    """Unit -> set. Units in `known` keep theirs; the others go, in hash order within their stratum, to the set furthest below its quota.

    Args:
        quotas: set -> share; shares add up to 1.
    """
    placed = dict(known)
    sizes, strata = np.bincount(units.of, minlength=len(units.keys)).tolist(), units.strata.tolist()  # plain numbers: 3.6 times as fast
    order = sorted(range(len(units.keys)), key=lambda unit: (strata[unit], randomness.key(seed, "split", units.keys[unit])))
    filled: dict[int, dict[str, float]] = defaultdict(lambda: dict.fromkeys(quotas, 0.0))
    overall = dict.fromkeys(quotas, 0.0)
    for unit, name in known.items():
        if name in quotas:
            filled[strata[unit]][name] += sizes[unit]
            overall[name] += sizes[unit]
    waiting = [unit for unit in order if unit not in placed]
    for number, unit in enumerate(waiting):
        have = filled[strata[unit]]
        empty = [name for name, items in overall.items() if not items] if len(waiting) - number <= len(quotas) else []
        open_to = empty if len(empty) >= len(waiting) - number else quotas  # of a few large groups there is none to spare
        name = max(open_to, key=lambda s: (_lack(quotas, have, s, sizes[unit]), _lack(quotas, overall, s, sizes[unit])))
        placed[unit] = name
        have[name] += sizes[unit]
        overall[name] += sizes[unit]
    return placed


def _lack(quotas: dict[str, float], have: dict[str, float], name: str, coming: int) -> float:
    """How far a set is below its quota once the coming items are there; rounded, so that ties are ties and the whole decides them."""
    return round(quotas[name] * (sum(have.values()) + coming) - have[name], 6)


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


def make_folds(units: Units, inside: set[int], *, folds: int, iterations: int, seed: int) -> dict[int, list[int]]:
    """Unit -> the folds in which it is val. Each iteration deals the units of each stratum anew, like cards."""
    val_folds: dict[int, list[int]] = {unit: [] for unit in inside}
    for iteration in range(iterations):
        sizes = np.zeros(folds)
        weights = np.bincount(units.of, minlength=len(units.keys))
        order = sorted(inside, key=lambda unit: (units.strata[unit], randomness.key(seed, "folds", iteration, units.keys[unit])))
        dealt: dict[int, np.ndarray] = defaultdict(lambda: np.zeros(folds))
        for unit in order:
            have = dealt[int(units.strata[unit])]
            fold = int(np.lexsort((np.arange(folds), sizes, have))[0])  # fewest of this stratum, then the smallest fold
            val_folds[unit].append(iteration * folds + fold)
            have[fold] += weights[unit]
            sizes[fold] += weights[unit]
    return val_folds


def make_time_folds(times: np.ndarray, folds: int) -> tuple[list[list[int]], list[list[int]]]:
    """Forward chaining: the items in `folds` + 1 blocks of time; fold k is trained on the blocks up to k and chosen on block k + 1.

    Items of one moment stay in one block, unless there are fewer moments than blocks.

    Returns:
        For each item, the folds in which it is val, and those in which it is used at all.
    """
    _, moments = np.unique(times, return_inverse=True)
    if moments.max(initial=0) < folds:
        moments = np.argsort(np.argsort(times, kind="stable"), kind="stable")
    block = _cut(np.bincount(moments), np.full(folds + 1, 1 / (folds + 1)))[moments]
    return [[int(b) - 1] if b else [] for b in block], [list(range(max(int(b) - 1, 0), folds)) for b in block]


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
