"""What a person does to the data by hand: answers for the model, and decides about labels that are in doubt."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from surefoot.analysis.errors import wrong_rows
from surefoot.analysis.gaps import measure_error
from surefoot.analysis.human import count_left_out, name_unknown, parse_answer, to_predictions
from surefoot.data.packs import Pack, open_pack
from surefoot.data.readers.repairs import KEEP, Repair
from surefoot.data.showing import read_texts, show_item
from surefoot.data.targets import plain_targets
from surefoot.metrics import get as get_metric
from surefoot.randomness import stream
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import ProjectLedger
from surefoot.types.data_reports import PreparedData
from surefoot.types.error_reports import Mislabel
from surefoot.types.errors import UsageError
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem


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
    names = pack.ids(np.asarray(rows, np.int64))
    texts = read_texts(store, data.texts)
    return [Shown(str(id), str(place), show_item(pack, row, data.recipe, texts.get(str(id), ""))) for row, id, place in zip(rows, names, places)]


def check_task(problem: Problem) -> None:
    """Raises UsageError where a person can't answer at the keyboard."""
    if problem.task == "detection":
        raise UsageError("Boxes can't be answered at the keyboard.", where="problem.task", next="Draw them in an annotation tool, and compare the two files.")


def check_doubted(problem: Problem) -> None:
    """Raises UsageError where no label is ever doubted, for want of another class that the models could say."""
    if problem.task not in ("binary", "multiclass"):
        raise UsageError(
            f"Labels are doubted where each item has one class, and the task is {problem.task}.",
            where="problem.task",
            next="Look at the worst items: surefoot errors --csv FILE; mend them in the data, or in repairs.csv.",
        )


def pick_val(store: Blobs, data: PreparedData, num: int, seed: int, known: Container[str]) -> list[str]:
    """The next `num` ids of val in a seeded order, those that were answered before left out."""
    pack = open_pack(store, data.pack)
    ids = pack.ids(_val_rows(store, data))
    return [str(ids[k]) for k in stream(seed, "human").permutation(len(ids)) if ids[k] not in known][:num]


def _val_rows(store: Blobs, data: PreparedData) -> np.ndarray:
    rows = store.get_arrays(data.rows)
    return np.unique(np.concatenate([rows[f"fold{fold.fold}.val"] for fold in data.folds]))


def judge_answers(store: Blobs, problem: Problem, data: PreparedData, answers: dict[str, str], *, root: Path, seed: int) -> dict[str, object]:
    """How a person did: error of the metric with interval, items answered and, of classes, how many were wrong, and which ones.

    Returns:
        `items`, `error` and `wrong` (None of amounts), `mistakes`: id, answer and target of each of these, and what is left out: `unfit`, answers that
        fit the question no longer, and `elsewhere`, those that were given about no val item.
    """
    pack: Pack = open_pack(store, data.pack)
    rows = _val_rows(store, data)
    ids, targets = pack.ids(rows), plain_targets(problem, pack.targets[rows])
    said = to_predictions(problem, answers, ids, targets)
    left_out: dict[str, object] = dict(zip(("unfit", "elsewhere"), count_left_out(problem, answers, ids), strict=True))
    if not len(said):
        return {"items": 0, "wrong": 0, "error": None, "mistakes": []} | left_out
    name = "hamming_accuracy" if problem.task == "multilabel" else "accuracy" if problem.classes else problem.metric
    error: Measured = measure_error(get_metric(name, root), said, seed=seed)
    wrong = wrong_rows(problem.task, said).tolist() if problem.classes else []
    told = [{"id": str(said.ids[row]), "answer": answers[str(said.ids[row])], "target": _name(problem, said.targets[row])} for row in wrong]
    known = {"items": len(said), "metric": name, "error": error.model_dump(mode="json")}
    return known | {"wrong": len(told) if problem.classes else None, "mistakes": told} | left_out


def _name(problem: Problem, target: np.ndarray) -> str:
    """The class, or the names of the labels, as answers have them."""
    if problem.task == "multilabel":
        return ",".join(name for name, due in zip(problem.classes, target) if due)
    return problem.classes[int(target)]


def note_answer(ledger: ProjectLedger, problem: Problem, item: str, text: str) -> None:
    """Keeps what a person says of a val item; the next `diagnose` takes it into the gap table."""
    ledger.answer(item, parse_answer(problem, text))


def choose_key(problem: Problem, letter: str) -> str:
    """The letter that a command is given with; behind a colon where it would be an answer: of the classes yes and no, `y` is the first."""
    try:
        parse_answer(problem, letter)
    except UsageError:
        return letter
    return choose_key(problem, f":{letter}")


def decide(problem: Problem, one: Mislabel, line: str) -> Repair:
    """What was typed about a label in doubt, as a line for the file of repairs: nothing keeps the given label, `y` takes the suggestion, `d` drops
    the item (see `choose_key`), else it is a class.

    Raises:
        UsageError: it is none of these.
    """
    known = partial(Repair, 0, one.place, id=one.id, reason=f"reviewed: was {one.given}")
    drop = choose_key(problem, "d")
    if line.lower() == drop:
        return known(action="drop")
    label = one.given if not line else one.suggested if line.lower() == choose_key(problem, "y") else parse_answer(problem, line)
    if label == name_unknown(problem):
        raise UsageError("A label can't be unknown.", next=f"Enter keeps the given one; {drop} drops the item.")
    if label == one.given:
        return known(action=KEEP, reason=f"reviewed: is {one.given}")
    return known(action="relabel", value=label)
