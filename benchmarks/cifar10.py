"""CIFAR-10 (lossy JPEG copies: comparable only on the same copies) in 10 and in 30 minutes on all cores: ours, and a plain ResNet-18 given the same minutes.

Ours is the default net and recipe for small pictures, its width chosen on val (LOG.md), with mirrored and shifted views in the graph that ships. The
ResNet-18 has the 3 x 3 stem for 32 pixels, Nesterov's momentum, one cycle, the same augmentation, batch, precision and layout in memory. Both measure their
rate first and take as many epochs, or parts of one, as the minutes bear; loading the pictures is not counted. Trained on 45,000 items, 5,000 are val; the
test set is looked at once by each run.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from PIL import Image

from benchmarks.machine import DATA, IS_QUICK, ROOT

_ARCHIVE = DATA / "cifar10" / "cifar10_jpg.tar.xz"
_MINUTES = (0.1,) if IS_QUICK else (10.0, 30.0)
_WIDTHS = {0.1: 16, 10.0: 64, 30.0: 96}
_NUM_VAL = 5_000
_USED = 0.95
"""Share of the time that training may take by the measured rate; the rest is for looks at val and for noise."""


def run() -> dict[str, object]:
    if not _ARCHIVE.is_file():
        return {"skipped": "the shared data sets are not here"}
    found: dict[str, object] = {}
    for minutes in _MINUTES:
        for side in ("ours", "resnet18"):
            done = subprocess.run([sys.executable, "-m", "benchmarks.cifar10", side, str(minutes)], cwd=ROOT, capture_output=True, text=True, check=True)
            found[f"{side}, {minutes:g} minutes"] = told = json.loads(done.stdout.splitlines()[-1])
            print(f"  {side}, {minutes:g} minutes: {told}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=("ours", "resnet18"))
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="surefoot-cifar10-") as folder:
        print(json.dumps(train(asked.side, asked.minutes, asked.seed, Path(folder))))


def train(side: str, minutes: float, seed: int, folder: Path) -> dict[str, float]:
    """One run of one side.

    Returns:
        `val`, `test`: accuracies; `epochs`, `items_per_second`, `seconds` of rate, training and looks at val together.
    """
    import torch

    from benchmarks import picture_desk
    from surefoot.engine.devices import measure_rate
    from surefoot.engine.fit import fit
    from surefoot.engine.jobs import make_job, resolve_train, start_job, training_step
    from surefoot.engine.recipes import follow_recipe
    from surefoot.types import ModelConfig, TrainConfig

    pictures, labels = read("train")
    order = np.random.default_rng(0).permutation(len(labels))
    desk = replace(picture_desk.lay_out(pictures[order], labels[order], folder, num_val=_NUM_VAL), seed=seed)
    part, started = desk.folds[0], perf_counter()
    asked = TrainConfig(precision="fp32", compile="off")
    if side == "resnet18":
        asked = asked.model_copy(update={"optimizer": "nesterov", "lr": 0.1, "weight_decay": 5e-4, "label_smoothing": 0.0})
    config = resolve_train(follow_recipe(asked, desk.problem, channels=3), len(part.train), "image")
    if side == "ours":
        job = start_job(desk, ModelConfig(width=_WIDTHS.get(minutes, 64), depth=1, views="flip_shift"), part, config)
    else:
        job = make_job(desk, _build_resnet(desk, part), part, config)
    rate = config.batch_size * measure_rate(training_step(job, config))
    epochs = _USED * minutes * 60 * rate / len(part.train)
    fitted = fit(job, config.model_copy(update={"epochs": epochs, "val_epochs": max(1.0, epochs / 4)}), seed=seed, name=side)
    seconds = perf_counter() - started
    test_pictures, test_labels = read("test")
    with torch.inference_mode():
        said = [fitted.network(torch.from_numpy(test_pictures[start : start + 500].copy())).argmax(1).numpy() for start in range(0, len(test_labels), 500)]
    return {
        "val": round(fitted.records[-1].val_metric or 0.0, 4), "test": round(float((np.concatenate(said) == test_labels).mean()), 4),
        "epochs": round(epochs, 2), "items_per_second": round(rate, 1), "seconds": round(seconds, 1),
    }  # fmt: skip


@functools.cache
def read(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures, uint8 (N, 3, 32, 32), and labels, int64 (N,), of `train` or `test`."""
    pictures, folders = [], []
    with tarfile.open(_ARCHIVE) as archive:
        for member in archive:
            place = Path(member.name).parts
            if member.isfile() and member.name.endswith(".jpg") and place[-3] == name and (file := archive.extractfile(member)):
                pictures.append(np.asarray(Image.open(io.BytesIO(file.read()), formats=["JPEG"])).transpose(2, 0, 1))
                folders.append(place[-2])
    return np.stack(pictures), np.unique(folders, return_inverse=True)[1].astype(np.int64)


def _build_resnet(desk, part):
    """ResNet-18 (He et al. 2016) as it is used for 32 pixels: 3 x 3 stem at stride 1, no first pooling; between our normalisation and nothing."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    from surefoot.engine.build import assemble

    class Block(nn.Module):
        def __init__(self, before: int, after: int, stride: int) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.Conv2d(after, after, 3, 1, 1, bias=False)
            self.norm_one, self.norm_two = nn.BatchNorm2d(after), nn.BatchNorm2d(after)
            is_same = before == after and stride == 1
            self.short = nn.Identity() if is_same else nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.relu(self.norm_two(self.two(F.relu(self.norm_one(self.one(x))))) + self.short(x))

    torch.manual_seed(desk.seed)
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    for before, after, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
        layers += [Block(before, after, stride), Block(after, after, 1)]
    body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)).to(memory_format=torch.channels_last)
    return assemble(desk, body, part)


if __name__ == "__main__":
    main()
