"""Which device a process takes, and a clock that waits until the work is done."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from surefoot.engine import compiling, devices, ranks, step
from surefoot.types.errors import UsageError

from .samples import FULL


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done in order: `work`, `wait` for a GPU, a look at the `clock`, which goes on by 50 ms each time."""
    noted: list[str] = []

    def look() -> float:
        noted.append("clock")
        return 0.05 * noted.count("clock")

    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: noted.append(f"wait {device}"))
    monkeypatch.setattr(devices, "perf_counter", look)
    monkeypatch.setattr(compiling, "perf_counter", look)
    return noted


def test_a_gpu_is_waited_for_before_the_clock_is_looked_at(seen: list[str]) -> None:
    rate = devices.measure_rate(lambda: seen.append("work"), device="cuda:1")
    assert all(before == "wait cuda:1" for before, now in itertools.pairwise(seen) if now == "clock")
    calls = seen.count("work") - 1
    assert rate == pytest.approx(calls / (0.05 * (seen.count("clock") - 1)))
    assert calls > seen.count("clock") > 3, "and not after each call: between two of them it would stand idle"


def test_nobody_waits_for_a_cpu(seen: list[str]) -> None:
    devices.measure_rate(lambda: seen.append("work"))
    assert not [what for what in seen if what.startswith("wait")]


def test_what_compiling_takes_is_over_when_its_time_is_taken(seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "training_step", lambda job, config: lambda: seen.append("work"))
    monkeypatch.setattr(compiling, "measure_rate", lambda work, device: 1.0)
    job = SimpleNamespace(examples=SimpleNamespace(device="cuda:0"), train=range(96))
    once = compiling._measure(job, FULL)
    assert seen == ["wait cuda:0", "clock", "work", "wait cuda:0", "clock"] * 2
    job.train = range(100)  # in seven batches of 14 and 15: each size is compiled for
    assert [cost for cost, _ in compiling._measure(job, FULL).values()] == pytest.approx([2 * cost for cost, _ in once.values()])


@pytest.mark.parametrize(("rank", "there", "device"), [(None, 2, "cuda:0"), ("1", 2, "cuda:1"), ("3", 1, "cuda:0")])
def test_each_process_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch, rank: str | None, there: int, device: str) -> None:
    """torchrun says a process's place on its machine; where each is shown one GPU only, that one is its own."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if rank:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert devices.choose_device("auto") == devices.choose_device("cuda") == device


def test_processes_on_gpus_carry_both_what_is_on_the_cpu_and_what_is_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    for where, name, value in (
        (torch.cuda, "is_available", lambda: True), (torch.cuda, "device_count", lambda: 4), (torch.cuda, "set_device", done.append),
        (ranks.distributed, "is_initialized", lambda: False), (ranks.distributed, "init_process_group", done.append),
    ):  # fmt: skip
        monkeypatch.setattr(where, name, value)
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert ranks.join()
    assert done == [2, "cpu:gloo,cuda:nccl"]


@pytest.mark.parametrize("name", ["mps", "mps:0", "xpu", "meta"])
def test_a_kind_of_device_that_nothing_is_made_for_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"Nothing is trained on '{name}'") as caught:
        devices.choose_device(name)
    assert (caught.value.where, "device = 'cpu'" in caught.value.next) == (f"device = '{name}'", True)


def test_dropout_is_seeded_on_the_device_that_the_batch_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which GPU is the current one is of no account."""
    keys: dict[int, int] = {}

    def generator(number: int) -> SimpleNamespace:
        return SimpleNamespace(manual_seed=lambda key: keys.update({number: key}))

    monkeypatch.setattr(torch.cuda, "default_generators", (generator(0), generator(1)))
    step._seed_dropout(torch.device("cuda:1"), 7)
    assert (keys, torch.default_generator.initial_seed()) == ({1: 7}, 7)


def test_threads_are_measured_on_the_device_that_does_the_work(seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(name: str, work: Callable[[], int]) -> int:
        return work()

    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    devices.settle_threads(SimpleNamespace(ledger=SimpleNamespace(decide=decide)), 0, "a job", lambda: None, "cuda:0")
    assert "wait cuda:0" in seen
