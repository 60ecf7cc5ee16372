"""Checkpoints that are not as they were written: each is named, and none is taken for whole."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.engine.build import Desk
from surefoot.engine.fit import fit
from surefoot.types.errors import SurefootError

from .faults import Disk, Fault
from .generations import SHORT, Generation, digest_end, resume, stop_after, train
from .samples import make_desk, start_job


class Stopped(NamedTuple):
    """A run that was stopped after step 4, with checkpoints of steps 2 and 4, and the end of one that was not stopped."""

    desk: Desk
    folder: Path
    old: Generation
    new: Generation
    end: str


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    root = tmp_path_factory.mktemp("stopped")
    desk = make_desk(root)
    stop_after(desk, root / "run", 2)
    old = resume(desk, root / "run")
    stop_after(desk, root / "run", 4)
    return Stopped(desk, root / "run", old, resume(desk, root / "run"), digest_end(train(desk, root / "whole"), root / "whole"))


@pytest.fixture
def folder(stopped: Stopped, tmp_path: Path) -> Path:
    """A copy of the stopped run's folder, to be damaged."""
    return Path(shutil.copytree(stopped.folder, tmp_path / "run"))


def newest(folder: Path, suffix: str) -> Path:
    return folder / "checkpoints" / f"step-000000004{suffix}"


def tear_all(folder: Path) -> None:
    for path in (folder / "checkpoints").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])


def test_a_checkpoint_that_is_whole_is_resumed(stopped: Stopped, folder: Path):
    assert resume(stopped.desk, folder) == stopped.new != stopped.old
    assert digest_end(train(stopped.desk, folder), folder) == stopped.end


def test_a_checkpoint_of_another_model_is_refused_and_names_what_differs(stopped: Stopped, folder: Path):
    job = start_job(stopped.desk, SHORT)
    layers = job.network.body.body
    layers.add_module("10_fc", torch.nn.Linear(32, 5, bias=False))
    layers.add_module("11_fc", torch.nn.Linear(5, 3))
    before = {name: value.clone() for name, value in job.network.state_dict().items()}
    with pytest.raises(SurefootError, match="The checkpoint is of another model") as caught:
        fit(job, SHORT, seed=0, name="run", folder=folder)
    assert caught.value.what.partition(": ")[2] == (
        "body.body.10_fc.bias is only in the checkpoint; body.body.10_fc.weight has shape (3, 32) there, (5, 32) here; "
        "body.body.11_fc.bias is only in the model; body.body.11_fc.weight is only in the model."
    )
    assert caught.value.where == str(newest(folder, ".json"))
    assert "Delete the run's folder" in caught.value.next
    assert all(torch.equal(value, before[name]) for name, value in job.network.state_dict().items())


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_tampered_byte_is_noticed_wherever_it_is(stopped: Stopped, tmp_path_factory: pytest.TempPathFactory, suffix: str, place: float, bit: int):
    folder = Path(shutil.copytree(stopped.folder, tmp_path_factory.mktemp("tampered") / "run"))
    data = bytearray(newest(folder, suffix).read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    newest(folder, suffix).write_bytes(data)
    with Disk(folder):
        found = resume(stopped.desk, folder)
    # the same number may be written in two ways (1e-05 and 1E-05): then nothing was changed
    assert found == stopped.old or (suffix == ".json" and found == stopped.new)


@pytest.mark.parametrize("key", ["step", "num_items", "best_epoch"])
def test_a_manifest_that_tells_another_number_is_not_believed(stopped: Stopped, folder: Path, key: str):
    text = newest(folder, ".json").read_text(encoding="utf-8")
    start = text.index(f'"{key}": ') + len(f'"{key}": ')
    newest(folder, ".json").write_text(text[:start] + "7" + text[start + 1 :], encoding="utf-8")
    assert resume(stopped.desk, folder) == stopped.old


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 1.0])
def test_a_truncated_file_is_noticed_and_named(stopped: Stopped, folder: Path, suffix: str, share: float, caplog: pytest.LogCaptureFixture):
    data = newest(folder, suffix).read_bytes()
    newest(folder, suffix).write_bytes(data[: int(share * (len(data) - 1))])
    assert resume(stopped.desk, folder) == stopped.old
    assert "step-000000004 is torn or altered; the one before it is used" in caplog.text


@pytest.mark.parametrize(
    "garbage", [b"[]", b"42", b"null", b'"step"', b"{}", b'{"sha256": 1}', b"{", b"\xff\xfe\x00", b"[" * 200_000, b'{"sha256": NaN, "step": []}']
)
def test_a_manifest_of_garbage_is_noticed_and_named(stopped: Stopped, folder: Path, garbage: bytes, caplog: pytest.LogCaptureFixture):
    newest(folder, ".json").write_bytes(garbage)
    assert resume(stopped.desk, folder) == stopped.old
    assert "step-000000004 is torn or altered" in caplog.text


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_half_a_checkpoint_is_none(stopped: Stopped, folder: Path, suffix: str):
    newest(folder, suffix).unlink()
    assert resume(stopped.desk, folder) == stopped.old


def test_an_empty_folder_is_a_fresh_start_of_which_nothing_is_said(stopped: Stopped, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    assert digest_end(train(stopped.desk, tmp_path / "run"), tmp_path / "run") == stopped.end
    assert caplog.text == ""


def test_when_both_generations_are_torn_the_run_starts_anew_and_says_so(stopped: Stopped, folder: Path, caplog: pytest.LogCaptureFixture):
    tear_all(folder)
    assert resume(stopped.desk, folder).step == 0
    assert "step-000000004 is torn or altered; the one before it is used" in caplog.text
    assert "step-000000002 is torn or altered; the run starts anew" in caplog.text
    assert digest_end(train(stopped.desk, folder), folder) == stopped.end


def test_a_checkpoint_after_torn_ones_is_kept_and_they_are_not(stopped: Stopped, folder: Path):
    tear_all(folder)
    stop_after(stopped.desk, folder, 1)
    assert [path.name for path in sorted((folder / "checkpoints").iterdir())] == ["step-000000001.json", "step-000000001.safetensors"]
    assert resume(stopped.desk, folder).step == 1


def test_what_a_kill_left_half_written_is_gone_once_the_command_is_given_again(stopped: Stopped, folder: Path):
    (folder / "checkpoints" / ".step-000000005.safetensors.1f.part").write_bytes(b"half")
    (folder / "checkpoints" / "step-000000005.safetensors").write_bytes(b"whole, and its manifest never came")
    assert digest_end(train(stopped.desk, folder), folder) == stopped.end
    assert {path.stem for path in (folder / "checkpoints").iterdir()} == {"step-000000004", "step-000000006"}


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cant_be_written_to_is_said_in_three_parts(stopped: Stopped, folder: Path, code: int):
    with Disk(folder, Fault(1, code, lasts=True)), pytest.raises(SurefootError, match=r"metrics\.jsonl could not be written") as caught:
        train(stopped.desk, folder)
    assert os.strerror(code) in caught.value.what
    assert caught.value.where == str(folder / "metrics.jsonl")
    assert "permissions" in caught.value.next
    assert resume(stopped.desk, folder) == stopped.new


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said_in_three_parts_too(stopped: Stopped, folder: Path):
    folder.chmod(0o500)
    with pytest.raises(SurefootError, match="Permission denied"):
        train(stopped.desk, folder)
    folder.chmod(0o700)


def test_a_checkpoint_that_ctrl_c_asked_for_and_that_could_not_be_written_is_told(stopped: Stopped, folder: Path, caplog: pytest.LogCaptureFixture):
    with Disk(folder, Fault(5 + 1, errno.ENOSPC, lasts=True)):  # the log that a run starts with takes five calls
        stop_after(stopped.desk, folder, 5)
    assert "The disk is full: step-000000005.safetensors could not be written" in caplog.text
    assert resume(stopped.desk, folder) == stopped.new
