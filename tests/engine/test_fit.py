"""The loop: it learns, it sees each item once, and what happens at a step depends on the step alone."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from surefoot import losses
from surefoot.data.examples import Examples
from surefoot.engine import checkpoint, interrupt
from surefoot.engine.build import Desk
from surefoot.engine.fit import Fitted, count_steps, fit
from surefoot.engine.predict import predict, to_outputs
from surefoot.types.errors import ResourceError, SurefootError

from .samples import FULL, start_job


def assert_equal(one: Fitted, other: Fitted) -> None:
    """Bit-equal weights and best weights, and equal logs without times."""
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, other.network.state_dict()[name]), name
    for name, value in one.best.items():
        assert torch.equal(value, other.best[name]), name
    assert [r.model_copy(update={"seconds": 0.0}) for r in one.records] == [r.model_copy(update={"seconds": 0.0}) for r in other.records]


def test_it_learns_what_can_be_learned(desk: Desk) -> None:
    config = FULL.model_copy(update={"epochs": 20.0, "augment": "none"})
    fitted = fit(start_job(desk, config, 0.0), config, seed=0, name="learn")
    assert max(record.val_metric or 0.0 for record in fitted.records) == 1.0
    assert fitted.records[-1].loss < fitted.records[0].loss


def test_the_same_seed_gives_the_same_weights_and_another_seed_gives_others(desk: Desk) -> None:
    first = fit(start_job(desk), FULL, seed=0, name="run")
    torch.rand(7)  # draws in between change nothing
    assert_equal(first, fit(start_job(desk), FULL, seed=0, name="run"))
    other = fit(start_job(desk), FULL, seed=1, name="run")
    assert any(not torch.equal(a, b) for a, b in zip(first.network.state_dict().values(), other.network.state_dict().values()))


class Stopped(Exception):
    """The power went."""


@pytest.mark.parametrize(("optimizer", "stop_at"), [*(("adamw", stop_at) for stop_at in (1, 4, 9, 13, 20, 27)), ("muon", 9), ("rmsprop", 9), ("momentum", 9)])
def test_a_run_that_was_stopped_ends_bit_equal_to_one_that_was_not(desk: Desk, tmp_path: Path, optimizer: str, stop_at: int) -> None:
    config = FULL.model_copy(update={"optimizer": optimizer, "schedule": "multistep", "warmup": 0.1})
    whole = fit(start_job(desk), config, seed=0, name="run", folder=tmp_path / "whole")
    steps = 0

    def stop(done: float, total: float) -> None:
        nonlocal steps
        steps += 1
        if steps == stop_at:
            raise Stopped("the power went")

    with pytest.raises(Stopped, match="power"):
        fit(start_job(desk), config, seed=0, name="run", folder=tmp_path / "cut", listen=stop)
    resumed = fit(start_job(desk), config, seed=0, name="run", folder=tmp_path / "cut")
    assert_equal(whole, resumed)
    logs = [[line.split('"seconds"')[0] for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()] for name in ("whole", "cut")]
    assert logs[0] == logs[1]


def test_each_item_is_seen_once_an_epoch_and_batches_differ_by_one_item_at_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    gather = Examples.batch
    monkeypatch.setattr(Examples, "batch", lambda self, rows, targets: (seen.append(rows.numpy()), gather(self, rows, targets))[1])
    config = FULL.model_copy(update={"epochs": 2.0, "batch_size": 33})
    fit(start_job(desk, config), config, seed=0, name="count")
    epochs = [np.concatenate(seen[:4]), np.concatenate(seen[4:])]
    assert all(Counter(epoch.tolist()) == Counter(desk.folds[0].train.tolist()) for epoch in epochs)
    assert not np.array_equal(epochs[0], epochs[1])
    assert {len(rows) for rows in seen} == {25}
    assert count_steps(100, 33) == 4


def test_a_loss_that_turns_nan_ends_the_run_and_says_so(desk: Desk) -> None:
    job = dataclasses.replace(start_job(desk), loss=lambda outputs, targets, weights=None, **_: (outputs * float("nan")).mean())
    fitted = fit(job, FULL, seed=0, name="nan")
    assert fitted.diverged
    assert not fitted.records
    assert all(bool(torch.isfinite(value).all()) for value in fitted.network.state_dict().values())  # the last healthy weights


def test_the_best_weights_are_those_of_the_best_val_metric(desk: Desk) -> None:
    job = start_job(desk)
    fitted = fit(job, FULL, seed=0, name="best")
    best = max(record.val_metric or 0 for record in fitted.records)
    fitted.network.load_state_dict(fitted.best)
    outputs = to_outputs(desk.problem, fitted.network, predict(fitted.network, desk.examples, desk.folds[0].val))
    assert desk.metric.score(desk.examples.plain_targets(desk.folds[0].val), outputs) == best


def test_a_torn_checkpoint_is_noticed_and_the_one_before_it_is_used(desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path / "whole")

    def stop(done: float, total: float) -> None:
        if done >= 2:
            raise Stopped("the power went")

    with pytest.raises(Stopped, match="power"):
        fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path / "cut", listen=stop)
    newest = sorted((tmp_path / "cut" / "checkpoints").glob("*.safetensors"))[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    assert_equal(whole, fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path / "cut"))
    assert "torn or altered" in caplog.text


def test_a_checkpoint_of_another_model_is_refused_with_the_differences(desk: Desk, tmp_path: Path) -> None:
    def stop(done: float, total: float) -> None:
        if done >= 2:
            raise Stopped("the power went")

    with pytest.raises(Stopped, match="power"):
        fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path, listen=stop)
    job = start_job(desk)
    job.network.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
    with pytest.raises(Exception, match="of another model"):
        fit(job, FULL, seed=0, name="run", folder=tmp_path)


def test_only_two_generations_of_checkpoints_are_kept(desk: Desk, tmp_path: Path) -> None:
    fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path)
    assert len(list((tmp_path / "checkpoints").glob("*.json"))) == 2
    assert len(list((tmp_path / "checkpoints").glob("*.safetensors"))) == 2


def test_ctrl_c_ends_the_run_after_its_step_with_a_checkpoint(desk: Desk, tmp_path: Path) -> None:
    calls = 0

    def press(done: float, total: float) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            interrupt._ASKED.set()

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path / "cut", listen=press)
    assert [path.stem for path in sorted((tmp_path / "cut" / "checkpoints").glob("*.json"))][-1] == "step-000000005"
    assert_equal(fit(start_job(desk), FULL, seed=0, name="run"), fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path / "cut"))


def test_time_that_is_up_ends_the_run_after_its_step_with_a_checkpoint(desk: Desk, tmp_path: Path) -> None:
    with interrupt.timed(0.0), pytest.raises(ResourceError, match="much longer than its budget"):
        fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path / "cut")
    assert [path.stem for path in (tmp_path / "cut" / "checkpoints").glob("*.json")] == ["step-000000001"]
    assert_equal(fit(start_job(desk), FULL, seed=0, name="run"), fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path / "cut"))


def test_time_that_is_up_does_not_end_a_run_that_keeps_no_checkpoint(desk: Desk) -> None:
    """It would begin anew each time, and never come to its end."""
    with interrupt.timed(0.0):
        fitted = fit(start_job(desk), FULL, seed=0, name="run")
    assert fitted.records[-1].epoch == FULL.epochs


def test_streaming_from_disk_trains_to_the_same_weights_as_memory(desk: Desk) -> None:
    streamed = dataclasses.replace(desk, examples=Examples(desk.examples.pack, desk.problem, in_memory=False))
    assert_equal(fit(start_job(desk), FULL, seed=0, name="run"), fit(start_job(streamed), FULL, seed=0, name="run"))


def test_a_hundred_steps_cost_what_the_theory_of_the_loss_says_at_the_start(desk: Desk) -> None:
    """The first loss of a net with a small last layer is that of guessing."""
    expected, _ = losses.expected_at_init("multiclass", None, 3)
    config = FULL.model_copy(update={"epochs": 0.14, "label_smoothing": 0.0})
    fitted = fit(start_job(desk, config, 0.0), config, seed=0, name="start")
    assert fitted.records[0].loss == pytest.approx(expected, rel=0.1)


def test_without_a_folder_nothing_is_written(desk: Desk, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    fit(start_job(desk), FULL, seed=0, name="run")
    assert set(tmp_path.rglob("*")) == before


def test_a_run_that_ended_can_be_extended_and_equals_the_longer_one(desk: Desk, tmp_path: Path) -> None:
    short = FULL.model_copy(update={"schedule": "fixed", "epochs": 2.0})
    longer = short.model_copy(update={"epochs": 4.0})
    fit(start_job(desk), short, seed=0, name="run", folder=tmp_path)
    assert_equal(fit(start_job(desk), longer, seed=0, name="run"), fit(start_job(desk), longer, seed=0, name="run", folder=tmp_path))


def test_training_stops_early_by_its_rule_and_a_resumed_run_knows_it(desk: Desk, tmp_path: Path) -> None:
    config = FULL.model_copy(update={"epochs": 40.0, "patience": 2, "averaging": 0.0, "augment": "none"})
    fitted = fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path)
    epochs = [record.epoch for record in fitted.records]
    assert epochs[-1] < 40
    assert sum(epoch > fitted.best_epoch for epoch in epochs) == 2
    assert_equal(fitted, fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path))


@pytest.mark.parametrize(
    ("settings", "steps"),
    [({"val_epochs": 2.0}, [14, 28]), ({"val_steps": 10}, [10, 20, 28]), ({"val_epochs": 0.5}, [4, 8, 12, 16, 20, 24, 28]), ({}, [7, 14, 21, 28])],
)
def test_val_is_looked_at_as_often_as_the_settings_say_and_at_the_end(desk: Desk, settings: dict, steps: list[int]) -> None:
    config = FULL.model_copy(update=settings)
    assert [record.step for record in fit(start_job(desk), config, seed=0, name="run").records] == steps


@pytest.mark.parametrize(
    "settings",
    [
        {"lookahead": 3}, {"mixup": 0.4}, {"cutmix": 1.0}, {"sampling": "balanced"}, {"micro_batch": 5}, {"snapshot_steps": 3}, {"precision": "bf16"},
        {"optimizer": "nesterov", "lr": 0.05}, {"augment": "randaugment+noise(0.5)+blur"},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_switched_on_a_stopped_run_ends_bit_equal(desk: Desk, tmp_path: Path, settings: dict) -> None:
    config = FULL.model_copy(update=settings)
    whole = fit(start_job(desk, config), config, seed=0, name="run")

    def stop(done: float, total: float) -> None:
        if done > 2.6:
            raise Stopped("the power went")

    with pytest.raises(Stopped, match="power"):
        fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path, listen=stop)
    assert len(list((tmp_path / "checkpoints").glob("*.json"))) == 2
    assert_equal(whole, fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path))
    plain = fit(start_job(desk), FULL, seed=0, name="run")
    is_same = all(torch.equal(a, b) for a, b in zip(whole.network.state_dict().values(), plain.network.state_dict().values()))
    assert is_same == ("snapshot_steps" in settings)  # every other option does something


def test_a_run_that_goes_on_with_other_threads_says_that_it_is_equal_to_tolerance_only(desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    here = checkpoint.describe_machine("cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "describe_machine", lambda device: here | {"threads": "9"})
        fit(start_job(desk), FULL.model_copy(update={"epochs": 2.0}), seed=0, name="run", folder=tmp_path)
    fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path)
    assert "equal to an uninterrupted run to tolerance only" in caplog.text
    assert "threads 9" in caplog.text


def test_a_record_says_how_training_feels(desk: Desk) -> None:
    record = fit(start_job(desk), FULL, seed=0, name="run").records[-1]
    assert 0 < record.update_ratio < 0.1
    assert record.dead_frac is not None
    assert 0 <= record.dead_frac <= 1
    assert record.saturated_frac is None  # ReLU does not saturate on both sides


@pytest.mark.parametrize(
    ("settings", "told"), [({"lr": 0.01}, r"train\.lr was 0\.003, now 0\.01"), ({"averaging": 0.0}, r"train\.averaging was 0\.9, now 0\.0")]
)
def test_a_folder_with_a_run_of_other_settings_is_refused_with_the_differences(desk: Desk, tmp_path: Path, settings: dict, told: str) -> None:
    fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path)
    config = FULL.model_copy(update=settings)
    with pytest.raises(SurefootError, match=told) as caught:
        fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path)
    assert caught.value.where == str(tmp_path / "checkpoints" / "step-000000028.json")
    assert "Delete the run's folder" in caught.value.next


def test_a_folder_with_a_run_of_another_seed_name_or_number_of_items_is_refused(desk: Desk, tmp_path: Path) -> None:
    fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path)
    with pytest.raises(SurefootError, match="seed was 0, now 1; name was 'run', now 'walk'"):
        fit(start_job(desk), FULL, seed=1, name="walk", folder=tmp_path)
    with pytest.raises(SurefootError, match="items to train on was 100, now 90"):
        fit(dataclasses.replace(start_job(desk), train=desk.folds[0].train[:90]), FULL, seed=0, name="run", folder=tmp_path)


def test_a_run_goes_on_where_only_its_length_its_machine_or_what_is_looked_at_changes(desk: Desk, tmp_path: Path) -> None:
    fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path)
    free = {"epochs": 5.0, "patience": 50, "threads": 1, "precision": "fp32", "micro_batch": 8, "compile": "off", "snapshot_steps": 9, "val_steps": 9}
    config = FULL.model_copy(update=free)
    assert fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path).records[-1].epoch == 5.0


def test_a_checkpoint_that_does_not_say_what_it_is_of_goes_on(desk: Desk, tmp_path: Path) -> None:
    """As those of versions before did not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "describe_run", lambda *given: {})
        fit(start_job(desk), FULL.model_copy(update={"epochs": 2.0}), seed=0, name="run", folder=tmp_path)
    assert fit(start_job(desk), FULL, seed=0, name="run", folder=tmp_path).records[-1].epoch == 4.0


OWN = """
import torch


class Counted(torch.optim.Optimizer):
    \"\"\"Its steps shrink by a count beside each weight, and grow by one in its group, a number and a tensor.\"\"\"

    def __init__(self, parameters, lr, keeps):
        super().__init__(parameters, {"lr": lr, "taken": 0})
        self.keeps = keeps
        for group in self.param_groups:
            group["d"] = torch.ones(())

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            group["taken"] += 1
            group["d"].mul_(1.01)
            for parameter in group["params"]:
                state = self.state[parameter]
                state["step"] = state.get("step", 0) + 1
                if self.keeps:
                    state["kept"] = self.keeps
                parameter.sub_(parameter.grad * group["d"].item(), alpha=group["lr"] * group["taken"] / state["step"] ** 1.5)


def counted(parameters, *, lr, weight_decay, momentum):
    return Counted(parameters, lr, None)


def hoarder(parameters, *, lr, weight_decay, momentum):
    return Counted(parameters, lr, ["a list"])
"""


def test_an_optimizer_that_remembers_plain_numbers_ends_bit_equal_too(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "own_steps.py").write_text(OWN)
    desk, config = dataclasses.replace(desk, folder=tmp_path), FULL.model_copy(update={"optimizer": "own_steps:counted", "lr": 0.01})
    whole, steps = fit(start_job(desk, config), config, seed=0, name="run"), iter(range(1, 100))

    def stop(done: float, total: float) -> None:
        if next(steps) == 9:
            raise Stopped("the power went")

    with pytest.raises(Stopped, match="power"):
        fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path / "cut", listen=stop)
    assert_equal(whole, fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path / "cut"))


def test_an_optimizer_that_remembers_what_no_checkpoint_keeps_is_refused(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "own_hoard.py").write_text(OWN)
    desk, config = dataclasses.replace(desk, folder=tmp_path), FULL.model_copy(update={"optimizer": "own_hoard:hoarder", "lr": 0.01})
    with pytest.raises(SurefootError, match="Counted remembers kept as an object of type list, which no checkpoint keeps"):
        fit(start_job(desk, config), config, seed=0, name="run", folder=tmp_path / "run")
