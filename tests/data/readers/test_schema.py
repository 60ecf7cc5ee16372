"""Kinds of columns, and the column that is probably the target."""

import numpy as np
import pytest

from surefoot.data.readers.schema import column_kind, suggest_target

from .samples import read_text

WORDS = [f"{k} the quick brown fox jumps over the lazy dog" for k in range(20)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1.5, np.nan]), "numeric"),
        (np.array([0.0, 1.0, 0.0, 1.0]), "numeric"),
        (np.array(["2020-01-01"], "datetime64[ns]"), "date"),
        (np.array(["red", "blue", None] * 5, object), "category"),
        (np.array([f"PC {k}" for k in range(20)], object), "category"),
        (np.array([f"{k:032x}" for k in range(20)], object), "category"),
        (np.array(WORDS, object), "text"),
        (np.array([WORDS[k % 3] for k in range(20)], object), "category"),
        (np.array([None, None], object), "category"),
    ],
)
def test_kinds_follow_from_the_values(values, kind):
    assert column_kind("x", values, ()) == kind


def test_booleans_are_named():
    assert column_kind("x", np.array([0.0, 1.0]), ("x",)) == "boolean"
    assert column_kind("z", np.array([0.0, 1.0]), ("x",)) == "numeric"


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (["a", "b", "c"], "c"),
        (["Class", "b", "c"], "Class"),
        (["label", "message"], "label"),
        (["y", "target", "c"], "target"),
        (["income", "y", "c"], "y"),
    ],
)
def test_the_target_is_the_first_known_name_or_the_last_column(names, target):
    assert suggest_target(names) == (target,)


def test_columns_that_are_no_inputs_are_not_suggested(tmp_path):
    text = "a,b,note,key\n1,2,x,7\n3,4,y,8\n"
    assert read_text(tmp_path, text, id="key", ignore=["note"]).suggested_target == ("b",)
    assert read_text(tmp_path, text).suggested_target == ("key",)
