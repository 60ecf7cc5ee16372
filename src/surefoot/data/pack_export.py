"""Packs for other programs: WebDataset shards, and folders of pictures by class."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from surefoot import durable
from surefoot.data.packs import Pack
from surefoot.data.sampling import draw_order
from surefoot.data.shards import JPEG
from surefoot.types.errors import UsageError

_SHARD_BYTES = 256 * 2**20
"""As the makers of WebDataset advise: large enough to be read in one go, small enough for many to be shuffled."""


@dataclass(frozen=True)
class Item:
    """A picture on its way out: its number, the bytes of its file and their suffix, its target, class name, and place.

    The class name is empty where the item has none, and None where the pack holds amounts.
    """

    number: int
    data: bytes
    suffix: str
    target: list[float]
    label: str | None
    place: str


def write_webdataset(pack: Pack, folder: Path, say: Callable[[float, float], None] = lambda done, total: None) -> list[Path]:
    """Tar files of about 256 MiB: per item `NUMBER.png` or `.jpg`, `NUMBER.cls` (class index), `NUMBER.json` (target, class, id).

    Returns:
        The files, in order.

    Raises:
        UsageError: the pack holds no pictures, or the folder is not empty.
    """
    _check(pack, folder)
    order = draw_order(len(pack), seed=0, name="webdataset", epoch=0)  # shards are read from end to end, and classes must not come one after another
    items = _list_items(pack, order, say)
    written: list[Path] = []
    item = next(items, None)
    while item is not None:
        written.append(folder / f"shard-{len(written):06}.tar")
        with durable.replacing(written[-1]) as file, tarfile.TarFile(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            while item is not None and file.tell() < _SHARD_BYTES:
                _add(tar, f"{item.number:09}{item.suffix}", item.data)
                if item.label:
                    _add(tar, f"{item.number:09}.cls", str(int(item.target[0])).encode())
                _add(tar, f"{item.number:09}.json", json.dumps(_tell(item), ensure_ascii=False).encode())
                item = next(items, None)
    return written


def write_pictures(pack: Pack, folder: Path, say: Callable[[float, float], None] = lambda done, total: None) -> list[Path]:
    """A folder per class with a file per item, named by its number, and `items.jsonl` with file, target, class and id of each.

    Returns:
        The pictures, in order.

    Raises:
        UsageError: as for `write_webdataset`.
    """
    _check(pack, folder)
    written: list[Path] = []
    with durable.replacing(folder / "items.jsonl") as listing:
        for item in _list_items(pack, np.arange(len(pack)), say):
            written.append(folder / (_to_name(item.label or "") or "all") / f"{item.number:09}{item.suffix}")
            durable.replace(written[-1], item.data)
            facts = {"file": written[-1].relative_to(folder).as_posix()} | _tell(item)
            if item.label is None and len(item.target) == 1:
                facts["target"] = facts["target"][0]  # a list beside pictures has one value in each column
            listing.write(json.dumps(facts, ensure_ascii=False).encode() + b"\n")
    return written


def _check(pack: Pack, folder: Path) -> None:
    if pack.fields[0].name != "image":
        raise UsageError("The pack holds no pictures.", where=str(folder), next="Tables are written as CSV or Parquet by what made them.")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty.", where=str(folder), next="Give a folder of its own: --out FOLDER.")


def _list_items(pack: Pack, order: np.ndarray, say: Callable[[float, float], None]) -> Iterator[Item]:
    is_jpeg = pack.manifest.forms.get("image") == JPEG
    has_class = bool(pack.manifest.classes) and pack.manifest.num_targets == 1
    places = pack.places()
    for start in range(0, len(pack), 256):
        rows = order[start : start + 256]
        files = pack.files(rows) if is_jpeg else [_to_png(picture) for picture in pack.gather(rows)[0]]
        for row, file in zip(rows.tolist(), files):
            target = pack.targets[row]
            label = None if not has_class else pack.manifest.classes[int(target[0])] if np.isfinite(target[0]) else ""
            yield Item(row, file, ".jpg" if is_jpeg else ".png", target.tolist(), label, places[row])
        say(start + len(rows), len(pack))


def _tell(item: Item) -> dict[str, Any]:
    """What is written about an item: its target, null where there is none, its class where it has any, and its id."""
    target = [value if np.isfinite(value) else None for value in item.target]
    return {"target": target} | ({} if item.label is None else {"class": item.label}) | {"id": item.place}


def _to_png(picture: np.ndarray) -> bytes:
    """uint8 (C, H, W) as a PNG file, which loses nothing."""
    file = io.BytesIO()
    Image.fromarray(picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0))).save(file, "PNG")
    return file.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """A member whose time and owner are nobody's, so that equal packs make equal files."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _to_name(label: str) -> str:
    """A class as the name of one folder, whatever it is called."""
    return re.sub(r"[^\w.+() -]", "_", label).strip(". ") or ("_" if label else "")
