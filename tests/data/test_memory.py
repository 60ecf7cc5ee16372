"""Packing, measuring and reading ten times the items takes no more memory of the process's own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from surefoot.data.examples import Examples
from surefoot.data.making import Items, make_blocks
from surefoot.data.packs import open_pack, write_pack
from surefoot.data.preprocess import fields
from surefoot.store.blobs import Blobs
from surefoot.transforms.statistics import measure
from surefoot.types import ImageSource, Problem
import torch

def own():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

num, peak = int(sys.argv[2]), 0
def read(row):
    global peak
    if row % 64 == 0:
        peak = max(peak, own())
    return np.random.default_rng(row).integers(0, 256, (48, 48, 3), dtype=np.uint8)

source = ImageSource([f"{n}.png" for n in range(num)], ["a"] * num, [""] * num, read)
recipe = {"kind": "image", "height": 48, "width": 48, "channels": 3}
items = Items(np.arange(num), [f"{n}" for n in range(num)], np.zeros((num, 1)), np.ones(num, np.float32))
store = Blobs(Path(sys.argv[1]))
pack = open_pack(store, write_pack(store, fields(recipe), 1, make_blocks(source, recipe, items)))
measure(pack.fields, (chunk for chunk in pack.chunks(np.arange(num))), pack.targets)
peak = max(peak, own())
problem = Problem(question="?", kind="image", task="multiclass", target=("y",), metric="accuracy", head="softmax", loss="cross_entropy", num_outputs=2)
examples = Examples(pack, problem, in_memory=False)
targets, order = examples.encode({}), torch.from_numpy(np.random.default_rng(0).permutation(num))
for at in range(0, num, 64):
    examples.batch(order[at:at + 64], targets)
    peak = max(peak, own())
print(json.dumps(peak))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how much of a process's memory is its own")
def test_ten_times_the_pictures_take_at_most_a_fifth_more_memory(tmp_path):
    peaks = []
    for num in (1_500, 15_000):
        done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / f"{num}"), str(num)], capture_output=True, text=True, check=True)
        peaks.append(json.loads(done.stdout))
    assert peaks[1] <= 1.2 * peaks[0], f"{peaks} kB"


SPLIT = """
import json, sys, tracemalloc
import numpy as np
import pyarrow as pa
from surefoot.data.placing import place_general, place_given, place_rest, read_draft, straddling
from surefoot.data.splitting import make_strata
from surefoot.data.units import make_units

rows, task = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
targets = (rng.random((rows, 20)) < 0.15).astype(float) if task == "multilabel" else rng.integers(0, 9, (rows, 1)).astype(float)
contents = [f"{n:016x}" for n in rng.integers(0, 2**62, rows)]
columns = {"id": [f"{content}-0" for content in contents], "content": contents, "given_set": [""] * rows, "group": pa.nulls(rows, pa.string())}
columns |= {"time": pa.nulls(rows, pa.float64()), "target": pa.array(targets.tolist()), "source": ["one"] * rows}
index = pa.table(columns)
tracemalloc.start()
draft = read_draft(index, frozenset())
strata, labels = make_strata(draft.targets, task), draft.targets if task == "multilabel" else None
units = make_units(draft.contents, draft.groups, strata, by_content=True, labels=labels)
place_given(draft, units, by_content=True)
place_rest(draft, units, {"train": 0.6, "val": 0.2, "test": 0.2}, 0, is_classes=task == "multiclass")
place_general(draft, units, 0.1, 0)
straddling(draft, units, by_content=True)
print(json.dumps(tracemalloc.get_traced_memory()[1]))
"""


@pytest.mark.parametrize(("task", "most"), [("multiclass", 70), ("multilabel", 110)])
def test_splitting_takes_arrays_of_a_few_bytes_a_row_and_no_python_object(task, most):
    """Words, lists and dicts took 310 bytes a row, 450 with 20 labels, which made the split of a million rows 3 times as large as that of a tenth of them."""
    sizes, peaks = (80_000, 200_000), []
    for rows in sizes:
        done = subprocess.run([sys.executable, "-c", SPLIT, str(rows), task], capture_output=True, text=True, check=True)
        peaks.append(json.loads(done.stdout))
    assert (peaks[1] - peaks[0]) / (sizes[1] - sizes[0]) < most
