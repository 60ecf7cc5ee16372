"""The split of a table: seconds, and anonymous memory for ten times the rows (100,000 and 1,000,000): by class, by many labels, in groups of mixed classes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import memory
from benchmarks.machine import IS_QUICK

_ROWS = (10_000, 100_000) if IS_QUICK else (100_000, 1_000_000)
_ASKED = 1.2
_MAKE = """
import sys
import numpy as np
import pyarrow as pa
from pathlib import Path
from surefoot.store.blobs import Blobs

folder, kind, rows = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
rng = np.random.default_rng(0)
targets = (rng.random((rows, 20)) < rng.uniform(0.002, 0.3, 20)).astype(float) if kind == "labels" else rng.integers(0, 10, (rows, 1)).astype(float)
contents = [f"{n:016x}" for n in rng.integers(0, 2**62, rows)]
groups = pa.array([f"g{n}" for n in rng.integers(0, rows // 20, rows)]) if kind == "groups" else pa.nulls(rows, pa.string())
lists = pa.FixedSizeListArray.from_arrays(pa.array(targets.ravel()), targets.shape[1]).cast(pa.list_(pa.float64()))
columns = {"id": [f"{content}-0" for content in contents], "content": contents, "given_set": [""] * rows, "group": groups, "near": pa.nulls(rows, pa.string())}
columns |= {"time": pa.nulls(rows, pa.float64()), "target": lists, "source": ["source"] * rows}
print(Blobs(folder).put_table(pa.table(columns)))
"""
_RUN = """
import json, sys, time
from pathlib import Path
import numpy as np
from surefoot.events import Announcer
from surefoot.steps.s03_split import split
from surefoot.store.blobs import Blobs
from surefoot.types import AuditReport, Context, Problem, SplitStepConfig

folder, kind, ref, out = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
store = Blobs(folder)
ctx = Context(folder, folder, 1, 0, "cpu", store, None, Announcer())
names = tuple(f"class {n}" for n in range(20 if kind == "labels" else 10))
task = ("multilabel", "sigmoid", "binary_cross_entropy") if kind == "labels" else ("multiclass", "softmax", "cross_entropy")
said = dict(zip(("task", "head", "loss"), task))
problem = Problem(question="?", kind="table", target=("y",), metric="accuracy", num_outputs=len(names), classes=names, **said)
rows = store.get_table(ref).num_rows
audit = AuditReport(fingerprint="", num_items=rows, num_usable=rows, index=ref, refused=(), balance={}, columns=(), findings=())
begin = time.perf_counter()
report = split(ctx, SplitStepConfig(), problem=problem, audit=audit)
out.write_text(json.dumps({"seconds": round(time.perf_counter() - begin, 2), "sets": report.counts}))
"""


def run() -> dict[str, object]:
    folder = Path(tempfile.mkdtemp(prefix="surefoot-split-"))
    try:
        return {kind: _measure(folder, kind) for kind in ("classes", "labels", "groups")}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, kind: str) -> dict[str, object]:
    """Each size in a process of its own, which finds the index in a store and leaves the sets there, as on the road."""
    found: dict[str, dict[str, object]] = {}
    for rows in _ROWS:
        ref = subprocess.run([sys.executable, "-c", _MAKE, str(folder), kind, str(rows)], capture_output=True, text=True, check=True).stdout.strip()
        told = folder / "told.json"
        peak = memory._peak([sys.executable, "-c", _RUN, str(folder), kind, ref, str(told)])
        found[str(rows)] = peak | json.loads(told.read_text(encoding="utf-8"))
        print(f"  {kind}, {rows:,} rows: {found[str(rows)]}", flush=True)
    few, many = (float(str(found[str(rows)]["anonymous_mb"])) for rows in _ROWS)
    return {"sizes": found, "ratio": round(many / few, 3), "asked": _ASKED}
