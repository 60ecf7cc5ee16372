"""A net that no device holds whole: where its numbers are, from the job to the net that comes back. `test_ranks` trains one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from surefoot.engine import jobs, shards
from surefoot.engine.build import Desk, build_network
from surefoot.models.network import Network
from surefoot.types import ModelConfig

from .samples import FULL


class Body(nn.Module):
    """Kernels that lie by channels last, a norm, and a number that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
        self.layers[3].bias.requires_grad_(False)
        self.register_buffer("factor", torch.tensor(3.0), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) * self.factor


def make_network() -> Network:
    return Network(nn.Identity(), nn.Sequential(Body())).eval()


class First(nn.Module):
    """The first of what it is given, as a tuple."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        return (x,)


def test_a_blank_net_copies_no_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: torch.Tensor, memo: dict[int, object]) -> None:
        raise AssertionError("a second copy of this weight is more than a device may have room for")

    network = make_network()
    with monkeypatch.context() as patch:
        patch.setattr(nn.Parameter, "__deepcopy__", refuse)
        blank = shards.make_blank(network)
    assert {value.device.type for value in blank.state_dict().values()} == {"meta"}
    assert {value.device.type for value in network.state_dict().values()} == {"cpu"}


def test_a_net_is_whole_again_on_the_cpu_as_it_was() -> None:
    network = Network(First(), make_network().body).eval()
    made = shards.gather(network, shards.make_blank(network))
    images = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(made(images), network(images))
    for (name, one), (_, other) in zip(network.named_parameters(), made.named_parameters(), strict=True):
        assert (one.shape, one.stride(), one.requires_grad, other.device.type) == (other.shape, other.stride(), other.requires_grad, "cpu"), name


def test_the_best_weights_are_kept_on_the_cpu_where_each_process_holds_a_part() -> None:
    asked: list[object] = []
    part = SimpleNamespace(full_tensor=lambda: SimpleNamespace(to=lambda device, copy: asked.append((device, copy))))
    part.detach = lambda: part
    shards.keep(part)
    assert asked == [("cpu", True)]
    weight = torch.ones(2)
    kept = shards.keep(weight)
    weight.zero_()
    assert kept.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_net_whose_weights_will_be_shared_is_put_on_no_device_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch, is_shared: bool) -> None:
    network = build_network(desk, ModelConfig(width=4, depth=1), desk.folds[0])
    moved: list[object] = []
    monkeypatch.setattr(shards, "is_wanted", lambda *given: is_shared)
    monkeypatch.setattr(network, "to", lambda device: (moved.append(device), network)[1])
    assert jobs.make_job(desk, network, desk.folds[0], FULL).network is network
    assert moved == ([] if is_shared else ["cpu"])
