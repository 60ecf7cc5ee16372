"""Which reader opens what: an ordered list of (does it fit, open), by content first and by name second."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from surefoot.data import pictures
from surefoot.data.nearest import suggest
from surefoot.data.readers import archive, arrays, bundled, cifar, coco, excel, folder, frames, idx, remote, shards, table, texts, user
from surefoot.data.readers.opening import open_pile
from surefoot.data.readers.piles import has_picture_suffix, is_hidden
from surefoot.data.readers.raw import RawTable
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ImageSource

HEAD_BYTES = 4096
FORMATS = (
    "a folder or archive (.tar, .tar.gz, .tar.xz, .zip) of pictures or texts (.txt), in class folders or beside a list of labels, or of pictures with "
    "boxes (COCO, VOC, YOLO); tar shards (folder or `s-{000..003}.tar`); "
    "a table (.csv, .tsv, .txt, .parquet, .jsonl, .xlsx, also .gz or in an archive); IDX files; CIFAR binaries, also in an archive; .npz, .npy; a saved "
    "Hugging Face set; an address (https://..., s3://...); sklearn:NAME; hub:OWNER/NAME; my_code:Name"
)
HINTS = dict.fromkeys((".pkl", ".pickle", ".pt", ".pth", ".joblib"), "No pickle is ever loaded: save it as .npz or .parquet. ")
HINTS |= dict.fromkeys((".xls", ".ods", ".xlsb"), "Save the sheet as CSV or .xlsx. ")
ANNOTATED = dict.fromkeys((".yaml", ".yml", ".xml"), "Name the folder that holds it and the pictures. ")
HINTS |= ANNOTATED
Opened = ImageSource | list[RawTable]


@dataclass(frozen=True)
class Spot:
    """What a source's name leads to: the path, the first bytes of a file unpacked, class names known from elsewhere, and whether labels are wanted."""

    path: Path
    head: bytes
    known: frozenset[str] = frozenset()
    is_labelled: bool = True


def _open_folder(spot: Spot) -> Opened:
    return folder.open_folder(spot.path, spot.known, is_labelled=spot.is_labelled)


def _open_archive(spot: Spot) -> Opened:
    """CIFAR's batches or pictures in an archive, else its texts, else the tables in it."""
    pile = archive.list_tar(spot.path) if archive.is_tar(spot.path, spot.head) else archive.list_zip(spot.path)
    if cifar.find_batches(pile):
        return cifar.open_packed(pile)
    cifar.check_no_pickles(pile)
    if texts.are_texts(pile):
        return texts.read_texts(pile, spot.known)
    if not any(has_picture_suffix(entry.path) and not is_hidden(entry.path) for entry in pile.entries):
        tables = [one for one in archive.list_members(pile) if table.is_table_name(one)]
        if tables:
            return table.open_tables(tables, pile.name)
    return open_pile(pile, spot.known, is_labelled=spot.is_labelled)


def _open_shards(spot: Spot) -> Opened:
    return shards.open_shards(shards.list_shards(spot.path), spot.known, is_labelled=spot.is_labelled)


def _open_pickles(spot: Spot) -> Opened:
    raise cifar.refuse_pickles(cifar.list_pickles(spot.path) if spot.path.is_dir() else [spot.path])


def _holds_parquet_pictures(path: Path) -> bool:
    files = [file for file in table.list_tables(path).values() if file.suffix == ".parquet"]
    return any(map(frames.holds_pictures, files))  # the first may be empty, and say nothing


def _open_parquet_folder(spot: Spot) -> Opened:
    return frames.open_parquet([file for file in table.list_tables(spot.path).values() if file.suffix == ".parquet"])


FOLDERS: list[tuple[Callable[[Spot], bool], Callable[[Spot], Opened]]] = [
    (lambda spot: bool(idx.list_idx(spot.path)), lambda spot: idx.open_idx_folder(spot.path)),
    (lambda spot: bool(cifar.list_batches(spot.path)), lambda spot: cifar.open_batches(cifar.list_batches(spot.path))),
    (lambda spot: bool(cifar.list_pickles(spot.path)), _open_pickles),
    (lambda spot: frames.is_saved(spot.path), lambda spot: frames.open_saved(spot.path)),
    (lambda spot: folder.holds_pictures(spot.path), _open_folder),
    (lambda spot: bool(shards.list_shards(spot.path)), _open_shards),
    (lambda spot: _holds_parquet_pictures(spot.path), _open_parquet_folder),
    (lambda spot: bool(arrays.list_npy(spot.path)), lambda spot: arrays.open_npy(arrays.list_npy(spot.path))),
    (lambda spot: texts.holds_texts(spot.path), lambda spot: texts.open_text_folder(spot.path, spot.known)),
    (lambda spot: bool(table.list_tables(spot.path)), lambda spot: table.open_table_folder(spot.path)),
    (lambda spot: True, _open_folder),  # says what it saw instead
]
FILES: list[tuple[Callable[[Spot], bool], Callable[[Spot], Opened]]] = [
    (lambda spot: archive.is_tar(spot.path, spot.head), _open_archive),
    (lambda spot: spot.path.suffix.lower() == ".npz", lambda spot: arrays.open_npz(spot.path)),
    (lambda spot: spot.path.suffix.lower() == ".npy", lambda spot: arrays.open_npy(arrays.list_npy(spot.path.parent))),
    (lambda spot: spot.path.suffix.lower() in excel.SUFFIXES, lambda spot: [excel.read_excel(spot.path)]),
    (lambda spot: archive.is_zip(spot.path, spot.head), _open_archive),
    (lambda spot: idx.is_idx(spot.head) or bool(idx.NAME.search(spot.path.name)), lambda spot: idx.open_idx_file(spot.path)),
    (lambda spot: cifar.is_batch(spot.path), lambda spot: cifar.open_batches([spot.path])),
    (lambda spot: cifar.is_pickle(spot.head), _open_pickles),
    (lambda spot: spot.head.startswith(table.PARQUET) and frames.holds_pictures(spot.path), lambda spot: frames.open_parquet([spot.path])),
    (lambda spot: table.is_table(spot.path, spot.head), lambda spot: [table.read_table(spot.path)]),
]


def open_named(name: str, root: Path, known: frozenset[str] = frozenset(), *, is_labelled: bool = True) -> Opened:
    """Opens what a setting names: a path relative to `root` or absolute, a pattern, an address, `sklearn:NAME`, `hub:NAME` or `my_code:Name`.

    Raises:
        DataError: nothing is there, or nothing that can be read. UsageError: an unknown name.
    """
    path = root / Path(name).expanduser()
    if os.path.exists(path):
        return _open_path(path, name, known, is_labelled)
    if remote.is_url(name):
        return _open_path(remote.fetch(name, root), name, known, is_labelled)
    if shards.is_pattern(name):
        return _open_pattern(name, root, known, is_labelled)
    if ":" in name and not _is_drive(name):
        before, _, after = name.partition(":")
        if before == "hub":
            return frames.open_hub(after)
        return bundled.open_bundled(after) if before == "sklearn" else user.open_user(name, root)
    return _open_path(path, name, known, is_labelled)


def _open_pattern(name: str, root: Path, known: frozenset[str], is_labelled: bool) -> Opened:
    """Tables of one kind, or tar shards."""
    paths = shards.find_files(name, root)
    if all(table.is_table_name(path) for path in paths):
        return table.read_parts(paths)
    shards.check_tars(paths, lambda path: archive.is_tar(path, archive.unpacked_head(path, HEAD_BYTES)), name)
    return shards.open_shards(paths, known, is_labelled=is_labelled)


def _open_path(path: Path, name: str, known: frozenset[str], is_labelled: bool) -> Opened:
    """Opens a folder or file by what it holds."""
    try:
        if path.is_dir():
            spot = Spot(path, b"", known, is_labelled)
            return next(opener for fits, opener in FOLDERS if fits(spot))(spot)
        if not path.is_file():
            raise _explain_absent(path, name)
        if not path.stat().st_size:
            raise DataError(f'"{name}" is empty.', where=str(path), next="Copy or download it again.")
        if path.suffix.lower() in HINTS:
            raise _explain_unknown(path, name)
        spot = Spot(path, archive.unpacked_head(path, HEAD_BYTES), known, is_labelled)
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
    if coco.is_coco(archive.unpacked_head(path, coco.HEAD_BYTES)) or path.suffix.lower() in ANNOTATED:
        return DataError(f'"{name}" tells of pictures and holds none.', where=str(path), next="Name the folder that holds it and the pictures.")
    return DataError(f'"{name}" is of no format that can be read.', where=str(path), next=f"{HINTS.get(path.suffix.lower(), '')}A source is {FORMATS}.")


def check_named(name: str, key: str) -> None:
    """Raises UsageError where a setting that is needed is empty."""
    if not name:
        raise UsageError(f"data.{key} names no data.", where=f"data.{key}", next=f"Set data.{key} to {FORMATS}.")
