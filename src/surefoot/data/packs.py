"""Packs: every item, decoded once, in a memory-mapped Arrow file.

Columns: `id` (string), one fixed-size list per field, `target` (list of float64), `weight` (float32), `place` (string).
Blocks of `BLOCK` rows are record batches, so a pack of any size is written and read in little memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from surefoot.store import seal
from surefoot.types.context import Store
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import DamagedError

BLOCK = 1024
_FIELDS = b"fields"


@dataclass(frozen=True)
class Block:
    """Up to `BLOCK` rows on their way into a pack.

    Attributes:
        ids, places: N strings. inputs: one array (N, *shape) per field. targets: float64 (N, T). weights: float32 (N,).
    """

    ids: list[str]
    places: list[str]
    inputs: tuple[np.ndarray, ...]
    targets: np.ndarray
    weights: np.ndarray


def write_pack(store: Store, fields: tuple[FieldSpec, ...], num_targets: int, blocks: Iterable[Block], *, is_sealed: bool = False) -> str:
    """Streams blocks into the store; all but the last must hold `BLOCK` rows. Returns the pack's ref."""
    schema = _schema(fields, num_targets, is_sealed)
    with store.writing() as target, pa.PythonFile(target, mode="w") as sink, pa.ipc.new_file(sink, schema) as writer:
        is_last = False
        for block in blocks:
            assert not is_last, "a block that is not full must be the last: `gather` counts on it"
            is_last = len(block.ids) < BLOCK
            writer.write_batch(_to_batch(block, schema))
    return target.ref


class Pack:
    """A pack, open for reading. Nothing is copied until rows are gathered.

    Attributes:
        fields: what the inputs are. targets: float64 (N, T). weights: float32 (N,).
    """

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        metadata = self._reader.schema.metadata
        self.is_sealed = metadata[seal.SEALED] == b"1"
        self.fields = tuple(FieldSpec.model_validate(field) for field in json.loads(metadata[_FIELDS]))
        self._blocks = [self._reader.get_batch(number) for number in range(self._reader.num_record_batches)]
        self._num_rows = sum(block.num_rows for block in self._blocks)

    def __len__(self) -> int:
        return self._num_rows

    @cached_property
    def targets(self) -> np.ndarray:
        width = self._reader.schema.field("target").type.list_size
        parts = [_flat(block.column("target")).reshape(-1, width) for block in self._blocks]
        return np.concatenate(parts) if parts else np.zeros((0, width))

    @cached_property
    def weights(self) -> np.ndarray:
        parts = [block.column("weight").to_numpy() for block in self._blocks]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    @property
    def num_bytes(self) -> int:
        """Bytes of all inputs when held in memory."""
        return len(self) * sum(int(np.prod(f.shape)) * np.dtype(f.dtype).itemsize for f in self.fields)

    def ids(self, rows: np.ndarray | None = None) -> np.ndarray:
        return self._strings("id", rows)

    def places(self, rows: np.ndarray | None = None) -> np.ndarray:
        return self._strings("place", rows)

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Copies of the given rows, in the given order: one array (len(rows), *shape) per field."""
        block_of, inside = np.divmod(np.asarray(rows), BLOCK)
        out = tuple(np.empty((len(rows), *field.shape), field.dtype) for field in self.fields)
        for number in np.unique(block_of):
            here = block_of == number
            for target, field in zip(out, self.fields):
                target[here] = self._view(int(number), field)[inside[here]]
        return out

    def chunks(self, rows: np.ndarray, size: int = 8 * BLOCK) -> Iterator[tuple[np.ndarray, ...]]:
        """`gather`, some rows at a time, in little memory."""
        for start in range(0, len(rows), size):
            yield self.gather(rows[start : start + size])

    def read_all(self) -> tuple[np.ndarray, ...]:
        """Every row: one array (N, *shape) per field."""
        numbers = range(len(self._blocks))
        return tuple(
            np.concatenate([self._view(number, field) for number in numbers]) if numbers else np.empty((0, *field.shape), field.dtype) for field in self.fields
        )

    def _view(self, number: int, field: FieldSpec) -> np.ndarray:
        return _flat(self._blocks[number].column(field.name)).reshape(-1, *field.shape)

    def _strings(self, column: str, rows: np.ndarray | None) -> np.ndarray:
        table = self._reader.read_all().column(column)
        return np.asarray((table if rows is None else table.take(pa.array(rows))).to_pylist(), dtype=object)


def open_pack(store: Store, ref: str, key: seal.Key | None = None) -> Pack:
    """Opens a stored pack after comparing its bytes with its name.

    Raises:
        SealedError: it holds the test set, and there is no key.
        DamagedError: it is missing or was altered.
    """
    path = store.path(ref)
    if _hash(path, path.stat().st_mtime_ns) != ref:
        raise DamagedError(f"The pack {ref[:12]} was altered.", where=str(path), next="Delete it, then `surefoot run --from prepare`.")
    pack = Pack(path)
    seal.check(pack.is_sealed, key, where=f"pack {ref[:12]}")
    return pack


_HASHES: dict[tuple[Path, int], str] = {}


def _hash(path: Path, mtime: int) -> str:
    """SHA-256 of a file; once per process and change, for a pack is opened by many steps."""
    if (path, mtime) not in _HASHES:
        with path.open("rb") as file:
            _HASHES[path, mtime] = hashlib.file_digest(file, "sha256").hexdigest()
    return _HASHES[path, mtime]


def _schema(fields: tuple[FieldSpec, ...], num_targets: int, is_sealed: bool) -> pa.Schema:
    columns = [pa.field("id", pa.string()), pa.field("place", pa.string())]
    columns += [pa.field(f.name, pa.list_(pa.from_numpy_dtype(np.dtype(f.dtype)), int(np.prod(f.shape)))) for f in fields]
    columns += [pa.field("target", pa.list_(pa.float64(), num_targets)), pa.field("weight", pa.float32())]
    metadata = {_FIELDS: json.dumps([f.model_dump(mode="json") for f in fields]).encode(), seal.SEALED: b"1" if is_sealed else b"0"}
    return pa.schema(columns, metadata=metadata)


def _to_batch(block: Block, schema: pa.Schema) -> pa.RecordBatch:
    lists = [_to_list(array) for array in (*block.inputs, block.targets)]
    arrays: list[Any] = [pa.array(block.ids, pa.string()), pa.array(block.places, pa.string()), *lists, pa.array(block.weights, pa.float32())]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _to_list(array: np.ndarray) -> pa.Array:
    flat = np.ascontiguousarray(array).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), int(np.prod(array.shape[1:])))


def _flat(column: Any) -> np.ndarray:
    return column.flatten().to_numpy(zero_copy_only=True)
