"""Who an item is follows from its content, and from nothing else."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot.data.identity import group_equals, hash_image, hash_rows, number_equals
from surefoot.types.source import Named, take_words

IMAGES = hnp.arrays(np.uint8, st.sampled_from([(2, 3), (3, 2), (1, 6), (2, 1, 3), (6,)]))


@given(IMAGES, IMAGES)
def test_two_pictures_have_one_hash_only_if_they_are_equal(one, other):
    assert (hash_image(one) == hash_image(other)) == (one.shape == other.shape and bool((one == other).all()))


def test_the_hash_of_a_picture_does_not_depend_on_how_it_lies_in_memory():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert hash_image(image) == hash_image(np.asfortranarray(image)) == hash_image(np.repeat(image, 2, 0)[::2])


def columns(**changes) -> dict[str, np.ndarray]:
    plain = {
        "age": np.array([31.0, np.nan, 31.0]),
        "job": np.array(["nurse", None, "nurse"], object),
        "day": np.array(["2026-01-01", "NaT", "2026-01-01"], "datetime64[ns]"),
    }
    return plain | changes


def test_equal_rows_have_equal_hashes_and_others_do_not():
    first, second, third = hash_rows(columns())
    assert first == third != second
    assert len(first) == 16


def test_reordered_columns_and_rows_change_no_hash():
    hashes = hash_rows(columns())
    assert hash_rows(dict(reversed(columns().items()))) == hashes
    assert hash_rows({name: values[::-1] for name, values in columns().items()}) == hashes[::-1]


def test_each_column_counts():
    changed = [
        columns(age=np.array([32.0, np.nan, 31.0])),
        columns(job=np.array(["Nurse", None, "nurse"], object)),
        columns(day=np.array(["2026-01-02", "NaT", "2026-01-01"], "datetime64[ns]")),
    ]
    hashes = {hash_rows(columns())[0], *(hash_rows(one)[0] for one in changed)}
    assert len(hashes) == 4


def test_a_row_keeps_its_hash_whatever_rows_stand_beside_it():
    alone = {name: values[:1] for name, values in columns().items()}
    assert hash_rows(alone)[0] == hash_rows(columns())[0]


def test_another_process_finds_the_same_hashes():
    code = (
        "import numpy as np; import surefoot.data.identity as identity; "
        "print(identity.hash_image(np.eye(3, dtype=np.uint8)), *identity.hash_rows({'a': np.array(['x', None], object)}))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}).stdout
    assert told.strip() == f"{hash_image(np.eye(3, dtype=np.uint8))} {' '.join(hash_rows({'a': np.array(['x', None], object)}))}"


@given(st.lists(st.sampled_from("abc")))
def test_ids_are_unique_and_begin_with_their_content(contents):
    ids = number_equals(contents)
    assert len(set(ids)) == len(contents)
    assert [i.rpartition("-")[0] for i in ids] == contents


def test_equals_are_numbered_in_their_order():
    assert number_equals(["x", "y", "x", "x"]) == ["x-0", "y-0", "x-1", "x-2"]


@given(st.lists(st.sampled_from("abcde")))
def test_what_is_there_twice_is_grouped_and_nothing_else(contents):
    assert group_equals(contents) == {one: [at for at, other in enumerate(contents) if other == one] for one in contents if contents.count(one) > 1}


def test_ids_of_many_rows_are_made_when_they_are_asked_for():
    """As a list they take 75 MB for a million rows."""
    tracemalloc.start()
    try:
        ids = number_equals(hash_rows({"a": np.arange(100_000.0) // 2}))
        held = tracemalloc.get_traced_memory()[0]
        del ids
        ids = number_equals(hash_rows({"a": np.arange(100_000.0)}))
        single = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert single < 2_000_000 < held
    assert len(set(ids)) == len(ids) == 100_000
    assert ids[-1] == ids[99_999] == [*ids][-1]
    assert ids.take(np.array([5, 70_000]))[:] == [ids[5], ids[70_000]]


def count_calls(words: list[str]) -> tuple[Named, list[slice]]:
    calls: list[slice] = []

    def name(some: slice) -> list[str]:
        calls.append(some)
        return words[some]

    return Named(len(words), name), calls


def test_words_of_many_rows_are_asked_for_together():
    words, calls = count_calls([f"{number % 3}" for number in range(200_000)])
    groups = group_equals(words)
    assert [len(groups[one]) for one in "012"] == [66_667, 66_667, 66_666]
    assert len(calls) < 20


@given(st.lists(st.integers(0, 199_999), max_size=30))
def test_words_of_some_rows_are_theirs_in_any_order(rows):
    words = Named(200_000, lambda some: (f"w{number}" for number in range(some.start, some.stop)))
    assert [*words.take(np.array(rows, np.int64))] == [f"w{row}" for row in rows]
    assert [*take_words([f"w{row}" for row in range(10)], np.array([3, 7]))] == ["w3", "w7"]


def test_words_of_few_rows_among_many_take_little_memory():
    words = Named(2_000_000, lambda some: (f"{number:016x}" for number in range(some.start, some.stop)))
    few = words.take(np.arange(0, 2_000_000, 100))
    tracemalloc.start()
    try:
        assert sum(1 for _ in few) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 2e7
    finally:
        tracemalloc.stop()


def test_hashes_of_rows_are_equal_where_rows_are_and_can_be_taken_in_any_order():
    hashes = hash_rows({"a": np.array([1.0, 2.0, 1.0, 3.0])})
    assert group_equals(hashes) == {hashes[0]: [0, 2]}
    some = hashes.take(np.array([3, 0, 2]))
    assert list(some) == [hashes[3], hashes[0], hashes[2]]
    assert group_equals(some) == group_equals(list(some)) == {hashes[0]: [1, 2]}
