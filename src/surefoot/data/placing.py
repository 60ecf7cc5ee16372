"""A split under way: given sets first, then what is known, then the rest; and who is refused because they stand on two sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from surefoot.data.columns import take_rows
from surefoot.data.remembering import Known, Recalled, find_companions, read_wholes, recall, to_codes
from surefoot.data.splitting import CODES, NAMES, fill_quotas, fill_time, is_in
from surefoot.data.units import Units, number_equal, rank_words

_RARE = 5
_TRAIN, _VAL, _TEST, _TRAIN_DEV = (CODES[name] for name in ("train", "val", "test", "train_dev"))
_INSIDE = 1 << _TRAIN | 1 << _VAL


@dataclass
class Draft:
    """A split under way: columns of the audit's index, which is mapped, and the set of each item.

    Attributes:
        given, sets: int8 (N,) codes of `splitting.NAMES`, 0 while undecided.
        is_general: bool (N,), items of general sources. times: float64 (N,), NaN where there is none.
        refused: item -> why it is left out.
    """

    ids: pa.ChunkedArray
    wholes: pa.ChunkedArray
    contents: pa.ChunkedArray
    groups: pa.ChunkedArray
    near: pa.ChunkedArray | tuple[()]
    given: np.ndarray
    targets: np.ndarray
    times: np.ndarray
    is_general: np.ndarray
    sets: np.ndarray
    refused: dict[int, str]

    def __len__(self) -> int:
        return len(self.given)

    def kept(self) -> np.ndarray:
        """bool (N,): the items that are not refused."""
        keep = np.ones(len(self), bool)
        keep[list(self.refused)] = False
        return keep


def read_draft(index: pa.Table, general: frozenset[str]) -> Draft:
    """The audit's index as a draft; `general` names the sources that are trained on only."""
    names, ids = index.column_names, index.column("id")
    sources = index.column("source") if "source" in names else pa.chunked_array([pa.nulls(len(index), pa.string())])
    is_general = pc.is_in(sources, pa.array(sorted(general), pa.string())).to_numpy(zero_copy_only=False).astype(bool)
    targets = index.column("target")
    flat = (targets.chunk(0) if targets.num_chunks == 1 else targets.combine_chunks()).flatten().to_numpy(zero_copy_only=False)
    given = to_codes(index.column("given_set"))
    given[is_general] = 0
    return Draft(
        ids=ids,
        wholes=read_wholes(index, ids),
        contents=index.column("content"),
        groups=index.column("group"),
        near=index.column("near") if "near" in names else (),
        given=given,
        targets=flat.reshape(len(index), -1),
        times=_to_times(index.column("time")),
        is_general=is_general,
        sets=np.zeros(len(index), np.int8),
        refused={},
    )


def place_given(draft: Draft, units: Units, *, by_content: bool) -> None:
    """A given set stays; items outside the given test set that are equal to one in it are refused: they would leak."""
    highest = np.zeros(len(units), np.int8)
    np.maximum.at(highest, units.of, draft.given)
    first = highest[units.of]
    first[draft.is_general] = 0
    draft.sets = np.where(draft.given > 0, draft.given, first)
    if by_content:
        for item in np.flatnonzero(draft.sets != first).tolist():
            if not draft.is_general[item]:
                draft.refused[item] = f"equal or nearly equal to an item of the given {NAMES[first[item]]} set"
    if not ((draft.given == _VAL).any() and (draft.given == _TEST).any()):  # what is missing is carved out of train
        draft.sets[draft.sets == _TRAIN] = 0


def place_known(draft: Draft, units: Units, known: Known | None) -> tuple[Recalled, np.ndarray]:
    """Known items keep their set, and newcomers follow their equals and the members of their groups, absent ones too; between two sets they are refused.

    What is given now stays as given, and with it what equals it. Who is given as train leaves the set that is given now: the test set for
    train and val alike, val for train alone, for what has chosen models doesn't judge them. What K-fold called train is val where its unit is by now.

    Returns:
        What is known of the items; and bool (U,), the units that K-fold alone has placed, in train: a hold-out may part them.
    """
    recalled = recall(draft.ids, draft.wholes, known)
    told, is_given = recalled.sets, draft.sets != 0
    kept = told.copy()
    leaves = (draft.given == _TRAIN) & is_in(told, "val", "test") & np.isin(told, np.unique(draft.given))
    kept[leaves] = np.where(told[leaves] == _VAL, _TRAIN, 0)
    is_judged = np.zeros(len(units), bool)
    is_judged[units.of[is_given & is_in(draft.sets, "val", "test")]] = True
    kept[is_given | (draft.is_general & is_judged[units.of])] = 0
    is_known, is_waiting = kept > 0, (kept == 0) & ~is_given
    is_open = is_known & recalled.is_open & ~draft.is_general
    draft.sets[is_known] = kept[is_known]
    absent, has_open = find_companions(draft.groups, known, recalled.rows)
    is_settled = (draft.sets != 0) & ~is_open & ~draft.is_general & draft.kept()
    settled = _join_bits(units, _to_bits(draft.sets, is_settled) | absent)
    side = np.where(settled & _INSIDE == 1 << _VAL, np.int8(_VAL), np.int8(_TRAIN))[units.of]
    draft.sets[is_open] = side[is_open]
    bits = _join_bits(units, _to_bits(draft.sets, is_known) | absent | _to_bits(side, has_open))[units.of]
    _follow(draft, np.where(is_waiting, bits, np.int8(0)))
    may_part = np.zeros(len(units), bool)
    may_part[units.of[is_open | has_open]] = True
    return recalled, may_part & (settled == 0)


def _follow(draft: Draft, bits: np.ndarray) -> None:
    """Newcomers join the set whose bit they have, int8 (N,); those with several are refused."""
    for code in range(1, len(NAMES)):
        draft.sets[bits == 1 << code] = code
    for item in np.flatnonzero(bits & (bits - 1)).tolist():
        names = sorted(name for number, name in enumerate(NAMES) if bits[item] >> number & 1)
        draft.refused[item] = f"a newcomer equal or nearly equal to items of {' and '.join(names)}"


def _to_bits(sets: np.ndarray, where: np.ndarray) -> np.ndarray:
    """int8 (N,): a bit for the set of some items, 0 for the others."""
    return np.where(where, np.int8(1) << sets, np.int8(0))


def _join_bits(units: Units, bits: np.ndarray) -> np.ndarray:
    """int8 (U,): what the items of a unit have together."""
    joined = np.zeros(len(units), np.int8)
    np.bitwise_or.at(joined, units.of, bits)
    return joined


def release_train(draft: Draft, units: Units, may_part: np.ndarray, quotas: dict[str, float], seed: int, *, is_classes: bool) -> None:
    """Deals what K-fold called train between train and val, as a hold-out needs it. Nothing else is moved, and nothing goes to test.

    Args:
        may_part: bool (U,), see `place_known`.
        quotas: set -> share; without one for val, which is given then, nothing is released.
    """
    if "val" not in quotas or not may_part.any():
        return
    is_free = may_part & _are_frequent(draft, units) if is_classes else may_part
    bits = _join_bits(units, _to_bits(draft.sets, (draft.sets != 0) & ~draft.is_general & draft.kept()))
    placed = np.select([is_free, bits == 1 << _TRAIN, bits == 1 << _VAL], [0, _TRAIN, _VAL], _TEST).astype(np.int8)  # what is in neither fills no quota here
    dealt = fill_quotas(units, _share(quotas), placed, seed)[units.of]
    moved = is_free[units.of] & (draft.sets != 0) & (~draft.is_general | (dealt == _VAL))  # general ones in val are refused later
    draft.sets[moved] = dealt[moved]


def release_by_time(draft: Draft, recalled: Recalled, quotas: dict[str, float]) -> None:
    """The same by moments: the earlier train, the later val; where others stand already, they join those that they come after."""
    inside = ~draft.is_general & is_in(draft.sets, "train", "val") & draft.kept()
    released = inside & (recalled.is_open | (recalled.rows < 0)) & is_in(draft.sets, "train")
    if "val" not in quotas or not (released & recalled.is_open).any():
        return
    if (inside & ~released).any():
        draft.sets[released] = 0
    else:
        draft.sets[released] = fill_time(draft.times[released], _share(quotas))


def refuse_returned(draft: Draft, is_back: np.ndarray) -> None:
    """Leaves out what comes back beside an equal or nearly equal item that came meanwhile and stands in another set. `is_back`: bool (N,)."""
    if is_back.any():
        for item in [item for item in find_parted(draft).tolist() if is_back[item]]:
            draft.refused[item] = f"was away, and comes back to {NAMES[draft.sets[item]]} equal or nearly equal to an item of another set"


def refuse_equal(draft: Draft, units: Units) -> None:
    """Leaves out known items of train and val that are equal to one of test, or train's to one of val, as where the column that told them apart is ignored."""
    if not straddling(draft, units, by_content=True):
        return
    worth = np.zeros(len(NAMES), np.int8)
    worth[[_TEST, _VAL]] = 2, 1
    codes, kept = number_equal(rank_words(draft.contents)), np.flatnonzero(draft.kept())
    most = np.zeros(int(codes.max()) + 1, np.int8)
    np.maximum.at(most, codes[kept], worth[draft.sets[kept]])
    for item in kept[worth[draft.sets[kept]] < most[codes[kept]]].tolist():
        draft.refused[item] = (
            f"equal to an item of {'test' if most[codes[item]] == 2 else 'val'} by the columns that count now, and was of {NAMES[draft.sets[item]]}"
        )


def _share(quotas: dict[str, float]) -> dict[str, float]:
    """Shares of train and val of what is not test."""
    total = quotas["train"] + quotas["val"]
    return {name: quotas[name] / total for name in ("train", "val")}


def _are_frequent(draft: Draft, units: Units) -> np.ndarray:
    """bool (U,): the units with an item of a class that has five or more."""
    classes = draft.targets[:, 0].astype(np.int32)
    is_common = np.zeros(len(units), bool)
    is_common[units.of[(np.bincount(classes) >= _RARE)[classes]]] = True
    return is_common


def place_rest(draft: Draft, units: Units, quotas: dict[str, float], seed: int, *, is_classes: bool) -> None:
    """The units with practical items by their quotas; classes with fewer than five items go to train."""
    known = _sets_of_units(draft, units)
    has_practical = np.zeros(len(units), bool)
    has_practical[units.of[~draft.is_general]] = True
    if is_classes:
        known[(known == 0) & ~_are_frequent(draft, units) & has_practical] = _TRAIN
    known[(known == 0) & ~has_practical] = _TRAIN_DEV  # they have their turn later
    placed = fill_quotas(units, quotas, known, seed)
    rest = (draft.sets == 0) & has_practical[units.of]
    draft.sets[rest] = placed[units.of][rest]


def place_general(draft: Draft, units: Units, share: float, seed: int) -> None:
    """Items of general sources: train, a share of them `train_dev`; those equal to an item of val or test are refused, for they never go there.

    Args:
        share: of `train_dev`, in [0, 0.5].
    """
    known = _sets_of_units(draft, units)
    has_practical = np.zeros(len(units), bool)
    has_practical[units.of[~draft.is_general]] = True
    beside = draft.is_general & (draft.sets == 0) & (has_practical & (known > 0))[units.of]
    draft.sets[beside] = known[units.of][beside]
    for item in np.flatnonzero(draft.is_general & is_in(draft.sets, "val", "test")).tolist():
        draft.refused.setdefault(item, f"from a general source, and equal or nearly equal to an item of {NAMES[draft.sets[item]]}")
    known[has_practical & (known > 0)] = _TEST  # what is no general item fills no quota here
    placed = fill_quotas(units, {"train": 1 - share, "train_dev": share} if share else {"train": 1.0}, known, seed)
    rest = draft.is_general & (draft.sets == 0)
    draft.sets[rest] = placed[units.of][rest]


def straddling(draft: Draft, units: Units, *, by_content: bool) -> int:
    """Contents that stand in two sets, which happens only where it was asked for.

    Where equal contents are of one unit (`by_content`), only units in several sets are looked at: to sort all contents takes 25 bytes an item.
    """
    marks, contents = _marks(draft), draft.contents
    if by_content:
        rows = np.flatnonzero(_are_parted(units.of, marks)[units.of])
        marks, contents = marks[rows], pa.chunked_array([take_rows(contents, rows)])
    return int(_are_parted(number_equal(rank_words(contents)), marks).sum())


def find_parted(draft: Draft) -> np.ndarray:
    """Items, as int64, that have an equal or nearly equal one in another set: moments decide in a split by time, whatever else belongs together."""
    marks = _marks(draft)
    ties = [(number_equal(rank_words(draft.contents)), marks)]
    if isinstance(draft.near, pa.ChunkedArray) and draft.near.null_count < len(draft):
        codes = draft.near.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1
        ties.append((codes, np.where(codes > 0, marks, np.int8(0))))  # 0: stands for itself
    parted = np.any([_are_parted(codes, those)[codes] & (those > 0) for codes, those in ties], axis=0)
    return np.flatnonzero(parted)


def _marks(draft: Draft) -> np.ndarray:
    """int8 (N,): the set of each item as a bit, none of what is refused."""
    return np.where(draft.kept(), np.int8(1) << draft.sets, np.int8(0))


def _are_parted(codes: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """bool per code: whether the items of this code, int (N,), stand in several sets; marks: int8 (N,)."""
    found = np.zeros(int(codes.max(initial=-1)) + 1, np.int8)
    np.bitwise_or.at(found, codes, marks)
    return (found & (found - 1)) != 0


def _sets_of_units(draft: Draft, units: Units) -> np.ndarray:
    """The set of the first placed item of each unit, 0 where none is placed; refused items place none."""
    sets = np.zeros(len(units), np.int8)
    placed = np.flatnonzero((draft.sets != 0) & draft.kept())[::-1]
    sets[units.of[placed]] = draft.sets[placed]
    return sets


def _to_times(column: pa.ChunkedArray) -> np.ndarray:
    """float64 (N,), NaN where there is none; of no memory where no item has one."""
    if column.null_count == len(column):
        return np.broadcast_to(np.float64("nan"), len(column))
    return pc.fill_null(column, float("nan")).to_numpy()
