"""torch.compile and CUDA graphs: only where measured cost says that they pay."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from surefoot.engine import compiling
from surefoot.engine.build import Desk
from surefoot.engine.fit import fit

from .samples import FULL, start_job

CTX: Any = SimpleNamespace(ledger=SimpleNamespace(decide=lambda name, work: work()))
OPEN = FULL.model_copy(update={"compile": "auto"})


def settle(desk: Desk, seconds: float, **asked: object) -> str:
    return compiling.settle_compile(CTX, start_job(desk), OPEN.model_copy(update=asked), seconds, "a run").compile


def pretend(monkeypatch: pytest.MonkeyPatch, times_faster: float) -> list[str]:
    """A machine on which a compiled step is so many times as fast; returns what was measured."""
    measured: list[str] = []

    def training_step(job: object, config: Any) -> Any:
        measured.append(config.compile)
        return lambda: config.compile

    monkeypatch.setattr(compiling, "training_step", training_step)
    monkeypatch.setattr(compiling, "measure_rate", lambda step, device: times_faster if step() == "on" else 1.0)
    return measured


def test_a_short_run_is_not_even_measured(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = pretend(monkeypatch, 10.0)
    assert (settle(desk, 299.0), measured) == ("off", [])


def test_a_long_run_is_compiled_where_it_is_faster_that_way_and_not_where_it_is_slower(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for times_faster, way in ((1.5, "on"), (0.9, "off"), (1.0, "off")):
        measured = pretend(monkeypatch, times_faster)
        assert settle(desk, 3_000.0) == way
        assert measured == ["off", "on"]


def test_what_was_asked_for_is_done_without_measuring(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = pretend(monkeypatch, 10.0)
    assert [settle(desk, 3_000.0, compile=way) for way in ("on", "off", "graphs")] == ["on", "off", "graphs"]
    assert not measured


def test_a_machine_that_can_not_compile_trains_plainly(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **options: object) -> None:
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(torch, "compile", refuse)
    assert settle(desk, 3_000.0) == "off"


def test_the_loop_calls_the_compiled_net_and_trains_the_same_weights(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a compiler: what stands in for it passes every call on, and counts them."""
    calls: list[str | None] = []

    def compiled(module: torch.nn.Module, mode: str | None = None) -> Any:
        calls.append(mode)
        return lambda *inputs: module(*inputs)

    plain = fit(start_job(desk), FULL, seed=0, name="run")
    monkeypatch.setattr(torch, "compile", compiled)
    for way, mode in (("on", None), ("graphs", "reduce-overhead")):
        fitted = fit(start_job(desk), FULL.model_copy(update={"compile": way}), seed=0, name="run")
        assert calls.pop() == mode
        for one, other in zip(plain.network.parameters(), fitted.network.parameters(), strict=True):
            assert torch.equal(one, other)
