"""Groups: what is joined by way of others is together, and bears the smallest content as its name."""

from __future__ import annotations

from surefoot.data.groups import Groups


def test_items_joined_by_way_of_others_are_one_group_and_the_others_have_no_name():
    groups = Groups()
    for one, other in ((0, 1), (3, 4), (1, 3)):
        groups.join(one, other)
    assert groups.name(list("fedcba")) == dict.fromkeys("fecb", "b")
    assert groups.root(0) == groups.root(4) != groups.root(2)
