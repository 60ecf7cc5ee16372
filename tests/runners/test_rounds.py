"""Rounds are compared where they ask the same question."""

from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.runners.rounds import compare_rounds
from surefoot.types import Problem, UsageError


def ask(*classes: str) -> Problem:
    return Problem(question="", kind="image", task="multiclass", target=("t",), classes=classes, metric="accuracy", head="", loss="", num_outputs=len(classes))


@pytest.mark.parametrize("other", [("cat", "cow"), ("dog", "cat"), ("cat", "dog", "cow")])
def test_rounds_of_different_classes_are_refused_whatever_their_number(other):
    """Equal numbers of classes hide it: dogs would be compared with cows, column by column."""
    with pytest.raises(UsageError, match="The two rounds have different classes") as caught:
        compare_rounds(None, (ask("cat", "dog"), ask(*other)), (None, None), root=Path(), seed=0, num_rounds=2)
    told = caught.value
    assert told.next
    assert all(name in told.where for name in {"cat", "dog"} ^ set(other))
