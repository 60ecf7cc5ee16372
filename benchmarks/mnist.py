"""MNIST, 60,000 / 10,000 (the official test set, sealed): `surefoot run --budget 10m` (test accuracy of at least 0.994 asked)."""

from __future__ import annotations

from benchmarks.machine import DATA
from benchmarks.walks import walk


def run() -> dict[str, object]:
    if not DATA.is_dir():
        return {"skipped": "the shared data sets are not here"}
    return walk(str(DATA / "mnist"), "10m")
