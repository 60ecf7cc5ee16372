"""A step decides under its own name: a resumed run replays, a changed one measures anew."""

from __future__ import annotations

import pytest

from surefoot.store.ledger import ProjectLedger
from surefoot.store.scope import ScopedLedger


@pytest.fixture
def ledger(tmp_path):
    opened = ProjectLedger(tmp_path / "surefoot.db")
    yield opened
    opened.close()


def test_a_resumed_run_replays_and_a_changed_one_decides_anew(ledger):
    assert ScopedLedger(ledger, "1-tune-1 key").decide("rate", lambda: 3) == 3
    assert ScopedLedger(ledger, "1-tune-1 key").decide("rate", lambda: 4) == 3
    assert ScopedLedger(ledger, "1-tune-2 other").decide("rate", lambda: 4) == 4


def test_looks_of_all_runs_are_counted_together_and_each_once(ledger):
    first, second = ScopedLedger(ledger, "first"), ScopedLedger(ledger, "second")
    assert first.count_look("tune", "trial 1") == 1
    assert first.count_look("tune", "trial 1") == 1
    assert first.count_look("diagnose", "trial 1") == 2
    assert second.count_look("tune", "trial 1") == 3


def test_a_step_reads_the_tags_that_people_wrote(ledger):
    ledger.tag("x-0", ["blurry"], "look")
    assert ScopedLedger(ledger, "any").tags() == {"x-0": (["blurry"], "look")}
