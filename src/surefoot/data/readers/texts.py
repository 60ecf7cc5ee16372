"""A folder or archive of texts: a .txt file per item in class folders -> a table with the columns `text` and `label`."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from surefoot.data.nearest import quote_some
from surefoot.data.readers import encoding, pictures
from surefoot.data.readers.folder import walk
from surefoot.data.readers.layout import Entry, Pile, is_hidden, sort_out
from surefoot.data.readers.raw import RawTable
from surefoot.types.errors import DataError
from surefoot.types.source import ItemError, Refused

SUFFIX = ".txt"
TEXT, LABEL = "text", "label"
MAX_BYTES = 16 * 2**20
"""Of one text: ten times War and Peace would be a dump, not an item."""
MOST_CONTROLS = 0.1
"""Share of a file's signs that no text writes, from which it is none: another kind of file under the name of one."""
_TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".gz")


def holds_texts(path: Path) -> bool:
    """Whether folders below this one hold texts, and no table lies beside them."""
    found = False
    for folder, below, files in os.walk(path):
        below[:] = [name for name in below if not is_hidden(name)]
        is_top = Path(folder) == path
        if is_top and any(name.lower().endswith(_TABLES) for name in files if not is_hidden(name)):
            return False
        found |= not is_top and any(is_text(name) for name in files)
    return found


def is_text(name: str) -> bool:
    """Whether a file is named like a text."""
    return name.lower().endswith(SUFFIX) and not is_hidden(name)


def open_text_folder(path: Path, known: frozenset[str] = frozenset()) -> list[RawTable]:
    """Reads the texts below a folder; see `read_texts`."""
    return read_texts(walk(path), known)


def read_texts(pile: Pile, known: frozenset[str] = frozenset()) -> list[RawTable]:
    """Reads the texts of a pile of files, each with the label of its class folder; a table per given set.

    What is empty, torn, too large or no text is refused with its path. Encodings are found as for tables.

    Args:
        known: class names that are known already: one of them alone is enough.

    Raises:
        DataError: there is no text, or fewer than two class folders.
    """
    files = [entry for entry in sorted(pile.entries, key=lambda one: one.path) if is_text(entry.path)]
    other = [entry for entry in pile.entries if not is_text(entry.path)]
    refused = [*pile.refused, *(Refused(entry.path, _name_other(entry), pictures.WRONG_TYPE) for entry in other)]
    sorted_out = sort_out(pile, files, known, "texts")
    refused += sorted_out.refused
    rows: dict[str, list[tuple[str, str, str]]] = {}
    guessed: list[str] = []
    for entry, label, given in zip(sorted_out.items, sorted_out.labels, sorted_out.given_sets):
        try:
            rows.setdefault(given, []).append((read_text(pile, entry, guessed), label, entry.path))
        except ItemError as error:
            refused.append(Refused(entry.path, error.reason, error.code))
    if not any(rows.values()):
        first = f"; the first is {refused[0].place}: {refused[0].reason}" if refused else ""
        raise DataError(f"{pile.name} holds no text that can be read{first}.", where=pile.name, next="Look at the files; a text is a .txt file, UTF-8.")
    notes = [*sorted_out.notes]
    if guessed:
        notes.append(f"{len(guessed):,} files are not UTF-8 and were read as Windows-1252 or UTF-16, so look at their accents: {quote_some(guessed, 3)}.")
    tables = [_tabulate(pile, given, some) for given, some in sorted(rows.items(), key=lambda one: one[0] != "train") if some]
    tables[0].refused.extend(sorted(refused, key=lambda one: one.place))
    tables[0].notes.extend(notes)
    return tables


def read_text(pile: Pile, entry: Entry, guessed: list[str]) -> str:
    """The text of one file; its path goes to `guessed` where its encoding had to be guessed.

    Raises:
        ItemError: it is empty, too large, or no text.
    """
    if entry.size > MAX_BYTES:
        raise ItemError(f"the file has {entry.size:,} bytes, more than {MAX_BYTES:,}", pictures.TOO_LARGE)
    data = pile.fetch(entry, MAX_BYTES)
    try:
        plain, notes = encoding.decode(Path(entry.path), data)
    except DataError as error:
        raise ItemError("it holds zero bytes, so it is no text", pictures.CORRUPT) from error
    text = plain.decode("utf-8", "replace")
    controls = sum(sign < " " and sign not in "\t\n\r\f\v" for sign in text) if not text.isprintable() else 0
    if controls and ("\0" in text or controls > MOST_CONTROLS * len(text)):
        raise ItemError(f"{controls:,} of its {len(text):,} signs are controls, so it is no text", pictures.CORRUPT)
    if not any(sign.isprintable() and not sign.isspace() for sign in text):
        raise ItemError("the text is empty", pictures.EMPTY)
    if notes:
        guessed.append(entry.path)
    return text


def _name_other(entry: Entry) -> str:
    return "a hidden or system file" if is_hidden(entry.path) else f"no text: its name doesn't end in {SUFFIX}"


def _tabulate(pile: Pile, given: str, rows: list[tuple[str, str, str]]) -> RawTable:
    texts, labels, places = zip(*rows)
    columns = {name: pa.chunked_array([pa.array(values, pa.string())]) for name, values in ((TEXT, texts), (LABEL, labels))}
    return RawTable(pile.name, columns, list(places), pile.fingerprint, given_set=given, target=(LABEL,), texts=(TEXT,))
