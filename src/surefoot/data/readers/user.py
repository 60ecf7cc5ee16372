"""The user's own data set, `my_code:Frogs`: any object with `__len__` and `__getitem__` -> (input, target), or (input, target, id)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from surefoot.data import pictures
from surefoot.data.readers import blocks
from surefoot.data.readers.labels import read_labels
from surefoot.data.readers.raw import RawTable, tabulate
from surefoot.data.readers.records import as_column
from surefoot.refs import build
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, ItemError


def open_user(name: str, root: Path) -> ImageSource | list[RawTable]:
    """Builds the data set and reads all of it once, for its targets, its range of pixels and its fingerprint.

    Inputs are pictures (Pillow images, or arrays and tensors (H, W), (H, W, C) or (C, H, W)), rows (arrays (F,)), or
    mappings from column names to values; targets are words, numbers or vectors. A third element, or an attribute `ids` with one
    for each item, names the items: it is their place in every report; else that is their number. Pictures are read again when asked for,
    so random augmentation belongs elsewhere. What the user's code raises is passed on with a note that says where.

    Raises:
        DataError: it isn't such an object, is empty, or its items are of different kinds.
    """
    dataset = build(name, kind="dataset", folder=root, available={})
    if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
        raise _explain(name, f"makes a {type(dataset).__name__}, which has no __len__ and __getitem__")
    if not len(dataset):
        raise _explain(name, "is empty")
    first, _, _ = _get(dataset, 0, name)
    if isinstance(first, Mapping) or (np.ndim(first) < 2 and not isinstance(first, Image.Image)):
        return [_read_table(dataset, name)]
    return _open_pictures(dataset, name)


def _open_pictures(dataset: Any, name: str) -> ImageSource:
    digest = hashlib.sha256()
    targets, dtypes, ranges, ids = [], set(), [], []
    for row in range(len(dataset)):
        picture, target, id = _get(dataset, row, name)
        ids.append(id)
        pixels = _as_array(picture, name, row)
        dtypes.add(pixels.dtype)
        if np.isfinite(pixels).any():
            ranges.append(blocks.measure_range([pixels]))
        targets.append(np.asarray(target))
        digest.update(f"{pixels.shape}{pixels.dtype}{target!r}".encode() + pixels.tobytes())
    low, high = min((low for low, _ in ranges), default=0.0), max((high for _, high in ranges), default=255.0)
    scale = blocks.choose_scale(low, high, np.result_type(*dtypes))
    if len({target.shape for target in targets}) > 1:
        raise _explain(name, "gives targets of different shapes")
    labels, notes = read_labels(np.stack(targets), name)

    def read(row: int) -> np.ndarray:
        pixels = _as_array(_get(dataset, row, name)[0], name, row)
        if not np.isfinite(pixels).all():
            raise ItemError("some pixels are NaN or infinite", pictures.CORRUPT)
        return blocks.flatten_channels(scale.apply(pixels))

    return ImageSource(
        places=_name_places(dataset, ids, name),
        labels=labels,
        given_sets=[""] * len(dataset),
        read=read,
        notes=notes + ([scale.note] if scale.note else []),
        fingerprint=digest.hexdigest(),
    )


def _read_table(dataset: Any, name: str) -> RawTable:
    items = [_get(dataset, row, name) for row in range(len(dataset))]
    digest = hashlib.sha256(repr([(_plain(value), _plain(target)) for value, target, _ in items]).encode())
    targets = _name_columns([target for _, target, _ in items], name, "target")
    if isinstance(items[0][0], Mapping):
        names = list(dict.fromkeys(key for row, _, _ in items for key in row))
        columns = {key: _column([_plain(row.get(key)) for row, _, _ in items], f"{name}, column {key}") for key in names}
    else:
        columns = _name_columns([row for row, _, _ in items], name, "x")
    return RawTable(name, columns | targets, _name_places(dataset, [id for _, _, id in items], name), digest.hexdigest(), target=tuple(targets))


def _name_places(dataset: Any, ids: list[Any], name: str) -> list[str]:
    """`name[id]` by the third elements or the attribute `ids`, `name[row]` where there are none.

    Raises:
        DataError: ids that are not one for each item, or equal ones.
    """
    if all(id is None for id in ids):
        own = getattr(dataset, "ids", None)
        ids = list(range(len(ids))) if own is None or callable(own) else list(own)
    words = [str(id) for id in ids]
    if len(words) != len(dataset) or len(set(words)) < len(words):
        raise _explain(name, f"gives {len(words):,} ids, {len(set(words)):,} of them different, for {len(dataset):,} items")
    return [f"{name}[{word}]" for word in words]


def _name_columns(values: list[Any], name: str, word: str) -> dict[str, pa.ChunkedArray]:
    """`target` for one value per item, `target_0`, `target_1`, ... (`x0`, `x1`, ...) for vectors."""
    shapes = {np.shape(value) for value in values}
    if len(shapes) > 1 or len(next(iter(shapes))) > 1:
        raise _explain(name, f"gives values of different shapes or of more than one axis: {sorted(shapes)[:3]}")
    shape = shapes.pop()
    if not shape:
        return {word if word == "target" else f"{word}0": _column([_plain(value) for value in values], name)}
    return tabulate(np.stack([np.asarray(value) for value in values]), [f"{word}_{j}" if word == "target" else f"{word}{j}" for j in range(shape[0])])


def _column(values: list[Any], where: str) -> pa.ChunkedArray:
    column = as_column(values)
    if column is None:
        raise _explain(where, "gives values that are neither words nor numbers")
    return column


def _plain(value: Any) -> Any:
    """NumPy scalars, arrays and tensors as Python values; a mapping's values too."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def _get(dataset: Any, row: int, name: str) -> tuple[Any, Any, Any]:
    try:
        item = dataset[row]
    except Exception as error:
        error.add_note(f"while: reading item {row} of {name}")
        raise
    if not isinstance(item, tuple | list) or len(item) not in (2, 3):
        raise _explain(name, f"gives a {type(item).__name__} as item {row} where a pair (input, target) is due, or (input, target, id)")
    return item[0], item[1], item[2] if len(item) == 3 else None


def _as_array(picture: Any, name: str, row: int) -> np.ndarray:
    """(H, W) or (H, W, C), C of 1, 3 or 4, in its own number type."""
    if isinstance(picture, Image.Image):
        return pictures.to_pixels(picture)
    pixels = np.asarray(picture)
    if pixels.ndim == 3 and blocks.is_channels_first(pixels.shape):
        pixels = pixels.transpose(1, 2, 0)
    if pixels.dtype.kind not in "biuf" or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4)) or not pixels.size:
        raise _explain(name, f"gives an array of shape {pixels.shape} and type {pixels.dtype} as item {row}, which is no picture")
    return pixels


def _explain(name: str, what: str) -> DataError:
    return DataError(f"The data set {name} {what}.", where=f"data.source = {name}", next="Let __getitem__ return (input, target): see `surefoot check`.")
