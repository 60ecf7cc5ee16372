"""Fixed recipes on MNIST, a line of JSON each: `python -m benchmarks.recipes mnist99 --seed 0`. Chosen on train items; the test set is looked at once."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from time import perf_counter

_STARTED = perf_counter()
_RECIPES = {
    "mnist99": (
        "INPUT -> CONV5-16/2 -> BN -> RELU -> CONV3-32 -> BN -> RELU -> CONV3-32/2 -> BN -> RELU -> CONV3-64 -> BN -> RELU -> GMP -> FC",
        {"epochs": 2.0, "lr": 6e-3, "batch_size": 128, "augment": "none"},
    ),
}
"""Name -> layers and settings."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=_RECIPES)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="surefoot-recipe-") as folder:
        accuracy = follow(asked.name, asked.seed, Path(folder))
    print(json.dumps({"accuracy": accuracy, "seconds": round(perf_counter() - _STARTED, 2)}))


def follow(name: str, seed: int, folder: Path) -> float:
    """Trains by the recipe on all 60,000 items; the share of the 10,000 test items that the last weights get right."""
    from dataclasses import replace

    import numpy as np
    import torch

    from benchmarks import digit_desk
    from benchmarks.peers import mnist
    from surefoot.engine.fit import fit
    from surefoot.engine.jobs import start_job
    from surefoot.types import ModelConfig, TrainConfig

    layers, settings = _RECIPES[name]
    config = TrainConfig.model_validate(settings)
    desk = replace(digit_desk.lay_out(*mnist.read("train"), folder), seed=seed)
    network = fit(start_job(desk, ModelConfig(layers=layers), desk.whole, config), config, seed=seed, name=name).network
    pictures, labels = mnist.read("t10k")
    with torch.inference_mode():
        said = [network(torch.from_numpy(pictures[start : start + 1_000].copy())).argmax(1).numpy() for start in range(0, len(labels), 1_000)]
    return float((np.concatenate(said) == labels).mean())


if __name__ == "__main__":
    main()
