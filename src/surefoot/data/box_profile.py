"""What the boxes of a source look like, as numbers for the audit, and as a table that the split and the packs read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from surefoot.data.boxes import Pile, Settled, count_classes, measure_areas, settle_all
from surefoot.types.data_reports import BoxProfile, RefusedItem
from surefoot.types.source import Boxes, ImageSource, Refused, TableSource

_LISTED = 2_000
_BINS = 20
_SHAPES = (("under 1:4", 0.25), ("1:4 to 1:2", 0.5), ("1:2 to 2:3", 2 / 3), ("2:3 to 3:2", 1.5), ("3:2 to 2:1", 2.0), ("2:1 to 4:1", 4.0))
"""Width to height, and where the next begins; the last is `over 4:1`."""
_PER_PICTURE = (*((str(count), count) for count in range(6)), ("6 to 10", 10), ("11 to 20", 20), ("21 to 50", 50), ("51 to 100", 100))


def settle_pictures(source: ImageSource | TableSource, records: np.ndarray, rows: np.ndarray, targets: np.ndarray, refused: list[Refused]) -> Pile | None:
    """Holds the boxes of all pictures against them; None where there are none.

    Pictures whose annotation does not fit go to `refused`, and their targets are NaN; those of the others get the boxes of each class that are used.

    Args:
        records: (N,) of `measures.RECORD`. rows: int64, those that can be read.
    """
    if not isinstance(source, ImageSource) or source.annotations is None:
        return None
    pile = settle_all(source, {row: (int(records["width"][row]), int(records["height"][row]), int(records["turn"][row])) for row in rows.tolist()})
    for row, why in pile.refused.items():
        targets[row] = np.nan
        refused.append(why)
    for row, one in pile.settled.items():
        targets[row] = count_classes(one.boxes, len(source.annotations.classes))
    return pile


def name_targets(targets: np.ndarray, pile: Pile | None, rows: np.ndarray) -> Sequence[object] | np.ndarray:
    """What must be equal for equal contents: the targets (of these rows), or all that is drawn, whatever its order."""
    if pile is None:
        return targets[:, 0] if targets.shape[1] == 1 else [tuple(target) for target in targets.tolist()]
    drawn = [pile.settled[row].boxes for row in rows]
    return [tuple(sorted(map(tuple, np.column_stack([boxes.classes, boxes.corners]).tolist()))) for boxes in drawn]


def profile_boxes(settled: Sequence[Settled], visible: Iterable[bool], classes: tuple[str, ...], table: str) -> BoxProfile:
    """The numbers of the audit.

    Args:
        settled: of the usable pictures. visible: for each, whether it lies outside a given test set.
        table: ref of what `tabulate` made of them.
    """
    seen = [one for one, is_seen in zip(settled, visible) if is_seen]
    corners = np.concatenate([one.boxes.corners for one in seen]) if seen else np.zeros((0, 4))
    counts = np.asarray([count_classes(one.boxes, len(classes)) for one in settled]).reshape(-1, len(classes))
    sides = np.sqrt(measure_areas(corners))
    histogram, edges = np.histogram(sides, bins=_BINS, range=(0.0, float(sides.max(initial=1.0))))
    ratios = (corners[:, 2] - corners[:, 0]) / (corners[:, 3] - corners[:, 1])
    return BoxProfile(
        table=table,
        num_boxes=int(counts.sum()),
        num_negatives=sum(not len(one.boxes) for one in settled),
        num_clipped=sum(one.num_clipped for one in settled),
        num_repeated=sum(one.num_repeated for one in settled),
        classes={name: (int(counts[:, k].sum()), int((counts[:, k] > 0).sum())) for k, name in enumerate(classes)},
        refused=tuple(RefusedItem(place=one.place, reason=one.reason, code=one.code) for one in _list_refused(settled)[:_LISTED]),
        per_picture=_bin([len(one.boxes) for one in seen], _PER_PICTURE, "over 100"),
        sides=tuple(histogram.tolist()),
        side_edges=tuple(edges.tolist()),
        shapes=_bin(ratios.tolist(), _SHAPES, "over 4:1"),
    )


def measure_flaws(source: ImageSource, pile: Pile, rows: np.ndarray) -> dict[str, Any]:
    """What `checks.boxes` judges.

    Returns:
        `refused`: the boxes that are not used; counts `clipped`, `repeated`, `listed_twice`,
        and pictures by `turn`; `overshoot` in pixels.
    """
    assert source.annotations is not None
    used = [pile.settled[row] for row in rows]
    return {
        "refused": _list_refused(used),
        "clipped": sum(one.num_clipped for one in used),
        "overshoot": max((one.overshoot for one in used), default=0.0),
        "repeated": sum(one.num_repeated for one in used),
        "listed_twice": sum(source.annotations.drawings[row].listed > 1 for row in rows),
        "turns": dict(Counter(one.turn for one in used if one.turn)),
    }


def tabulate(ids: Sequence[str], settled: Sequence[Settled]) -> pa.Table:
    """The table that `BoxProfile.table` names."""
    boxes = [one.boxes for one in settled]
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "width": pa.array([one.size[0] for one in settled], pa.int32()),
            "height": pa.array([one.size[1] for one in settled], pa.int32()),
            "corners": pa.array([one.corners.tolist() for one in boxes], pa.list_(pa.list_(pa.float64(), 4))),
            "classes": pa.array([one.classes.tolist() for one in boxes], pa.list_(pa.int32())),
            "is_difficult": pa.array([one.is_difficult.tolist() for one in boxes], pa.list_(pa.bool_())),
            "is_crowd": pa.array([one.is_crowd.tolist() for one in boxes], pa.list_(pa.bool_())),
        }
    )


def read_table(table: pa.Table) -> dict[str, Settled]:
    """Id -> boxes and size, of what `tabulate` made."""
    columns = table.to_pydict()
    found = {}
    for row, id in enumerate(columns["id"]):
        corners = np.asarray(columns["corners"][row], np.float64).reshape(-1, 4)
        kinds, difficult, crowd = (np.asarray(columns[name][row], kind) for name, kind in (("classes", np.int64), ("is_difficult", bool), ("is_crowd", bool)))
        found[id] = Settled(Boxes(corners, kinds, difficult, crowd), (columns["width"][row], columns["height"][row]))
    return found


def _list_refused(settled: Iterable[Settled]) -> list[Refused]:
    return [why for one in settled for why in one.refused]


def _bin(values: Sequence[float], bins: Sequence[tuple[str, float]], last: str) -> dict[str, int]:
    """How many values are at most each bin's end; bins from the first to the last that hold any."""
    places = np.searchsorted([end for _, end in bins], np.asarray(values, np.float64), side="left")
    counts = np.bincount(places, minlength=len(bins) + 1)
    names = [*(name for name, _ in bins), last]
    held = np.flatnonzero(counts)
    return {names[k]: int(counts[k]) for k in range(held[0], held[-1] + 1)} if len(held) else {}
