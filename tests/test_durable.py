"""The one place that writes files: old or new, never a mix, whatever fails and whenever."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot import durable
from surefoot.types.errors import ResourceError, SurefootError


class Faults:
    """Makes the n-th of all opens, writes, syncs and renames fail; `number` 0 only counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, code: int = errno.ENOSPC) -> None:
        self.seen: list[str] = []
        self.number, self.code = number, code
        for name in ("fsync", "replace", "open"):
            monkeypatch.setattr(os, name, self.wrap(name, getattr(os, name)))
        opened = self.wrap("open", Path.open)
        monkeypatch.setattr(Path, "open", lambda path, mode: Watched(opened(path, mode), self))

    def note(self, name: str) -> None:
        self.seen.append(name)
        if len(self.seen) == self.number:
            raise OSError(self.code, os.strerror(self.code))

    def wrap(self, name: str, function):
        return lambda *args: self.note(name) or function(*args)


class Watched(io.FileIO):
    """The same file without a buffer, so that each write is one call that may fail."""

    def __init__(self, file, faults: Faults) -> None:
        super().__init__(os.dup(file.fileno()), "rb+" if "+" in file.mode else "wb")
        self.faults = faults
        file.close()

    def write(self, data) -> int:
        self.faults.note("write")
        return super().write(data)


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.part"))


def list_calls(act) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        faults = Faults(patch, 0)
        act()
    return faults.seen


def test_replace_writes_a_new_file_and_its_folders(tmp_path):
    durable.replace(tmp_path / "a" / "b" / "c.txt", b"new")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"new"
    assert parts(tmp_path) == []


@settings(max_examples=30)
@given(old=st.binary(max_size=200), new=st.binary(max_size=200))
def test_replace_leaves_exactly_the_new_bytes(tmp_path_factory, old, new):
    path = tmp_path_factory.mktemp("replace") / "file"
    durable.replace(path, old)
    durable.replace(path, new)
    assert path.read_bytes() == new
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_replace_is_old_or_new_when_the_disk_fills_up_at_any_call(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    calls = list_calls(lambda: durable.replace(path, b"new"))
    assert calls == ["open", "write", "fsync", "replace", "open", "fsync"]
    contents = []
    for number in range(1, len(calls) + 1):
        path.write_bytes(b"old")
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, number)
            with pytest.raises(ResourceError, match=r"The disk is full: model\.bin") as caught:
                durable.replace(path, b"new")
        assert caught.value.exit_code == 5
        assert caught.value.where == str(path)
        assert "surefoot clean" in caught.value.next
        contents.append(path.read_bytes())
        assert parts(tmp_path) == []
    renamed = contents.index(b"new")
    assert set(contents[:renamed]) == {b"old"}
    assert set(contents[renamed:]) == {b"new"}
    assert renamed == calls.index("replace") + 1


def test_a_new_file_is_absent_or_whole_when_the_disk_fills_up_at_any_call(tmp_path):
    calls = list_calls(lambda: durable.replace(tmp_path / "counted" / "sub" / "x", b"new"))
    assert calls.count("fsync") == 4  # the file, its folder, and both new folders in the ones that name them
    for number in range(1, len(calls) + 1):
        path = tmp_path / str(number) / "sub" / "x"
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, number)
            with pytest.raises(ResourceError, match="disk is full"):
                durable.replace(path, b"new")
        assert not path.exists() or path.read_bytes() == b"new"
        assert parts(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_a_full_quota_and_a_too_large_file_end_with_exit_code_5(tmp_path, monkeypatch, code):
    Faults(monkeypatch, 2, code)
    with pytest.raises(ResourceError, match="disk is full"):
        durable.replace(tmp_path / "x", b"new")


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
def test_a_folder_that_cant_be_written_to_is_said_in_three_parts(tmp_path, monkeypatch, code):
    Faults(monkeypatch, 1, code)
    with pytest.raises(SurefootError, match=r"x\.txt could not be written") as caught:
        durable.replace(tmp_path / "x.txt", b"new")
    assert not isinstance(caught.value, ResourceError)
    assert os.strerror(code) in caught.value.what
    assert caught.value.where == str(tmp_path / "x.txt")
    assert "permissions" in caught.value.next


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said_in_three_parts(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SurefootError, match=r"x\.txt could not be written: Permission denied"):
        durable.replace(tmp_path / "x.txt", b"new")


def test_a_file_in_the_place_of_a_folder_is_said_in_three_parts(tmp_path):
    (tmp_path / "runs").write_text("I am a file")
    with pytest.raises(SurefootError, match="x could not be written") as caught:
        durable.replace(tmp_path / "runs" / "deep" / "x", b"new")
    assert caught.value.where.endswith("x")
    assert caught.value.next


def test_an_error_in_the_block_changes_nothing_and_is_passed_on(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def fails() -> None:
        with durable.replacing(path) as file:
            file.write(b"half")
            raise ValueError("a bad row")

    with pytest.raises(ValueError, match="a bad row"):
        fails()
    assert path.read_bytes() == b"old"
    assert parts(tmp_path) == []


def test_an_interrupt_in_the_block_changes_nothing(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with durable.replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt("now")

    with pytest.raises(KeyboardInterrupt, match="now"):
        interrupted()
    assert path.read_bytes() == b"old"
    assert parts(tmp_path) == []


def test_a_file_that_the_block_fails_to_read_is_not_blamed_on_the_one_it_writes(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"), durable.replacing(tmp_path / "x") as file:
        file.write((tmp_path / "absent.csv").read_bytes())
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    durable.replace(tmp_path / "ours", b"")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")}
    assert len(modes) == 1


def test_rename_gives_a_file_its_name_and_replaces_what_had_it(tmp_path):
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    durable.rename(tmp_path / "new", tmp_path / "old")
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == b"new"


def test_rename_says_that_the_disk_is_full(tmp_path):
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")
    with pytest.MonkeyPatch.context() as patch:
        Faults(patch, 1)
        with pytest.raises(ResourceError, match="old could not be written"):
            durable.rename(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_bytes() == b"old"


# append


def test_append_adds_whole_lines(tmp_path):
    log = tmp_path / "deep" / "metrics.jsonl"
    for line in (b"one", b"", b"three"):
        durable.append(log, line)
    assert log.read_bytes() == b"one\n\nthree\n"


@settings(max_examples=30)
@given(lines=st.lists(st.binary(max_size=6000).filter(lambda line: b"\n" not in line), max_size=4), torn=st.binary(min_size=1, max_size=9000))
def test_append_cuts_a_torn_last_line_and_nothing_else(tmp_path_factory, lines, torn):
    log = tmp_path_factory.mktemp("append") / "log"
    whole = b"".join(line + b"\n" for line in lines)
    log.write_bytes(whole + torn.replace(b"\n", b"x"))
    durable.append(log, b"next")
    assert log.read_bytes() == whole + b"next\n"


def test_append_loses_no_earlier_line_when_the_disk_fills_up_at_any_call(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"zero\n")
    calls = list_calls(lambda: durable.append(log, b"first"))
    assert calls == ["open", "write", "fsync"]
    for number in range(1, len(calls) + 1):
        log.write_bytes(b"one\ntwo\n")
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, number)
            with pytest.raises(ResourceError, match="log could not be written"):
                durable.append(log, b"three")
        assert log.read_bytes().startswith(b"one\ntwo\n")
        durable.append(log, b"four")
        assert log.read_bytes() in (b"one\ntwo\nfour\n", b"one\ntwo\nthree\nfour\n")


def test_a_new_log_syncs_its_folder_too(tmp_path):
    log = tmp_path / "log"
    assert list_calls(lambda: durable.append(log, b"first")) == ["open", "write", "fsync", "open", "fsync"]
    assert list_calls(lambda: durable.append(log, b"second")) == ["open", "write", "fsync"]


def test_a_line_of_a_log_holds_no_newline(tmp_path):
    with pytest.raises(ValueError, match="no newline"):
        durable.append(tmp_path / "log", b"one\ntwo")


# remove and sweep


def test_remove_deletes_a_file_and_does_not_mind_a_missing_one(tmp_path):
    (tmp_path / "x").write_bytes(b"")
    durable.remove(tmp_path / "x")
    durable.remove(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_what_cant_be_deleted_is_said_in_three_parts(tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    with pytest.raises(SurefootError, match="x could not be deleted") as caught:
        durable.remove(tmp_path / "x")
    assert caught.value.where == str(tmp_path / "x")
    assert caught.value.next


def test_sweep_deletes_what_a_crash_left_and_nothing_else(tmp_path):
    (tmp_path / "ab").mkdir()
    for name in ("keep", "keep.part", "ab/.file"):
        (tmp_path / name).write_bytes(b"mine")
    for name in (".x.1234.part", "ab/.y.part"):
        (tmp_path / name).write_bytes(b"torn")
    assert durable.sweep(tmp_path) == 2
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [".file", "keep", "keep.part"]
    assert durable.sweep(tmp_path) == 0


def test_sweep_knows_the_temporary_files_that_replacing_makes(tmp_path):
    with durable.replacing(tmp_path / "x") as file:
        file.write(b"half")
        left = [path for path in tmp_path.iterdir() if path.name != "x"]
        (tmp_path / "copy").mkdir()
        (tmp_path / "copy" / left[0].name).write_bytes(b"half")
    assert durable.sweep(tmp_path) == 1
