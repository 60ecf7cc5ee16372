"""Proposed repairs: what can be said without asking anybody, one line per item, and nothing where labels merely differ by majority."""

from __future__ import annotations

import numpy as np

from surefoot.analysis.looks import Used
from surefoot.analysis.mending import find_conflicts, propose_repairs
from surefoot.types.source import Refused


def use(groups: list[str], labels: list[int]) -> Used:
    names = [f"{n}.png" for n in range(len(groups))]
    return Used(
        np.arange(len(groups)),
        [f"id{n}" for n in range(len(groups))],
        names,
        [""] * len(groups),
        groups,
        groups,
        np.asarray(labels, float)[:, None],
        np.ones(len(groups), bool),
    )


def propose(used: Used, refused: list[Refused] | None = None, found: dict[str, dict[int, str]] | None = None) -> dict[str, tuple[str, str]]:
    labels = [str(int(target)) for target in used.targets[:, 0]]
    table = propose_repairs(refused or [], found or {}, find_conflicts(used.groups, used.targets), labels, used)
    return {line["place"]: (line["action"], line["value"]) for line in table.to_pylist()}


def test_two_that_contradict_each_other_are_both_dropped():
    assert propose(use(["x", "x", "y"], [0, 1, 0])) == {"0.png": ("drop", ""), "1.png": ("drop", "")}


def test_one_against_two_takes_their_label():
    assert propose(use(["x", "x", "x", "y"], [1, 1, 0, 0])) == {"2.png": ("relabel", "1")}


def test_equal_items_of_one_label_are_left_in_peace():
    assert propose(use(["x", "x", "y"], [1, 1, 0])) == {}


def test_refused_files_are_dropped_but_litter_and_what_is_dropped_already():
    refused = [Refused("a.png", "torn"), Refused(".DS_Store", "no picture"), Refused("b.png", "dropped by repairs.csv", "data.repaired")]
    assert propose(use(["x"], [0]), refused) == {"a.png": ("drop", "")}


def test_negatives_are_inverted_and_copies_of_a_test_item_are_dropped():
    found = {"data.inverted": {1: "it correlates by -0.9"}, "data.duplicates": {0: "repeats t.png of the given test set"}}
    assert propose(use(["x", "y"], [0, 0]), [], found) == {"0.png": ("drop", ""), "1.png": ("convert", "invert")}
