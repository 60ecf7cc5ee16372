"""What is lost, damaged or refused beside a walk: the rest stays readable, the advice is true, and nothing vanishes in silence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from surefoot.cli.main import main
from surefoot.project import Project
from surefoot.store.blobs import Blobs


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Path:
    """A table, two rounds as far as the split; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("damage")
    rows = [f"{i * 0.37 % 5:.3f},{i * 0.11 % 3:.3f},{'yes' if i * 0.37 % 5 > 2.5 else 'no'}" for i in range(120)]
    (folder / "table.csv").write_text("\n".join(["a,b,y", *rows]) + "\n")
    assert main(["init", str(folder / "table.csv"), "--out", str(folder / "table"), "--budget", "smoke"]) == 0
    assert main(["run", str(folder / "table"), "--to", "split"]) == 0
    assert main(["run", str(folder / "table"), "--to", "split", "--set", "split.folds=3"]) == 0
    return folder


@pytest.fixture
def project(walked, tmp_path) -> Path:
    return Path(shutil.copytree(walked, tmp_path / "copy")) / "table"


def _place(project: Path, step: str, number: int) -> Path:
    opened = Project(project)
    return opened.store.path(opened.ledger.steps(number)[step].report)


def _status(project: Path, capsys) -> dict:
    capsys.readouterr()
    assert main(["status", str(project), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_damaged_report_of_an_earlier_round_is_shown_and_the_rest_stays_readable(project, capsys, damage):
    place = _place(project, "s03_split", 1)
    place.unlink() if damage == "missing" else place.write_bytes(b"{}")
    for words in (["status"], ["report"], ["runs"], ["run", "--to", "split", "--set", "split.folds=3"]):
        assert main([words[0], str(project), *words[1:]]) == 0
    assert "store.damaged" not in json.dumps(_status(project, capsys))
    first = Project(project).rounds()[0].steps
    assert [[f.code for f in step.report.findings] == ["store.damaged"] for step in first] == [False, False, True]
    finding = first[2].report.findings[0]
    assert "The report of split in round 1 is damaged" in finding.what
    assert "from a copy" in finding.next


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_damaged_step_of_the_current_round_is_done_again_as_its_advice_says(project, capsys, damage):
    place = _place(project, "s02_audit", 2)
    place.unlink() if damage == "missing" else place.write_bytes(b"{}")
    before = _status(project, capsys)["steps"][1]
    assert before["findings"][0]["code"] == "store.damaged"
    assert before["findings"][0]["next"].startswith("`surefoot run` does this step again")
    assert main(["run", str(project), "--to", "split", "--set", "split.folds=3", "--dry-run"]) == 0
    assert "is damaged" in capsys.readouterr().out
    assert main(["run", str(project), "--to", "split", "--set", "split.folds=3"]) == 0
    after = _status(project, capsys)
    assert after["round"] == 2
    assert "store.damaged" not in json.dumps(after)


def test_whatever_stored_file_is_lost_a_run_heals_it(project, capsys):
    walk = ["run", str(project), "--to", "split", "--set", "split.folds=3"]
    for ref in sorted(Blobs(project / "store").refs()):
        Blobs(project / "store").remove(ref)
        assert main(["status", str(project)]) == main(["report", str(project)]) == main(walk) == main(["runs", str(project)]) == 0
    assert "store.damaged" not in json.dumps(_status(project, capsys))


@pytest.mark.parametrize("loss", ["missing", "empty"])
def test_results_without_their_ledger_are_no_fresh_project(project, capsys, loss):
    for file in project.glob("surefoot.db*"):
        file.unlink()
    if loss == "empty":
        (project / "surefoot.db").write_bytes(b"")
    for command in ("status", "run"):
        capsys.readouterr()
        assert main([command, str(project), "--json"]) == 1
        error = json.loads(capsys.readouterr().out)["error"]
        assert f"surefoot.db is {loss}, and results are there" in error["what"]
        assert error["where"] == str(project / "surefoot.db")
        assert "Restore it from a copy" in error["next"]
    assert (project / "surefoot.db").exists() == (loss == "empty")


def test_runs_of_another_tool_are_no_lost_ledger(tmp_path):
    (tmp_path / "runs" / "2026-01-01-lenet").mkdir(parents=True)
    (tmp_path / "runs" / "2026-01-01-lenet" / "events.out").write_text("x")
    assert main(["init", "sklearn:digits", "--out", str(tmp_path), "--budget", "smoke"]) == 0
    assert main(["run", str(tmp_path), "--to", "problem"]) == 0


def test_a_fresh_project_without_a_ledger_begins(project):
    for name in ("runs", "store"):
        shutil.rmtree(project / name)
    for file in project.glob("surefoot.db*"):
        file.unlink()
    assert main(["run", str(project), "--to", "problem"]) == 0


def test_refused_settings_begin_no_round(project, capsys):
    walk = ["run", str(project), "--to", "sanity", "--set", "split.folds=3", "--set", "train.threads=1"]
    assert main(walk) == 0
    before = _status(project, capsys)
    assert main([*walk, "--set", "model.views=flip"]) == 2
    assert "begins" not in capsys.readouterr().err
    assert _status(project, capsys) == before
    assert len(before["steps"]) == 6
    assert main([*walk, "--set", "model.width=8"]) == 0
    assert "Round 3 begins" in capsys.readouterr().err
    assert _status(project, capsys)["round"] == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--set", "train.optimizer=adamm"], "adamm"), (["--device", "cuda:99"], "cuda:99"), (["--set", "train.cutmix=0.5"], "only pictures are pasted")],
)
def test_a_dry_run_refuses_what_a_run_refuses(project, capsys, words, told):
    assert main(["run", str(project), "--dry-run", *words]) == 2
    assert told in capsys.readouterr().err


def test_wrong_keys_types_names_and_ranges_are_told_in_one_go(project, capsys):
    with (project / "surefoot.toml").open("a") as file:
        file.write('\n[train]\nlrr = 1.0\nepochs = "many"\noptimizer = "adamm"\n[search.space]\n"train.lr" = { log_uniform = [1.0, 0.1] }\n')
    assert main(["run", str(project)]) == 2
    err = capsys.readouterr().err
    assert "4 settings are wrong" in err
    for told in ("train.lrr", "train.epochs", "'adam'", "from 1 to 0.1"):
        assert told in err


def test_time_that_is_not_known_does_not_read_as_zero(project, capsys):
    shutil.rmtree(project / "runs")
    shutil.rmtree(project / "store")
    for file in project.glob("surefoot.db*"):
        file.unlink()
    assert main(["run", str(project), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "14 of 14 steps to do; none of them ran before, so no time is known"


def test_a_step_that_was_interrupted_is_planned_as_begun(project, capsys, monkeypatch):
    from surefoot.runners import local

    monkeypatch.setattr(local, "_do", _crash)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        Project(project).run(to="prepare", set=["split.folds=3"])
    capsys.readouterr()
    assert main(["run", str(project), "--dry-run", "--set", "split.folds=3"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows if "begun and not finished" in row] == ["s04_prepare"]


@pytest.mark.parametrize("again", [[], ["--from", "split"]])
def test_a_forced_step_that_was_killed_is_done_again_with_and_without_from(project, capsys, monkeypatch, again):
    from surefoot.runners import local

    walk = ["run", str(project), "--to", "split", "--set", "split.folds=3"]
    with monkeypatch.context() as patch:
        patch.setattr(local, "_do", _crash)
        assert main([*walk, "--from", "split"]) == 130
    assert _status(project, capsys)["round"] == 2
    assert main([*walk, *again]) == 0
    err = capsys.readouterr().err
    assert ("--from split was interrupted: it goes on" in err.replace(str(project) + " ", "")) == (not again)
    assert err.count("nothing it depends on changed") == 2
    assert "Round 3 begins" in err
    assert main(walk) == 0
    assert capsys.readouterr().err.count("nothing it depends on changed") == 3
    assert main([*walk, "--from", "split"]) == 0
    assert "Round 4 begins" in capsys.readouterr().err


def _crash(*_: object) -> None:
    raise KeyboardInterrupt
