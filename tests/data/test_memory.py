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

rows = int(sys.argv[1])
rng = np.random.default_rng(0)
contents = [f"{n:016x}" for n in rng.integers(0, 2**62, rows)]
columns = {"id": [f"{content}-0" for content in contents], "content": contents, "given_set": [""] * rows, "group": pa.nulls(rows, pa.string())}
columns |= {"time": pa.nulls(rows, pa.float64()), "target": pa.array(rng.integers(0, 9, (rows, 1)).astype(float).tolist()), "source": ["one"] * rows}
index = pa.table(columns)
tracemalloc.start()
draft = read_draft(index, frozenset())
units = make_units(draft.contents, draft.groups, make_strata(draft.targets, "multiclass"), by_content=True)
place_given(draft, units, by_content=True)
place_rest(draft, units, {"train": 0.6, "val": 0.2, "test": 0.2}, 0, is_classes=True)
place_general(draft, units, 0.1, 0)
straddling(draft)
print(json.dumps(tracemalloc.get_traced_memory()[1]))
"""


def test_splitting_takes_arrays_of_a_few_bytes_a_row_and_no_python_object():
    """Words, lists and dicts took 310 bytes a row, which made the split of a million rows 3.2 times as large as that of a hundred thousand."""
    sizes = (80_000, 200_000)
    few, many = (json.loads(subprocess.run([sys.executable, "-c", SPLIT, str(rows)], capture_output=True, text=True, check=True).stdout) for rows in sizes)
    assert (many - few) / (sizes[1] - sizes[0]) < 70
