"""Small features of items, the same few for every pile: what a classifier needs to tell two of them apart."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from surefoot import randomness
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.source import ImageSource, ItemError, TableSource

MOST_ROWS, MOST_PICTURES, MOST_COLUMNS = 6_000, 2_000, 300
_GRID = 6
_TOGETHER, _SMALL = 50, 100_000
"""Pictures that one task reads, and values of a picture up to which those of one shape are described together."""
_MARK = "f:"


@dataclass(frozen=True)
class Features:
    """Features of some items.

    Attributes:
        ids: object (N,). names: of the columns. values: float32 (N, F), NaN where missing; words as codes, the commonest 0.
        is_word: bool (F,).
    """

    ids: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    is_word: np.ndarray

    def to_table(self) -> pa.Table:
        columns = {"id": pa.array(self.ids.tolist(), pa.string())}
        for j, name in enumerate(self.names):
            values = self.values[:, j]
            columns[_MARK + name] = pa.array(np.nan_to_num(values, nan=-1).astype(np.int32) if self.is_word[j] else values)
        return pa.table(columns)


def read_features(table: pa.Table) -> Features:
    """Features as `to_table` wrote them."""
    columns = table.column_names[1:]
    values = [table.column(name).to_numpy().astype(np.float32) for name in columns]
    is_word = np.asarray([pa.types.is_integer(table.schema.field(name).type) for name in columns], bool)
    matrix = np.stack(values, 1) if values else np.zeros((table.num_rows, 0), np.float32)
    matrix[:, is_word] = np.where(matrix[:, is_word] < 0, np.nan, matrix[:, is_word])
    return Features(np.asarray(table.column("id").to_pylist(), object), tuple(name[len(_MARK) :] for name in columns), matrix, is_word)


def sample_items(sources: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Positions of at most `most` items, sorted: as many of each source as there are, or an even share."""
    order = randomness.stream(seed, "sampled items").permutation(len(sources))
    if len(sources) and (sources == sources[0]).all():
        return np.sort(order[:most])
    codes, names = pd.factorize(sources, sort=True)
    picked = [order[codes[order] == code][: most // len(names)] for code in range(len(names))]
    return np.sort(np.concatenate(picked)) if picked else np.zeros(0, np.int64)


def table_features(source: TableSource, profiles: tuple[ColumnProfile, ...], rows: np.ndarray, ids: np.ndarray) -> Features:
    """The input columns, at most 300 of them: amounts as they are, words as codes. Dates are left out: any split by time differs in them."""
    wanted = [p for p in profiles if p.role == "input" and p.kind != "date"][:MOST_COLUMNS]
    columns = [_encode(source.columns[p.name][rows]) for p in wanted]
    values = np.stack(columns, 1) if columns else np.zeros((len(rows), 0), np.float32)
    return Features(ids, tuple(p.name for p in wanted), values, np.asarray([source.columns[p.name].dtype == object for p in wanted], bool))


def picture_features(source: ImageSource, rows: np.ndarray, ids: np.ndarray) -> Features:
    """Brightness, contrast, the three colours and a grid of 6 x 6 grey means of each picture; those that can't be read are left out."""
    names = ("brightness", "contrast", "red", "green", "blue", *(f"layout {row},{column}" for row in range(_GRID) for column in range(_GRID)))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda start: _describe_some(source, rows[start : start + _TOGETHER].tolist(), len(names)), range(0, len(rows), _TOGETHER)))
    values = np.concatenate([np.zeros((0, len(names)), np.float32), *found])
    is_there = ~np.isnan(values[:, 0])
    return Features(ids[is_there], names, values[is_there], np.zeros(len(names), bool))


def _describe_some(source: ImageSource, rows: list[int], width: int) -> np.ndarray:
    """float32 (len(rows), width), NaN where a picture can't be read; small ones of one shape together, which takes a tenth of the time."""
    values = np.full((len(rows), width), np.nan, np.float32)
    alike: dict[tuple[int, ...], list[int]] = {}
    small: dict[int, np.ndarray] = {}
    for at, row in enumerate(rows):
        with contextlib.suppress(ItemError):
            picture = source.read(row)
            if picture.size > _SMALL:
                values[at] = describe(picture[None])[0]
            else:
                small[at] = picture
                alike.setdefault(picture.shape, []).append(at)
    for places in alike.values():
        values[places] = describe(np.stack([small[at] for at in places]))
    return values


def describe(pictures: np.ndarray) -> np.ndarray:
    """float32 (N, 41) of pictures uint8 (N, H, W) or (N, H, W, 3): all in grey levels, 0 to 255."""
    num, height, width = pictures.shape[:3]
    colours = pictures.reshape(num, height * width, -1).mean(1)
    grey = pictures.astype(np.float32)
    grey = grey.mean(3) if pictures.ndim == 4 else grey
    flat = grey.reshape(num, -1)
    rows, columns = (np.linspace(0, side, _GRID + 1).astype(int) for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(grey, np.minimum(rows[:-1], height - 1), 1), np.minimum(columns[:-1], width - 1), 2)
    cells = np.outer(np.maximum(np.diff(rows), 1), np.maximum(np.diff(columns), 1))
    values = [flat.mean(1)[:, None], flat.std(1)[:, None], np.broadcast_to(colours, (num, 3)), (sums / cells).reshape(num, -1)]
    return np.concatenate(values, 1).astype(np.float32)


def _encode(values: np.ndarray) -> np.ndarray:
    """float32 (N,): amounts clipped to what it holds; words by how common they are, so that rare and new ones lie together."""
    if values.dtype != object:
        return np.where(np.isfinite(values), values, np.nan).clip(-3e38, 3e38).astype(np.float32)
    codes, words = pd.factorize(values, use_na_sentinel=True)
    counts = np.bincount(codes[codes >= 0], minlength=len(words))
    rank = np.empty(len(words) + 1, np.float32)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(words))
    rank[-1] = np.nan
    return rank[codes]
