"""What a person does to the data by hand: answers for the model, and decides about labels that are in doubt."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surefoot import durable
from surefoot.analysis.gaps import measure_error
from surefoot.analysis.human import to_predictions
from surefoot.analysis.mislabels import REPAIRS
from surefoot.data.packs import Pack, open_pack
from surefoot.data.showing import show_item
from surefoot.data.targets import plain_targets
from surefoot.metrics import get as get_metric
from surefoot.randomness import stream
from surefoot.store.blobs import Blobs
from surefoot.types.data_reports import PreparedData
from surefoot.types.errors import DataError
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem

REPAIRS_FILE = "repairs.csv"


@dataclass(frozen=True)
class Shown:
    """An item as a person sees it, without its target and without its place, which often names it.

    Attributes:
        shown: a picture uint8 (H, W) or (H, W, 3), or column -> value.
    """

    id: str
    place: str
    shown: np.ndarray | dict[str, str]


def show_items(store: Blobs, data: PreparedData, ids: list[str]) -> list[Shown]:
    """Items of train and val by their ids, in that order."""
    pack = open_pack(store, data.pack)
    position = {id: row for row, id in enumerate(pack.ids())}
    rows = [position[id] for id in ids if id in position]
    places = pack.places(np.asarray(rows, np.int64))
    return [Shown(str(pack.ids(np.array([row]))[0]), str(place), show_item(pack, row, data.recipe)) for row, place in zip(rows, places)]


def pick_val(store: Blobs, data: PreparedData, num: int, seed: int, known: set[str]) -> list[str]:
    """The next `num` ids of val in a seeded order, those that were answered before left out."""
    pack = open_pack(store, data.pack)
    ids = pack.ids(_val_rows(store, data))
    return [str(ids[k]) for k in stream(seed, "human").permutation(len(ids)) if ids[k] not in known][:num]


def _val_rows(store: Blobs, data: PreparedData) -> np.ndarray:
    rows = store.get_arrays(data.rows)
    return np.unique(np.concatenate([rows[f"fold{fold.fold}.val"] for fold in data.folds]))


def judge_answers(store: Blobs, problem: Problem, data: PreparedData, answers: dict[str, str], *, root: Path, seed: int) -> dict[str, object]:
    """How a person did: error of the metric with interval, items answered and, of classes, how many were wrong, and which ones."""
    pack: Pack = open_pack(store, data.pack)
    rows = _val_rows(store, data)
    ids, targets = pack.ids(rows), plain_targets(problem, pack.targets[rows])
    said = to_predictions(problem, answers, ids, targets)
    if not len(said):
        return {"items": 0, "wrong": 0, "error": None}
    name = "hamming_accuracy" if problem.task == "multilabel" else "accuracy" if problem.classes else problem.metric
    error: Measured = measure_error(get_metric(name, root), said, seed=seed)
    return {"items": len(said), "metric": name, "error": error.model_dump(mode="json"), "wrong": _count_wrong(problem, said.outputs, said.targets)}


def _count_wrong(problem: Problem, outputs: np.ndarray, targets: np.ndarray) -> int | None:
    if not problem.classes:
        return None
    said = outputs >= 0.5 if problem.task == "multilabel" else outputs.argmax(1)
    differs = said != targets
    return int((differs.any(1) if differs.ndim == 2 else differs).sum())


def read_repairs(path: Path) -> list[dict[str, str]]:
    """The lines of a repairs file; none where there is no file.

    Raises:
        DataError: it lacks one of the columns.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"id", "action"} <= set(rows[0]):
        raise DataError(f"{path.name} has no columns id and action.", where=str(path), next=f"Its first line is: {','.join(REPAIRS)}.")
    return rows


def write_repairs(path: Path, decided: list[dict[str, str]]) -> int:
    """Puts decisions into a repairs file; a later one about the same item takes the place of an earlier one. Returns the number of lines."""
    fresh = {row["id"] for row in decided}
    rows = [*(row for row in read_repairs(path) if row.get("id") not in fresh), *decided]
    text = io.StringIO()
    writer = csv.DictWriter(text, REPAIRS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    durable.replace(path, text.getvalue().encode())
    return len(rows)
