"""The yardstick of the loop: what a person writes by hand in PyTorch, with nothing in it that the work doesn't need.

Runs in the peers' environments too, so it needs PyTorch and NumPy only. `B` batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.machine import IS_QUICK
from benchmarks.peers import mnist

LR = 1e-3
MEAN, SD = 0.1307 * 255, 0.3081 * 255
"""Of MNIST's train pixels, 0 to 255. Any other numbers cost the same."""


@dataclass(frozen=True)
class Case:
    """One comparison. The items are a multiple of the batch, so that every batch is full; one run takes a second or two on a laptop core."""

    name: str
    batch_size: int
    steps: int
    epochs: int

    @property
    def num_items(self) -> int:
        return self.batch_size * self.steps // self.epochs


CASES = (
    (Case("cnn", 256, 4, 1), Case("mlp", 64, 20, 2)) if IS_QUICK else (Case("cnn", 256, 60, 1), Case("mlp", 64, 1200, 2))
)  # fmt: skip


class Normalise(nn.Module):
    """uint8 (B, 1, 28, 28) -> float32 of mean 0 and variance 1."""

    def forward(self, pictures: Tensor) -> Tensor:
        return (pictures.float() - MEAN) * (1 / SD)


def build(case: Case) -> nn.Module:
    """A small convolutional net with batch norm (26,000 weights), or the multilayer perceptron 784-256-128-10."""
    if case.name == "mlp":
        return nn.Sequential(Normalise(), nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    stages: list[nn.Module] = []
    for before, after in ((1, 16), (16, 32), (32, 64)):
        stages += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(Normalise(), *stages, nn.Flatten(), nn.Linear(64 * 9, 10)).to(memory_format=torch.channels_last)


def load(case: Case) -> tuple[Tensor, Tensor]:
    """All items of a case in memory: uint8 (N, 1, 28, 28) and int64 (N,)."""
    pictures, labels = mnist.read_or_draw(case.num_items)
    return torch.from_numpy(pictures.copy()), torch.from_numpy(labels)


def make_optimizer(net: nn.Module) -> torch.optim.Optimizer:
    """AdamW in PyTorch's fused form."""
    return torch.optim.AdamW(net.parameters(), lr=LR, weight_decay=0.0, fused=True)


def train(net: nn.Module, case: Case, data: tuple[Tensor, Tensor], order: Callable[[int, int], Tensor] | None = None) -> None:
    """The loop.

    Args:
        net: trained in place.
        data: inputs and targets, from `load`.
        order: (epoch, number of items) -> their order; None: PyTorch's own shuffle.
    """
    inputs, targets = data
    optimizer = make_optimizer(net.train())
    for epoch in range(case.epochs):
        shuffled = order(epoch, len(inputs)) if order else torch.randperm(len(inputs))
        for rows in shuffled.split(case.batch_size):
            loss = F.cross_entropy(net(inputs[rows]), targets[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
