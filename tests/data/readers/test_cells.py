"""Cells become numbers, booleans, dates or words; what doesn't fit is missing, and said so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .samples import read_text


def column(root, cells, *, target="y", name="x"):
    """One column of a table beside a target."""
    lines = "\n".join(f'"{cell}",{k % 2}' for k, cell in enumerate(cells))
    source = read_text(root, f"{name},y\n{lines}\n", target=target)
    return source.columns[name], source


def test_missing_markers_are_missing_numbers(tmp_path):
    values, _ = column(tmp_path, ["1", "", "?", "NA", "N/A", "NaN", "null", "None", "-", " ? ", "2"])
    assert values.dtype == np.float64
    assert np.isnan(values).tolist() == [False] + [True] * 9 + [False]


def test_missing_markers_are_missing_words(tmp_path):
    values, _ = column(tmp_path, ["red", "", "?", "NA", "N/A", "NaN", "null", "None", "-", "none", "blue"])
    assert values.tolist() == ["red"] + [None] * 8 + ["none", "blue"]


def test_a_column_without_any_cell_is_missing_numbers(tmp_path):
    values, source = column(tmp_path, ["?", "", "NA"])
    assert values.dtype == np.float64
    assert np.isnan(values).all()
    assert source.booleans == ()


def test_numbers_of_every_notation_are_read(tmp_path):
    values, _ = column(tmp_path, ["1", "-2.5", "+3", ".5", "4.", "1e3", "-1.5E-2", "inf"])
    assert values.tolist() == [1, -2.5, 3, 0.5, 4, 1000, -0.015, np.inf]


@settings(derandomize=True, deadline=None, max_examples=40)
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_written_numbers_come_back_bit_for_bit(tmp_path_factory, numbers):
    values, _ = column(tmp_path_factory.mktemp("numbers"), [repr(number) for number in numbers])
    assert values.tolist() == numbers


def test_up_to_one_percent_of_stray_cells_become_missing_and_their_lines_are_said(tmp_path):
    cells = [str(k / 4) for k in range(200)]
    cells[17], cells[150] = "unknown", "12 kg"
    values, source = column(tmp_path, cells)
    assert np.flatnonzero(np.isnan(values)).tolist() == [17, 150]
    assert source.notes == ['Column "x": 2 cells are no numbers and became missing: table.csv:19, table.csv:152.']


def test_more_stray_cells_make_a_column_of_words(tmp_path):
    cells = [str(k / 4) for k in range(200)]
    cells[17] = cells[100] = cells[150] = "unknown"
    values, source = column(tmp_path, cells)
    assert values.dtype == object
    assert values[17] == "unknown"
    (note,) = source.notes
    assert "197 of its 200 cells are numbers and the others are not, such as 'unknown'" in note


@pytest.mark.parametrize("pair", [("t", "f"), ("T", "F"), ("true", "false"), ("True", "FALSE"), ("yes", "no"), ("Y", "n")])
def test_pairs_of_true_and_false_are_booleans(tmp_path, pair):
    values, source = column(tmp_path, [pair[0], pair[1], "?", pair[0]])
    assert values.dtype == np.float64
    assert np.array_equal(values, [1, 0, np.nan, 1], equal_nan=True)
    assert source.booleans == ("x",)


def test_a_column_of_only_false_is_boolean(tmp_path):
    values, source = column(tmp_path, ["f", "f"])
    assert values.tolist() == [0, 0]
    assert source.booleans == ("x",)


@pytest.mark.parametrize("cells", [["t", "n"], ["y", "f"], ["F", "M"], ["yes", "no", "maybe"], ["y", "yes"]])
def test_words_that_merely_look_like_booleans_stay_words(tmp_path, cells):
    values, source = column(tmp_path, cells)
    assert values.tolist() == cells
    assert source.booleans == ()


def test_a_target_of_words_stays_words_even_if_they_mean_true_and_false_or_dates(tmp_path):
    values, source = column(tmp_path, ["yes", "no", "yes"], target="x")
    assert values.tolist() == ["yes", "no", "yes"]
    assert source.booleans == ()
    assert column(tmp_path, ["2020-01-01", "2020-01-02"], target="x")[0].dtype == object
    assert column(tmp_path, ["t", "f"], target=["x", "y"])[0].tolist() == ["t", "f"]


def test_a_target_that_is_found_by_its_name_stays_words_too(tmp_path):
    source = read_text(tmp_path, "flag,income,z\nt,yes,t\nf,no,f\n")
    assert source.suggested_target == ("income",)
    assert source.columns["income"].tolist() == ["yes", "no"]
    assert source.booleans == ("flag", "z")


def test_words_of_a_target_that_mean_missing_are_named_with_their_counts(tmp_path):
    values, source = column(tmp_path, ["None", "cat", "NA", "dog", "None", ""], target="x")
    assert values.tolist() == [None, "cat", None, "dog", None, None]
    assert source.notes == ["Target \"x\" holds words that mean missing: 'None' (2), 'NA' (1); if one of them is a class, give it another name."]


def test_a_target_of_numbers_is_numbers(tmp_path):
    assert column(tmp_path, ["1", "2"], target="x")[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2011-01-02", "2012-12-31"], ["2011-01-02", "2012-12-31"]),
        (["2011-01-02T10:30:00", "2012-12-31T23:59:59.5"], ["2011-01-02T10:30:00", "2012-12-31T23:59:59.500"]),
        (["2011-01-02 10:30", "2012-12-31 23:59"], ["2011-01-02T10:30", "2012-12-31T23:59"]),
        (["2011-01-02T10:30:00Z", "2011-01-02T10:30:00+02:00"], ["2011-01-02T10:30", "2011-01-02T08:30"]),
        (["2011/1/2", "2012/12/31"], ["2011-01-02", "2012-12-31"]),
        (["1/2/2011", "12/31/2012"], ["2011-01-02", "2012-12-31"]),
        (["2/1/2011", "31/12/2012"], ["2011-01-02", "2012-12-31"]),
        (["1/2/11", "12/31/12"], ["2011-01-02", "2012-12-31"]),
        (["02.01.2011", "31.12.2012"], ["2011-01-02", "2012-12-31"]),
        (["1/2/2011 7:05", "12/31/2012 23:10"], ["2011-01-02T07:05", "2012-12-31T23:10"]),
        (["1/2/2011 7:05:01 PM", "12/31/2012 11:10:02am"], ["2011-01-02T19:05:01", "2012-12-31T11:10:02"]),
    ],
)
def test_dates_of_one_format_are_dates(tmp_path, cells, expected):
    values, source = column(tmp_path, [*cells, "?"])
    assert values.dtype == np.dtype("datetime64[ns]")
    assert values[:-1].tolist() == np.array(expected, "datetime64[ns]").tolist()
    assert np.isnat(values[-1])
    assert source.notes == []


@pytest.mark.parametrize(("cells", "expected", "word"), [(["1/2/2011", "3/4/2012"], "2011-01-02", "month"), (["1.2.2011", "3.4.2012"], "2011-02-01", "day")])
def test_where_no_number_tells_day_from_month_the_assumption_is_said(tmp_path, cells, expected, word):
    values, source = column(tmp_path, cells)
    assert values[0] == np.datetime64(expected)
    assert f"the {word} is read as the first" in source.notes[0]
    assert '"x"' in source.notes[0]


@pytest.mark.parametrize(
    "cells",
    [
        ["2011-01-02", "1/2/2011"],
        ["13/1/2011", "1/13/2011"],
        ["1.2.10", "1.3.11"],
        ["3-2-10", "4-1-09"],
        ["2011-02-30", "2011-02-31"],
        ["0001-01-01", "9999-12-31"],
        ["12:30", "13:45"],
    ],
)
def test_what_is_not_surely_a_date_stays_words(tmp_path, cells):
    assert column(tmp_path, cells)[0].tolist() == cells


def test_a_few_impossible_dates_become_missing_and_are_said(tmp_path):
    cells = [f"2020-01-{1 + k % 28:02}" for k in range(300)]
    cells[5], cells[9] = "2020-02-30", "9999-12-31"
    values, source = column(tmp_path, cells)
    assert np.flatnonzero(np.isnat(values)).tolist() == [5, 9]
    assert source.notes == ['Column "x": 2 cells are no dates and became missing: table.csv:7, table.csv:11.']


def test_equal_words_are_one_object(tmp_path):
    values, _ = column(tmp_path, ["red", "blue"] * 50)
    assert len({id(value) for value in values}) == 2


def test_words_of_which_some_are_numbers_are_words_and_nothing_is_said(tmp_path):
    _, source = column(tmp_path, ["red", "blue", "7"] * 20)
    assert source.notes == []


def test_dates_among_which_some_are_none_are_told(tmp_path):
    values, source = column(tmp_path, ["2024-01-05", "2024-13-01x", "05/02/2024"] * 20)
    assert values.dtype == object
    (note,) = source.notes
    assert "40 of its 60 cells are dates and the others are not, such as '2024-13-01x'" in note


def test_thousands_with_commas_and_the_sign_of_typesetters_are_numbers(tmp_path):
    values, source = column(tmp_path, ["1,300", "950", "1,234,567.5", "\u22125"])
    assert values.tolist() == [1300, 950, 1234567.5, -5]
    assert "the comma in 1,300 is read as one that parts thousands" in source.notes[0]


@pytest.mark.parametrize("cells", [["$5", "$7.50", "$1,200"], ["5%", "7.5 %", "12%"], ["12,5", "3,25", "7,1"]])
def test_numbers_with_signs_stay_words_and_it_is_told_how_to_write_them(tmp_path, cells):
    values, source = column(tmp_path, cells)
    assert values.tolist() == cells
    (note,) = source.notes
    assert f"look like numbers written with signs, such as '{cells[0]}'" in note
    assert column(tmp_path, cells, target="x")[1].notes == [note]


def test_whole_numbers_that_a_float_would_merge_stay_words(tmp_path):
    cells = [str(2**53 + k) for k in range(3)]
    values, source = column(tmp_path, cells)
    assert values.tolist() == cells
    assert "beyond 9,007,199,254,740,992" in source.notes[0]
    assert column(tmp_path, [str(2**53 - k) for k in range(3)])[0].tolist() == [2**53 - k for k in range(3)]


def test_a_long_class_number_keeps_its_digits_and_a_long_amount_stays_a_number(tmp_path):
    cells = ["1234567890123456789", "2234567890123456789"]  # no neighbours, but a float ends them in 768 and 720
    assert column(tmp_path, cells, target="x")[0].tolist() == cells
    assert column(tmp_path, cells)[0].dtype == np.float64
