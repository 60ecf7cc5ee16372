"""What a column holds and what part it plays: constants, names and texts are told from honest inputs."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data.profile import profile_columns
from surefoot.types.configs import DataConfig, SplitConfig
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.source import TableSource

RNG = np.random.default_rng(0)
ROWS = 200


def words(values) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = list(values)
    return array


def profile(values: np.ndarray, name: str = "column", *, booleans=(), data=None, split=None, targets=(), visible=None) -> ColumnProfile:
    source = TableSource({name: values}, [""] * len(values), [""] * len(values), booleans=booleans)
    mask = np.ones(len(values), bool) if visible is None else visible
    (made,) = profile_columns(source, targets, data or DataConfig(), split or SplitConfig(), mask)
    return made


# roles


HEALTHY = {
    "whole numbers": RNG.integers(0, 10**6, ROWS).astype(float),
    "distinct whole numbers": RNG.permutation(10 * ROWS)[:ROWS].astype(float),
    "sorted whole numbers": np.sort(RNG.permutation(10 * ROWS)[:ROWS]).astype(float),
    "distinct fractions": RNG.normal(size=ROWS),
    "a few numbers": RNG.integers(0, 3, ROWS).astype(float),
    "fractions in even steps": np.arange(ROWS) / 10,
    "a category": words(RNG.choice(["red", "green"], ROWS)),
    "dates": np.datetime64("2026-01-01", "ns") + np.arange(ROWS) * np.timedelta64(1, "D"),
    "truths": RNG.integers(0, 2, ROWS).astype(float),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_an_honest_column_is_an_input(name):
    assert profile(HEALTHY[name], name).role == "input"


@pytest.mark.parametrize(
    "values",
    [np.ones(ROWS), np.full(ROWS, np.nan), words(["x"] * ROWS), words([None] * ROWS), words(["x", None] * (ROWS // 2)), np.full(ROWS, "NaT", "datetime64[ns]")],
)
def test_one_value_is_a_constant(values):
    assert profile(values).role == "constant"


@pytest.mark.parametrize("start", [0, 1, 1001])
def test_a_counter_is_a_name_whatever_it_is_called(start):
    assert profile(np.arange(ROWS, dtype=float) + start, "size").role == "id"


@pytest.mark.parametrize("name", ["id", "ID", "customer_id", "Customer ID", "row.id", "PassengerId", "customerID", "order_number", "invoiceNr", "uuid"])
def test_distinct_whole_numbers_under_a_telling_name_are_names(name):
    values = RNG.permutation(10 * ROWS)[:ROWS].astype(float)
    assert profile(values, name).role == "id"
    assert profile(np.repeat(values[: ROWS // 2], 2), name).role == "input"  # what repeats names nothing
    assert profile(values + 0.5, name).role == "input"


@pytest.mark.parametrize("name", ["humidity", "acid", "paid", "area", "Android", "grid", "width"])
def test_a_word_that_ends_like_a_name_is_none(name):
    assert profile(RNG.permutation(10 * ROWS)[:ROWS].astype(float), name).role == "input"


def test_distinct_words_are_names_and_few_rows_tell_nothing():
    assert profile(words([f"customer{n}" for n in range(ROWS)])).role == "id"
    assert profile(words([f"customer{n}" for n in range(15)])).role == "input"
    assert profile(np.arange(15.0)).role == "input"


def test_free_text_is_text():
    texts = words([f"the patient said it was the {n}th time that it hurt" for n in range(ROWS)])
    made = profile(texts)
    assert (made.kind, made.role) == ("text", "input")


def test_a_text_as_long_as_a_book_takes_no_more_memory_than_itself():
    texts = words(["x" * 2_000_000, *(f"word{n % 7}" for n in range(20_000))])  # as an array of text it would take 160 GB
    assert profile(texts).distinct == 8


def test_the_settings_have_the_last_word():
    values = HEALTHY["distinct fractions"]
    assert profile(values, "a", data=DataConfig(id="a")).role == "id"
    assert profile(values, "a", data=DataConfig(weight="a")).role == "weight"
    assert profile(values, "a", data=DataConfig(ignore=["a"])).role == "ignored"
    assert profile(values, "a", split=SplitConfig(group="a")).role == "group"
    assert profile(values, "a", targets=("a",)).role == "target"


def test_a_column_without_a_name_is_judged_like_any_other():
    assert profile(HEALTHY["distinct fractions"], "").role == "input"


# numbers


def test_the_numbers_are_those_of_the_column():
    made = profile(np.array([1.0, 2.0, np.nan, 3.0, 3.0]))
    assert (made.kind, made.missing, made.distinct, made.low, made.mean, made.high) == ("numeric", 1, 3, 1.0, 2.25, 3.0)
    assert made.sd == pytest.approx(np.std([1, 2, 3, 3]))
    assert sum(made.histogram) == 4
    assert len(made.edges) == len(made.histogram) + 1
    assert (made.edges[0], made.edges[-1]) == (1.0, 3.0)


def test_the_most_frequent_categories_come_first():
    made = profile(words(["b", "a", "b", None, "c", "b", "a"]))
    assert made.kind == "category"
    assert list(made.top.items()) == [("b", 3), ("a", 2), ("c", 1)]
    assert (made.missing, made.distinct, made.mean) == (1, 3, None)


def test_truths_have_both_counts_and_a_mean():
    made = profile(np.array([1.0, 0.0, 1.0, np.nan]), "yes", booleans=("yes",))
    assert made.kind == "boolean"
    assert made.top == {"1.0": 2, "0.0": 1}
    assert made.mean == pytest.approx(2 / 3)


def test_hidden_rows_are_not_looked_at():
    values = np.concatenate([np.arange(50) + 0.5, np.full(50, 1e9)])
    visible = np.arange(100) < 50
    made = profile(values, visible=visible)
    assert (made.high, made.distinct, sum(made.histogram)) == (49.5, 50, 50)


@pytest.mark.parametrize(
    "values",
    [
        np.array([1e16, 1e16 + 2] * 10),
        1.7e18 + np.arange(20.0) * 256,
        np.array([1e308, -1e308, 0.0]),
        np.array([np.inf, -np.inf, 1.0, 2.0]),
        np.full(5, np.inf),
        np.array([1e-320, 2e-320]),
        np.array([]),
    ],
    ids=["huge and near", "nanoseconds", "whole range", "infinities", "only infinities", "tiny", "no rows"],
)
def test_extreme_numbers_are_counted_without_a_murmur(values):
    made = profile(values)
    assert made.kind == "numeric"
    assert sum(made.histogram) == np.isfinite(values).sum()
    assert ColumnProfile.model_validate_json(made.model_dump_json()) == made


def test_every_column_gets_a_profile_in_its_order():
    source = TableSource({"b": np.arange(3.0), "a": words("xyz")}, [""] * 3, [""] * 3)
    made = profile_columns(source, ("a",), DataConfig(), SplitConfig(), np.ones(3, bool))
    assert [(one.name, one.kind, one.role) for one in made] == [("b", "numeric", "input"), ("a", "category", "target")]
