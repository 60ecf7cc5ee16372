"""`python -m benchmarks NAME ...`: runs benchmarks and writes their results with machine and commit."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from benchmarks.machine import IS_QUICK, describe

NAMES = (
    "doors", "digits", "mnist", "mnist_epochs", "cifar10", "pictures", "tables", "kills", "kill200", "memory", "audit", "split", "drift", "loading",
    "coverage", "mislabels", "planted", "loop", "first99", "gpu",
)  # fmt: skip


def main(names: list[str]) -> int:
    if not names or set(names) - set(NAMES):
        print(f"Benchmarks: {', '.join(NAMES)}. Give one or more.")
        return 0 if not names else 2
    for name in names:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name}: {(module.__doc__ or '').strip()}")
        results = {"what": (module.__doc__ or "").strip(), "machine": describe(), "results": module.run()}
        if IS_QUICK:
            print(json.dumps(results, indent=1))
            continue
        path = Path(__file__).parent / "results" / f"{name}.json"
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(f"  -> {path.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
