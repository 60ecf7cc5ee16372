"""What holds arrays and tensors: plain dataclasses. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

Threshold = float | tuple[float, ...]
"""From which prob on a class is said: the positive one of two, or every label; several: each label by its own."""


@dataclass(frozen=True)
class Batch:
    """Some examples, as the engine hands them to the net.

    Attributes:
        inputs: one tensor per field, in the order of the fields; first axis B.
        targets: int64 (B,) class indices; float32 (B, K) for binary, multilabel and regression.
        weights: float32 (B,), or None where all weigh the same.
        rows: int64 (B,) positions in the pack.
        others, other_weights: targets and weights of the items that were mixed in; None where none were.
        share: what counts of `targets`; 1 - share counts of `others`. In [0, 1].
        num_global: items of the batch over all processes that share it; 0 where one has it all.
    """

    inputs: tuple[Any, ...]
    targets: Any
    weights: Any = None
    rows: Any = None
    others: Any = None
    other_weights: Any = None
    share: float = 1.0
    num_global: int = 0

    def part(self, items: slice) -> Batch:
        """Some of its items."""
        inputs = tuple(field[items] for field in self.inputs)
        kept: dict[str, Any] = {
            name: None if (value := getattr(self, name)) is None else value[items] for name in ("weights", "rows", "others", "other_weights")
        }
        return replace(self, inputs=inputs, targets=self.targets[items], **kept)


@dataclass(frozen=True)
class Predictions:
    """What a model said about some items, aligned by row.

    Attributes:
        ids: N example ids.
        outputs: float64. Classification: probs (N, K), binary as two columns, multilabel (N, K) independent;
            regression: (N, T) in the target's own units.
        targets: int64 (N,) class indices; multilabel int64 (N, K); regression float64 (N, T).
        logits: float32 (N, K) raw scores where the model has them.
        folds: int16 (N,) which fold's model said it, -1 where there is only one.
        groups: int64 (N,), equal for items that belong together (`split.group`) and are no independent evidence; None where nothing says so.
    """

    ids: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray
    logits: np.ndarray | None = None
    folds: np.ndarray | None = field(default=None)
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def some(self, here: np.ndarray) -> Predictions:
        """Those of some rows: bool (N,) or positions."""
        arrays = (self.outputs, self.targets, self.logits, self.folds, self.groups)
        return Predictions(self.ids[here], *(None if array is None else array[here] for array in arrays))  # type: ignore[arg-type]
