"""Statistics come from the given rows alone, and do not depend on how these are cut into chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot.data.packs import Block, open_pack, write_pack
from surefoot.store.blobs import Blobs
from surefoot.transforms import statistics
from surefoot.transforms.statistics import measure
from surefoot.types.data_reports import FieldSpec

IMAGE = FieldSpec(name="image", shape=(2, 3, 4), dtype="uint8")
NUMERIC = FieldSpec(name="numeric", shape=(3,), dtype="float32", names=("a", "b", "c"))
CATEGORY = FieldSpec(name="category", shape=(2,), dtype="int32", names=("d", "e"), cardinalities=(3, 5))
TABLE = (NUMERIC, CATEGORY)


def table_of(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 3)).astype(np.float32)
    numbers[rng.random((rows, 3)) < 0.2] = np.nan
    return numbers, np.stack([rng.integers(0, 3, rows), rng.integers(0, 5, rows)], 1).astype(np.int32)


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert set(one) == set(other)
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def column(values) -> dict[str, np.ndarray]:
    field = FieldSpec(name="numeric", shape=(1,), dtype="float32", names=("a",))
    return measure((field,), [(np.asarray(values, np.float32).reshape(-1, 1),)], np.zeros((len(values), 1)))


# known answers


def test_mean_and_spread_of_pictures_are_those_of_their_channels():
    images = np.random.default_rng(0).integers(0, 256, (50, 2, 3, 4), dtype=np.uint8)
    found = measure((IMAGE,), [(images,)], np.zeros((50, 1)))
    np.testing.assert_allclose(found["image.mean"], images.mean((0, 2, 3)) / 255, rtol=1e-12)
    np.testing.assert_allclose(found["image.sd"], images.std((0, 2, 3)) / 255, rtol=1e-12)


def test_a_blank_channel_is_not_divided_by_nothing():
    images = np.full((5, 2, 3, 4), 7, np.uint8)
    images[:, 1] = np.random.default_rng(0).integers(0, 256, (5, 3, 4))
    found = measure((IMAGE,), [(images,)], np.zeros((5, 1)))
    assert found["image.mean"][0] == pytest.approx(7 / 255)
    assert found["image.sd"][0] == 1.0
    assert found["image.sd"][1] < 1.0


def test_numbers_have_their_median_and_a_scale_that_outliers_do_not_move():
    values = np.random.default_rng(0).normal(5, 2, 4_001)
    plain = column(values)
    assert plain["numeric.median"][0] == pytest.approx(np.median(values), rel=1e-6)
    assert plain["numeric.scale"][0] == pytest.approx(2, rel=0.05)  # the interquartile range of a normal distribution is 1.349 of its sd
    spoilt = column([*values, 1e30, -1e30])
    assert spoilt["numeric.scale"][0] == pytest.approx(plain["numeric.scale"][0], rel=1e-2)


@pytest.mark.parametrize(
    ("values", "median", "scale", "missing"),
    [
        ([1, 2, np.nan, 3, np.nan], 2, 1 / 1.349, 0.4),
        ([0, 0, 0, 0, 0, 0, 8], 0, 4, 0),
        ([5, 5, 5], 5, 1, 0),
        ([np.nan, np.nan], 0, 1, 1),
        ([7], 7, 1, 0),
    ],
)
def test_gaps_constants_and_rare_values_have_a_scale_too(values, median, scale, missing):
    found = column(values)
    assert found["numeric.median"][0] == median
    assert found["numeric.scale"][0] == pytest.approx(scale)
    assert found["numeric.missing"][0] == pytest.approx(missing)


def test_the_inverse_of_every_scale_is_a_float32():
    found = column([0.0, 1e-45, 2e-45, 3e-45])
    assert np.isfinite(np.float32(1 / found["numeric.scale"][0]))


def test_codes_that_were_seen_are_known():
    codes = np.array([[0, 4], [2, 4], [2, 1]], np.int32)
    found = measure((CATEGORY,), [(codes,)], np.zeros((3, 1)))
    assert found["category.seen0"].tolist() == [True, False, True]
    assert found["category.seen1"].tolist() == [False, True, False, False, True]


def test_targets_have_mean_and_spread_per_column():
    targets = np.random.default_rng(0).normal([1, 1e9], [2, 1e3], (100, 2))
    found = measure(TABLE, [table_of(100)], targets)
    np.testing.assert_allclose(found["target.mean"], targets.mean(0))
    np.testing.assert_allclose(found["target.sd"], targets.std(0))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e9])
def test_a_constant_target_is_not_divided_by_its_rounding(value):
    assert measure(TABLE, [table_of(1000)], np.full((1000, 1), value))["target.sd"].tolist() == [1.0]


# chunks


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(2), st.just(3), st.just(4))), st.data())
def test_pictures_may_be_cut_anywhere(images, data):
    targets = np.zeros((len(images), 1))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(images)), max_size=4)))
    assert_equal(measure((IMAGE,), [(images,)], targets), measure((IMAGE,), [(part,) for part in np.split(images, cuts)], targets))


@given(st.integers(1, 60), st.integers(1, 25), st.data())
def test_tables_may_be_cut_anywhere_also_where_only_some_rows_are_looked_at(rows, sample, data):
    arrays = table_of(rows)
    targets = np.zeros((rows, 1))
    cuts = sorted(data.draw(st.lists(st.integers(0, rows), max_size=4)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "_SAMPLE", sample)
        whole = measure(TABLE, [arrays], targets)
        parts = measure(TABLE, list(zip(*(np.split(array, cuts) for array in arrays))), targets)
    assert_equal(whole, parts)


def test_large_tables_in_order_are_looked_at_from_end_to_end(monkeypatch):
    monkeypatch.setattr(statistics, "_SAMPLE", 100)
    values = np.arange(10_000, dtype=np.float32).reshape(-1, 1)
    values[-1] = np.nan
    field = FieldSpec(name="numeric", shape=(1,), dtype="float32", names=("a",))
    found = measure((field,), [(part,) for part in np.array_split(values, 7)], np.zeros((10_000, 1)))
    assert found["numeric.median"][0] == pytest.approx(5_000, rel=0.02)
    assert found["numeric.missing"][0] == pytest.approx(1e-4)


# train rows alone


def test_prepare_uses_train_statistics_only(tmp_path):
    numbers, codes = table_of(60)
    numbers[40:] *= 1e6
    codes[40:, 1] = 4
    codes[:40, 1] %= 4
    targets = np.arange(60.0).reshape(-1, 1)
    targets[40:] = 1e9
    store = Blobs(tmp_path)
    block = Block([f"{n}" for n in range(60)], [""] * 60, (numbers, codes), targets, np.ones(60, np.float32))
    pack = open_pack(store, write_pack(store, TABLE, 1, [block]))
    train = np.random.default_rng(0).permutation(40)
    found = measure(TABLE, pack.chunks(train, size=7), pack.targets[train])
    assert_equal(found, measure(TABLE, [(numbers[train], codes[train])], targets[train]))
    assert found["numeric.scale"].max() < 10
    assert not found["category.seen1"][4]
    assert found["target.mean"][0] == 19.5
