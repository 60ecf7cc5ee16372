"""Each check of the data finds its disease, with the numbers, and stays silent on the healthy twin."""

from __future__ import annotations

import pytest

from surefoot.checks import data as checks
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.findings import Finding
from surefoot.types.source import Refused


def only(findings: list[Finding]) -> Finding:
    (found,) = findings
    assert found.what
    assert found.where
    assert found.next
    return found


# refused items


def test_refused_items_are_told_by_kind_with_their_first_reason():
    items = [Refused(f"{n}.png", "truncated") for n in range(1_200)] + [Refused("a.png", "no pixels", "data.empty_item")]
    corrupt, empty = checks.refused(items)
    assert (corrupt.code, corrupt.severity, corrupt.evidence) == ("data.corrupt_item", "warn", {"refused": 1_200})
    assert "1,200" in corrupt.what
    assert "truncated" in corrupt.what
    assert corrupt.where == "0.png, 1.png, 2.png, 3.png, 4.png"
    assert (empty.code, empty.evidence) == ("data.empty_item", {"refused": 1})


@pytest.mark.parametrize("place", [".DS_Store", "cats/Thumbs.db", "__MACOSX/cats/._1.png", "cats/.hidden"])
def test_litter_of_the_system_is_no_reason_to_warn(place):
    assert only(checks.refused([Refused(place, "no picture", "data.wrong_type")])).severity == "info"
    assert only(checks.refused([Refused(place, "no picture", "data.wrong_type"), Refused("notes.docx", "no picture", "data.wrong_type")])).severity == "warn"


def test_nothing_refused_is_nothing_said():
    assert checks.refused([]) == []


# duplicates


def test_copies_are_counted_and_named():
    found = only(checks.duplicates(["x", "y", "x", "x", "z", "y"], list("abcdef"), [0] * 6))
    assert (found.code, found.severity) == ("data.duplicates", "info")
    assert found.evidence == {"copies": 3, "groups": 2, "items": 6}
    assert set(found.ids) == set("acdbf")


def test_copies_with_different_targets_contradict_each_other():
    duplicates, conflicts = checks.duplicates(["x", "y", "x", "y"], list("abcd"), [(0.0,), (1.0,), (1.0,), (1.0,)])
    assert duplicates.evidence["groups"] == 2
    assert (conflicts.code, conflicts.severity) == ("data.conflicting_labels", "warn")
    assert conflicts.evidence == {"items": 2, "groups": 1, "share": 0.5}
    assert conflicts.ids == ("a", "c")


def test_at_most_a_hundred_items_are_named():
    found = only(checks.duplicates(["x"] * 1_000, [str(n) for n in range(1_000)], [0] * 1_000))
    assert len(found.ids) == 100
    assert found.evidence["copies"] == 999


def test_fifty_items_are_enough_to_begin_with():
    assert checks.too_few(50) == []
    assert (only(checks.too_few(49)).code, only(checks.too_few(49)).severity) == ("data.too_few", "warn")


def test_amounts_of_equal_items_may_differ():
    assert [one.code for one in checks.duplicates(["x", "y", "x"], list("abc"), None)] == ["data.duplicates"]


def test_distinct_items_are_no_duplicates():
    assert checks.duplicates(["x", "y"], ["a", "b"], [0, 1]) == []
    assert checks.duplicates([], [], []) == []


# spellings


def test_classes_that_differ_in_capitals_alone_are_told_with_their_counts():
    found = only(checks.spellings({"Yes": 40, "no": 30, "NO": 20, "yes": 10, "maybe": 5}))
    assert (found.code, found.severity) == ("data.mixed_types", "warn")
    assert "4 classes" in found.what
    assert "Yes (40), yes (10); no (30), NO (20)" in found.what


def test_letters_of_both_cases_and_other_words_are_classes_of_their_own():
    assert checks.spellings({"a": 10, "A": 10, "yes": 5, "no": 5}) == []


# balance


def test_a_class_with_fewer_than_five_items_is_rare():
    found = only(checks.balance({"cat": 20, "dog": 5, "cow": 4, "emu": 0}))
    assert (found.code, found.severity, found.evidence) == ("data.rare_class", "warn", {"cow": 4, "emu": 0})
    assert "cow (4), emu (0)" in found.what


def test_many_rare_classes_do_not_make_a_sentence_without_end():
    found = only(checks.balance({f"species {n}": 1 for n in range(5_000)}))
    assert "5000 class(es)" in found.what
    assert len(found.what) < 300


def test_a_class_that_is_ten_times_as_frequent_as_another_misleads():
    found = only(checks.balance({"no": 1_001, "yes": 100}))
    assert (found.code, found.severity) == ("data.imbalance", "info")
    assert found.evidence == {"largest": 1_001, "smallest": 100, "threshold": 10.0}
    assert "no is 90.9%" in found.what
    assert checks.balance({"no": 1_000, "yes": 100}) == []


def test_classes_too_rare_to_measure_do_not_count_as_imbalance():
    assert [found.code for found in checks.balance({"no": 1_000, "yes": 4})] == ["data.rare_class"]


# columns


def column(name: str, role: str = "input", missing: int = 0) -> ColumnProfile:
    return ColumnProfile(name=name, kind="numeric", role=role, missing=missing)


@pytest.mark.parametrize(("missing", "severity"), [(1, "info"), (30, "info"), (31, "warn"), (100, "warn")])
def test_missing_values_warn_when_a_column_lacks_more_than_three_in_ten(missing, severity):
    found = only(checks.columns([column("age", missing=missing), column("size", missing=1), column("width")], 100))
    assert (found.code, found.severity) == ("data.missing_values", severity)
    assert found.evidence == {"age": missing, "size": 1}
    assert f"age: {missing / 100:.1%}" in found.what


def test_only_inputs_can_lack_values():
    assert checks.columns([column("t", "target", 50), column("x", "ignored", 50)], 100) == []


@pytest.mark.parametrize(("role", "code", "severity"), [("constant", "data.constant_column", "info"), ("id", "data.id_column", "info")])
def test_columns_that_say_nothing_are_named(role, code, severity):
    found = only(checks.columns([column("a", role), column("b"), column("c", role)], 100))
    assert (found.code, found.severity, found.where) == (code, severity, "a, c")
    assert found.evidence == {"columns": ["a", "c"]}


def test_honest_columns_are_left_in_peace():
    assert checks.columns([column("a"), column("b", "target"), column("c", "group"), column("d", "weight")], 100) == []


# leaks


def test_a_column_that_knows_the_target_is_named_with_the_command_that_drops_it():
    found = only(checks.leaks({"age": 0.5, "outcome_code": 0.99, "size": 0.979}, 0.98))
    assert (found.code, found.severity, found.where) == ("data.leaking_column", "warn", "outcome_code")
    assert '"outcome_code" to data.ignore in surefoot.toml' in found.next
    assert "--set" not in found.next  # it would put back what was ignored before, and a name may hold anything
    assert found.evidence == {"score": 0.99, "threshold": 0.98}
    assert "data.ignore" in found.next


@pytest.mark.parametrize(
    ("scores", "is_told"),
    [
        ({"letter": 0.84, "lactate": 0.05, "patient": 0.02}, True),  # written from the outcome, of which 6 % were noted wrongly
        ({"petal width": 0.93, "petal length": 0.9, "sepal length": 0.49}, False),
        ({"hr": 0.5, "atemp": 0.18, "temp": 0.16}, False),
        ({"x": 0.9, "noise": -0.1}, False),  # one of two is all that there is
    ],
)
def test_a_column_that_stands_alone_in_telling_the_target_is_asked_about(scores, is_told):
    found = checks.leaks(scores, 0.98)
    assert [(one.code, one.severity, one.where) for one in found] == ([("data.leaking_column", "info", "letter")] if is_told else [])


def test_each_reason_of_refusal_has_its_count_and_an_example():
    items = [Refused(f"t.csv:{n}", "2 cells where the header has 4") for n in range(2)] + [
        Refused(f"t.csv:{n}", "5 cells where the header has 4") for n in range(7, 10)
    ]
    assert "5 cells where the header has 4 (3, e.g. t.csv:7); 2 cells where the header has 4 (2, e.g. t.csv:0)" in only(checks.refused(items)).what
    many = only(checks.refused([Refused(f"{n}", f"reason {n}") for n in range(9)])).what
    assert "reason 4 (1, e.g. 4); 4 more for other reasons" in many
    assert only(checks.refused(items[:2])).what.endswith(": 2 cells where the header has 4 (e.g. t.csv:0).")
    assert only(checks.refused(items[:1])).what.endswith(": 2 cells where the header has 4 (t.csv:0).")


def test_infinite_and_huge_numbers_are_told_with_count_column_and_reason():
    infinite, huge = checks.extremes({"a": (40, 0, 0), "b": (0, 300, 0), "c": (0, 0, 0)}, 400)
    assert (infinite.code, infinite.severity, infinite.where) == ("data.missing_values", "warn", "a")
    assert "40 of 400 numbers are infinite" in infinite.what
    assert (huge.code, huge.severity, huge.where) == ("data.wrong_type", "warn", "b")
    assert "300 of 400 numbers are beyond what a model computes with (1e30)" in huge.what
    assert "logarithm" in huge.next
    assert "2 of them" in only(checks.extremes({"b": (0, 3, 2)}, 400)).what
