"""A folder of pictures."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from surefoot.data import pictures
from surefoot.data.readers import fingerprint
from surefoot.data.readers.opening import open_pile
from surefoot.data.readers.piles import Entry, Pile, has_picture_suffix, is_hidden
from surefoot.types.source import ImageSource, ItemError, Refused

EFFECTIVE_IDS = os.access in os.supports_effective_ids


def open_folder(path: Path, known: frozenset[str] = frozenset(), *, is_labelled: bool = True) -> ImageSource:
    """Lists the pictures below a folder; each is read when asked for.

    Links are followed to files inside the folder only: a link out of it, to a folder, or in a circle is refused.

    Raises:
        DataError: no pictures, or no labels.
    """
    return open_pile(walk(path), known, is_labelled=is_labelled)


def holds_pictures(path: Path) -> bool:
    """Whether some file below a folder is named like a picture; hidden folders and links aside."""
    for _, below, files in os.walk(path):
        below[:] = [name for name in below if not is_hidden(name)]
        if any(has_picture_suffix(name) and not is_hidden(name) for name in files):
            return True
    return False


def printable(name: str) -> str:
    """A file name as text that can be written anywhere; bytes that are no UTF-8 become `\\udcxx`."""
    return name.encode("utf-8", "backslashreplace").decode()


def walk(path: Path) -> Pile:
    """Every file below a folder; what can't be entered or leads out of it is refused."""
    top = path.resolve()
    entries: list[Entry] = []
    refused: list[Refused] = []
    listing: list[tuple[str, int, int]] = []
    waiting = [(top, "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as found:
                inside = list(found)
        except OSError as error:
            refused.append(Refused(prefix, f"the folder can't be read: {error.strerror}"))
            continue
        if not inside and prefix:
            refused.append(Refused(prefix, "an empty folder", pictures.EMPTY))
        for one in inside:
            place = prefix + printable(one.name)
            reason = _find_obstacle(one, top)
            if reason:
                refused.append(Refused(place, reason, pictures.WRONG_TYPE))
            elif one.is_dir():
                waiting.append((Path(one.path), place + "/"))
            else:
                facts = one.stat()
                listing.append((place, facts.st_size, facts.st_mtime_ns))
                entries.append(Entry(place, facts.st_size, one.path))
    return Pile(f"{path.name}/", entries, _fetch, refused, fingerprint.of_listing(listing))


def _find_obstacle(one: os.DirEntry[str], top: Path) -> str:
    """Why an entry of a folder can't be used, or nothing."""
    try:
        if one.is_symlink():
            target = Path(os.path.realpath(one.path, strict=True))
            if not target.is_relative_to(top):
                return "a link that leads out of the folder"
            if target.is_dir():
                return "a link to a folder inside, whose files are read where they are"
        mode = one.stat().st_mode
    except OSError as error:
        return f"can't be reached: {error.strerror}"
    if stat.S_ISDIR(mode):
        return "a hidden or system folder" if is_hidden(one.name) else ""
    if not stat.S_ISREG(mode):
        return "neither a file nor a folder"
    if not os.access(one.path, os.R_OK, effective_ids=EFFECTIVE_IDS):
        return "no permission to read it"
    return ""


def _fetch(entry: Entry, limit: int) -> bytes:
    try:
        with open(entry.key, "rb") as file:
            content = file.read(min(limit, entry.size + 1))  # room for 256 MB is asked of the system in 28 µs, which a small file is read in three times
            return content if len(content) <= entry.size else content + file.read(limit - len(content))  # it has grown since it was listed
    except OSError as error:
        raise ItemError(f"the file can't be read: {error.strerror}") from error
