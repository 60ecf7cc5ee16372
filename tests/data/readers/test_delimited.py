"""Delimited text: encoding, delimiter, header, ragged rows and line numbers."""

import codecs
import csv
import errno
import gzip
import io
import tempfile
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.data import readers
from surefoot.data.readers import delimited
from surefoot.types.errors import DataError

from .samples import read, read_text

PEOPLE = "name,age,town\nAnn,31,Köln\nBob,45,Malmö\nCleo,28,Genève\n"


def columns(source):
    return {name: values.tolist() for name, values in source.columns.items()}


@pytest.mark.parametrize(("mark", "suffix"), [(",", ".csv"), ("\t", ".tsv"), (";", ".csv"), ("|", ".txt"), ("\t", ".csv"), (",", "")])
def test_the_delimiter_is_found_from_the_content_whatever_the_suffix(tmp_path, mark, suffix):
    source = read_text(tmp_path, PEOPLE.replace(",", mark), "people" + suffix)
    assert columns(source) == {"name": ["Ann", "Bob", "Cleo"], "age": [31, 45, 28], "town": ["Köln", "Malmö", "Genève"]}
    assert source.places == [f"people{suffix}:{line}" for line in (2, 3, 4)]


def test_commas_inside_the_cells_of_a_tab_separated_file_do_not_mislead(tmp_path):
    source = read_text(tmp_path, "label\tmessage\n" + "".join(f"ham\tsee you, at {k}, then, bye\n" for k in range(20)), "sms.tsv")
    assert list(source.columns) == ["label", "message"]
    assert source.columns["message"][3] == "see you, at 3, then, bye"


def test_thousands_between_tabs_are_not_taken_for_decimals(tmp_path):
    source = read_text(tmp_path, "a\tb\n1,234\tx\n5,678\ty\n")
    assert source.columns["a"].tolist() == [1234, 5678]
    assert "the comma in 1,234 is read as one that parts thousands" in source.notes[0]


def test_decimal_commas_between_semicolons_are_numbers_and_it_is_said(tmp_path):
    source = read_text(tmp_path, "size;price;kind\n1,5;10;a\n2,25;12;b\n-3;8,5;a\n")
    assert columns(source) == {"size": [1.5, 2.25, -3], "price": [10, 12, 8.5], "kind": ["a", "b", "a"]}
    assert any("decimal comma" in note and '"size"' in note for note in source.notes)


def test_points_part_thousands_where_another_column_has_decimal_commas(tmp_path):
    source = read_text(tmp_path, "preis;gewicht;y\n" + "950;3,5;a\n1.250;4,25;b\n12.400;7;a\n")
    assert columns(source) == {"preis": [950, 1250, 12400], "gewicht": [3.5, 4.25, 7], "y": ["a", "b", "a"]}
    assert any("the point in 1.250 is read as one that parts thousands" in note for note in source.notes)


def test_points_that_may_part_thousands_are_told_where_nothing_tells(tmp_path):
    source = read_text(tmp_path, "preis;y\n950;a\n1.250;b\n12.400;a\n")
    assert source.columns["preis"].tolist() == [950, 1.25, 12.4]
    assert "if they part thousands, write 1250 for 1.250" in source.notes[0]
    assert read_text(tmp_path, "preis;size;y\n950;0.5;a\n1.250;0.75;b\n").notes == []


def test_rare_decimal_commas_are_numbers_as_the_file_writes_them(tmp_path):
    source = read_text(tmp_path, "preis;menge;y\n" + "".join(f"{'1,5' if k in (3, 90) else k};{k},25;{k % 2}\n" for k in range(300)))
    assert source.columns["preis"][[3, 90]].tolist() == [1.5, 1.5]
    assert not any("became missing" in note for note in source.notes)


def test_decimal_commas_between_tabs_are_numbers(tmp_path):
    source = read_text(tmp_path, "size\tprice\ty\n12,5\t1.000,5\ta\n0,142\t2.000,25\tb\n")
    assert columns(source) == {"size": [12.5, 0.142], "price": [1000.5, 2000.25], "y": ["a", "b"]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (PEOPLE.encode(), ""),
        (codecs.BOM_UTF8 + PEOPLE.encode(), ""),
        (PEOPLE.encode("utf-16"), ""),
        (codecs.BOM_UTF16_BE + PEOPLE.encode("utf-16-be"), ""),
        (PEOPLE.encode("utf-16-le"), "UTF-16-LE"),
        (PEOPLE.encode("utf-16-be"), "UTF-16-BE"),
        (PEOPLE.encode("cp1252"), "Windows-1252"),
    ],
)
def test_encodings_are_detected_and_guesses_are_said(tmp_path, data, said):
    source = read_text(tmp_path, data)
    assert list(source.columns) == ["name", "age", "town"]
    assert source.columns["town"].tolist() == ["Köln", "Malmö", "Genève"]
    assert (said in source.notes[0]) if said else source.notes == []


def test_gzip_is_unpacked(tmp_path):
    assert columns(read_text(tmp_path, gzip.compress(PEOPLE.encode()), "people.csv.gz"))["age"] == [31, 45, 28]
    assert columns(read_text(tmp_path, gzip.compress(PEOPLE.encode()), "people.csv"))["age"] == [31, 45, 28]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_line_ends(tmp_path, end):
    source = read_text(tmp_path, PEOPLE.replace("\n", end))
    assert columns(source)["town"] == ["Köln", "Malmö", "Genève"]
    assert source.places[-1] == "table.csv:4"


def test_ragged_rows_are_refused_with_their_line_and_the_rest_goes_on(tmp_path):
    source = read_text(tmp_path, "a,b\n1,2\n3\n5,6\n7,8,9\n0,1\n")
    assert columns(source) == {"a": [1, 5, 0], "b": [2, 6, 1]}
    assert [(one.place, one.reason) for one in source.refused] == [
        ("table.csv:3", "1 cells where the header has 2"),
        ("table.csv:5", "3 cells where the header has 2"),
    ]
    assert source.places == ["table.csv:2", "table.csv:4", "table.csv:6"]
    assert {one.code for one in source.refused} == {"data.corrupt_item"}


def test_blank_lines_and_line_breaks_inside_cells_keep_the_line_numbers_right(tmp_path):
    source = read_text(tmp_path, '\n\na,b\n1,"two\nlines"\n\n3,x\n4\n5,"y ""z"""\n   \n\n')
    assert columns(source) == {"a": [1, 3, 5], "b": ["two\nlines", "x", 'y "z"']}
    assert source.places == ["table.csv:4", "table.csv:7", "table.csv:9"]
    assert [one.place for one in source.refused] == ["table.csv:8"]


def test_both_parsers_agree_on_quoted_and_plain_cells(tmp_path):
    rows = [f'{k},"a, {k}",x "y" z,"q""{k}"' for k in range(300)]
    fast = read_text(tmp_path, "n,one,two,three\n" + "\n".join(rows), "fast.csv")
    exact = read_text(tmp_path, "n,one,two,three\n\n" + "\n".join(rows), "exact.csv")
    assert columns(fast) == columns(exact)
    assert fast.places[:2] == ["fast.csv:2", "fast.csv:3"]
    assert exact.places[:2] == ["exact.csv:3", "exact.csv:4"]
    assert fast.columns["three"][7] == 'q"7'


@settings(derandomize=True, deadline=None, max_examples=60)
@given(rows=st.lists(st.tuples(st.text('ab", \n', max_size=6), st.text('ab", \n', max_size=6)), min_size=3, max_size=12), mark=st.sampled_from(",;\t|"))
def test_whatever_python_writes_comes_back(tmp_path_factory, rows, mark):
    """Cells begin and end with a letter: what strips or means missing is tested elsewhere."""
    rows = [[f"w{cell}{k}" for cell in row] for k, row in enumerate(rows)]
    out = io.StringIO()
    csv.writer(out, delimiter=mark).writerows([["left", "right"], *rows])
    source = read_text(tmp_path_factory.mktemp("csv"), out.getvalue())
    assert [list(row) for row in zip(source.columns["left"], source.columns["right"], strict=True)] == rows
    text = out.getvalue().replace("\r\n", "\n")
    begins = [1 + csv_lines(text, mark, k) for k in range(1, len(rows) + 1)]
    assert source.places == [f"table.csv:{line}" for line in begins]


def csv_lines(text, mark, rows):
    """How many lines the first rows of a text take."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    for _ in range(rows):
        next(reader)
    return reader.line_num


def test_mostly_ragged_rows_are_an_error_that_names_the_first(tmp_path):
    with pytest.raises(DataError, match=r"10 of 10 rows of table\.csv have another number of cells") as caught:
        read_text(tmp_path, "name,age\n" + "x,Ann,31\n" * 10)
    assert caught.value.where == "table.csv:2"
    assert "comma" in caught.value.next


def test_a_quotation_mark_that_is_never_closed_is_an_error_or_a_plain_character(tmp_path):
    with pytest.raises(DataError, match=r"opened on line 53 of table\.csv is never closed"):
        read_text(tmp_path, "a,b\n1,x\n" + '3,"p, q"\n' * 50 + '2,"y\n5,z\n')
    source = read_text(tmp_path, 'a\tb\n1\tx\n2\t"y\n' + "3\tz\n" * 50)
    assert len(source) == 52
    assert source.columns["b"][1] == '"y'
    assert "line 3" in source.notes[0]


def test_a_row_that_a_stray_quotation_mark_glued_to_others_says_on_which_lines_they_were(tmp_path):
    source = read_text(tmp_path, 'a,b\n1,x\n2,"y\n3,"z,w\n4,v\n')
    assert source.columns["a"].tolist() == [1, 4]
    assert [(one.place, one.reason[:32]) for one in source.refused] == [("table.csv:3", "3 cells where the header has 2, ")]
    assert "on lines 3 to 4" in source.refused[0].reason


@pytest.mark.parametrize("rows", [200, 30_000])
def test_an_unclosed_quotation_mark_does_not_swallow_the_file_however_long_it_is(tmp_path, rows):
    source = read_text(tmp_path, 'a,b\n1,"x\n' + "2,some words\n" * rows)
    assert len(source) == rows + 1


@pytest.mark.parametrize("first", [True, False])
def test_a_text_of_two_hundred_thousand_characters_with_line_breaks_is_one_row(tmp_path, first):
    """Python's csv would stop at 131,072."""
    text = "some words, and more\n" * 9_600
    rows = ['1,"short"\n'] * 40
    rows.insert(0 if first else 20, f'2,"{text}"\n')
    source = read_text(tmp_path, "a,b\n" + "".join(rows))
    assert len(source) == 41
    assert source.columns["b"][0 if first else 20] == text.strip()
    assert source.refused == []


@pytest.mark.parametrize(("mark", "said"), [('"', "is not closed within 524,288"), ("", "has more than 524,288 characters")])
def test_a_cell_without_end_is_an_error_in_words(tmp_path, monkeypatch, mark, said):
    text = ("words " * 20 + "\n" * bool(mark)) * 5_000
    monkeypatch.setattr(delimited, "MAX_CELL", 2**19)
    with pytest.raises(DataError, match=said) as caught:
        read_text(tmp_path, f'a,b\n1,x\n2,{mark}{text}{mark}\n3,"y\nz"\n')
    assert caught.value.where == "table.csv:3"


@pytest.mark.parametrize("text", ["n\n1\n2\n3\n", "one line\nof prose, with a comma\nand no table\nat all\n"])
def test_a_single_column_is_an_error(tmp_path, text):
    with pytest.raises(DataError, match="one column only") as caught:
        read_text(tmp_path, text)
    assert "commas between the cells" in caught.value.next


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,2.9,virginica\n",
        "39, State-gov, 77516\n50, Private, 83311\n38, Private, 215646\n",
        "p,x,s,n\ne,x,s,y\ne,b,s,w\np,x,y,n\n",
        "Ann,34\nBob,28\nCleo,51\n",
        "?,red,a\n3,blue,b\n",
        "ham,see you then\nspam,win a prize\nham,ok\n",
    ],
)
def test_a_missing_header_is_an_error_that_says_what_to_do(tmp_path, text):
    with pytest.raises(DataError, match="has no header: its first row looks like data") as caught:
        read_text(tmp_path, text)
    assert caught.value.where == "table.csv:1"
    assert "Add a first line with the names of the columns" in caught.value.next
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("header", ["0,1,2,label", "name,2019,2020,label", "1stFlrSF,x-1,y2,label", "label,pixel0,pixel1,pixel2"])
def test_numbers_that_serve_as_names_are_a_header(tmp_path, header):
    assert list(read_text(tmp_path, header + "\n4,5,6,7\n8,9,1,3\n").columns) == header.split(",")


def test_equal_names_are_an_error_that_names_them(tmp_path):
    with pytest.raises(DataError, match='names 2 columns more than once: "age", "town"') as caught:
        read_text(tmp_path, "age,town,age ,town,x\n1,2,3,4,5\n")
    assert "name of its own" in caught.value.next


def test_columns_without_a_name_are_called_by_their_position_or_left_out_where_empty(tmp_path):
    source = read_text(tmp_path, ",a,b,\n0,5,x,\n1,6,y, \n")
    assert list(source.columns) == ["column_1", "a", "b"]
    assert len(source.notes) == 2
    assert "Column 4 of table.csv has neither name nor content" in source.notes[1]


def test_names_and_cells_lose_the_spaces_around_them(tmp_path):
    assert columns(read_text(tmp_path, " a , b\n 1 ,  x\xa0\n2,y \n")) == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize("text", ["a,b\n", "a,b", "\n\n"])
def test_a_table_without_rows_is_an_error(tmp_path, text):
    with pytest.raises(DataError, match=r"no rows|is empty"):
        read_text(tmp_path, text)


def test_a_gzip_that_unpacks_without_end_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"bytes to more than 16,777,216: nothing honest shrinks so far") as caught:
        read_text(tmp_path, gzip.compress(bytes([65]) * 2**26), "bomb.csv.gz")
    assert "gunzip" in caught.value.next


def test_torn_gzip_and_binary_content_are_errors(tmp_path):
    packed = gzip.compress(np.random.default_rng(0).bytes(5000).hex().encode())
    with pytest.raises(DataError, match="can't be read") as caught:
        read_text(tmp_path, packed[: len(packed) // 2], "a.csv.gz")
    assert "truncated" in caught.value.next
    with pytest.raises(DataError, match="no text: it holds zero bytes"):
        read_text(tmp_path, b"a,b\n" + bytes(range(256)) * 10, "a.csv")


def test_a_wide_table_whose_first_line_is_long_is_read(tmp_path):
    names = [f"a_rather_long_name_of_a_column_{k}" for k in range(9_000)]
    source = read_text(tmp_path, ",".join(names) + "\n" + "\n".join([",".join(["1"] * 9_000)] * 3))
    assert len(source.columns) == 9_000
    assert len(source) == 3


def test_two_hundred_thousand_rows_take_seconds_even_with_a_ragged_one(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.4f},{b},red,yes" for a, b in zip(rng.normal(size=2000), rng.integers(0, 99, 2000), strict=True)] * 100
    rows[777] += ",more"
    (tmp_path / "big.csv").write_text("a,b,colour,flag\n" + "\n".join(rows))
    began = time.perf_counter()
    source = read(tmp_path, "big.csv", target="colour")
    assert time.perf_counter() - began < 10
    assert len(source) == 199_999
    assert source.refused[0].place == "big.csv:779"
    assert source.places[777] == "big.csv:780"
    assert source.booleans == ("flag",)


def test_a_large_file_is_read_as_a_small_one_and_its_cells_take_no_memory(tmp_path, monkeypatch):
    lines = [f"{number},{'z' * (9_000 if number == 40 else 5)},{'ab'[number % 2]}" for number in range(3_000)]
    lines[7], lines[2_000] = "1,2", "1,2,3,4"
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["a,b,y", *lines]), encoding="utf-8")
    small = delimited.read_delimited(path)
    monkeypatch.setattr(delimited, "STREAM_BYTES", 4_096)  # the long line takes the larger block
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 16_384)
    before = pa.total_allocated_bytes()
    large = delimited.read_delimited(path)
    assert pa.total_allocated_bytes() - before < 16_384
    assert [one.place for one in large.refused] == ["rows.csv:9", "rows.csv:2002"]
    assert (large.places, large.refused, large.places[7]) == (small.places, small.refused, "rows.csv:10")
    assert {name: column.to_pylist() for name, column in large.columns.items()} == {name: column.to_pylist() for name, column in small.columns.items()}


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), FileNotFoundError("No usable temporary directory found")])
def test_a_large_file_is_read_also_where_there_is_no_room_for_a_temporary_one(tmp_path, monkeypatch, error):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,y\n" + "".join(f"{number},{'z' * 50},q\n" for number in range(3_000)), encoding="utf-8")
    small = delimited.read_delimited(path)

    def refuse():
        raise error

    monkeypatch.setattr(delimited, "BLOCK_BYTES", 16_384)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    large = delimited.read_delimited(path)
    assert (large.places, large.refused, large.columns) == (small.places, small.refused, small.columns)


def test_a_wide_table_is_read_in_few_pieces(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([",".join(f"c{k}" for k in range(4_000)), *[",".join(["0.125"] * 4_000)] * 100]), encoding="utf-8")
    assert delimited.read_delimited(path).columns["c0"].num_chunks == 1


@pytest.mark.parametrize("how", ["alone", "renamed", "one of two"])
def test_the_places_of_a_table_do_not_keep_its_cells_in_memory(tmp_path, how):
    """A line break inside a cell keeps the columns in memory, where they once stayed as long as the places."""
    path = tmp_path / "letters.csv"
    path.write_text("text,y\n" + "".join(f'"{number}{"z" * 300}\nmore",{number % 2}\n' for number in range(3_000)), encoding="utf-8")
    before = pa.total_allocated_bytes()
    table = delimited.read_delimited(path)
    table = table.called("other.csv") if how == "renamed" else readers._name_part(table, "a") if how == "one of two" else table
    places = table.places
    del table
    assert places[1] == {"alone": "letters.csv:4", "renamed": "other.csv:4", "one of two": "a/letters.csv:4"}[how]
    assert pa.total_allocated_bytes() - before < 100_000


def test_a_test_file_that_does_not_say_its_decimal_mark_has_that_of_the_others(tmp_path):
    (tmp_path / "train.csv").write_text("preis;gewicht;y\n950;3,5;a\n1.250;4,25;b\n")
    (tmp_path / "test.csv").write_text("preis;gewicht;y\n1.400;3;a\n")
    assert read(tmp_path, "train.csv", test="test.csv").columns["preis"].tolist() == [950, 1250, 1400]
