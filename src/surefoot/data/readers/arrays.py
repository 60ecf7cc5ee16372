"""NumPy archives (.npz), and arrays in files of their own (.npy): pictures or rows under one key, targets under another. Pickled objects are never loaded."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa

from surefoot.data.nearest import quote_some
from surefoot.data.readers import fingerprint
from surefoot.data.readers.blocks import Block, check_lengths, open_blocks
from surefoot.data.readers.encoding import decode_cells
from surefoot.data.readers.header import check_width
from surefoot.data.readers.numerals import LARGEST_WHOLE
from surefoot.data.readers.piles import GIVEN_SETS
from surefoot.data.readers.raw import RawTable, tabulate
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource

INPUTS = frozenset(("x", "data", "image", "images", "inputs", "features"))
TARGETS = frozenset(("y", "target", "targets", "label", "labels"))


def open_npz(path: Path) -> ImageSource | list[RawTable]:
    """Reads `x` and `y` (or images/labels, data/target, x_train/y_train/x_test/y_test, ...), capitals aside.

    Returns:
        pictures where x has 3 or 4 axes; where it has 2, one table per set with columns x0, x1, ... and `target`
        (`target_0`, ... where y has 2 axes).

    Raises:
        DataError: keys are missing, arrays don't fit each other, or the file holds pickled objects or is torn.
    """
    return _open_arrays(_load(path), path, [path])


def list_npy(path: Path) -> list[Path]:
    """Files of one array each directly in a folder, sorted."""
    return sorted(file for file in path.iterdir() if file.suffix.lower() == ".npy" and file.is_file())


def open_npy(files: list[Path]) -> ImageSource | list[RawTable]:
    """Reads `x.npy` and `y.npy` (x_train.npy, ... as the keys of an archive), mapped rather than loaded.

    Raises:
        DataError: as for archives.
    """
    arrays = {}
    for file in files:
        try:
            arrays[file.stem] = np.load(file, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise _explain_pickled(file) if "allow_pickle" in str(error) or "object" in str(error).lower() else _explain_torn(file, error) from error
        except (OSError, EOFError, SyntaxError) as error:
            raise _explain_torn(file, error) from error
    return _open_arrays(arrays, files[0].parent, files)


def _open_arrays(arrays: dict[str, np.ndarray], path: Path, files: list[Path]) -> ImageSource | list[RawTable]:
    pairs, unused = _pair_keys(path, list(arrays))
    blocks = [Block(x, arrays[x], arrays[y], given) for given, (x, y) in pairs.items()]
    note = [f"{path.name} also holds {quote_some(unused)}, which was not read."] if unused else []
    check_lengths(blocks, path.name)
    axes = {block.pixels.ndim for block in blocks}
    if axes == {2}:
        check_width(path, max(block.pixels.shape[1] for block in blocks))
        tables = [_tabulate(block, path, fingerprint.of_files(files)) for block in blocks]
        tables[0].notes.extend(note)
        return tables
    if axes & {3, 4} and len(axes) == 1:
        source = open_blocks(blocks, fingerprint.of_files(files), path.name)
        source.notes.extend(note)
        return source
    shapes = ", ".join(f"{block.name} {block.pixels.shape}" for block in blocks)
    raise DataError(
        f"The inputs in {path.name} have shapes that can't be read: {shapes}.",
        where=str(path),
        next="Give pictures as (N, H, W) or (N, H, W, 3), rows of numbers as (N, F), the same in every set.",
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("its content is something else")
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise _explain_pickled(path) from error
        raise _explain_torn(path, error) from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, RuntimeError, SyntaxError, MemoryError) as error:
        raise _explain_torn(path, error) from error


def _pair_keys(path: Path, keys: list[str]) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Given set -> (key of inputs, key of targets), and the keys that are neither."""
    inputs: dict[str, str] = {}
    targets: dict[str, str] = {}
    unused = []
    for key in keys:
        words = key.lower().replace("-", "_").split("_")
        given = next((GIVEN_SETS[word] for word in words if word in GIVEN_SETS), "")
        role = "_".join(word for word in words if word not in GIVEN_SETS)
        chosen = inputs if role in INPUTS else targets if role in TARGETS else None
        if chosen is None or given in chosen:
            unused.append(key)
        else:
            chosen[given] = key
    if not inputs or inputs.keys() - targets.keys() or targets.keys() - inputs.keys():
        raise DataError(
            f"{path.name} holds the keys {quote_some(keys, 20) or '(none)'}, which are not inputs with targets.",
            where=str(path),
            next="Name them x and y, images and labels, data and target, or x_train, y_train, x_test, y_test.",
        )
    order = [given for given in ("", "train", "val", "test") if given in inputs]
    return {given: (inputs[given], targets[given]) for given in order}, unused


def _tabulate(block: Block, path: Path, mark: str) -> RawTable:
    rows, targets = block.pixels, block.targets
    kinds = "biufUS" if targets.size == len(targets) else "biuf"
    if rows.dtype.kind not in "biuf" or targets.ndim not in (1, 2) or targets.dtype.kind not in kinds or 0 in rows.shape:
        raise DataError(
            f"{block.name} {rows.shape} {rows.dtype} and its targets {targets.shape} {targets.dtype} are not rows of numbers with a target each.",
            where=str(path),
            next="Give inputs as numbers of shape (N, F) and targets of shape (N,) or (N, T).",
        )
    columns = tabulate(rows, [f"x{j}" for j in range(rows.shape[1])])
    if targets.size > len(targets):
        found = tabulate(targets, [f"target_{j}" for j in range(targets.shape[1])])
        notes = list[str]()
    else:
        column, notes = _as_column(targets.reshape(len(targets), -1)[:, 0], f"The target of {block.name}")
        found = {"target": column}
    places = [f"{block.name}[{row}]" for row in range(len(rows))]
    return RawTable(path.name, columns | found, places, mark, block.given_set, tuple(found), notes=notes)


def _as_column(targets: np.ndarray, name: str) -> tuple[pa.ChunkedArray, list[str]]:
    if targets.dtype.kind in "US":
        words, notes = decode_cells(name, targets) if targets.dtype.kind == "S" else (targets.tolist(), [])
        return pa.chunked_array([pa.array(words)]), notes
    is_long = targets.dtype.kind in "iu" and bool((np.abs(targets.astype(np.float64)) >= LARGEST_WHOLE).any())
    return pa.chunked_array([pa.array(targets if is_long else targets.astype(np.float64))]), []


def _explain_pickled(path: Path) -> DataError:
    return DataError(
        f"{path.name} holds pickled objects, which are never loaded.",
        where=str(path),
        next="Save arrays of numbers or of fixed-width text: np.savez(path, x=x, y=y) with no array of dtype object.",
    )


def _explain_torn(path: Path, error: Exception) -> DataError:
    return DataError(f"{path.name} is torn or no NumPy archive: {error}.", where=str(path), next="Save it anew with np.savez(path, x=x, y=y).")
