"""Packing and training a picture folder of ten times the items: at most 1.2 times the anonymous memory, above the in-memory limit (set to 1 MB)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.walks import surefoot

_FEW, _SIDE = 6_000, 32
_RUN = (
    "--to", "tune", "--budget", "smoke", "--set", "data.memory_mb=1", "--set", "train.threads=1", "--set", "model.width=8", "--set", "model.depth=1",
    "--set", "train.batch_size=64",
)  # fmt: skip
"""One batch size for both: left open it would follow from the number of items, and activations with it."""


def run() -> dict[str, object]:
    folder = Path(tempfile.mkdtemp(prefix="surefoot-memory-"))
    try:
        peaks = {}
        for num in (_FEW, 10 * _FEW):
            _make(folder / f"photos{num}", num)
            surefoot("init", str(folder / f"photos{num}"), "--out", str(folder / f"project{num}"), "--budget", "smoke")
            peaks[num] = _peak([sys.executable, "-m", "surefoot", "run", str(folder / f"project{num}"), *_RUN])
            print(f"  {num} pictures: {peaks[num]}", flush=True)
        ratio = peaks[10 * _FEW]["anonymous_mb"] / peaks[_FEW]["anonymous_mb"]
        return {"peaks": {str(num): peak for num, peak in peaks.items()}, "ratio": round(ratio, 3), "asked": 1.2}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(folder: Path, num: int) -> None:
    """Noise with a bright corner that tells the class."""
    generator = np.random.default_rng(0)
    for number in range(num):
        label = number % 2
        image = generator.integers(0, 160, (_SIDE, _SIDE, 3)).astype(np.uint8)
        image[:8, 24 * label : 24 * label + 8] += 90
        place = folder / f"class{label}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")


def _peak(command: list[str]) -> dict[str, float]:
    """The largest anonymous memory (RssAnon) of the process while it ran, in MB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            try:
                lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
            except OSError:
                return
            peak = max([peak, *(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))])
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    process.wait()
    thread.join()
    return {"anonymous_mb": round(peak / 1024, 1), "exit": process.returncode}
