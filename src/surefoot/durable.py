"""The one place that writes files. Two verbs: `replace` a whole file (or `rename` a whole one), `append` a line.

A reader sees the old file or the new one, never a mix: the bytes go to a temporary file in the same folder, are synced,
and only then take the name; the folder is synced too, or the name itself could be lost with the power. (Pillai et al. 2014,
"All File Systems Are Not Created Equal", lists what breaks when one of these is left out.)
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from surefoot.types.errors import ResourceError, SurefootError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends without an error; until then nothing is changed.

    Raises:
        ResourceError: the disk is full.
        SurefootError: the folder can't be written to.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        _make_folder(path.parent)
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        if error.filename is not None and str(error.filename) not in map(str, (temporary, *path.parents)):
            raise  # a file that the block itself opened
        raise _explain(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """Makes `data` the whole content of `path`, or leaves `path` as it was.

    Raises:
        ResourceError: the disk is full.
        SurefootError: the folder can't be written to.
    """
    with replacing(path) as file:
        file.write(data)


def rename(path: Path, target: Path) -> None:
    """Gives a whole and synced file another name; `target` is replaced at once."""
    try:
        _make_folder(target.parent)
        os.replace(path, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise _explain(error, target) from error


@contextlib.contextmanager
def scratch() -> Iterator[BinaryIO]:
    """A file without a name in the system's folder for such, gone when nobody has it open or mapped any more.

    Raises:
        ResourceError: the disk is full.
        SurefootError: there is no such folder, or it can't be written to.
    """
    try:
        with tempfile.TemporaryFile() as file:
            yield file
    except OSError as error:
        raise _explain(error, Path("a temporary file")) from error


def append(path: Path, line: bytes) -> None:
    """Adds one line to a log; a torn last line, left by a crash, is cut off first.

    Args:
        path: made where it does not exist.
        line: without the newline.
    """
    if b"\n" in line:
        raise ValueError("a line holds no newline")
    try:
        _make_folder(path.parent)
        is_new = not path.exists()
        with path.open("ab+") as file:
            cut_torn_line(file)
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(path.parent)
    except OSError as error:
        raise _explain(error, path) from error


def cut_torn_line(file: BinaryIO) -> None:
    """Truncates the file after its last newline and leaves the position at the end."""
    end = file.seek(0, os.SEEK_END)
    keep, block = end, 4096
    while keep > 0:
        start = max(0, keep - block)
        file.seek(start)
        newline = file.read(keep - start).rfind(b"\n")
        if newline >= 0:
            keep = start + newline + 1
            break
        keep = start
    if keep != end:
        file.truncate(keep)
    file.seek(0, os.SEEK_END)


def remove(path: Path) -> None:
    """Deletes a file that no result needs; a missing one is fine."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _explain(error, path, "deleted") from error


def sweep(folder: Path) -> int:
    """Deletes temporary files that a crash left in `folder` and below; returns how many."""
    left = [path for path in folder.rglob(".*.part") if path.is_file()]
    for path in left:
        remove(path)
    return len(left)


def _make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each synced into the one that names it."""
    if not folder.is_dir() and folder != folder.parent:
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows can't open folders; its rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explain(error: OSError, path: Path, done: str = "written") -> SurefootError:
    if error.errno in _FULL:
        return ResourceError(
            f"The disk is full: {path.name} could not be written.",
            where=str(path),
            next="Free some space (`surefoot clean` shows what this project takes), then give the same command again.",
        )
    return SurefootError(
        f"{path.name} could not be {done}: {error.strerror or error}.",
        where=str(path),
        next="Check the folder's permissions, then give the same command again.",
    )
