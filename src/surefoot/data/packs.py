"""Packs: every item, decoded once, in memory-mapped Arrow files, and a manifest that says what they hold.

Items lie in blocks of up to `BLOCK` rows, blocks in shards. A pack of any size is written and read in little memory, and opens in the time that its
manifest takes: a block is compared with its checksums when it is first read.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from surefoot import __version__, durable
from surefoot.data import jpeg
from surefoot.data.columns import take_rows
from surefoot.data.sampling import draw_order
from surefoot.data.shards import JPEG, Shard, ShardFacts, ShardWriter, make_schema, pad, to_column, to_list
from surefoot.store import seal
from surefoot.types.context import Store
from surefoot.types.data_reports import FieldSpec, RefusedItem
from surefoot.types.errors import DamagedError
from surefoot.types.findings import Plain

BLOCK = 1024
_BLOCK_BYTES, _SHARD_BYTES, _SHARD_BLOCKS = 16 * 2**20, 256 * 2**20, 128
"""A block is what a worker holds, a shard what a kill can cost: some seconds of decoding. Files are mapped, and a process may hold a thousand open."""
_LARGE_BYTES = 2**14
"""An item from which copying one by one pays: batches of photos of 224 pixels are gathered 1.6 times as fast, pictures of 32 would be half as fast."""
_JPEG_SHARE = 8
"""Pixels of a photo take about so many times the bytes of its JPEG file."""
_LIBRARIES = ("numpy", "pillow", "pyarrow")


@dataclass(frozen=True)
class Block:
    """Up to `BLOCK` rows on their way into a pack.

    Attributes:
        ids, places: N strings. inputs: per field an array (N, *shape), or what `shards.to_column` takes. targets: float64 (N, T). weights: float32 (N,).
        refused: items that belonged here and can't be read.
    """

    ids: list[str]
    places: list[str]
    inputs: tuple[Any, ...]
    targets: np.ndarray
    weights: np.ndarray
    refused: tuple[RefusedItem, ...] = ()


@dataclass(frozen=True)
class Manner:
    """How a pack is written, beyond what it holds.

    Attributes:
        recipe: how a record becomes the fields. classes: names of the targets' values.
        forms: field -> how it is stored, where that is not as it is: `shards.JPEG`.
        journal: shards that are whole are noted there, and a packing that was interrupted goes on after them; None: it begins anew.
        key: of what is packed; a journal with another key is not gone on from.
    """

    recipe: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    forms: Mapping[str, str] = field(default_factory=dict)
    journal: Path | None = None
    key: str = ""


PLAIN = Manner()


class PackManifest(Plain):
    """What a pack holds, and where.

    Attributes:
        format: 1. versions: of what wrote it. forms: field -> how it is stored, where that is not as it is.
        refused: the items that could not be read.
    """

    format: int = 1
    versions: dict[str, str]
    fields: tuple[FieldSpec, ...]
    forms: dict[str, str] = {}
    recipe: dict[str, Any] = {}
    classes: tuple[str, ...] = ()
    num_targets: int
    num_rows: int
    is_sealed: bool = False
    shards: tuple[ShardFacts, ...]

    @property
    def refused(self) -> tuple[RefusedItem, ...]:
        return tuple(itertools.chain.from_iterable(shard.refused for shard in self.shards))


def rows_per_block(fields: tuple[FieldSpec, ...]) -> int:
    """`BLOCK`, or fewer where items are large."""
    return min(BLOCK, _fitting(fields))


def _fitting(fields: tuple[FieldSpec, ...]) -> int:
    return max(16, _BLOCK_BYTES // max(1, _item_bytes(fields)))


def write_pack(
    store: Store,
    fields: tuple[FieldSpec, ...],
    num_targets: int,
    blocks: Iterable[Block] | Callable[[int], Iterable[Block]],
    *,
    is_sealed: bool = False,
    manner: Manner = PLAIN,
) -> str:
    """Streams blocks into the store. Returns the pack's ref, that of its manifest.

    Args:
        blocks: all of them; or, so that an interrupted packing can go on, a function: number of the first wanted -> it and those behind it.
    """
    schema = make_schema(fields, num_targets, manner.forms, {b"fields": json.dumps([f.model_dump(mode="json") for f in fields]).encode()})
    shards = _read_journal(manner, store)
    left = iter(blocks(sum(len(shard.blocks) for shard in shards)) if callable(blocks) else blocks)
    size = _blocks_per_shard(fields, manner.forms)
    for first in left:
        with store.writing() as target:
            writer = ShardWriter(target, schema)
            refused: list[RefusedItem] = []
            begun = iter([first])
            del first
            for block in itertools.chain(begun, itertools.islice(left, size - 1)):
                writer.add(_to_columns(block, fields, manner.forms))
                refused += block.refused
                del block  # before the next is made: with three of 16 MB alive at once packing took 290 MB in all, so it takes 275
            writer.close()
        shards.append(ShardFacts(file=target.ref, blocks=tuple(writer.blocks), refused=tuple(refused)))
        if manner.journal:
            durable.append(manner.journal, shards[-1].model_dump_json().encode())
    manifest = PackManifest(
        versions={"surefoot": __version__} | {name: metadata.version(name) for name in _LIBRARIES}, fields=fields, forms=dict(manner.forms),
        recipe=dict(manner.recipe), classes=manner.classes, num_targets=num_targets, num_rows=sum(shard.rows for shard in shards), is_sealed=is_sealed,
        shards=tuple(shards),
    )  # fmt: skip
    return store.put_bytes(manifest.model_dump_json().encode())


def _read_journal(manner: Manner, store: Store) -> list[ShardFacts]:
    """The shards that an interrupted packing of the same items made; a new journal is begun where there is none of these items."""
    if manner.journal is None:
        return []
    lines = manner.journal.read_bytes().split(b"\n")[:-1] if manner.journal.is_file() else []  # the last is torn, or nothing
    if not lines or lines[0] != manner.key.encode():
        durable.replace(manner.journal, manner.key.encode() + b"\n")
        return []
    shards = [ShardFacts.model_validate_json(line) for line in lines[1:]]
    return list(itertools.takewhile(lambda shard: _is_there(store, shard), shards))


def _is_there(store: Store, shard: ShardFacts) -> bool:
    try:
        return store.path(shard.file).is_file()
    except DamagedError:
        return False


def _to_columns(block: Block, fields: tuple[FieldSpec, ...], forms: Mapping[str, str]) -> list[pa.Array]:
    inputs = [to_column(values, spec, forms.get(spec.name, "")) for spec, values in zip(fields, block.inputs, strict=True)]
    texts = [pa.array(block.ids, pa.string()), pa.array(block.places, pa.string())]
    return [*texts, *inputs, to_list(block.targets), pa.array(block.weights, pa.float32())]


def _item_bytes(fields: tuple[FieldSpec, ...]) -> int:
    return sum(int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize for spec in fields)


def _blocks_per_shard(fields: tuple[FieldSpec, ...], forms: Mapping[str, str]) -> int:
    stored = _item_bytes(fields) // (_JPEG_SHARE if JPEG in forms.values() else 1)
    return max(1, min(_SHARD_BLOCKS, _SHARD_BYTES // max(1, stored * rows_per_block(fields))))


class Pack:
    """A pack, open for reading. Nothing is copied until rows are gathered; as `pack[row]` it is a data set as PyTorch takes it.

    Attributes:
        fields: what the inputs are. targets: float64 (N, T). weights: float32 (N,). manifest: what is known of it.
    """

    def __init__(self, manifest: PackManifest, paths: list[Path], name: str = "pack") -> None:
        self.manifest, self.fields, self.is_sealed = manifest, manifest.fields, manifest.is_sealed
        schema = make_schema(manifest.fields, manifest.num_targets, manifest.forms)
        shards = [Shard(path, facts, schema, name) for path, facts in zip(paths, manifest.shards, strict=True)]
        self._places = [(shard, number) for shard, facts in zip(shards, manifest.shards) for number in range(len(facts.blocks))]
        self._starts = np.cumsum([0, *(block.rows for facts in manifest.shards for block in facts.blocks)])
        self._views: dict[tuple[int, str], np.ndarray] = {}

    def __len__(self) -> int:
        return self.manifest.num_rows

    def __getitem__(self, row: int) -> tuple[Any, Any]:
        """(input, target): one array, or a tuple of one per field; an int for classes, -1 where the item has no label, else float64 (T,)."""
        return self.__getitems__([row])[0]

    def __getitems__(self, rows: list[int]) -> list[tuple[Any, Any]]:
        """Several at once, which is how PyTorch's loader asks where it can."""
        at = np.asarray(rows, np.int64)
        if len(at) and not (-len(self) <= at.min() and at.max() < len(self)):
            raise IndexError(f"the pack has {len(self):,} items, and {int(at[np.abs(at).argmax()]):,} was asked for")
        at %= max(len(self), 1)
        items = zip(*self.gather(at), strict=True)
        is_class = bool(self.manifest.classes) and self.manifest.num_targets == 1
        targets = np.nan_to_num(self.targets[at, 0], nan=-1).astype(np.int64).tolist() if is_class else self.targets[at]
        return [(item[0] if len(item) == 1 else item, target) for item, target in zip(items, targets)]

    @cached_property
    def targets(self) -> np.ndarray:
        parts = [_flat(self._column(number, "target")).reshape(-1, self.manifest.num_targets) for number in range(len(self._places))]
        return np.concatenate(parts) if parts else np.zeros((0, self.manifest.num_targets))

    @cached_property
    def weights(self) -> np.ndarray:
        parts = [self._column(number, "weight").to_numpy() for number in range(len(self._places))]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    @property
    def num_bytes(self) -> int:
        """Bytes of all inputs when held in memory."""
        return len(self) * _item_bytes(self.fields)

    def ids(self, rows: np.ndarray | None = None) -> np.ndarray:
        return self._strings("id", rows)

    def places(self, rows: np.ndarray | None = None) -> np.ndarray:
        return self._strings("place", rows)

    def gather(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Copies of the given rows, in the given order: one array (len(rows), *shape) per field."""
        rows = np.asarray(rows, np.int64)
        parts = self._find(rows)
        return tuple(self._gather_field(spec, len(rows), parts) for spec in self.fields)

    def chunks(self, rows: np.ndarray, size: int = 8 * BLOCK) -> Iterator[tuple[np.ndarray, ...]]:
        """`gather`, some rows at a time: at most `size` of them, and no more bytes than a block may have."""
        size = min(size, _fitting(self.fields))
        for start in range(0, len(rows), size):
            yield self.gather(rows[start : start + size])

    def batches(self, size: int, *, seed: int = 0, epoch: int = 0, start: int = 0, shuffle: bool = True) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
        """(inputs, targets) of every item once, some at a time: the fast way to go through a pack.

        Args:
            size: items of a batch; the last may have fewer. seed, epoch: the order follows from them. start: batch to begin with, to go on from there.
            shuffle: whether the order is drawn; else items come as they lie.
        """
        order = draw_order(len(self), seed=seed, name="pack", epoch=epoch) if shuffle else np.arange(len(self))
        for at in range(start * size, len(self), size):
            rows = order[at : at + size]
            yield self.gather(rows), self.targets[rows]

    def read_all(self) -> tuple[np.ndarray, ...]:
        """Every row: one array (N, *shape) per field."""
        parts = [(number, slice(*self._starts[number : number + 2]), slice(None)) for number in range(len(self._places))]
        return tuple(self._gather_field(spec, len(self), parts) for spec in self.fields)

    def _gather_field(self, spec: FieldSpec, num: int, parts: list[tuple[int, Any, Any]]) -> np.ndarray:
        """Rows of one field, which lie in the given parts."""
        if self.manifest.forms.get(spec.name) == JPEG:
            out = jpeg.allocate(num, spec.shape)
            jpeg.decode_into(self._list_files(spec, num, parts), out)
        elif spec.is_ragged:
            out = np.zeros((num, *spec.shape), spec.dtype)
            for number, here, inside in parts:
                column, part = self._column(number, spec.name), out.reshape(num, -1)[here]
                pad(column, np.arange(len(column))[inside], part)
                out.reshape(num, -1)[here] = part
        else:
            out = np.empty((num, *spec.shape), spec.dtype)
            for number, here, inside in parts:
                _copy(self._view(number, spec), inside, out, here)
        return out

    def files(self, rows: np.ndarray) -> list[bytes]:
        """The pictures of some rows as the JPEG files that they are stored as."""
        rows = np.asarray(rows, np.int64)
        return [bytes(file) for file in self._list_files(self.fields[0], len(rows), self._find(rows))]

    def _list_files(self, spec: FieldSpec, num: int, parts: list[tuple[int, Any, Any]]) -> list[Any]:
        files: list[Any] = [None] * num
        for number, here, inside in parts:
            column = self._column(number, spec.name)
            for at, row in zip(np.arange(num)[here].tolist(), np.arange(len(column))[inside].tolist()):
                files[at] = column[row].as_buffer()
        return files

    def _find(self, rows: np.ndarray) -> list[tuple[int, Any, Any]]:
        """Where rows lie: number of a block, places among the wanted, rows of the block."""
        block_of = np.searchsorted(self._starts, rows, side="right") - 1
        inside = rows - self._starts[block_of]
        parts = [(int(number), np.flatnonzero(block_of == number)) for number in np.unique(block_of)]
        return [(number, here, inside[here]) for number, here in parts]

    def _view(self, number: int, spec: FieldSpec) -> np.ndarray:
        found = self._views.get((number, spec.name))
        if found is None:
            found = self._views[number, spec.name] = _flat(self._column(number, spec.name)).reshape(-1, *spec.shape)
        return found

    def _column(self, number: int, name: str) -> Any:
        shard, inside = self._places[number]
        return shard.column(inside, name)

    def _strings(self, name: str, rows: np.ndarray | None) -> np.ndarray:
        column = pa.chunked_array([self._column(number, name) for number in range(len(self._places))], pa.string())
        return np.asarray((column if rows is None else take_rows(column, rows)).to_pylist(), dtype=object)


def read_manifest(store: Store, ref: str) -> PackManifest:
    """What a stored pack holds, without its items.

    Raises:
        DamagedError: it is missing or was altered.
    """
    return PackManifest.model_validate_json(store.get_bytes(ref))


def open_pack(store: Store, ref: str, key: seal.Key | None = None) -> Pack:
    """Opens a stored pack. What it holds is compared with its checksums when it is first read, block by block.

    Raises:
        SealedError: it holds the test set, and there is no key.
        DamagedError: it is missing, or its manifest was altered.
    """
    manifest = read_manifest(store, ref)
    seal.check(manifest.is_sealed, key, where=f"pack {ref[:12]}")
    return Pack(manifest, [store.path(shard.file) for shard in manifest.shards], f"pack {ref[:12]}")


def _copy(view: np.ndarray, inside: Any, out: np.ndarray, here: Any) -> None:
    """`out[here] = view[inside]`, without the copy in between where items are large."""
    if isinstance(here, slice) or view[:1].nbytes < _LARGE_BYTES:
        out[here] = view[inside]
        return
    for at, row in zip(here.tolist(), inside.tolist()):
        out[at] = view[row]


def _flat(column: Any) -> np.ndarray:
    return column.flatten().to_numpy(zero_copy_only=True)
