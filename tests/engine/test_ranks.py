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


def start(folder: Path, processes: int) -> Path:
    folder.mkdir()
    script = [str(Path(__file__).with_name("ranks_script.py")), str(folder)]
    launch = (
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes)]
        if processes > 1
        else [sys.executable]
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run([*launch, *script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="gloo over loopback is tested on Linux")
def test_three_processes_end_where_one_does_also_with_uneven_tails(tmp_path: Path) -> None:
    """100 items in batches of 25 over three processes: parts of nine and eight."""
    alone, shared = start(tmp_path / "alone", 1), start(tmp_path / "shared", 3)
    expected, found = load_file(alone / "weights.safetensors"), load_file(shared / "weights.safetensors")
    for name, value in expected.items():
        assert torch.allclose(found[name], value, atol=1e-5), name
    assert (shared / "log.txt").read_text() == (alone / "log.txt").read_text()
    assert len(list((shared / "run" / "checkpoints").glob("*.json"))) == 2  # written by the first alone


def test_a_process_that_is_alone_has_the_whole_batch() -> None:
    rows = torch.arange(7)
    assert torch.equal(ranks.part_of(rows), rows)
    assert (ranks.count(), ranks.weigh(7), ranks.is_first(), ranks.join()) == (1, 1.0, True, False)
