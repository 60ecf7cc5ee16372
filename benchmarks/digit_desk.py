"""MNIST's pictures laid out for the engine without walking the road: what benchmarks of the loop alone start from."""

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
from surefoot.types import FieldSpec, Problem

_PROBLEM = Problem(
    question="Which digit is it?", kind="image", task="multiclass", target=("label",), classes=tuple("0123456789"), metric="accuracy",
    head="softmax", loss="cross_entropy", num_outputs=10,
)  # fmt: skip


def lay_out(pictures: np.ndarray, labels: np.ndarray, folder: Path) -> Desk:
    """A desk with everything to train on; the statistics are MNIST's, as in `plain`.

    Args:
        pictures: uint8 (N, 1, 28, 28). labels: int64 (N,). folder: for the pack.
    """
    store, field = Blobs(folder / "store"), FieldSpec(name="image", shape=(1, 28, 28), dtype="uint8")
    pack = open_pack(store, write_pack(store, (field,), 1, _cut(pictures, labels)))
    statistics = {"image.mean": np.array([plain.MEAN / 255]), "image.sd": np.array([plain.SD / 255])}
    part = Part(np.arange(len(labels)), np.zeros(0, np.int64), statistics)
    return Desk(_PROBLEM, Examples(pack, _PROBLEM, in_memory=True), get_metric("accuracy"), [part], part)


def _cut(pictures: np.ndarray, labels: np.ndarray) -> Iterator[Block]:
    for start in range(0, len(labels), BLOCK):
        part = slice(start, min(start + BLOCK, len(labels)))
        names = [f"item-{number}" for number in range(part.start, part.stop)]
        yield Block(names, names, (pictures[part],), labels[part].reshape(-1, 1).astype(np.float64), np.ones(len(names), np.float32))
