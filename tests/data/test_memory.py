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
    return np.random.default_rng(row).integers(0, 256, (64, 64, 3), dtype=np.uint8)

source = ImageSource([f"{n}.png" for n in range(num)], ["a"] * num, [""] * num, read)
recipe = {"kind": "image", "height": 64, "width": 64, "channels": 3}
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
