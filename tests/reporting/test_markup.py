"""HTML by construction."""

from __future__ import annotations

import pytest

from surefoot.reporting.markup import element, facts, prose, slug, table


def test_text_and_attributes_are_escaped():
    made = element("p", "<b>", element("i", "a & b"), title='"x"', class_="k", hidden=None)
    assert made == '<p title="&#34;x&#34;" class="k">&lt;b&gt;<i>a &amp; b</i></p>'


def test_what_stands_between_backticks_is_code():
    assert prose("set `<a>` now") == "set <code>&lt;a&gt;</code> now"
    assert prose("an odd ` stays") == "an odd ` stays"


def test_facts_leave_out_what_is_not_known():
    assert facts([("goal", None), ("human", "")]) == ""
    assert "0" in facts([("refused", "0")])


def test_a_table_names_its_columns_and_rows():
    made = table("Items", ("class", "items"), [("a", "1")], numeric=(1,))
    assert '<caption class="unseen">Items</caption>' in made
    assert '<th scope="col" class="num">items</th>' in made
    assert '<th scope="row">a</th><td class="num">1</td>' in made


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="longer than argument 1"):
        table("Items", ("class", "items"), [("a",)])


def test_a_slug_is_safe_in_an_address():
    assert slug('s02-data."><script>') == "s02-data.-script-"
