"""What holds arrays and tensors: plain dataclasses. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Some examples, as the engine hands them to the net.

    Attributes:
        inputs: one tensor per field, in the order of the fields; first axis B.
        targets: int64 (B,) class indices; float32 (B, K) for binary, multilabel and regression.
        weights: float32 (B,), or None where all weigh the same.
        rows: int64 (B,) positions in the pack.
    """

    inputs: tuple[Any, ...]
    targets: Any
    weights: Any = None
    rows: Any = None


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
    """

    ids: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray
    logits: np.ndarray | None = None
    folds: np.ndarray | None = field(default=None)

    def __len__(self) -> int:
        return len(self.ids)
