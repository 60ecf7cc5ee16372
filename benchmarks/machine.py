"""On what, and of what, a result was measured."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
"""The shared data sets; benchmarks that need them say so where they are absent."""
IS_QUICK = bool(os.environ.get("SUREFOOT_BENCH_QUICK"))
"""Whether tiny sizes are asked for: they show that a benchmark runs and measure nothing, so no result is written."""


def describe() -> dict[str, object]:
    """Processor, cores, memory, versions, commit, day."""
    import torch

    processor = next((line.split(":")[1].strip() for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")), platform.processor())
    memory = next((int(line.split()[1]) // 2**20 for line in _read("/proc/meminfo").splitlines() if line.startswith("MemTotal")), 0)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return {
        "processor": processor, "cores": os.cpu_count(), "memory_gib": memory, "python": platform.python_version(), "torch": torch.__version__,
        "commit": commit, "day": datetime.date.today().isoformat(), "load_before": round(os.getloadavg()[0], 2),
    }  # fmt: skip


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
