"""Stored files: named by their content, whole or absent, and never altered unnoticed."""

from __future__ import annotations

import errno
import hashlib
import os

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot import durable
from surefoot.store.blobs import Blobs
from surefoot.types.errors import DamagedError, ResourceError

DTYPES = st.sampled_from(["uint8", "int16", "int32", "int64", "float32", "float64", "bool"])


@pytest.fixture
def store(tmp_path):
    return Blobs(tmp_path / "store")


def files(store: Blobs) -> list[str]:
    return sorted(path.name for path in store.folder.rglob("*") if path.is_file())


# names


def test_a_file_lies_under_the_hash_of_its_content(store):
    ref = store.put_bytes(b"seven")
    assert ref == hashlib.sha256(b"seven").hexdigest()
    assert store.path(ref) == store.folder / ref[:2] / ref[2:]
    assert store.path(ref).read_bytes() == b"seven"
    assert store.get_bytes(ref) == b"seven"


def test_equal_content_is_stored_once(store):
    assert store.put_bytes(b"x") == store.put_bytes(b"x")
    assert len(files(store)) == 1
    assert store.put_bytes(b"y") != store.put_bytes(b"x")
    assert sorted(store.refs()) == sorted(hashlib.sha256(data).hexdigest() for data in (b"x", b"y"))


def test_all_ways_to_store_the_same_bytes_give_the_same_name(store, tmp_path):
    data = os.urandom(3 << 20)
    (tmp_path / "file").write_bytes(data)
    with store.writing() as target:
        for start in range(0, len(data), 100_000):
            assert target.tell() == start
            assert target.write(data[start : start + 100_000]) == len(data[start : start + 100_000])
        target.flush()
    assert {target.ref, store.put_bytes(data), store.put_file(tmp_path / "file")} == {hashlib.sha256(data).hexdigest()}
    assert len(files(store)) == 1


def test_has_tells_what_is_there(store):
    ref = store.put_bytes(b"x")
    assert store.has(ref)
    assert not store.has("0" * 64)


@pytest.mark.parametrize("ref", ["", "abc", "../../../etc/passwd", "A" * 64, "g" * 64, "0" * 65, "0" * 64 + "\n"])
def test_what_is_no_hash_names_no_file(store, ref):
    with pytest.raises(DamagedError, match="no name of a stored file"):
        store.path(ref)


# content


@given(
    st.dictionaries(
        st.text("abc.{}0", min_size=1, max_size=5), hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)), max_size=4
    )
)
@settings(max_examples=40)
def test_arrays_are_read_back_equal(tmp_path_factory, arrays):
    store = Blobs(tmp_path_factory.mktemp("store"))
    read = store.get_arrays(store.put_arrays(arrays))
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)  # NaN equals NaN here
        assert read[name].shape == array.shape


def test_arrays_may_lie_in_memory_in_any_order(store):
    array = np.arange(24).reshape(2, 3, 4)
    read = store.get_arrays(store.put_arrays({"turned": array.transpose(2, 0, 1), "every other": array[:, ::2]}))
    np.testing.assert_array_equal(read["turned"], array.transpose(2, 0, 1))
    np.testing.assert_array_equal(read["every other"], array[:, ::2])


def test_equal_arrays_have_the_same_name_whatever_their_order(store):
    one, two = np.arange(3), np.ones((2, 2), np.float32)
    assert store.put_arrays({"a": one, "b": two}) == store.put_arrays({"b": two.copy(order="F"), "a": one})


def test_tables_are_read_back_equal(store):
    table = pa.table({"id": ["a", None], "val_folds": pa.array([[1, 2], []], pa.list_(pa.int32())), "weight": pa.array([0.5, float("nan")], pa.float32())})
    assert store.get_table(store.put_table(table)).schema == table.schema
    assert store.get_table(store.put_table(table)).slice(0, 1).equals(table.slice(0, 1))
    assert store.get_table(store.put_table(table.slice(0, 0))).num_rows == 0


def test_nothing_is_content_too(store):
    assert store.get_bytes(store.put_bytes(b"")) == b""
    assert store.get_arrays(store.put_arrays({})) == {}


# damage


def test_a_missing_file_is_named(store):
    ref = store.put_bytes(b"x")
    store.path(ref).unlink()
    with pytest.raises(DamagedError, match=f"{ref[:12]} is missing") as caught:
        store.get_bytes(ref)
    assert caught.value.where.endswith(ref[2:])
    assert "surefoot run" in caught.value.next


@pytest.mark.parametrize("damage", [b"y", b"", b"x and more"])
@pytest.mark.parametrize("read", ["get_bytes", "get_arrays", "get_table"])
def test_an_altered_file_is_noticed_and_named(store, damage, read):
    ref = store.put_bytes(b"x")
    store.path(ref).write_bytes(damage)
    with pytest.raises(DamagedError, match=f"{ref[:12]} was altered") as caught:
        getattr(store, read)(ref)
    assert caught.value.where == str(store.path(ref))
    assert "surefoot run" in caught.value.next


def test_storing_the_content_again_mends_an_altered_file(store, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    ref = store.put_bytes(b"x")
    for put in (lambda: store.put_bytes(b"x"), lambda: store.put_file(tmp_path / "file")):
        store.path(ref).write_bytes(b"y")
        assert put() == ref
        assert store.get_bytes(ref) == b"x"


# failures


def test_a_stream_that_breaks_off_leaves_nothing(store):
    store.put_bytes(b"before")

    def breaks_off() -> None:
        with store.writing() as target:
            target.write(b"half")
            raise ValueError("a bad block")

    with pytest.raises(ValueError, match="a bad block"):
        breaks_off()
    assert files(store) == [hashlib.sha256(b"before").hexdigest()[2:]]


def stream(store: Blobs) -> None:
    with store.writing() as target:
        target.write(b"whole")


def fill_disk(patch: pytest.MonkeyPatch, name: str, number: int) -> list[int]:
    """Makes the n-th call of `os.fsync` or `os.replace` find the disk full; returns the calls it sees."""
    real, calls = getattr(os, name), []

    def call(*args):
        calls.append(len(calls))
        if len(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*args)

    patch.setattr(os, name, call)
    return calls


@pytest.mark.parametrize("name", ["fsync", "replace"])
@pytest.mark.parametrize("put", [lambda store: store.put_bytes(b"whole"), stream], ids=["bytes", "stream"])
def test_a_full_disk_leaves_no_half_file_whichever_call_meets_it(tmp_path, name, put):
    with pytest.MonkeyPatch.context() as patch:
        calls = fill_disk(patch, name, 0)
        put(Blobs(tmp_path / "counted"))
    assert calls
    for number in range(1, len(calls) + 1):
        store = Blobs(tmp_path / str(number))
        with pytest.MonkeyPatch.context() as patch:
            fill_disk(patch, name, number)
            with pytest.raises(ResourceError, match="disk is full"):
                put(store)
        assert files(store) in ([], [hashlib.sha256(b"whole").hexdigest()[2:]])
        put(store)
        assert store.get_bytes(hashlib.sha256(b"whole").hexdigest()) == b"whole"


def test_a_file_that_is_not_there_cant_be_stored(store, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        store.put_file(tmp_path / "absent")
    assert list(store.refs()) == []


# order


def test_what_a_crash_left_is_swept_and_never_taken_for_a_stored_file(store):
    ref = store.put_bytes(b"x")
    (store.folder / ".1234.part").write_bytes(b"torn")
    (store.folder / ref[:2] / f".{ref[2:]}.1234.part").write_bytes(b"torn")
    (store.folder / ref[:2] / ".DS_Store").write_bytes(b"litter")
    assert list(store.refs()) == [ref]
    assert durable.sweep(store.folder) == 2
    assert store.get_bytes(ref) == b"x"


def test_a_stream_under_way_leaves_a_file_that_sweep_knows(store):
    with store.writing() as target:
        target.write(b"half")
        assert all(name.startswith(".") and name.endswith(".part") for name in files(store))
        assert len(files(store)) == 1


def test_remove_frees_what_it_says(store):
    ref = store.put_bytes(b"12345")
    assert store.remove(ref) == 5
    assert not store.has(ref)
    assert store.remove(ref) == 0


def test_an_empty_store_holds_nothing(store):
    assert list(store.refs()) == []


def test_what_is_stored_already_is_stored_again_where_no_file_in_use_can_be_replaced(store, tmp_path, monkeypatch):
    """Windows replaces no file that is mapped."""
    ref = store.put_bytes(b"the same again")

    def refuse(path, target):
        raise PermissionError(errno.EACCES, "Access is denied", str(target))

    with store.writing() as target:
        target.write(b"the same again")
        monkeypatch.setattr(os, "replace", lambda path, name: refuse(path, name) if str(name).endswith(ref[2:]) else os.rename(path, name))
    assert target.ref == ref
    assert store.get_bytes(ref) == b"the same again"
    assert not list(store.folder.glob(".*.part"))
