"""Who goes on where bounds must be kept: what is missed beyond noise counts, and the metric decides the rest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.engine.samples import TABLES, make_problem

from surefoot.analysis.scores import choose_winner, judge_lead, score
from surefoot.metrics import get
from surefoot.store.blobs import Blobs
from surefoot.types import ModelScore, Predictions

PROBLEM = make_problem(kind="table", task="binary", **TABLES["binary"]).model_copy(update={"satisfice": {"recall": 0.8}})
NUM = 200


@pytest.fixture
def ctx(tmp_path: Path) -> SimpleNamespace:
    return SimpleNamespace(store=Blobs(tmp_path / "store"), root=tmp_path, seed=0)


def make_score(ctx: SimpleNamespace, found: int, alarms: int) -> ModelScore:
    """Of a model that finds so many of 200 positives, and takes so many of 200 negatives for positive."""
    said = np.r_[np.arange(NUM) < found, np.arange(NUM) < alarms]
    probs = np.where(said, 0.9, 0.1)
    predictions = Predictions(np.arange(2 * NUM).astype(str), np.stack([1 - probs, probs], 1), np.repeat([1, 0], NUM))
    return score(ctx.store, PROBLEM, get("accuracy"), predictions, seed=0)


@pytest.mark.parametrize(("found", "alarms", "due"), [(159, 40, "net"), (100, 80, "linear")])
def test_a_bound_that_is_missed_by_luck_alone_does_not_outrank_the_metric(ctx, found, alarms, due):
    """A recall of 159 of 200 against 161 where 0.8 is due is noise, and the net has ten points more of the metric; 100 of 200 is none."""
    models = {"net": (make_score(ctx, found, 0), 0.5), "linear": (make_score(ctx, 161, alarms), 0.5)}
    assert models["net"][0].value > models["linear"][0].value
    winner, by_metric, told = choose_winner(ctx, PROBLEM, get("accuracy"), models)
    assert (winner, by_metric, len(told)) == (due, "net", int(due != "net"))


def test_who_keeps_a_bound_and_pays_for_it_does_not_make_the_inputs_tell_nothing(ctx):
    """The lead over saying always the same is that of the model which the metric prefers."""
    trivial, net, keeps = make_score(ctx, 0, 0), make_score(ctx, 150, 10), make_score(ctx, 200, 200)
    assert judge_lead(ctx, PROBLEM, get("accuracy"), (net, 0.5), trivial, [net, keeps, trivial]) == []
    assert [one.severity for one in judge_lead(ctx, PROBLEM, get("accuracy"), (keeps, 0.5), trivial, [keeps, trivial])] == ["stop"]
