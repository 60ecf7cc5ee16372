"""Walking and looking, on real data, as people type it."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from surefoot.cli.main import main
from surefoot.engine import interrupt
from surefoot.reporting.road import ROAD


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Path:
    """Digits, walked as far as the split; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("walk") / "digits"
    assert main(["init", "sklearn:digits", "--out", str(folder), "--budget", "smoke", "--question", "Which digit is it?"]) == 0
    assert main(["run", str(folder), "--to", "split"]) == 0
    return folder


@pytest.fixture
def project(walked, tmp_path) -> Path:
    return Path(shutil.copytree(walked, tmp_path / "digits"))


@pytest.fixture
def doubled(tmp_path) -> Path:
    """A table whose rows all stand there twice, and a split that is allowed to tear them apart."""
    rows = [f"{i * 0.37 % 5:.3f},{i * 0.11 % 3:.3f},{'yes' if i * 0.37 % 5 > 2.5 else 'no'}" for i in range(80)]
    (tmp_path / "twice.csv").write_text("\n".join(["a,b,y", *rows, *rows]) + "\n")
    assert main(["init", str(tmp_path / "twice.csv"), "--out", str(tmp_path / "twice"), "--budget", "smoke"]) == 0
    with (tmp_path / "twice" / "surefoot.toml").open("a") as file:
        file.write('\n[split]\ngroup_by = ""\n')
    return tmp_path / "twice"


def test_a_walk_that_takes_much_longer_than_its_budget_pauses_and_the_same_command_goes_on(tmp_path, monkeypatch, capsys):
    folder, clock = tmp_path / "digits", itertools.count(step=1_000.0)
    assert main(["init", "sklearn:digits", "--out", str(folder), "--budget", "20m"]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(interrupt, "perf_counter", lambda: next(clock))  # a step of the road takes as long as a thousand seconds would
        assert main(["run", str(folder), "--to", "split"]) == 5
    told = capsys.readouterr().err
    assert "much longer than its budget, and pauses" in told
    assert f"surefoot run {folder}" in told
    assert main(["run", str(folder), "--to", "split"]) == 0


def test_init_writes_a_file_whose_lines_say_why(walked):
    text = (walked / "surefoot.toml").read_text(encoding="utf-8")
    assert 'question = "Which digit is it?"' in text
    assert all("#" in line for line in text.splitlines() if line.startswith(("task", "metric", "budget")))


def test_init_without_data_says_what_to_name(capsys):
    assert main(["init"]) == 2
    assert "surefoot init photos/" in capsys.readouterr().err


def test_init_with_a_path_that_is_not_there_is_bad_data(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "photos/"]) == 3
    err = capsys.readouterr().err
    assert err.splitlines()[1].startswith("DataError: ")
    assert "  where: " in err
    assert "  next:  " in err
    assert list(tmp_path.iterdir()) == []


def test_init_never_overwrites(capsys, walked):
    assert main(["init", "sklearn:digits", "--out", str(walked)]) == 2
    assert "holds a project already" in capsys.readouterr().err


def test_init_speaks_json(capsys, tmp_path):
    assert main(["init", "sklearn:digits", "--out", str(tmp_path / "digits"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert Path(data["path"]) == tmp_path / "digits" / "surefoot.toml"
    assert data["settings"]["data"]["source"] == "sklearn:digits"


def test_a_walk_shows_each_step_on_stderr_and_the_result_on_stdout(capsys, tmp_path):
    folder = str(tmp_path / "digits")
    main(["init", "sklearn:digits", "--out", folder, "--budget", "smoke"])
    capsys.readouterr()
    assert main(["run", folder, "--to", "audit"]) == 0
    out, err = capsys.readouterr()
    assert [line[:16] for line in err.splitlines() if line.startswith("[")] == ["[ 1/14] Problem:", "[ 2/14] Audit: R"]
    assert "1,797 of 1,797 items usable" in err
    assert "[" not in out
    assert out.splitlines()[-1] == f"Report: {tmp_path / 'digits' / 'report.html'}"
    assert (tmp_path / "digits" / "report.html").is_file()


def test_a_second_walk_does_nothing_again(capsys, project):
    assert main(["run", str(project), "--to", "split"]) == 0
    err = capsys.readouterr().err
    assert err.count("nothing it depends on changed") == 3


def test_one_step_is_walked_alone(capsys, project):
    assert main(["prepare", str(project), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in data["steps"]] == ["s01_problem", "s02_audit", "s03_split", "s04_prepare"]


def test_a_dry_run_says_what_would_be_done_and_does_nothing(capsys, project):
    assert main(["run", str(project), "--dry-run", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert [step["step"] for step in steps] == list(ROAD)
    assert [step["redo"] for step in steps] == [False] * 3 + [True] * 11
    assert main(["run", str(project), "--dry-run", "--set", "split.val=0.1", "--set", "split.train=0.7"]) == 0
    out = capsys.readouterr().out
    assert {line.split()[0]: line.split()[1] for line in out.splitlines()[1:]}["s03_split"] == "do"
    assert "split.train, split.val changed" in out
    minutes = r"(less than|about) \d+\.\d min"
    assert re.fullmatch(f"13 of 14 steps to do: {minutes}, as they took before, and 11 that never ran, so no time is known for them", out.splitlines()[-1])
    assert main(["status", str(project), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["steps"]) == 3


def test_a_changed_setting_begins_a_round(capsys, project):
    assert main(["run", str(project), "--to", "split", "--set", "split.val=0.1", "--set", "split.train=0.7"]) == 0
    capsys.readouterr()
    assert main(["runs", str(project), "--json"]) == 0
    rounds = json.loads(capsys.readouterr().out)["rounds"]
    assert [(one["round"], one["parent"], one["steps"]) for one in rounds] == [(1, None, 3), (2, 1, 3)]
    assert main(["runs", str(project)]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["round", "parent", "steps", "val", "test", "verdict", "compared"]


def test_status_tells_gates_and_findings(capsys, walked):
    assert main(["status", str(walked), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["project"], data["round"]) == ("digits", 1)
    assert {"step", "gate", "seconds", "findings", "report"} <= set(data["steps"][1])
    assert main(["status", str(walked)]) == 0
    out = capsys.readouterr().out
    assert "s02_audit     pass" in out
    assert "s08_tune      not walked" in out
    assert out.splitlines()[-1] == f"Next: surefoot run {walked}"


@pytest.mark.parametrize(("words", "near"), [(["--to", "diagnos"], "diagnose"), (["--from", "tuen"], "tune"), (["--past", "aduit", "why"], "audit")])
def test_a_misspelt_step_is_answered_with_the_nearest(capsys, walked, words, near):
    assert main(["run", str(walked), *words]) == 2
    assert f"Did you mean {near}" in capsys.readouterr().err


def test_a_misspelt_setting_is_answered_with_the_nearest(capsys, walked):
    assert main(["run", str(walked), "--to", "split", "--set", "train.epoch=3", "--json"]) == 2
    assert "did you mean train.epochs" in json.loads(capsys.readouterr().out)["error"]["what"]


def test_a_round_that_does_not_exist_can_not_be_compared(capsys, walked):
    assert main(["compare", "1", "7", str(walked)]) == 2
    assert "There is no round '7'" in capsys.readouterr().err


def test_a_gate_ends_the_walk_with_4_and_is_passed_with_a_reason(capsys, doubled):
    capsys.readouterr()
    assert main(["run", str(doubled), "--to", "split"]) == 4
    err = capsys.readouterr().err
    assert "GateStop: " in err
    assert "split.leak" in err
    assert f"The report says more: {doubled / 'report.html'}" in err
    assert main(["run", str(doubled), "--to", "split", "--past", "split", "they are meant to be there twice"]) == 0
    capsys.readouterr()
    assert main(["status", str(doubled), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"][2]["past"] == "they are meant to be there twice"
    assert main(["status", str(doubled)]) == 0
    assert "gone past: they are meant to be there twice" in capsys.readouterr().out


def test_why_a_gate_was_gone_past_holds_in_the_rounds_that_take_its_result(capsys, doubled):
    """A second round kept the gate and lost the reason: the walk after it stopped at what had been gone past."""
    assert main(["run", str(doubled), "--to", "split", "--past", "split", "they are meant to be there twice"]) == 0
    for _ in range(2):
        assert main(["run", str(doubled), "--to", "prepare", "--set", "prepare.scale=robust"]) == 0
    assert main(["run", str(doubled), "--to", "prepare", "--set", "prepare.scale=minmax"]) == 0
    capsys.readouterr()
    assert main(["status", str(doubled), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"][2]["past"] == "they are meant to be there twice"


def test_a_gate_may_be_gone_past_in_the_command_that_does_its_step_again(doubled):
    assert main(["run", str(doubled), "--to", "split"]) == 4
    assert main(["run", str(doubled), "--from", "split", "--to", "split", "--past", "split", "they are meant to be there twice"]) == 0


def test_a_gate_speaks_json(capsys, doubled):
    capsys.readouterr()
    assert main(["run", str(doubled), "--to", "split", "--json"]) == 4
    assert "--past split" in json.loads(capsys.readouterr().out)["error"]["next"]


def test_clean_looks_first_and_removes_when_told_to(capsys, project):
    assert main(["clean", str(project), "--no-input", "--json"]) == 0
    before = json.loads(capsys.readouterr().out)
    assert before["store_bytes"] > 0
    assert not before["removed"]
    assert main(["clean", str(project), "--apply"]) == 0
    assert capsys.readouterr().out.startswith("Removed: ")
    assert main(["status", str(project)]) == 0


def test_an_ejected_step_is_walked_instead_of_ours(capsys, project):
    assert main(["eject", "audit", str(project)]) == 0
    step = project / "s02_audit.py"
    step.write_text(step.read_text(encoding="utf-8").replace("    source = ", '    ctx.events.say("my own audit")\n    source = ', 1), encoding="utf-8")
    capsys.readouterr()
    assert main(["run", str(project), "--to", "audit"]) == 0
    assert "my own audit" in capsys.readouterr().err


def test_ctrl_c_keeps_what_was_done_and_names_the_command_that_goes_on(project):
    process = subprocess.Popen(
        [sys.executable, "-m", "surefoot", "run", str(project), "--to", "sanity"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("[ 6/14]"):
            process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    process.stderr.close()
    assert f"surefoot run {project} --to sanity" in lines[-1]
    assert "Traceback" not in "".join(lines)
