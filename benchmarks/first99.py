"""Seconds from the start of the process to 99.0 % on MNIST's test set, five seeds: ours (a fixed recipe, mean final accuracy >= 0.99) ÷ the best peer.

Ours is `python -m benchmarks.recipes mnist99`: it ends when its recipe ends and looks at the test set once. The peers are Keras' MNIST convnet (on PyTorch
and on TensorFlow), fastai's one-cycle learner on a small stride-2 convnet (cycles of two, three and five epochs) and skorch's MNIST convnet, each at its
example's settings. They look at the test set after each epoch and are stopped at the first epoch that reaches 0.99; the time of those looks counts. A peer
takes part in the comparison if its mean final accuracy, too, is at least 0.99; a seed that never gets there counts with all its epochs. One clock for all:
from starting the process, imports and reading included, until its line with the result is there. All take as many threads as they choose, and run in turns.
A peer whose first run took more than three times the fastest peer's is run once: no seed would make it the best.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections import deque
from time import perf_counter

from benchmarks import pairs
from benchmarks.machine import IS_QUICK, ROOT
from benchmarks.peers import environments, mnist

GOAL = 0.99
_SEEDS = range(1 if IS_QUICK else 5)
_OUT = 3.0
"""Times the fastest peer's first run, beyond which a peer is not run again."""
_PEERS = {
    "keras on torch": ("keras", "first99_keras", "torch"),
    "keras on tensorflow": ("tensorflow", "first99_keras", "tensorflow"),
    "fastai, cycle of 2": ("fastai", "first99_fastai", "2"),
    "fastai, cycle of 3": ("fastai", "first99_fastai", "3"),
    "fastai, cycle of 5": ("fastai", "first99_fastai", "5"),
    "skorch": ("skorch", "first99_skorch"),
}
"""Name -> environment, script in `peers`, and what it is given after the seed."""

Run = dict[str, object]


def run() -> dict[str, object]:
    if not mnist.is_here():
        return {"skipped": "the shared data sets are not here"}
    unmade = _make_environments()
    mine: list[Run] = []
    theirs: dict[str, list[Run]] = {name: [] for name, (environment, *_) in _PEERS.items() if environment not in unmade}
    for seed in _SEEDS:
        mine.append(ours(seed))
        print(f"  seed {seed}, ours: {mine[-1]}", flush=True)
        for name, runs in theirs.items():
            if seed and _is_out(runs, theirs):
                continue
            runs.append(peer(name, seed))
            print(f"  seed {seed}, {name}: {runs[-1]}", flush=True)
    return {"goal": GOAL, "ours": _sum_up(mine), "peers": {name: _sum_up(runs) for name, runs in theirs.items()}, "skipped": unmade} | _judge(mine, theirs)


def _is_out(runs: list[Run], theirs: dict[str, list[Run]]) -> bool:
    """Whether a peer can't become the best any more, by its first run."""
    firsts = [float(other[0]["seconds"]) for other in theirs.values() if "failed" not in other[0]]  # type: ignore[arg-type]
    return "failed" in runs[0] or float(runs[0]["seconds"]) > _OUT * min(firsts)  # type: ignore[arg-type]


def ours(seed: int) -> Run:
    """Our recipe in a process of its own."""
    variables = {name: value for name, value in os.environ.items() if name not in environments.THREADS}
    return _clock([sys.executable, "-m", "benchmarks.recipes", "mnist99", "--seed", str(seed)], variables)


def peer(name: str, seed: int) -> Run:
    """A peer's in its own environment."""
    environment, script, *options = _PEERS[name]
    return _clock([str(environments.find(environment)), "-m", f"benchmarks.peers.{script}", str(seed), *options], environments.surroundings(environment))


def _make_environments() -> dict[str, str]:
    """Environment -> why it can't be made here."""
    unmade = {}
    for environment in {environment for environment, *_ in _PEERS.values()}:
        try:
            environments.find(environment)
        except environments.CannotMake as error:
            unmade[environment] = str(error)
    return unmade


def _clock(command: list[str], variables: dict[str, str]) -> Run:
    """Runs a command until its line of JSON; `seconds` are ours, what the process itself calls so is `own_seconds`."""
    started, last = perf_counter(), deque[str](maxlen=10)
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    told: Run = {}
    seconds = 0.0
    for line in process.stdout:
        last.append(line)
        if line.startswith("{"):
            told, seconds = json.loads(line), perf_counter() - started
    if process.wait() or not told:
        print("".join(last), flush=True)
        return {"failed": last[-1].strip()[-300:] if last else "it said nothing"}
    own = {"own_seconds": told.pop("seconds")} if "seconds" in told else {}
    return told | own | {"seconds": round(seconds, 2)}


def _sum_up(runs: list[Run]) -> dict[str, object]:
    """All runs, and of those that ended the median seconds, their range and the mean accuracy."""
    ended = [one for one in runs if "failed" not in one]
    if not ended:
        return {"runs": runs}
    seconds = _seconds(ended)
    accuracy = statistics.mean(float(one["accuracy"]) for one in ended)  # type: ignore[arg-type]
    return {"median_seconds": statistics.median(seconds), "range": [min(seconds), max(seconds)], "mean_accuracy": round(accuracy, 4), "runs": runs}


def _judge(mine: list[Run], theirs: dict[str, list[Run]]) -> dict[str, object]:
    """Ours ÷ the peer with the least median seconds among those that reach the goal."""
    arrived = {name: _seconds(runs) for name, runs in theirs.items() if _reaches(runs)}
    if not arrived or not _reaches(mine):
        return {"verdict": "nothing to compare: ours or all peers failed or stayed below the goal"}
    best = min(arrived, key=lambda name: statistics.median(arrived[name]))
    return {"best_peer": best, "ours_to_best": pairs.summarise(list(zip(_seconds(mine), arrived[best])))}


def _reaches(runs: list[Run]) -> bool:
    return all("failed" not in one for one in runs) and statistics.mean(float(one["accuracy"]) for one in runs) >= GOAL  # type: ignore[arg-type]


def _seconds(runs: list[Run]) -> list[float]:
    return [float(one["seconds"]) for one in runs]  # type: ignore[arg-type]
