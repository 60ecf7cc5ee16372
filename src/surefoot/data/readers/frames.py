"""Arrow tables as Hugging Face `datasets` writes them: folders of `save_to_disk`, Parquet files with pictures in them, and sets from the hub.

Folders and files are read by pyarrow alone; the library itself is needed only for `hub:NAME`. Formats: the docs of `datasets`, "Load" and "Cache".
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from surefoot.data import pictures
from surefoot.data.nearest import quote_some
from surefoot.data.readers import fingerprint
from surefoot.data.readers.beside import LABEL_NAMES
from surefoot.data.readers.joining import concatenate
from surefoot.data.readers.piles import GIVEN_SETS
from surefoot.data.readers.raw import RawTable
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ImageSource, ItemError

Opened = ImageSource | list[RawTable]


@dataclass(frozen=True)
class Frame:
    """One Arrow table of a set.

    Attributes:
        name: how places and messages call it. schema: its columns.
        read: names -> a table of these columns, whole. cell: (name, row) -> one value. num_rows: of it.
        features: column -> what `datasets` says it is. given_set: "train", "val", "test" or "".
    """

    name: str
    schema: pa.Schema
    num_rows: int
    read: Callable[[list[str]], pa.Table]
    cell: Callable[[str, int], Any]
    features: dict[str, Any] = field(default_factory=dict)
    given_set: str = ""
    fingerprint: str = ""


def is_saved(path: Path) -> bool:
    """Whether a folder was written by `save_to_disk`."""
    return (path / "dataset_dict.json").is_file() or ((path / "state.json").is_file() and (path / "dataset_info.json").is_file())


def open_saved(path: Path) -> Opened:
    """Reads a folder of `save_to_disk`, one set or several; Arrow files are mapped, not loaded.

    Raises:
        DataError: parts are missing or torn.
    """
    try:
        is_several = (path / "dataset_dict.json").is_file()
        splits = json.loads((path / "dataset_dict.json").read_text(encoding="utf-8"))["splits"] if is_several else [""]
        return open_frames([_read_saved(path / Path(split).name, split) for split in splits])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path.name}/ is torn or no saved data set: {error}.", where=str(path), next="Save it anew with save_to_disk.") from error


def open_hub(name: str) -> Opened:
    """Reads `hub:OWNER/NAME`, `hub:OWNER/NAME:CONFIG`, either with `@REVISION` behind, through the library `datasets`; no code of the set is run.

    Raises:
        UsageError: the library is not installed. DataError: it can't find or read the set.
    """
    try:
        import datasets
    except ImportError as error:
        raise UsageError(
            "Sets from the hub need the library datasets, which is not installed.", where=f"hub:{name}", next='pip install "surefoot[hub]"'
        ) from error
    place, _, revision = name.partition("@")
    place, _, config = place.partition(":")
    try:
        found = datasets.load_dataset(place, config or None, revision=revision or None)
    except Exception as error:  # it raises its own errors, and those of the network below it
        raise DataError(
            f"The hub's set {name} can't be had: {type(error).__name__}: {str(error)[:300]}",
            where=f"hub:{name}",
            next="Check the name (OWNER/NAME) and the network; a gated set needs `hf auth login` first.",
        ) from error
    splits = dict(found.items()) if hasattr(found, "items") else {"": found}
    return open_frames([_take_loaded(f"hub:{name}", split, one) for split, one in splits.items()])


def holds_pictures(path: Path) -> bool:
    """Whether a Parquet file has a column of pictures."""
    try:
        return bool(_find_pictures(_open_parquet(path, "")))
    except (pa.ArrowException, OSError, ValueError):
        return False


def open_parquet(paths: Sequence[Path]) -> Opened:
    """Reads Parquet files that hold pictures; `train-00000-of-00002.parquet` belongs to the train set.

    Raises:
        DataError: one is torn, or they don't fit each other.
    """
    frames = []
    for path in paths:
        try:
            frames.append(_open_parquet(path, _set_of(path.stem)))
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path.name} is torn or no Parquet file: {error}", where=str(path), next="Copy it again, or write it anew.") from error
    return open_frames(frames)


def open_frames(frames: list[Frame]) -> Opened:
    """Pictures where there is a column of them, else tables.

    Raises:
        DataError: the column of labels can't be told.
    """
    frames = [frame for frame in frames if frame.num_rows]
    names = {frame.given_set for frame in frames}  # an empty set is none: one that is left alone is no split
    if not frames:
        raise DataError("The data set has no rows.", where="data.source", next="Name a set with rows.")
    image = _find_pictures(frames[0])
    if not image:
        return [_tabulate(frame, names) for frame in frames]
    label = _find_label(frames[0], image)
    for frame in frames[1:]:
        if missing := [name for name in (image, label) if name not in frame.schema.names]:
            what = f"{frame.name} has no column {quote_some(missing)}, which {frames[0].name} has."
            raise DataError(what, where=frame.name, next="Give every part of the set the same columns, or name the file that is meant.")
    sources = [_open_pictures(frame, image, label, names) for frame in frames]
    return sources[0] if len(sources) == 1 else concatenate(sources)


def _read_saved(path: Path, split: str) -> Frame:
    state = json.loads((path / "state.json").read_text(encoding="utf-8"))
    info = json.loads((path / "dataset_info.json").read_text(encoding="utf-8"))
    files = [path / Path(str(one["filename"])).name for one in state["_data_files"]]
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise ValueError("its rows are chosen by an index beside it; call flatten_indices() before save_to_disk")
    return _hold(f"{path.name}", pa.concat_tables([_map_arrow(file) for file in files]), info.get("features") or {}, split, fingerprint.of_files(files))


def _map_arrow(path: Path) -> pa.Table:
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _take_loaded(name: str, split: str, loaded: Any) -> Frame:
    """A split as the library holds it: its table, in the order of its rows."""
    table = loaded.flatten_indices().data.table if getattr(loaded, "_indices", None) is not None else loaded.data.table
    return _hold(f"{name}/{split}" if split else name, table, loaded.features.to_dict(), split, str(loaded._fingerprint))


def _hold(name: str, table: pa.Table, features: dict[str, Any], split: str, mark: str) -> Frame:
    return Frame(name, table.schema, table.num_rows, table.select, lambda column, row: table.column(column)[row].as_py(), features, _set_of(split), mark)


def _open_parquet(path: Path, given_set: str) -> Frame:
    """Rows are fetched by row group, of which two are kept: a file of pictures need not fit into memory."""
    file = pyarrow.parquet.ParquetFile(path, memory_map=True)
    starts = np.cumsum([0, *(file.metadata.row_group(group).num_rows for group in range(file.num_row_groups))])
    lock = threading.Lock()

    @lru_cache(maxsize=2)
    def group_of(number: int) -> pa.Table:
        with lock:
            return file.read_row_group(number)

    def cell(column: str, row: int) -> Any:
        number = int(np.searchsorted(starts, row, side="right")) - 1
        return group_of(number).column(column)[row - int(starts[number])].as_py()

    def read(columns: list[str]) -> pa.Table:
        with lock:
            return file.read(columns=columns)

    features = _read_features(file.schema_arrow)
    return Frame(path.name, file.schema_arrow, file.metadata.num_rows, read, cell, features, given_set, fingerprint.of_files([path]))


def _read_features(schema: pa.Schema) -> dict[str, Any]:
    try:
        return json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}


def _set_of(split: str) -> str:
    word = split.split("-")[0].split(".")[0].lower()
    return GIVEN_SETS.get(word, "")


def _find_pictures(frame: Frame) -> str:
    """The column of pictures: named so by its features, or bytes whose first cell is a picture."""
    for column in frame.schema:
        if _kind(frame, column.name) == "Image":
            return column.name
        is_struct = pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0
        if frame.num_rows and (is_struct or pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
            cell = frame.cell(column.name, 0)
            data = cell.get("bytes") if isinstance(cell, dict) else cell
            if isinstance(data, bytes) and pictures.is_picture(data[:16]):
                return column.name
    return ""


def _kind(frame: Frame, name: str) -> str:
    feature = frame.features.get(name)
    return str(feature.get("_type", "")) if isinstance(feature, dict) else ""


def _find_label(frame: Frame, image: str) -> str:
    """The column of labels: by its name, the only one of classes, or the only other one."""
    others = [column.name for column in frame.schema if column.name != image and not pa.types.is_nested(column.type)]
    by_name = {name.lower(): name for name in others}
    named = next((by_name[word] for word in LABEL_NAMES if word in by_name), "")
    classes = [name for name in others if _kind(frame, name) == "ClassLabel"]
    only = classes if len(classes) == 1 else others
    if named or len(only) == 1:
        return named or only[0]
    raise DataError(
        f"Which column of {frame.name} is the label can't be told: it has {quote_some(others) or 'none beside the pictures'}.",
        where=frame.name,
        next='Call it "label", or remove the others.',
    )


def _open_pictures(frame: Frame, image: str, label: str, names: set[str]) -> ImageSource:
    values = _name_classes(frame, label, frame.read([label]).column(label)).to_pylist()

    def fetch(row: int) -> bytes:
        cell = frame.cell(image, row)
        data: bytes | None = cell.get("bytes") if isinstance(cell, dict) else cell
        if not data:
            raise ItemError("the set holds no bytes of this picture, only a path on another machine" if cell else "there is no picture", pictures.EMPTY)
        return data

    return ImageSource(
        places=[f"{frame.name}[{row}]" for row in range(frame.num_rows)],
        labels=[float_vector(value) if isinstance(value, float) else value for value in values],
        given_sets=[frame.given_set if len(names) > 1 else ""] * frame.num_rows,
        read=lambda row: pictures.decode(fetch(row)),
        fetch=fetch,
        fingerprint=frame.fingerprint,
    )


def float_vector(value: float) -> np.ndarray | None:
    """A number as `ImageSource.labels` has amounts; None where it is NaN."""
    return np.array([value]) if np.isfinite(value) else None


def _tabulate(frame: Frame, names: set[str]) -> RawTable:
    whole = frame.read([column.name for column in frame.schema])
    unfit = [c.name for c in frame.schema if pa.types.is_nested(c.type) or pa.types.is_binary(c.type) or pa.types.is_large_binary(c.type)]
    columns = {c.name: _name_classes(frame, c.name, whole.column(c.name)) for c in frame.schema if c.name not in unfit}
    target = tuple(name for name in columns if _kind(frame, name) == "ClassLabel")[:1]
    notes = [f"Columns of {frame.name} hold lists, objects or bytes and were left out: {quote_some(unfit)}."] if unfit else []
    places = [f"{frame.name}[{row}]" for row in range(frame.num_rows)]
    given = frame.given_set if len(names) > 1 else ""
    return RawTable(frame.name, columns, places, frame.fingerprint, given, target, notes=notes, unfit=tuple(unfit))


def _name_classes(frame: Frame, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Class numbers as the names that the features give them; below 0 stands for no label."""
    if _kind(frame, name) != "ClassLabel" or not frame.features[name].get("names"):
        return column
    words = [str(word) for word in frame.features[name]["names"]]
    named = [words[code] if code is not None and 0 <= code < len(words) else None for code in column.to_pylist()]
    return pa.chunked_array([pa.array(named, pa.string())])
