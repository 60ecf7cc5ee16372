"""Rows that belong together and stand on both sides of a split by chance: named where their targets are alike, and only there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from surefoot.analysis.belonging import measure_groups, measure_order
from surefoot.project import Project

NUM, EACH = 120, 6


def make(folder, *, likeness: float, name: str = "patient", word: str = "p{:03d}", **more) -> list[tuple[str, str]]:
    """The findings of the audit on a made table of visits; `likeness`: share of the patients whose targets are all alike."""
    draw = np.random.default_rng(0)
    who = np.repeat(np.arange(NUM), EACH)
    own, each = draw.random(NUM) < 0.5, draw.random(NUM * EACH) < 0.5
    ill = np.where((draw.random(NUM) < likeness)[who], own[who], each)
    frame = pd.DataFrame({"size": draw.normal(size=len(who)), name: [word.format(n) for n in who], "target": np.where(ill, "ill", "well")})
    frame.assign(**more).sample(frac=1, random_state=0).to_csv(folder / "table.csv", index=False)
    return audit(folder)


def audit(folder, *settings: str) -> list[tuple[str, str]]:
    (folder / "surefoot.toml").write_text('question = "Who?"\n[data]\nsource = "table.csv"\n', encoding="utf-8")
    project = Project(folder)
    project.run(to="audit", set=[*settings])
    return [(finding.code, finding.where) for finding in project.report("audit").findings if finding.code in ("split.group_leak", "split.time_leak")]


def test_visits_of_patients_that_are_mostly_alike_are_a_leak_of_groups(tmp_path):
    assert make(tmp_path, likeness=0.8) == [("split.group_leak", "patient")]
    assert audit(tmp_path, "split.group='patient'") == []


def test_visits_whose_targets_have_nothing_to_do_with_the_patient_are_none(tmp_path):
    assert make(tmp_path, likeness=0.0) == []


@pytest.mark.parametrize(("name", "word", "found"), [("who", "p{:03d}", True), ("userId", "mrs {}", True), ("town", "new {} town", False)])
def test_a_column_is_taken_for_a_name_by_its_own_or_by_its_values(tmp_path, name, word, found):
    assert make(tmp_path, likeness=0.9, name=name, word=word) == ([("split.group_leak", name)] if found else [])


@pytest.mark.parametrize(("is_amount", "found"), [(True, []), (False, [("split.group_leak", "letter_code")])])
def test_a_column_whose_order_tells_the_class_is_no_name_of_groups(tmp_path, is_amount, found):
    """Codes from 10 to 19 stand for one class and from 50 to 59 for the other, or each code for a class drawn by itself; 6 % of the labels are wrong."""
    draw, num = np.random.default_rng(0), 700
    ill = draw.random(num) < 0.4
    code = np.where(ill, draw.integers(50, 60, num), draw.integers(10, 20, num))
    if not is_amount:
        names = draw.permutation(20)
        code = 10 + np.where(ill, names[draw.integers(0, 10, num)], names[draw.integers(10, 20, num)])
    wrong = draw.random(num) < 0.06
    frame = pd.DataFrame({"size": draw.normal(size=num), "letter_code": code, "target": np.where(ill ^ wrong, "ill", "well")})
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert audit(tmp_path) == found


@pytest.mark.parametrize(("step", "found"), [(0.2, True), (0.0, False)])
def test_a_target_that_wanders_with_the_days_leaks_through_a_split_by_chance(tmp_path, step, found):
    draw, num = np.random.default_rng(0), 500
    days = pd.date_range("2020-01-01", periods=num).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"date": days, "size": draw.normal(size=num), "target": (step * draw.normal(size=num)).cumsum() + draw.normal(size=num)})
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "table.csv", index=False)
    assert audit(tmp_path) == ([("split.time_leak", "date")] if found else [])
    assert audit(tmp_path, "split.time='date'") == []


def test_a_table_that_is_sorted_by_class_and_has_a_dozen_dates_is_healthy(tmp_path):
    """In the file's order the rows of one date lie class by class: their autocorrelation is 0.9."""
    draw, num = np.random.default_rng(0), 600
    days = [f"2020-{month:02}-01" for month in draw.integers(1, 13, num)]
    frame = pd.DataFrame({"date": days, "size": draw.normal(size=num), "target": np.repeat(["ill", "well"], num // 2)})
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert audit(tmp_path) == []


def test_likeness_is_one_where_a_group_is_of_one_kind_and_about_nothing_by_chance():
    of, targets = np.repeat(np.arange(50), 4), np.repeat(np.linspace(-1, 1, 50), 4)[:, None]
    assert measure_groups(of, targets) == pytest.approx(1.0)
    assert abs(measure_groups(np.random.default_rng(0).permutation(of), targets)) < 0.15


def test_neighbours_in_time_are_alike_by_their_autocorrelation():
    days, wave = np.arange(400.0), np.sin(np.arange(400) / 20)[:, None]
    assert measure_order(days, wave, 0) == pytest.approx(np.cos(1 / 20), abs=0.01)
    assert abs(measure_order(np.random.default_rng(0).permutation(days), wave, 0)) < 0.15
    assert measure_order(np.where(days == 3, np.nan, days), wave, 0) == 0.0
