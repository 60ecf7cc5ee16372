"""Advice promises only what was measured, and every line of it has its command."""

from __future__ import annotations

import dataclasses
import shlex

import pytest
import typer

from surefoot import metrics
from surefoot.analysis.advice import DEEP, Evidence, advise
from surefoot.checks import diagnosis as checks
from surefoot.cli.arguments import arrange
from surefoot.cli.main import app
from surefoot.models.grammar import parse
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.data_reports import FieldSpec
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import ModelScore, TuneReport

SURE = (0.01, 0.2)


RARE = {"a": 0.9, "b": 0.1}


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


def test_where_wrong_labels_may_be_all_of_the_bias_they_are_mended_before_the_model_is_made_stronger():
    """A tenth of the labels of three separable kinds changed: train error 0.107, human 0.02; about 9.6 % of val's labels look wrong."""
    gaps = {"bias": Measured(value=0.087, interval=(0.07, 0.105)), "variance": Measured(value=-0.006, interval=(-0.03, 0.02)), "mismatch": None}
    noise = Measured(value=0.096, interval=(0.07, 0.128), n=400)
    assert advise(evidence(gaps=gaps, verdict="bias", noise=noise))[0].term == "labels"
    small = noise.model_copy(update={"value": 0.03, "interval": (0.02, 0.05)})
    assert advise(evidence(gaps=gaps, verdict="bias", noise=small))[0].term == "bias"


@pytest.mark.parametrize("kind", ["image", "table"])
def test_every_command_can_be_typed(kind):
    task = "multiclass" if kind == "image" else "binary"
    commands = typer.main.get_command(app).commands
    told = advise(evidence(kind, task, gaps=GAPS, verdict="bias", curve=curve(), noise=Measured(value=0.03, n=400), recalls={"a": 0.9, "b": 0.2}, shares=RARE))
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


def test_a_curve_of_one_fold_is_told_as_that_folds():
    known = evidence(curve=curve())
    folded = dataclasses.replace(known, tune=known.tune.model_copy(update={"weights": ("a", "b")}))
    (found,) = [one for one in advise(folded) if one.term == "data"]
    assert found.what.startswith("Twice the train data would bring the first fold's val error from 0.05")


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
    told = [one.command for one in advise(evidence(task="binary", recalls={"a": 0.95, "b": 0.2}, shares=RARE)) if one.term == "balance"]
    assert [word in " ".join(told) for word in ("class_weights", "sampling", "least_recall")] == [True] * 3
    assert not [one for one in advise(evidence(recalls={"a": 0.95, "b": 0.9}, shares=RARE)) if one.term == "balance"]


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_class_that_is_missed_and_not_rare_is_hard_and_gets_none_of_them(task):
    """Of CIFAR-10's ten equal classes 0.55 of the cats are found and 0.9 of the cars."""
    even = {"a": 0.5, "b": 0.5} if task == "binary" else {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}
    assert not [one for one in advise(evidence(task=task, recalls={"a": 0.95, "b": 0.2}, shares=even)) if one.term == "balance"]


def test_items_of_several_labels_are_weighed_and_their_thresholds_moved_but_not_sampled():
    told = " ".join(one.command for one in advise(evidence(task="multilabel", recalls={"a": 0.95, "b": 0.2}, shares=RARE)) if one.term == "balance")
    assert [word in told for word in ("class_weights", "sampling", "least_recall")] == [True, False, True]


@pytest.mark.parametrize(
    ("metric", "goal", "val", "met"),
    [("brier", 0.1, 0.5, False), ("brier", 0.1, 0.08, True), ("log_loss", 0.3, 0.65, False), ("accuracy", 0.9, 0.92, True), ("accuracy", 0.95, 0.92, False)],
)
def test_shipping_is_advised_where_the_goal_is_met_in_the_direction_of_its_metric(metric, goal, val, met):
    known = evidence()
    problem = known.problem.model_copy(update={"metric": metric, "goal": goal})
    found = advise(dataclasses.replace(known, problem=problem, is_goal_met=bool(checks.goal(problem, metrics.get(metric), ModelScore(value=val)))))
    assert ("goal" in {one.term for one in found}) == met


@pytest.mark.parametrize(("val", "met"), [(1.9, True), (2.1, False)])
def test_the_goal_of_an_amount_is_met_like_any_other(val, met):
    known = evidence("table", "regression")
    problem = known.problem.model_copy(update={"metric": "rmse", "goal": 2.0, "classes": ()})
    found = advise(dataclasses.replace(known, problem=problem, is_goal_met=bool(checks.goal(problem, metrics.get("rmse"), ModelScore(value=val)))))
    assert ("goal" in {one.term for one in found}) == met


def test_a_simple_model_that_saw_a_part_of_the_rows_is_shown_more_before_more_are_gathered():
    points = {share: point.model_copy(update={"n": int(float(share) * 20_000)}) for share, point in curve().items()}
    (found,) = [one for one in advise(evidence("table", winner="boosting", curve=points, num_train=60_000)) if one.term == "data"]
    assert found.what.startswith("boosting was fitted on 20,000 of 60,000 train rows: twice as many would bring")
    assert "baseline.rows=40000" in found.command
    (whole,) = [one for one in advise(evidence("table", winner="boosting", curve=points, num_train=20_000)) if one.term == "data"]
    assert whole.what.startswith("Twice the train data")


@pytest.mark.parametrize(
    ("kind", "names", "setting"),
    [
        ("image", ("image",), "train.mixup=0.2"),
        ("table", ("numeric", "category"), "train.augment=noise"),
        ("table", ("text",), "train.augment=token_dropout"),
        ("table", ("category",), ""),
    ],
)
def test_variance_is_met_by_the_augmentation_that_the_inputs_bear(kind, names, setting):
    fields = tuple(FieldSpec(name=f"{name}.0" if name == "text" else name, shape=(1,), dtype="int32", cardinalities=(9,)) for name in names)
    told = [one.command for one in advise(evidence(kind, gaps=GAPS, verdict="variance", fields=fields)) if one.what.startswith("Augment")]
    assert [command.rpartition(" ")[2] for command in told] == ([setting] if setting else [])


@pytest.mark.parametrize(
    ("by_metric", "interval", "merit"),
    [
        ("net", (0.03, 0.07), "misses fewer bounds of problem.satisfice than the net, and is"),
        ("", (-0.07, -0.03), "is better than the net on val and"),
        ("", (-0.07, 0.03), "is no worse than the net on val, and"),
    ],
)
def test_a_simple_model_is_praised_for_what_it_went_on_for(by_metric, interval, merit):
    known = evidence("table", "binary", winner="linear")
    apart = Measured(value=sum(interval) / 2, interval=interval)
    told = advise(dataclasses.replace(known, tune=known.tune.model_copy(update={"by_metric": by_metric, "versus_baseline": apart})))
    assert told[0].what == f"Ship linear: it {merit} simpler to run."


@pytest.mark.parametrize("setting", [{"class_weights": "balanced"}, {"sampling": "balanced"}])
@pytest.mark.parametrize(("task", "left"), [("binary", ["problem.least_recall=0.8"]), ("multiclass", [])])
def test_who_evened_the_classes_already_is_not_told_to(setting, task, left):
    known = evidence(task=task, recalls={"a": 0.95, "b": 0.2}, shares=RARE)
    tune = known.tune.model_copy(update={"train": TrainConfig(**setting)})
    told = [one for one in advise(dataclasses.replace(known, tune=tune)) if one.term == "balance"]
    assert [one.command.rpartition(" ")[2] for one in told] == left
    assert all(one.what.startswith("b is found in 20% only: move the decision threshold") for one in told)
