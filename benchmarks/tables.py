"""`surefoot init` + `surefoot run --budget 2m` with no edited setting on Adult, hypothyroid and bike hourly; net and baselines side by side."""

from __future__ import annotations

from benchmarks.machine import DATA
from benchmarks.walks import walk

_SETS = {"adult": "adult_train.csv.gz", "hypothyroid": "hypothyroid.csv", "bike_hourly": "bike_hourly.csv"}


def run() -> dict[str, object]:
    if not DATA.is_dir():
        return {"skipped": "the shared data sets are not here"}
    found = {}
    for name, file in _SETS.items():
        found[name] = walk(str(DATA / "tabular" / file), "2m")
        print(f"  {name}: {found[name].get('test', found[name])} in {found[name]['seconds']} s", flush=True)
    return found
