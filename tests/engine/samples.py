"""A small job on data that the test makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from surefoot.data.examples import Examples
from surefoot.data.packs import Block, open_pack, write_pack
from surefoot.engine.build import Desk, Part, build_network
from surefoot.engine.fit import Job
from surefoot.engine.jobs import make_job
from surefoot.metrics import get
from surefoot.store.blobs import Blobs
from surefoot.transforms.statistics import measure
from surefoot.types import FieldSpec, ModelConfig, Problem, TrainConfig


def make_problem(**changes: object) -> Problem:
    values = {
        "question": "?",
        "kind": "image",
        "task": "multiclass",
        "target": ("label",),
        "classes": ("left", "middle", "right"),
        "metric": "accuracy",
        "head": "softmax",
        "loss": "cross_entropy",
        "num_outputs": 3,
    }
    return Problem.model_validate(values | changes)


def make_desk(folder: Path, num: int = 150, *, is_heavy: bool = False) -> Desk:
    """Pictures of a bright bar at the left, in the middle or at the right, on noise.

    Where it is heavy, the classes are no longer equally frequent, and every third item weighs as much as ten others.
    """
    generator = np.random.default_rng(0)
    targets, weights = generator.integers(0, 3, num), np.ones(num, np.float32)
    if is_heavy:
        targets[: num // 2], weights[::3] = 0, 10.0
    images = generator.integers(0, 120, (num, 1, 8, 8)).astype(np.uint8)
    for image, target in zip(images, targets):
        image[0, :, 3 * target : 3 * target + 2] += 120
    store, field = Blobs(folder / "store"), FieldSpec(name="image", shape=(1, 8, 8), dtype="uint8")
    block = Block([f"item-{n}" for n in range(num)], ["made"] * num, (images,), targets.reshape(-1, 1).astype(np.float64), weights)
    pack = open_pack(store, write_pack(store, (field,), 1, [block]))
    train, val = np.arange(0, 100), np.arange(100, num)
    statistics = measure(pack.fields, pack.chunks(train), pack.targets[train])
    problem = make_problem()
    return Desk(
        problem, Examples(pack, problem, in_memory=True), get("accuracy"), [Part(train, val, statistics)], Part(np.arange(num), val[:0], statistics), seed=1
    )


TABLES: dict[str, dict[str, object]] = {
    "binary": {"classes": ("no", "yes"), "metric": "accuracy", "head": "sigmoid", "loss": "binary_cross_entropy", "num_outputs": 1},
    "multiclass": {},
    "multilabel": {"classes": ("one", "two", "three"), "metric": "f1_micro", "head": "sigmoids", "loss": "binary_cross_entropy", "num_outputs": 3},
    "regression": {"classes": (), "metric": "rmse", "head": "identity", "loss": "mse", "num_outputs": 1},
}


def make_table_desk(folder: Path, task: str, targets: np.ndarray, num_train: int) -> Desk:
    """Five columns of noise beside the targets (N, T) given: the first rows are train, the others val."""
    numbers = np.random.default_rng(1).normal(size=(len(targets), 5)).astype(np.float32)
    store, field = Blobs(folder / "store"), FieldSpec(name="numeric", shape=(5,), dtype="float32", names=tuple("abcde"))
    block = Block(
        [f"item{n}-0" for n in range(len(targets))], ["made"] * len(targets), (numbers,), targets.astype(np.float64), np.ones(len(targets), np.float32)
    )
    pack = open_pack(store, write_pack(store, (field,), targets.shape[1], [block]))
    train, val = np.arange(num_train), np.arange(num_train, len(targets))
    part = Part(train, val, measure(pack.fields, pack.chunks(train), pack.targets[train]))
    problem = make_problem(kind="table", task=task, **TABLES[task])
    return Desk(problem, Examples(pack, problem, in_memory=True), get(problem.metric), [part], replace(part, val=val[:0]), seed=1)


FULL = TrainConfig(
    epochs=4.0, batch_size=16, lr=3e-3, augment="shift_flip", averaging=0.9, weight_decay=0.05, label_smoothing=0.1, snapshot_epochs=0.5, clip=5.0
)
"""Everything that has a state: shuffling, augmentation, dropout, batch norm, averaging and AdamW."""


def start_job(desk: Desk, config: TrainConfig = FULL, dropout: float = 0.2) -> Job:
    model = ModelConfig(width=4, depth=1, dropout=dropout)
    return make_job(desk, build_network(desk, model, desk.folds[0]), desk.folds[0], config)
