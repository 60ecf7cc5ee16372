"""What a search says about itself: ends of ranges, failures, and whether its winner is one."""

from __future__ import annotations

import pytest

from surefoot.checks import search as checks
from surefoot.types.configs import Space
from surefoot.types.reports import Trial

SPACE = {"train.lr": Space(log_uniform=(1e-4, 1.0)), "model.dropout": Space(uniform=(0.0, 0.5)), "train.augment": Space(choice=["none", "shift"])}


def trial(number: int = 0, lr: float = 0.01, dropout: float = 0.25, *, rung: int = 0, value: float | None = 0.9, loss: float | None = 0.3) -> Trial:
    return Trial(number=number, settings={"train.lr": lr, "model.dropout": dropout, "train.augment": "none"}, rung=rung, epochs=1, value=value, loss=loss)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"lr": 1.0}, ["train.lr"]),
        ({"lr": 1e-4}, ["train.lr"]),
        ({"lr": 0.8}, ["train.lr"]),
        ({"lr": 0.5}, []),  # close on a plain scale, far from it on the range's own
        ({"dropout": 0.49}, ["model.dropout"]),
        ({"lr": 1.0, "dropout": 0.0}, ["train.lr", "model.dropout"]),
        ({}, []),
    ],
)
def test_a_winner_at_the_end_of_its_range_may_want_to_go_beyond(changes, names):
    found = checks.boundaries([trial(0), trial(1, loss=0.1, **changes)], SPACE)
    assert [f.where for f in found] == names
    assert {f.code for f in found} <= {"search.boundary"}
    for finding in found:
        assert finding.severity == "info"
        assert finding.where in finding.next


def test_only_the_best_of_the_last_rung_is_asked():
    trials = [trial(0, lr=1.0, loss=0.01), trial(1, lr=1e-4, rung=1, loss=0.5), trial(2, rung=1, loss=0.2), trial(3, lr=1.0, rung=1, value=None, loss=None)]
    assert checks.boundaries(trials, SPACE) == []


def test_a_search_of_which_nothing_is_left_has_no_best():
    assert checks.boundaries([trial(value=None, loss=None)], SPACE) == []
    assert checks.boundaries([trial(lr=1.0, loss=None)], SPACE)[0].where == "train.lr"


def test_some_divergence_is_a_note_and_nothing_but_divergence_stops_the_road():
    (note,) = checks.infeasible([trial(0), trial(1, value=None), trial(2, value=None)])
    assert (note.code, note.severity, note.evidence) == ("search.infeasible", "info", {"failed": 2, "trials": 3})
    assert "trial 1, trial 2" in note.where
    (stop,) = checks.infeasible([trial(0, value=None)])
    assert stop.severity == "stop"
    assert checks.infeasible([trial(0)]) == []


def test_a_baseline_that_wins_is_said_to_ship():
    (found,) = checks.winner("boosting", "", "worse", 0.8, 0.9, "boosting")
    assert (found.code, found.severity) == ("diagnose.below_baseline", "info")
    assert found.evidence == {"net": 0.8, "boosting": 0.9}


def test_a_lead_within_noise_is_a_note_and_a_clear_one_is_none():
    (found,) = checks.winner("net", "within noise: 0.01 [-0.02, 0.04]", "within noise", 0.91, 0.9, "linear")
    assert (found.code, found.severity) == ("search.within_noise", "info")
    assert "0.01 [-0.02, 0.04]" in found.what
    assert "linear" in found.next
    assert checks.winner("net", "", "better", 0.95, 0.9, "linear") == []


def test_a_winner_no_better_than_guessing_stops_the_road():
    (found,) = checks.beats_trivial(0.5, 0.5, False)
    assert (found.code, found.severity, found.evidence) == ("diagnose.below_baseline", "stop", {"winner": 0.5, "trivial": 0.5})
    assert checks.beats_trivial(0.9, 0.5, True) == []


def test_a_lead_over_guessing_within_noise_is_a_warning():
    (found,) = checks.beats_trivial(0.64, 0.52, True, "within noise")
    assert (found.code, found.severity) == ("diagnose.below_baseline", "warn")


@pytest.mark.parametrize(
    ("is_better", "verdict", "apart", "majority", "due"),
    [
        (False, "within noise", "better: Log loss differs by -0.02", 0.98, ["diagnose.accuracy_paradox"]),
        (False, "worse", "better: Log loss differs by -0.02", 0.55, ["diagnose.accuracy_paradox"]),
        (True, "within noise", "better: Log loss differs by -0.02", 0.98, ["diagnose.accuracy_paradox"]),
        (True, "within noise", "better: Log loss differs by -0.02", 0.55, ["diagnose.below_baseline"]),
        (True, "better", "better: Log loss differs by -0.02", 0.98, []),
    ],
)
def test_where_the_probs_tell_more_than_the_metric_sees_the_metric_is_named(is_better, verdict, apart, majority, due):
    found = checks.beats_trivial(0.98, 0.98, is_better, verdict, apart, majority)
    assert [one.code for one in found] == due
    assert {one.severity for one in found} <= {"warn"}


def test_a_baseline_that_is_level_with_the_net_is_not_called_better():
    (level,) = checks.winner("linear", "", "within noise", 3.5, 2.9, "linear")
    assert "no worse than the net, and simpler to run" in level.what
    assert "better" not in level.what
    (ahead,) = checks.winner("linear", "", "worse", 3.5, 2.9, "linear")
    assert "better than the net" in ahead.what


def test_noise_is_said_once():
    (found,) = checks.winner("net", "within noise: Accuracy differs by +0.025", "within noise", 0.9, 0.88, "linear")
    assert found.what.count("within noise") == 1
