"""The disk fails at every call, and the power goes at every moment: a run loses at most what it did since its last checkpoint, and is never wrong."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from surefoot.engine.build import Desk
from surefoot.types.errors import ResourceError, SurefootError

from .crashes import Files, crash, read_files
from .faults import Call, Disk, Fault
from .generations import Generation, digest_end, resume, stop_after, train
from .samples import make_desk

# the disk fails


class Whole(NamedTuple):
    """A run without faults: its end, its calls, and what each of its checkpoints holds. `finished`: what was left by faults and gone on from so far."""

    desk: Desk
    end: str
    calls: list[Call]
    generations: dict[int, Generation]
    finished: set[tuple[Generation, frozenset[str]]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("whole")
    desk, generations = make_desk(root), {}
    with Disk(root / "run") as disk:
        end = digest_end(train(desk, root / "run"), root / "run")
    for step in (0, 2, 4, 6):
        if step:
            stop_after(desk, root / "steps", step)
        generations[step] = resume(desk, root / "steps")
    assert [generation.step for generation in generations.values()] == [0, 2, 4, 6]
    return Whole(desk, end, disk.calls, generations, set())


def last_synced(calls: Sequence[Call]) -> int:
    """The step of the last checkpoint that these calls made to stay; 0 where there is none."""
    steps = [0]
    for number, call in enumerate(calls):
        is_manifest = call.name == "rename" and call.target is not None and call.target.name.startswith("step-") and call.target.suffix == ".json"
        if is_manifest and any(later.name == "sync_folder" and later.path == call.path.parent for later in calls[number:]):
            steps.append(int(call.target.stem.removeprefix("step-")))  # type: ignore[union-attr]
    return max(steps)


def fail_once(whole: Whole, folder: Path, fault: Fault) -> SurefootError | None:
    """Runs on a disk with a fault, and asks that what is left be whole and that the same command end as if nothing had been."""
    error, copy = None, folder.with_name("copy")
    with Disk(folder, fault) as disk:
        try:
            end = digest_end(train(whole.desk, folder), folder)
        except SurefootError as caught:
            error = caught
    assert disk.has_failed(), fault
    if error is None:
        assert end == whole.end, fault
    folder.mkdir(exist_ok=True)  # the fault may have been that it could not be made
    with Disk(shutil.copytree(folder, copy)):
        left = resume(whole.desk, copy)
    assert left == whole.generations[left.step], fault
    assert left.step >= last_synced(disk.calls[: fault.number - 1]), fault
    key = left, frozenset(str(path.relative_to(folder)) for path in folder.rglob("*"))
    if key not in whole.finished:  # the same files with the same content: the same end
        with Disk(folder):
            assert digest_end(train(whole.desk, folder), folder) == whole.end, fault
        whole.finished.add(key)
    assert not list(folder.rglob("*.part")), fault
    shutil.rmtree(copy)
    shutil.rmtree(folder)
    return error


def test_the_run_that_is_made_to_fail_writes_often_enough_and_not_too_often(whole: Whole):
    names = [call.name for call in whole.calls]
    assert set(names) == {"mkdir", "create", "write", "sync", "rename", "sync_folder", "unlink"}
    assert 6 <= names.count("write") <= 40


@pytest.mark.parametrize(("code", "lasts", "kind"), [(errno.ENOSPC, True, ResourceError), (errno.EIO, False, SurefootError)])
def test_a_disk_that_fails_at_any_call_ends_the_run_in_three_parts_and_the_same_command_ends_it_bit_equal(
    whole: Whole, tmp_path: Path, code: int, lasts: bool, kind: type[SurefootError]
):
    for number in range(1, len(whole.calls) + 1):
        error = fail_once(whole, tmp_path / "run", Fault(number, code, lasts))
        assert type(error) is kind, number
        assert error.exit_code == (5 if code == errno.ENOSPC else 1)
        assert error.what
        assert error.where.startswith(str(tmp_path / "run"))
        assert "the same command again" in error.next


def test_a_write_that_takes_only_half_of_its_bytes_is_completed(whole: Whole, tmp_path: Path):
    for number, call in enumerate(whole.calls, 1):
        if call.name == "write":
            assert fail_once(whole, tmp_path / "run", Fault(number)) is None


# the power goes


class Recorded(NamedTuple):
    """A checkpoint over two earlier ones: what was there, the calls that wrote it, and what the newest held before and after."""

    desk: Desk
    before: Files
    calls: list[Call]
    old: Generation
    new: Generation


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    root = tmp_path_factory.mktemp("recorded")
    desk, folder = make_desk(root), root / "run"
    stop_after(desk, folder, 3)
    old, before = resume(desk, folder), read_files(folder)
    with Disk(folder) as disk:
        stop_after(desk, folder, 4)
    new = resume(desk, folder)
    assert (old.step, new.step) == (3, 4)
    return Recorded(desk, before, disk.calls, old, new)


def count_states(recorded: Recorded, calls: Sequence[Call], scratch: Path) -> int:
    """Lays out each state that a crash may leave and resumes from it; how many there were. The last call made, only the new one will do."""
    num, seen = 0, {}
    root = next(path for path in recorded.before if path.name == "metrics.jsonl").parent
    for cut, files in crash(recorded.before, calls):
        key = frozenset(files.items())
        if key not in seen:
            num += 1
            for path, data in files.items():
                target = scratch / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            with Disk(scratch):
                seen[key] = resume(recorded.desk, scratch)
            shutil.rmtree(scratch)
        assert seen[key] in (recorded.old, recorded.new), f"a mix after call {cut}: {sorted(path.name for path in files)}"
        assert cut < len(calls) or seen[key] == recorded.new, f"a checkpoint that was written is lost: {sorted(path.name for path in files)}"
    return num


def test_a_crash_at_any_moment_leaves_the_old_checkpoint_or_the_new_one(recorded: Recorded, tmp_path: Path):
    names = [call.name for call in recorded.calls]
    assert names.count("unlink") == 2  # the oldest of three generations
    assert count_states(recorded, recorded.calls, tmp_path / "run") > 10


def is_last_of(calls: Sequence[Call], call: Call) -> bool:
    return call is [one for one in calls if (one.name, one.path) == (call.name, call.path)][-1]


@pytest.mark.parametrize(
    "lost",
    [
        lambda calls, call: call.name == "sync",
        lambda calls, call: call.name == "sync" and ".safetensors." in call.path.name,
        lambda calls, call: call.name == "sync" and "step-" in call.path.name and ".json." in call.path.name,
        lambda calls, call: call.name == "sync_folder",
        lambda calls, call: call.name == "sync_folder" and call.path.name == "checkpoints" and is_last_of(calls, call),
    ],
    ids=["all files", "the tensors", "the manifest", "all folders", "the folder, last"],
)
def test_without_a_sync_the_check_above_finds_a_checkpoint_that_is_lost(recorded: Recorded, tmp_path: Path, lost: Callable[[Sequence[Call], Call], bool]):
    kept = [call for call in recorded.calls if not lost(recorded.calls, call)]
    assert len(kept) < len(recorded.calls)
    with pytest.raises(AssertionError, match="a checkpoint that was written is lost"):
        count_states(recorded, kept, tmp_path / "run")
