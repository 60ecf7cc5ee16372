"""A split under way: given sets first, then what is known, then the rest; and who is refused because they stand on two sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from surefoot.data.splitting import Units, fill_quotas

_RARE = 5
_NAMES = np.asarray(["", "train", "val", "test", "train_dev"], dtype=object)
_RANKS = {name: number for number, name in enumerate(_NAMES)}


@dataclass
class Draft:
    """A split under way: columns of the audit's index as arrays, and the set of each item ("" while undecided).

    Attributes:
        is_general: bool (N,), items of general sources. times: float64 (N,), NaN where there is none.
        refused: item -> why it is left out.
    """

    ids: pa.ChunkedArray
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
    names = index.column_names
    sources = index.column("source") if "source" in names else pa.chunked_array([pa.nulls(len(index), pa.string())])
    is_general = pc.is_in(sources, pa.array(sorted(general), pa.string())).to_numpy(zero_copy_only=False).astype(bool)
    targets = index.column("target").combine_chunks()
    flat = targets.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    given = _to_words(index.column("given_set"))
    given[is_general] = ""
    return Draft(
        ids=index.column("id"),
        contents=index.column("content"),
        groups=index.column("group"),
        near=index.column("near") if "near" in names else (),
        given=given,
        targets=flat.reshape(len(index), -1),
        times=pc.fill_null(index.column("time"), float("nan")).to_numpy().astype(np.float64),
        is_general=is_general,
        sets=np.full(len(index), "", dtype=object),
        refused={},
    )


def place_given(draft: Draft, units: Units, *, by_content: bool) -> None:
    """A given set stays; items outside the given test set that are equal to one in it are refused: they would leak."""
    ranks = np.asarray([_RANKS[name] for name in _NAMES[:4]], np.int64)[_ranks_of(draft.given)]
    highest = np.zeros(len(units.keys), np.int64)
    np.maximum.at(highest, units.of, ranks)
    first = highest[units.of]
    first[draft.is_general] = 0
    here = np.where(ranks > 0, ranks, first)
    if by_content:
        for item in np.flatnonzero(here != first).tolist():
            if not draft.is_general[item]:
                draft.refused[item] = f"equal or nearly equal to an item of the given {_NAMES[first[item]]} set"
    draft.sets = _NAMES[here]
    if not ((draft.given == "val").any() and (draft.given == "test").any()):  # what is missing is carved out of train
        draft.sets[draft.sets == "train"] = ""


def place_known(draft: Draft, units: Units, known: pa.Table | None) -> int:
    """Known items keep their set, their equals follow them; a newcomer equal to items of two sets is refused. Returns the number of newcomers.

    Args:
        known: columns `id` and `set` of the latest split, or None.
    """
    if known is None:
        return 0
    at = pc.index_in(draft.ids, known.column("id").combine_chunks())
    told = _to_words(known.column("set").take(at))
    ranks = _ranks_of(told)
    is_known = ranks > 0
    masks = np.zeros(len(units.keys), np.int64)
    np.bitwise_or.at(masks, units.of, np.where(is_known, 1 << ranks, 0))
    mask = masks[units.of]
    is_single = (mask & (mask - 1)) == 0
    draft.sets[is_known] = told[is_known]
    follows = ~is_known & (mask > 0) & is_single
    draft.sets[follows] = _NAMES[np.log2(np.maximum(mask, 1)).astype(np.int64)][follows]
    for item in np.flatnonzero(~is_known & ~is_single).tolist():
        names = sorted(str(name) for number, name in enumerate(_NAMES) if mask[item] >> number & 1)
        draft.refused[item] = f"a newcomer equal or nearly equal to items of {' and '.join(names)}"
    return int((~is_known).sum())


def place_rest(draft: Draft, units: Units, quotas: dict[str, float], seed: int, *, is_classes: bool) -> None:
    """The units with practical items by their quotas; classes with fewer than five items go to train."""
    known = _sets_of_units(draft, units)
    has_practical = np.zeros(len(units.keys), bool)
    has_practical[units.of[~draft.is_general]] = True
    if is_classes:
        classes = draft.targets[:, 0].astype(np.int64)
        is_common = np.zeros(len(units.keys), bool)
        is_common[units.of[(np.bincount(classes) >= _RARE)[classes]]] = True
        known[(known == "") & ~is_common & has_practical] = "train"
    known[(known == "") & ~has_practical] = "train_dev"  # they have their turn later
    placed = fill_quotas(units, quotas, known, seed)
    rest = (draft.sets == "") & has_practical[units.of]
    draft.sets[rest] = placed[units.of][rest]


def place_general(draft: Draft, units: Units, share: float, seed: int) -> None:
    """Items of general sources: train, a share of them `train_dev`; those equal to an item of val or test are refused, for they never go there.

    Args:
        share: of `train_dev`, in [0, 0.5].
    """
    known = _sets_of_units(draft, units)
    has_practical = np.zeros(len(units.keys), bool)
    has_practical[units.of[~draft.is_general]] = True
    beside = draft.is_general & (draft.sets == "") & (has_practical & (known != ""))[units.of]
    draft.sets[beside] = known[units.of][beside]
    for item in np.flatnonzero(draft.is_general & np.isin(draft.sets, ("val", "test"))).tolist():
        draft.refused.setdefault(item, f"from a general source, and equal or nearly equal to an item of {draft.sets[item]}")
    known[has_practical & (known != "")] = "test"  # what is no general item fills no quota here
    placed = fill_quotas(units, {"train": 1 - share, "train_dev": share} if share else {"train": 1.0}, known, seed)
    rest = draft.is_general & (draft.sets == "")
    draft.sets[rest] = placed[units.of][rest]


def straddling(draft: Draft) -> int:
    """Contents that stand in two sets, which happens only where it was asked for."""
    keep = draft.kept()
    codes = draft.contents.dictionary_encode().combine_chunks().indices.to_numpy(zero_copy_only=False)
    pairs = np.unique(codes[keep].astype(np.int64) * len(_NAMES) + _ranks_of(draft.sets[keep]))
    return int((np.bincount(pairs // len(_NAMES)) > 1).sum()) if len(pairs) else 0


def _sets_of_units(draft: Draft, units: Units) -> np.ndarray:
    """The set of the first placed item of each unit, "" where none is placed; refused items place none."""
    sets = np.full(len(units.keys), "", dtype=object)
    placed = np.flatnonzero((draft.sets != "") & draft.kept())[::-1]
    sets[units.of[placed]] = draft.sets[placed]
    return sets


def _ranks_of(sets: np.ndarray) -> np.ndarray:
    ranks = np.zeros(len(sets), np.int64)
    for name, number in _RANKS.items():
        if number:
            ranks[sets == name] = number
    return ranks


def _to_words(column: pa.ChunkedArray) -> np.ndarray:
    """A column of few different words as an object array that shares them; "" for null."""
    encoded = column.dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    words = np.asarray([*encoded.dictionary.to_pylist(), ""], dtype=object)
    return words[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
