"""skorch's NeuralNet without val set and print-out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from skorch import NeuralNet

from benchmarks import plain
from benchmarks.peers.side_by_side import Data, gather, main


def prepare(case: plain.Case, data: Data) -> Callable[[], object]:
    loader = gather(data, case.batch_size)
    net = NeuralNet(
        plain.build(case),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__fused=True,
        optimizer__weight_decay=0.0,
        lr=plain.LR,
        max_epochs=case.epochs,
        batch_size=case.batch_size,
        iterator_train=lambda dataset, **options: loader,
        train_split=None,
        callbacks__print_log=None,
        verbose=0,
    ).initialize()
    return lambda: net.partial_fit(*data)


if __name__ == "__main__":
    main(prepare)
