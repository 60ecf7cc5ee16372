"""Several processes train the net that one would: the settings name the global batch only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from surefoot.engine import ranks

ROOT = Path(__file__).resolve().parents[2]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="gloo over loopback is tested on Linux")


def start(folder: Path, processes: int, optimizer: str = "nesterov", shard: str = "off", epochs: float = 2.0, *, heavy_by: int = 0) -> Path:
    """Args: heavy_by: items at a time, of items that weigh differently; 0: the whole part of items that weigh the same."""
    folder.mkdir(exist_ok=True)
    launch("ranks_script.py", processes, str(folder), optimizer, shard, str(epochs), str(heavy_by), "heavy" if heavy_by else "plain")
    return folder


def launch(script: str, processes: int, *arguments: str) -> None:
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command += [str(Path(__file__).with_name(script)), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]


def demand_same(alone: Path, shared: Path) -> None:
    """The weights to rounding, the log to the digits that are written, and checkpoints by the first process alone."""
    expected, found = load_file(alone / "weights.safetensors"), load_file(shared / "weights.safetensors")
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.allclose(found[name], value, atol=1e-5), name
    assert (shared / "log.txt").read_text() == (alone / "log.txt").read_text()
    assert len(list((shared / "run" / "checkpoints").glob("*.json"))) == 2


@ON_LINUX
def test_three_processes_end_where_one_does_also_with_uneven_tails(tmp_path: Path) -> None:
    """100 items in batches of 25 over three processes: parts of nine and eight."""
    demand_same(start(tmp_path / "alone", 1), start(tmp_path / "shared", 3))


@ON_LINUX
def test_two_processes_end_where_one_does_where_items_and_classes_weigh_and_a_part_is_taken_in_parts(tmp_path: Path) -> None:
    """Parts of thirteen and twelve, by four: as many small parts in each process, four, and each counts as its items weigh."""
    demand_same(start(tmp_path / "alone", 1, heavy_by=100), start(tmp_path / "shared", 2, heavy_by=4))


@ON_LINUX
def test_processes_that_share_the_weights_too_end_where_one_does_and_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    """Two processes, each with a part of every weight; the run is extended in its folder, so that it goes on from a checkpoint."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    for epochs in (1.0, 2.0):
        start(alone, 1, "adamw", epochs=epochs)
        start(shared, 2, "adamw", shard="on", epochs=epochs)
    demand_same(alone, shared)


@ON_LINUX
def test_each_process_drops_out_by_its_own_draws_and_goes_on_bit_equal_from_a_checkpoint(tmp_path: Path) -> None:
    launch("ranks_dropout_script.py", 2, str(tmp_path))
    first, second = (load_file(tmp_path / f"dropped{rank}.safetensors")["dropped"][:12] for rank in (0, 1))
    assert 0.4 < first.float().mean() < 0.6
    assert 0.4 < (first != second).float().mean() < 0.6, "masks that have nothing to do with each other differ in half of the places"
    whole, cut = (load_file(tmp_path / f"{name}.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(cut[name], value) for name, value in whole.items())


def test_a_process_that_is_alone_has_the_whole_batch() -> None:
    rows = torch.arange(7)
    assert torch.equal(ranks.part_of(rows), rows)
    alone = (ranks.count(), ranks.count_own(7), ranks.count_most(7), ranks.is_first(), ranks.place(), ranks.join())
    assert alone == (1, 7, 7, True, (), False)
