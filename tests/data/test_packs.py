"""Packs: what goes in comes out, row by row, whatever its values, its order and its number; and damage is noticed."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot.data import packs
from surefoot.data.packs import BLOCK, Block, Pack, open_pack, write_pack
from surefoot.store.blobs import Blobs, Writing
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import DamagedError, ResourceError

FIELDS = (
    FieldSpec(name="image", shape=(1, 2, 3), dtype="uint8"),
    FieldSpec(name="numeric", shape=(2,), dtype="float32", names=("a", "b")),
    FieldSpec(name="category", shape=(3,), dtype="int32", names=("c", "d", "e"), cardinalities=(9, 9, 9)),
)


def cut(ids, inputs, targets, weights, size: int) -> list[Block]:
    return [
        Block(
            ids[at : at + size],
            [f"file:{i}" for i in ids[at : at + size]],
            tuple(x[at : at + size] for x in inputs),
            targets[at : at + size],
            weights[at : at + size],
        )
        for at in range(0, len(ids), size)
    ]


def make(store: Blobs, rows: int, *, size: int = BLOCK, seed: int = 0) -> tuple[str, tuple[np.ndarray, ...], np.ndarray]:
    """A pack of random values, NaN and infinities among them; returns its ref, inputs and targets."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 2)).astype(np.float32)
    numbers[rng.random((rows, 2)) < 0.2] = np.nan
    inputs = (rng.integers(0, 256, (rows, 1, 2, 3), dtype=np.uint8), numbers, rng.integers(-(2**31), 2**31, (rows, 3)).astype(np.int32))
    targets = rng.normal(size=(rows, 2))
    blocks = cut([f"id-{n}" for n in range(rows)], inputs, targets, rng.random(rows).astype(np.float32), size)
    return write_pack(store, FIELDS, 2, blocks), inputs, targets


def assert_equal(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> None:
    assert [(a.dtype, a.shape) for a in one] == [(b.dtype, b.shape) for b in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def store(tmp_path):
    return Blobs(tmp_path / "store")


# round trips


@given(
    st.integers(0, 13).flatmap(
        lambda rows: st.tuples(
            hnp.arrays(np.uint8, (rows, 1, 2, 3)),
            hnp.arrays(np.float32, (rows, 2), elements=st.floats(width=32, allow_nan=True)),
            hnp.arrays(np.int32, (rows, 3)),
            hnp.arrays(np.float64, (rows, 2), elements=st.floats(allow_nan=True)),
            st.lists(st.integers(0, max(rows - 1, 0)), max_size=20 if rows else 0),
        )
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_comes_back_in_any_order_and_as_often_as_asked(tmp_path_factory, monkeypatch, drawn):
    monkeypatch.setattr(packs, "BLOCK", 4)  # so that a dozen rows are several blocks
    image, numeric, category, targets, rows = drawn
    inputs = (image, numeric, category)
    store = Blobs(tmp_path_factory.mktemp("pack"))
    ids = [f"Ä-{n}" for n in range(len(image))]
    pack = open_pack(store, write_pack(store, FIELDS, 2, cut(ids, inputs, targets, np.ones(len(image), np.float32), 4)))
    assert len(pack) == len(image)
    assert_equal(pack.read_all(), inputs)
    np.testing.assert_array_equal(pack.targets, targets)
    wanted = np.asarray(rows, np.int64)
    assert_equal(pack.gather(wanted), tuple(x[wanted] for x in inputs))
    assert pack.ids(wanted).tolist() == [ids[row] for row in rows]


def test_bits_of_special_numbers_are_kept(store):
    special = np.array([[np.nan, np.inf], [-np.inf, -0.0], [np.finfo(np.float32).max, 1e-45]], np.float32)
    block = Block(["a", "b", "c"], ["", "", ""], (special,), np.array([[np.nan], [np.inf], [-0.0]]), np.ones(3, np.float32))
    pack = open_pack(store, write_pack(store, (FieldSpec(name="numeric", shape=(2,), dtype="float32"),), 1, [block]))
    assert pack.read_all()[0].tobytes() == special.tobytes()
    assert pack.targets.tobytes() == block.targets.tobytes()


@pytest.mark.parametrize("rows", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 452])
def test_packs_of_several_blocks_are_read_as_one(store, rows):
    ref, inputs, targets = make(store, rows)
    pack = open_pack(store, ref)
    assert len(pack) == rows
    assert pack.fields == FIELDS
    assert_equal(pack.read_all(), inputs)
    np.testing.assert_array_equal(pack.targets, targets)
    wanted = np.random.default_rng(1).integers(0, rows, 3 * rows)
    assert_equal(pack.gather(wanted), tuple(x[wanted] for x in inputs))
    assert pack.ids()[[0, -1]].tolist() == ["id-0", f"id-{rows - 1}"]
    assert pack.places(np.array([rows - 1, 0])).tolist() == [f"file:id-{rows - 1}", "file:id-0"]


def test_chunks_are_gather_in_parts(store):
    ref, inputs, _ = make(store, 50)
    pack = open_pack(store, ref)
    wanted = np.random.default_rng(2).permutation(50)[:37]
    parts = list(pack.chunks(wanted, size=10))
    assert [len(part[0]) for part in parts] == [10, 10, 10, 7]
    assert_equal(tuple(np.concatenate([part[k] for part in parts]) for k in range(3)), tuple(x[wanted] for x in inputs))


def test_an_empty_pack_is_a_pack(store):
    pack = open_pack(store, write_pack(store, FIELDS, 2, []))
    assert len(pack) == pack.num_bytes == 0
    assert_equal(pack.read_all(), (np.empty((0, 1, 2, 3), np.uint8), np.empty((0, 2), np.float32), np.empty((0, 3), np.int32)))
    assert_equal(pack.gather(np.arange(0)), pack.read_all())
    assert pack.targets.shape == (0, 2)
    assert pack.weights.shape == (0,)
    assert pack.ids().tolist() == pack.places().tolist() == pack.ids(np.arange(0)).tolist() == []
    assert list(pack.chunks(np.arange(0))) == []


def test_asking_for_no_rows_gives_none(store):
    ref, _, _ = make(store, 5)
    assert [array.shape for array in open_pack(store, ref).gather(np.arange(0))] == [(0, 1, 2, 3), (0, 2), (0, 3)]


def test_what_is_gathered_is_a_copy_that_may_be_written_to(store):
    ref, inputs, _ = make(store, 5)
    pack = open_pack(store, ref)
    for arrays in (pack.gather(np.arange(5)), pack.read_all()):
        arrays[0][:] = 0
    assert_equal(pack.read_all(), inputs)


def test_weights_and_bytes_are_as_given(store):
    block = Block(["a", "b"], ["", ""], (np.zeros((2, 3), np.float32),), np.zeros((2, 1)), np.array([0.5, 2.0], np.float32))
    pack = open_pack(store, write_pack(store, (FieldSpec(name="numeric", shape=(3,), dtype="float32"),), 1, [block]))
    assert pack.weights.tolist() == [0.5, 2.0]
    assert pack.weights.dtype == np.float32
    assert pack.num_bytes == 2 * 3 * 4


def test_equal_rows_make_an_equal_pack(store):
    assert make(store, 30)[0] == make(store, 30)[0]
    assert make(store, 30)[0] != make(store, 30, seed=1)[0]


# what goes wrong


@pytest.mark.parametrize("place", [200, -200, "middle"])
def test_an_altered_pack_is_noticed_and_named(store, place):
    ref, _, _ = make(store, 40)
    open_pack(store, ref)
    content = bytearray(store.path(ref).read_bytes())
    content[len(content) // 2 if place == "middle" else place] ^= 1
    store.path(ref).write_bytes(content)
    with pytest.raises(DamagedError, match=f"pack {ref[:12]} was altered") as caught:
        open_pack(store, ref)
    assert caught.value.where == str(store.path(ref))
    assert "surefoot run --from prepare" in caught.value.next


def test_a_cut_pack_is_noticed(store):
    ref, _, _ = make(store, 40)
    content = store.path(ref).read_bytes()
    store.path(ref).write_bytes(content[: len(content) // 2])
    with pytest.raises(DamagedError, match="was altered"):
        open_pack(store, ref)


def test_a_missing_pack_is_named(store):
    ref, _, _ = make(store, 3)
    store.remove(ref)
    with pytest.raises(DamagedError, match=f"{ref[:12]} is missing"):
        open_pack(store, ref)


def test_a_pack_that_breaks_off_leaves_nothing(store):
    def blocks():
        yield from cut(["a"] * BLOCK, (np.zeros((BLOCK, 2), np.float32),), np.zeros((BLOCK, 1)), np.ones(BLOCK, np.float32), BLOCK)
        raise ValueError("a picture can't be read")

    with pytest.raises(ValueError, match="can't be read"):
        write_pack(store, FIELDS[1:2], 1, blocks())
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


def test_blocks_of_uneven_size_are_refused_for_rows_would_be_mixed_up(store):
    with pytest.raises(AssertionError, match="must be the last"):
        make(store, 20, size=8)


def test_a_pack_is_read_without_holding_it(store):
    ref, inputs, _ = make(store, 20)
    pack = Pack(store.path(ref))
    assert_equal(pack.gather(np.array([19, 0])), tuple(x[[19, 0]] for x in inputs))


def test_a_disk_that_fills_up_in_the_middle_of_a_pack_ends_with_exit_code_5(store, monkeypatch):
    written = []

    def write(self, data):
        written.append(len(memoryview(data).cast("B")))
        if len(written) > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(data)

    monkeypatch.setattr(Writing, "write", write)
    with pytest.raises(ResourceError, match="disk is full") as caught:
        make(store, 3 * BLOCK)
    assert caught.value.exit_code == 5
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
