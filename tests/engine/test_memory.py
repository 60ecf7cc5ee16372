"""Memory that runs out in the middle of a step: the batch is halved, and the step counts all the same."""

from __future__ import annotations

import pytest
import torch

from surefoot.engine import memory
from surefoot.engine.build import Desk
from surefoot.engine.fit import fit

from .samples import FULL, start_job

PLAIN = FULL.model_copy(update={"averaging": 0.0, "augment": "none", "epochs": 2.0, "optimizer": "nesterov", "lr": 0.01})


def test_out_of_memory_halves_the_micro_batch_and_loses_no_step(desk: Desk) -> None:
    """A net that bears five items at a time ends where one ends that bears them all (no batch norm here: it sees the parts)."""
    job, roomy = (start_job(desk, PLAIN, 0.0) for _ in range(2))
    for one in (job, roomy):
        one.network.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        torch.manual_seed(0)
        torch.nn.init.normal_(one.network.body[1].weight, std=0.1)
        torch.nn.init.zeros_(one.network.body[1].bias)

    def explode(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if module.training and len(inputs[0]) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate too much.")

    job.network.register_forward_pre_hook(explode)
    fitted, whole = fit(job, PLAIN, seed=0, name="run"), fit(roomy, PLAIN, seed=0, name="run")
    assert [record.micro_batch for record in fitted.records] == [3, 3]
    assert [record.step for record in fitted.records] == [record.step for record in whole.records]
    for name, value in whole.network.state_dict().items():
        assert torch.allclose(fitted.network.state_dict()[name], value, atol=1e-5), name


def test_a_single_item_that_does_not_fit_is_an_error(desk: Desk) -> None:
    job = start_job(desk, PLAIN)

    def explode(module: torch.nn.Module, inputs: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.")

    job.network.register_forward_pre_hook(explode)
    with pytest.raises(RuntimeError, match="not enough memory"):
        fit(job, PLAIN, seed=0, name="run")


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True), (torch.OutOfMemoryError("x"), True), (RuntimeError("HIP out of memory"), True), (RuntimeError("shapes differ"), False),
        (ValueError("out of memory"), False),
    ],
)  # fmt: skip
def test_errors_of_exhausted_memory_are_told_from_others(error: Exception, is_memory: bool) -> None:
    assert memory.is_exhausted(error) == is_memory
