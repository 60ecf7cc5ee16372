"""Findings on single pictures and on what is nearly equal, with their numbers; silent where there is nothing."""

from __future__ import annotations

from surefoot.checks import pictures as checks
from surefoot.types.data_reports import NearPair


def test_odd_pictures_are_told_by_kind_with_the_first_and_why():
    (found,) = checks.suspects({"data.blurry": {2: "soft", 5: "softer"}, "data.dark": {}}, [f"i{n}" for n in range(10)], [f"{n}.png" for n in range(10)])
    assert (found.code, found.severity, found.ids) == ("data.blurry", "info", ("i2", "i5"))
    assert found.evidence == {"items": 2, "share": 0.2}
    assert "2 of 10 pictures" in found.what
    assert "2.png, soft" in found.what


def test_one_mode_is_no_mixture():
    assert checks.modes({"RGB": 9}) == []
    assert "RGB (9), P (1)" in checks.modes({"RGB": 9, "P": 1})[0].what


def test_near_duplicates_with_other_targets_contradict_each_other():
    pairs = [NearPair(a="a", b="b", place_a="a.png", place_b="b.png", likeness=0.99, is_conflicting=flag) for flag in (False, True)]
    near, conflict = checks.near(pairs, 3, 100, 2)
    assert (near.code, near.severity, near.evidence) == ("data.near_duplicates", "info", {"items": 3, "pairs": 2, "largest_group": 2})
    assert (conflict.code, conflict.severity, conflict.evidence) == ("data.conflicting_labels", "warn", {"pairs": 1})
    assert checks.near([], 0, 100, 0) == []


def test_what_files_tell_is_a_leak_from_half_of_the_way_on_and_names_are_a_note():
    found = checks.file_leaks({"file size": 0.6, "file name's number": 0.9, "height": 0.49}, 0.5)
    assert [(one.where, one.severity) for one in found] == [("file size", "warn"), ("file name's number", "info")]


def test_numbers_that_stand_apart_are_told_with_place_and_value():
    (found,) = checks.apart({"age": ([3], [455.0]), "size": ([], [])}, {3: "id3"}, ["t.csv:2", "t.csv:3", "t.csv:4", "t.csv:5"])
    assert (found.code, found.severity, found.where, found.ids) == ("data.outliers", "info", "age", ("id3",))
    assert found.evidence["example"] == "455 in t.csv:5"  # as evidence, which a report without items leaves out
