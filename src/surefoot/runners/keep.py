"""What a project keeps: removes what no result needs, and reads an edited error table back."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from surefoot import durable
from surefoot.data.readers.encoding import read_utf8
from surefoot.data.readers.repairs import COLUMNS, Repair, read_head, read_repairs, write_repairs
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import ProjectLedger
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DamagedError, DataError, UsageError

REF = re.compile(r"\b[0-9a-f]{64}\b")
_WRITTEN = {"id", "place", "target", "pred", "confidence", "tags", "note", "text"}
"""Columns of the error table that are no tags."""
_NO = {"", "-", "0", "n", "no", "false"}
"""What is written in a tag's column of an item that has it not."""
_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What may stand between the cells of an edited table."""


def open_ledger(root: Path) -> ProjectLedger:
    """The project's ledger; made where nothing was done yet.

    Raises:
        DamagedError: results are there and the ledger is not, or nothing stands in it: what was done, decided and opened would be forgotten in silence.
    """
    path = root / "surefoot.db"
    results = next((name for name in ("runs/*-*-*/environment.json", "store/??/*", "export/manifest.json") if any(root.glob(name))), "")
    is_there = path.is_file() and path.stat().st_size > 0
    if is_there or not results:
        ledger = ProjectLedger(path)
        if not results or not ledger.is_empty():
            return ledger
        ledger.close()
    state = "is empty" if path.is_file() else "is missing"
    raise DamagedError(
        f"The ledger {path.name} {state}, and results are there ({results.partition('/')[0]}/): what was done, and how often the test set was opened, is lost.",
        where=str(path),
        next="Restore it from a copy, or make a new project elsewhere: surefoot init DATA --out DIR.",
    )


def clean(root: Path, store: Blobs, ledger: ProjectLedger, *, apply: bool) -> dict[str, Any]:
    """Bytes of stored files that no report names and of checkpoints of finished runs; removed where `apply`."""
    needed = _needed(store, ledger)
    unused = [ref for ref in store.refs() if ref not in needed]
    finished = {row.folder for row in ledger.all_steps()}
    folders = [path for path in (root / "runs").glob("**/checkpoints") if path.relative_to(root / "runs").parts[0] in finished]
    found = {
        "store_bytes": sum(store.path(ref).stat().st_size for ref in store.refs()),
        "unused_bytes": sum(store.path(ref).stat().st_size for ref in unused),
        "checkpoint_bytes": sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file()),
        "files": len(unused) + len(folders),
        "removed": apply,
    }
    if apply:
        for ref in unused:
            store.remove(ref)
        for folder in folders:
            shutil.rmtree(folder)
    return found


def read_tags(table: Path, ledger: ProjectLedger, known: Collection[str]) -> int:
    """Takes tags and notes from a CSV that s10 wrote and a person edited; an `x` in a column of the user's own is a tag too, a `no` is none.

    Spreadsheets write semicolons or tabs between the cells where the comma is the decimal mark; the first row tells.

    Args:
        known: ids of the project's items.

    Raises:
        DataError: the file is absent, has no `id` and `tags` columns, or a line has a cell too many or too few, or names no item, or one that another line
            named; then nothing of it is taken.
    """
    if not table.is_file():
        raise DataError(f"There is no table {table}.", where=str(table), next="Write one: surefoot errors --csv FILE; edit it; then --tags FILE.")
    text = read_utf8(table)[0].decode()
    mark = max(_MARKS, key=text.partition("\n")[0].count)
    reader = csv.DictReader(io.StringIO(text), delimiter=mark)
    rows = [(reader.line_num, row) for row in reader]
    if not rows or not {"id", "tags"} <= set(rows[0][1]):
        raise DataError(
            f"{table.name} has no columns id and tags.", where=str(table), next="Keep the first row of the file that `surefoot errors --csv` wrote."
        )
    lines: dict[str, int] = {}
    for line, row in rows:
        _check_row(row, f"{table}:{line}", known, mark)
        if (first := lines.setdefault(row["id"], line)) != line:
            raise DataError(f"Item {row['id']} has two rows, the other in line {first}.", where=f"{table}:{line}", next="Keep one of the two.")
    for _, row in rows:
        own = [name for name, value in row.items() if name not in _WRITTEN and value.strip().casefold() not in _NO]
        tags = [tag.strip() for tag in row["tags"].split(";") if tag.strip()]
        ledger.tag(row["id"], list(dict.fromkeys([*tags, *own])), row.get("note") or "")
    return len(rows)


def _check_row(row: dict[str | None, Any], where: str, known: Collection[str], mark: str) -> None:
    if None in row:
        advice = f'Put a cell that holds {_MARKS[mark]} in quotation marks: "...".'
        raise DataError(f"A row has more cells than the header, {len(row[None])} more.", where=where, next=advice)
    if missing := [name for name, value in row.items() if value is None]:
        advice = "Write the row anew, or leave it out: cells that are not there would wipe what was noted."
        raise DataError(f"A row ends early: it has no cell for {', '.join(map(str, missing))}.", where=where, next=advice)
    if row["id"] not in known:
        advice = "Take the column id as it was written; spreadsheets may turn an id into a number."
        raise DataError(f"There is no item {row['id']!r}.", where=where, next=advice)


def fix(root: Path, data: DataConfig, store: Blobs, ref: str) -> dict[str, Any]:
    """Writes the repairs that an audit proposed, below those that stand in the file: a line that a person wrote or edited stays as it is.

    Args:
        ref: of the table of proposals, "" where there are none.

    Raises:
        UsageError: the settings name no file. DataError: a line of the file that is there is wrong.
    """
    path = name_repairs(root, data)
    named = {name for repair in read_all(path) for name in repair.spellings()}
    proposed = store.get_table(ref).to_pylist() if ref else []
    added = [Repair(0, **line) for line in proposed if line["place"] not in named]
    return {"path": str(path), "added": len(added), "kept": add_repairs(path, added)}


def name_repairs(root: Path, data: DataConfig) -> Path:
    """Where the file of repairs is, or will be.

    Raises:
        UsageError: the settings name none.
    """
    if not data.repairs:
        raise UsageError("The settings name no file of repairs.", where='data.repairs = ""', next="Leave the setting out, or name a file.")
    return root / data.repairs


def read_all(path: Path) -> list[Repair]:
    """The lines of a file of repairs that may not be there yet. Raises: as `read_repairs`."""
    return read_repairs(path) if path.is_file() else []


def add_repairs(path: Path, added: list[Repair]) -> int:
    """Writes lines below those that stand in the file, which stay as they are to the letter; returns how many these are."""
    kept = len(read_all(path))
    if added:
        before = path.read_bytes().rstrip(b"\n") + b"\n" if kept else b""
        lines = write_repairs(added, read_head(path) if kept else COLUMNS)
        durable.replace(path, before + (lines.partition(b"\n")[2] if kept else lines))
    return kept


def _needed(store: Blobs, ledger: ProjectLedger) -> set[str]:
    """Reports, and every stored file that one of them names."""
    needed: set[str] = set()
    for row in ledger.all_steps():
        needed.add(row.report)
        try:
            needed.update(REF.findall(store.get_bytes(row.report).decode()))
        except DamagedError:
            continue  # a report that can't be read names nothing that could be used
    return needed
