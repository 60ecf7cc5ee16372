"""Optimizers: one hand-computed step each, and what weight decay touches."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from surefoot.optim import bare_step, get_optimizer, make_optimizer
from surefoot.optim.optimizers import adam, adamw, gd, merge_groups, momentum, nesterov, parameter_groups, rmsprop, sgd
from surefoot.parts import PARTS
from surefoot.types.configs import TrainConfig
from surefoot.types.errors import UsageError

ALL = list(PARTS["optimizer"])


def stepped(make, steps=1, gradient=2.0, start=1.0, **settings):
    """Where a single weight is after some steps with a constant gradient."""
    weight = nn.Parameter(torch.tensor([start], dtype=torch.float64))
    optimizer = make([weight], **{"lr": 0.1, "weight_decay": 0.0, "momentum": 0.9, **settings})
    for _ in range(steps):
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
    return weight.item()


@pytest.mark.parametrize("make", [gd, sgd])
def test_plain_descent_steps_down_the_gradient_and_gathers_nothing(make):
    assert stepped(make) == pytest.approx(1 - 0.1 * 2)
    assert stepped(make, steps=2) == pytest.approx(1 - 2 * 0.1 * 2)


def test_momentum_gathers_speed_like_a_heavy_ball():
    assert stepped(momentum) == pytest.approx(1 - 0.1 * 2)
    assert stepped(momentum, steps=2) == pytest.approx(1 - 0.1 * 2 - 0.1 * (0.9 * 2 + 2))
    assert stepped(momentum, steps=2, momentum=0.0) == pytest.approx(1 - 2 * 0.1 * 2)


def test_nesterov_looks_ahead():
    assert stepped(nesterov) == pytest.approx(1 - 0.1 * (2 + 0.9 * 2))


def test_nesterov_without_momentum_is_refused():
    with pytest.raises(UsageError, match="nesterov needs momentum above 0"):
        stepped(nesterov, momentum=0.0)


def test_adam_takes_a_first_step_of_lr_whatever_the_gradient():
    for gradient in (0.01, 100.0):
        assert stepped(adam, gradient=gradient) == pytest.approx(0.9, abs=1e-6)
        assert stepped(adamw, gradient=gradient) == pytest.approx(0.9, abs=1e-6)


def test_rmsprop_divides_by_the_running_root_mean_square():
    assert stepped(rmsprop) == pytest.approx(1 - 0.1 * 2 / (0.1 * 4) ** 0.5, abs=1e-6)


def test_decay_is_decoupled_in_adamw_only():
    assert stepped(adamw, gradient=0.0, weight_decay=0.5) == pytest.approx(1 - 0.1 * 0.5)
    assert stepped(adam, gradient=0.0, weight_decay=0.5) == pytest.approx(1 - 0.1, abs=1e-6)
    assert stepped(sgd, gradient=0.0, weight_decay=0.5) == pytest.approx(1 - 0.1 * 0.5)


class Net(nn.Module):
    """A bit of everything: kernels, norms, biases, a table, a shared and a frozen weight."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.planes = nn.LayerNorm([2, 4, 4])
        self.table = nn.Embedding(5, 4)
        self.head = nn.Linear(4, 5)
        self.head.weight = self.table.weight
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.scale = nn.Parameter(torch.ones(1))
        self.offset_bias = nn.Parameter(torch.zeros(2, 1, 1))


def test_only_kernels_matrices_and_tables_decay():
    net = Net()
    kernels, tables, free = parameter_groups(net, 0.1)
    assert [group["weight_decay"] for group in (kernels, tables, free)] == [0.1, 0.1, 0.0]
    assert {id(p) for p in kernels["params"]} == {id(net.conv.weight)}
    assert {id(p) for p in tables["params"]} == {id(net.table.weight)}
    spared = [net.conv.bias, net.norm.weight, net.norm.bias, net.planes.weight, net.planes.bias, net.head.bias, net.scale, net.offset_bias]
    assert {id(p) for p in free["params"]} == {id(p) for p in spared}


def test_each_trainable_parameter_is_in_one_group_once():
    net = Net()
    listed = [id(p) for group in parameter_groups(net, 0.1) for p in group["params"]]
    assert sorted(listed) == sorted({id(p) for p in net.parameters() if p.requires_grad})


@pytest.mark.parametrize("is_first", [True, False])
def test_matrices_are_the_maps_between_hidden_features_and_not_the_last_layer(is_first):
    class Headed(nn.Module):
        def __init__(self):
            super().__init__()
            for name in ("final", "hidden") if is_first else ("hidden", "final"):
                setattr(self, name, nn.Linear(4, 4))
            self.own = nn.Parameter(torch.ones(4, 4))

    net = Headed()
    marked = {group["matrix"]: group["params"] for group in parameter_groups(net, 0.1) if group["weight_decay"]}
    assert [id(p) for p in marked[True]] == [id(net.hidden.weight)]
    assert {id(p) for p in marked[False]} == {id(net.final.weight), id(net.own)}


def test_without_a_layer_named_final_the_last_one_that_is_trained_makes_the_outputs():
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2), nn.Linear(2, 2).requires_grad_(False))
    matrices = next(group for group in parameter_groups(net, 0.1) if group["matrix"])
    assert [id(p) for p in matrices["params"]] == [id(net[0].weight)]


def test_there_is_no_empty_group():
    assert len(parameter_groups(nn.Linear(2, 2, bias=False), 0.1)) == 1
    assert parameter_groups(nn.ReLU(), 0.1) == []


@pytest.mark.parametrize("name", ALL)
def test_biases_do_not_decay_under_any_optimizer(name):
    net = nn.Linear(3, 2)
    before = copy.deepcopy(net)
    optimizer = get_optimizer(name)(parameter_groups(net, 0.5), lr=0.1, weight_decay=0.5, momentum=0.9)
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.equal(net.bias, before.bias)
    assert ((net.weight - before.weight) * before.weight < 0).all()


@pytest.mark.parametrize("name", ALL)
def test_every_optimizer_goes_on_bit_equal_from_its_state(name):
    def build(net):
        return get_optimizer(name)(parameter_groups(net, 0.01), lr=0.05, weight_decay=0.01, momentum=0.9)

    def train(net, optimizer, steps):
        for step in steps:
            x = torch.randn(16, 4, generator=torch.Generator().manual_seed(step))
            optimizer.zero_grad()
            (net(x) - x.sum(dim=1, keepdim=True)).square().mean().backward()
            optimizer.step()

    torch.manual_seed(0)
    straight = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    halted = copy.deepcopy(straight)
    train(straight, build(straight), range(10))
    first = build(halted)
    train(halted, first, range(5))
    resumed = copy.deepcopy(halted)
    second = build(resumed)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    train(resumed, second, range(5, 10))
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), resumed.parameters(), strict=True))


@pytest.mark.parametrize("name", ALL)
def test_every_optimizer_learns_a_line(name):
    torch.manual_seed(0)
    x = torch.randn(64, 2)
    y = x @ torch.tensor([[1.0], [-2.0]]) + 0.5
    net = nn.Linear(2, 1)
    optimizer = get_optimizer(name)(parameter_groups(net, 0.0), lr=0.02, weight_decay=0.0, momentum=0.9)
    for _ in range(400):
        optimizer.zero_grad()
        loss = (net(x) - y).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01


def test_a_users_optimizer_is_found(tmp_path):
    (tmp_path / "mine.py").write_text("import torch\ndef plain(parameters, *, lr, weight_decay, momentum):\n    return torch.optim.SGD(parameters, lr=lr)\n")
    assert stepped(get_optimizer("mine:plain", tmp_path)) == pytest.approx(0.8)


def test_an_optimizer_that_is_none_is_refused_in_words(tmp_path):
    (tmp_path / "my.py").write_text("def O(parameters, *, lr, weight_decay, momentum):\n    return None\n")
    with pytest.raises(UsageError, match=r"my:O returns an object of type NoneType, no torch\.optim\.Optimizer"):
        make_optimizer(TrainConfig(optimizer="my:O", lr=0.1), nn.Linear(2, 1), tmp_path)


def test_merged_groups_hold_every_parameter_once_with_its_own_decay():
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    apart = {id(p): group["weight_decay"] for group in parameter_groups(net, 0.1) for p in group["params"]}
    merged = merge_groups(parameter_groups(net, 0.1))
    assert {id(p): group["weight_decay"] for group in merged for p in group["params"]} == apart
    assert [group["weight_decay"] for group in merged] == [0.1, 0.0]
    assert len(merge_groups(parameter_groups(net, 0.0))) == 1


@pytest.mark.parametrize("name", ALL)
def test_a_bare_step_moves_the_weights_as_the_whole_one_does(name):
    torch.manual_seed(0)
    nets = [nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 2))]
    nets.append(copy.deepcopy(nets[0]))
    inputs = torch.randn(8, 5)
    for net, is_bare in zip(nets, (True, False)):
        optimizer = make_optimizer(TrainConfig(optimizer=name, lr=0.1), net)
        for _ in range(3):
            optimizer.zero_grad()
            net(inputs).square().mean().backward()
            (bare_step(optimizer) if is_bare else optimizer.step)()
    for one, other in zip(*(net.parameters() for net in nets), strict=True):
        assert torch.equal(one, other)


def test_optimizing_does_not_import_the_compiler():
    """torch._dynamo takes 1.6 s to import, and only `train.compile` needs it."""
    script = """
import sys, torch
from surefoot.optim import bare_step, make_optimizer
from surefoot.types import TrainConfig
net = torch.nn.Linear(3, 3)
for name in ("adamw", "nesterov"):
    optimizer = make_optimizer(TrainConfig(optimizer=name, lr=0.1), net)
    net(torch.zeros(1, 3)).sum().backward()
    bare_step(optimizer)()
    optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
