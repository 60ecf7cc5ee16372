"""Advice promises only what was measured, and every line of it has its command."""

from __future__ import annotations

import shlex

import pytest
import typer

from surefoot.analysis.advice import DEEP, Evidence, advise
from surefoot.cli.arguments import arrange
from surefoot.cli.main import app
from surefoot.models.grammar import parse
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import ModelScore, TuneReport

SURE = (0.01, 0.2)


def curve(scale: float = 1.0) -> dict[str, Measured]:
    return {f"{s:g}": Measured(value=scale * 0.05 * s**-0.8, interval=(scale * 0.048 * s**-0.8, scale * 0.052 * s**-0.8)) for s in (0.125, 0.25, 0.5, 1.0)}


def evidence(kind: str = "image", task: str = "multiclass", winner: str = "net", **more) -> Evidence:
    problem = Problem(question="", kind=kind, task=task, target=("t",), classes=("a", "b", "c"), metric="accuracy", head="", loss="", num_outputs=3)
    val = ModelScore(value=0.9)
    tune = TuneReport(winner=winner, val=val, net=val, weights=("w",), model=ModelConfig(width=32), train=TrainConfig(), epochs=5, best_epoch=5)
    known = {"gaps": {}, "errors": {"human": Measured(value=0.0), "val": Measured(value=0.1)}, "verdict": "none"} | more
    return Evidence(problem, tune, **known)


GAPS = {"bias": Measured(value=0.05, interval=SURE), "variance": Measured(value=0.1, interval=SURE), "mismatch": Measured(value=0.02, interval=SURE)}


def test_the_largest_gap_comes_first_and_each_action_has_a_command():
    found = advise(evidence(gaps=GAPS, verdict="variance", curve=curve(), noise=Measured(value=0.03, n=400)))
    assert found[0].term == "variance"
    brings = [one.could_bring for one in found if one.term != "variance"]
    assert brings == sorted(brings, reverse=True)
    assert {"bias", "variance", "mismatch", "labels", "data"} == {one.term for one in found}
    assert all(one.command for one in found)


@pytest.mark.parametrize("kind", ["image", "table"])
def test_every_command_can_be_typed(kind):
    task = "multiclass" if kind == "image" else "binary"
    commands = typer.main.get_command(app).commands
    told = advise(evidence(kind, task, gaps=GAPS, verdict="bias", curve=curve(), noise=Measured(value=0.03, n=400), recalls={"a": 0.9, "b": 0.2}))
    for one in told:
        words = shlex.split(one.command)
        assert words[0] == "surefoot"
        commands[words[1]].make_context(words[1], arrange(words[2:]), resilient_parsing=False)
    assert parse(DEEP)


def test_a_curve_says_what_more_data_would_bring_with_its_interval():
    (found,) = [one for one in advise(evidence(curve=curve())) if one.term == "data"]
    assert found.what.startswith("Twice the train data would bring the val error from 0.05 to about 0.02")
    assert "[0.0" in found.what
    assert found.could_bring == pytest.approx(0.05 * (1 - 2**-0.8), rel=0.1)


def test_a_flat_curve_promises_nothing():
    flat = {f"{s:g}": Measured(value=0.05, interval=(0.045, 0.055)) for s in (0.125, 0.25, 0.5, 1.0)}
    (found,) = [one for one in advise(evidence(curve=flat)) if one.term == "data"]
    assert "next to nothing" in found.what
    assert found.could_bring is None


def test_labels_to_review_are_counted():
    (found,) = [one for one in advise(evidence(noise=Measured(value=0.03, n=400))) if one.term == "labels"]
    assert "about 12 of 400" in found.what
    assert found.command == "surefoot review"


def test_no_term_beyond_noise_asks_for_more_val_data():
    assert "gather more val data" in advise(evidence())[0].what


def test_without_a_human_level_bias_is_no_advice_beside_a_real_gap():
    unknown = {"human": None, "val": Measured(value=0.1)}
    assert "bias" not in {one.term for one in advise(evidence(gaps=GAPS, errors=unknown, verdict="variance"))}
    assert "bias" in {one.term for one in advise(evidence(gaps=GAPS, errors=unknown, verdict="none"))}


def test_a_class_that_is_missed_gets_all_three_remedies():
    told = [one.command for one in advise(evidence(task="binary", recalls={"a": 0.95, "b": 0.2})) if one.term == "balance"]
    assert [word in " ".join(told) for word in ("class_weights", "sampling", "least_recall")] == [True] * 3
    assert not [one for one in advise(evidence(recalls={"a": 0.95, "b": 0.9})) if one.term == "balance"]


def test_items_of_several_labels_are_weighed_and_their_thresholds_moved_but_not_sampled():
    told = " ".join(one.command for one in advise(evidence(task="multilabel", recalls={"a": 0.95, "b": 0.2})) if one.term == "balance")
    assert [word in told for word in ("class_weights", "sampling", "least_recall")] == [True, False, True]
