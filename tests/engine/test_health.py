"""Where training breaks is named: the step, the layer, the items."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

import pytest
import torch
from torch import nn

from surefoot.engine import health, precision
from surefoot.engine.build import Desk
from surefoot.engine.feed import Feed
from surefoot.engine.fit import Job, fit

from .samples import FULL, start_job


class Breaks(nn.Module):
    """Passes its input on; from its n-th call in training on it breaks the output, or the gradient."""

    def __init__(self, at: int, how: str) -> None:
        super().__init__()
        self.how = how
        self.register_buffer("left", torch.tensor(at))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        self.left -= 1
        if self.left >= 0:
            return x
        if self.how == "outputs":
            return x * float("nan")
        x.register_hook(lambda gradient: gradient * float("nan"))
        return x * 1


@pytest.mark.parametrize("how", ["outputs", "gradients"])
def test_the_first_bad_layer_its_step_and_the_ids_of_its_batch_are_named(desk: Desk, how: str) -> None:
    job = break_at(start_job(desk), 17, how)
    names = [name for name, _ in job.network.body.body.named_children()]
    fitted = fit(job, FULL, seed=0, name="run")
    fault = fitted.fault
    assert fault is not None
    assert (fault.step, fault.what) == (17, how)
    assert fault.layer.rpartition(".")[2] == ("breaks" if how == "outputs" else names[names.index("breaks") - 2])
    rows = Feed(job, FULL, seed=0, name="run").rows(17)
    assert fault.ids == tuple(desk.examples.pack.ids(rows.numpy()))
    assert [record.step for record in fitted.records] == [7, 14]
    assert all(bool(torch.isfinite(value).all()) for value in fitted.network.state_dict().values())


def break_at(job: Job, step: int, how: str) -> Job:
    """The job with a layer behind its first ReLU that breaks at a step."""
    body = list(job.network.body.body.named_children())
    place = next(n for n, (name, _) in enumerate(body) if name.endswith("_relu"))
    job.network.body.body = nn.Sequential(OrderedDict([*body[: place + 1], ("breaks", Breaks(step, how)), *body[place + 1 :]]))
    return job


def test_the_layer_is_named_where_the_net_is_compiled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled net calls no hook that was added after it was compiled; it is traced as it was written. Without a compiler: the graph is run as it is."""
    compile_it = torch.compile
    monkeypatch.setattr(torch, "compile", lambda module, mode=None: compile_it(module, backend="eager"))
    config = FULL.model_copy(update={"optimizer": "sgd", "lr": 1e20, "clip": 0.0, "schedule": "fixed", "weight_decay": 0.0})
    faults = [fit(start_job(desk), config.model_copy(update={"compile": way}), seed=0, name="run").fault for way in ("off", "on")]
    assert faults[0] is not None
    assert faults[0].what == "outputs"
    assert faults[1] == faults[0]


def test_gradients_that_overflow_because_they_are_scaled_up_are_no_fault(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scaler of fp16 tries a scale that is too large, leaves out the step, and takes half; what breaks at step 20 is the layer."""
    scaler, scales = torch.amp.GradScaler("cpu", init_scale=2.0**26), list[float]()
    monkeypatch.setattr(precision, "make_scaler", lambda *given: scaler)
    config = FULL.model_copy(update={"precision": "fp16", "augment": "none"})
    job = break_at(start_job(desk), 20, "outputs")
    fault = fit(job, config, seed=0, name="run", listen=lambda *given: scales.append(scaler.get_scale())).fault
    assert scales[0] < 2.0**26, "it did overflow"
    assert fault is not None
    assert (fault.step, fault.layer.rpartition(".")[2], fault.what) == (20, "breaks", "outputs")


def test_dead_and_saturated_units_are_counted() -> None:
    output = torch.tensor([[[[1.0]], [[0.0]]], [[[2.0]], [[0.0]]]])
    assert health.share_dead(output) == 0.5
    assert health.share_saturated(nn.Tanh(), torch.tensor([0.99, 0.1, -0.98, 0.0])) == 0.5
    assert health.share_saturated(nn.ReLU(), output) is None


def test_the_update_ratio_is_that_of_the_norms() -> None:
    layer = nn.Linear(2, 1)
    before = health.copy_weights(layer)
    with torch.no_grad():
        layer.weight.mul_(1.01)
    assert health.measure_update(before, layer) == pytest.approx(0.01, rel=1e-3)


def test_a_job_with_a_fault_in_its_inputs_names_what_prepares_them(desk: Desk) -> None:
    job = start_job(desk)
    job.network.prepare.register_forward_hook(lambda *_: (torch.full((1, 1, 8, 8), float("nan")).expand(len(_[2][0]), -1, -1, -1),))
    fault = fit(dataclasses.replace(job), FULL, seed=0, name="run").fault
    assert fault is not None
    assert fault.step == 0
    assert fault.what == "outputs"
