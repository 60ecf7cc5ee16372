"""Files to read, on the disk or inside an archive: whoever reads one need not know which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

MAX_RATIO, RATIO_COUNTS_FROM = 200, 16 * 2**20
"""Pictures shrink little, tables ten or twenty times; what has more than 16 MiB and shrank to less than 1/200 is a bomb."""


@dataclass(frozen=True)
class Member:
    """A file inside an archive.

    Attributes:
        name: its last part. where: the archive and the path in it. fetch: its whole content; raises ItemError.
        fingerprint: of the archive.
    """

    name: str
    where: str
    fetch: Callable[[], bytes]
    fingerprint: str

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix

    def __str__(self) -> str:
        return self.where


File = Path | Member


def open_file(file: File) -> BinaryIO:
    """The bytes of a file, from their beginning."""
    return BytesIO(file.fetch()) if isinstance(file, Member) else open(file, "rb")
