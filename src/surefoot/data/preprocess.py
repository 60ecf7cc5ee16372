"""From raw records to the fields the graph takes: the one function that pack, predict and serve share.

The recipe is plain JSON and ships as `preprocess.json`; whatever is not in it is inside the graph (imputing, normalising). A column of text is
a field of its own: `data.text`. A numeric column whose numbers float32 can't hold has a `unit` by which they are divided first; a column of
dates that were text says how they were `written`, and one of numbers which mark comes before their decimals where it is not plain,
so that a single one is read as all of them were.

    {"kind": "image", "height": 28, "width": 28, "channels": 1}    (decoded by `resizing.decode_image`)
    {"kind": "table", "columns": [{"name": "age", "kind": "numeric"}, {"name": "job", "kind": "category", "categories": ["clerk", "nurse"]}]}

Letters: B items, C channels, H W pixels, F numeric features.
"""

from __future__ import annotations

import datetime
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from surefoot.data.date_parts import CYCLIC_PARTS, DATE_PARTS, split_cyclic, split_dates
from surefoot.data.extremes import LARGEST, find_unit
from surefoot.data.readers.cells import FALSE_WORDS, MISSING, TRUE_WORDS
from surefoot.data.readers.dates import find_format, from_plain, parse_dates, read_as, read_mixed
from surefoot.data.readers.numerals import to_plain
from surefoot.data.resizing import decode_image as decode_image
from surefoot.data.text import count_codes, encode_texts, read_texts
from surefoot.data.typical import find_typical
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import DataError

Recipe = dict[str, Any]

_KINDS = ("numeric", "boolean", "category", "date", "text")
_MISSING_WORDS = frozenset(word.casefold() for word in MISSING.to_pylist())
_SHOWN = 20  # unseen values listed per column
_SHOWN_LENGTH = 80


def fields(recipe: Recipe) -> tuple[FieldSpec, ...]:
    """The fields that a recipe makes, in order; one that would hold nothing is left out."""
    if recipe["kind"] == "image":
        return (FieldSpec(name="image", shape=(recipe["channels"], recipe["height"], recipe["width"]), dtype="uint8"),)
    numbers = [name for column in recipe["columns"] for name in _numeric_names(column)]
    coded = [column for column in recipe["columns"] if column["kind"] == "category"]
    made = []
    if numbers:
        made.append(FieldSpec(name="numeric", shape=(len(numbers),), dtype="float32", names=tuple(numbers)))
    if coded:
        names, sizes = tuple(c["name"] for c in coded), tuple(len(c["categories"]) + 1 for c in coded)
        made.append(FieldSpec(name="category", shape=(len(coded),), dtype="int32", names=names, cardinalities=sizes))
    for c in (column for column in recipe["columns"] if column["kind"] == "text"):
        given = {"names": (c["name"],), "cardinalities": (count_codes(c),), "is_given": "tokenizer" in c, "is_ragged": True}
        made.append(FieldSpec(name=c["field"], shape=(c["length"],), dtype="int32", **given))
    return tuple(made)


def make_table_recipe(
    columns: Mapping[str, np.ndarray], kinds: Mapping[str, str], max_categories: int = 256, *, texts: Mapping[str, Recipe] | None = None
) -> Recipe:
    """A recipe for the columns named in `kinds`, in that order.

    Args:
        columns: name -> values of the rows that may be learned from; test rows never belong here.
        kinds: name -> `numeric`, `boolean`, `category`, `date` or `text`.
        max_categories: the most frequent values get a code (ties by name); the others are treated as unseen.
        texts: the recipes of the columns of text, from `data.text.learn_columns`.

    Raises:
        DataError: there is no column, or one of a kind that no net here takes.
    """
    wrong = [f"{name} ({kind})" for name, kind in kinds.items() if kind not in _KINDS]
    if wrong or not kinds:
        raise DataError(
            f"These columns can't be inputs: {', '.join(wrong)}." if wrong else "No column is left as an input.",
            next="List them under data.ignore, or turn them into numbers or categories first." if wrong else "Take a column off data.ignore.",
        )
    made: list[dict[str, Any]] = []
    for name, kind in kinds.items():
        column: dict[str, Any] = dict((texts or {}).get(name, {"name": name, "kind": kind}))
        if kind == "category":
            column["categories"] = _rank(columns[name])[:max_categories]
        elif (typical := find_typical(_as_array(columns[name]), kind)) is not None:
            column["typical"] = typical
        if kind == "numeric" and (unit := find_unit(_as_array(columns[name]))) != 1:
            column["unit"] = unit
        made.append(column)
    return {"kind": "table", "columns": made}


def decode_columns(columns: Mapping[str, Any], recipe: Recipe) -> tuple[np.ndarray, ...]:
    """A table as the graph takes it: one array per field of `fields(recipe)`.

    Values may be as a reader gives them (float64, datetime64, text) or raw as in a JSON request (text, numbers, booleans,
    None). What can't be understood becomes missing; `unseen` names it.

    Args:
        columns: name -> B values; the order of the columns does not matter, those not in the recipe are ignored.

    Returns:
        `numeric` float32 (B, F), NaN where missing or infinite; `category` int32 (B, C), 0 where missing or unseen; `text` int32 (B, L).

    Raises:
        DataError: columns are missing, or differ in length.
    """
    arrays = _pick(columns, recipe)
    rows = len(next(iter(arrays.values()), ()))
    made = []
    for spec in fields(recipe):
        block = np.empty((rows, *spec.shape), spec.dtype)
        at = 0
        for column in recipe["columns"]:
            if column.get("field", "category" if column["kind"] == "category" else "numeric") != spec.name:
                continue
            for part in _decode(arrays[column["name"]], column):
                block[:, at] = part
                at += 1
        made.append(block)
    return tuple(made)


def check_columns(given: Iterable[str], recipe: Recipe) -> None:
    """Makes sure that every column of the recipe is given.

    Raises:
        DataError: some are not; each is named, with the nearest name given.
    """
    given = dict.fromkeys(given)
    missing = [column["name"] for column in recipe["columns"] if column["name"] not in given]
    if missing:
        extra = list(unknown_columns(given, recipe))
        raise DataError(
            f"{len(missing)} of {len(recipe['columns'])} input columns are missing: {', '.join(_suggest(name, extra) for name in missing[:_SHOWN])}.",
            where=f"given: {_shorten(', '.join(given), 400) or 'no column'}",
            next="Add them (empty cells count as missing values), or rename what is misspelt.",
        )


def unknown_columns(columns: Iterable[str], recipe: Recipe) -> tuple[str, ...]:
    """The columns that the recipe does not use, in the order given."""
    known = {column["name"] for column in recipe["columns"]}
    return tuple(name for name in columns if name not in known)


def unseen(columns: Mapping[str, Any], recipe: Recipe) -> dict[str, list[str]]:
    """The values that the recipe can't express: categories without a code, words where a number, a date or a truth is due.

    Returns:
        column -> its first 20 such values, without repeats; columns that have none are left out.
    """
    found: dict[str, list[str]] = {}
    arrays = _pick(columns, recipe)
    for column in (one for one in recipe["columns"] if one["kind"] != "text"):
        values = arrays[column["name"]]
        first = _decode(values, column)[0]
        lost = first == 0 if column["kind"] == "category" else np.isnan(first)
        shown: dict[str, None] = {}
        for value in values[lost]:
            if len(shown) == _SHOWN:
                break
            if not _is_missing(value):
                shown[_shorten(_text(value))] = None
        if shown:
            found[column["name"]] = list(shown)
    return found


def _numeric_names(column: Mapping[str, Any]) -> list[str]:
    if column["kind"] == "date":
        return [f"{column['name']}.{part}" for part in (CYCLIC_PARTS if column.get("cyclic") else DATE_PARTS)]
    return [] if column["kind"] in ("category", "text") else [column["name"]]


def _rank(values: np.ndarray) -> list[str]:
    """Category names, the most frequent first, then by name."""
    values = _as_array(values)
    distinct = pd.Series(values).value_counts(dropna=True)
    counts: dict[str, int] = {}
    for value, count in zip(distinct.index.tolist(), distinct.tolist(), strict=True):
        if name := _text(value):  # a reader has made missing words None already; what it left, such as `none`, is a category
            counts[name] = counts.get(name, 0) + count
    return sorted(counts, key=lambda name: (-counts[name], name))


def _pick(columns: Mapping[str, Any], recipe: Recipe) -> dict[str, np.ndarray]:
    """The recipe's columns as arrays of one length."""
    check_columns(columns, recipe)
    arrays = {column["name"]: _as_array(columns[column["name"]]) for column in recipe["columns"]}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            f"The columns differ in length: {', '.join(f'{name} {n}' for name, n in list(lengths.items())[:_SHOWN])}.",
            next="Give one value per row and column.",
        )
    return arrays


def _as_array(values: Any) -> np.ndarray:
    """Values as one axis; Python values stay the objects they are."""
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "fiubMO":
        return values
    array = np.empty(len(values), object)
    array[:] = [value.item() if isinstance(value, np.generic) else value for value in values]
    return array


def _decode(values: np.ndarray, column: Mapping[str, Any]) -> list[np.ndarray]:
    """The numeric parts of a column, or its codes."""
    kind = column["kind"]
    if kind == "category":
        return [_codes(values, column["categories"])]
    if kind == "text":
        return list(encode_texts(read_texts(values), column).T)
    if kind == "date":
        return (split_cyclic if column.get("cyclic") else split_dates)(_dates(values, column.get("written")))
    numbers = _numbers(values, column.get("written", {}).get("decimal", "."))
    if kind == "boolean":
        if values.dtype == object:
            numbers = _fill(numbers, values, lambda value: {True: 1.0, False: 0.0, None: math.nan}[_truth(value)])
        return [np.where((numbers == 0) | (numbers == 1), numbers, np.nan)]
    numbers = numbers / column.get("unit", 1.0)
    return [np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)]


def _numbers(values: np.ndarray, decimal: str) -> np.ndarray:
    """float64, NaN where a value is no number; text is read by the decimal mark that it had when the recipe was made."""
    if values.dtype.kind in "fiub":
        return values.astype(np.float64)
    if values.dtype.kind == "M":
        return np.full(len(values), np.nan)
    values = _as_array([to_plain(value, decimal) if isinstance(value, str) else value for value in values])
    try:
        return np.array(pd.to_numeric(pd.Series(values, dtype=object), errors="coerce"), np.float64)
    except (TypeError, ValueError, OverflowError):  # lists and the like among the values of a request
        return np.array([_number(value) for value in values], np.float64)


def _dates(values: np.ndarray, written: Mapping[str, Any] | None) -> np.ndarray:
    """datetime64[s], NaT where a value is no date; what has an offset is turned into UTC.

    Text is read as it was `written` when the recipe was made. Where that is not known it is read as in a table: by the one format of all of
    it, the month first where nothing tells; only text in several formats is read value by value.
    """
    if values.dtype.kind == "M":
        return values.astype("datetime64[s]")
    at, distinct = pd.factorize(np.array([_date_text(value) for value in values], object))
    if not len(distinct):
        return np.full(len(values), "NaT", "datetime64[s]")
    words = pa.array(distinct, pa.string())
    if written:
        dates = read_as(words, from_plain(written))
    else:
        how = find_format(words)
        dates = parse_dates(words, how) if how else read_mixed(words)
    return np.append(dates.astype("datetime64[s]"), np.datetime64("NaT"))[at]


def _date_text(value: Any) -> str | None:
    if isinstance(value, datetime.date | np.datetime64):
        return None if _is_missing(value) else value.isoformat() if isinstance(value, datetime.date) else str(value.astype("datetime64[s]"))
    return value.strip() if isinstance(value, str) and not _is_missing(value) else None


def _codes(values: np.ndarray, categories: list[str]) -> np.ndarray:
    """int32: 1 + place among the categories, 0 where missing or unseen."""
    find = _finder(categories)
    if values.dtype != object:
        at, distinct = pd.factorize(values)
        codes = np.array([find(value) for value in distinct] + [0], np.int32)  # -1, the place of NaN, is the last
        return codes[at]
    try:
        exact = pd.Index(categories, dtype=object).get_indexer(pd.Index(values, dtype=object)).astype(np.int32) + 1
    except TypeError:  # lists and the like among the values of a request
        exact = np.zeros(len(values), np.int32)
    return _fill(exact, values, find, exact == 0)


def _fill(made: np.ndarray, values: np.ndarray, convert: Callable[[Any], Any], where: np.ndarray | None = None) -> np.ndarray:
    """Converts one by one what the fast way did not understand, each distinct value once."""
    known: dict[tuple[type, str], Any] = {}
    for row in np.flatnonzero(np.isnan(made) if where is None else where):
        value = values[row]
        if value is None:
            continue
        key = (type(value), _text(value))
        if key not in known:
            known[key] = convert(value)
        made[row] = known[key]
    return made


def _finder(categories: list[str]) -> Callable[[Any], int]:
    """value -> code. A reader may take `1` for a number in one file and for text in the next, so numbers and truths are also
    looked up by what they mean, where exactly one category means it."""
    by_name = {name: code for code, name in enumerate(categories, 1)}
    by_number = _unique_meaning(categories, lambda name: None if math.isnan(_number(name)) else _number(name))
    by_truth = _unique_meaning(categories, _truth)
    all_numbers = len(by_number) == len(categories)

    def find(value: Any) -> int:
        name = _text(value)
        if name in by_name:
            return by_name[name]
        if isinstance(value, str):
            return by_number.get(_number(name), 0) if all_numbers else 0
        truth = _truth(value)
        return by_number.get(_number(value)) or (by_truth.get(truth, 0) if truth is not None else 0)

    return find


def _unique_meaning(categories: list[str], meaning: Callable[[str], Any]) -> dict[Any, int]:
    found: dict[Any, list[int]] = {}
    for code, name in enumerate(categories, 1):
        if (meant := meaning(name)) is not None:
            found.setdefault(meant, []).append(code)
    return {meant: codes[0] for meant, codes in found.items() if len(codes) == 1}


def _number(value: Any) -> float:
    """A float; NaN for what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _truth(value: Any) -> bool | None:
    """True and false by word, boolean, or the numbers 1 and 0."""
    word = value.strip().casefold() if isinstance(value, str) else None
    if word in TRUE_WORDS or (word is None and _number(value) == 1):
        return True
    return False if word in FALSE_WORDS or (word is None and _number(value) == 0) else None


def _text(value: Any) -> str:
    """A value as the name of a category: 3 and 3.0 are both `3`."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, (float, np.floating)) and float(value).is_integer() and abs(float(value)) < 1e15:
        return str(int(value))
    try:
        return str(value)
    except ValueError:  # an integer with more digits than Python prints
        return "a number of too many digits"


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in _MISSING_WORDS
    return value is None or bool(value != value)  # NaN and NaT differ from themselves


def _suggest(name: str, extra: list[str]) -> str:
    near = difflib.get_close_matches(name, extra, n=1)
    return f"{name} (did you mean {near[0]!r}?)" if near else name


def _shorten(text: str, length: int = _SHOWN_LENGTH) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
