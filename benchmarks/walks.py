"""Walks the whole road in a process of its own, as a user does, and reads the result from `surefoot status --json`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter


def surefoot(*words: str) -> subprocess.CompletedProcess[str]:
    """One command line."""
    return subprocess.run([sys.executable, "-m", "surefoot", *words], capture_output=True, text=True)


def walk(data: str, budget: str, *, seed: int = 0, init: tuple[str, ...] = (), run: tuple[str, ...] = ()) -> dict[str, object]:
    """init + run; what it reached, in how many seconds, and what the report found."""
    folder = Path(tempfile.mkdtemp(prefix="surefoot-bench-"))
    try:
        started = perf_counter()
        made = surefoot("init", data, "--out", str(folder / "project"), "--budget", budget, *init)
        done = surefoot("run", str(folder / "project"), "--set", f"seed={seed}", *run)
        seconds = perf_counter() - started
        if made.returncode or done.returncode:
            return {"failed": (made.stderr + done.stderr)[-600:], "seconds": round(seconds, 1)}
        return _read(folder / "project") | {"seconds": round(seconds, 1)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(project: Path) -> dict[str, object]:
    status = json.loads(surefoot("status", str(project), "--json").stdout)
    reports = {step["step"]: step["report"] for step in status["steps"]}
    tune, test = reports["s08_tune"], reports["s13_test"]
    return {
        "metric": test["metric"], "test": test["value"], "interval": test["interval"],
        "winner": tune["winner"], "val": tune["val"]["value"], "net_on_val": tune["net"]["value"],
        "tuned_on_test": test["tuned"]["value"], "baselines_on_val": {name: score["value"] for name, score in reports["s05_baseline"]["models"].items()},
        "epochs": tune["epochs"], "parameters": reports["s07_overfit"]["ladder"][reports["s07_overfit"]["chosen"]]["parameters"],
        "findings": sorted({f"{f['severity']} {f['code']}" for step in status["steps"] for f in step["findings"]}),
        "step_seconds": {step["step"]: round(step["seconds"], 1) for step in status["steps"]},
    }  # fmt: skip
