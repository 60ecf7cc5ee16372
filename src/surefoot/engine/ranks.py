"""Several processes that train one net, as `torchrun` starts them: each takes its part of every global batch.

The settings name the global batch only. Parts differ by one item at most, and a part's loss counts as its items weigh, so that uneven tails neither
repeat nor drop an item: the gradient is that of the whole batch.
"""

from __future__ import annotations

import math
import os

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel


def join() -> bool:
    """Joins the processes that `torchrun` started, once; False where this process is alone. gloo carries what is on the CPU, nccl what is on GPUs."""
    if distributed.is_available() and distributed.is_initialized():
        return True
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return False
    if torch.cuda.is_available():
        torch.cuda.set_device(own_gpu())
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")  # with nccl alone nothing on the CPU could be trained
    return True


def own_gpu() -> int:
    """Which of the GPUs that this process sees is its own: that of its place on this machine, or the only one where each process is shown another."""
    return int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()


def place() -> tuple[int, ...]:
    """What is added to the key of a draw that each process makes for its own items: its rank; nothing where it is alone, where keys are as they always were."""
    return (distributed.get_rank(),) if _is_shared() else ()


def count() -> int:
    """How many processes share the work; 1 where this one is alone."""
    return distributed.get_world_size() if _is_shared() else 1


def is_first() -> bool:
    """Whether this process is the one that writes files."""
    return not _is_shared() or distributed.get_rank() == 0


def part_of(rows: Tensor) -> Tensor:
    """This process's items of a global batch; at least one, which then counts for nothing (see `count_own`)."""
    if not _is_shared():
        return rows
    own = rows[distributed.get_rank() :: distributed.get_world_size()]
    return own if len(own) else rows[:1]


def count_own(num_global: int) -> int:
    """How many items of a global batch are this process's."""
    return len(range(distributed.get_rank(), num_global, distributed.get_world_size())) if _is_shared() else num_global


def count_most(num_global: int) -> int:
    """How many items of a global batch the process with the most of them has; at least one."""
    return max(1, -(-num_global // count()))


def share(network: nn.Module) -> nn.Module:
    """The network as it is called in training: with several processes it averages their gradients."""
    return DistributedDataParallel(network) if _is_shared() else network


def add_up(value: Tensor) -> Tensor:
    """The sum over all processes of a scalar; the value itself where this one is alone."""
    if _is_shared():
        value = value.clone()
        distributed.all_reduce(value)
    return value


def follow_first(*values: float | None) -> tuple[float | None, ...]:
    """What the first process found, in all of them, so that all decide alike: each may have seen other statistics in batch norm."""
    if not _is_shared():
        return values
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    told = torch.tensor([math.nan if value is None else value for value in values], dtype=torch.float64, device=device)
    distributed.broadcast(told, 0)
    return tuple(None if value is None else float(said) for value, said in zip(values, told))


def wait() -> None:
    """Until all processes are here."""
    if _is_shared():
        distributed.barrier()


def _is_shared() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
