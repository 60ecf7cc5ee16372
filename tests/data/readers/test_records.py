"""Parquet and JSON lines: types that the file declares, and lines that are no records."""

import datetime
import decimal
import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from surefoot.types.errors import DataError

from .samples import read, read_text

DAYS = [datetime.datetime(2020, 1, 2, 3), None, datetime.datetime(9999, 1, 1)]


def write_parquet(path, columns):
    pa.parquet.write_table(pa.table(columns), path)
    return path


def test_declared_types_are_kept(tmp_path):
    write_parquet(
        tmp_path / "a.parquet",
        {
            "whole": pa.array([1, None, 3], pa.int32()),
            "price": pa.array([None, "1.50", "2.25"]).cast(pa.decimal128(5, 2)),
            "flag": [True, None, False],
            "when": pa.array(DAYS, pa.timestamp("us")),
            "day": pa.array([0, 1, None], pa.date32()),
            "word": pa.array([" red ", "?", "blue"]).dictionary_encode(),
            "large": pa.array(["1", "2", "x"], pa.large_string()),
            "nothing": pa.nulls(3),
            "label": ["a", "b", "a"],
        },
    )
    source = read(tmp_path, "a.parquet")
    found = source.columns
    assert np.array_equal(found["whole"], [1, np.nan, 3], equal_nan=True)
    assert np.array_equal(found["price"], [np.nan, 1.5, 2.25], equal_nan=True)
    assert np.array_equal(found["flag"], [1, np.nan, 0], equal_nan=True)
    assert source.booleans == ("flag",)
    assert found["when"].dtype == found["day"].dtype == np.dtype("datetime64[ns]")
    assert found["when"][0] == np.datetime64("2020-01-02T03")
    assert np.isnat(found["when"][1:]).all()
    assert found["day"][1] == np.datetime64("1970-01-02")
    assert found["word"].tolist() == ["red", None, "blue"]
    assert found["large"].tolist() == ["1", "2", "x"]
    assert np.isnan(found["nothing"]).all()
    assert source.places == ["a.parquet:1", "a.parquet:2", "a.parquet:3"]
    assert source.suggested_target == ("label",)


def test_a_boolean_target_becomes_words(tmp_path):
    write_parquet(tmp_path / "a.parquet", {"x": [1, 2], "y": [True, False]})
    source = read(tmp_path, "a.parquet")
    assert source.columns["y"].tolist() == ["true", "false"]
    assert source.booleans == ()


def test_columns_of_lists_and_bytes_are_left_out_and_it_is_said(tmp_path):
    write_parquet(tmp_path / "a.parquet", {"x": [1, 2], "list": [[1], [2]], "bytes": [b"a", b"b"], "y": [1, 2]})
    source = read(tmp_path, "a.parquet")
    assert list(source.columns) == ["x", "y"]
    assert '"list", "bytes"' in source.notes[0]


def test_parquet_is_known_by_its_content_and_may_be_packed(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"x": [1, 2], "y": [1, 2]})
    (tmp_path / "a.csv").write_bytes(path.read_bytes())
    (tmp_path / "b.parquet.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert len(read(tmp_path, "a.csv")) == len(read(tmp_path, "b.parquet.gz")) == 2


def test_parquet_and_csv_of_one_set_are_brought_together(tmp_path):
    write_parquet(tmp_path / "a.parquet", {"x": [1, 2], "when": pa.array(DAYS[:2], pa.timestamp("us")), "y": ["a", "b"]})
    (tmp_path / "b.csv").write_text("x,when,y\n3,2021-05-06 07:00:00,a\n")
    joined = read(tmp_path, "a.parquet", test="b.csv")
    assert joined.columns["x"].tolist() == [1, 2, 3]
    assert joined.columns["when"].dtype == np.dtype("datetime64[ns]")
    wild = read(tmp_path, "a.parquet", wild="b.csv", which="wild")
    assert wild.columns["when"].tolist() == np.array(["2021-05-06T07"], "datetime64[ns]").tolist()


def test_torn_or_empty_parquet_is_an_error(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", {"x": list(range(1000)), "y": [1] * 1000})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="torn or no Parquet file"):
        read(tmp_path, "a.parquet")
    write_parquet(tmp_path / "b.parquet", {"x": pa.array([], pa.int8()), "y": pa.array([], pa.int8())})
    with pytest.raises(DataError, match="has no rows"):
        read(tmp_path, "b.parquet")


def test_parquet_with_words_that_are_no_utf8_is_an_error(tmp_path):
    words = pa.Array.from_buffers(pa.string(), 2, [*pa.array(["ab", "cd"]).buffers()[:2], pa.py_buffer(b"\xff\xfecd")])
    write_parquet(tmp_path / "a.parquet", {"x": words, "y": [1, 2]})
    with pytest.raises(DataError, match=r"torn or no Parquet file.*UTF8"):
        read(tmp_path, "a.parquet")


def test_equal_names_in_parquet_are_an_error(tmp_path):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x "])
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match='more than once: "x"'):
        read(tmp_path, "a.parquet")


def test_json_lines_become_columns_and_lines_that_are_no_objects_are_refused(tmp_path):
    lines = ['{"size": 1, "kind": "a", "ok": true}', "{broken", '{"size": 2.5, "kind": null, "ok": false, "more": "x"}', "", "[1, 2]", '{"kind": "b"}']
    source = read_text(tmp_path, "\n".join(lines), "a.jsonl")
    assert np.array_equal(source.columns["size"], [1, 2.5, np.nan], equal_nan=True)
    assert source.columns["kind"].tolist() == ["a", None, "b"]
    assert source.columns["more"].tolist() == [None, "x", None]
    assert np.array_equal(source.columns["ok"], [1, 0, np.nan], equal_nan=True)
    assert source.booleans == ("ok",)
    assert source.places == ["a.jsonl:1", "a.jsonl:3", "a.jsonl:6"]
    assert [one.place for one in source.refused] == ["a.jsonl:2", "a.jsonl:5"]


def test_json_lines_are_known_by_their_content_and_may_be_packed(tmp_path):
    text = "\n".join(json.dumps({"x": k, "y": "ab"[k % 2]}) for k in range(5))
    assert len(read_text(tmp_path, text, "a.txt")) == 5
    assert len(read_text(tmp_path, gzip.compress(text.encode()), "a.jsonl.gz")) == 5


def test_json_lines_that_are_called_json_are_read(tmp_path):
    assert len(read_text(tmp_path, '{"x": 1, "y": 2}\n{"x": 2, "y": 3}\n', "a.json")) == 2


def test_json_values_of_mixed_kinds_become_words_and_nested_ones_are_left_out(tmp_path):
    source = read_text(tmp_path, '{"a": 1, "b": [1], "c": 1e999, "y": 1}\n{"a": "x", "b": {}, "c": 1, "y": 2}\n', "a.jsonl")
    assert source.columns["a"].tolist() == ["1", "x"]
    assert list(source.columns) == ["a", "c", "y"]
    assert '"b"' in source.notes[0]


def test_whole_numbers_beyond_any_float_are_infinite_as_in_text_files(tmp_path):
    huge = "9" * 400
    assert read_text(tmp_path, f'{{"a": {huge}, "y": 1}}\n{{"a": 1, "y": 2}}\n', "a.jsonl").columns["a"].tolist() == [np.inf, 1]
    assert read_text(tmp_path, f"a,y\n{huge},1\n1,2\n", "a.csv").columns["a"].tolist() == [np.inf, 1]


def test_deeply_nested_json_is_refused_and_not_followed(tmp_path):
    source = read_text(tmp_path, '{"a": 1, "y": 2}\n{"a": ' + "[" * 200_000 + "\n", "a.jsonl")
    assert len(source) == 1
    assert len(source.refused) == 1


def test_a_file_of_no_objects_is_an_error(tmp_path):
    with pytest.raises(DataError, match="holds no JSON objects"):
        read_text(tmp_path, "[1]\n[2]\n", "a.jsonl")


@pytest.mark.parametrize("kind", ["int64", "uint64", "decimal"])
def test_declared_whole_numbers_that_a_float_would_merge_stay_words(tmp_path, kind):
    numbers = [2**53 + k for k in range(3)]
    values = pa.array(list(map(decimal.Decimal, numbers)), pa.decimal128(20, 0)) if kind == "decimal" else pa.array(numbers, kind)
    pyarrow.parquet.write_table(pa.table({"uid": values, "small": [1, 2, 3], "y": values}), tmp_path / "t.parquet")
    source = read(tmp_path, "t.parquet")
    assert source.columns["y"].tolist() == source.columns["uid"].tolist() == list(map(str, numbers))
    assert source.columns["small"].tolist() == [1, 2, 3]


def test_whole_numbers_of_json_lines_that_a_float_would_merge_stay_words(tmp_path):
    source = read_text(tmp_path, "".join(json.dumps({"x": k, "y": 2**53 + k}) + "\n" for k in range(3)), "t.jsonl")
    assert source.columns["y"].tolist() == [str(2**53 + k) for k in range(3)]
