"""Small features of items, the same few for every pile: what a classifier needs to tell two of them apart."""

from __future__ import annotations

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
    codes, names = pd.factorize(sources, sort=True)
    order = randomness.stream(seed, "sampled items").permutation(len(sources))
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

    def read(row: int) -> np.ndarray | None:
        try:
            return describe(source.read(row))
        except ItemError:
            return None

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(read, rows.tolist()))
    kept = [number for number, one in enumerate(found) if one is not None]
    names = ("brightness", "contrast", "red", "green", "blue", *(f"layout {row},{column}" for row in range(_GRID) for column in range(_GRID)))
    values = np.stack([one for one in found if one is not None]) if kept else np.zeros((0, len(names)), np.float32)
    return Features(ids[kept], names, values, np.zeros(len(names), bool))


def describe(picture: np.ndarray) -> np.ndarray:
    """float32 (41,) of a picture uint8 (H, W) or (H, W, 3): all in grey levels, 0 to 255."""
    colours = picture.reshape(-1, picture.shape[2] if picture.ndim == 3 else 1).mean(0)
    grey = picture.astype(np.float32).mean(2) if picture.ndim == 3 else picture.astype(np.float32)
    rows, columns = (np.linspace(0, side, _GRID + 1).astype(int) for side in grey.shape)
    sums = np.add.reduceat(np.add.reduceat(grey, np.minimum(rows[:-1], grey.shape[0] - 1), 0), np.minimum(columns[:-1], grey.shape[1] - 1), 1)
    cells = np.outer(np.maximum(np.diff(rows), 1), np.maximum(np.diff(columns), 1))
    return np.concatenate([[grey.mean(), grey.std()], np.broadcast_to(colours, 3), (sums / cells).ravel()]).astype(np.float32)


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
