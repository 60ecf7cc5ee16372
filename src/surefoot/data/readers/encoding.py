"""The bytes of a text file -> UTF-8 with plain line ends."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np

from surefoot.data.readers.members import MAX_RATIO, RATIO_COUNTS_FROM, File, open_file
from surefoot.types.errors import DataError
from surefoot.types.source import ItemError

MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
STEP = 2**20
Bytes: TypeAlias = bytes | bytearray
"""Files are read into what can be cut where it is."""


def read_utf8(path: File) -> tuple[Bytes, list[str]]:
    """Reads a text file, gzip or plain: its content as UTF-8 with `\\n` line ends, and notes on what was assumed.

    A byte order mark decides, then the zeros that UTF-16 has in Latin text, then whether it is valid UTF-8; else it is
    taken as Windows-1252, the commonest encoding of old spreadsheets.

    Raises:
        DataError: torn gzip, or no text at all.
    """
    data, notes = decode(path, read_bytes(path))
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = len(data)
    while end and data[end - 1] == ord("\n"):
        end -= 1
    if isinstance(data, bytearray):
        del data[end:]  # where it is: `rstrip` holds the file twice
        return data, notes
    return data[:end], notes


def looks_like_text(head: bytes) -> bool:
    """Whether the first bytes of a file are text in a known encoding."""
    return bool(head) and (head.startswith(tuple(MARKS)) or b"\0" not in head or _guess_utf16(head) != "")


def read_bytes(path: File) -> Bytes:
    """The content of a file, unpacked where it is gzip.

    Raises:
        DataError: torn or unreadable, or packed so small that it is a bomb, which is unpacked no further than to know it.
    """
    try:
        with open_file(path) as file:
            is_packed = file.read(2) == b"\x1f\x8b"
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            limit = max(RATIO_COUNTS_FROM, MAX_RATIO * size)
            data = gzip.GzipFile(fileobj=file).read(limit + 1) if is_packed else _read_all(file, size)
    except (ItemError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path.name} can't be read: {error}.", where=str(path), next="Copy or download it again; it may be truncated.") from error
    if is_packed and len(data) > limit:
        raise DataError(
            f"{path.name} unpacks {size:,} bytes to more than {limit:,}: nothing honest shrinks so far.",
            where=str(path),
            next="If you trust it, unpack it yourself (gunzip) and name the file that comes out.",
        )
    return data


def _read_all(file: BinaryIO, size: int) -> bytearray:
    """The rest of a file of about this size, in memory that can be cut where it is."""
    data = bytearray(size)
    del data[file.readinto(data) :]  # type: ignore[attr-defined]
    data += file.read()  # what was written meanwhile
    return data


def decode(path: File, data: Bytes) -> tuple[Bytes, list[str]]:
    """The content of a file as UTF-8, and notes on what was assumed; see `read_utf8`.

    Raises:
        DataError: it holds zero bytes and is no UTF-16.
    """
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            data = data[len(mark) :]
            return (data, []) if encoding == "utf-8" and _is_utf8(data) else (_recode(data, encoding), [])
    if b"\0" in data[:4096]:
        encoding = _guess_utf16(data[:4096])
        if not encoding:
            raise DataError(f"{path.name} is no text: it holds zero bytes.", where=str(path), next="Save it as text, UTF-8, and try again.")
        return _recode(data, encoding), [f"{path.name} has no byte order mark; its zeros say {encoding.upper()}."]
    if _is_utf8(data):
        return data, []
    return _recode(data, "cp1252"), [_note_assumed(path.name)]


def read_words(place: str, data: bytes) -> tuple[str, list[str]]:
    """The text of a small file that says something of others (labels, names of classes, lists), and notes on what was assumed; see `read_utf8`.

    Signs that are no text are replaced, not refused: whoever reads the words tells what is wrong with them.
    """
    try:
        words, notes = decode(Path(place), data)
    except DataError:  # zero bytes
        words, notes = data, []
    return words.decode("utf-8", "replace"), notes


def decode_cells(place: str, cells: np.ndarray) -> tuple[list[str], list[str]]:
    """Byte strings, dtype S of shape (N,), as N words, all in one encoding, and notes on what was assumed; see `read_utf8`."""
    distinct, at = np.unique(cells, return_inverse=True)
    encoding = "utf-8" if _is_utf8(b"\n".join(distinct.tolist())) else "cp1252"
    words = [cell.decode(encoding, "replace") for cell in distinct.tolist()]
    return [words[position] for position in at.tolist()], [_note_assumed(place)] if encoding == "cp1252" else []


def _note_assumed(name: str) -> str:
    return f"{name} is not UTF-8; it was read as Windows-1252, so look at its accents and signs."


def _recode(data: Bytes, encoding: str) -> bytes:
    return data.decode(encoding, errors="replace").encode("utf-8")


def _is_utf8(data: Bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), STEP):
            decoder.decode(data[start : start + STEP], final=start + STEP >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def _guess_utf16(sample: Bytes) -> str:
    """Latin text in UTF-16 is zero at every other byte; nothing else in a text file is."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 0.3 * len(sample[::2]) or min(even, odd) > 0.02 * len(sample):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"
