"""Packs: what goes in comes out, row by row, whatever its values, its order and its number; and damage is noticed."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot.data import jpeg, packs, shards
from surefoot.data.packs import BLOCK, Block, Manner, open_pack, read_manifest, write_pack
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


def _shard(store: Blobs, ref: str):
    return store.path(read_manifest(store, ref).shards[0].file)


def _flip(path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_an_altered_block_is_noticed_when_it_is_read_and_named_and_the_others_are_read(store):
    ref, inputs, _ = make(store, 40, size=8)
    blocks = read_manifest(store, ref).shards[0].blocks
    assert len(blocks) == 5
    _flip(_shard(store, ref), blocks[3].offset + blocks[3].length - 100)
    pack = open_pack(store, ref)
    assert_equal(pack.gather(np.arange(24)), tuple(x[:24] for x in inputs))
    with pytest.raises(DamagedError, match=f"Block 3 of 5 of the pack {ref[:12]} was altered") as caught:
        (pack.gather(np.arange(40)), pack.targets, pack.weights, pack.ids(), pack.places())
    assert caught.value.where == str(_shard(store, ref))
    assert "surefoot run --from prepare" in caught.value.next


@given(st.integers(0, 10**9))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bit_is_flipped_a_pack_gives_what_was_written_or_says_that_it_is_damaged(tmp_path_factory, drawn):
    store = Blobs(tmp_path_factory.mktemp("flip"))
    ref, inputs, targets = make(store, 20, size=8)
    path = _shard(store, ref)
    _flip(path, drawn % path.stat().st_size)
    try:
        pack = open_pack(store, ref)
        read = pack.read_all(), pack.targets, pack.ids().tolist()
    except DamagedError:
        return
    assert_equal(read[0], inputs)
    np.testing.assert_array_equal(read[1], targets)
    assert read[2] == [f"id-{n}" for n in range(20)]


def test_an_altered_manifest_is_noticed_when_the_pack_is_opened(store):
    ref, _, _ = make(store, 40)
    _flip(store.path(ref), 300)
    with pytest.raises(DamagedError, match=f"{ref[:12]} was altered"):
        open_pack(store, ref)


def test_a_cut_pack_is_noticed(store):
    ref, _, _ = make(store, 40, size=8)
    content = _shard(store, ref).read_bytes()
    _shard(store, ref).write_bytes(content[: len(content) // 2])
    pack = open_pack(store, ref)
    assert len(pack.gather(np.array([0]))[0]) == 1
    with pytest.raises(DamagedError, match=r"Block 4 of 5 .* the file breaks off"):
        pack.gather(np.array([39]))


def test_opening_a_pack_reads_none_of_its_items(store, monkeypatch):
    ref, _, _ = make(store, 3 * BLOCK)
    summed = []
    monkeypatch.setattr(shards, "_sum", lambda *buffers: summed.append(buffers) or "")
    open_pack(store, ref)
    assert summed == []


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


def test_blocks_may_be_of_any_size(store):
    ref, inputs, targets = make(store, 20, size=7)
    pack = open_pack(store, ref)
    wanted = np.array([19, 0, 6, 7, 13, 14, 0])
    assert_equal(pack.gather(wanted), tuple(x[wanted] for x in inputs))
    np.testing.assert_array_equal(pack.targets, targets)


def test_a_disk_that_fills_up_in_the_middle_of_a_pack_ends_with_exit_code_5(store, monkeypatch):
    written = []

    def write(self, data):
        written.append(len(memoryview(data).cast("B")))
        if len(written) > 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self.file.write(data)

    monkeypatch.setattr(Writing, "write", write)
    with pytest.raises(ResourceError, match="disk is full") as caught:
        make(store, 3 * BLOCK)
    assert caught.value.exit_code == 5
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


# items of several lengths, and pictures as files


@given(hnp.arrays(np.int32, st.tuples(st.integers(0, 12), st.just(5), st.just(2)), elements=st.integers(0, 2)), st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ragged_items_come_back_with_zeros_at_their_end_in_any_order(tmp_path_factory, drawn, data):
    field = FieldSpec(name="boxes", shape=(5, 2), dtype="int32", is_ragged=True)
    store = Blobs(tmp_path_factory.mktemp("ragged"))
    blocks = cut([str(n) for n in range(len(drawn))], (drawn,), np.zeros((len(drawn), 1)), np.ones(len(drawn), np.float32), 4)
    pack = open_pack(store, write_pack(store, (field,), 1, blocks))
    rows = np.asarray(data.draw(st.lists(st.integers(0, max(len(drawn) - 1, 0)), max_size=20 if len(drawn) else 0)), np.int64)
    assert_equal(pack.gather(rows), (drawn[rows],))
    assert_equal(pack.read_all(), (drawn,))


def test_ragged_items_take_no_room_for_the_zeros_at_their_end(store):
    texts = np.zeros((500, 2_000), np.int32)
    texts[:, :10] = 7
    sizes = []
    for is_ragged in (False, True):
        field = FieldSpec(name="text", shape=(2_000,), dtype="int32", is_ragged=is_ragged)
        ref = write_pack(store, (field,), 1, cut(["x"] * 500, (texts,), np.zeros((500, 1)), np.ones(500, np.float32), 500))
        sizes.append(_shard(store, ref).stat().st_size)
    assert sizes[1] < sizes[0] / 50


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_stored_as_jpeg_come_back_as_good_as_their_quality_says(store, channels):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    pictures = np.stack([np.broadcast_to(np.roll(ramp, 7 * n), (channels, 64, 64)) for n in range(9)])
    field, errors = FieldSpec(name="image", shape=(channels, 64, 64), dtype="uint8"), []
    for quality in (30, 98):
        blocks = cut(list("abcdefghi"), ([jpeg.encode(one, quality) for one in pictures],), np.zeros((9, 1)), np.ones(9, np.float32), 4)
        pack = open_pack(store, write_pack(store, (field,), 1, blocks, manner=Manner(forms={"image": "jpeg"})))
        order = np.array([8, 0, 3, 3])
        np.testing.assert_array_equal(pack.gather(order)[0], pack.read_all()[0][order])
        errors.append(np.abs(pack.read_all()[0].astype(int) - pictures).mean())
    assert errors[1] < 1 < errors[0] < 10


def test_how_many_threads_decode_changes_no_pixel(monkeypatch):
    pictures = np.random.default_rng(0).integers(0, 256, (37, 3, 20, 24), dtype=np.uint8)
    files, made = [jpeg.encode(one, 80) for one in pictures], []
    for cores in (1, 2, 5):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        made.append(jpeg.allocate(37, (3, 20, 24)))
        jpeg.decode_into(files, made[-1])
    assert (made[0] == made[1]).all()
    assert (made[0] == made[2]).all()


# going on


def test_an_interrupted_packing_goes_on_after_its_last_whole_shard_and_ends_byte_for_byte_the_same(store, tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "_SHARD_BLOCKS", 2)
    ref, inputs, targets = make(store, 50, size=8)
    blocks = cut([f"id-{n}" for n in range(50)], inputs, targets, open_pack(store, ref).weights, 8)
    other, begun = Blobs(tmp_path / "other"), []

    def from_block(start: int, until: int = 99):
        begun.append(start)
        yield from blocks[start:until]
        if until < 99:
            raise KeyboardInterrupt("the power went")

    manner = Manner(journal=tmp_path / "journal.jsonl", key="of these items")
    with pytest.raises(KeyboardInterrupt, match="power"):
        write_pack(other, FIELDS, 2, lambda start: from_block(start, until=5), manner=manner)
    with manner.journal.open("ab") as file:
        file.write(b'{"file": "torn')
    assert write_pack(other, FIELDS, 2, from_block, manner=manner) == ref
    assert begun == [0, 4]
    write_pack(other, FIELDS, 2, from_block, manner=Manner(journal=manner.journal, key="of others"))
    assert begun == [0, 4, 0]
    other.remove(read_manifest(other, ref).shards[1].file)
    assert write_pack(other, FIELDS, 2, from_block, manner=Manner(journal=manner.journal, key="of others")) == ref
    assert begun == [0, 4, 0, 2]
    assert_equal(open_pack(other, ref).read_all(), inputs)


# as a data set


def test_a_pack_is_a_data_set_as_pytorch_takes_it(store):
    from torch.utils.data import DataLoader

    images = np.arange(10 * 4, dtype=np.uint8).reshape(10, 1, 2, 2)
    blocks = cut([str(n) for n in range(10)], (images,), np.arange(10.0).reshape(-1, 1) % 3, np.ones(10, np.float32), 4)
    pack = open_pack(store, write_pack(store, (FieldSpec(name="image", shape=(1, 2, 2), dtype="uint8"),), 1, blocks, manner=Manner(classes=("a", "b", "c"))))
    picture, target = pack[4]
    assert (picture == images[4]).all()
    assert target == 1
    assert (pack[-1][0] == images[9]).all()
    batches = list(DataLoader(pack, batch_size=4))
    assert [tuple(batch.shape) for batch, _ in batches] == [(4, 1, 2, 2), (4, 1, 2, 2), (2, 1, 2, 2)]
    assert [label for _, labels in batches for label in labels.tolist()] == [n % 3 for n in range(10)]
    with pytest.raises(IndexError, match="has 10 items, and 10 was asked for"):
        pack[10]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores
def test_batches_are_the_same_for_any_number_of_workers(store):
    import torch
    from torch.utils.data import DataLoader

    images = np.random.default_rng(0).integers(0, 256, (50, 3, 12, 12), dtype=np.uint8)
    blocks = cut([str(n) for n in range(50)], ([jpeg.encode(one, 90) for one in images],), np.arange(50.0)[:, None] % 3, np.ones(50, np.float32), 16)
    manner = Manner(classes=("a", "b", "c"), forms={"image": "jpeg"})
    pack = open_pack(store, write_pack(store, (FieldSpec(name="image", shape=(3, 12, 12), dtype="uint8"),), 1, blocks, manner=manner))

    def read(workers: int) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(7)
        loader = DataLoader(pack, batch_size=8, shuffle=True, generator=generator, num_workers=workers, multiprocessing_context="spawn" if workers else None)
        return [part for batch in loader for part in batch]

    alone = read(0)
    together = read(2)
    assert len(alone) == len(together) == 14
    assert all(torch.equal(one, other) for one, other in zip(alone, together))


def test_batches_hold_every_item_once_in_an_order_of_each_epoch_and_go_on_from_any_position(store):
    ref, inputs, targets = make(store, 50)
    pack = open_pack(store, ref)
    epoch = list(pack.batches(8, seed=1, epoch=2))
    assert [len(target) for _, target in epoch] == [8] * 6 + [2]
    assert np.sort(np.concatenate([target[:, 0] for _, target in epoch])).tolist() == np.sort(targets[:, 0]).tolist()
    rest = list(pack.batches(8, seed=1, epoch=2, start=5))
    assert_equal(rest[0][0], epoch[5][0])
    assert len(rest) == 2
    assert not np.array_equal(epoch[0][1], next(pack.batches(8, seed=1, epoch=3))[1])
    plain = list(pack.batches(20, shuffle=False))
    assert_equal(plain[0][0], tuple(x[:20] for x in inputs))
