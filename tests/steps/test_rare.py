"""What is rare: a healthy road is not stopped because a metric, a sample or a tiny batch sees one kind of item alone."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tests.engine.samples import FULL, make_table_desk

from surefoot.project import Project
from surefoot.steps import s06_sanity, s09_diagnose
from surefoot.types import GateStop, ModelConfig, UsageError

from .samples import SMALL, make_project


def write_payments(folder: Path, strength: float) -> Path:
    """One in fifty is fraud; of that one column tells a little, the other nothing."""
    draw = np.random.default_rng(0)
    is_fraud = draw.random(5_000) < 0.02
    tells, noise = draw.normal(size=5_000) + strength * is_fraud, draw.normal(size=5_000)
    rows = [f"{a:.4f},{b:.4f},{'fraud' if rare else 'fine'}" for a, b, rare in zip(tells, noise, is_fraud)]
    path = folder / "payments.csv"
    path.write_text("\n".join(["tells,noise,kind", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("strength", "code", "severity"), [(1.5, "diagnose.accuracy_paradox", "warn"), (0.0, "diagnose.below_baseline", "stop")], ids=["tells", "tells nothing"]
)
def test_a_rare_class_that_accuracy_does_not_see_stops_nobody_if_the_probs_tell_it(tmp_path, monkeypatch, strength, code, severity):
    monkeypatch.setattr(s06_sanity, "_try_export", lambda *_: "")
    project = Project.init(str(write_payments(tmp_path, strength)), out=str(tmp_path / "p"), budget="smoke")
    with contextlib.suppress(GateStop):
        project.run(to="tune", set=[*SMALL, "search.trials=1", "train.epochs=2"])
    tune = next(step for step in project.rounds()[-1].steps if step.name == "s08_tune")
    serious = [(one.code, one.severity) for one in tune.report.findings if one.severity != "info"]
    assert serious == [(code, severity)]


def test_the_metrics_that_rare_classes_are_to_be_judged_by_are_taken(tmp_path):
    project = make_project(tmp_path)
    for name in ("balanced_accuracy", "f1_macro", "pr_auc"):
        project.run(to="problem", set=[f"problem.metric={name}"])
        assert project.report("problem").metric == name
    with pytest.raises(UsageError, match="'r2' does not fit the task binary") as caught:
        project.run(to="problem", set=["problem.metric=r2"])
    assert "balanced_accuracy" in caught.value.next
    assert "rmse" not in caught.value.next


def _make_targets(task: str, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    if task == "regression":
        return (draw.random((1_000, 1)) > 0.98) * draw.gamma(2.0, 30.0, (1_000, 1))
    return (draw.random((1_000, 3)) > 0.99).astype(float)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_a_tiny_batch_of_what_is_mostly_zero_has_something_to_learn_by_heart(tmp_path, task, seed):
    """A plain sample of 24 amounts of which 98 % are zero is all zeros more often than not."""
    desk = make_table_desk(tmp_path, task, _make_targets(task, seed), 800)
    ctx = SimpleNamespace(seed=seed)
    rows = s06_sanity._tiny_batch(ctx, desk)
    others = {int(row) for row in desk.folds[0].train if desk.examples.plain_targets(np.array([row])).any()}
    assert len(set(rows.tolist())) == 24
    assert len(others & set(rows.tolist())) == min(len(others), 12)
    verdict, _ = s06_sanity._memorise(ctx, desk, ModelConfig(width=32, depth=1), FULL.model_copy(update=s06_sanity.PLAIN))
    assert verdict[0].ok, verdict[0].what


def test_a_tiny_batch_of_amounts_that_all_differ_is_a_plain_sample(tmp_path):
    desk = make_table_desk(tmp_path, "regression", np.random.default_rng(0).normal(size=(300, 1)), 200)
    rows = s06_sanity._tiny_batch(SimpleNamespace(seed=0), desk)
    assert len(set(rows.tolist())) == 24
    assert set(rows.tolist()) <= set(range(200))


def test_what_is_asked_of_train_dev_is_not_its_first_items(tmp_path, monkeypatch):
    desk = make_table_desk(tmp_path, "binary", np.repeat([0, 1], 6_000)[:, None], 100)
    asked = []
    monkeypatch.setattr(s09_diagnose, "_ask", lambda *given: asked.append(given[-1]))
    s09_diagnose._ask_train_dev(SimpleNamespace(seed=0), replace(desk, train_dev=np.arange(12_000)), None, None)
    (rows,) = asked
    assert len(rows) == 5_000
    assert abs(desk.examples.plain_targets(rows).mean() - 0.5) < 0.05
