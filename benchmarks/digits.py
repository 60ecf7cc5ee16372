"""The demo's road on scikit-learn's digits over ten split seeds: mean test accuracy (at least 0.98 asked) and seconds (at most 120 asked)."""

from __future__ import annotations

import statistics

from benchmarks.walks import walk
from surefoot.cli.start import DEMO_BUDGET, DEMO_DATA


def run() -> dict[str, object]:
    walks = []
    for seed in range(10):
        walks.append(walk(DEMO_DATA, DEMO_BUDGET, seed=seed))
        print(f"  seed {seed}: {walks[-1].get('test', walks[-1])} in {walks[-1]['seconds']} s", flush=True)
    tests = [float(w["test"]) for w in walks]  # type: ignore[arg-type]
    seconds = [float(w["seconds"]) for w in walks]  # type: ignore[arg-type]
    return {
        "mean": round(statistics.mean(tests), 4), "sd": round(statistics.stdev(tests), 4), "worst": min(tests), "median_seconds": statistics.median(seconds),
        "most_seconds": max(seconds), "tests": tests, "findings": [w["findings"] for w in walks],
    }  # fmt: skip
