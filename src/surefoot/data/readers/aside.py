"""Large columns laid aside: written to a file without a name and mapped, so that they take no memory of the process's own."""

from __future__ import annotations

import mmap
from collections.abc import Iterable

import pyarrow as pa

from surefoot import durable


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
