"""From a source to blocks of a pack: the recipe is chosen, records are decoded by it, and nothing is held but one block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from surefoot.data import preprocess
from surefoot.data.packs import BLOCK, Block
from surefoot.types.configs import DataConfig
from surefoot.types.data_reports import AuditReport
from surefoot.types.source import ImageSource, TableSource

_SIDES = ((0.0, 32), (300.0, 48), (3_600.0, 64), (float("inf"), 96))
"""Budget in seconds up to which pictures are packed with so many pixels a side: cost grows with the square of it."""


def choose_side(audit: AuditReport, data: DataConfig, budget_s: float) -> tuple[int, str]:
    """Pixels a side and the reason for it."""
    if data.side:
        return data.side, "as data.side says"
    shorter = Counter[int]()
    for size, count in audit.sizes.items():
        shorter[min(map(int, size.split("x")))] += count
    typical = int(np.median(list(shorter.elements())))
    if typical <= _SIDES[0][1]:
        return typical, "the pictures' own size"
    affordable = next(side for limit, side in _SIDES if budget_s <= limit)
    if typical <= affordable:
        return typical, "the pictures' own size"
    return affordable, f"what the budget affords; the pictures' shorter side is {typical} at the median"


def image_recipe(audit: AuditReport, side: int) -> dict[str, Any]:
    """Square pictures of `side` pixels; grey only where all are grey."""
    same = len(audit.sizes) == 1
    height, width = map(int, next(iter(audit.sizes)).split("x")) if same else (side, side)
    scale = side / min(height, width)
    channels = 3 if audit.modes.get("colour") else 1
    return {"kind": "image", "height": round(height * scale), "width": round(width * scale), "channels": channels}


def table_recipe(source: TableSource, audit: AuditReport, rows: np.ndarray) -> dict[str, Any]:
    """Columns that are inputs; categories are those that the given rows hold, which must not be the test set's."""
    kinds = {p.name: p.kind for p in audit.columns if p.role == "input"}
    return preprocess.make_table_recipe({name: source.columns[name][rows] for name in kinds}, kinds)


def make_blocks(
    source: ImageSource | TableSource, recipe: dict[str, Any], rows: np.ndarray, ids: list[str], targets: np.ndarray, weights: np.ndarray
) -> Iterator[Block]:
    """Blocks of the given source rows, in their order."""
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(rows), BLOCK):
            here = slice(start, start + BLOCK)
            inputs = _decode(source, recipe, rows[here], pool)
            yield Block(ids[here], [source.places[row] for row in rows[here]], inputs, targets[here], weights[here].astype(np.float32))


def _decode(source: ImageSource | TableSource, recipe: dict[str, Any], rows: np.ndarray, pool: ThreadPoolExecutor) -> tuple[np.ndarray, ...]:
    if isinstance(source, ImageSource):
        return (np.stack(list(pool.map(lambda row: preprocess.decode_image(source.read(row), recipe), rows.tolist()))),)
    return preprocess.decode_columns({name: values[rows] for name, values in source.columns.items()}, recipe)
