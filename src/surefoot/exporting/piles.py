"""Files of pictures to predict, wherever they lie: single files, folders, archives. No labels are wanted, and no file is lost:
what can't be read comes with its reason."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from surefoot.data import pictures
from surefoot.data.readers.archive import TORN
from surefoot.data.readers.folder import printable
from surefoot.data.readers.piles import is_hidden

Item = tuple[str, bytes | str]
"""A place, and the file's bytes or the reason why there are none."""


def list_items(path: Path) -> Iterator[Item]:
    """Every file of a pile, sorted by name in folders and as packed in archives; hidden and system files are left out.

    Nothing is unpacked to the disk, and no more than one file is held in memory.
    """
    if path.is_dir():
        yield from _walk_folder(path)
        return
    head = _read_head(path)
    if head.startswith(b"PK") and not pictures.is_picture(head):
        yield from _guard(path, _walk_zip(path))
    elif not pictures.is_picture(head) and _is_tar(path):
        yield from _guard(path, _walk_tar(path))
    else:
        yield str(path), _read_file(path)


def _walk_folder(top: Path) -> Iterator[Item]:
    inside = top.resolve()
    for folder, below, files in os.walk(top):
        below[:] = sorted(name for name in below if not is_hidden(name))
        for name in sorted(files):
            path = Path(folder) / name
            if is_hidden(name):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                yield printable(str(path)), "a link that leads out of the folder"
            else:
                yield printable(str(path)), _read_file(path)


def _walk_zip(path: Path) -> Iterator[Item]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            place = f"{path}/{printable(member.filename)}"
            if member.is_dir() or is_hidden(member.filename):
                continue
            try:
                with archive.open(member) as file:
                    yield place, _read_capped(file)  # type: ignore[arg-type]
            except (*TORN, RuntimeError) as error:  # RuntimeError: encrypted
                yield place, f"can't be taken out of the archive: {error}"


def _walk_tar(path: Path) -> Iterator[Item]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            place = f"{path}/{printable(member.name)}"
            if member.isdir() or is_hidden(member.name.removeprefix("./")):
                continue
            file = archive.extractfile(member) if member.isreg() else None
            yield place, _read_capped(file) if file is not None else "a link or special file inside an archive"  # type: ignore[arg-type]


def _guard(path: Path, items: Iterator[Item]) -> Iterator[Item]:
    """A torn archive gives what it holds up to the tear, and then says so."""
    try:
        yield from items
    except TORN as error:
        yield str(path), f"the archive is torn: {error}"


def _read_file(path: Path) -> bytes | str:
    try:
        if not path.is_file():
            return "neither a file nor a folder"
        with path.open("rb") as file:
            return _read_capped(file)
    except OSError as error:
        return f"the file can't be read: {error.strerror}"


def _read_capped(file: BinaryIO) -> bytes | str:
    data = file.read(pictures.MAX_BYTES + 1)
    return data if len(data) <= pictures.MAX_BYTES else f"the file has more than {pictures.MAX_BYTES:,} bytes"


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError:
        return b""


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except TORN:
        return False
