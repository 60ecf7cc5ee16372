"""The last training: in declared phases, and longer when its end came too soon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surefoot import settings
from surefoot.engine import interrupt
from surefoot.engine.fit import Fitted
from surefoot.events import Announcer
from surefoot.project import Project
from surefoot.runners import names
from surefoot.steps import s11_final
from surefoot.store.scope import ScopedLedger
from surefoot.types import Context, EpochRecord, FinalStepConfig

from .samples import SMALL

ASKED = [*SMALL, "search.trials=1", "model.width=8"]
MORE = 'final.more=[{epochs = 1}, {epochs = 2, optimizer = "nesterov"}]'
PHASED = [*ASKED, 'train.phases=[{epochs = 1, lr = 0.01, optimizer = "nesterov", batch_size = 32}, {epochs = 2}]', "final.more=[{epochs = 1}]"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """One project whose final training was made longer afterwards, and one that was asked for all of it at once."""
    longer, at_once = (_make_bars(tmp_path_factory.mktemp(name)) for name in ("longer", "once"))
    longer.run(to="final", set=ASKED)
    longer.run(to="final", set=[*ASKED, "final.more=[{epochs = 1}]"])
    longer.run(to="final", set=[*ASKED, MORE])
    at_once.run(to="final", set=[*ASKED, MORE])
    return longer, at_once


def _make_bars(folder: Path) -> Project:
    """Pictures of a bar that stands or lies anywhere in noise: a net of convolutions beats whatever looks at single pixels."""
    generator = np.random.default_rng(0)
    pictures, labels = generator.integers(0, 100, (500, 12, 12), dtype=np.uint8), np.arange(500) % 2
    for picture, label in zip(pictures, labels):
        row, column = generator.integers(0, 7, 2)
        if label:
            picture[row : row + 6, column] = 200
        else:
            picture[row, column : column + 6] = 200
    np.savez(folder / "bars.npz", x=pictures, y=labels)
    return Project.init(str(folder / "bars.npz"), out=str(folder / "bars"), budget="smoke", question="Does it stand or lie?")


def test_a_training_made_longer_ends_where_one_asked_for_at_once_ends(trained):
    longer, at_once = (project.report("final") for project in trained)
    assert at_once.winner == "net"
    assert [phase.epochs for phase in longer.phases][1:] == [1.0, 2.0]
    assert longer.model == at_once.model


def test_only_what_was_put_behind_is_trained(trained):
    longer, _ = trained
    folders = sorted(path.name for path in (longer.root / "runs").glob("*-final-*"))
    assert [sorted(path.name for path in (longer.root / "runs" / name).glob("final phase *")) for name in folders] == [
        ["final phase 0"], ["final phase 1"], ["final phase 2"],
    ]  # fmt: skip


def test_the_steps_before_are_not_done_again(trained):
    longer, _ = trained
    assert len(list((longer.root / "runs").glob("*-tune-*"))) == 1


def test_what_is_put_behind_goes_on_at_a_tenth_of_the_lr(trained):
    phases = trained[0].report("final").phases
    assert phases[1].lr == pytest.approx(phases[0].lr / 10)
    assert phases[2].lr == phases[1].lr


@pytest.fixture(scope="module")
def phased(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose last training has two phases, and one put behind them."""
    project = _make_bars(tmp_path_factory.mktemp("phased"))
    project.run(to="final", set=PHASED)
    return project


def test_what_a_phase_does_not_say_stays_as_the_phase_before_said(phased):
    phases = phased.report("final").phases
    assert [(phase.optimizer, phase.batch_size, phase.epochs) for phase in phases] == [("nesterov", 32, 1.0), ("nesterov", 32, 2.0), ("nesterov", 32, 1.0)]
    assert [phase.lr for phase in phases] == pytest.approx([0.01, 0.01, 0.001])


def test_a_run_stopped_in_a_second_phase_ends_with_the_weights_of_one_that_was_not(phased, tmp_path, monkeypatch):
    project, fit, stopped = _make_bars(tmp_path), s11_final.fit, []

    def train(job: Any, config: Any, *, name: str, **given: Any) -> Any:
        def press(done: float, total: float) -> None:
            if name == "final phase 1" and done > 0.5 and not stopped:
                stopped.append(done)
                interrupt._ASKED.set()

        return fit(job, config, **given | {"name": name, "listen": press})

    monkeypatch.setattr(s11_final, "fit", train)
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        project.run(to="final", set=PHASED)
    assert stopped
    project.run(to="final", set=PHASED)
    assert project.report("final").model == phased.report("final").model


@pytest.mark.parametrize("phases", [[], ["train.phases=[{epochs = 24}]"]], ids=["found by the search", "declared"])
def test_a_final_training_is_judged_whoever_declared_it(trained, monkeypatch, phases):
    """There is no val in it; what its train loss and lr say is said all the same."""
    project = trained[1]
    saw = tuple(EpochRecord(epoch=n + 1, step=n + 1, loss=0.5 + 0.1 * (n % 4), lr=0.01 * (1 - n % 4 / 8), update_ratio=1e-3) for n in range(24))
    monkeypatch.setattr(s11_final, "fit", lambda job, config, **_: Fitted(job.network, saw, {}, 0.0))
    ledger = ScopedLedger(project.ledger, f"judged {len(phases)}")
    ctx = Context(project.root, project.root / "runs", 1, 0, "cpu", project.store, ledger, Announcer())
    config = settings.compose(FinalStepConfig, names.load(project.root, [*ASKED, *phases]))
    inputs = {name: project.report(name) for name in ("problem", "baseline", "tune")}
    (found,) = s11_final.final(ctx, config, data=project.report("prepare"), **inputs).findings
    assert (found.code, found.where) == ("train.periodic", "s11_final")
