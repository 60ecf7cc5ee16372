"""Packs outside a project: a folder of shards and a manifest, made from anything that holds labelled pictures."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from surefoot import durable
from surefoot.data import crew, making, preprocess
from surefoot.data.looking import look_at_some
from surefoot.data.packs import Block, Manner, Pack, PackManifest, rows_per_block, write_pack
from surefoot.data.readers import open_source
from surefoot.data.shards import JPEG
from surefoot.data.targets import list_classes, to_name
from surefoot.types.configs import DataConfig, PrepareConfig
from surefoot.types.data_reports import AuditReport, RefusedItem
from surefoot.types.errors import DamagedError, DataError, UsageError
from surefoot.types.source import ImageSource, TableSource

MANIFEST = "manifest.json"
_JOURNAL = ".packing.jsonl"
_LOOKED_AT = 300
"""Pictures whose sizes and colours decide for all, where a project's audit would look at each."""
Say = Callable[[float, float], None]


class PackFolder:
    """A folder as a store. Shards are numbered from 0: those that are asked for, then those that are written."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.names = folder, list[str]()

    def path(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise DamagedError(f"The shard {name} is missing.", where=str(path), next="Bring it back from a copy, or pack again: surefoot pack.")
        self.names.append(name)
        return path

    @contextlib.contextmanager
    def writing(self) -> Iterator[_Numbered]:
        """A file to stream into; it has its name when the block ends."""
        name = f"shard-{len(self.names):05}.arrow"
        with durable.replacing(self.folder / name) as file:
            yield _Numbered(file, name)
        self.names.append(name)

    def put_bytes(self, data: bytes) -> str:
        durable.replace(self.folder / MANIFEST, data)
        return MANIFEST


class _Numbered:
    """A shard under way; `ref` is its name."""

    def __init__(self, file: BinaryIO, ref: str) -> None:
        self.ref, self.closed = ref, False
        self.write, self.flush, self.tell = file.write, file.flush, file.tell

    def close(self) -> None:
        """Called by whoever wraps this; the folder itself closes the file when it is whole."""
        self.closed = True


def open_pack(folder: str | Path) -> Pack:
    """Opens a folder that `surefoot pack` made: `pack[row]`, `pack.batches(size)`, `pack.gather(rows)`, `pack.manifest`.

    Raises:
        UsageError: it is none. DamagedError: its manifest can't be read, or a shard is missing.
    """
    place = Path(folder) / MANIFEST
    if not is_pack(Path(folder)):
        raise UsageError(f"There is no pack in {folder}.", where=str(place), next="Make one: surefoot pack DATA --out FOLDER.")
    try:
        manifest = PackManifest.model_validate_json(place.read_bytes())
    except ValueError as error:
        raise DamagedError(f"The manifest of {Path(folder).name} can't be read.", where=str(place), next="Pack again: surefoot pack.") from error
    store = PackFolder(Path(folder))
    return Pack(manifest, [store.path(shard.file) for shard in manifest.shards], f"pack {Path(folder).name}")


def is_pack(folder: Path) -> bool:
    """Whether a folder holds a pack, whole or damaged."""
    return (folder / MANIFEST).is_file() and b'"shards"' in (folder / MANIFEST).read_bytes()


def pack_folder(data: DataConfig, config: PrepareConfig, folder: Path, say: Say = lambda done, total: None) -> Pack:
    """Packs every labelled picture of a source; what can't be read or is none is listed in the manifest. Given again after a kill, it goes on.

    Args:
        data: its `source`, and `side` (0: the median of the shorter sides of some hundred pictures). config: how pictures are resized and stored.
        folder: of the pack; made here.
        say: called with (items done, items in all) now and then.

    Raises:
        UsageError: the source is a table, or the folder holds something else. DataError: no picture can be read.
    """
    source = open_source(data, Path())
    if isinstance(source, TableSource):
        raise UsageError("Only pictures are packed without a project.", where=data.source, next="Tables are read fast as Parquet; or: surefoot init DATA.")
    if source.annotations:
        raise UsageError(
            "Pictures with boxes are packed in a project.",
            where=data.source,
            next="surefoot init DATA, then surefoot run --to prepare: boxes are audited first.",
        )
    _check_free(folder)
    recipe = _choose_recipe(source, data, config)
    quality, _ = making.choose_quality(recipe, len(source), making.measure_room(folder) + _sum_shards(folder), config)
    classes, items = _list_items(source)
    fields, forms = preprocess.fields(recipe), {"image": JPEG} if quality else {}
    key = hashlib.sha256(json.dumps([recipe, quality, source.fingerprint, len(source)]).encode()).hexdigest()
    work = crew.Work(recipe, quality, config.workers, is_seen=False)
    decode = crew.choose_decode(work, source, -(-len(source) // rows_per_block(fields)))

    unread = tuple(RefusedItem(place=one.place, reason=one.reason, code=one.code) for one in source.refused)

    def blocks(start: int) -> Iterator[Block]:
        done, others = start * rows_per_block(fields), () if start else unread  # what no reader took is told with the first block
        for block in making.make_blocks(source, recipe, items, decode, start):
            done += len(block.ids) + len(block.refused)
            say(done, len(source))
            yield replace(block, refused=block.refused + others)
            others = ()

    store = PackFolder(folder)
    write_pack(store, fields, items.targets.shape[1], blocks, manner=Manner(recipe, classes, forms, folder / _JOURNAL, key))  # type: ignore[arg-type]
    for stale in set(folder.glob("shard-*.arrow")) - {folder / name for name in store.names}:
        durable.remove(stale)
    durable.remove(folder / _JOURNAL)
    pack = open_pack(folder)
    if not len(pack):
        raise DataError(f"None of the {len(source):,} pictures can be read.", where=data.source, next=f"The first: {_tell_first(pack)}.")
    return pack


def _sum_shards(folder: Path) -> int:
    """Bytes that an earlier pack takes, whose place the new one will have."""
    return sum(shard.stat().st_size for shard in folder.glob("shard-*.arrow"))


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", where=str(folder), next="Give a folder of its own: --out FOLDER.")
    if folder.exists() and any(folder.iterdir()) and not is_pack(folder) and not (folder / _JOURNAL).is_file():
        raise UsageError(f"{folder} holds something that is no pack.", where=str(folder), next="Give a folder of its own: --out FOLDER.")


def _choose_recipe(source: ImageSource, data: DataConfig, config: PrepareConfig) -> dict[str, Any]:
    """The recipe that a project would choose, had it audited no more than some pictures."""
    records = look_at_some(source, np.unique(np.linspace(0, len(source) - 1, _LOOKED_AT).astype(int)).tolist())
    if not len(records):
        raise DataError(f"None of {min(_LOOKED_AT, len(source))} pictures can be read.", where=data.source, next="surefoot init says why, for each.")
    sizes = Counter(f"{one['height']}x{one['width']}" for one in records)
    modes = Counter("colour" if one["is_colour"] else "grey" for one in records)
    side = data.side or int(np.median(np.minimum(records["height"], records["width"])))
    return making.image_recipe(AuditReport(fingerprint="", num_items=0, num_usable=0, index="", sizes=sizes, modes=modes), side, config)


def _list_items(source: ImageSource) -> tuple[tuple[str, ...], making.Items]:
    """Classes and items; numbers as labels stay what they are, and items without one have NaN. Ids are the places of the items."""
    rows, weights = np.arange(len(source)), np.ones(len(source), np.float32)
    if all(label is None or isinstance(label, str | int) for label in source.labels):
        classes = list_classes(source.labels)
        number = {name: float(at) for at, name in enumerate(classes)}
        targets = np.asarray([number.get(to_name(label) or "", np.nan) for label in source.labels])[:, None]
        return classes, making.Items(rows, source.places, targets, weights)
    width = max(np.size(label) for label in source.labels)
    targets = np.stack([np.full(width, np.nan) if label is None else np.asarray(label, np.float64).reshape(-1) for label in source.labels])
    return (), making.Items(rows, source.places, targets, weights)


def _tell_first(pack: Pack) -> str:
    return next((f"{one.place}: {one.reason}" for one in pack.manifest.refused), "it holds nothing")
