"""What a person wants to see of the data before any training: gathered from the items outside the test set, small enough for a page.

Letters: N items, F numeric columns, G groups (classes, or ranges of an amount).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from surefoot import randomness
from surefoot.analysis.landscape import MAPPED, count_gaps, count_pixels, draw_map, project
from surefoot.analysis.texts import count_words
from surefoot.data.making import shorten
from surefoot.data.packs import Pack
from surefoot.data.pictures import to_picture
from surefoot.types.context import Context
from surefoot.types.data_reports import AuditReport, Explored, ShownItem
from surefoot.types.problem import Problem
from surefoot.types.source import ImageSource, TableSource

SHOWN = 8
"""Pictures of a class."""
_CLASSES = 12
_GROUPS = 12
"""Groups of equal items, and pairs of near ones."""
_OF_A_GROUP = 4
_SUSPECTS = 24
_ON_SHEET = 8
_RAW_SIDE = 192
"""Pixels that the longer side of a picture keeps that is shown as it came."""
_RANGES = 4
_READ = 5_000
"""Train texts whose words are counted."""


@dataclass(frozen=True)
class Look:
    """What lies open: everything but the test set.

    Attributes:
        table: the audit's index of what is in the pack, in its order. train: int64 rows of the first fold.
        statistics: as the transforms of that fold know them.
    """

    source: ImageSource | TableSource
    recipe: dict[str, Any]
    pack: Pack
    problem: Problem
    table: pa.Table
    train: np.ndarray
    statistics: dict[str, np.ndarray]

    @property
    def has_pictures(self) -> bool:
        return isinstance(self.source, ImageSource)


def explore(ctx: Context, look: Look, audit: AuditReport) -> tuple[Explored, dict[str, tuple[str, ...]], str]:
    """What the page shows, the sample of each group, and the stored pictures of all items that are named."""
    names, groups = find_groups(look.problem, look.pack.targets)
    shuffled = randomness.stream(ctx.seed, "sample grid").permutation(look.train)
    sample = {name: shuffled[groups[shuffled, number]][:SHOWN] for number, name in enumerate(names[:_CLASSES])}
    sheet = _pick_sheet(sample, shuffled)
    ids = look.table.column("id").to_pylist()
    at = {id: row for row, id in enumerate(ids)}
    equal = _find_equal(look)
    near = [(at[pair.a], at[pair.b]) for pair in audit.near if pair.a in at and pair.b in at][:_GROUPS]
    suspects = [(at[one.id], tuple(one.reasons.values())) for one in audit.suspects if one.id in at][:_SUSPECTS]
    xy, where, spread = draw_map(look.pack, look.statistics, randomness.stream(ctx.seed, "map"))
    gaps, together = count_gaps(look.pack, look.train)
    arrays = {"xy": xy, "group": _first_group(groups[where])} | ({} if look.has_pictures else _table_arrays(look, sheet))
    explored = Explored(
        groups=tuple(names),
        pixels=count_pixels(look.pack, shuffled),
        gaps=gaps,
        together=together,
        num_rows=len(look.train),
        words=count_words(look.pack, look.recipe, shuffled[:_READ], names[:_CLASSES], groups),
        equal=tuple(tuple(_show(look, row) for row in rows) for rows in equal),
        near=tuple((_show(look, a), _show(look, b)) for a, b in near),
        suspects=tuple(_show(look, row, reasons) for row, reasons in suspects),
        sheet=tuple(_show(look, row, with_cells=True) for row in sheet),
        arrays=ctx.store.put_arrays(arrays),
        spread=spread,
    )
    if not look.has_pictures:
        return explored, {}, ""
    named = {*np.concatenate(list(sample.values())).tolist(), *sheet, *sum(equal, ()), *sum(near, ()), *(row for row, _ in suspects)}
    pictures = _take_pictures(look.pack, sorted(named), ids) | _read_raw(look, sheet, ids)
    listed = {name: tuple(ids[row] for row in rows) for name, rows in sample.items() if len(rows)}
    return explored, listed, ctx.store.put_arrays(pictures)


def map_seen(ctx: Context, problem: Problem, pack: Pack, find_features: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    """The map of a trained net: items by what its last layer sees of them. Fields of `ErrorsReport`, under their names there.

    Args:
        pack: of train and val. find_features: rows int64 (N,) -> float32 (N, D).
    """
    rows = np.sort(randomness.stream(ctx.seed, "map").permutation(len(pack))[:MAPPED])
    xy, spread = project(find_features(rows))
    if not len(xy):
        return {}
    group = _first_group(find_groups(problem, pack.targets[rows])[1])
    return {"embedding": ctx.store.put_arrays({"xy": xy, "group": group}), "spread": spread}


def find_groups(problem: Problem, targets: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the groups, and bool (N, G): which items are in which. Classes, labels, classes of boxes, or ranges of the first target with as many items each.

    Args:
        targets: float64 (N, T), as the pack holds them.
    """
    if problem.task in ("multilabel", "detection"):
        return list(problem.classes), targets > 0.5
    if problem.classes:
        return list(problem.classes), targets[:, :1] == np.arange(len(problem.classes))
    edges = np.unique(np.quantile(targets[:, 0], np.linspace(0, 1, _RANGES + 1))) if len(targets) else np.zeros(1)
    if len(edges) == 1:
        return [f"{edges[0]:.4g}"], np.ones((len(targets), 1), bool)
    place = np.clip(np.searchsorted(edges, targets[:, 0], side="right") - 1, 0, len(edges) - 2)
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return names, place[:, None] == np.arange(len(names))


def _first_group(groups: np.ndarray) -> np.ndarray:
    """int64 (N,): the first group of each item, G where it is in none."""
    return np.where(groups.any(1), groups.argmax(1), groups.shape[1])


def _pick_sheet(sample: dict[str, np.ndarray], shuffled: np.ndarray) -> list[int]:
    """A first item of each group, then second ones, until the sheet is full."""
    ranked = [int(rows[place]) for place in range(SHOWN) for rows in sample.values() if place < len(rows)]
    return list(dict.fromkeys([*ranked, *shuffled[:_ON_SHEET].tolist()]))[:_ON_SHEET]


def _find_equal(look: Look) -> list[tuple[int, ...]]:
    """Rows of equal contents, those with different targets first."""
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, content in enumerate(look.table.column("content").to_pylist()):
        rows_of[content].append(row)
    groups = [rows for rows in rows_of.values() if len(rows) > 1]
    targets = look.pack.targets
    groups.sort(key=lambda rows: bool((targets[rows] == targets[rows[0]]).all()))
    return [tuple(rows[:_OF_A_GROUP]) for rows in groups[:_GROUPS]]


def _show(look: Look, row: int, reasons: Iterable[str] = (), *, with_cells: bool = False) -> ShownItem:
    cells: dict[str, str] = {}
    if isinstance(look.source, TableSource):
        number = look.table.column("row")[row].as_py()
        names = [column["name"] for column in look.recipe["columns"] if with_cells or column["kind"] == "text"]
        cells = {name: _written(look.source.columns[name][number], is_whole=with_cells) for name in names}
    return ShownItem(
        id=look.table.column("id")[row].as_py(),
        place=look.table.column("place")[row].as_py(),
        label=tell_label(look.problem, look.pack.targets[row]),
        reasons=tuple(reasons),
        cells=cells,
    )


def tell_label(problem: Problem, target: np.ndarray) -> str:
    """The target of an item (T,) in words."""
    if problem.task == "detection":
        return ", ".join(f"{int(count)} × {name}" for name, count in zip(problem.classes, target) if count > 0.5) or "none"
    if problem.task == "multilabel":
        return ", ".join(name for name, value in zip(problem.classes, target) if value > 0.5) or "none"
    return problem.classes[int(target[0])] if problem.classes else ", ".join(f"{value:.5g}" for value in target)


def _written(value: Any, *, is_whole: bool) -> str:
    if value is None or value != value:
        return ""
    told = f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix("T00:00:00.000000000")
    return told if is_whole else shorten(told)


def _table_arrays(look: Look, rows: list[int]) -> dict[str, np.ndarray]:
    """Some rows as the pack holds them: numbers, also in standard units of the train rows, and codes, of each text its own."""
    found = {}
    for field, array in zip(look.pack.fields, look.pack.gather(np.asarray(rows))):
        if field.name == "numeric":
            found["numbers"] = array
            found["standard"] = ((array - look.statistics["numeric.center"]) / look.statistics["numeric.scale"]).astype(np.float32)
        elif field.name == "category":
            found["codes"] = array
        elif field.is_text:
            found[field.name] = array
    return found


def _take_pictures(pack: Pack, rows: list[int], ids: list[str]) -> dict[str, np.ndarray]:
    return {ids[row]: to_picture(image) for row, image in zip(rows, pack.gather(np.asarray(rows, np.int64))[0])}


def _read_raw(look: Look, rows: list[int], ids: list[str]) -> dict[str, np.ndarray]:
    """What some items were before packing, made smaller where they are large."""
    assert isinstance(look.source, ImageSource)
    found = {}
    for row in rows:
        picture = Image.fromarray(np.ascontiguousarray(look.source.read(look.table.column("row")[row].as_py())))
        picture.thumbnail((_RAW_SIDE, _RAW_SIDE))
        found[f"raw {ids[row]}"] = np.asarray(picture)
    return found
