"""The audit: small pictures a second with near duplicates, from 10,000 to 70,000; a CSV of a million rows; anonymous memory for ten times the pictures;
near duplicates that it claims in sets where few or none are known."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import memory
from benchmarks.machine import DATA, IS_QUICK
from benchmarks.peers import mnist
from benchmarks.walks import surefoot

_NUMBERS = (500, 1_000) if IS_QUICK else (10_000, 20_000, 40_000, 70_000)
_ROWS = 5_000 if IS_QUICK else 1_000_000
_FEW = 200 if IS_QUICK else 3_000
_SETS = {"mnist": "mnist", "fashion": "fashion_mnist_small", "flowers": "images/flowers.tar", "ants and bees": "images/ants_bees.tar"}
_CIFAR = {"cifar10": "cifar10/cifar10_jpg.tar.xz"}


def run() -> dict[str, object]:
    folder = Path(tempfile.mkdtemp(prefix="surefoot-audit-"))
    try:
        found: dict[str, object] = {"arrays": _time_arrays(folder), "files": _time_files(folder), "csv": _time_table(folder), "memory": _measure_memory(folder)}
        if DATA.is_dir():
            sets = {"fashion": _SETS["fashion"]} if IS_QUICK else {**_SETS, **_CIFAR}
            found["claims"] = {name: _audit(DATA / path, folder / name.replace(" ", "_")) for name, path in sets.items()}
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _audit(source: Path, project: Path, *init: str) -> dict[str, object]:
    """Seconds of s02 and what it found, from a process of its own."""
    made = surefoot("init", str(source), "--out", str(project), "--budget", "smoke", *init)
    done = surefoot("run", str(project), "--to", "audit")
    if made.returncode or done.returncode:
        return {"failed": (made.stderr + done.stderr)[-600:]}
    step = json.loads(surefoot("status", str(project), "--json").stdout)["steps"][1]
    report = step["report"]
    result = {
        "items": report["num_items"],
        "seconds": round(step["seconds"], 1),
        "items_per_second": round(report["num_items"] / step["seconds"]),
        "near": report["num_near"],
        "suspected": report["suspected"],
        "warnings": [finding["code"] for finding in step["findings"] if finding["severity"] == "warn"],
    }
    print(f"  {project.name}: {result}", flush=True)
    return result


def _time_arrays(folder: Path) -> dict[str, object]:
    """MNIST where it is here, else noise of its shape, as one array of growing length; and the last time over the first, per item."""
    pictures, labels = _load_digits()
    times = {}
    for num in _NUMBERS:
        np.savez(folder / f"digits{num}.npz", x=pictures[:num], y=labels[:num])
        times[str(num)] = _audit(folder / f"digits{num}.npz", folder / f"arrays{num}")
    return {"times": times, "asked_per_second": 3_000}


def _load_digits() -> tuple[np.ndarray, np.ndarray]:
    if mnist.is_here():
        from surefoot.data.readers.idx import read_idx

        parts = [[read_idx(DATA / "mnist" / f"{name}-{kind}-ubyte.gz") for name in ("train", "t10k")] for kind in ("images-idx3", "labels-idx1")]
        return np.concatenate(parts[0]), np.concatenate(parts[1])
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (_NUMBERS[-1], 28, 28)).astype(np.uint8), np.arange(_NUMBERS[-1]) % 10


def _time_files(folder: Path) -> dict[str, object]:
    """Small PNG files in class folders: every one is read and decoded."""
    times = {}
    for num in _NUMBERS[:2]:
        memory._make(folder / f"files{num}", num)
        times[str(num)] = _audit(folder / f"files{num}", folder / f"project{num}")
    return {"times": times, "asked_per_second": 3_000}


def _time_table(folder: Path) -> dict[str, object]:
    memory.make_table(folder / "rows.csv", _ROWS)
    return _audit(folder / "rows.csv", folder / "rows") | {"asked_seconds": 30}


def _measure_memory(folder: Path) -> dict[str, object]:
    peaks = {}
    for num in (_FEW, 10 * _FEW):
        memory._make(folder / f"photos{num}", num)
        surefoot("init", str(folder / f"photos{num}"), "--out", str(folder / f"memory{num}"), "--budget", "smoke")
        peaks[num] = memory._peak([sys.executable, "-m", "surefoot", "run", str(folder / f"memory{num}"), "--to", "audit"])
    print(f"  memory: {peaks}", flush=True)
    ratio = peaks[10 * _FEW]["anonymous_mb"] / peaks[_FEW]["anonymous_mb"]
    return {"peaks": {str(num): peak for num, peak in peaks.items()}, "ratio": round(ratio, 3), "asked": 1.2}
