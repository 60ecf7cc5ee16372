"""Memory that runs out in the middle of a step: the batch is halved, and the step counts all the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surefoot.engine import memory
from surefoot.engine.build import Desk
from surefoot.engine.fit import Job, fit
from surefoot.engine.inspect import find_features, weigh_pixels
from surefoot.engine.predict import predict

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


def bear(job: Job, most: int, error: type[Exception] = torch.OutOfMemoryError) -> list[int]:
    """Lets the net's last layer say that memory is exhausted for more items than so many; how many it was given is in the list."""
    given: list[int] = []

    def explode(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        given.append(len(inputs[0]))
        if len(inputs[0]) > most:
            raise error("CUDA out of memory. Tried to allocate too much.")

    list(job.network.body.body)[-1].register_forward_pre_hook(explode)
    return given


def test_what_is_asked_of_many_items_is_asked_of_fewer_where_memory_runs_out(desk: Desk) -> None:
    """Looks at val take 512 items whatever the micro-batch; a device that bears 20 is asked for fewer, and says the same of each."""
    rows = np.arange(149)
    roomy, job = start_job(desk), start_job(desk)
    given = bear(job, 20)
    assert predict(job.network, desk.examples, rows) == pytest.approx(predict(roomy.network, desk.examples, rows), abs=1e-5)
    assert given == [149, 74, 37, *[18] * 8, 5]
    assert find_features(job.network, desk.examples, rows) == pytest.approx(find_features(roomy.network, desk.examples, rows), abs=1e-5)
    images, said = desk.examples.pack.read_all()[0][:50], np.zeros(50, np.int64)
    assert weigh_pixels(job.network, images, said) == pytest.approx(weigh_pixels(roomy.network, images, said), abs=1e-6)


def test_a_run_that_has_no_room_for_val_goes_on(desk: Desk) -> None:
    job = start_job(desk, PLAIN)
    bear(job, 20)
    assert fit(job, PLAIN, seed=0, name="run").records[-1].val_metric is not None


def test_memory_that_python_itself_runs_out_of_halves_the_batch_too(desk: Desk) -> None:
    job = start_job(desk, PLAIN)
    bear(job, 5, MemoryError)
    assert [record.micro_batch for record in fit(job, PLAIN, seed=0, name="run").records] == [3, 3]


def test_an_item_that_can_not_be_asked_alone_is_an_error(desk: Desk) -> None:
    job = start_job(desk, PLAIN)
    bear(job, 0)
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        predict(job.network, desk.examples, np.arange(3))


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
        (ValueError("out of memory"), False), (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True), (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False),
    ],
)  # fmt: skip
def test_errors_of_exhausted_memory_are_told_from_others(error: Exception, is_memory: bool) -> None:
    assert memory.is_exhausted(error) == is_memory
