"""An lr that is found and not given: written down once, drawn on the page, and the middle of the search."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.events import Event
from surefoot.project import Project
from surefoot.types import ConfigError

from .samples import SMALL, make_project

ASKED = [*SMALL, "train.lr_range_test=true", "search.trials=2"]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, list[str]]:
    """A project tuned with the range test, and what was said on the way."""
    project = Project(make_project(tmp_path_factory.mktemp("lr")).root, sinks=((said := Said()),))
    project.run(to="tune", set=ASKED)
    return project, said.lines


class Said:
    """A sink that keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, event: Event) -> None:
        if event.kind == "say":
            self.lines.append(event.data["text"].strip())


def test_the_range_test_is_said_once_and_its_curve_kept(walked):
    project, lines = walked
    overfit = project.report("overfit")
    assert len([line for line in lines if "by the range test" in line]) == 1
    assert overfit.train.lr == overfit.lr_range.lr > 0
    assert len(overfit.lr_range.lrs) == len(overfit.lr_range.losses) > 10


def test_the_lr_that_was_found_is_the_middle_of_the_search(walked):
    project, _ = walked
    found, tune = project.report("overfit").lr_range.lr, project.report("tune")
    assert tune.trials[0].settings["train.lr"] == pytest.approx(found)
    assert all(found / 6 <= trial.settings["train.lr"] <= found * 6 for trial in tune.trials)


def test_the_page_draws_the_curve(walked):
    project, _ = walked
    page = project.render().read_text(encoding="utf-8")
    assert "The learning rate, tested" in page
    assert "Learning rate by the range test" in page


def test_the_same_project_finds_the_same_lr(walked, tmp_path: Path):
    project, _ = walked
    twin = make_project(tmp_path)
    twin.run(to="overfit", set=ASKED)
    assert twin.report("overfit").lr_range == project.report("overfit").lr_range


def test_an_lr_that_was_given_is_not_tested(walked):
    project, _ = walked
    project.run(to="overfit", set=[*ASKED, "train.lr=0.004"])
    report = project.report("overfit")
    assert (report.lr_range, report.train.lr) == (None, 0.004)


def test_a_batch_larger_than_the_data_is_said_in_one_line(tmp_path: Path):
    project = Project(make_project(tmp_path).root, sinks=((said := Said()),))
    project.run(to="sanity", set=[*SMALL, "train.batch_size=4096"])
    assert [line for line in said.lines if "4,096" in line] == ["train.batch_size = 4,096 is more than the 240 items to train on: each step takes all of them"]


def test_gradient_descent_walks_to_the_final_training_by_whole_batches(tmp_path: Path):
    project = make_project(tmp_path)
    project.run(to="final", set=[*SMALL, "train.optimizer=gd", "search.trials=1"], past={"tune": "few steps", "sanity": "few steps"})
    assert project.report("overfit").train.batch_size == 240
    final = project.report("final")
    assert final.winner != "net" or final.phases[0].batch_size == final.num_rows
    with pytest.raises(ConfigError, match="gd takes the whole train set at each step, 240 items here, and not 32"):
        project.run(to="sanity", set=[*SMALL, "train.optimizer=gd", "train.batch_size=32"])
