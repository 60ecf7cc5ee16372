"""fastai's one-cycle learner on the stride-2 convnet with batch norm of the fastai book's chapter on convolutions: SEED and the epochs of the cycle.

Batches of 512, a peak of 0.1 (the chapter's last run; it takes five epochs). The chapter decodes a file per item; here the data is in memory and gathered by
index, which is faster.
"""

from __future__ import annotations

import sys

import torch
from fastai.callback.core import Callback, CancelFitException
from fastai.callback.schedule import fit_one_cycle  # noqa: F401  # gives Learner its method
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.metrics import accuracy
from fastai.torch_core import set_seed
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from benchmarks.peers import race
from benchmarks.peers.side_by_side import gather

_LR, _BATCH_SIZE = 0.1, 512
_MEAN, _SD = 0.1307, 0.3081


class StopAtGoal(Callback):
    """Notes the test accuracy after each epoch, and ends training after the first that reaches the goal."""

    order = 60  # after the recorder, which is 50

    def before_fit(self) -> None:
        self.accuracies: list[float] = []

    def after_epoch(self) -> None:
        self.accuracies.append(float(self.learn.recorder.values[-1][-1]))
        if self.accuracies[-1] >= race.GOAL:
            raise CancelFitException


def build() -> nn.Module:
    sizes = ((1, 8, 5), (8, 16, 3), (16, 32, 3), (32, 64, 3), (64, 10, 3))
    stages: list[nn.Module] = []
    for before, after, kernel in sizes:
        is_last = after == 10
        stages += [nn.Conv2d(before, after, kernel, stride=2, padding=kernel // 2), *([] if is_last else [nn.ReLU()]), nn.BatchNorm2d(after)]
    return nn.Sequential(*stages, nn.Flatten())


def make_loader(arrays: race.Arrays, is_shuffled: bool) -> DataLoader:
    inputs, targets = torch.from_numpy((arrays[0] - _MEAN) / _SD), torch.from_numpy(arrays[1])
    return gather((inputs, targets), _BATCH_SIZE, is_shuffled)


def main() -> None:
    set_seed(int(sys.argv[1]))
    train, test = race.read()
    stop = StopAtGoal()
    loaders = DataLoaders(make_loader(train, True), make_loader(test, False))
    learner = Learner(loaders, build(), loss_func=F.cross_entropy, metrics=accuracy, cbs=stop)
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(race.most_epochs(int(sys.argv[2])), _LR)
    race.tell(stop.accuracies)


if __name__ == "__main__":
    main()
