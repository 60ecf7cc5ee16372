"""What the peers of `first99` share: the data as floats, the goal, and the line of JSON that ends a run.

`python -m benchmarks.peers.first99_NAME SEED [OPTION]` trains until the first epoch after which at least `GOAL` of the test set is right.
"""

from __future__ import annotations

import json

import numpy as np

from benchmarks.machine import IS_QUICK
from benchmarks.peers import mnist

GOAL = 0.99
Arrays = tuple[np.ndarray, np.ndarray]


def read() -> tuple[Arrays, Arrays]:
    """Train and test set: float32 (N, 1, 28, 28) in 0..1 and int64 (N,). All 60,000 items are trained on: no peer holds any back."""
    return _scale("train", 512), _scale("t10k", 256)


def most_epochs(asked: int) -> int:
    """After which a run gives up."""
    return 2 if IS_QUICK else asked


def tell(accuracies: list[float]) -> None:
    """Prints the test accuracy after each epoch, and whether the last one reaches the goal. Whoever started the process stops the clock at this line."""
    print(json.dumps({"accuracy": round(accuracies[-1], 4), "reached": accuracies[-1] >= GOAL, "accuracies": [round(a, 4) for a in accuracies]}), flush=True)


def _scale(name: str, num_quick: int) -> Arrays:
    pictures, labels = mnist.read(name)
    num = num_quick if IS_QUICK else len(labels)
    return pictures[:num].astype(np.float32) / 255, labels[:num]
