"""CIFAR-10 (lossy JPEG copies) on a GPU: best accuracy after 3, 10 and 30 s of training, seconds to 92 %, and how much of the card is used.

Each way of running the net (eagerly, compiled, with CUDA graphs) is measured by itself. Before anything is timed the net trains an epoch and is given its
first weights back, so that compiling, the choice of kernels and filling caches are over; that time, and that of loading the pictures, are stated apart.

For each time the net takes as many epochs as its measured rate lets go into 95 % of it. The size is chosen on val among three, and the test set is looked at
once per time. `seconds` is what the training took, its look at val included.

Seconds to 92 %: a run ends at the first look at val, one after each epoch, that finds as much. As a schedule must know its length before, lengths are tried
from the shortest, on one seed; the size and the length that were fastest there are then run on three other seeds, whose seconds are stated, looks included,
with their accuracy on the test set where they ended. None: a run that reached its end without it.

Beside it: items a second of our loop and of a plain one on the same net, in turns, and the share of the card's own rate of matrix products, in the same
precision, that the FLOPs of a step come to. One command on a machine with a GPU; without one it says so. `SUREFOOT_BENCH_QUICK=1` runs all of it on a CPU.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks import cifar10, pairs, picture_desk
from benchmarks.machine import IS_QUICK
from surefoot.engine.build import Desk
from surefoot.engine.compiling import WAYS
from surefoot.engine.devices import measure_rate, wait_for
from surefoot.engine.fit import Job, fit
from surefoot.engine.floor import measure_peak
from surefoot.engine.jobs import resolve_train, start_job, training_step
from surefoot.engine.precision import list_promising
from surefoot.engine.recipes import follow_recipe
from surefoot.metrics import Metric
from surefoot.models.cost import count_training_flops
from surefoot.types import ModelConfig, TrainConfig

_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
_SECONDS = (1.0,) if IS_QUICK else (3.0, 10.0, 30.0)
_SIZES = ((8, 1),) if IS_QUICK else ((64, 1), (96, 2), (160, 2))
_LENGTHS = (1.0, 2.0) if IS_QUICK else (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
"""Epochs that the race to the goal is tried with, until one gets there."""
_GOAL = 0.12 if IS_QUICK else 0.92
_FRESH = (1, 2, 3)
"""Seeds of the runs that are stated; the size and the length are chosen on 0."""
_ITEMS, _NUM_VAL = (2_000, 500) if IS_QUICK else (50_000, 5_000)
_BATCH = 512
_USED = 0.95
"""Share of the time that training may take by the measured rate; the rest is for the look at val and for noise."""
_PAIRS, _STEPS = (2, 2) if IS_QUICK else (10, 50)


def run() -> dict[str, object]:
    if _DEVICE == "cpu" and not IS_QUICK:
        return {"skipped": "this machine has no GPU"}
    with tempfile.TemporaryDirectory(prefix="surefoot-gpu-") as folder:
        started = perf_counter()
        pictures, labels = cifar10.read("train")
        order = np.random.default_rng(0).permutation(len(labels))[:_ITEMS]
        desk = picture_desk.lay_out(pictures[order], labels[order], Path(folder), num_val=_NUM_VAL, device=_DEVICE)
        card = torch.cuda.get_device_name() if _DEVICE == "cuda" else "none"
        found: dict[str, object] = {"card": card, "load_seconds": round(perf_counter() - started, 1)}
        peaks = {precision: measure_peak(_DEVICE, precision) for precision in list_promising(_DEVICE)}
        found["matrix_tflops"] = {precision: round(peak / 1e12, 2) for precision, peak in peaks.items()}
        for way in ("off", *WAYS[_DEVICE]):
            found[f"compile {way}"] = _race(desk, way, peaks)
            print(f"  compile {way}: {found[f'compile {way}']}", flush=True)
        return found | {"loop": _compare(desk, peaks["fp32"])}


def _race(desk: Desk, way: str, peaks: dict[str, float]) -> dict[str, object]:
    """For each time the best size by val, with its test accuracy, and what the goal takes."""
    told: dict[str, object] = {"warm_up_seconds": {}}
    tried: dict[float, dict[str, Timed]] = {seconds: {} for seconds in _SECONDS}
    races: dict[str, dict[str, object]] = {}
    for size in _SIZES:
        name = "{}x{}".format(*size)
        rig = _prepare(desk, size, way)
        told["warm_up_seconds"][name] = round(rig.warm_up_s, 1)  # type: ignore[index]
        for seconds in _SECONDS:
            epochs = _USED * seconds * rig.rate / len(rig.job.train)
            tried[seconds][name] = _train(rig, desk, epochs, epochs)
        races[name] = _reach_goal(rig, desk)
        for one in tried.values():
            one[name].facts["share_of_matrix_rate"] = round(rig.flops * one[name].facts["items_per_second"] / peaks[rig.config.precision], 3)  # type: ignore[operator]
    for seconds, sizes in tried.items():
        best = max(sizes, key=lambda name: sizes[name].val)
        told[f"{seconds:g} s"] = sizes[best].facts | {"width x depth": best, "test": _score(desk, best, sizes[best].weights)}
    arrived = {name: race for name, race in races.items() if race["chosen_in"] is not None}
    fastest = min(arrived, key=lambda name: arrived[name]["chosen_in"], default=None)  # type: ignore[arg-type, return-value]
    return told | {"to_goal": {"goal": _GOAL, "width x depth": fastest} | (arrived[fastest] if fastest else {})}


@dataclass
class Rig:
    """A net on which all runs of one size and way are made, so that what was compiled for one is there for the next.

    Attributes:
        rate: train items a second, in the precision of `config`. warm_up_s: what measuring, compiling and the epoch before the first timed one took.
        flops: of a training step on one item.
    """

    size: tuple[int, int]
    job: Job
    config: TrainConfig
    rate: float
    warm_up_s: float
    flops: int


@dataclass
class Timed:
    """A timed run: its value on val, the weights that it ended with, on the CPU, and what is told of it."""

    val: float
    seconds: float
    weights: dict[str, Tensor]
    facts: dict[str, object]


def _prepare(desk: Desk, size: tuple[int, int], way: str) -> Rig:
    """Chooses the faster precision, and trains an epoch, looks at val included, after which nothing is left to compile."""
    torch.compiler.reset()  # what was compiled for other sizes counts against the most graphs that PyTorch keeps of one piece of code
    started = perf_counter()
    asked = TrainConfig(batch_size=_BATCH, compile=way)  # type: ignore[arg-type]
    config = resolve_train(follow_recipe(asked, desk.problem, channels=3), len(desk.folds[0].train), "image")
    job = start_job(desk, _model(size), desk.folds[0], config)
    steps = {one: training_step(job, config.model_copy(update={"precision": one})) for one in list_promising(_DEVICE)}
    rates = {one: config.batch_size * measure_rate(step, device=_DEVICE) for one, step in steps.items()}
    precision = max(rates, key=lambda one: rates[one])
    flops = count_training_flops(job.network, job.examples.inputs(torch.from_numpy(job.train[:1]).to(_DEVICE)))
    rig = Rig(size, job, config.model_copy(update={"precision": precision}), rates[precision], 0.0, flops)
    _train(rig, desk, 1.0, 1.0)
    rig.warm_up_s = perf_counter() - started
    return rig


class _Reached(Exception):
    """A look at val found the goal."""

    def __init__(self, value: float) -> None:
        super().__init__(f"val is at {value}")
        self.value = value


def _ending_at(metric: Metric, goal: float) -> Metric:
    """The same metric; the look that finds the goal ends the run there and then, with the weights that it looked at."""

    def score(*given, **options) -> float:
        value = metric.score(*given, **options)
        if value >= goal:
            raise _Reached(value)
        return value

    return replace(metric, score=score)


def _train(rig: Rig, desk: Desk, epochs: float, look_every: float, *, goal: float = 2.0, seed: int = 0) -> Timed:
    """A run from the first weights of a seed, in the rig's own net."""
    fresh = start_job(replace(desk, seed=seed), _model(rig.size), desk.folds[0], rig.config).network.state_dict()
    rig.job.network.load_state_dict(fresh)
    job = replace(rig.job, metric=_ending_at(rig.job.metric, goal), watch=rig.job.watch[:0])
    config = rig.config.model_copy(update={"epochs": epochs, "val_epochs": look_every})
    before = _count_graphs()
    wait_for(_DEVICE)
    started = perf_counter()
    try:
        val = fit(job, config, seed=seed, name="gpu").records[-1].val_metric or 0.0
    except _Reached as reached:
        val = reached.value
    wait_for(_DEVICE)
    seconds = perf_counter() - started
    weights = {name: value.cpu().clone() for name, value in job.network.state_dict().items()}
    facts: dict[str, object] = {
        "val": round(val, 4), "epochs": round(epochs, 2), "seconds": round(seconds, 2), "precision": config.precision,
        "items_per_second": round(epochs * len(job.train) / seconds), "graphs_compiled_within": _count_graphs() - before,
    }  # fmt: skip
    return Timed(val, seconds, weights, facts)


def _reach_goal(rig: Rig, desk: Desk) -> dict[str, object]:
    """The shortest length that gets to the goal on val, and what it takes on seeds that had no part in choosing it."""
    for epochs in _LENGTHS:
        first = _train(rig, desk, epochs, 1.0, goal=_GOAL)
        if first.val >= _GOAL:
            runs = [_train(rig, desk, epochs, 1.0, goal=_GOAL, seed=seed) for seed in _FRESH]
            seconds = [round(one.seconds, 2) if one.val >= _GOAL else None for one in runs]
            tests = [_score(desk, "{}x{}".format(*rig.size), one.weights) for one in runs]
            return {
                "planned_epochs": epochs,
                "chosen_in": round(first.seconds, 2),
                "seconds": seconds,
                "val": [round(one.val, 4) for one in runs],
                "test": tests,
            }
    return {"chosen_in": None}


def _count_graphs() -> int:
    """How many graphs were compiled so far."""
    from torch._dynamo.utils import counters

    return int(counters["stats"]["unique_graphs"])


def _model(size: tuple[int, int]) -> ModelConfig:
    return ModelConfig(width=size[0], depth=size[1], views="flip_shift")


def _score(desk: Desk, name: str, weights: dict[str, Tensor]) -> float:
    """Test accuracy of a net with these weights, run eagerly."""
    width, depth = map(int, name.split("x"))
    network = start_job(desk, _model((width, depth)), desk.folds[0], TrainConfig(batch_size=_BATCH)).network.eval()
    network.load_state_dict(weights)
    pictures, labels = (one[:: 10 if IS_QUICK else 1] for one in cifar10.read("test"))
    with torch.inference_mode():
        said = [network(torch.from_numpy(pictures[at : at + 1_000].copy()).to(_DEVICE)).argmax(1).cpu().numpy() for at in range(0, len(labels), 1_000)]
    return round(float((np.concatenate(said) == labels).mean()), 4)


def _compare(desk: Desk, peak: float) -> dict[str, object]:
    """Our loop ÷ a plain one on the same net, eagerly and in fp32, items a second of both, and the share of the card's matrix rate that ours reaches."""
    model = ModelConfig(**dict(zip(("width", "depth"), _SIZES[len(_SIZES) // 2])))
    config = TrainConfig(lr=1e-3, batch_size=_BATCH, augment="none", schedule="fixed", epochs=1.0, weight_decay=0.0, precision="fp32", compile="off")
    part = replace(desk.folds[0], train=desk.folds[0].train[: _BATCH * _STEPS], val=desk.folds[0].val[:0])
    rows = torch.from_numpy(part.train).to(_DEVICE)

    def ours():
        job = start_job(desk, model, part, config)

        def train() -> None:
            fit(job, config, seed=0, name="loop")
            wait_for(_DEVICE)

        return train

    def theirs():
        job = start_job(desk, model, part, config)
        net = job.network.train()
        optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.0, fused=True)

        def train() -> None:
            for some in rows[torch.randperm(len(rows), device=_DEVICE)].split(_BATCH):
                batch = job.examples.batch(some, job.targets)
                loss = F.cross_entropy(net(*batch.inputs), batch.targets)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
            wait_for(_DEVICE)

        return train

    found = pairs.compare(ours, theirs, _PAIRS)
    job = start_job(desk, model, part, config)
    flops = count_training_flops(job.network, job.examples.inputs(rows[:1])) * len(rows)
    seconds: list[float] = found["median_seconds"]  # type: ignore[assignment]
    rates = dict(zip(("ours", "plain"), (round(len(rows) / one) for one in seconds), strict=True))
    return found | {"items_per_second": rates, "share_of_matrix_rate": round(flops / seconds[0] / peak, 3)}
