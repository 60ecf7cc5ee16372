"""Recipes on MNIST with no setting but the epochs, a line of JSON each: `python -m benchmarks.recipes mnist12 --seed 0`.

Everything else is what the product chooses where nobody said anything, save the layers of `mnist99`, which is the race of `benchmarks.first99`. All was chosen
on train items; the test set is looked at once, after the last step.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from time import perf_counter

_STARTED = perf_counter()
RECIPES = {
    "mnist99": ("INPUT -> WHITEN4-16/2p0 -> RELU -> CONV3-32 -> POOL -> BN -> RELU -> CONV3-32 -> BN -> RELU -> FC", 0.75),
    "mnist2": ("", 2.0),
    "mnist12": ("", 12.0),
    "mnist30": ("", 30.0),
}
"""Name -> layers (empty: the default net) and epochs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--floor", action="store_true", help="also measure the least time that the FLOPs take on this machine")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="surefoot-recipe-") as folder:
        told = follow(asked.name, asked.seed, Path(folder), with_floor=asked.floor)
    print(json.dumps(told | {"seconds": round(perf_counter() - _STARTED, 2)}))


def follow(name: str, seed: int, folder: Path, *, with_floor: bool = False) -> dict[str, float]:
    """Trains by the recipe on all 60,000 items.

    Returns:
        `accuracy`: share of the 10,000 test items that the last weights get right; `train_seconds`; with the floor `floor_seconds` and `gflops`, the rate of
        this process's matrix products.
    """
    from dataclasses import replace

    from benchmarks import picture_desk
    from benchmarks.peers import mnist
    from surefoot.engine.fit import fit
    from surefoot.engine.jobs import resolve_train, start_job
    from surefoot.engine.recipes import follow_recipe
    from surefoot.types import ModelConfig, TrainConfig

    layers, epochs = RECIPES[name]
    desk = replace(picture_desk.lay_out(*mnist.read("train"), folder, statistics=picture_desk.MNIST), seed=seed)
    num = len(desk.examples)
    config = resolve_train(follow_recipe(TrainConfig(epochs=epochs), desk.problem, channels=1), num, "image")
    job = start_job(desk, ModelConfig(layers=layers), desk.whole, config)
    started = perf_counter()
    network = fit(job, config, seed=seed, name=name).network
    told = {"train_seconds": round(perf_counter() - started, 2), "accuracy": _score(network)}
    return told | (_find_floor(network, epochs * num) if with_floor else {})


def _score(network) -> float:
    import numpy as np
    import torch

    from benchmarks.peers import mnist

    pictures, labels = mnist.read("t10k")
    with torch.inference_mode():
        said = [network(torch.from_numpy(pictures[start : start + 1_000].copy())).argmax(1).numpy() for start in range(0, len(labels), 1_000)]
    return float((np.concatenate(said) == labels).mean())


def _find_floor(network, num_items: float) -> dict[str, float]:
    import torch

    from surefoot.engine.floor import find_floor, measure_peak
    from surefoot.models.cost import count_training_flops

    peak = measure_peak("cpu")
    flops = count_training_flops(network, (torch.zeros(1, 1, 28, 28, dtype=torch.uint8),))
    return {"floor_seconds": round(find_floor(flops, num_items, peak), 2), "gflops": round(peak / 1e9, 1)}


if __name__ == "__main__":
    main()
