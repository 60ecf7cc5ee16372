"""What a source looked like when it was read, as one hash: another fingerprint, other data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from surefoot.data.readers.members import File, Member


def of_listing(files: Iterable[tuple[str, int, int]]) -> str:
    """SHA-256 (hex) of (relative path, size in bytes, mtime in ns) of every file, in the order of their paths."""
    digest = hashlib.sha256()
    for name, size, mtime in sorted(files):
        digest.update(f"{name}\0{size}\0{mtime}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def of_files(files: Iterable[File]) -> str:
    """The same of some files by name; of a member of an archive, its archive's."""
    files = list(files)
    inside = [of_words(file.name, file.fingerprint) for file in files if isinstance(file, Member)]
    outside = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if not isinstance(file, Member)]
    return of_words(of_listing(outside), *inside) if inside else of_listing(outside)


def of_words(*words: str) -> str:
    """SHA-256 (hex) of words: of what has no file, or of several fingerprints together."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
