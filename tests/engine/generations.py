"""What a run's folder gives back: all that a checkpoint holds, as one value to compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from surefoot.engine import checkpoint, interrupt
from surefoot.engine.build import Desk
from surefoot.engine.fit import Fitted, Run, fit
from surefoot.engine.step import gear_up
from surefoot.types import TrainConfig

from .samples import FULL, start_job

SHORT = FULL.model_copy(update={"epochs": 1.5, "batch_size": 25})
"""Six steps with checkpoints after each second one; everything that has a state is on."""


class Generation(NamedTuple):
    """A step, and the SHA-256 of everything that goes on from there."""

    step: int
    sha256: str


def train(desk: Desk, folder: Path | None, stop_at: int = 0, config: TrainConfig = SHORT) -> Fitted:
    """The command that is given again and again: a fresh net, fitted with `folder`.

    Raises:
        KeyboardInterrupt: as after Ctrl-C in step `stop_at`.
    """

    def press(done: float, total: float) -> None:
        if round(done * 4) == stop_at:
            interrupt._ASKED.set()

    return fit(start_job(desk, config), config, seed=0, name="run", folder=folder, listen=press)


def stop_after(desk: Desk, folder: Path, step: int) -> None:
    """Runs up to a step, which leaves a checkpoint of it."""
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        train(desk, folder, step)


def resume(desk: Desk, folder: Path, config: TrainConfig = SHORT) -> Generation:
    """What the same command would go on from."""
    job = start_job(desk, config)
    gear, run = gear_up(job, config, 6), Run(torch.zeros((), dtype=torch.float64))
    checkpoint.resume(folder, job.network, gear, run)
    state = checkpoint.capture(job.network, gear, run)
    records = [record | {"seconds": 0} for record in state.facts["records"]]
    return Generation(run.step, digest(state.facts | {"records": records}, state.tensors))


def digest(told: object, *tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of plain values and of tensors, names and shapes included."""
    made = hashlib.sha256(json.dumps(told).encode())
    for group in tensors:
        for name, value in sorted(group.items()):
            made.update(f"{name} {value.dtype} {tuple(value.shape)}".encode() + value.detach().contiguous().numpy().tobytes())
        made.update(b"next")
    return made.hexdigest()


def digest_end(fitted: Fitted, folder: Path) -> str:
    """SHA-256 of last weights, best weights and log, times excepted."""
    log = [{**json.loads(line), "seconds": 0} for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return digest([fitted.best_epoch, log], fitted.network.state_dict(), fitted.best)
