"""Our loop ÷ a plain PyTorch loop on the same work (95 % upper bound of the median of 30 interleaved pairs: at most 1.03 on a CNN, 1.10 on an MLP), and peers.

Same net with the same first weights, its normalisation inside; same full batches, gathered by index from tensors in memory; fused AdamW; one process; as many
threads as are the faster for the plain loop, one or all. Ours is `surefoot.engine.fit.fit` without a folder for checkpoints, the end of each epoch included.
Lightning, skorch and Keras (PyTorch backend) are each compared with the same plain loop in a process of their own environment, fed by index where they let
themselves be; only training is timed, not imports or set-up.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from benchmarks import pairs, picture_desk, plain
from benchmarks.machine import IS_QUICK, ROOT
from benchmarks.peers import environments, mnist
from surefoot import randomness
from surefoot.engine.build import build_network
from surefoot.engine.fit import Job, fit
from surefoot.engine.jobs import make_job
from surefoot.types import ModelConfig, TrainConfig

_ASKED = {"cnn": 1.03, "mlp": 1.10}
_LAYERS = {
    "cnn": "INPUT -> CONV3-16 -> BN -> RELU -> POOL -> CONV3-32 -> BN -> RELU -> POOL -> CONV3-64 -> BN -> RELU -> POOL -> FC",
    "mlp": "INPUT -> FC256 -> RELU -> FC128 -> RELU -> FC",
}
"""`plain.build` in our notation."""
_PEERS = ("lightning", "skorch", "keras")
_PAIRS, _PEER_PAIRS = (2, 1) if IS_QUICK else (30, 5)
_SAME_STEPS = 20
_NAME = "loop"


def run() -> dict[str, object]:
    found: dict[str, object] = {"data": "MNIST" if mnist.is_here() else "random numbers of MNIST's shape"}
    for case in plain.CASES:
        threads = _choose_threads(case)
        torch.set_num_threads(threads)
        found[case.name] = _compare_ours(case) | {"asked": _ASKED[case.name], "threads": threads, "batch_size": case.batch_size, "steps": case.steps}
        print(f"  {case.name}: {_say(found[case.name])}", flush=True)
        found[f"{case.name}, peers"] = {peer: _compare_peer(peer, case, threads) for peer in _PEERS}
    return found


def _compare_ours(case: plain.Case) -> dict[str, object]:
    folder = Path(tempfile.mkdtemp(prefix="surefoot-loop-"))
    try:
        data = plain.load(case)
        job, config = _start_job(case, data, folder), _configure(case)
        net = _copy_weights(job, plain.build(case))

        def ours() -> object:
            fresh = replace(job, network=copy.deepcopy(job.network))
            return lambda: fit(fresh, config, seed=0, name=_NAME)

        def theirs() -> object:
            fresh = copy.deepcopy(net)
            return lambda: plain.train(fresh, case, data)

        return pairs.compare(ours, theirs, _PAIRS) | {"largest_difference": _check_sameness(case, job, net)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start_job(case: plain.Case, data: tuple[Tensor, Tensor], folder: Path) -> Job:
    """The same net as we build it, on the same items."""
    pictures, labels = (tensor.numpy() for tensor in data)
    desk = picture_desk.lay_out(pictures, labels, folder, statistics=picture_desk.MNIST)
    return make_job(desk, build_network(desk, ModelConfig(layers=_LAYERS[case.name]), desk.whole), desk.whole, _configure(case))


def _configure(case: plain.Case) -> TrainConfig:
    return TrainConfig(
        optimizer="adamw", lr=plain.LR, schedule="fixed", batch_size=case.batch_size, epochs=case.epochs, weight_decay=0.0, augment="none"
    )  # fmt: skip


def _copy_weights(job: Job, net: torch.nn.Module) -> torch.nn.Module:
    """The plain net with our first weights; both list them in the order of the layers."""
    own = [value for name, value in job.network.state_dict().items() if name.startswith("body.")]
    net.load_state_dict(dict(zip(net.state_dict(), own, strict=True)))
    return net


def _check_sameness(case: plain.Case, job: Job, net: torch.nn.Module) -> float:
    """The largest difference between the weights of both sides after `_SAME_STEPS` steps in one order: whether they did the same work."""
    short = replace(case, steps=min(_SAME_STEPS, case.steps // case.epochs), epochs=1)
    rows = np.arange(short.num_items)
    mine = fit(replace(job, network=copy.deepcopy(job.network), train=rows), _configure(short), seed=0, name=_NAME).network
    other = copy.deepcopy(net)
    inputs, targets = plain.load(short)
    plain.train(other, short, (inputs, targets), lambda epoch, num: torch.from_numpy(randomness.stream(0, f"{_NAME} order", epoch).permutation(num)))
    return max((a - b).detach().abs().max().item() for a, b in zip(mine.parameters(), other.parameters(), strict=True))


def _choose_threads(case: plain.Case) -> int:
    """One or all, whichever is faster for the plain loop: a small net is slower on two."""
    data, seconds = plain.load(case), {}
    for threads in sorted({1, os.cpu_count() or 1}):
        torch.set_num_threads(threads)
        net = plain.build(case)
        plain.train(net, replace(case, steps=case.epochs), (data[0][: case.batch_size], data[1][: case.batch_size]))  # the first steps are slow
        started = perf_counter()
        plain.train(net, case, data)
        seconds[threads] = perf_counter() - started
    return min(seconds, key=lambda threads: seconds[threads])


def _compare_peer(peer: str, case: plain.Case, threads: int) -> dict[str, object]:
    """The peer ÷ the plain loop in the peer's environment, or why not."""
    try:
        python = environments.find(peer)
    except environments.CannotMake as error:
        return {"skipped": f"no environment: {error}"}
    command = [str(python), "-m", f"benchmarks.peers.loop_{peer}", case.name, str(_PEER_PAIRS), str(threads)]
    done = subprocess.run(command, cwd=ROOT, env=environments.surroundings(peer), capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-2000:], flush=True)
        return {"failed": done.stderr.strip().rpartition("\n")[2][-300:]}
    found = json.loads(done.stdout.splitlines()[-1]) | {"versions": list(environments.PEERS[peer])}
    print(f"  {case.name}, {peer}: {_say(found)}", flush=True)
    return found


def _say(found: dict[str, object]) -> str:
    return f"{found['median_ratio']} {found['interval']} times the plain loop, {found['median_seconds']} s"
