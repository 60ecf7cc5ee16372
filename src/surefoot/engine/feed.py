"""Batches by step: which items they hold follows from (seed, name, step) alone; what does not fit into memory is read ahead."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from surefoot.data.sampling import draw_balanced, draw_grouped, draw_order
from surefoot.engine import ranks
from surefoot.types.configs import TrainConfig
from surefoot.types.errors import UsageError
from surefoot.types.examples import Batch

if TYPE_CHECKING:
    from surefoot.engine.fit import Job


def count_steps(num_train: int, batch_size: int) -> int:
    """Steps of an epoch: each item once, none repeated or dropped."""
    return max(1, -(-num_train // batch_size))


class Feed:
    """The batches of a run.

    Args:
        job: what is fitted on what. config: says the batch size and the sampling.
        seed, name: of the run; the order of every epoch follows from them.
    """

    def __init__(self, job: Job, config: TrainConfig, *, seed: int, name: str) -> None:
        self.job, self.seed, self.name = job, seed, name
        self.steps_per_epoch = count_steps(len(job.train), config.batch_size)
        is_balanced = config.sampling == "balanced" and job.problem.task in ("binary", "multiclass")
        self._labels = job.examples.plain_targets(job.train) if is_balanced else None
        self._groups = _find_groups(job) if config.sampling == "grouped" else None
        self._epoch, self._order = -1, torch.zeros(0, dtype=torch.int64)
        self._reader = None if job.examples.in_memory else ThreadPoolExecutor(1, thread_name_prefix="read ahead")
        self._ahead: tuple[int, Future[Batch]] | None = None

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *error: object) -> None:
        if self._reader:
            self._reader.shutdown(wait=True, cancel_futures=True)

    def rows(self, step: int) -> Tensor:
        """The rows of the pack that a step learns from: int64 (B,).

        Batches differ by one item at most. A tail of one would break batch norm; so only an odd number of items by two leaves one alone.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, torch.from_numpy(self.job.train[self._draw(epoch)])
            if self.job.examples.in_memory:
                self._order = self._order.to(self.job.targets.device)
        num = len(self._order)
        return self._order[position * num // self.steps_per_epoch : (position + 1) * num // self.steps_per_epoch]

    def take(self, step: int) -> Batch:
        """The batch of a step: the part of it that is this process's, where several share the work."""
        if self._reader is None:
            return self._gather(self.rows(step))
        batch = self._ahead[1].result() if self._ahead and self._ahead[0] == step else self._gather(self.rows(step))
        self._ahead = (step + 1, self._reader.submit(self._gather, self.rows(step + 1)))
        return batch

    def _gather(self, rows: Tensor) -> Batch:
        batch = self.job.examples.batch(ranks.part_of(rows), self.job.targets)
        return replace(batch, num_global=len(rows)) if ranks.count() > 1 else batch

    def _draw(self, epoch: int) -> np.ndarray:
        if self._labels is not None:
            return draw_balanced(self._labels, seed=self.seed, name=self.name, epoch=epoch)
        if self._groups is not None:
            return draw_grouped(self._groups, seed=self.seed, name=self.name, epoch=epoch)
        return draw_order(len(self.job.train), seed=self.seed, name=self.name, epoch=epoch)


def _find_groups(job: Job) -> np.ndarray:
    """The group of each train item."""
    if job.examples.groups is None:
        raise UsageError("The items have no groups that could be spread.", where="train.sampling = 'grouped'", next="Name their column: split.group = COLUMN.")
    return job.examples.groups[job.train]
