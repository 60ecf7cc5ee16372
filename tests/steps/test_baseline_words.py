"""What s05 says of simple models that were not given everything: only what was left out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from surefoot.models.boosting import ENOUGH, Rounds
from surefoot.steps.s05_baseline import _find

DESK = SimpleNamespace(folds=[SimpleNamespace(train=range(27))])


@pytest.mark.parametrize(
    ("rows", "rounds", "told"),
    [
        (27, Rounds(5), f"Boosting has 5 trees per class at most, not {ENOUGH.most}: what"),
        (20, ENOUGH, "The simple models were fitted on 20 of 27 train rows: what"),
        (20, Rounds(5), "20 of 27 train rows; boosting has 5 trees"),
    ],
)
def test_only_what_was_left_out_is_told(rows, rounds, told):
    (finding,) = _find(DESK, {}, rows, rounds)
    assert told in finding.what
    assert ("baseline.rows" in finding.next) == (rows < 27)


def test_nothing_left_out_is_nothing_said():
    assert _find(DESK, {}, 20_000, ENOUGH) == []
