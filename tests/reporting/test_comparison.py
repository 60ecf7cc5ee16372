"""Rounds beside one another."""

from __future__ import annotations

from surefoot.reporting.comparison import compare_rounds
from surefoot.types.views import RoundView

from .pieces import MemoryStore
from .samples import image_project, stopped_project


def test_one_round_needs_no_comparison():
    assert compare_rounds(image_project(MemoryStore())[:1]) == ""


def test_each_round_has_its_values_and_the_paired_test():
    table = compare_rounds(image_project(MemoryStore())).replace("\u00a0", " ")
    for text in ("accuracy 96.1 % (94.1 to 98.1 %)", "accuracy 97.8 %", "accuracy 98.1 %", "better by 1.7 points", "2 (this one)", "variance"):
        assert text in table


def test_a_round_that_stopped_says_where():
    rounds = [*stopped_project(MemoryStore()), RoundView(2, 1, [])]
    assert "stopped at sanity" in compare_rounds(rounds)
