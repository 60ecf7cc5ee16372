"""Shards: the Arrow files that a pack lies in. Each block of each has its checksums, and a column is compared with its own when it is first read.

So a pack of any size opens in the time that its manifest takes, and damage is noticed where it matters and named by its block. Shards are plain
Arrow IPC files, which everything reads; what we read is found by the offsets of the manifest, so that a torn footer harms nobody.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from surefoot.types.data_reports import FieldSpec, RefusedItem
from surefoot.types.errors import DamagedError
from surefoot.types.findings import Plain

JPEG = "jpeg"
"""The form of a field whose pictures are stored as the bytes of JPEG files."""
_AGAIN = "Delete the file, then pack again: `surefoot run --from prepare` in a project, the same `surefoot pack` elsewhere."


class BlockFacts(Plain):
    """Where a block lies in its shard, and its checksums.

    Attributes:
        offset, length: of its Arrow message, in bytes. rows: how many it holds.
        head: checksum of the message's description. columns: checksum per column.
    """

    offset: int
    length: int
    rows: int
    head: str
    columns: dict[str, str]


class ShardFacts(Plain):
    """A file of a pack: its name in the store, its blocks, and the items that could not be put into them."""

    file: str
    blocks: tuple[BlockFacts, ...]
    refused: tuple[RefusedItem, ...] = ()

    @property
    def rows(self) -> int:
        """Items in all of its blocks."""
        return sum(block.rows for block in self.blocks)


def make_schema(fields: tuple[FieldSpec, ...], num_targets: int, forms: Mapping[str, str], metadata: Mapping[bytes, bytes] | None = None) -> pa.Schema:
    """Columns `id`, `place`, one per field, `target` (list of float64), `weight` (float32)."""
    columns = [pa.field("id", pa.string()), pa.field("place", pa.string())]
    columns += list(make_input_schema(fields, forms))
    columns += [pa.field("target", pa.list_(pa.float64(), num_targets)), pa.field("weight", pa.float32())]
    return pa.schema(columns, metadata=dict(metadata or {}))


def make_input_schema(fields: tuple[FieldSpec, ...], forms: Mapping[str, str]) -> pa.Schema:
    """The columns of the fields alone."""
    return pa.schema([pa.field(field.name, _type_of(field, forms.get(field.name, ""))) for field in fields])


def _type_of(field: FieldSpec, form: str) -> pa.DataType:
    if form == JPEG:
        return pa.large_binary()
    inner = pa.from_numpy_dtype(np.dtype(field.dtype))
    return pa.large_list(inner) if field.is_ragged else pa.list_(inner, int(np.prod(field.shape)))


def to_column(values: Any, field: FieldSpec, form: str = "") -> pa.Array:
    """The values of a field as they are stored.

    Args:
        values: an array (N, *shape), with zeros at the end of what is ragged; the bytes of N files for `JPEG`; or a column already.
    """
    if isinstance(values, pa.Array):
        return values
    if form == JPEG:
        return pa.array(values, pa.large_binary())
    return _trim(values) if field.is_ragged else to_list(values)


def to_list(array: np.ndarray) -> pa.Array:
    """(N, *shape) -> N lists of one length."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), int(np.prod(array.shape[1:])))


def _trim(array: np.ndarray) -> pa.Array:
    """(N, L, ...) -> N lists without the zeros at their end, whole steps of the first axis each: what is cut off, `pad` puts back."""
    flat = np.ascontiguousarray(array).reshape(len(array), array.shape[1], -1)
    used = (flat != 0).any(2)
    lengths = np.where(used.any(1), array.shape[1] - used[:, ::-1].argmax(1), 0)
    kept = flat[np.arange(array.shape[1]) < lengths[:, None]].reshape(-1)
    offsets = np.concatenate([[0], np.cumsum(lengths * flat.shape[2])]).astype(np.int64)
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(kept))


def pad(column: Any, rows: np.ndarray, out: np.ndarray) -> None:
    """Writes some rows of a ragged column into `out` (len(rows), size), which holds zeros."""
    offsets, values = column.offsets.to_numpy(), column.values.to_numpy()
    lengths = offsets[rows + 1] - offsets[rows]
    at = np.repeat(np.arange(len(rows)), lengths)
    inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    out[at, inside] = values[np.repeat(offsets[rows], lengths) + inside]


class ShardWriter:
    """A shard under way.

    Args:
        sink: has `write` and `tell`. schema: from `make_schema`.
    """

    def __init__(self, sink: Any, schema: pa.Schema) -> None:
        self.blocks: list[BlockFacts] = []
        self._sink, self._schema = sink, schema
        self._file = pa.PythonFile(sink, mode="w")
        self._writer = pa.ipc.new_file(self._file, schema)

    def add(self, columns: list[pa.Array]) -> None:
        """Writes a block."""
        message = pa.RecordBatch.from_arrays(columns, schema=self._schema).serialize()
        batch = pa.ipc.read_record_batch(message, self._schema)  # as it will be read: its buffers have the lengths that they have in the file
        self._writer.write_batch(batch)
        sums = {name: _sum_column(batch.column(name)) for name in self._schema.names}
        facts = BlockFacts(offset=self._sink.tell() - message.size, length=message.size, rows=batch.num_rows, head=_sum(_head(message)), columns=sums)
        self.blocks.append(facts)

    def close(self) -> None:
        """Writes the footer."""
        self._writer.close()
        self._file.close()


class Shard:
    """A shard, mapped for reading. Nothing is read before it is asked for.

    Args:
        path: the file. facts, schema: from the pack's manifest. name: how messages call the pack.
    """

    def __init__(self, path: Path, facts: ShardFacts, schema: pa.Schema, name: str) -> None:
        self._path, self._facts, self._schema, self._name = path, facts, schema, name
        self._buffer = pa.memory_map(str(path)).read_buffer() if path.stat().st_size else pa.py_buffer(b"")
        self._batches: dict[int, pa.RecordBatch] = {}
        self._columns: dict[tuple[int, str], Any] = {}

    def column(self, number: int, name: str) -> Any:
        """A column of a block, compared with its checksum when it is first asked for; it is not copied.

        Raises:
            DamagedError: the block is not what was written.
        """
        found = self._columns.get((number, name))
        if found is None:
            found = self._batch(number).column(name)
            if _sum_column(found) != self._facts.blocks[number].columns[name]:
                raise self._damage(number, f"its column {name} was altered")
            self._columns[number, name] = found
        return found

    def _batch(self, number: int) -> pa.RecordBatch:
        if number not in self._batches:
            facts = self._facts.blocks[number]
            if facts.offset + facts.length > self._buffer.size:
                raise self._damage(number, "the file breaks off before its end")
            message = self._buffer.slice(facts.offset, facts.length)
            if _sum(_head(message)) != facts.head:
                raise self._damage(number, "its head was altered")
            self._batches[number] = pa.ipc.read_record_batch(message, self._schema)
        return self._batches[number]

    def _damage(self, number: int, why: str) -> DamagedError:
        return DamagedError(f"Block {number} of {len(self._facts.blocks)} of the {self._name} was altered: {why}.", where=str(self._path), next=_AGAIN)


def _head(message: pa.Buffer) -> pa.Buffer:
    """The description of an encapsulated Arrow message: marker, size, metadata (Arrow IPC format, "Encapsulated message format")."""
    _, size = struct.unpack_from("<Ii", message, 0)
    return message.slice(0, max(0, min(8 + size, message.size)))


def _sum_column(column: Any) -> str:
    return _sum(*(buffer for buffer in column.buffers() if buffer is not None))


def _sum(*buffers: Any) -> str:
    """8 hex digits of CRC-32: a flipped bit or a torn page is always seen, chance damage but for one in four billion, at eight times the speed of SHA-256."""
    found = 0
    for buffer in buffers:
        found = zlib.crc32(buffer, found)
    return f"{found:08x}"
