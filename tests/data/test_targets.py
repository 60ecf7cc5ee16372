"""Targets as numbers: the same for words, numbers and truths, and missing where they are missing."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data.targets import check_column, encode_targets, find_columns, list_classes, raw_targets, to_name
from surefoot.types.errors import DataError
from surefoot.types.problem import Problem
from surefoot.types.source import ImageSource, TableSource


def table(**columns) -> TableSource:
    arrays = {name: np.asarray(values, None if isinstance(values, np.ndarray) else object) for name, values in columns.items()}
    rows = len(next(iter(arrays.values())))
    return TableSource(arrays, [f"t.csv:{n}" for n in range(rows)], [""] * rows, suggested_target=("label",))


def pictures(labels) -> ImageSource:
    return ImageSource([f"{n}.png" for n in range(len(labels))], list(labels), [""] * len(labels), read=lambda row: np.zeros((1, 1), np.uint8))


def problem(task: str, target=("label",), classes=(), num_outputs: int = 1) -> Problem:
    return Problem(
        question="", kind="table", task=task, target=target, classes=classes, metric="accuracy", head="softmax", loss="cross_entropy", num_outputs=num_outputs
    )


# columns


def test_the_target_is_the_column_asked_for_else_the_suggested_one():
    source = table(label=["a"], size=np.array([1.0]))
    assert find_columns(source, "size") == ("size",)
    assert find_columns(source, ["size", "label"]) == ("size", "label")
    assert find_columns(source, "") == find_columns(source, []) == ("label",)


def test_a_misspelt_column_comes_with_the_right_one():
    with pytest.raises(DataError, match="no column 'lable'") as caught:
        find_columns(table(label=["a"], size=["b"]), "lable")
    assert caught.value.next == 'Did you mean "label"?'
    assert caught.value.where == "data.target = 'lable'"
    assert caught.value.exit_code == 3


def test_a_column_like_no_other_comes_with_all_there_are():
    with pytest.raises(DataError, match="no column 'zzz'") as caught:
        check_column(table(label=["a"], size=["b"]), "zzz", "split.group")
    assert "label, size" in caught.value.next
    assert caught.value.where == "split.group = 'zzz'"


def test_raw_targets_are_as_found():
    source = table(label=["a", None], size=np.array([1.0, 2.0]), width=np.array([3.0, np.nan]))
    assert raw_targets(source, ("label",)).tolist() == ["a", None]
    np.testing.assert_array_equal(raw_targets(source, ("size", "width")), [[1, 3], [2, np.nan]])
    assert raw_targets(pictures(["cat", None]), ("label",)) == ["cat", None]


# names


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("cat", "cat"),
        (3, "3"),
        (3.0, "3"),
        (np.float64(-0.0), "0"),
        (np.int64(7), "7"),
        (0.5, "0.5"),
        (True, "True"),
        (None, None),
        (float("nan"), None),
        ("", ""),
    ],
)
def test_a_label_has_one_name_however_it_is_stored(label, name):
    assert to_name(label) == name


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["dog", "cat", None, "cat"], ("cat", "dog")),
        (np.array([10.0, 9.0, np.nan, 1.0]), ("1", "9", "10")),
        ([1, -1, 0], ("-1", "0", "1")),
        ([-10.0, -9.0, 2.5], ("-10", "-9", "2.5")),
        ([0.5, 0.25, 1.5, 0.125], ("0.125", "0.25", "0.5", "1.5")),
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["img10", "img9", "img1"], ("img1", "img9", "img10")),
        (["b", "a", "10", "2"], ("2", "10", "a", "b")),
        (["m²", "²", "m"], ("m", "m²", "²")),
        (np.array([1.0, 0.0]), ("0", "1")),
        ([True, False], ("False", "True")),
        ([None, float("nan")], ()),
    ],
)
def test_classes_are_in_the_order_that_people_expect(labels, classes):
    assert list_classes(labels) == classes


def test_names_that_sort_alike_have_one_order_in_every_process():
    names = ["1", "01", "001", "a1", "a01"]
    assert list_classes(names) == list_classes(names[::-1]) == ("001", "01", "1", "a01", "a1")


# encoding


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["cat", "dog", None, "cow"], ("cat", "dog")),
        (np.array([1.0, 2.0, np.nan, 3.0]), ("1", "2")),
        (["1", "2", None, "3"], ("1", "2")),
        ([1, 2, None, 3], ("1", "2")),
        ([False, True, None, "maybe"], ("False", "True")),
    ],
)
def test_words_numbers_and_truths_become_class_indices(labels, classes):
    for source in (table(label=labels), pictures(labels)):
        encoded = encode_targets(source, problem("binary", classes=classes))
        assert encoded.dtype == np.float64
        np.testing.assert_array_equal(encoded, [[0], [1], [np.nan], [np.nan]])


def test_a_missing_label_is_missing_even_if_a_class_has_no_name():
    np.testing.assert_array_equal(encode_targets(pictures(["", None, "x"]), problem("binary", classes=("", "x"))), [[0], [np.nan], [1]])


def test_amounts_stay_as_they_are():
    np.testing.assert_array_equal(encode_targets(table(label=np.array([1.5, np.nan, -3])), problem("regression")), [[1.5], [np.nan], [-3]])
    np.testing.assert_array_equal(encode_targets(pictures([1, None, 2.5]), problem("regression")), [[1], [np.nan], [2.5]])


def test_several_targets_are_several_columns():
    source = table(x=np.array([1.0, 2.0]), y=np.array([3.0, np.nan]))
    np.testing.assert_array_equal(encode_targets(source, problem("vector_regression", target=("x", "y"), num_outputs=2)), [[1, 3], [2, np.nan]])


def test_vectors_of_labels_stay_zero_and_one():
    labels = [np.array([0.0, 1.0, 1.0]), None, [1, 0, 0]]
    encoded = encode_targets(pictures(labels), problem("multilabel", classes=("a", "b", "c"), num_outputs=3))
    np.testing.assert_array_equal(encoded, [[0, 1, 1], [np.nan] * 3, [1, 0, 0]])


def test_what_is_no_number_is_missing_where_an_amount_is_due():
    np.testing.assert_array_equal(encode_targets(table(label=["1.5", "unknown", None]), problem("regression")), [[1.5], [np.nan], [np.nan]])


def test_a_vector_of_the_wrong_length_is_missing():
    encoded = encode_targets(pictures([[1, 2], [1, 2, 3]]), problem("vector_regression", num_outputs=2))
    np.testing.assert_array_equal(encoded, [[1, 2], [np.nan, np.nan]])


def test_no_items_have_no_targets():
    assert encode_targets(pictures([]), problem("multilabel", classes=("a", "b"), num_outputs=2)).shape == (0, 2)
    assert encode_targets(pictures([]), problem("binary", classes=("a", "b"))).shape == (0, 1)


def test_a_source_without_the_target_is_refused():
    with pytest.raises(DataError, match="no column 'label'"):
        encode_targets(table(lable=["a"]), problem("binary", classes=("a", "b")))
