"""Rounds are compared where they ask the same question."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surefoot.analysis.scores import score
from surefoot.metrics import get
from surefoot.project import Project
from surefoot.runners.rounds import compare_rounds
from surefoot.store.blobs import Blobs
from surefoot.types import ModelConfig, Predictions, Problem, TrainConfig, TuneReport, UsageError


def ask(*classes: str) -> Problem:
    return Problem(question="", kind="image", task="multiclass", target=("t",), classes=classes, metric="accuracy", head="", loss="", num_outputs=len(classes))


@pytest.mark.parametrize("other", [("cat", "cow"), ("dog", "cat"), ("cat", "dog", "cow")])
def test_rounds_of_different_classes_are_refused_whatever_their_number(other):
    """Equal numbers of classes hide it: dogs would be compared with cows, column by column."""
    with pytest.raises(UsageError, match="The two rounds have different classes") as caught:
        compare_rounds(None, (ask("cat", "dog"), ask(*other)), (None, None), root=Path(), seed=0, num_rounds=2)
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
    rounds = make_round(store, bounded, 60), make_round(store, bounded, 95)
    told = compare_rounds(store, (bounded, free), rounds, root=tmp_path, seed=0, num_rounds=2)
    assert {name: one["value"] for name, one in told["metrics"].items()} == pytest.approx({"recall": -0.35, "my:found": -0.35})
    assert "Bounds missed: 1 of the first, 0 of the second" in told["sentence"]
    assert told["bounds_missed"] == [1, 0]
    assert "Bounds" not in compare_rounds(store, (free, bounded), rounds, root=tmp_path, seed=0, num_rounds=2)["sentence"]


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
