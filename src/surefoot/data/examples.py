"""Examples: a pack as the engine sees it, gathered by index into batches.

Data that fits stays in memory as one tensor per field, in its stored dtype; larger data is gathered from the mapped file.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from surefoot.data.packs import Pack
from surefoot.data.targets import plain_targets
from surefoot.types.examples import Batch, Predictions
from surefoot.types.problem import Problem


class Examples:
    """All items of a pack, with their targets as the loss takes them.

    Args:
        pack: open for reading.
        problem: decides the targets' dtype: int64 (N,) for multiclass, float32 (N, K) else.
        in_memory: hold every field as a tensor on `device`.
        groups: int64 (N,), equal for items that belong together; None where nothing says so.
    """

    def __init__(self, pack: Pack, problem: Problem, *, in_memory: bool, device: str = "cpu", groups: np.ndarray | None = None) -> None:
        self.pack, self.problem, self.device, self.in_memory, self.groups = pack, problem, device, in_memory, groups
        self.fields = pack.fields
        self._tensors = tuple(torch.from_numpy(array).to(device) for array in pack.read_all()) if in_memory else None
        self.raw_targets = pack.targets
        weights = torch.from_numpy(pack.weights.copy())
        self._weights = None if bool((weights == 1).all()) else weights.to(device)

    def __len__(self) -> int:
        return len(self.pack)

    def unweighted(self) -> Examples:
        """The same items, each of which weighs as much as any other."""
        plain = copy.copy(self)
        plain._weights = None
        return plain

    def encode(self, statistics: Mapping[str, np.ndarray]) -> Tensor:
        """All targets as the loss takes them; regression is scaled by `target.mean` and `target.sd`, which come from train rows alone."""
        if self.problem.task == "multiclass":
            return torch.from_numpy(self.raw_targets[:, 0].astype(np.int64)).to(self.device)
        values = self.raw_targets
        if self.problem.classes == ():
            values = (scale_targets(self.problem, values) - statistics["target.mean"]) / statistics["target.sd"]
        return torch.from_numpy(values.astype(np.float32)).to(self.device)

    def said(self, rows: np.ndarray, outputs: np.ndarray, logits: np.ndarray | None = None) -> Predictions:
        """What a model says of some rows, beside their ids, targets and groups."""
        groups = None if self.groups is None else self.groups[rows]
        return Predictions(self.pack.ids(rows), outputs, self.plain_targets(rows), logits, groups=groups)

    def plain_targets(self, rows: np.ndarray) -> np.ndarray:
        """The targets of some rows as metrics take them."""
        return plain_targets(self.problem, self.raw_targets[rows])

    def inputs(self, rows: Tensor) -> tuple[Tensor, ...]:
        """The raw fields of some rows, which may lie on any device: one tensor (len(rows), *shape) per field, on the examples' own."""
        if self._tensors is not None:
            here = self._bring(rows)
            return tuple(tensor.index_select(0, here) for tensor in self._tensors)  # 20 times faster than tensor[rows] for 128 pictures of 32 x 32
        return tuple(torch.from_numpy(array).to(self.device) for array in self.pack.gather(rows.cpu().numpy()))

    def batch(self, rows: Tensor, targets: Tensor) -> Batch:
        """Inputs, targets and weights of some rows. Rows: int64 (B,) on any device; targets: of all items, from `encode`."""
        here = self._bring(rows)
        weights = None if self._weights is None else self._weights.index_select(0, here)
        return Batch(self.inputs(here if self.in_memory else rows), targets.index_select(0, here), weights, rows)

    def _bring(self, rows: Tensor) -> Tensor:
        """The rows on the examples' device: unlike `tensor[rows]`, `index_select` takes no index from another one."""
        return rows.to(self.device, non_blocking=True)


def scale_targets(problem: Problem, targets: np.ndarray) -> np.ndarray:
    """Targets on the scale they are trained on: log1p where the problem says so. float64 (N, T)."""
    return np.log1p(targets) if problem.log_target else targets
