"""What a net is given: finite, scaled, and the same in the exported graph."""

from __future__ import annotations

import warnings

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot.transforms.prepare import Finish, build_prepare, prepared_fields
from surefoot.transforms.statistics import measure
from surefoot.types.data_reports import FieldSpec

IMAGE = (FieldSpec(name="image", shape=(3, 4, 5), dtype="uint8"),)
NUMERIC = FieldSpec(name="numeric", shape=(3,), dtype="float32", names=("a", "b", "c"))
CATEGORY = FieldSpec(name="category", shape=(2,), dtype="int32", names=("d", "e"), cardinalities=(3, 4))
NUMBERS = np.array([[1, np.nan, 10], [2, 5, 20], [3, 7, 30], [4, 9, 40]], np.float32)
CODES = np.array([[1, 1], [2, 3], [1, 3], [0, 1]], np.int32)


def fit(fields, *arrays):
    rows = len(arrays[0])
    found = measure(fields, [arrays], np.zeros((rows, 1)))
    return build_prepare(fields, found), found


def test_pictures_get_zero_mean_and_unit_spread_per_channel():
    images = np.random.default_rng(0).integers(0, 256, (64, 3, 4, 5), dtype=np.uint8)
    images[:, 1] //= 4
    prepare, _ = fit(IMAGE, images)
    (made,) = prepare(torch.from_numpy(images))
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.mean((0, 2, 3)).numpy(), 0, atol=1e-5)
    np.testing.assert_allclose(made.std((0, 2, 3), correction=0).numpy(), 1, atol=1e-5)


def test_gaps_are_filled_with_the_median_beside_a_column_that_says_where():
    prepare, found = fit((NUMERIC,), NUMBERS)
    (made,) = prepare(torch.from_numpy(NUMBERS))
    assert made.shape == (4, 4)  # only the second column had gaps when it was fitted
    assert made[:, 3].tolist() == [1, 0, 0, 0]
    assert made[0, 1] == made[2, 1] == 0  # 7 is the median
    (later,) = prepare(torch.tensor([[np.nan, np.nan, np.nan]]))
    assert later.tolist() == [[0, 0, 0, 1]]
    assert prepared_fields((NUMERIC,), found)[0].shape == (4,)
    assert prepared_fields((NUMERIC,), found)[0].names == ("a", "b", "c", "b is missing")


def test_columns_without_gaps_get_no_indicator():
    prepare, found = fit((NUMERIC,), NUMBERS[1:])
    assert prepare(torch.from_numpy(NUMBERS[1:]))[0].shape == (3, 3)
    assert prepared_fields((NUMERIC,), found) == (NUMERIC,)


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(3)), elements=st.floats(width=32, allow_infinity=False)), st.integers(1, 20))
def test_whatever_the_numbers_the_net_gets_finite_ones_of_at_most_three(values, fitted):
    prepare, _ = fit((NUMERIC,), values[:fitted])
    (made,) = prepare(torch.from_numpy(values))
    assert torch.isfinite(made).all()
    assert made.abs().max() <= 3


def test_the_order_of_the_numbers_is_kept():
    column = FieldSpec(name="numeric", shape=(1,), dtype="float32", names=("a",))
    values = np.sort(np.random.default_rng(0).standard_cauchy(1_000)).astype(np.float32).reshape(-1, 1)
    prepare, _ = fit((column,), values)
    made = prepare(torch.from_numpy(values))[0].squeeze(1)
    assert (made.diff() >= 0).all()
    assert made[500 - 100 : 500 + 100].diff().min() > 0


def test_an_outlier_however_far_lies_beyond_all_others():
    column = FieldSpec(name="numeric", shape=(1,), dtype="float32", names=("a",))
    values = np.array([*np.linspace(0, 1e-6, 99), 1e30], np.float32).reshape(-1, 1)
    prepare, _ = fit((column,), values)
    made = prepare(torch.from_numpy(values))[0].squeeze(1)
    assert made[-1] == made.max()
    assert made[-1] > 2.9


def test_a_category_the_train_rows_never_held_becomes_the_unseen():
    prepare, found = fit((CATEGORY,), CODES)
    (made,) = prepare(torch.from_numpy(np.array([[0, 0], [1, 1], [2, 2], [1, 3]], np.int32)))
    assert made.dtype == torch.int64
    assert made.tolist() == [[0, 0], [1, 1], [2, 0], [1, 3]]
    assert prepared_fields((CATEGORY,), found) == (CATEGORY,)


def test_a_table_is_prepared_field_by_field():
    prepare, _ = fit((NUMERIC, CATEGORY), NUMBERS, CODES)
    numbers, codes = prepare(torch.from_numpy(NUMBERS), torch.from_numpy(CODES))
    assert (numbers.shape, codes.shape) == ((4, 4), (4, 2))
    alone = prepare(torch.from_numpy(NUMBERS[2:3]), torch.from_numpy(CODES[2:3]))
    assert torch.equal(alone[0], numbers[2:3])
    assert torch.equal(alone[1], codes[2:3])


def test_the_transform_follows_the_net_to_float64():
    prepare, _ = fit((NUMERIC,), NUMBERS)
    assert prepare.double()(torch.from_numpy(NUMBERS).double())[0].dtype == torch.float64


def test_nothing_in_the_transform_is_trained():
    prepare, _ = fit((NUMERIC, CATEGORY), NUMBERS, CODES)
    assert list(prepare.parameters()) == []
    assert set(prepare.state_dict()) == {"parts.0.median", "parts.0.factor", "parts.0.gaps", "parts.1.offsets", "parts.1.known"}


# the way back


@pytest.mark.parametrize("log_target", [False, True])
def test_scaled_targets_find_back_to_their_own_units(log_target):
    targets = np.array([[0.0], [3.0], [1000.0]])
    scale = np.log1p(targets) if log_target else targets
    finish = Finish({"target.mean": scale.mean(0), "target.sd": scale.std(0)}, log_target)
    made = finish(torch.from_numpy((scale - scale.mean(0)) / scale.std(0)).float())
    np.testing.assert_allclose(made.numpy(), targets, rtol=1e-4, atol=1e-3)


def test_a_wild_output_does_not_become_infinite():
    finish = Finish({"target.mean": np.array([5.0]), "target.sd": np.array([1.0])}, True)
    assert torch.isfinite(finish(torch.tensor([[1e6]]))).all()


# the exported graph


class Both(torch.nn.Module):
    """Pictures and tables in one graph: exporting is slow to start."""

    def __init__(self, image: torch.nn.Module, table: torch.nn.Module) -> None:
        super().__init__()
        self.image, self.table = image, table

    def forward(self, image: torch.Tensor, numeric: torch.Tensor, category: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (*self.image(image), *self.table(numeric, category))


def test_the_transforms_are_the_same_in_onnx_and_need_nothing_but_standard_operations():
    arrays = (np.random.default_rng(0).integers(0, 256, (4, 3, 4, 5), dtype=np.uint8), NUMBERS, CODES)
    both = Both(fit(IMAGE, arrays[0])[0], fit((NUMERIC, CATEGORY), NUMBERS, CODES)[0]).eval()
    names, batch = ["image", "numeric", "category"], {0: torch.export.Dim("batch")}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns of its own future
        traced = torch.export.export(both, tuple(torch.from_numpy(array[:2]) for array in arrays), dynamic_shapes=(batch,) * 3, strict=False)
        program = torch.onnx.export(traced, dynamo=True, verbose=False, input_names=names)
    assert {node.domain for node in program.model_proto.graph.node} == {""}
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    due = both(*(torch.from_numpy(array) for array in arrays))
    for one, other in zip(session.run(None, dict(zip(names, arrays))), due, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-6, atol=1e-6)
