"""Tables nobody should write: a million columns, nested cells, mixed types, infinities, dates in three formats."""

import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from surefoot.types.errors import DataError

from .samples import read, read_text, write_files


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_million_columns_are_an_error_within_seconds(tmp_path, form):
    names = [f"c{j}" for j in range(1_000_000)]
    if form == "csv":
        text = ",".join(names) + "\n" + ",".join("1" * 1_000_000) + "\n"
    else:
        text = "{" + ",".join(f'"{name}":1' for name in names) + "}\n"
    write_files(tmp_path, {f"wide.{form}": text})
    begin = time.process_time()
    with pytest.raises(DataError, match="has 1,000,000 columns; at most 50,000 are read") as caught:
        read(tmp_path, f"wide.{form}")
    assert time.process_time() - begin < 10
    assert "turn rows and columns round" in caught.value.next


def test_a_parquet_file_is_refused_by_its_width_before_it_is_read(tmp_path):
    pa.parquet.write_table(pa.table({f"c{j}": [1] for j in range(50_001)}), tmp_path / "wide.parquet")
    with pytest.raises(DataError, match="has 50,001 columns"):
        read(tmp_path, "wide.parquet")


def test_nested_columns_are_left_out_and_said(tmp_path):
    rows = "".join(f'{{"x": {k}, "tags": ["a", "b"], "who": {{"name": "n"}}, "y": "{"ab"[k % 2]}"}}\n' for k in range(10))
    source = read_text(tmp_path, rows, "a.jsonl")
    assert list(source.columns) == ["x", "y"]
    assert any('hold lists, objects or bytes and were left out: "tags", "who"' in note for note in source.notes)


def test_a_nested_target_is_an_error_that_says_so(tmp_path):
    write_files(tmp_path, {"a.jsonl": '{"x": 1, "z": 2, "y": [1]}\n{"x": 2, "z": 1, "y": [2]}\n'})
    pa.parquet.write_table(pa.table({"x": [1, 2], "z": [1, 2], "y": [[1], [2]]}), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        with pytest.raises(DataError, match='Column "y" holds lists, objects or bytes') as caught:
            read(tmp_path, name, target="y")
        assert "a column for each of its parts" in caught.value.next


def test_a_stray_nested_cell_is_missing_and_the_column_stays(tmp_path):
    rows = "".join(f'{{"x": {"[1, 2]" if k == 7 else k}, "y": "{"ab"[k % 2]}"}}\n' for k in range(200))
    source = read_text(tmp_path, rows, "a.jsonl")
    assert np.flatnonzero(np.isnan(source.columns["x"])).tolist() == [7]
    assert any("1 cells hold lists or objects and became missing, the first on line 8" in note for note in source.notes)


def test_mixed_types_are_words_or_numbers_with_strays_that_are_named(tmp_path):
    rows = "".join(
        f'{{"few": {k if k != 3 else chr(34) + "three" + chr(34)}, "many": {k if k % 2 else chr(34) + "w" + chr(34)}, "y": 1}}\n' for k in range(200)
    )
    source = read_text(tmp_path, rows, "a.jsonl")
    assert np.flatnonzero(np.isnan(source.columns["few"])).tolist() == [3]
    assert source.columns["many"].dtype == object
    assert any('Column "few": 1 cells are no numbers and became missing: a.jsonl:4' in note for note in source.notes)


def test_infinities_are_numbers_and_no_words(tmp_path):
    source = read_text(tmp_path, "x,y\n1,a\ninf,b\n-Infinity,a\n2,b\n")
    assert source.columns["x"].tolist() == [1, np.inf, -np.inf, 2]


def test_dates_in_three_formats_are_read_each_as_its_own_where_that_is_sure(tmp_path):
    days = ["2024-01-31", "2024-02-01", "25/12/2023", "01/11/2023", "2023.07.30", "2023.08.02"] * 5
    source = read_text(tmp_path, "day,y\n" + "".join(f"{day},{'ab'[k % 2]}\n" for k, day in enumerate(days)))
    assert source.columns["day"].astype("datetime64[D]").astype(str).tolist()[:6] == [
        "2024-01-31", "2024-02-01", "2023-12-25", "2023-11-01", "2023-07-30", "2023-08-02",
    ]  # fmt: skip
    assert any('Column "day": its dates are written in 3 formats' in note for note in source.notes)


def test_dates_in_three_formats_of_which_one_is_open_stay_words_and_say_why(tmp_path):
    days = ["2024-01-31", "2024-02-01", "03/04/2023", "05/06/2023", "2023.07.30", "2023.08.02"] * 5
    source = read_text(tmp_path, "day,y\n" + "".join(f"{day},{'ab'[k % 2]}\n" for k, day in enumerate(days)))
    assert source.columns["day"].dtype == object
    assert any("day and month can't be told apart" in note for note in source.notes)


def test_words_that_are_no_dates_get_no_note_about_dates(tmp_path):
    source = read_text(tmp_path, "version,y\n" + "".join(f"{v},{'ab'[k % 2]}\n" for k, v in enumerate(["1.2.10", "1.3.2", "v2", "3-2-10"] * 5)))
    assert source.columns["version"].dtype == object
    assert not source.notes
