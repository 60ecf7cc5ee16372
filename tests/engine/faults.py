"""A disk that can fail: it notes each call that changes a folder, and lets the n-th one fail.

It stands where Python meets the system (`io.open`, raw writes, `os.fsync`, `os.replace`, `os.mkdir`, `os.unlink`), so that whatever writes is tested
as it is, buffers and threads included.
"""

from __future__ import annotations

import builtins
import io
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest


@dataclass(frozen=True)
class Call:
    """One change of the disk: create, write, sync (of a file), rename, unlink, mkdir, or sync_folder. `target` is the new name of a rename."""

    name: str
    path: Path
    target: Path | None = None
    data: bytes = b""


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the n-th call, counted from 1.

    Attributes:
        code: of the error, e.g. `errno.ENOSPC`; a write puts half of its bytes down before. 0: a write takes half of its bytes and says so, which is no error.
        lasts: every later call fails too, as on a full disk; only deleting works.
    """

    number: int
    code: int = 0
    lasts: bool = False

    def strikes(self, number: int, call: Call) -> bool:
        """Whether this call, the `number`-th, goes wrong."""
        return number == self.number or (self.lasts and number > self.number and call.name != "unlink")


class Disk:
    """Inside a `with` block, notes in `calls` what is done below `root`, and fails as `fault` says. Other folders are left alone."""

    def __init__(self, root: Path, fault: Fault | None = None) -> None:
        self.root, self.fault = root, fault
        self.calls: list[Call] = []
        self._opened: dict[int, Path] = {}
        self._patch = pytest.MonkeyPatch()
        self._turn = threading.Lock()

    def __enter__(self) -> Disk:
        opened = self._wrap_open(io.open)
        for module, name, function in (
            (io, "open", opened),
            (builtins, "open", opened),
            (os, "open", self._wrap_os_open(os.open)),
            (os, "fsync", self._wrap_fsync(os.fsync)),
            (os, "replace", self._wrap_rename(os.replace)),
            (os, "rename", self._wrap_rename(os.rename)),
            (os, "mkdir", self._wrap(os.mkdir, "mkdir", lambda path: not os.path.lexists(path))),
            (os, "unlink", self._wrap(os.unlink, "unlink", os.path.lexists)),
        ):
            self._patch.setattr(module, name, function)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._patch.undo()

    def has_failed(self) -> bool:
        """Whether the fault's turn came."""
        return self.fault is not None and len(self.calls) >= self.fault.number

    def note(self, call: Call) -> bool:
        """Counts a call; whether it takes only half of its bytes.

        Raises:
            OSError: it is this call's turn to fail.
        """
        with self._turn:
            self.calls.append(call)
            strikes = self.fault is not None and self.fault.strikes(len(self.calls), call)
        if strikes and self.fault and self.fault.code:
            raise OSError(self.fault.code, os.strerror(self.fault.code))
        return strikes

    def _is_ours(self, path: Any) -> bool:
        return not isinstance(path, int) and Path(os.fsdecode(path)).is_relative_to(self.root)

    def _wrap(self, function: Callable, name: str, changes: Callable[[Any], bool]) -> Callable:
        def call(path: Any, *args: Any, **options: Any) -> Any:
            if self._is_ours(path) and changes(path):
                self.note(Call(name, Path(path)))
            return function(path, *args, **options)

        return call

    def _wrap_rename(self, function: Callable) -> Callable:
        def call(path: Any, target: Any) -> None:
            if self._is_ours(target):
                self.note(Call("rename", Path(path), Path(target)))
            function(path, target)

        return call

    def _wrap_open(self, function: Callable) -> Callable:
        def call(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if not set(mode) & set("wxa+") or not self._is_ours(path):
                return function(path, mode, *args, **options)
            if not os.path.lexists(path):
                self.note(Call("create", Path(path)))
            raw = _Raw(Path(path), mode, self)
            self._opened[raw.fileno()] = Path(path)
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)

        return call

    def _wrap_os_open(self, function: Callable) -> Callable:
        def call(path: Any, *args: Any, **options: Any) -> int:
            handle = function(path, *args, **options)
            self._opened[handle] = Path(os.fsdecode(path))
            return handle

        return call

    def _wrap_fsync(self, function: Callable) -> Callable:
        def call(handle: int) -> None:
            path = self._opened[handle]
            if self._is_ours(path):
                self.note(Call("sync_folder" if path.is_dir() else "sync", path))  # and no more: tests lose no power, and a disk takes its time
            else:
                function(handle)

        return call


class _Raw(io.FileIO):
    """A file below its buffer: each write is one call that may fail, or take only half."""

    def __init__(self, path: Path, mode: str, disk: Disk) -> None:
        super().__init__(path, mode.replace("b", ""))
        self.path, self.disk = path, disk

    def write(self, data: Any) -> int:
        whole = bytes(data)
        try:
            is_short = self.disk.note(Call("write", self.path, data=whole))
        except OSError:
            super().write(whole[: len(whole) // 2])
            raise
        return super().write(whole[: max(1, len(whole) // 2)] if is_short else whole)
