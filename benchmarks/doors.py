"""How fast the doors open: `surefoot --help` (at most 0.3 s, no torch), `import surefoot` (at most 0.2 s); median of 15."""

from __future__ import annotations

import statistics
import subprocess
import sys
from time import perf_counter

_TIMES = 15


def run() -> dict[str, object]:
    bare = _time([sys.executable, "-c", "pass"])
    return {
        "python alone": bare,
        "surefoot --help": _time([sys.executable, "-m", "surefoot", "--help"]),
        "import surefoot": _time([sys.executable, "-c", "import surefoot"]),
        "help imports torch": "torch" in _imports("--help"),
    }


def _imports(*words: str) -> str:
    return subprocess.run([sys.executable, "-X", "importtime", "-m", "surefoot", *words], capture_output=True, text=True).stderr


def _time(command: list[str]) -> dict[str, float]:
    seconds = []
    for _ in range(_TIMES):
        started = perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(perf_counter() - started)
    return {"median_s": round(statistics.median(seconds), 3), "min_s": round(min(seconds), 3), "max_s": round(max(seconds), 3)}
