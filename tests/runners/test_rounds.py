"""Rounds are compared where they ask the same question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from surefoot.analysis.scores import score
from surefoot.data.predictions import save_predictions
from surefoot.metrics import get
from surefoot.project import Project
from surefoot.runners.rounds import Tuned, compare_rounds
from surefoot.store.blobs import Blobs
from surefoot.types import ModelConfig, Predictions, Problem, Split, TrainConfig, TuneReport, UsageError
from surefoot.types.reports import ModelScore


def ask(*classes: str) -> Problem:
    return Problem(question="", kind="image", task="multiclass", target=("t",), classes=classes, metric="accuracy", head="", loss="", num_outputs=len(classes))


@pytest.mark.parametrize("other", [("cat", "cow"), ("dog", "cat"), ("cat", "dog", "cow")])
def test_rounds_of_different_classes_are_refused_whatever_their_number(other):
    """Equal numbers of classes hide it: dogs would be compared with cows, column by column."""
    with pytest.raises(UsageError, match="The two rounds have different classes") as caught:
        compare_rounds(None, Tuned(None, ask("cat", "dog"), None), Tuned(None, ask(*other), None), root=Path(), seed=0, num_rounds=2)
    told = caught.value
    assert told.next
    assert all(name in told.where for name in {"cat", "dog"} ^ set(other))


def make_round(store: Blobs, problem: Problem, found: int) -> TuneReport:
    """Of a net that finds so many of 100 positives, and takes 10 of 100 negatives for positive."""
    probs = np.where(np.r_[np.arange(100) < found, np.arange(100) < 10], 0.9, 0.1)
    said = Predictions(np.arange(200).astype(str), np.stack([1 - probs, probs], 1), np.repeat([1, 0], 100))
    val = score(store, problem, get("accuracy"), said, seed=0)
    return TuneReport(winner="net", val=val, net=val, weights=(), model=ModelConfig(), train=TrainConfig(), epochs=1, best_epoch=1)


def test_rounds_are_compared_by_what_must_suffice_too(tmp_path):
    """A metric of one's own among it, which the project's folder knows."""
    (tmp_path / "my.py").write_text("def found(targets, outputs):\n    return float((outputs[targets == 1, 1] > 0.5).mean())\n")
    bounded = ask("no", "yes").model_copy(update={"task": "binary", "num_outputs": 1, "satisfice": {"recall": 0.8, "my:found": 0.5}})
    free, store = bounded.model_copy(update={"satisfice": {}}), Blobs(tmp_path / "store")
    split = Split.model_construct(sets=store.put_table(pa.table({"id": ["0"], "set": ["val"]})))

    def compare(first: Problem, second: Problem) -> dict[str, Any]:
        rounds = (Tuned(make_round(store, bounded, found), asked, split) for found, asked in ((60, first), (95, second)))
        return compare_rounds(store, *rounds, root=tmp_path, seed=0, num_rounds=2)

    told = compare(bounded, free)
    assert {name: one["value"] for name, one in told["metrics"].items()} == pytest.approx({"recall": -0.35, "my:found": -0.35})
    assert "Bounds missed: 1 of the first, 0 of the second" in told["sentence"]
    assert told["bounds_missed"] == [1, 0]
    assert "Bounds" not in compare(free, bounded)["sentence"]


def test_a_past_round_that_was_not_walked_so_far_is_not_advised_to_go_on(tmp_path):
    """`surefoot run` begins a new round: it can't walk on in an old one."""
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{n * 7 % 31 + n / 100},{'ab'[n % 2]}\n" for n in range(120)))
    (tmp_path / "surefoot.toml").write_text('[data]\nsource = "t.csv"\n')
    project = Project(tmp_path)
    for to, goal in (("split", 0.5), ("audit", 0.6), ("split", 0.7)):
        project.run(to=to, from_="problem", set=[f"problem.goal={goal}"])
    assert [row.number for row in project.ledger.rounds()] == [1, 2, 3]
    with pytest.raises(UsageError, match="split was not walked in round 2") as caught:
        project.report("split", 2)
    assert caught.value.next == "Rounds where it was: 1, 3; a past one stays as it is."
    with pytest.raises(UsageError, match="tune was not walked in round 3") as caught:
        project.report("tune")
    assert caught.value.next == "surefoot run --to tune"


def pretend(project: Project, number: int, num_wrong: int) -> Tuned:
    """A round whose model is wrong about the first of val's items by their places, and right about all others."""
    index = project.store.get_table(project.report("audit", number).index).to_pydict()
    sets = project.store.get_table(project.report("split", number).sets).to_pydict()
    inside = {id for id, name in zip(sets["id"], sets["set"]) if name == "val"}
    val = sorted((place, id, int(target[0])) for place, id, target in zip(index["place"], index["id"], index["target"]) if id in inside)
    targets = np.array([target for _, _, target in val])
    said = np.where(np.arange(len(val)) < num_wrong, 1 - targets, targets)
    ref = save_predictions(project.store, Predictions(np.array([id for _, id, _ in val], object), np.eye(2)[said], targets))
    known = ModelScore(value=1 - num_wrong / len(val), predictions=ref)
    tune = TuneReport.model_construct(val=known, net=known, threshold=0.5, net_threshold=0.5, winner="net")
    return Tuned(tune, project.report("problem", number), project.report("split", number))


def test_rounds_are_compared_whatever_columns_they_leave_out(tmp_path):
    """Ids are hashes of the columns that count: after a column was ignored, no item seemed to be held out in both."""
    draw = np.random.default_rng(0).normal(size=(300, 2))
    rows = [f"{n % 7},{a:.4f},{b:.4f},{'yes' if a > 0 else 'no'}" for n, (a, b) in enumerate(draw)]
    (tmp_path / "t.csv").write_text("\n".join(["u,a,b,y", *rows]) + "\n")
    project = Project.init(str(tmp_path / "t.csv"), target="y", out=str(tmp_path / "p"), budget="smoke")
    for ignored in ([], ["data.ignore=['u']"], ["data.ignore=['u', 'b']"]):
        project.run(to="split", set=["split.protocol=holdout", *ignored])
    first, second, third = (pretend(project, number, num_wrong) for number, num_wrong in ((1, 6), (2, 2), (3, 0)))
    num = project.report("split").counts["val"]
    for one, other, due in ((second, first, 4), (first, second, -4), (third, second, 2), (third, first, 6), (first, first, 0)):
        found = compare_rounds(project.store, one, other, root=project.root, seed=0, num_rounds=2)["difference"]
        assert (found["n"], found["value"]) == (num, pytest.approx(due / num))
