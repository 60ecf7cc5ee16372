"""Pictures laid out for the engine without walking the road: what benchmarks of the loop alone start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import plain
from surefoot.data.examples import Examples
from surefoot.data.packs import BLOCK, Block, open_pack, write_pack
from surefoot.engine.build import Desk, Part
from surefoot.metrics import get as get_metric
from surefoot.store.blobs import Blobs
from surefoot.transforms.statistics import measure
from surefoot.types import FieldSpec, Problem

MNIST = {"image.mean": np.array([plain.MEAN / 255]), "image.sd": np.array([plain.SD / 255])}
"""Statistics of MNIST's train pixels, the same numbers as on the plain side."""
_CLASSES = tuple("0123456789")
_PROBLEM = Problem(
    question="Which of ten is it?", kind="image", task="multiclass", target=("label",), classes=_CLASSES, metric="accuracy",
    head="softmax", loss="cross_entropy", num_outputs=len(_CLASSES),
)  # fmt: skip


def lay_out(
    pictures: np.ndarray, labels: np.ndarray, folder: Path, *, num_val: int = 0, statistics: dict[str, np.ndarray] | None = None, device: str = "cpu"
) -> Desk:
    """A desk with the last items to choose on, and all others to train on.

    Args:
        pictures: uint8 (N, C, H, W). labels: int64 (N,), of ten classes. folder: for the pack.
        statistics: of the pixels; None: measured on the train items.
    """
    store, field = Blobs(folder / "store"), FieldSpec(name="image", shape=pictures.shape[1:], dtype="uint8")
    pack = open_pack(store, write_pack(store, (field,), 1, _cut(pictures, labels)))
    rows = np.arange(len(labels))
    train, val = rows[: len(rows) - num_val], rows[len(rows) - num_val :]
    statistics = statistics or measure(pack.fields, pack.chunks(train), pack.targets[train])
    parts = Part(train, val, statistics), Part(rows, rows[:0], statistics)
    return Desk(_PROBLEM, Examples(pack, _PROBLEM, in_memory=True, device=device), get_metric("accuracy"), [parts[0]], parts[1])


def _cut(pictures: np.ndarray, labels: np.ndarray) -> Iterator[Block]:
    for start in range(0, len(labels), BLOCK):
        part = slice(start, min(start + BLOCK, len(labels)))
        names = [f"item-{number}" for number in range(part.start, part.stop)]
        yield Block(names, names, (pictures[part],), labels[part].reshape(-1, 1).astype(np.float64), np.ones(len(names), np.float32))
