"""Labels of a test or wild set take the form of their source's."""

import numpy as np
import pytest

from surefoot.data.readers.labels import align_labels
from surefoot.types.errors import DataError


@pytest.mark.parametrize(
    ("labels", "like", "aligned"),
    [
        (["a", "b"], ["b", "c"], ["a", "b"]),
        (["3", None, "7"], [3, 7], [3, None, 7]),
        ([3, None], ["3", "x"], ["3", None]),
        ([], [1, 2], []),
        ([None], ["a"], [None]),
    ],
)
def test_words_and_ints_take_the_form_of_the_source(labels, like, aligned):
    assert align_labels(labels, like, "wild") == aligned


def test_whole_numbers_become_vectors_where_the_source_has_vectors():
    one = align_labels([2, None], [np.array([0.5]), np.array([1.5])], "wild")
    assert one[0].tolist() == [2.0]
    assert one[1] is None
    assert align_labels([2], [np.array([1.0, 1, 0])], "wild")[0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("labels", [["03"], ["a"], [np.array([0.5])], [np.array([0.5, 1])]])
def test_labels_that_can_not_be_compared_are_an_error(labels):
    with pytest.raises(DataError, match="labels are"):
        align_labels(labels, [3, 7], "wild")


def test_a_class_beyond_the_source_s_labels_is_an_error():
    with pytest.raises(DataError, match="Its labels are ints, the source's are vectors of 3"):
        align_labels([3], [np.array([1.0, 1, 0])], "wild")


def test_no_shared_class_is_an_error():
    with pytest.raises(DataError, match=r'None of its classes \("9"\) is a class of the source \("b", "c"\)'):
        align_labels([9], ["c", "b"], "wild")
    assert align_labels([103], [3, 7], "wild") == [103]
