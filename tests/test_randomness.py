"""Randomness is a function: the same name gives the same numbers, and another name gives others."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot import randomness

NAMES = st.tuples(st.integers(0, 2**31 - 1), st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])), st.lists(st.integers(0, 99), max_size=3))


def test_a_stream_gives_the_same_numbers_each_time_it_is_asked_for():
    first = randomness.stream(3, "order", 7).random(100)
    again = randomness.stream(3, "order", 7).random(100)
    assert (first == again).all()


def test_each_part_of_the_name_changes_the_stream():
    names = [(3, "order", 7), (4, "order", 7), (3, "dropout", 7), (3, "order", 8), (3, "order"), (3, "order", 7, 0), (3, "order", "a")]
    drawn = {float(randomness.stream(*name).random()) for name in names}
    assert len(drawn) == len(names)


@given(NAMES, NAMES)
def test_keys_are_equal_only_where_all_parts_are(one, other):
    left, right = randomness.key(one[0], one[1], *one[2]), randomness.key(other[0], other[1], *other[2])
    assert (left == right) == (one == other)


@given(NAMES)
def test_a_key_fits_into_63_bits(name):
    assert 0 <= randomness.key(name[0], name[1], *name[2]) < 2**63


def test_numpy_integers_name_the_same_stream_as_plain_ones():
    assert randomness.key(1, "fold", np.int64(2)) == randomness.key(1, "fold", 2)


def test_another_process_gets_the_same_numbers():
    code = "from surefoot import randomness; print(randomness.key(5, 'search', 3), randomness.stream(5, 'search', 3).random(4).tolist())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "99"}).stdout
    assert told.strip() == f"{randomness.key(5, 'search', 3)} {randomness.stream(5, 'search', 3).random(4).tolist()}"


def test_the_numbers_are_those_that_earlier_versions_drew():
    """Stored splits and resumed runs rest on them: they must never change."""
    assert randomness.key(0, "split", "abc") == 3961244490253154303
    assert randomness.stream(0, "order", 0).permutation(8).tolist() == [4, 2, 5, 1, 6, 0, 3, 7]


@given(NAMES, st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_many_keys_at_once_are_the_keys_one_by_one(name, words):
    seed, purpose, where = name
    assert randomness.keys(seed, purpose, *where, names=words).tolist() == [randomness.key(seed, purpose, *where, word) for word in words]
