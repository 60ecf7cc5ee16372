"""The least time a training takes, and what can't end in time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from surefoot.engine import floor
from surefoot.engine.build import Desk
from surefoot.engine.floor import find_floor, measure_peak, refuse_hopeless
from surefoot.steps import s11_final
from surefoot.types import FinalStepConfig
from surefoot.types.errors import ResourceError

from .samples import FULL, start_job

CTX: Any = SimpleNamespace(ledger=SimpleNamespace(decide=lambda name, work: work()), previous=None)


def test_the_floor_is_what_all_items_cost_at_the_rate_of_matrix_products():
    assert find_floor(flops=3_000_000, num_items=60_000, peak=1e11) == pytest.approx(1.8)


def test_the_rate_of_this_machine_is_that_of_a_machine():
    assert 1e8 < measure_peak("cpu") < 1e15


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_the_rate_is_that_of_the_precision_that_is_trained_in(monkeypatch: pytest.MonkeyPatch, precision: str, dtype: torch.dtype):
    monkeypatch.setattr(floor, "measure_rate", lambda multiply, device: float(multiply().dtype == dtype))
    monkeypatch.setitem(floor._SIDE, "cpu", 8)
    assert measure_peak("cpu", precision) == 2 * 8**3


def test_each_precision_has_a_rate_of_its_own_in_the_ledger(monkeypatch: pytest.MonkeyPatch):
    names: list[str] = []

    def decide(name: str, work: Any) -> float:
        names.append(name)
        return 1.0

    ctx: Any = type("Ctx", (), {"ledger": type("Ledger", (), {"decide": staticmethod(decide)})})
    assert [floor.settle_peak(ctx, "cpu", precision) for precision in ("fp32", "bf16")] == [1.0, 1.0]
    assert len(set(names)) == 2


@pytest.mark.parametrize(("of_convolutions", "inside"), [("tf32", "tf32"), ("ieee", "ieee")])
def test_a_gpu_multiplies_as_its_convolutions_do_while_its_rate_is_measured(monkeypatch: pytest.MonkeyPatch, of_convolutions: str, inside: str):
    """By default convolutions round to TF32 and products don't: against the latter's rate a convnet would be faster than its floor."""
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = matmul.fp32_precision, conv.fp32_precision
    try:
        matmul.fp32_precision, conv.fp32_precision = "ieee", of_convolutions
        with floor._rounding_as_convolutions():
            assert matmul.fp32_precision == inside
        assert matmul.fp32_precision == "ieee"
    finally:
        matmul.fp32_precision, conv.fp32_precision = before


def test_a_training_that_can_not_end_in_its_budget_is_refused_with_both_numbers():
    with pytest.raises(ResourceError, match=r"Training for 40 epochs takes about 90 s on this machine, 30 s at the very least, and the budget is 60 s"):
        refuse_hopeless(30.0, 90.0, 60.0, "Training for 40 epochs")
    refuse_hopeless(30.0, 59.0, 60.0, "Training")
    refuse_hopeless(1e9, 1e9, 0.0, "Training without a budget")


@pytest.mark.parametrize("asked", [{"train": {"phases": [{"epochs": 2}, {"epochs": 9_998}]}}, {"final": {"more": [{"epochs": 9_999}]}}])
def test_phases_that_the_budget_can_not_bear_are_refused_before_the_first_of_them(desk: Desk, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]):
    """10,000 epochs of 100 items at 1,000 items a second take 1,000 s."""
    tune: Any = SimpleNamespace(train=FULL, epochs=1.0)
    monkeypatch.setattr(s11_final, "settle_speed", lambda ctx, job, train, name: (train.model_copy(update={"precision": "fp32"}), 1_000.0))
    monkeypatch.setattr(s11_final, "_run_phase", lambda *given: pytest.fail("it was begun"))
    config = FinalStepConfig.model_validate({"budget": "1m"} | asked)
    with pytest.raises(ResourceError, match=r"The final training, 10,000 epochs, takes about 1,000 s on this machine, .+, and the budget is 60 s"):
        s11_final._train(CTX, config, desk, start_job(desk), tune, "made by")


def test_epochs_that_the_search_found_are_not_refused(desk: Desk):
    s11_final._refuse_hopeless(CTX, FinalStepConfig(budget="1s"), start_job(desk), FULL, 1e9, 1.0)
