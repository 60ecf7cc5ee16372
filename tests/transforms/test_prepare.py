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
from surefoot.types.configs import PrepareConfig
from surefoot.types.data_reports import FieldSpec

IMAGE = (FieldSpec(name="image", shape=(3, 4, 5), dtype="uint8"),)
NUMERIC = FieldSpec(name="numeric", shape=(3,), dtype="float32", names=("a", "b", "c"))
CATEGORY = FieldSpec(name="category", shape=(2,), dtype="int32", names=("d", "e"), cardinalities=(3, 4))
NUMBERS = np.array([[1, np.nan, 10], [2, 5, 20], [3, 7, 30], [4, 9, 40]], np.float32)
CODES = np.array([[1, 1], [2, 3], [1, 3], [0, 1]], np.int32)


def fit(fields, *arrays, **settings):
    rows = len(arrays[0])
    found = measure(fields, [arrays], np.zeros((rows, 1)), PrepareConfig(**settings))
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
    assert set(prepare.state_dict()) == {
        "parts.0.fill", "parts.0.center", "parts.0.factor", "parts.0.gaps", "parts.0.clip", "parts.1.offsets", "parts.1.known",
    }  # fmt: skip


# what the settings say


def _fill_with(missing: str, **settings) -> list[float]:
    """What the gap of a column 1, 1, 4, 10, NaN becomes, in its own units."""
    column = FieldSpec(name="numeric", shape=(1,), dtype="float32", names=("a",))
    values = np.array([[1], [1], [4], [10], [np.nan]], np.float32)
    prepare, _ = fit((column,), values, missing=missing, scale="none", **settings)
    return prepare(torch.from_numpy(values))[0].tolist()[-1]


@pytest.mark.parametrize(
    ("missing", "settings", "due"),
    [
        ("indicator", {}, [2.5, 1.0]),
        ("median", {}, [2.5]),
        ("drop", {}, [2.5]),
        ("mean", {}, [4.0]),
        ("most_frequent", {}, [1.0]),
        ("constant", {"missing_value": -7.0}, [-7.0]),
        ("model", {}, [pytest.approx(4.0, abs=1e-3)]),  # with no other column to go by, it can but say the mean
        ("median", {"columns": {"a": {"missing": "mean"}}}, [4.0]),
        ("median", {"columns": {"b": {"missing": "mean"}}}, [2.5]),
    ],
)
def test_a_gap_becomes_what_the_settings_say(missing, settings, due):
    assert _fill_with(missing, **settings) == due


def test_the_model_guesses_a_gap_from_the_other_columns_and_no_other_way_comes_near():
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(2_000, 1))
    whole = (hidden @ [[2.0, -30.0, 0.5, 1.0]] + generator.normal(size=(2_000, 4)) * [0.2, 3.0, 0.05, 0.1] + [5, 100, 0, -3]).astype(np.float32)
    holed = np.where(generator.random(whole.shape) < 0.2, np.nan, whole).astype(np.float32)
    field = FieldSpec(name="numeric", shape=(4,), dtype="float32", names=("a", "b", "c", "d"))
    errors = {}
    for missing in ("mean", "model"):
        prepare, _ = fit((field,), holed[:1_000], missing=missing, scale="none")
        made = prepare(torch.from_numpy(holed[1_000:]))[0].numpy()
        gaps = np.isnan(holed[1_000:])
        assert (made[~gaps] == whole[1_000:][~gaps]).all()
        errors[missing] = np.sqrt((((made - whole[1_000:]) / whole.std(0))[gaps] ** 2).mean())
    assert errors["mean"] == pytest.approx(1.0, abs=0.1)  # the spread of a column is all it knows
    assert errors["model"] < 0.15  # the noise is a tenth of the spread


def test_a_table_without_gaps_in_training_is_still_filled_later_by_the_model():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(500, 1)).astype(np.float32) @ np.ones((1, 3), np.float32)
    prepare, _ = fit((NUMERIC,), values, missing="model", scale="none")
    assert prepare(torch.tensor([[1.5, np.nan, 1.5]]))[0][0, 1] == pytest.approx(1.5, abs=0.1)
    assert torch.isfinite(prepare(torch.full((1, 3), float("nan")))[0]).all()


@pytest.mark.parametrize(
    ("scale", "low", "high", "mean", "sd"),
    [("standard", None, None, 0, 1), ("minmax", 0, 1, None, None), ("quantile", -(3**0.5), 3**0.5, 0, 1), ("none", 2, 90, None, None)],
)
def test_numbers_are_scaled_as_the_settings_say(scale, low, high, mean, sd):
    values = np.linspace(2, 90, 400, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    prepare, _ = fit((NUMERIC,), values, scale=scale)
    made = prepare(torch.from_numpy(values))[0].double()
    for due, got in ((low, made.min()), (high, made.max()), (mean, made.mean()), (sd, made.std())):
        assert due is None or float(got) == pytest.approx(due, abs=0.01)


def test_ranks_do_not_care_how_far_apart_the_values_are():
    even = np.random.default_rng(0).permutation(np.linspace(-3, 3, 999)).astype(np.float32)
    values = np.stack([even, np.exp(3 * even), even**3], 1)
    prepare, _ = fit((NUMERIC,), values, scale="quantile")
    made = prepare(torch.from_numpy(values))[0].numpy()
    np.testing.assert_allclose(made[:, 1], made[:, 0], atol=0.06)
    np.testing.assert_allclose(made[:, 2], made[:, 0], atol=0.06)
    assert np.isfinite(prepare(torch.tensor([[np.nan, 1e30, -1e30]]))[0].numpy()).all()


@pytest.mark.parametrize(("tied", "at"), [(0.0, 0), (0.6, 0), (0.6, 1), (0.95, 0)])
def test_ranks_are_centred_also_where_values_are_tied_at_one_end(tied, at):
    """The middle of the ranks of 60 % zeros is 0.3, which is (0.3 - 0.5) * 12 ** 0.5."""
    values = np.random.default_rng(0).uniform(0, 1, (4_000, 3)).astype(np.float32)
    values[: int(tied * len(values))] = at
    prepare, _ = fit((NUMERIC,), values, scale="quantile")
    made = prepare(torch.from_numpy(values))[0].double()
    assert float(made.mean()) == pytest.approx(0, abs=0.05)
    if tied:
        assert float(made[0, 0]) == pytest.approx((1 - 2 * at) * (tied / 2 - 0.5) * 12**0.5, abs=0.06)


def test_columns_may_be_scaled_each_in_its_own_way():
    values = np.random.default_rng(0).normal(50, 10, (300, 3)).astype(np.float32)
    prepare, _ = fit((NUMERIC,), values, scale="none", columns={"b": {"scale": "minmax"}, "c": {"scale": "quantile"}})
    made = prepare(torch.from_numpy(values))[0].numpy()
    np.testing.assert_array_equal(made[:, 0], values[:, 0])
    assert (made[:, 1].min(), made[:, 1].max()) == pytest.approx((0, 1), abs=1e-5)
    assert made[:, 2].std() == pytest.approx(1, abs=0.02)


def test_categories_become_columns_or_shares_where_the_settings_say_so():
    prepare, found = fit((CATEGORY,), CODES, columns={"d": {"encoding": "onehot"}})
    numbers, codes = prepare(torch.from_numpy(CODES))
    assert numbers.tolist() == [[0, 1, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert codes.tolist() == [[1], [3], [3], [1]]
    fields = prepared_fields((CATEGORY,), found)
    assert [(field.name, field.shape, field.names, field.cardinalities) for field in fields] == [
        ("numeric", (3,), ("d #0", "d #1", "d #2"), ()), ("category", (1,), ("e",), (4,)),
    ]  # fmt: skip
    prepare, found = fit((NUMERIC, CATEGORY), NUMBERS, CODES, encoding="frequency")
    (made,) = prepare(torch.from_numpy(NUMBERS), torch.from_numpy(CODES))
    assert prepared_fields((NUMERIC, CATEGORY), found)[0].shape == made.shape[1:] == (6,)
    assert made[0, 4] == made[2, 4] > made[1, 4] == made[3, 4]  # half of the rows, against a quarter each
    np.testing.assert_allclose(made[:, 4:].mean(0), 0, atol=1e-6)


def test_gaps_in_categories_are_filled_with_the_commonest_where_asked_for():
    prepare, _ = fit((CATEGORY,), CODES, missing="most_frequent")
    assert prepare(torch.from_numpy(np.array([[0, 0], [2, 2]], np.int32)))[0].tolist() == [[1, 1], [2, 1]]


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

    def __init__(self, image: torch.nn.Module, *tables: torch.nn.Module) -> None:
        super().__init__()
        self.image, self.tables = image, torch.nn.ModuleList(tables)

    def forward(self, image: torch.Tensor, numeric: torch.Tensor, category: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (*self.image(image), *(made for table in self.tables for made in table(numeric, category)))


def test_the_transforms_are_the_same_in_onnx_and_need_nothing_but_standard_operations():
    arrays = (np.random.default_rng(0).integers(0, 256, (4, 3, 4, 5), dtype=np.uint8), NUMBERS, CODES)
    ways = ({}, {"missing": "model", "scale": "quantile", "encoding": "onehot"}, {"missing": "mean", "scale": "standard", "encoding": "frequency"})
    tables = [fit((NUMERIC, CATEGORY), NUMBERS, CODES, **way)[0] for way in (*ways, {"columns": {"a": {"scale": "none"}, "d": {"encoding": "onehot"}}})]
    both = Both(fit(IMAGE, arrays[0])[0], *tables).eval()
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
