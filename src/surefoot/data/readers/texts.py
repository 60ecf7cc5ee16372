"""A folder or archive of texts: a .txt file per item in class folders -> a table with the columns `text` and `label`."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from surefoot.data import pictures
from surefoot.data.nearest import quote_some
from surefoot.data.readers import encoding
from surefoot.data.readers.folder import walk
from surefoot.data.readers.layout import read_folders
from surefoot.data.readers.piles import Entry, Pile, has_picture_suffix, is_hidden, split_path
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


def are_texts(pile: Pile) -> bool:
    """Whether the files of an archive are texts in several folders, with no pictures and no tables among them."""
    paths = [entry.path for entry in pile.entries if not is_hidden(entry.path)]
    if any(has_picture_suffix(path) or path.lower().endswith(_TABLES) for path in paths):
        return False
    return len({split_path(path)[:-1] for path in paths if is_text(path)}) > 1


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
    refused = [*pile.refused, *(Refused(entry.path, _name_other(entry), pictures.WRONG_TYPE) for entry in pile.entries if not is_text(entry.path))]
    given_sets, folders = read_folders([entry.path for entry in files], known)
    _check_classes(pile, {trail[0] for trail in folders if trail}, known)
    rows: dict[str, list[tuple[str, str, str]]] = {}
    guessed: list[str] = []
    for entry, given, trail in zip(files, given_sets, folders):
        try:
            if not trail:
                raise ItemError("lies in no class folder, so it has no label", pictures.WRONG_TYPE)
            rows.setdefault(given, []).append((read_text(pile, entry, guessed), trail[0], entry.path))
        except ItemError as error:
            refused.append(Refused(entry.path, error.reason, error.code))
    if not any(rows.values()):
        first = f"; the first is {refused[0].place}: {refused[0].reason}" if refused else ""
        raise DataError(f"{pile.name} holds no text that can be read{first}.", where=pile.name, next="Look at the files; a text is a .txt file, UTF-8.")
    deeper = sorted({"/".join(trail) for trail in folders if len(trail) > 1})
    notes = [f"Class folders hold {len(deeper)} subfolders ({quote_some(deeper, 3)}); their texts have the class of the outer folder."] if deeper else []
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
    text, is_guessed = decode_text(entry.path, pile.fetch(entry, MAX_BYTES))
    guessed += [entry.path] if is_guessed else []
    return text


def decode_text(place: str, data: bytes) -> tuple[str, bool]:
    """The content of a text file, and whether its encoding had to be guessed.

    Raises:
        ItemError: it is empty, or no text.
    """
    try:
        plain, notes = encoding.decode(Path(place), data)
    except DataError as error:
        raise ItemError("it holds zero bytes, so it is no text", pictures.CORRUPT) from error
    text = plain.decode("utf-8", "replace")
    controls = sum(sign < " " and sign not in "\t\n\r\f\v" for sign in text)
    if "\0" in text or controls > MOST_CONTROLS * len(text):
        raise ItemError(f"{controls:,} of its {len(text):,} signs are controls, so it is no text", pictures.CORRUPT)
    if not any(sign.isprintable() and not sign.isspace() for sign in text):
        raise ItemError("the text is empty", pictures.EMPTY)
    return text, bool(notes)


def _check_classes(pile: Pile, classes: set[str], known: frozenset[str]) -> None:
    if len(classes) < 2 and not (classes and known):
        found = f"only one class folder, {quote_some(classes)}" if classes else "no class folders"
        raise DataError(
            f"Labels are missing: {pile.name} holds texts but {found}.",
            where=pile.name,
            next="Put the texts of each class into a folder of its own, e.g. `texts/ham/1.txt` and `texts/spam/2.txt`, and name the folder around them.",
        )


def _name_other(entry: Entry) -> str:
    return "a hidden or system file" if is_hidden(entry.path) else f"no text: its name doesn't end in {SUFFIX}"


def _tabulate(pile: Pile, given: str, rows: list[tuple[str, str, str]]) -> RawTable:
    texts, labels, places = zip(*rows)
    columns = {name: pa.chunked_array([pa.array(values, pa.string())]) for name, values in ((TEXT, texts), (LABEL, labels))}
    return RawTable(pile.name, columns, list(places), pile.fingerprint, given_set=given, target=(LABEL,), texts=(TEXT,))
