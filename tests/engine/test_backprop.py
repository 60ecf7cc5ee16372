"""Backprop by hand agrees with autograd on any net, layer by layer, and shows where something is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from surefoot.engine.backprop import BACK, BIAS, LAST, WEIGHT, run_backprop
from surefoot.engine.fit import Job
from surefoot.losses import get
from surefoot.losses.own import adapt
from surefoot.models.network import Network

from .samples import make_desk, start_job

ACTIVATIONS = [nn.ReLU(), nn.ReLU(inplace=True), nn.LeakyReLU(0.1), nn.ELU(0.7), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.GELU("tanh"), nn.SiLU()]
CONVS = {
    "same": nn.Conv2d(1, 4, 3, padding="same"),
    "same, an odd zero": nn.Conv2d(1, 4, (4, 2), padding="same", dilation=(1, 3)),
    "valid": nn.Conv2d(1, 4, 3, stride=3, padding="valid"),
    "a row left over": nn.Conv2d(1, 4, 2, stride=3, padding=(1, 0)),
    "in groups": nn.Conv2d(1, 4, (3, 1), padding=(2, 1)),
}


@pytest.fixture
def job(tmp_path) -> Job:
    return replace(start_job(make_desk(tmp_path)), loss_options={})


def with_body(job: Job, body: nn.Module) -> Job:
    torch.manual_seed(0)
    body(job.network.prepare(*job.examples.inputs(torch.from_numpy(job.train[:2])))[0])
    for parameter in body.parameters():
        nn.init.normal_(parameter, std=0.2)
    return replace(job, network=Network(job.network.prepare, body))


def conv_net(activation: nn.Module, first: nn.Module | None = None) -> nn.Sequential:
    return nn.Sequential(
        first or nn.Conv2d(1, 4, 3, stride=2, padding=1),
        nn.BatchNorm2d(4),
        activation,
        nn.MaxPool2d(2, stride=1),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.LazyLinear(3),
    )


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_the_four_equations_hold_for_every_layer_known(job, activation):
    rows = run_backprop(with_body(job, conv_net(activation)), job.train[:6])
    assert {row.equation for row in rows} == {LAST, BACK, BIAS, WEIGHT}
    assert max(row.error for row in rows) < 1e-12
    assert not any(row.is_given for row in rows)
    assert [row.layer for row in rows if row.equation == WEIGHT] == ["body.6", "body.0"]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", CONVS)
def test_the_four_equations_hold_for_any_padding_with_zeros(job, name):
    net = nn.Sequential(nn.Conv2d(1, 1, 1), conv_net(nn.ReLU(), CONVS[name]))
    rows = run_backprop(with_body(job, net), job.train[:6])
    assert max(row.error for row in rows) < 1e-12
    assert not any(row.is_given for row in rows)
    assert [row.layer for row in rows if row.equation == WEIGHT] == ["body.1.6", "body.1.0", "body.0"]


OTHERS = [nn.Conv2d(1, 4, 3, padding=1, padding_mode=mode) for mode in ("reflect", "circular", "replicate")]


@pytest.mark.parametrize("first", [*OTHERS, nn.Conv2d(1, 4, 3, padding="same", padding_mode="reflect")], ids=str)
def test_a_layer_that_pads_with_what_is_there_is_no_layer_we_know(job, first):
    rows = run_backprop(with_body(job, nn.Sequential(nn.Conv2d(1, 1, 1), conv_net(nn.ReLU(), first))), job.train[:6])
    assert max(row.error for row in rows) < 1e-12
    assert {row.layer for row in rows if row.is_given} == {"body.0"}
    assert "body.1.0" not in {row.layer for row in rows}


def test_layers_that_are_called_by_name_or_give_more_than_values_are_taken_from_autograd(job):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.pool, self.two = nn.Conv2d(1, 4, 3), nn.MaxPool2d(2, return_indices=True), nn.Linear(36, 3)

        def forward(self, x):
            return self.two(input=self.pool(self.one(x))[0].flatten(1))

    rows = run_backprop(with_body(job, Named()), job.train[:6])
    assert max(row.error for row in rows) < 1e-12
    assert {row.layer: row.is_given for row in rows} == {"the loss": False, "body.one": True}


def test_our_own_net_is_known_but_for_its_global_pooling(job):
    rows = run_backprop(job, job.train[:6])
    assert max(row.error for row in rows) < 1e-12


def test_a_skip_connection_is_taken_from_autograd_and_said_so(job):
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.last = nn.Linear(64, 8), nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x):
            x = self.one(x.flatten(1))
            y = self.two(F.relu(x))
            y += x  # in place: what was recorded of `two` must not change with it
            return self.last(y)

    rows = run_backprop(with_body(job, Skip()), job.train[:6])
    assert max(row.error for row in rows) < 1e-12
    given = {row.layer: row.is_given for row in rows}
    assert given == {"the loss": False, "body.last": False, "body.two": True, "body.one": True}


def test_a_backward_that_is_wrong_shows_at_its_layer(job, monkeypatch):
    """The layer's own derivative is replaced by one that is off, as a layer with a wrong backward would have it."""
    from surefoot.engine import backprop

    monkeypatch.setitem(backprop._BACK, nn.Tanh, lambda module, given, made, delta: delta * (1 - made))
    rows = run_backprop(with_body(job, conv_net(nn.Tanh())), job.train[:6])
    first = next(row for row in rows if row.error > 1e-6)
    assert (first.layer, first.equation) == ("body.2", BACK)


def test_amounts_and_two_classes_have_a_first_equation_too(job):
    problem = job.problem.model_copy(update={"task": "binary", "num_outputs": 1})
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    binary = replace(with_body(job, net), problem=problem, targets=(job.targets > 0).float()[:, None], loss=get("binary_cross_entropy"))
    amounts = replace(binary, problem=problem.model_copy(update={"task": "regression", "classes": ()}), loss=get("mse"))
    for one in (binary, amounts):
        rows = run_backprop(one, job.train[:6])
        assert rows[0].equation == LAST
        assert max(row.error for row in rows) < 1e-12


def test_a_loss_is_known_by_what_it_is_and_not_by_its_name_or_the_task(job):
    def cross_entropy(logits, targets, weights=None):
        return F.cross_entropy(logits, targets, label_smoothing=0.2)

    own = run_backprop(replace(with_body(job, conv_net(nn.ReLU())), loss=adapt(cross_entropy, "my_code:cross_entropy")), job.train[:6])
    assert LAST not in {row.equation for row in own}
    problem = job.problem.model_copy(update={"task": "binary", "num_outputs": 1})
    squares = replace(
        with_body(job, nn.Sequential(nn.Flatten(), nn.Linear(64, 1))), problem=problem, targets=(job.targets > 0).float()[:, None], loss=get("mse")
    )
    rows = run_backprop(squares, job.train[:6])
    assert rows[0].equation == LAST
    assert max(row.error for row in (*own, *rows)) < 1e-12


def test_of_a_loss_of_the_users_own_the_first_equation_is_autograds(job):
    own = replace(with_body(job, conv_net(nn.ReLU())), loss=lambda logits, targets, weights=None: (logits**2).mean())
    rows = run_backprop(own, job.train[:6])
    assert LAST not in {row.equation for row in rows}
    assert max(row.error for row in rows) < 1e-12
