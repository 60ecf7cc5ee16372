"""MNIST's test accuracy after 2, 12 and 30 epochs with no setting but these (0.990, 0.995 and 0.997 asked), five seeds; time ÷ floor (at most 3 asked).

Each seed trains the default net by the default recipe (`benchmarks.recipes`) in a process of its own, which also measures the floor: the FLOPs of the steps at
the rate of a large matrix product in the same process, with the same threads, in the same precision, right after the training.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from benchmarks.machine import IS_QUICK, ROOT
from benchmarks.peers import mnist

_ASKED = {"mnist2": 0.990, "mnist12": 0.995, "mnist30": 0.997}
_SEEDS = range(5)


def run() -> dict[str, object]:
    if not mnist.is_here():
        return {"skipped": "the shared data sets are not here"}
    found: dict[str, object] = {}
    for name, asked in list(_ASKED.items())[: 1 if IS_QUICK else None]:
        runs = [_run(name, seed) for seed in _SEEDS[: 1 if IS_QUICK else None]]
        found[name] = _sum_up(runs) | {"asked": asked, "runs": runs}
        print(f"  {name}: {_sum_up(runs)}", flush=True)
    return found


def _run(name: str, seed: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.recipes", name, "--seed", str(seed), "--floor"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"  {name}, seed {seed}: {told}", flush=True)
    return told | {"times_floor": round(told["train_seconds"] / told["floor_seconds"], 2)}


def _sum_up(runs: list[dict[str, float]]) -> dict[str, float]:
    """Mean and sd of the accuracy, medians of the rest."""
    accuracies = [run["accuracy"] for run in runs]
    return {
        "accuracy": round(statistics.mean(accuracies), 5), "sd": round(statistics.stdev(accuracies), 5) if len(runs) > 1 else 0.0,
        "train_seconds": statistics.median(run["train_seconds"] for run in runs), "times_floor": statistics.median(run["times_floor"] for run in runs),
    }  # fmt: skip
