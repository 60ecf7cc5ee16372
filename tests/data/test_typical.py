"""The typical row has a value per column, as JSON has it, and is nobody's."""

from __future__ import annotations

import json

import numpy as np

from surefoot.data import preprocess
from surefoot.data.typical import find_typical, make_example

COLUMNS = {
    "size": np.array([1.0, 2.0, 99.0, np.nan, np.inf]),
    "colour": np.array(["red", "blue", "red", None, "red"], object),
    "member": np.array([1.0, 1.0, 0.0, np.nan, 1.0]),
    "day": np.array(["2024-01-01", "2024-02-03T10:00", "2024-03-01", "NaT", "NaT"], "datetime64[ns]"),
    "empty": np.full(5, np.nan),
}
KINDS = {"size": "numeric", "colour": "category", "member": "boolean", "day": "date", "empty": "numeric"}


def test_it_holds_the_middle_or_the_commonest_of_each_column():
    recipe = json.loads(json.dumps(preprocess.make_table_recipe(COLUMNS, KINDS)))
    assert make_example(recipe) == {"size": 2, "colour": "red", "member": True, "day": "2024-02-03", "empty": None}


def test_it_is_understood_by_the_recipe_it_comes_from():
    recipe = preprocess.make_table_recipe(COLUMNS, KINDS)
    example = {name: [value] for name, value in make_example(recipe).items()}
    assert preprocess.unseen(example, recipe) == {}


def test_numbers_are_short():
    assert find_typical(np.array([np.pi]), "numeric") == 3.142
