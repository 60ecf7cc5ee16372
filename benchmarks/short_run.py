"""A run of half a second that is there to be killed, with everything on that has a state.

`python -m benchmarks.short_run` imports torch once and then forks a child for each command on stdin: `run FOLDER` answers with the child's number,
`wait` with how the last one ended (0, or minus the signal). Until `wait` is asked, a number belongs to nobody else, so killing it is safe.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections import deque
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # the first step of an optimizer imports it, which takes longer than the whole run
from safetensors.torch import save
from torch import Tensor

from surefoot import durable
from surefoot.data.examples import Examples
from surefoot.data.packs import Block, open_pack, write_pack
from surefoot.engine.build import Desk, Part
from surefoot.engine.fit import fit
from surefoot.engine.jobs import start_job
from surefoot.metrics import get
from surefoot.store.blobs import Blobs
from surefoot.transforms.statistics import measure
from surefoot.types import FieldSpec, ModelConfig, Problem, TrainConfig
from surefoot.types.examples import Batch

NUM_TRAIN, _NUM_VAL, _SIDE = 301, 100, 12
STEPS_PER_EPOCH, NUM_STEPS, SAVE_EVERY = 13, 39, 4
WEIGHTS, TRACE = "weights.safetensors", "trace.txt"

_MODEL = ModelConfig(width=16, depth=1, dropout=0.2)
_TRAIN = TrainConfig(
    epochs=NUM_STEPS / STEPS_PER_EPOCH, batch_size=24, lr=3e-3, augment="shift_flip", averaging=0.95, weight_decay=0.05, label_smoothing=0.1, clip=5.0,
    snapshot_epochs=SAVE_EVERY / STEPS_PER_EPOCH,
)  # fmt: skip


class _Traced(Examples):
    """Examples that note what the loop asks for."""

    def start_notes(self) -> deque[str]:
        self.notes: deque[str] = deque()
        return self.notes

    def batch(self, rows: Tensor, targets: Tensor) -> Batch:
        self.notes.append(",".join(self.pack.ids(rows.numpy())))
        return super().batch(rows, targets)


def train(folder: Path) -> None:
    """The command: makes the data, fits in `folder`, or goes on there, and writes the last weights.

    Each step adds a line `step epoch ids .` to the trace before its checkpoint, if it has one, is written. A line that a kill cut short has no full stop.
    """
    desk = _lay_out(folder)
    notes = desk.examples.start_notes()  # type: ignore[attr-defined]
    trace = os.open(folder / TRACE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(done: float, total: float) -> None:
        step = round(done * STEPS_PER_EPOCH)
        os.write(trace, f"\n{step} {(step - 1) // STEPS_PER_EPOCH} {notes.popleft()} .\n".encode())

    fitted = fit(start_job(desk, _MODEL, desk.folds[0], _TRAIN), _TRAIN, seed=0, name="run", folder=folder, listen=note)
    last = {f"last/{name}": value.contiguous() for name, value in fitted.network.state_dict().items()}
    durable.replace(folder / WEIGHTS, save(last | {f"best/{name}": value.contiguous() for name, value in fitted.best.items()}))


def _lay_out(folder: Path) -> Desk:
    """Pictures of a bright bar at the left, in the middle or at the right, on noise."""
    generator = np.random.default_rng(0)
    num = NUM_TRAIN + _NUM_VAL
    targets = generator.integers(0, 3, num)
    images = generator.integers(0, 180, (num, 1, _SIDE, _SIDE)).astype(np.uint8)
    for image, target in zip(images, targets):
        image[0, :, 4 * target : 4 * target + 3] += 70
    store, field = Blobs(folder / "store"), FieldSpec(name="image", shape=(1, _SIDE, _SIDE), dtype="uint8")
    block = Block([f"item-{n}" for n in range(num)], ["made"] * num, (images,), targets.reshape(-1, 1).astype(np.float64), np.ones(num, np.float32))
    pack = open_pack(store, write_pack(store, (field,), 1, [block]))
    problem = Problem(
        question="Where is the bar?", kind="image", task="multiclass", target=("label",), classes=("left", "middle", "right"), metric="accuracy",
        head="softmax", loss="cross_entropy", num_outputs=3,
    )  # fmt: skip
    train, val = np.arange(NUM_TRAIN), np.arange(NUM_TRAIN, num)
    part = Part(train, val, measure(pack.fields, pack.chunks(train), pack.targets[train]))
    return Desk(problem, _Traced(pack, problem, in_memory=True), get("accuracy"), [part], part.without_val())


def _serve() -> None:
    """One thread until here: a fork takes only the thread that forks along."""
    torch.set_num_threads(1)
    child = 0
    while line := sys.stdin.readline().strip():
        word, _, folder = line.partition(" ")
        if word == "run":
            child = os.fork() or _run(Path(folder))
            print(child, flush=True)
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(folder: Path) -> int:
    try:
        train(folder)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    _serve()
