"""Files inside a .tar, .tar.gz, .tar.xz, .tar.bz2 or .zip, read in place: nothing is ever unpacked to the disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import mmap
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Self

from surefoot.data import pictures
from surefoot.data.readers import fingerprint
from surefoot.data.readers.folder import printable
from surefoot.data.readers.members import MAX_RATIO, RATIO_COUNTS_FROM, File, Member, open_file
from surefoot.data.readers.piles import Entry, Pile, is_hidden, split_path
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ItemError, Refused

MAX_HELD_BYTES = 512 * 2**20
BOMB = "nothing honest shrinks so far"

TORN = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError)
UNPACKERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\0": lzma.open, b"BZh": bz2.open}


class _Header(tarfile.TarInfo):
    """A header of which, where it is a plain file's, name, size and checksum alone are read: 60,000 take 1.4 instead of 2.2 seconds."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            size, told = (int(bytes(field).partition(b"\0")[0] or b"0", 8) for field in (buf[124:136], buf[148:156]))
            is_plain = len(buf) == tarfile.BLOCKSIZE and buf[156:157] == tarfile.REGTYPE and told == sum(buf) - sum(buf[148:156]) + 8 * ord(" ")
        except ValueError:
            is_plain = False
        if not is_plain:  # odd or broken: tarfile knows
            return super().frombuf(buf, encoding, errors)
        name, folder = (bytes(field).partition(b"\0")[0].decode(encoding, errors) for field in (buf[:100], buf[345:500]))
        header = cls(f"{folder}/{name}" if folder else name)
        header.size, header.chksum = size, told
        return header


def list_tar(path: Path) -> Pile:
    """Lists the files in a tar archive; each is read when asked for.

    A plain tar is mapped, so an item is one slice of it, wherever it lies. A packed tar can't be entered in its middle
    without unpacking all that comes before, so it is unpacked once, into memory, if it has at most 512 MiB there.

    Raises:
        DataError: torn. UsageError: a packed tar is too large for memory.
    """
    try:
        data = _unpack(path)
        entries, refused = _list_tar(data)
    except TORN as error:
        raise _explain_torn(path, error) from error

    def fetch(entry: Entry, limit: int) -> bytes:
        return bytes(data[entry.key : entry.key + min(entry.size, limit)])

    def view(entry: Entry) -> memoryview:
        return memoryview(data)[entry.key : entry.key + entry.size]

    return Pile(path.name, entries, fetch, refused, fingerprint.of_files([path]), view)


def list_zip(path: Path) -> Pile:
    """Lists the files in a zip archive; each is read when asked for.

    Raises:
        DataError: torn.
    """
    try:
        data = _map(path)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except TORN as error:
        raise _explain_torn(path, error) from error
    files = [(_clean(member.filename), member) for member in members if not member.is_dir()]
    entries, refused = _sift([(place, member.file_size, member, _judge_zip(member)) for place, member in files])

    def fetch(entry: Entry, limit: int) -> bytes:
        try:
            return _inflate(data, entry.key, limit)
        except TORN as error:
            raise ItemError(f"can't be taken out of the archive: {error}") from error

    return Pile(path.name, entries, fetch, refused, fingerprint.of_files([path]))


def is_tar(path: Path, head: bytes) -> bool:
    """Whether a file's unpacked first bytes are a tar header, or its name says so (old ones have no mark)."""
    return head[257:262] == b"ustar" or ".tar" in path.suffixes[-2:] or path.suffix == ".tgz"


def is_zip(path: Path, head: bytes) -> bool:
    """Whether a file is a zip archive, or its name says so."""
    return head[:4] in (b"PK\3\4", b"PK\5\6") or path.suffix.lower() == ".zip"


def unpacked_head(path: File, size: int) -> bytes:
    """The first bytes of a file, unpacked where it is gzip, xz or bzip2; nothing where that fails."""
    with open_file(path) as file:
        head = file.read(size)
        for magic, unpack in UNPACKERS.items():
            if head.startswith(magic):
                file.seek(0)
                try:
                    with unpack(file) as content:
                        return content.read(size)
                except TORN:
                    return b""
    return head


def list_members(pile: Pile) -> list[Member]:
    """The files of an archive as files that can be read whole; hidden and system files aside."""

    def fetcher(entry: Entry) -> Callable[[], bytes]:
        return lambda: pile.fetch(entry, entry.size)

    return [
        Member(split_path(entry.path)[-1], f"{pile.name}/{entry.path}", fetcher(entry), pile.fingerprint) for entry in pile.entries if not is_hidden(entry.path)
    ]


def _unpack(path: Path) -> Any:
    """The bytes of a tar: mapped if it is plain, else unpacked in memory."""
    with open(path, "rb") as file:
        head = file.read(6)
    unpack = next((unpack for magic, unpack in UNPACKERS.items() if head.startswith(magic)), None)
    if unpack is None:
        return _map(path)
    with unpack(path) as file:
        data = file.read(MAX_HELD_BYTES + 1)
    if len(data) > MAX_HELD_BYTES:
        raise UsageError(
            f"{path.name} unpacks to more than {MAX_HELD_BYTES // 2**20} MiB, which is too much to hold in memory.",
            where=str(path),
            next="Unpack it and name the folder, or pack it anew as a plain .tar or a .zip: these are read in place.",
        )
    return data


def _map(path: Path) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _list_tar(data: Any) -> tuple[list[Entry], list[Refused]]:
    found: list[tuple[str, int, Any, str]] = []
    file = data if isinstance(data, mmap.mmap) else BytesIO(data)
    with tarfile.open(fileobj=file, mode="r:", tarinfo=_Header) as archive:
        end = 0
        for member in archive:
            if archive.offset <= end or member.size < 0:  # a hostile header can lead backwards, for ever
                raise tarfile.ReadError(f"the header of member {len(found)} leads backwards")
            end = archive.offset
            if not member.isdir():
                found.append((_clean(member.name), member.size, member.offset_data, _judge_tar(member)))
        if any(data[archive.offset : archive.offset + tarfile.BLOCKSIZE]):  # tarfile takes a broken header for the end
            raise tarfile.ReadError(f"the header at byte {archive.offset:,} is broken")
    return _sift(found)


def _sift(found: list[tuple[str, int, Any, str]]) -> tuple[list[Entry], list[Refused]]:
    """Members with a reason against them are refused; of equal names the last one counts, as when unpacking."""
    entries: dict[str, Entry] = {}
    refused = []
    for place, size, key, reason in found:
        reason = _judge_path(place) or reason
        if reason:
            refused.append(Refused(place, reason, pictures.TOO_LARGE if reason.endswith(BOMB) else pictures.WRONG_TYPE))
            continue
        if place in entries:
            refused.append(Refused(place, "a later member of the archive has the same name", pictures.WRONG_TYPE))
        entries[place] = Entry(place, size, key)
    return list(entries.values()), refused


def _judge_path(place: str) -> str:
    if place.startswith("/") or re.match(r"[A-Za-z]:", place):
        return "an absolute path inside an archive"
    if ".." in split_path(place):
        return "a path that leads out of the archive (..)"
    return ""


def _judge_tar(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "a link inside an archive"
    if not member.isreg() or member.issparse():
        return "a special file inside an archive"
    return ""


def _judge_zip(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a link inside an archive"
    if member.flag_bits & 1:
        return "encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"packed by method {member.compress_type}; stored and deflated members are read"
    if member.file_size > RATIO_COUNTS_FROM and member.file_size > MAX_RATIO * member.compress_size:
        return f"unpacks {member.compress_size:,} bytes to {member.file_size:,}: {BOMB}"
    return ""


def _inflate(data: mmap.mmap, member: zipfile.ZipInfo, limit: int) -> bytes:
    """The first `limit` bytes of a zip member (APPNOTE 4.3.7), by offset alone, so that threads and forks may read at once."""
    name_size, extra_size = struct.unpack_from("<2H", data, member.header_offset + 26)
    start = member.header_offset + 30 + name_size + extra_size
    packed = data[start : start + member.compress_size]
    wanted = min(limit, member.file_size)
    content = packed[:wanted] if member.compress_type == zipfile.ZIP_STORED else zlib.decompressobj(-15).decompress(packed, max(wanted, 1))
    if len(content) != wanted or (wanted == member.file_size and zlib.crc32(content) != member.CRC):
        raise zipfile.BadZipFile("its size or checksum is not what the archive says")
    return content


def _clean(name: str) -> str:
    """A member's name with `/` between folders and no `./` before it."""
    return printable(name).replace("\\", "/").removeprefix("./")


def _explain_torn(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path.name} is torn or no archive: {error}.",
        where=str(path),
        next="Copy or download it again, and compare its size or checksum with the original's.",
    )
