"""Columns in many blocks: the rows asked for, in the order asked for, without the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from surefoot.data.columns import take_rows

WORDS = ["a", None, "c", "d", "", "f", "g"]
COLUMN = pa.chunked_array([WORDS[:2], [], WORDS[2:6], WORDS[6:]], pa.string())


@pytest.mark.parametrize("rows", [[], [6], [0, 1, 2, 3, 4, 5, 6], [5, 0, 6, 0, 1, 5]])
def test_rows_come_in_the_order_asked_for_and_as_often(rows):
    assert take_rows(COLUMN, np.asarray(rows, np.int64)).to_pylist() == [WORDS[row] for row in rows]
    assert take_rows(COLUMN, np.asarray(rows, np.int32)).to_pylist() == [WORDS[row] for row in rows]


def test_a_column_without_rows_gives_none():
    assert take_rows(pa.chunked_array([], pa.string()), np.zeros(0, np.int64)).type == pa.string()


def test_a_few_rows_of_many_take_little_memory():
    column = pa.chunked_array([pa.array([f"{row:032x}" for row in range(1 << 14)])] * 32)
    pool = pa.default_memory_pool()
    before, highest = pool.bytes_allocated(), pool.max_memory()
    take_rows(column, np.arange(0, 32 << 14, 5_000))
    assert pool.max_memory() - max(before, highest) < 1 << 20
    assert pool.bytes_allocated() == before
