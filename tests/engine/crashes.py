"""What a crash may leave: a recorded sequence of calls, cut anywhere, on a disk that keeps only what it was told to sync.

The model is that of a POSIX file system with a journal that promises no more than it must (after Pillai et al. 2014, "All File Systems Are Not Created
Equal", whose abstract persistence models allow the same):

- Bytes written and not yet synced may be there or not: the file may be as it was, cut short, as long as it should be but filled with something else, or whole.
- Syncing a file keeps its bytes, and says nothing of its name.
- Names live in folders. Each create, rename and unlink changes a folder at once or not at all: a rename takes the old name away and gives the new one together.
- Of the changes of a folder since it was last synced, any subset may have been kept, whatever their order and whatever became of the bytes. Syncing the folder
  keeps them all. Folders do not wait for each other.
- What was synced stays.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .faults import Call

Files = dict[Path, bytes]


@dataclass
class _Body:
    """The bytes behind a name: as written, and as last synced."""

    data: bytes = b""
    kept: bytes = b""

    def outcomes(self) -> list[bytes]:
        """What a crash may make of it."""
        new = self.data[len(self.kept) :]
        if not new:
            return [self.data]
        garbage = new[: len(new) // 2] + bytes(len(new) - len(new) // 2)
        return list(dict.fromkeys(self.kept + left for left in (b"", new[: len(new) // 2], new[:-1], garbage, bytes(len(new)), new)))


@dataclass
class _Disk:
    """Names that are kept, changes of names that may be lost, and names as the program sees them."""

    kept: dict[Path, _Body]
    seen: dict[Path, _Body]
    waiting: list[tuple[Path, dict[Path, _Body | None]]] = field(default_factory=list)

    def change(self, folder: Path, names: dict[Path, _Body | None]) -> None:
        _put(self.seen, names)
        self.waiting.append((folder, names))

    def play(self, call: Call) -> None:
        folder = call.path.parent
        if call.name == "create":
            self.change(folder, {call.path: _Body()})
        elif call.name == "write":
            self.seen[call.path].data += call.data
        elif call.name == "sync":
            self.seen[call.path].kept = self.seen[call.path].data
        elif call.name == "rename" and call.target is not None and call.target.parent == folder:
            self.change(folder, {call.path: None, call.target: self.seen[call.path]})
        elif call.name == "unlink":
            self.change(folder, {call.path: None})
        elif call.name == "sync_folder":
            for _, names in (one for one in self.waiting if one[0] == call.path):
                _put(self.kept, names)
            self.waiting = [one for one in self.waiting if one[0] != call.path]
        else:
            raise ValueError(f"the model knows no {call}")

    def outcomes(self) -> Iterator[Files]:
        for chosen in itertools.product((False, True), repeat=len(self.waiting)):
            names = dict(self.kept)
            for _, change in itertools.compress(self.waiting, chosen):
                _put(names, change)
            for contents in itertools.product(*(body.outcomes() for body in names.values())):
                yield dict(zip(names, contents))


def read_files(root: Path) -> Files:
    """All files below a folder."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def crash(before: Files, calls: Sequence[Call]) -> Iterator[tuple[int, Files]]:
    """Each state that a crash may leave, once, with the number of calls that were made: the latest crash first.

    Args:
        before: what was on the disk, all of it synced.
    """
    for cut in range(len(calls), -1, -1):
        bodies = {path: _Body(data, data) for path, data in before.items()}
        disk, told = _Disk(dict(bodies), dict(bodies)), set()
        for call in calls[:cut]:
            disk.play(call)
        for files in disk.outcomes():
            if (key := frozenset(files.items())) not in told:
                told.add(key)
                yield cut, files


def _put(names: dict[Path, _Body], change: dict[Path, _Body | None]) -> None:
    for path, body in change.items():
        if body is None:
            names.pop(path, None)
        else:
            names[path] = body
