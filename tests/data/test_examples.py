"""Examples: batches as the loss takes them, equal whether the pack is held in memory or read from disk."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surefoot.data.examples import Examples, scale_targets
from surefoot.data.packs import Block, Pack, open_pack, write_pack
from surefoot.data.pictures import to_picture
from surefoot.store.blobs import Blobs
from surefoot.types.data_reports import FieldSpec
from surefoot.types.problem import Problem

FIELDS = (
    FieldSpec(name="numeric", shape=(2,), dtype="float32", names=("a", "b")),
    FieldSpec(name="category", shape=(1,), dtype="int32", names=("c",), cardinalities=(4,)),
)
NUMBERS = np.array([[1, np.nan], [3, 4], [5, 6], [7, 8]], np.float32)
CODES = np.array([[0], [1], [2], [3]], np.int32)
STATISTICS = {"target.mean": np.array([2.0]), "target.sd": np.array([4.0])}


def problem(task: str, classes=("x", "y", "z"), log_target: bool = False) -> Problem:
    return Problem(
        question="",
        kind="table",
        task=task,
        target=("t",),
        classes=classes,
        metric="accuracy",
        head="softmax",
        loss="mse",
        num_outputs=1,
        log_target=log_target,
    )


def pack_of(folder, targets, weights=None) -> Pack:
    store = Blobs(folder)
    block = Block([f"id{n}" for n in range(4)], [""] * 4, (NUMBERS, CODES), np.asarray(targets, np.float64), np.asarray(weights or [1.0] * 4, np.float32))
    return open_pack(store, write_pack(store, FIELDS, block.targets.shape[1], [block]))


@pytest.mark.parametrize("rows", [[0], [3, 0, 3], [], [2, 1]])
def test_a_batch_is_the_same_from_memory_and_from_disk(tmp_path, rows):
    pack = pack_of(tmp_path, [[0], [1], [2], [1]], [1.0, 2.0, 1.0, 0.5])
    wanted = torch.tensor(rows, dtype=torch.int64)
    batches = [Examples(pack, problem("multiclass"), in_memory=held).batch(wanted, torch.tensor([0, 1, 2, 1])) for held in (True, False)]
    for batch in batches:
        np.testing.assert_array_equal(batch.inputs[0].numpy(), NUMBERS[rows])
        np.testing.assert_array_equal(batch.inputs[1].numpy(), CODES[rows])
        assert [tensor.dtype for tensor in batch.inputs] == [torch.float32, torch.int32]
        assert batch.targets.tolist() == [[0, 1, 2, 1][row] for row in rows]
        assert batch.weights.tolist() == [[1.0, 2.0, 1.0, 0.5][row] for row in rows]
        assert batch.rows is wanted


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_on_the_cpu_are_gathered_from_examples_on_another_device(tmp_path, monkeypatch, in_memory):
    """As on a GPU, whose `index_select` refuses an index of the CPU: here on the device without numbers."""
    gather = torch.Tensor.index_select

    def refuse(tensor, dim, index):
        assert index.device == tensor.device
        return gather(tensor, dim, index)

    monkeypatch.setattr(torch.Tensor, "index_select", refuse)
    examples = Examples(pack_of(tmp_path, [[0], [1], [2], [1]], [1.0, 2.0, 1.0, 0.5]), problem("multiclass"), in_memory=in_memory, device="meta")
    rows = torch.tensor([3, 0])
    batch = examples.batch(rows, examples.encode(STATISTICS))
    tensors = (*examples.inputs(rows), *batch.inputs, batch.targets, batch.weights)
    assert {(tensor.device.type, len(tensor)) for tensor in tensors} == {("meta", 2)}


def test_the_same_items_can_be_had_without_their_weights(tmp_path):
    examples = Examples(pack_of(tmp_path, [[0], [1], [2], [1]], [1.0, 0.0, 1.0, 0.5]), problem("multiclass"), in_memory=True)
    rows, targets = torch.tensor([1, 2]), torch.tensor([0, 1, 2, 1])
    assert examples.unweighted().batch(rows, targets).weights is None
    assert torch.equal(examples.unweighted().inputs(rows)[0], examples.inputs(rows)[0])
    assert examples.batch(rows, targets).weights.tolist() == [0.0, 1.0]


def test_equal_weights_are_no_weights(tmp_path):
    examples = Examples(pack_of(tmp_path, [[0], [1], [2], [1]]), problem("multiclass"), in_memory=True)
    assert examples.batch(torch.tensor([0]), torch.zeros(4)).weights is None
    assert len(examples) == 4


@pytest.mark.parametrize(
    ("task", "targets", "dtype", "encoded", "plain_dtype"),
    [
        ("multiclass", [[0], [2], [1], [1]], torch.int64, [0, 2, 1, 1], np.int64),
        ("binary", [[0], [1], [1], [0]], torch.float32, [[0], [1], [1], [0]], np.int64),
        ("multilabel", [[0, 1], [1, 1], [0, 0], [1, 0]], torch.float32, [[0, 1], [1, 1], [0, 0], [1, 0]], np.int64),
    ],
)
def test_classes_are_encoded_as_the_loss_and_the_metric_take_them(tmp_path, task, targets, dtype, encoded, plain_dtype):
    examples = Examples(pack_of(tmp_path, targets), problem(task), in_memory=True)
    made = examples.encode(STATISTICS)
    assert made.dtype == dtype
    assert made.tolist() == encoded
    plain = examples.plain_targets(np.array([1, 0]))
    assert plain.dtype == plain_dtype
    expected = np.asarray(targets)[[1, 0]]
    assert plain.tolist() == (expected if task == "multilabel" else expected[:, 0]).tolist()


@pytest.mark.parametrize("log_target", [False, True])
def test_amounts_are_encoded_by_the_statistics_of_the_train_rows_and_reported_as_they_are(tmp_path, log_target):
    amounts = np.array([[0.0], [2.0], [6.0], [1e6]])
    examples = Examples(pack_of(tmp_path, amounts), problem("regression", classes=(), log_target=log_target), in_memory=True)
    scaled = ((np.log1p(amounts) if log_target else amounts) - 2) / 4
    np.testing.assert_allclose(examples.encode(STATISTICS).numpy(), scaled, rtol=1e-6)
    assert examples.encode(STATISTICS).dtype == torch.float32
    assert examples.plain_targets(np.array([3])).tolist() == [[1e6]]
    np.testing.assert_array_equal(scale_targets(examples.problem, amounts), np.log1p(amounts) if log_target else amounts)


def test_pictures_are_shown_with_their_colours_last():
    grey, colour = np.arange(6, dtype=np.uint8).reshape(1, 2, 3), np.arange(18, dtype=np.uint8).reshape(3, 2, 3)
    assert to_picture(grey).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert to_picture(colour).shape == (2, 3, 3)
    assert to_picture(colour)[0, 0].tolist() == [0, 6, 12]
