"""The split alone: seconds and anonymous memory for 100,000 and 1,000,000 rows, by class, by many labels, in groups of mixed classes."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.machine import IS_QUICK

_ROWS = (10_000, 100_000) if IS_QUICK else (100_000, 1_000_000)
_RUN = """
import json, sys, time
import numpy as np
import pyarrow as pa
from surefoot.data.placing import place_general, place_given, place_rest, read_draft
from surefoot.data.splitting import make_strata, make_units

kind, rows = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
targets = (rng.random((rows, 20)) < rng.uniform(0.002, 0.3, 20)).astype(float) if kind == "labels" else rng.integers(0, 10, (rows, 1)).astype(float)
contents = pa.array([f"{n:016x}" for n in rng.integers(0, 2**62, rows)])
groups = pa.array([f"g{n}" for n in rng.integers(0, rows // 20, rows)]) if kind == "groups" else pa.nulls(rows, pa.string())
lists = pa.FixedSizeListArray.from_arrays(pa.array(targets.ravel()), targets.shape[1]).cast(pa.list_(pa.float64()))
columns = {"id": contents, "content": contents, "given_set": pa.array([""] * rows), "group": groups, "time": pa.nulls(rows, pa.float64()), "target": lists}
index = pa.table(columns)
begin = time.perf_counter()
draft = read_draft(index, frozenset())
task = "multilabel" if kind == "labels" else "multiclass"
units = make_units(draft.contents, draft.groups, make_strata(draft.targets, task), by_content=True, labels=draft.targets > 0 if kind == "labels" else None)
place_given(draft, units, by_content=True)
place_rest(draft, units, {"train": 0.6, "val": 0.2, "test": 0.2}, 0, is_classes=kind != "labels")
place_general(draft, units, 0.1, 0)
seconds = time.perf_counter() - begin
anonymous = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")][0]
names, counts = np.unique(draft.sets.astype(str), return_counts=True)
print(json.dumps({"seconds": round(seconds, 2), "anonymous_mb": round(anonymous / 1024, 1), "sets": dict(zip(names.tolist(), counts.tolist()))}))
"""


def run() -> dict[str, object]:
    found: dict[str, object] = {}
    for kind in ("classes", "labels", "groups"):
        for rows in _ROWS:
            done = subprocess.run([sys.executable, "-c", _RUN, kind, str(rows)], capture_output=True, text=True, check=True)
            found[f"{kind} {rows}"] = json.loads(done.stdout)
            print(f"  {kind}, {rows:,} rows: {found[f'{kind} {rows}']}", flush=True)
    return found
