"""kill -9 in each step of the road on digits, then the same command: weights and figures must equal those of a run that was not killed."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.walks import surefoot

_MEASURED = ("threads", "items per second", "seconds per row", "FLOP per second", "compiling")
_BUDGET = ("--budget", "smoke", "--set", "train.threads=1")


def run() -> dict[str, object]:
    folder = Path(tempfile.mkdtemp(prefix="surefoot-kills-"))
    try:
        whole = _whole(folder / "whole")
        seconds = {step["step"]: step["seconds"] for step in whole["steps"]}
        found = {}
        for step in seconds:
            found[step] = _kill_in(step, folder / step, folder / "whole", whole, seconds[step])
            print(f"  {step}: {found[step]}", flush=True)
        return {"equal": sum(one["equal"] for one in found.values()), "of": len(found), "steps": found}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _whole(project: Path) -> dict:
    surefoot("init", "sklearn:digits", "--out", str(project), "--budget", "smoke")
    done = surefoot("run", str(project), *_BUDGET)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(surefoot("status", str(project), "--json").stdout)


def _kill_in(step: str, project: Path, whole_project: Path, whole: dict, seconds: float) -> dict[str, object]:
    """Kills the run in the middle of a step, goes on, and compares everything but times."""
    surefoot("init", "sklearn:digits", "--out", str(project), "--budget", "smoke")
    _share_clock(whole_project, project)
    process = subprocess.Popen([sys.executable, "-m", "surefoot", "run", str(project), *_BUDGET], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    number = int(step[1:3])
    for line in process.stderr:
        if line.startswith(f"[{number:2d}/"):
            break
    time.sleep(seconds / 2)
    process.kill()
    process.wait()
    again = surefoot("run", str(project), *_BUDGET)
    status = json.loads(surefoot("status", str(project), "--json").stdout)
    different = [a["step"] for a, b in zip(whole["steps"], status["steps"]) if _plain(a) != _plain(b)]
    return {"exit": again.returncode, "equal": again.returncode == 0 and not different and len(status["steps"]) == len(whole["steps"]), "different": different}


def _share_clock(whole: Path, project: Path) -> None:
    """Writes down for this project what the clock decided in the whole one (rates, and with them how much simple models get to see), and nothing else of it."""
    shutil.copy(whole / "surefoot.db", project / "surefoot.db")
    with contextlib.closing(sqlite3.connect(project / "surefoot.db")) as ledger, ledger:
        for (table,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table != "decisions":
                ledger.execute(f"DELETE FROM {table}")
        ledger.execute("DELETE FROM decisions WHERE NOT (" + " OR ".join(f"name LIKE '{start}%'" for start in _MEASURED) + ")")


def _plain(step: dict) -> object:
    """A step's report without what a clock or a folder's name tells."""
    skipped = {"seconds", "rate", "latency_ms", "throughput", "when", "openings", "at", "csv"}

    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {name: strip(one) for name, one in value.items() if name not in skipped}
        return [strip(one) for one in value] if isinstance(value, list) else value

    return strip(step["report"])
