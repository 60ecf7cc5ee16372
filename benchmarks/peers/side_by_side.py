"""What the loop's peers share: `python -m benchmarks.peers.loop_NAME CASE PAIRS THREADS` prints NAME ÷ the plain loop as a line of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from benchmarks import pairs, plain

Data = tuple[Tensor, Tensor]


class _Gathered(Dataset):
    """A whole batch per index: inputs and targets of some rows."""

    def __init__(self, data: Data) -> None:
        self.data = data

    def __getitem__(self, rows: Tensor) -> Data:
        return self.data[0][rows], self.data[1][rows]

    def __len__(self) -> int:
        return len(self.data[0])


class _Rows(Sampler):
    """The rows of each batch of an epoch, as tensors."""

    def __init__(self, num: int, batch_size: int, is_shuffled: bool) -> None:
        self.num, self.batch_size, self.order = num, batch_size, torch.randperm if is_shuffled else torch.arange

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.order(self.num).split(self.batch_size))

    def __len__(self) -> int:
        return -(-self.num // self.batch_size)


def gather(data: Data, batch_size: int, is_shuffled: bool = True) -> DataLoader:
    """A DataLoader that gathers by index: about as fast as the plain loop, where the usual one collates item by item."""
    return DataLoader(_Gathered(data), batch_size=None, sampler=_Rows(len(data[0]), batch_size, is_shuffled))


def main(prepare: Callable[[plain.Case, Data], Callable[[], object]]) -> None:
    """Compares what `prepare` gets ready with the plain loop."""
    name, num_pairs, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    case = next(case for case in plain.CASES if case.name == name)
    data = plain.load(case)

    def theirs() -> Callable[[], object]:
        net = plain.build(case)
        return lambda: plain.train(net, case, data)

    print(json.dumps(pairs.compare(lambda: prepare(case, data), theirs, int(num_pairs))), flush=True)
