"""The budget is for the whole road: what a step took is not there for those after it, and no clock changes a step that has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.engine.bench import Bench
from surefoot.engine.pace import COSTS, START_S, Pace, take_stock
from surefoot.events import Announcer
from surefoot.steps.s07_overfit import _affordable, _refuse_larger
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import ProjectLedger
from surefoot.store.scope import ScopedLedger
from surefoot.types import Context, ModelConfig, TrainConfig, Trial

from .samples import make_desk


def make_context(folder: Path, spent_s: float, scope: str = "runs/1 key") -> Context:
    ledger = ScopedLedger(ProjectLedger(folder / "surefoot.db"), scope)
    return Context(folder, folder, 1, 0, "cpu", Blobs(folder / "store"), ledger, Announcer(), spent_s=spent_s)


def test_the_shares_of_all_steps_and_their_fixed_seconds_are_the_budget():
    pace = Pace("baseline", 600.0, 600.0)
    assert sum(pace.seconds(step) for step in COSTS) + sum(cost.fixed_s for cost in COSTS.values()) == pytest.approx(600.0)


def test_what_earlier_steps_took_is_gone_and_what_they_left_is_there(tmp_path):
    slow, quick = (take_stock(make_context(tmp_path, spent, f"{spent}"), "10m", "tune") for spent in (300.0, 60.0))
    assert slow.left_s == 600.0 - START_S - 300.0
    assert 0 < slow.seconds() < quick.seconds()
    assert quick.seconds() > Pace("baseline", 600.0, 600.0).seconds("tune")


def test_a_step_that_goes_on_plans_with_what_it_wrote_down(tmp_path):
    first = take_stock(make_context(tmp_path, 100.0), "10m", "tune")
    assert take_stock(make_context(tmp_path, 400.0), "10m", "tune") == first


def test_a_step_has_part_of_its_share_where_nothing_is_left():
    for name in ("tune", "errors"):
        assert Pace(name, 60.0, -500.0).seconds() == pytest.approx(0.3 * 60.0 * COSTS[name].share)


def test_the_budget_smoke_plans_with_nothing(tmp_path):
    assert take_stock(make_context(tmp_path, 100.0), "smoke", "tune").seconds() == 0.0


def make_bench(folder: Path, seconds: float, rate: float = 1000.0) -> Bench:
    train = TrainConfig(batch_size=16, lr=1e-3, epochs=1.0)
    return Bench(make_context(folder, 0.0), make_desk(folder), ModelConfig(width=4, depth=1), train, {"4x1": (4, 1)}, {"4x1": rate}, seconds)


def test_epochs_and_their_looks_at_val_fit_into_the_seconds(tmp_path):
    epochs = make_bench(tmp_path, 10.0).affordable(0.5, 2, {})
    learnt, asked = 100, (50 + 100) / 3
    assert epochs * 2 * (learnt + asked) / 1000 == pytest.approx(5.0)


def test_the_last_training_is_planned_with_those_before_it(tmp_path):
    bench = make_bench(tmp_path, 10.0)
    assert bench.affordable(1.0, 2, {}, and_final=True) < bench.affordable(1.0, 2, {})


def test_fewer_settings_are_tried_where_less_time_is_left_but_never_fewer_than_three(tmp_path):
    counts = [make_bench(tmp_path, seconds).count_trials(0.15, 30) for seconds in (0.001, 10.0, 1000.0)]
    assert counts[0] == 3
    assert 3 < counts[1] < 30
    assert counts[2] == 30


def test_what_brief_trials_took_is_taken_off_and_slow_ones_slow_the_plan(tmp_path):
    bench = make_bench(tmp_path, 20.0)
    as_planned = [Trial(number=n, settings={}, rung=0, epochs=1.0, value=0.5, seconds=0.15) for n in range(4)]
    slow = [one.model_copy(update={"seconds": 0.3}) for one in as_planned]
    assert bench.after(as_planned).seconds == pytest.approx(19.4)
    assert bench.after(as_planned).rates["4x1"] == pytest.approx(1000.0)
    assert bench.after(slow).rates["4x1"] == pytest.approx(500.0, rel=0.01)
    assert bench.after(slow).affordable(1.0, 2, {}) < bench.after(as_planned).affordable(1.0, 2, {})


def test_a_larger_model_is_left_out_where_the_trainings_to_come_would_not_end(tmp_path):
    desk, train = make_desk(tmp_path), TrainConfig(batch_size=16)
    pace = Pace("overfit", 120.0, 100.0)
    assert _refuse_larger(pace, desk, train, 0.01, 0.0) == ""
    assert "to show anything" in _refuse_larger(pace, desk, train, 10.0, 0.0)
    assert "to show anything" in _refuse_larger(pace, desk, train, 0.01, pace.seconds())
    assert "for the trainings to come" in _refuse_larger(pace, desk, TrainConfig(batch_size=1), 2.0, 0.0)
    assert _refuse_larger(Pace("overfit", 0.0, 0.0), desk, train, 10.0, 0.0) == ""


def test_a_rung_takes_what_shows_something_or_what_is_left(tmp_path):
    pace, train = Pace("overfit", 120.0, 100.0), TrainConfig(batch_size=16)
    all_steps = 200 / 7
    assert _affordable(pace, 4, 0.0, 0.2, train, 100) == pytest.approx(all_steps)
    assert _affordable(pace, 4, pace.seconds() - 2.0, 0.2, train, 100) == pytest.approx(max(pace.seconds() / 4, 2.0) / 0.2)
    assert _affordable(pace, 1, 0.0, 0.01, train, 100) == 40
