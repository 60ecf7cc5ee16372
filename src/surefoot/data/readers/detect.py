"""Which reader opens what: an ordered list of (does it fit, open), by content first and by name second."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from surefoot.data.nearest import suggest
from surefoot.data.readers import archive, arrays, bundled, folder, idx, pictures, table, texts, user
from surefoot.data.readers.raw import RawTable
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ImageSource

HEAD_BYTES = 4096
FORMATS = (
    "a folder or archive (.tar, .tar.gz, .tar.xz, .zip) of pictures or texts (.txt) in class folders; a table (.csv, .tsv, .txt, .parquet, .jsonl, also .gz); "
    "IDX files; .npz; sklearn:NAME; my_code:Name"
)
HINTS = dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".joblib"), "No pickle is ever loaded: save it as .npz or .parquet. ")
HINTS |= dict.fromkeys((".xlsx", ".xls", ".ods"), "Save the sheet as CSV. ")
Opened = ImageSource | list[RawTable]


@dataclass(frozen=True)
class Spot:
    """What a source's name leads to: the path, the first bytes of a file unpacked, and class names known from elsewhere."""

    path: Path
    head: bytes
    known: frozenset[str] = frozenset()


FOLDERS: list[tuple[Callable[[Spot], bool], Callable[[Spot], Opened]]] = [
    (lambda spot: bool(idx.list_idx(spot.path)), lambda spot: idx.open_idx_folder(spot.path)),
    (lambda spot: folder.holds_pictures(spot.path), lambda spot: folder.open_folder(spot.path, spot.known)),
    (lambda spot: texts.holds_texts(spot.path), lambda spot: texts.open_text_folder(spot.path, spot.known)),
    (lambda spot: bool(table.list_tables(spot.path)), lambda spot: table.open_table_folder(spot.path)),
    (lambda spot: True, lambda spot: folder.open_folder(spot.path, spot.known)),  # says what it saw instead
]
FILES: list[tuple[Callable[[Spot], bool], Callable[[Spot], Opened]]] = [
    (lambda spot: archive.is_tar(spot.path, spot.head), lambda spot: archive.open_tar(spot.path, spot.known)),
    (lambda spot: spot.path.suffix.lower() == ".npz", lambda spot: arrays.open_npz(spot.path)),
    (lambda spot: archive.is_zip(spot.path, spot.head), lambda spot: archive.open_zip(spot.path, spot.known)),
    (lambda spot: idx.is_idx(spot.head) or bool(idx.NAME.search(spot.path.name)), lambda spot: idx.open_idx_file(spot.path)),
    (lambda spot: table.is_table(spot.path, spot.head), lambda spot: [table.read_table(spot.path)]),
]


def open_named(name: str, root: Path, known: frozenset[str] = frozenset()) -> Opened:
    """Opens what a setting names: a path relative to `root` or absolute, `sklearn:NAME` or `my_code:Name`.

    Raises:
        DataError: nothing is there, or nothing that can be read. UsageError: an unknown name.
    """
    path = root / Path(name).expanduser()
    if ":" in name and not _is_drive(name) and not os.path.exists(path):
        before, _, after = name.partition(":")
        return bundled.open_bundled(after) if before == "sklearn" else user.open_user(name, root)
    return _open_path(path, name, known)


def _open_path(path: Path, name: str, known: frozenset[str]) -> Opened:
    """Opens a folder or file by what it holds."""
    try:
        if path.is_dir():
            spot = Spot(path, b"", known)
            return next(opener for fits, opener in FOLDERS if fits(spot))(spot)
        if not path.is_file():
            raise _explain_absent(path, name)
        if not path.stat().st_size:
            raise DataError(f'"{name}" is empty.', where=str(path), next="Copy or download it again.")
        if path.suffix.lower() in HINTS:
            raise _explain_unknown(path, name)
        spot = Spot(path, archive.unpacked_head(path, HEAD_BYTES), known)
        opener = next((opener for fits, opener in FILES if fits(spot)), None)
        if opener is None:
            raise _explain_unknown(path, name)
        return opener(spot)
    except OSError as error:
        raise DataError(f'"{name}" can\'t be read: {error.strerror}.', where=str(error.filename or path), next="Check its permissions and its disk.") from error


def _is_drive(name: str) -> bool:
    return name[1:3] in (":\\", ":/")


def _explain_absent(path: Path, name: str) -> DataError:
    """What is missing, and what lies there instead: in the nearest folder above that exists."""
    above = path.parent
    wanted = path.name
    while not above.is_dir() and above != above.parent:
        wanted, above = above.name, above.parent
    beside = sorted(one.name for one in above.iterdir() if not one.name.startswith("."))
    return DataError(
        f'There is no "{name}".',
        where=str(path),
        next=f"{suggest(wanted, beside)}Looked in {above}; a source is {FORMATS}.",
    )


def _explain_unknown(path: Path, name: str) -> DataError:
    if pictures.is_picture(archive.unpacked_head(path, HEAD_BYTES)):
        return DataError(f'"{name}" is one picture.', where=str(path), next="Name the folder that holds the class folders.")
    return DataError(f'"{name}" is of no format that can be read.', where=str(path), next=f"{HINTS.get(path.suffix.lower(), '')}A source is {FORMATS}.")


def check_named(name: str, key: str) -> None:
    """Raises UsageError where a setting that is needed is empty."""
    if not name:
        raise UsageError(f"data.{key} names no data.", where=f"data.{key}", next=f"Set data.{key} to {FORMATS}.")
