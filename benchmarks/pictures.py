"""`surefoot init` + `surefoot run` with no edited setting on Fashion-MNIST (small), ants and bees, flowers and CIFAR-10."""

from __future__ import annotations

from benchmarks.machine import DATA
from benchmarks.walks import walk

_SETS = {
    "fashion_mnist_small": ("fashion_mnist_small", "3m"),
    "ants_bees": ("images/ants_bees.tar", "3m"),
    "flowers": ("images/flowers.tar", "4m"),
    "cifar10": ("cifar10/cifar10_jpg.tar.xz", "8m"),
}


def run() -> dict[str, object]:
    if not DATA.is_dir():
        return {"skipped": "the shared data sets are not here"}
    found = {}
    for name, (path, budget) in _SETS.items():
        found[name] = {"budget": budget} | walk(str(DATA / path), budget)
        print(f"  {name}: {found[name].get('test', found[name])} in {found[name]['seconds']} s", flush=True)
    return found
