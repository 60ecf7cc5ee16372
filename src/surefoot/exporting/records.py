"""`surefoot predict`: files in, one row per item out. No item is lost: what can't be predicted comes with its place and the reason."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from surefoot.data import pictures, preprocess
from surefoot.data.extremes import name_loss
from surefoot.data.readers.cells import ColumnType, convert, decide, is_declared, prepare
from surefoot.data.readers.numerals import ORDERS
from surefoot.data.readers.raw import RawTable
from surefoot.data.readers.table import list_tables, read_table
from surefoot.data.readers.texts import SUFFIX, decode_text, is_text
from surefoot.exporting.answers import describe_answers, name_targets
from surefoot.exporting.bundle import Manifest
from surefoot.exporting.piles import list_items
from surefoot.exporting.predictor import Predictor
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ItemError

Row = dict[str, Any]

_PICTURES = 64  # decoded and predicted at once
_ROWS = 20_000
_NAMED = 20  # columns and values that one sentence names
_LINE = 4096
_DUE = {"boolean": "truth value", "date": "date"}
_KINDS = {"numeric": "number", "boolean": "boolean", "date": "date"}


def predict_inputs(predictor: Predictor, inputs: list[Path], say: Callable[[str], None] | None = None) -> Iterator[Row]:
    """Predicts pictures (files, folders, archives), tables (files, folders of them) or, with a model of nothing but a text, .txt files.

    Args:
        say: is told, a sentence each, about columns that are not used and values that were never seen.

    Yields:
        `place` (and `id`, where the model's data names its rows), then as `describe_answers`; or `place` and `error`.

    Raises:
        UsageError: an input is not there.
    """
    absent = [str(path) for path in inputs if not path.exists()]
    if absent or not inputs:
        raise UsageError(f"There is no {', '.join(absent)}." if absent else "No input was named.", next="Name files or folders that are there.")
    for path in inputs:
        if predictor.recipe["kind"] == "image":
            yield from _predict_pictures(predictor, path)
        elif _are_texts(path, predictor.recipe):
            yield from _predict_texts(predictor, path)
        else:
            yield from _predict_tables(predictor, path, say or (lambda text: None))


def check_out(out: Path, inputs: list[Path], recipe: dict[str, Any]) -> None:
    """Makes sure that writing the answers replaces nothing of what is asked about.

    Raises:
        UsageError: `out` is one of the inputs, or a file that is read in one of the folders.
    """
    if out.exists() and any(_reads(path, out, recipe) for path in inputs if path.exists()):
        raise UsageError(
            f"{out} is read itself: the answers would replace it.", where=f"--out {out}", next="Name a new file, outside the folders that are read."
        )


def _reads(path: Path, file: Path, recipe: dict[str, Any]) -> bool:
    """Whether a file is among those that an input stands for: of pictures everything in a folder, of tables those that lie in it directly."""
    if not path.is_dir():
        return path.samefile(file)
    if recipe["kind"] == "image":
        return file.resolve().is_relative_to(path.resolve())
    return any(table.samefile(file) for table in list_tables(path).values())


def format_rows(rows: Iterable[Row], manifest: Manifest, format: str) -> Iterator[str]:
    """Rows as text, a line each, with its newline.

    Args:
        format: `jsonl`, or `csv`: a header first, then `prob:CLASS` per class; lists are written as JSON.
    """
    if format == "jsonl":
        yield from (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        return
    if format != "csv":
        raise UsageError(f"There is no format {format!r}.", next="Use csv or jsonl.")
    several = manifest.task == "vector_regression"
    preds = [f"pred:{name}" for name in name_targets(manifest)] if several else ["pred"]
    threshold = ["threshold"] if manifest.task in ("binary", "multilabel") else []
    names = ["place", *(["id"] if manifest.id else []), *preds, *(f"prob:{name}" for name in manifest.classes), *threshold, "error"]
    yield _csv_line(names)
    for row in rows:
        cells = row | {f"prob:{name}": prob for name, prob in row.get("probs", {}).items()}
        if several and "pred" in row:
            cells |= {f"pred:{name}": value for name, value in row["pred"].items()}
        yield _csv_line([cells.get(name, "") for name in names])


def _csv_line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([json.dumps(cell, ensure_ascii=False) if isinstance(cell, list | dict) else cell for cell in cells])
    return text.getvalue()


def _predict_pictures(predictor: Predictor, path: Path) -> Iterator[Row]:
    """In the order found, a batch at a time."""
    rows: list[Row] = []
    pixels: list[np.ndarray] = []
    for place, data in list_items(path):
        row: Row = {"place": place}
        try:
            if isinstance(data, str):
                raise ItemError(data)
            pixels.append(preprocess.decode_image(pictures.decode(data), predictor.recipe))
        except ItemError as error:
            row["error"] = error.reason
        rows.append(row)
        if len(rows) == _PICTURES:
            yield from _fill_in(predictor, rows, pixels)
            rows, pixels = [], []
    yield from _fill_in(predictor, rows, pixels)


def _fill_in(predictor: Predictor, rows: list[Row], pixels: list[np.ndarray]) -> Iterator[Row]:
    answers = iter(describe_answers(predictor, predictor.predict((np.stack(pixels),)))) if pixels else iter(())
    for row in rows:
        yield row if "error" in row else row | next(answers)


def _are_texts(path: Path, recipe: dict[str, Any]) -> bool:
    """Whether an input is a file of one text or a folder of such files, and the model takes just a text; a table has its column in the first line."""
    columns = recipe["columns"]
    if len(columns) != 1 or columns[0]["kind"] != "text":
        return False
    if path.is_dir():
        return all(file.suffix.lower() == SUFFIX for file in list_tables(path).values()) and any(path.rglob(f"*{SUFFIX}"))
    if path.suffix.lower() != SUFFIX:
        return False
    with path.open("rb") as file:
        first = file.readline(_LINE).decode("utf-8", "replace")
    return columns[0]["name"] not in [cell.strip(' "\r\n\ufeff') for cell in re.split(r"[,\t;|]", first)]


def _predict_texts(predictor: Predictor, path: Path) -> Iterator[Row]:
    """In the order found, some at a time; files that are named otherwise are left out."""
    items = ((place, data) for place, data in list_items(path) if is_text(place.rsplit("/", 1)[-1]))
    while some := list(islice(items, _PICTURES)):
        rows: list[Row] = [{"place": place} for place, _ in some]
        texts = []
        for row, (place, data) in zip(rows, some):
            try:
                if isinstance(data, str):
                    raise ItemError(data)
                texts.append(decode_text(place, data)[0])
            except ItemError as error:
                row["error"] = error.reason
        fields = preprocess.decode_columns({predictor.recipe["columns"][0]["name"]: texts}, predictor.recipe)
        answers = iter(describe_answers(predictor, predictor.predict(fields)))
        yield from (row if "error" in row else row | next(answers) for row in rows)


def _predict_tables(predictor: Predictor, path: Path, say: Callable[[str], None]) -> Iterator[Row]:
    files = list(list_tables(path).values()) if path.is_dir() else [path]
    if not files:
        yield {"place": str(path), "error": "the folder holds no table"}
    for file in files:
        try:
            yield from _predict_table(predictor, read_table(file), say)
        except DataError as error:
            yield {"place": str(file), "error": " ".join(f"{error.what} {error.next}".split())}


def _predict_table(predictor: Predictor, raw: RawTable, say: Callable[[str], None]) -> Iterator[Row]:
    preprocess.check_columns(raw.columns, predictor.recipe)
    columns, stray = read_columns(raw, predictor.recipe)
    fields = preprocess.decode_columns(columns, predictor.recipe)
    _tell(raw, columns, stray, predictor, say)
    ids = convert(raw.columns[predictor.manifest.id], ColumnType("word"))[0] if predictor.manifest.id in raw.columns else None
    for start in range(0, len(raw), _ROWS):
        outputs = predictor.predict(tuple(field[start : start + _ROWS] for field in fields))
        for at, answer in enumerate(describe_answers(predictor, outputs), start):
            yield {"place": raw.places[at], **({"id": ids[at]} if ids is not None else {}), **answer}
    for refused in raw.refused:
        yield {"place": refused.place, "error": refused.reason}


def read_columns(raw: RawTable, recipe: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """The recipe's columns of a table, each read as what it was in training: a category stays text even where it looks like a number.

    Returns:
        column -> values; column -> distinct cells that are of another kind and became missing, at most 20, where there are any.
    """
    columns, stray = {}, {}
    for column in recipe["columns"]:
        cells = prepare(raw.columns[column["name"]])  # an empty cell is none: as text it would be one that is no number
        columns[column["name"]], rows = _convert(cells, column, raw)
        if len(rows):
            stray[column["name"]] = list(dict.fromkeys(str(cells[int(row)]) for row in rows))[:_NAMED]
    return columns, stray


def _convert(cells: pa.ChunkedArray, column: dict[str, Any], raw: RawTable) -> tuple[np.ndarray, np.ndarray]:
    """A prepared column as it was read in training, and the rows that are of another kind. Dates stay text, which the recipe knows to read.

    Numbers have the decimal mark of training, or else of their file; the other one where more of them are numbers by that, however many are none.
    """
    kind = column["kind"]
    if kind == "numeric" and not is_declared(cells):
        written = column.get("written", {}).get("decimal")
        order = (written, *(mark for mark in ".," if mark != written)) if written else ORDERS[raw.decimal]
        return min((convert(cells, ColumnType("number", decimal=mark)) for mark in order), key=lambda way: len(way[1]))
    if kind in ("category", "text") or (kind == "date" and not is_declared(cells)):
        return convert(cells, ColumnType("word"))
    how = decide(cells, is_target=False)
    return convert(cells, how if how.kind == _KINDS.get(kind) else ColumnType("word"))


def _tell(raw: RawTable, columns: dict[str, np.ndarray], stray: dict[str, list[str]], predictor: Predictor, say: Callable[[str], None]) -> None:
    manifest = predictor.manifest
    unused = [name for name in preprocess.unknown_columns(raw.columns, predictor.recipe) if name not in (manifest.id, *manifest.target)]
    if unused:
        say(f"{raw.name}: {len(unused)} column{'s are' if len(unused) > 1 else ' is'} not used: {', '.join(unused[:_NAMED])}.")
    kinds = {column["name"]: column["kind"] for column in predictor.recipe["columns"]}
    unseen = preprocess.unseen(columns, predictor.recipe)
    for name, values in {name: [*stray.get(name, []), *unseen.get(name, [])] for name in kinds if name in stray or name in unseen}.items():
        for what, some in _group_lost(values, kinds[name]).items():
            say(f"{raw.name}: {name} holds values that {what} and count as missing: {', '.join(some)}.")
    for note in raw.notes:
        say(note)


def _group_lost(values: list[str], kind: str) -> dict[str, list[str]]:
    """Values that count as missing, by the reason why."""
    found: dict[str, list[str]] = {}
    for value in values:
        what = name_loss(value) if kind == "numeric" else "were not seen in training" if kind == "category" else f"are no {_DUE[kind]}s"
        found.setdefault(what, []).append(value)
    return found
