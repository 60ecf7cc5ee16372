"""Packing and training a picture folder, and splitting a table, of ten times the items: at most 1.2 times the anonymous memory, above the in-memory limit
(set to 1 MB); beside it the audit of the table, which holds its columns."""

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

from benchmarks.machine import IS_QUICK
from benchmarks.walks import surefoot

_FEW, _SIDE = 300 if IS_QUICK else 3_000, 32
_ROWS = 1_000 if IS_QUICK else 100_000
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
        return {"peaks": {str(num): peak for num, peak in peaks.items()}, "ratio": round(ratio, 3), "asked": 1.2, "table": _measure_table(folder)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure_table(folder: Path) -> dict[str, object]:
    """Six columns of numbers and three of words, as one CSV; each step in a process of its own."""
    peaks: dict[str, dict[str, float]] = {"audit": {}, "split": {}}
    for num in (_ROWS, 10 * _ROWS):
        make_table(folder / f"rows{num}.csv", num)
        surefoot("init", str(folder / f"rows{num}.csv"), "--out", str(folder / f"table{num}"), "--budget", "smoke")
        for step, found in peaks.items():
            found[str(num)] = _peak([sys.executable, "-m", "surefoot", "run", str(folder / f"table{num}"), "--to", step])["anonymous_mb"]
    print(f"  rows: {peaks}", flush=True)
    return {step: {"peaks": found, "ratio": round(found[str(10 * _ROWS)] / found[str(_ROWS)], 3)} for step, found in peaks.items()}


def make_table(path: Path, num: int) -> None:
    """Numbers and words; the first two numbers tell the target."""
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(num, 6)).round(4)
    words = generator.choice(["red", "green", "blue", "grey"], (num, 3))
    with path.open("w", encoding="utf-8") as file:
        file.write("a,b,c,d,e,f,u,v,w,y\n")
        for row, some in zip(numbers.tolist(), words.tolist()):
            file.write(",".join([*map(str, row), *some, "yes" if row[0] > 0.2 * row[1] else "no"]) + "\n")


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
