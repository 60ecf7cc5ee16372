"""What could be repaired without asking anybody: the lines that `surefoot audit --fix` proposes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from surefoot.analysis.looks import Used
from surefoot.checks.data import is_litter
from surefoot.data.readers.repairs import COLUMNS, DROPPED
from surefoot.types.source import Refused

_MAJORITY = 2 / 3
"""Of at least three equal items: so many must agree for the others to be relabelled; else nobody can say which is wrong, and all are dropped."""

Line = dict[str, str]


def propose_repairs(
    refused: Sequence[Refused], found: Mapping[str, Mapping[int, str]], conflicts: Mapping[str, list[int]], labels: list[str], used: Used
) -> pa.Table:
    """A table of lines for `repairs.csv`, in the order of their places; one line per item.

    Args:
        refused: what can't be used. found: finding code -> position of an item -> why. conflicts: name of a group -> its items, whose labels differ.
        labels: of each item in `used`.
    """
    ids, places = used.ids, used.places
    lines: dict[str, Line] = {}

    def put(place: str, action: str, reason: str, value: str = "", item: str = "") -> None:
        lines.setdefault(place, dict(zip(COLUMNS, (item, place, action, value, reason))))

    for one in refused:
        if one.code != DROPPED and not is_litter(one.place):
            put(one.place, "drop", one.reason)
    for row, why in found.get("data.duplicates", {}).items():
        put(places[row], "drop", why, item=ids[row])
    for rows in conflicts.values():
        label, count = Counter(labels[row] for row in rows).most_common(1)[0]
        for row in rows:
            if count < _MAJORITY * len(rows) or len(rows) < 3:
                others = ", ".join(places[other] for other in rows if labels[other] != labels[row])
                put(places[row], "drop", f"equal or nearly equal to {others}, with another label: keep the right one", item=ids[row])
            elif labels[row] != label:
                put(places[row], "relabel", f"{count} of {len(rows)} equal items say so", label, ids[row])
    for row in found.get("data.inverted", {}):
        put(places[row], "convert", found["data.inverted"][row], "invert", ids[row])
    ordered = [lines[place] for place in sorted(lines)]
    return pa.table({name: pa.array([line[name] for line in ordered], pa.string()) for name in COLUMNS})


def find_conflicts(groups: Sequence[str], targets: np.ndarray) -> dict[str, list[int]]:
    """Name of a group -> its items, where their targets differ. `groups`: of each item, a name that equal and nearly equal ones share."""
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    return {group: rows for group, rows in members.items() if len(rows) > 1 and (targets[rows] != targets[rows[0]]).any()}
