"""Large columns laid aside: written to a file without a name and mapped, so that they take no memory of the process's own."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from surefoot import durable
from surefoot.types.errors import SurefootError


def keep_batches(schema: pa.Schema, batches: Iterable[pa.RecordBatch], *, in_memory: bool) -> pa.Table:
    """The batches as one table, of which one at a time is held unless it is asked for `in_memory`.

    Raises:
        ResourceError: the disk is full.
    """
    if in_memory:
        return pa.Table.from_batches(batches, schema)
    with durable.scratch() as file:
        with pa.ipc.new_file(pa.PythonFile(file, "w"), schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped))).read_all()


class Shelf:
    """Arrays laid aside one by one and mapped together at the end; what is written into them then stays in memory, and all of it where the disk is full."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file, self._is_open = file, file is not None
        self._kept: dict[str, np.ndarray] = {}
        self._laid: dict[str, tuple[np.dtype, int, int]] = {}

    def put(self, name: str, values: np.ndarray) -> None:
        """One array (N,) under its name; words can't be laid aside, and stay."""
        if self._file is None or not self._is_open or values.dtype.hasobject or not len(values):
            self._kept[name] = values
            return
        try:
            begin = self._file.tell()
            self._file.write(np.ascontiguousarray(values).view(np.uint8).data)
            self._file.flush()
            self._laid[name] = (values.dtype, begin, len(values))
        except OSError:
            self._kept[name], self._is_open = values, False

    def take(self) -> dict[str, np.ndarray]:
        """All of them."""
        if not self._laid or self._file is None:
            return self._kept
        mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)
        return self._kept | {name: np.frombuffer(mapped, kind, num, begin) for name, (kind, begin, num) in self._laid.items()}


@contextmanager
def open_shelf(*, in_memory: bool) -> Iterator[Shelf]:
    """A place to lay arrays aside, in a file without a name; `in_memory`, or where no file can be made, there is none."""
    with ExitStack() as stack:
        file = None
        if not in_memory:
            with suppress(SurefootError):
                file = stack.enter_context(durable.scratch())
        yield Shelf(file)
