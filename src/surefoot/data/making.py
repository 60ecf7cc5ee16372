"""From a source to blocks of a pack: the recipe is chosen, records are decoded by it, and nothing is held but some blocks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from surefoot.data import jpeg, preprocess
from surefoot.data.framing import boxes_field, stack_boxes
from surefoot.data.packs import Block, rows_per_block
from surefoot.data.shards import JPEG, make_input_schema, to_column
from surefoot.data.text import learn_columns, read_texts
from surefoot.data.wordpieces import read_tokenizer
from surefoot.types.configs import DataConfig, PrepareConfig
from surefoot.types.data_reports import AuditReport, FieldSpec, RefusedItem
from surefoot.types.source import Boxes, ImageSource, ItemError, TableSource, take_words

_SIDES = ((0.0, 32), (300.0, 48), (3_600.0, 64), (float("inf"), 96))
"""Budget in seconds up to which pictures are packed with so many pixels a side: cost grows with the square of it."""
_LARGE = 96
"""Pixels a side up to which pictures are never stored as JPEG: there is little to gain, and it blurs the little that they show."""
_ROOM_FRAC = 0.25
"""Share of the room on the disk that pixels may take: a second round, checkpoints and whatever else grows need some too."""
_DATES = {"parts": {}, "cyclic": {"cyclic": True}}
SHOWN_CHARACTERS = 300
_BOX_SIDE = 320


def choose_side(audit: AuditReport, data: DataConfig, budget_s: float) -> tuple[int, str]:
    """Pixels a side and the reason for it."""
    if data.side:
        return data.side, "as data.side says"
    typical = audit.shorter_side
    if typical <= _SIDES[0][1]:
        return typical, "the pictures' own size"
    affordable = next(side for limit, side in _SIDES if budget_s <= limit)
    if typical <= affordable:
        return typical, "the pictures' own size"
    return affordable, f"what the budget affords; the pictures' shorter side is {typical} at the median"


def image_recipe(audit: AuditReport, side: int, config: PrepareConfig) -> dict[str, Any]:
    """Square pictures of `side` pixels, or of the shape that all have; grey only where all are grey, unless the settings say it."""
    same = len(audit.sizes) == 1
    height, width = map(int, next(iter(audit.sizes)).split("x")) if same else (side, side)
    scale = side / min(height, width)
    return _size_recipe(audit, round(height * scale), round(width * scale), config)


def boxes_recipe(audit: AuditReport, data: DataConfig, config: PrepareConfig) -> tuple[dict[str, Any], str]:
    """A recipe for pictures with boxes, and the reason for its size: whole pictures, unless prepare.resize says otherwise.

    Pictures of one size keep their shape; others come into a square. Boxes are smaller than pictures, so that the budget's sides would leave nothing
    of them: the longer side is the pictures' own, up to 320 pixels.
    """
    typical = audit.longer_side
    side = data.side or min(typical, _BOX_SIDE)
    why = "as data.side says" if data.side else f"the longer side is {typical} at the median, and {_BOX_SIDE} at most is packed; set data.side for more"
    config = config.model_copy(update={"resize": "fit"}) if config.resize == "auto" else config
    height, width = map(int, next(iter(audit.sizes)).split("x")) if len(audit.sizes) == 1 and config.resize == "fit" else (1, 1)
    scale = side / max(height, width)
    return _size_recipe(audit, max(1, round(height * scale)), max(1, round(width * scale)), config), why


def _size_recipe(audit: AuditReport, height: int, width: int, config: PrepareConfig) -> dict[str, Any]:
    channels = {"grey": 1, "rgb": 3, "auto": 3 if audit.modes.get("colour") else 1}[config.colour]
    recipe = {"kind": "image", "height": height, "width": width, "channels": channels}
    how = {"resize": config.resize} if config.resize not in ("auto", "cover") else {}
    return recipe | how | ({"short_side": max(config.short_side, min(height, width))} if config.short_side and not how else {})


def table_recipe(
    source: TableSource, audit: AuditReport, rows: np.ndarray, config: PrepareConfig, texts: Mapping[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Columns that are inputs; categories are those that the given rows hold, which must not be the test set's. `texts`: from `learn_texts`."""
    kinds = {p.name: p.kind for p in audit.columns if p.role == "input"}
    recipe = preprocess.make_table_recipe({name: source.columns[name][rows] for name in kinds}, kinds, texts=texts)
    for column in (one for one in recipe["columns"] if one["kind"] in ("date", "numeric")):
        written = source.written.get(column["name"])
        column |= (_DATES[config.dates] if column["kind"] == "date" else {}) | ({"written": written} if written else {})
    return recipe


def learn_texts(source: TableSource, audit: AuditReport, rows: np.ndarray, data: DataConfig, root: Path) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """The recipes of the columns of text, and why they are so; words and lengths come from the given rows, which must be train's alone."""
    written = {p.name: source.columns[p.name][rows] for p in audit.columns if p.role == "input" and p.kind == "text"}
    tokenizer = read_tokenizer(data.tokenizer, root) if data.tokenizer and written else ""
    learned, why = learn_columns(written, data.tokens, tokenizer)
    return learned, tuple(why)


def join_texts(source: TableSource, recipe: dict[str, Any], rows: np.ndarray) -> list[str]:
    """What a person reads of each row: its texts on one line, cut to what a page can show; nothing where the recipe has no text."""
    columns = [read_texts(source.columns[column["name"]][rows]) for column in recipe["columns"] if column["kind"] == "text"]
    return [" · ".join(shorten(text) for text in row if text) for row in zip(*columns)]


def shorten(text: str) -> str:
    """A text on one line, cut to what a page can show."""
    line = " ".join(text[: 2 * SHOWN_CHARACTERS].split())
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"


def choose_quality(recipe: dict[str, Any], num: int, room: int, config: PrepareConfig) -> tuple[int, str]:
    """The JPEG quality in which so many pictures are stored, 0 for pixels, and the reason; nothing is said of what holds no pictures.

    Pixels are exact and are read many times faster (`benchmarks/loading.py`), so they are taken where the disk affords them.

    Args:
        room: bytes that packs may take, see `measure_room`.
    """
    if recipe["kind"] != "image":
        return 0, ""
    if config.encode != "auto":
        return (config.quality if config.encode == "jpeg" else 0), "as prepare.encode says"
    size = recipe["height"] * recipe["width"]
    needed = num * size * recipe["channels"]
    if size <= _LARGE**2 or needed <= room * _ROOM_FRAC:
        return 0, "exact, and read fastest"
    return config.quality, f"as pixels they would take {needed / 2**30:,.1f} of the {room / 2**30:,.1f} GiB that the disk has for them; more than a quarter"


def measure_room(folder: Path) -> int:
    """Bytes that are free where a folder lies or will lie."""
    while not folder.is_dir():
        folder = folder.parent
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class Items:
    """What is packed, in its order: N rows of the source, N ids, targets float64 (N, T), weights (N,), and what is drawn on each, as packed, where it is."""

    rows: np.ndarray
    ids: list[str]
    targets: np.ndarray
    weights: np.ndarray
    boxes: list[Boxes] = field(default_factory=list)


def list_fields(recipe: dict[str, Any], items: Items) -> tuple[FieldSpec, ...]:
    """What a pack of them holds: the inputs of a net, and behind them the boxes, where there are any."""
    return (*preprocess.fields(recipe), *([boxes_field(items.boxes)] if items.boxes else []))


@dataclass(frozen=True)
class Decoded:
    """Some rows of a source as columns of a pack: one per field, which of the rows they hold, and why not the others."""

    columns: list[pa.Array]
    kept: list[int]
    refused: tuple[RefusedItem, ...] = ()


Decode = Callable[[Iterable[np.ndarray]], Iterator[Decoded]]
"""Parts of the rows of a source -> what they hold, in the same order."""


def make_blocks(source: ImageSource | TableSource, recipe: dict[str, Any], items: Items, decode: Decode | None = None, start: int = 0) -> Iterator[Block]:
    """Blocks of the given items, in their order.

    Args:
        decode: turns rows into columns, here or in other processes; None: here, as pixels and numbers.
        start: number of the first block that is wanted.
    """
    size = rows_per_block(preprocess.fields(recipe))
    parts = [slice(at, at + size) for at in range(start * size, len(items.rows), size)]
    decode = decode or (lambda rows: decode_here(source, recipe, rows))
    drawn = list_fields(recipe, items)[len(preprocess.fields(recipe)) :]
    for here, decoded in zip(parts, decode(items.rows[part] for part in parts), strict=True):
        at = np.arange(here.start, min(here.stop, len(items.rows)))[decoded.kept]
        block = Block(
            ids=[items.ids[n] for n in at],
            places=[*take_words(source.places, items.rows[at])],
            inputs=(*decoded.columns, *(to_column(stack_boxes([items.boxes[n] for n in at], one), one) for one in drawn)),
            targets=items.targets[at],
            weights=items.weights[at].astype(np.float32),
            refused=decoded.refused,
        )
        del decoded
        yield block
        del block


def decode_here(source: ImageSource | TableSource, recipe: dict[str, Any], parts: Iterable[np.ndarray], quality: int = 0) -> Iterator[Decoded]:
    """Decodes in this process: pictures by as many threads as there are cores, for Pillow decodes outside the interpreter's lock."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for rows in parts:
            yield _decode_pictures(source, recipe, rows, quality, pool) if isinstance(source, ImageSource) else _decode_rows(source, recipe, rows)


def _decode_pictures(source: ImageSource, recipe: dict[str, Any], rows: np.ndarray, quality: int, pool: ThreadPoolExecutor) -> Decoded:
    def decode(row: int) -> Any:
        try:
            picture = source.read(row)
            return _shape(picture, recipe, quality, source.fetch(row) if quality and source.fetch else b"")
        except ItemError as error:
            return RefusedItem(place=source.places[row], reason=error.reason, code=error.code)

    made = list(pool.map(decode, rows.tolist()))
    kept = [n for n, one in enumerate(made) if not isinstance(one, RefusedItem)]
    column = _stack([made[n] for n in kept], recipe, quality)
    return Decoded([column], kept, tuple(one for one in made if isinstance(one, RefusedItem)))


def pack_pictures(pictures: Iterable[tuple[np.ndarray, bytes]], recipe: dict[str, Any], quality: int) -> pa.Buffer:
    """Pictures uint8 (H, W[, 3]), each with the file that it was, as the column of a pack, in an Arrow message."""
    column = _stack([_shape(picture, recipe, quality, file) for picture, file in pictures], recipe, quality)
    return pa.RecordBatch.from_arrays([column], names=[field.name for field in preprocess.fields(recipe)]).serialize()


def read_packed(messages: Sequence[bytes], recipe: dict[str, Any], quality: int) -> pa.Array:
    """The column that such messages hold, one behind the other."""
    schema = make_input_schema(preprocess.fields(recipe), {"image": JPEG} if quality else {})
    columns = [pa.ipc.read_record_batch(pa.py_buffer(message), schema).column(0) for message in messages]
    return columns[0] if len(columns) == 1 else pa.concat_arrays(columns) if columns else _stack([], recipe, quality)


def _shape(picture: np.ndarray, recipe: dict[str, Any], quality: int, file: bytes) -> Any:
    """As the recipe wants it; with a quality as a JPEG file, which is the given one where that holds just these pixels."""
    shaped = preprocess.decode_image(picture, recipe)
    return (jpeg.keep(file, shaped) or jpeg.encode(shaped, quality)) if quality else shaped


def _stack(values: list[Any], recipe: dict[str, Any], quality: int) -> pa.Array:
    (spec,) = preprocess.fields(recipe)
    return to_column(values if quality else np.stack(values) if values else np.zeros((0, *spec.shape), spec.dtype), spec, JPEG if quality else "")


def _decode_rows(source: TableSource, recipe: dict[str, Any], rows: np.ndarray) -> Decoded:
    arrays = preprocess.decode_columns({name: values[rows] for name, values in source.columns.items()}, recipe)
    return Decoded([to_column(array, spec) for spec, array in zip(preprocess.fields(recipe), arrays)], list(range(len(rows))))
