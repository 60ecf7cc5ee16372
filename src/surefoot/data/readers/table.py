"""Files of rows -> one typed table: same columns everywhere, one type per column, labels that mean the same written the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from surefoot.data.nearest import quote_some, suggest
from surefoot.data.readers import aside, excel, fingerprint
from surefoot.data.readers.archive import unpacked_head
from surefoot.data.readers.cells import ColumnType, clean, convert, decide, prepare, tell_missing
from surefoot.data.readers.delimited import read_delimited
from surefoot.data.readers.encoding import looks_like_text
from surefoot.data.readers.header import MAX_COLUMNS, width_error
from surefoot.data.readers.members import File, tell_apart
from surefoot.data.readers.piles import GIVEN_SETS
from surefoot.data.readers.raw import RawTable
from surefoot.data.readers.records import read_jsonl, read_parquet
from surefoot.data.readers.schema import is_prose, suggest_target
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DataError
from surefoot.types.source import Named, TableSource, repeat_word

SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", *excel.SUFFIXES))
PART = re.compile(r"[-_.]?(part[-_.]?)?\d+([-_.]of[-_.]\d+)?$")
PARQUET = b"PAR1"
MOST_LINES_NAMED = 5
_MANY = 1 << 21
"""Cells from which numbers and dates are laid aside: 16 MiB."""


def list_tables(path: Path) -> dict[str, Path]:
    """Table files directly in a folder, by name."""
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    return {file.name: file for file in files if is_table_name(file)}


def is_table_name(file: File) -> bool:
    """Whether a file is named like a table."""
    stem, suffix = _split_name(file)
    return bool(stem) and suffix in SUFFIXES


def open_table_folder(path: Path) -> list[RawTable]:
    """Reads `train.csv`, `test.csv` (and `val.csv` or `dev.csv`) of a folder as given sets, parts of one table as one, or its only table.

    Raises:
        DataError: several tables, none of which is called train.
    """
    return open_tables(list(list_tables(path).values()), path.name)


def open_tables(files: Sequence[File], name: str) -> list[RawTable]:
    """Reads the tables of a folder or archive called `name`; `train-00000-of-00002.parquet` is a part of the train set.

    Raises:
        DataError: several tables, none of which is called train, or a set in two formats.
    """
    given: dict[str, list[File]] = {}
    for file in files:
        stem = PART.sub("", _split_name(file)[0]).lower()
        if stem in GIVEN_SETS:
            given.setdefault(GIVEN_SETS[stem], []).append(file)
    if "train" in given:
        for parts in given.values():
            _check_parts(parts, name)
        sets = [(one, file) for one in sorted(given, key=lambda one: one != "train") for file in given[one]]
        tables = [table.of_set(one) for table, (one, _) in zip(read_parts([file for _, file in sets]), sets, strict=True)]
        others = [file.name for file in files if not any(file in parts for parts in given.values())]
        if others:
            tables[0].notes.append(f"{name} also holds {quote_some(others)}, which {'was' if len(others) == 1 else 'were'} not read.")
        return tables
    if len(files) == 1 or len({(PART.sub("", _split_name(file)[0]), _split_name(file)[1]) for file in files}) == 1:
        return read_parts(files)
    names = [file.name for file in files]
    raise DataError(
        f"{name}/ holds {len(names)} tables: {quote_some(names)}.",
        where=name,
        next=f'Name one: source = "{name}/{names[0]}"; call them train.csv and test.csv; or give each a table [[data.sources]].',
    )


def _check_parts(files: list[File], name: str) -> None:
    """Two files of one set are parts of it only if they are numbered parts of one kind."""
    kinds = {_split_name(file)[1] for file in files}
    if len(files) > 1 and (len(kinds) > 1 or not all(PART.search(_split_name(file)[0]) for file in files)):
        raise DataError(
            f"{name}/ holds two tables for the same set: {quote_some(file.name for file in files)}.",
            where=name,
            next=f'Keep one of them, or name it: source = "{name}/{files[0].name}".',
        )


def is_table(path: Path, head: bytes) -> bool:
    """Whether a file is Parquet or text, or is at least named like a table."""
    if path.suffix.lower() == ".json":  # some call JSON lines so
        return head.startswith(b'{"') and b'\n{"' in head
    return head.startswith(PARQUET) or _split_name(path)[1] in SUFFIXES or looks_like_text(head)


def read_table(path: File) -> RawTable:
    """Reads one table by its content: Parquet, JSON lines, Excel, or delimited text."""
    if _split_name(path)[1] in excel.SUFFIXES:
        return excel.read_excel(path)
    head = unpacked_head(path, 4096).lstrip()
    if head.startswith(PARQUET) or _split_name(path)[1] == ".parquet":
        return read_parquet(path)
    return read_jsonl(path) if head.startswith(b'{"') or _split_name(path)[1] in (".jsonl", ".ndjson") else read_delimited(path)


def read_parts(files: Sequence[File]) -> list[RawTable]:
    """Reads several tables, whose places begin with names that tell them apart."""
    return [table if table.name == name else table.called(name) for table, name in zip(map(read_table, files), tell_apart(files), strict=True)]


def assemble(parts: Sequence[RawTable], config: DataConfig, like: Sequence[RawTable] = ()) -> TableSource:
    """Makes one table of the rows of several files.

    Args:
        parts: the files whose rows are wanted.
        config: names the target, whose words stay words, and columns that needn't be everywhere.
        like: the source's files, where `parts` is a wild set: they alone say which columns there are and of what type.

    Raises:
        DataError: the files don't have the same columns, or only one.
    """
    tables, notes = _agree([*like, *parts], set(config.ignore))
    names = list(tables[0].columns)
    texts = {*config.text, *(name for table in tables for name in table.texts)}
    _check_fit(tables, names, config)
    target = next((table.target for table in tables if table.target), _suggest_target(tables[0], config, texts))
    named = [name for name in ((config.target if isinstance(config.target, list) else [config.target]) if config.target else target) if name in names]
    tables, said = _merge_dotted_labels(tables, named)
    wanted = tables[len(like) :]
    said += _tell_missing(wanted, named)
    judges = tables[: len(like)] or wanted
    places = _chain([table.places for table in wanted])
    decimal = marks.pop() if len(marks := {table.decimal for table in judges} - {""}) == 1 else ""  # a file that does not say follows the others
    booleans = list[str]()
    written: dict[str, dict[str, Any]] = {}
    with aside.open_shelf(in_memory=len(places) * len(names) < _MANY) as shelf:
        for name in names:
            judged = prepare(_stack(judges, name))
            how = ColumnType("word") if name in texts else decide(judged, is_target=name in named, decimal=decimal)
            values, stray = convert(prepare(_stack(wanted, name)) if like else judged, how)
            shelf.put(name, values)
            notes += _note_column(name, how, stray, places)
            booleans += [name] if how.kind == "boolean" else []
            written |= {name: plain} if (plain := how.to_plain()) else {}
        laid = shelf.take()
    return TableSource(
        columns={name: laid[name] for name in names},
        places=places,
        given_sets=_chain([repeat_word(table.given_set, len(table)) for table in wanted]),
        sources=_chain([repeat_word(table.source, len(table)) for table in wanted]),
        booleans=tuple(booleans),
        refused=[one for table in wanted for one in table.refused],
        notes=[note for table in wanted for note in table.notes] + said + notes,
        fingerprint=_join_fingerprints(wanted),
        suggested_target=target,
        texts=tuple(name for name in names if name in texts),
        written=written,
    )


def _suggest_target(table: RawTable, config: DataConfig, texts: Collection[str]) -> tuple[str, ...]:
    """The likeliest target among the columns, rather one that is no text."""
    free = [name for name in table.columns if name not in (*config.ignore, config.id, config.weight)]
    told = [name for name in free if name not in texts and not is_prose(table.columns[name])]
    return suggest_target(told or free or [*table.columns])


def _tell_missing(tables: Sequence[RawTable], named: Sequence[str]) -> list[str]:
    """Notes on targets with words that mean missing."""
    return [
        f'Target "{name}" holds words that mean missing: {words}; if one of them is a class, give it another name.'
        for name in named
        if (words := tell_missing(_stack(tables, name)))
    ]


def _chain(parts: Sequence[Sequence[str]]) -> Sequence[str]:
    """The words of several files, one after the other."""
    starts = [0, *accumulate(map(len, parts))]

    def name(some: slice) -> Iterator[str]:
        return chain.from_iterable(part[max(some.start - start, 0) : max(some.stop - start, 0)] for part, start in zip(parts, starts))

    return parts[0] if len(parts) == 1 else Named(starts[-1], name)


def _split_name(path: File) -> tuple[str, str]:
    """`train.csv.gz` -> ("train", ".csv")."""
    bare = Path(path.name.removesuffix(".gz"))
    return bare.stem, bare.suffix.lower()


def _agree(tables: list[RawTable], ignored: set[str]) -> tuple[list[RawTable], list[str]]:
    """The tables with the same columns in the order of the first; ignored columns that not all have are left out."""
    shared = set.intersection(*(set(table.columns) for table in tables))
    partial = sorted({name for table in tables for name in table.columns} & ignored - shared)
    first = [name for name in tables[0].columns if name not in partial]
    for table in tables:
        found = [name for name in table.columns if name not in partial]
        if set(found) != set(first):
            raise _explain_columns(table, tables[0], found, first)
    if len(first) < 2:
        raise DataError(
            f"{tables[0].name} has only one column, {quote_some(first)}.", where=tables[0].name, next="A table needs a target and at least one input."
        )
    notes = [f"Ignored columns that not every file has were left out: {quote_some(partial)}."] if partial else []
    return [replace(table, columns={name: table.columns[name] for name in first}) for table in tables], notes


def _check_fit(tables: list[RawTable], names: list[str], config: DataConfig) -> None:
    """Raises DataError where there are too many columns, or one that the settings name holds lists or objects."""
    if len(names) > MAX_COLUMNS:
        raise width_error(tables[0].name, tables[0].name, len(names))
    unfit = {name for table in tables for name in table.unfit}
    targets = config.target if isinstance(config.target, list) else [config.target]
    for setting, name in (*(("data.target", one) for one in targets), ("data.id", config.id), ("data.weight", config.weight)):
        if name in unfit:
            raise DataError(
                f'Column "{name}" holds lists, objects or bytes, which are no single values.',
                where=f"{setting} = {name!r}, {tables[0].name}",
                next="Write one value in each cell: of a list a column for each of its parts, of an object a column for each of its fields.",
            )


def _explain_columns(table: RawTable, first: RawTable, found: list[str], wanted: list[str]) -> DataError:
    missing, extra = [name for name in wanted if name not in found], [name for name in found if name not in wanted]
    what = "; ".join(f"{word} {quote_some(names)}" for word, names in (("it lacks", missing), ("it also has", extra)) if names)
    hint = suggest(extra[0], missing) if extra and missing else ""
    return DataError(
        f"{table.name} does not have the columns of {first.name}: {what}.",
        where=table.name,
        next=f"{hint}Give both files the same columns (their order doesn't matter), or list in data.ignore those that are no inputs.",
    )


def _merge_dotted_labels(tables: list[RawTable], target: list[str]) -> tuple[list[RawTable], list[str]]:
    """Strips the dot after a label (`>50K.`) where the other files have the same label without one."""
    notes = []
    for name in target if len(tables) > 1 else []:
        cleaned = [clean(table.columns[name]) for table in tables]
        labels = [set(pc.unique(cells).drop_null().to_pylist()) for cells in cleaned]
        for k, table in enumerate(tables):
            others = set().union(*labels[:k], *labels[k + 1 :])
            dotted = sorted(label for label in labels[k] if label.endswith(".") and label not in others and label[:-1] in others)
            if dotted:
                is_dotted = pc.is_in(cleaned[k], pa.array(dotted))
                bare = pc.if_else(is_dotted, pc.utf8_slice_codeunits(cleaned[k], 0, -1), cleaned[k])
                tables[k] = replace(table, columns=table.columns | {name: bare})
                count = pc.sum(is_dotted).as_py()
                notes.append(f'Labels of "{name}" end in a dot in {table.name} and nowhere else ({quote_some(dotted)}); it was stripped in {count:,} rows.')
    return tables, notes


def _stack(tables: Sequence[RawTable], name: str) -> pa.ChunkedArray:
    """One column of several files; of different types it is taken as text."""
    columns = [table.columns[name] for table in tables]
    if len({str(column.type) for column in columns}) > 1:
        columns = [pc.cast(column, pa.string()) for column in columns]
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], columns[0].type)


def _note_column(name: str, how: ColumnType, stray: np.ndarray, places: Sequence[str]) -> list[str]:
    notes = [f'Column "{name}": {note}.' for note in (how.dates.note if how.dates else "", how.note) if note]
    if len(stray):
        kind = {"number": "no numbers", "date": "no dates", "boolean": "neither true nor false"}[how.kind]
        first = ", ".join(places[row] for row in stray[:MOST_LINES_NAMED])
        more = f" and {len(stray) - MOST_LINES_NAMED:,} more" if len(stray) > MOST_LINES_NAMED else ""
        notes.append(f'Column "{name}": {len(stray):,} cells are {kind} and became missing: {first}{more}.')
    return notes


def _join_fingerprints(tables: Sequence[RawTable]) -> str:
    prints = list(dict.fromkeys(table.fingerprint for table in tables))
    return prints[0] if len(prints) == 1 else fingerprint.of_words(*prints)
