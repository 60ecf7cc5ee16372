"""Pieces that the sample projects share: a store in memory, runs, searches, ladders, and reports that look alike everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from surefoot.types import Check, ExportReport, Measured, ModelConfig, ModelScore, ModelSize, Report, SanityReport, ServeReport, Trial
from surefoot.types.reports import EpochRecord
from surefoot.types.views import StepView

SHA = "3f7a" * 16


class MemoryStore:
    """A store that keeps its arrays in memory, with the two verbs that the page may use."""

    def __init__(self) -> None:
        self.arrays: dict[str, dict[str, np.ndarray]] = {}

    def put_arrays(self, arrays: Mapping[str, np.ndarray]) -> str:
        ref = f"{len(self.arrays):064d}"
        self.arrays[ref] = dict(arrays)
        return ref

    def get_arrays(self, ref: str) -> dict[str, np.ndarray]:
        return self.arrays[ref]

    def put_file(self, path: Path) -> str:
        raise AssertionError("the page writes nothing")

    put_bytes = put_table = put_batches = path = get_bytes = get_table = writing = put_file


@cache
def digit_pictures() -> tuple[np.ndarray, np.ndarray]:
    """Real digits, uint8 (N, 8, 8), and their labels."""
    digits = load_digits()
    return (digits.images * 15.9).astype(np.uint8), digits.target


def history(epochs: int, *, start: float, floor: float, is_error: bool = False) -> tuple[EpochRecord, ...]:
    """A run as runs are: train goes on falling, val turns."""
    noise, records = np.random.default_rng(7), []
    for epoch in range(1, epochs + 1):
        loss = floor * 0.3 + start * math.exp(-4 * epoch / epochs)
        val = floor + start * math.exp(-4 * epoch / epochs) + 0.1 * floor * (epoch / epochs) ** 2 + noise.normal(0, floor * 0.03)
        lr = 0.003 * math.sin(math.pi * (epoch - 0.5) / epochs)
        train_metric, val_metric = (loss, val) if is_error else (1 - 0.3 * loss, 1 - 0.3 * val)
        records.append(
            EpochRecord(
                epoch=epoch, step=18 * epoch, loss=loss, val_loss=val, train_metric=train_metric, val_metric=val_metric, lr=lr, grad_norm=1.5 * loss + 0.05
            )
        )
    return tuple(records)


def trials(count: int, best: float, spread: float, *, is_error: bool = False) -> tuple[Trial, ...]:
    """A search over five settings whose result depends on the learning rate."""
    random, found = np.random.default_rng(3), []
    for number in range(count):
        lr = float(10 ** random.uniform(-4, -0.5))
        loss = spread * (abs(math.log10(lr) + 2.3) + float(random.uniform(0, 0.6)))
        settings = {
            "train.lr": lr,
            "train.weight_decay": float(10 ** random.uniform(-5, -1)),
            "model.dropout": float(random.uniform(0, 0.5)),
            "train.augment": str(random.choice(["none", "shift", "affine"])),
            "train.batch_size": int(random.choice([32, 64, 128])),
        }
        value = None if number == 5 else best + loss if is_error else best - loss
        rung = 0 if number < count * 0.7 else 1 if number < count - 2 else 2
        found.append(
            Trial(number=number, settings=settings, rung=rung, epochs=(1, 4, 16)[rung], value=value, state="failed" if value is None else "done", seconds=3.2)
        )
    return tuple(found)


def ladder(values: list[tuple[int, float, float]], *, is_error: bool = False) -> tuple[ModelSize, ...]:
    """Models from small to large: (parameters, train value, val value)."""
    return tuple(
        ModelSize(
            model=ModelConfig(width=8 * 2**i, depth=1 + i // 2),
            parameters=parameters,
            flops=parameters * 40,
            epochs=20,
            train_value=train,
            val_value=val,
            history=history(20, start=2.1, floor=0.2, is_error=is_error),
        )
        for i, (parameters, train, val) in enumerate(values)
    )


def score(value: float, half: float, n: int = 360, **more: Any) -> ModelScore:
    """A metric with a symmetric interval."""
    return ModelScore(value=value, interval=(value - half, value + half), n=n, **more)


def measured(value: float, half: float, n: int = 360) -> Measured:
    """A number with a symmetric interval."""
    return Measured(value=value, interval=(value - half, value + half), n=n)


def sanity(init: float, classes: int) -> SanityReport:
    """A healthy net."""
    steps = range(1, 60)
    return SanityReport(
        checks=(
            Check(name="output_shape", measured=classes, expected=f"{classes}", what="A random input gives one number per class."),
            Check(name="init_loss", measured=init + 0.02, expected=f"{init:.3f} ± 10 %", what="The first loss is that of guessing."),
            Check(name="gradient", measured=2.1e-6, expected="below 1e-4", what="Gradients agree with finite differences."),
            Check(name="batch_leak", measured=0.0, expected="0", what="Items of a batch don't see each other."),
            Check(name="tiny_batch", measured=1.0, expected="1", what="Sixteen items are learned by heart."),
            Check(name="zeroed_inputs", measured=0.101, expected="clearly below 0.93", what="Without inputs it can only guess."),
        ),
        curves={
            "tiny batch": tuple(init * math.exp(-step / 9) for step in steps),
            "shuffled labels": tuple(init * (0.98 + 0.02 * math.exp(-step / 20)) for step in steps),
        },
        num_parameters=53_706,
        flops=2_300_000,
        layers="INPUT -> [[CONV -> RELU]*2 -> POOL]*2 -> FC",
    )


def walk(reports: Mapping[str, Report], **flags: Any) -> list[StepView]:
    """Steps of a round with plausible times."""
    return [StepView(name, report, seconds=0.6 + 7.3 * i, **flags.get(name, {})) for i, (name, report) in enumerate(reports.items())]


def bundle() -> ExportReport:
    """A bundle whose outputs agree."""
    names = ("model.safetensors", "model.onnx", "preprocess.json", "labels.txt", "README.md", "manifest.json")
    files = {name: f"{i}b7c" * 16 for i, name in enumerate(names)}
    parity = {"largest_difference": 3.1e-6, "bound": 1e-4, "equal_preds": 1.0}
    return ExportReport(folder="export", kind="net", files=files, parity=parity, num_compared=360, bytes=431_234, tuned_folder="runs/1-s12_export-1/tuned")


def serving() -> ServeReport:
    """A server measured."""
    latency = {"median": 1.3, "p90": 1.9, "p99": 4.2}
    return ServeReport(url="http://127.0.0.1:8000", requests=200, latency_ms=latency, throughput=712.4, agrees=True, command="surefoot serve export")
