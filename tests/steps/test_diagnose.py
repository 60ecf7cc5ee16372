"""The diagnosis: a learning curve of the winner's own kind, bounds that must be kept, and answers of a person that fit no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surefoot import metrics, settings
from surefoot.analysis.scores import choose_winner
from surefoot.analysis.scores import score as score_predictions
from surefoot.data.predictions import load_predictions
from surefoot.engine.build import lay_out
from surefoot.engine.winners import sample_rows
from surefoot.events import Announcer
from surefoot.project import Project
from surefoot.runners import names
from surefoot.steps import s08_tune, s09_diagnose, s13_test
from surefoot.store.scope import ScopedLedger
from surefoot.types import Context, DiagnoseStepConfig, Measured, Trial, UsageError

from .samples import SMALL, make_project

BOUNDS = ["problem.satisfice.recall=0.999", "problem.satisfice.log_loss=5.0"]
FOLDED = [*SMALL, "search.trials=2", "search.keep=1", "split.protocol=kfold", "split.folds=2", *BOUNDS]
ROWS, ROUNDS = 80, 7


@pytest.fixture(scope="module")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("folded"), 300)
    project.run(to="tune", set=FOLDED)
    return project


def context(project: Project, scope: str) -> Context:
    return Context(project.root, project.root / "runs", 1, 0, "cpu", project.store, ScopedLedger(project.ledger, scope), Announcer())


def won_by_boosting(project: Project):
    """The report of s08 as if boosting had won, fitted on eighty rows with seven trees per class."""
    score = project.report("baseline").models["boosting"].model_copy(update={"rows": ROWS, "rounds": ROUNDS})
    return project.report("tune").model_copy(update={"winner": "boosting", "val": score, "temperature": 1.0})


def test_the_curve_of_a_simple_winner_is_made_of_its_own_rows_and_trees(folded, monkeypatch):
    ctx, fitted = context(folded, "curve"), []
    desk, real = lay_out(ctx, folded.report("problem"), folded.report("prepare")), s09_diagnose.fit_yardstick

    def fit(name, desk, part, rows, rounds):
        fitted.append((name, part.train, rounds.most))
        return real(name, desk, part, rows, rounds)

    monkeypatch.setattr(s09_diagnose, "fit_yardstick", fit)
    curve = s09_diagnose._learning_curve(ctx, desk, won_by_boosting(folded), [0.5, 0.25, 0.125])
    assert {share: point.n for share, point in curve.items()} == {"0.2": 16, "0.25": 20, "0.5": 40, "1": ROWS}
    assert {(name, rounds) for name, _, rounds in fitted} == {("boosting", ROUNDS)}
    own = sample_rows(desk.seed, desk.folds[0].train, ROWS)
    assert all(set(rows) <= set(own) for _, rows, _ in fitted)


def test_what_a_source_is_worth_is_measured_on_the_fold_that_was_asked(folded, monkeypatch):
    """Half of the data on the first fold, against all of it there: the pooled error of all folds is another set's."""
    half, tune = 0.4, folded.report("tune")
    ids = lay_out(context(folded, "ids"), folded.report("problem"), folded.report("prepare")).examples.pack.ids()
    monkeypatch.setattr(s09_diagnose, "_find_sources", lambda *_: {str(id): "ab"[n % 2] for n, id in enumerate(ids)})
    monkeypatch.setattr(s09_diagnose, "_measure_part", lambda *_: Measured(value=half, interval=(0.3, 0.5), n=50).model_dump(mode="json"))
    monkeypatch.setattr(s09_diagnose, "_choose_parts", lambda *_: ([0.5, 0.25], 6.0))
    config = settings.compose(DiagnoseStepConfig, names.load(folded.root, FOLDED))
    inputs = {name: folded.report(name) for name in ("problem", "audit", "baseline")}
    report = s09_diagnose.diagnose(context(folded, "sources"), config, data=folded.report("prepare"), tune=tune, **inputs)
    whole = report.curve["1"].value
    assert whole == pytest.approx(1 - tune.val.fold_values[0])
    assert whole != pytest.approx(report.errors["val"].value)
    assert report.expandability == pytest.approx(dict.fromkeys("ab", whole * (1 - whole / half)))


def test_a_bound_that_the_winner_misses_is_a_finding_and_stands_in_the_headline(folded):
    folded.run(to="diagnose", set=FOLDED)
    report = folded.report("diagnose")
    (found,) = [one for one in report.findings if one.code == "diagnose.bound_missed"]
    assert (found.severity, found.where) == ("warn", "problem.satisfice.recall")
    assert found.evidence["value"] == pytest.approx(report.metrics["recall"])
    assert (found.evidence["low"], found.evidence["high"]) == pytest.approx(report.intervals["recall"])
    assert "What must suffice does not: recall (due: 0.999)." in folded.render().read_text(encoding="utf-8").replace("\u00a0", " ")
    with pytest.raises(UsageError, match="'rmse' does not fit the task binary"):
        folded.run(to="problem", set=[*FOLDED, "problem.satisfice.rmse=0.5"])


def test_a_net_that_keeps_the_bounds_goes_before_a_better_one_that_does_not(folded, monkeypatch):
    ctx = context(folded, "bounds")
    problem = folded.report("problem").model_copy(update={"satisfice": {"recall": 0.5}})
    desk = lay_out(ctx, problem, folded.report("prepare"))
    score, blind = folded.report("tune").val, folded.report("baseline").models["majority"]  # says no always: of what is sold, it finds none
    trials = [Trial(number=n, settings={}, rung=1, epochs=1.0, value=0.9) for n in range(3)]
    full = [s08_tune.Trained(trial=trial, score=one, weights=(), history=()) for trial, one in zip(trials, (blind, score, score), strict=True)]
    config = settings.compose(s08_tune.TuneStepConfig, names.load(folded.root, FOLDED))
    assert [one.trial.number for one in s08_tune._prefer_sufficient(ctx, config, desk, full)] == [1, 2, 0]
    free = replace(desk, problem=problem.model_copy(update={"satisfice": {}}))
    assert [one.trial.number for one in s08_tune._prefer_sufficient(ctx, config, free, full)] == [0, 1, 2]


def test_a_simple_model_that_keeps_the_bounds_goes_before_a_better_net_that_does_not(folded):
    ctx = context(folded, "bounds of a simple model")
    problem = folded.report("problem").model_copy(update={"satisfice": {"recall": 0.5}})
    desk = lay_out(ctx, problem, folded.report("prepare"))
    score, blind = folded.report("tune").val, folded.report("baseline").models["majority"]
    ahead = blind.model_copy(update={"value": 0.99})
    winner, by_metric, (found,) = choose_winner(ctx, problem, desk.metric, {"net": (ahead, 0.5), "linear": (score, 0.5)})
    assert (winner, by_metric, found.code, found.severity) == ("linear", "net", "diagnose.bound_missed", "info")
    assert "By the metric net would go on; it misses 1 of the bounds that must be kept on val and linear 0" in found.what
    free = replace(desk, problem=problem.model_copy(update={"satisfice": {}}))
    assert choose_winner(ctx, free.problem, desk.metric, {"net": (ahead, 0.5), "linear": (score, 0.5)}) == ("net", "net", [])
    assert choose_winner(ctx, problem, desk.metric, {"net": (score, 0.5), "linear": (score, 0.5)}) == ("linear", "linear", [])  # of equals the simpler


def test_answers_to_a_question_that_changed_are_left_out_and_told(folded):
    project, told = Project(folded.root), []
    project.events = Announcer((lambda event: told.append(str(event.data.get("text"))),))
    rows = project.store.get_arrays(project.report("prepare").rows)
    ids = lay_out(context(project, "human"), project.report("problem"), project.report("prepare")).examples.pack.ids(np.sort(rows["fold0.val"])[:12])
    for number, id in enumerate(ids):
        project.ledger.answer(str(id), "vendu" if number == 0 else "yes")
    project.ledger.answer("known when another column counted", "yes")
    project.run(to="diagnose", set=FOLDED)
    assert project.report("diagnose").errors["human"].n == 11
    assert [line for line in told if "1 of 13 answers of a person fit the question no longer" in line]
    assert [line for line in told if "1 of 13 answers of a person belong to no val item" in line]


def test_a_simple_model_that_ships_for_a_bound_does_not_make_the_inputs_tell_nothing(folded):
    """It says yes always, so that it finds everything and is worse than saying no always; the net, which the metric prefers, is far better."""
    ctx = context(folded, "who keeps a bound")
    problem = folded.report("problem").model_copy(update={"satisfice": {"recall": 0.995}})
    baseline = folded.report("baseline")
    said = load_predictions(ctx.store, baseline.models["majority"].predictions)
    always = replace(said, outputs=np.tile([0.4, 0.6], (len(said), 1)), logits=None)
    models = baseline.models | {"linear": score_predictions(ctx.store, problem, metrics.get("accuracy"), always, seed=0)}
    config = settings.compose(s08_tune.TuneStepConfig, names.load(folded.root, FOLDED))
    inputs = {"data": folded.report("prepare"), "overfit": folded.report("overfit")}
    report = s08_tune.tune(ctx, config, problem=problem, baseline=baseline.model_copy(update={"models": models, "best": "linear"}), **inputs)
    assert (report.winner, report.by_metric) == ("linear", "net")
    assert report.val.value < models["majority"].value < report.net.value
    assert not {"diagnose.below_baseline", "diagnose.accuracy_paradox"} & {one.code for one in report.findings}


def test_a_bound_that_is_kept_is_told_with_its_interval_on_val_and_on_test(folded):
    """By a metric of one's own, which nothing else would tell."""
    (folded.root / "my.py").write_text("def found(targets, outputs):\n    return float((outputs[targets == 1, 1] > 0.5).mean())\n")
    ctx, tune = context(folded, "kept"), folded.report("tune")
    problem, val = folded.report("problem").model_copy(update={"satisfice": {"my:found": 0.1}}), load_predictions(ctx.store, tune.val.predictions)
    for told in (s09_diagnose._measure_metrics(ctx, None, problem, tune, val), s13_test._detail(ctx, problem, val, tune.threshold)):
        low, high = told["intervals"]["my:found"]
        assert low < told["metrics"]["my:found"] < high
