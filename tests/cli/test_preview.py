"""`surefoot schedule`: lr over a run, before any."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from surefoot.cli.main import main
from surefoot.cli.preview import COLUMNS, ROWS, draw


@pytest.fixture
def project(tmp_path: Path) -> str:
    (tmp_path / "surefoot.toml").write_text('[data]\nsource = "sklearn:digits"\n[train]\nlr = 0.01\nschedule = "cosine"\n')
    return str(tmp_path)


def test_it_draws_the_schedule_and_says_lr_at_the_corners(capsys, project):
    assert main(["schedule", project]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "cosine: lr"
    assert len(lines) == ROWS + 3
    assert lines[-1].startswith("peak 0.01 after 0% of the steps; start 0.01, quarter 0.00854, half 0.005, three quarters 0.00146, end ")


def test_settings_may_be_tried_on_the_command_line(capsys, project):
    assert main(["schedule", project, "--set", "train.schedule=fixed", "--set", "train.warmup=0.5", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schedule"], data["is_share"], data["peak"], data["peak_at"]) == ("fixed", False, 0.01, 0.5)
    assert data["at"]["quarter"] == pytest.approx(0.005, rel=0.01)
    assert data["points"][0] == pytest.approx([0.0, 0.01 / 501])
    assert [share for share, _ in data["points"]] == [step / 1000 for step in range(1000)]


def test_where_lr_is_still_to_be_chosen_shares_of_it_are_shown(capsys, project):
    assert main(["schedule", project, "--set", "train.lr=0"]) == 0
    out = capsys.readouterr().out
    assert "a share of its peak, which is still to be chosen" in out
    assert "peak 1 after 0%" in out


def test_a_users_schedule_is_drawn_too(capsys, project):
    (Path(project) / "mine.py").write_text("def half(num_steps):\n    return lambda step: 0.5\n")
    assert main(["schedule", project, "--set", "train.schedule=mine:half"]) == 0
    assert "peak 0.005" in capsys.readouterr().out


def test_a_schedule_longer_than_the_training_is_refused_in_three_parts(capsys, project):
    assert main(["schedule", project, "--set", "train.schedule=multistep", "--set", "train.milestones=[0.5, 1.2]"]) == 2
    err = capsys.readouterr().err
    assert "The schedule is longer than the training: it has a milestone at 120% of the steps" in err
    assert "  where: " in err
    assert "  next:  " in err


def test_a_misspelt_schedule_is_answered_with_the_nearest(capsys, project):
    assert main(["schedule", project, "--set", "train.schedule=cosin"]) == 2
    assert "Did you mean 'cosine'" in capsys.readouterr().err


def test_a_bar_is_as_high_as_its_value():
    lines = draw([0.0, 0.25, 0.5, 1.0], columns=4, rows=2)
    assert lines == ["  |   █", "  | ▄██", "  +----"]
    assert draw([1.0] * COLUMNS)[0] == "  |" + "█" * COLUMNS


def test_it_answers_without_torch(project):
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "surefoot", "schedule", project], capture_output=True, text=True, check=True, timeout=120)
    assert not {"torch", "optuna"} & {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
