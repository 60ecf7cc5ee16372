"""Nothing is lost: after kill -9 the same command goes on, and ends as if it had not been."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from surefoot.project import Project

from .samples import SMALL, make_project

_SET = [word for setting in (*SMALL, "search.trials=2") for word in ("--set", setting)]
_KEPT = ("model", "winner", "num_rows")


def _start(project: Project, to: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "surefoot", "run", str(project.root), "--to", to, *_SET]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


@pytest.mark.parametrize("step", ["Overfit", "Tune", "Final"])
def test_a_run_killed_inside_a_step_ends_with_the_weights_of_one_that_was_not(tmp_path: Path, whole: Project, step: str) -> None:
    project = make_project(tmp_path)
    running = _start(project, "final")
    assert running.stderr is not None
    for line in running.stderr:
        if f" {step}:" in line:
            break
    time.sleep(0.3)
    running.kill()
    running.wait()
    running.stderr.close()
    again = _start(project, "final")
    assert again.communicate()[1]
    assert again.returncode == 0
    one, other = (p.report("final").model_dump(include=set(_KEPT)) for p in (whole, project))
    assert one == other
    assert whole.report("tune").weights == project.report("tune").weights
    assert len(project.rounds()) == 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("whole"))
    project.run(to="final", set=[*SMALL, "search.trials=2"])
    return project
