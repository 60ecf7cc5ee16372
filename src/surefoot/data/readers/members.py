"""Files to read, on the disk or inside an archive: whoever reads one need not know which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
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


def tell_apart(files: Sequence[File]) -> list[str]:
    """A name for each file: its own, or of equal ones (`a/data.csv`, `b/data.csv`) as much of the path as tells them apart.

    Places begin with it, by which repairs and reports say which item is meant: one that stood for two would drop both.
    """
    names = [file.name for file in files]
    for name in [name for name, count in Counter(names).items() if count > 1]:
        which = [number for number, file in enumerate(files) if file.name == name]
        paths = [str(files[number]).replace("\\", "/").strip("/").split("/") for number in which]
        most = max(map(len, paths))
        depth = next((depth for depth in range(2, most) if len({tuple(path[-depth:]) for path in paths}) == len(paths)), most)
        for number, path in zip(which, paths, strict=True):
            names[number] = "/".join(path[-depth:])
    return names


def open_file(file: File) -> BinaryIO:
    """The bytes of a file, from their beginning."""
    return BytesIO(file.fetch()) if isinstance(file, Member) else open(file, "rb")
