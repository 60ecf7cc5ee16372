"""Which items a step learns from: each once an epoch, groups spread where asked for, and the same after an interruption."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from surefoot.engine.feed import Feed
from surefoot.engine.fit import fit
from surefoot.types import UsageError

from .samples import FULL, make_desk, start_job

GROUPED = FULL.model_copy(update={"sampling": "grouped", "epochs": 2.0})


def make_job(folder: Path, *, in_memory: bool = True):
    desk = make_desk(folder)
    desk.examples.groups = np.repeat([0, 1, 2], [60, 30, 60])
    job = start_job(desk, GROUPED)
    if not in_memory:
        desk.examples.in_memory, desk.examples._tensors = False, None
    return job


@pytest.mark.parametrize("in_memory", [True, False])
def test_groups_are_spread_over_the_batches_of_an_epoch_in_which_each_item_comes_once(tmp_path, in_memory):
    job = make_job(tmp_path, in_memory=in_memory)
    with Feed(job, GROUPED, seed=0, name="run") as feed:
        rows = [feed.take(step).rows for step in range(feed.steps_per_epoch)]
        again = feed.take(3).rows
    assert sorted(torch.cat(rows).tolist()) == sorted(job.train.tolist())
    assert torch.equal(again, rows[3])
    shares = [(job.examples.groups[some.numpy()] == 0).mean() for some in rows]
    assert max(shares) - min(shares) < 0.25  # 0.6 of all are of group 0; a plain order of this seed has batches that differ by more
    with Feed(job, GROUPED.model_copy(update={"sampling": "plain"}), seed=0, name="run") as feed:
        plain = [(job.examples.groups[feed.take(step).rows.numpy()] == 0).mean() for step in range(feed.steps_per_epoch)]
    assert max(plain) - min(plain) > 0.25


@pytest.mark.parametrize("sampling", ["plain", "balanced", "grouped"])
def test_a_run_that_was_stopped_within_an_epoch_goes_on_with_the_batches_that_were_left(tmp_path, sampling):
    config = GROUPED.model_copy(update={"sampling": sampling})
    with Feed(make_job(tmp_path), config, seed=3, name="run") as feed:
        steps = 2 * feed.steps_per_epoch
        whole = [feed.take(step) for step in range(steps)]
    for start, in_memory in ((steps // 3, True), (feed.steps_per_epoch + 1, False)):
        with Feed(make_job(tmp_path, in_memory=in_memory), config, seed=3, name="run") as resumed:
            for step in range(start, steps):
                batch = resumed.take(step)
                assert torch.equal(batch.rows, whole[step].rows)
                assert torch.equal(batch.targets, whole[step].targets)
                assert all(torch.equal(one, other) for one, other in zip(batch.inputs, whole[step].inputs, strict=True))


def test_classes_are_balanced_over_the_batches_of_an_epoch(tmp_path):
    job = make_job(tmp_path)
    labels = job.examples.plain_targets(job.train).astype(int)
    job = dataclasses.replace(job, train=np.concatenate([job.train[labels == 0][:8], job.train[labels != 0]]))
    with Feed(job, GROUPED.model_copy(update={"sampling": "balanced"}), seed=0, name="run") as feed:
        rows = torch.cat([feed.take(step).rows for step in range(feed.steps_per_epoch)]).numpy()
    counts = np.bincount(job.examples.plain_targets(rows).astype(int))
    assert len(rows) == len(job.train)
    assert counts.max() - counts.min() <= 1


def test_a_run_with_groups_that_was_stopped_ends_bit_equal(tmp_path):
    whole = fit(make_job(tmp_path / "a"), GROUPED, seed=0, name="run")

    def stop(done: float, total: float) -> None:
        if done > 1.4:
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="power"):
        fit(make_job(tmp_path / "a"), GROUPED, seed=0, name="run", folder=tmp_path / "run", listen=stop)
    resumed = fit(make_job(tmp_path / "a"), GROUPED, seed=0, name="run", folder=tmp_path / "run")
    assert all(torch.equal(a, b) for a, b in zip(whole.network.state_dict().values(), resumed.network.state_dict().values()))


def test_groups_that_nothing_names_are_asked_for(tmp_path):
    job = make_job(tmp_path)
    job.examples.groups = None
    with pytest.raises(UsageError, match="The items have no groups"):
        Feed(job, GROUPED, seed=0, name="run")
