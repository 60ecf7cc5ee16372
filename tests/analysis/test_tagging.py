"""Tags of the error table: what needs no person, and what a person wrote."""

from __future__ import annotations

from surefoot.analysis.tagging import unify
from surefoot.types.error_reports import ErrorRow


def tags_of(*written: tuple[str, ...], known: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    rows = [ErrorRow(id=str(number), place="", target="a", pred="b", tags=tags) for number, tags in enumerate(written)]
    return [row.tags for row in unify(rows, [known])]


def test_tags_that_differ_in_case_alone_are_one():
    assert tags_of(("Mine", "Blurry"), ("mine", "dark", "MINE")) == [("Mine", "blurry"), ("Mine", "dark")]


def test_confusions_of_classes_that_differ_in_case_alone_stay_two():
    assert tags_of(("a as b",), ("A as b",), known=("a as b", "A as b")) == [("a as b",), ("A as b",)]
