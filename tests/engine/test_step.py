"""One step: its parts add up to the batch, whatever items weigh, and its gradient is recorded as it was before it was clipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from surefoot.engine import ranks
from surefoot.engine.build import Desk
from surefoot.engine.fit import Fitted, Job, fit
from surefoot.engine.step import _split
from surefoot.losses.weighting import weigh
from surefoot.types import ResourceError
from surefoot.types.examples import Batch

from .samples import FULL, make_desk, start_job

PLAIN = FULL.model_copy(update={"averaging": 0.0, "augment": "none", "epochs": 2.0, "optimizer": "nesterov", "lr": 0.01, "clip": 0.0})


def train(desk: Desk, **settings: object) -> Fitted:
    """A net without batch norm, which would see the parts."""
    config = PLAIN.model_copy(update=settings)
    job = start_job(desk, config, 0.0)
    torch.manual_seed(0)
    job.network.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
    return fit(job, config, seed=0, name="run")


@pytest.mark.parametrize("settings", [{"class_weights": "balanced"}, {"mixup": 0.4}, {"class_weights": "balanced", "mixup": 0.4, "l1": 0.01}], ids=str)
def test_a_batch_in_parts_moves_the_weights_as_the_whole_does_whatever_items_and_classes_weigh(tmp_path: Path, settings: dict) -> None:
    desk = make_desk(tmp_path, is_heavy=True)
    whole, parts, single = (train(desk, micro_batch=micro_batch, **settings) for micro_batch in (0, 5, 1))
    for name, value in whole.network.state_dict().items():
        assert torch.allclose(parts.network.state_dict()[name], value, atol=1e-5), name
        assert torch.allclose(single.network.state_dict()[name], value, atol=1e-5), name
    assert [record.loss for record in parts.records] == pytest.approx([record.loss for record in whole.records], rel=1e-4)


def count_parts(job: Job, num: int, micro_batch: int, num_global: int = 0) -> list[int]:
    batch = Batch((torch.zeros(num, 1, 8, 8),), torch.zeros(num, dtype=torch.int64), num_global=num_global)
    parts = _split(job, batch, micro_batch)
    world = ranks.count()
    assert sum(counts.targets for _, counts in parts) == pytest.approx(world * num / (num_global or num))
    assert sum(counts.penalty for _, counts in parts) == pytest.approx(1)
    return [len(part.targets) for part, _ in parts]


def test_parts_of_a_batch_are_even_so_that_none_is_a_tail_of_one(desk: Desk) -> None:
    job = start_job(desk)
    assert count_parts(job, 33, 16) == [11, 11, 11]
    assert count_parts(job, 33, 0) == count_parts(job, 33, 33) == [33]


def test_every_process_makes_as_many_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """17 items here and 16 there, by 8; one that has fewer items than there are parts makes parts of one that count for nothing."""
    job = start_job(desk)
    monkeypatch.setattr(ranks, "count", lambda: 2)
    assert count_parts(job, 17, 8, 33) == [5, 6, 6]
    assert count_parts(job, 16, 8, 33) == [5, 5, 6]
    assert count_parts(job, 2, 1, 5) == [1, 1, 1]


def test_memory_that_runs_out_in_one_of_several_processes_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait for the gradients of a part that this one never had."""

    def explode(module: torch.nn.Module, inputs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    job = start_job(desk, PLAIN)
    job.network.register_forward_pre_hook(explode)
    monkeypatch.setattr(ranks, "count", lambda: 2)
    with pytest.raises(ResourceError, match="ran out in one of several processes") as caught:
        fit(job, PLAIN, seed=0, name="run")
    assert "train.micro_batch = 7" in caught.value.next


def test_what_items_and_labels_weigh_is_their_own_weight_times_their_classs() -> None:
    own, labels = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert weigh(torch.tensor([0, 2]), None, None) is None
    assert weigh(torch.tensor([0, 2]), own, torch.tensor([3.0, 4.0, 5.0])).tolist() == [3, 10]
    assert weigh(labels, own, torch.tensor([[1.0, 7.0], [2.0, 9.0]])).tolist() == [[7, 2], [2, 4]]
    assert weigh(labels, own, None) is own


def test_the_gradient_is_recorded_as_it_was_before_it_was_clipped(desk: Desk) -> None:
    config = PLAIN.model_copy(update={"clip": 1.0})
    job = start_job(desk, config)
    steep = replace(job, loss=lambda outputs, targets, weights=None, **options: 1e3 * job.loss(outputs, targets, weights, **options))
    assert all(record.grad_norm > 1 for record in fit(steep, config, seed=0, name="run").records)
