"""The search: what was written down is never tried again, and leads to the same next setting."""

from __future__ import annotations

import json
import math

import pytest

from surefoot.search.run import Search, rank, try_settings
from surefoot.types.configs import Space
from surefoot.types.errors import UsageError
from surefoot.types.reports import Trial

SPACE = {
    "train.lr": Space(log_uniform=(1e-4, 1.0)),
    "train.momentum": Space(uniform=(0.0, 0.9)),
    "train.batch_size": Space(log_uniform=(8, 256)),
    "train.augment": Space(choice=["none", "shift", "affine"]),
}
FIRST = {"train.lr": 0.01, "train.momentum": 0.5, "train.batch_size": 32.0, "train.augment": "shift"}
SAMPLERS = ["random", "qmc", "tpe"]


class Ledger:
    """Writes down as JSON, as the real one does; `stops` ends the run after so many trials."""

    def __init__(self, written=None, stops: int = 10**9) -> None:
        self.written, self.stops = dict(written or {}), stops

    def decide(self, name, measure):
        if name not in self.written:
            if len(self.written) == self.stops:
                raise KeyboardInterrupt("power cut")
            self.written[name] = json.dumps(measure())
        return json.loads(self.written[name])


def evaluate(setting, number: int) -> Trial:
    """The best learning rate is 0.1; the fourth trial diverges."""
    value = None if number == 3 else 1 - abs(math.log10(setting["train.lr"]) + 1) / 4
    return Trial(number=number, settings=setting, rung=0, epochs=1, value=value, loss=None if value is None else 1 - value, state="done")


def plan(sampler: str, trials: int = 10, seed: int = 0, space=SPACE, **changes) -> Search:
    return Search(space=space, first=changes.pop("first", FIRST), trials=trials, sampler=sampler, seed=seed, greater_is_better=True, **changes)


def run(sampler: str, trials: int = 10, seed: int = 0, **changes) -> list[Trial]:
    return try_settings(plan(sampler, trials, seed, **changes), evaluate, Ledger().decide)


# replay


@pytest.mark.parametrize("stop", [1, 4, 7])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_killed_search_goes_on_as_if_nothing_had_happened(sampler, stop):
    whole = run(sampler)
    ledger = Ledger(stops=stop)
    with pytest.raises(KeyboardInterrupt, match="power cut"):
        try_settings(plan(sampler), evaluate, ledger.decide)
    assert len(ledger.written) == stop
    evaluated = []

    def count(setting, number):
        evaluated.append(number)
        return evaluate(setting, number)

    again = try_settings(plan(sampler), count, Ledger(ledger.written).decide)
    assert again == whole
    assert evaluated == list(range(stop, 10))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_more_trials_only_add_to_those_there_were(sampler):
    assert run(sampler, trials=10)[:6] == run(sampler, trials=6)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_seed_decides_and_nothing_else_does(sampler):
    assert run(sampler, seed=1) == run(sampler, seed=1)
    assert run(sampler, seed=1)[1:] != run(sampler, seed=2)[1:]


# what is drawn


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_first_trial_is_the_defaults_and_all_others_are_new(sampler):
    trials = run(sampler, trials=12)
    assert trials[0].settings == FIRST
    assert len({json.dumps(trial.settings) for trial in trials}) == 12
    assert [trial.number for trial in trials] == list(range(12))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_is_drawn_lies_in_its_range_and_is_of_its_kind(sampler):
    for trial in run(sampler, trials=25):
        assert set(trial.settings) == set(SPACE)
        assert 1e-4 <= trial.settings["train.lr"] <= 1
        assert 0 <= trial.settings["train.momentum"] <= 0.9
        assert trial.settings["train.batch_size"] in range(8, 257)
        assert isinstance(trial.settings["train.batch_size"], int)
        assert trial.settings["train.augment"] in ("none", "shift", "affine")


def test_defaults_of_whole_settings_are_rounded_before_they_are_tried():
    assert run("tpe", trials=8, first=FIRST | {"train.batch_size": 45.25})[0].settings["train.batch_size"] == 45


def test_a_sobol_sequence_covers_the_space_evenly():
    trials = run("qmc", trials=33)[1:]
    places = [(math.log10(t.settings["train.lr"]) + 4) / 4 for t in trials]
    assert all(sum(low / 8 <= place < (low + 1) / 8 for place in places) in (3, 4, 5) for low in range(8))
    names = [t.settings["train.augment"] for t in trials]
    assert all(names.count(name) in range(9, 13) for name in ("none", "shift", "affine"))
    shares = sorted(t.settings["train.momentum"] / 0.9 for t in trials)
    assert max(abs(share - (rank + 0.5) / 32) for rank, share in enumerate(shares)) < 0.05


def test_a_learning_sampler_learns():
    trials = run("tpe", trials=40)
    first, last = trials[5:15], trials[-10:]
    assert sum(t.value or 0 for t in last) > sum(t.value or 0 for t in first)


def test_a_search_bears_it_if_everything_diverges():
    for sampler in SAMPLERS:
        trials = try_settings(
            plan(sampler), lambda setting, number: Trial(number=number, settings=setting, rung=0, epochs=1, value=None, state="diverged"), Ledger().decide
        )
        assert len({json.dumps(trial.settings) for trial in trials}) == 10


def test_an_empty_space_tries_the_defaults_again():
    assert [
        trial.settings
        for trial in try_settings(plan("random", 2, space={}, first={}), lambda s, n: Trial(number=n, settings=s, rung=0, epochs=1, value=1.0), Ledger().decide)
    ] == [{}, {}]


def test_a_users_own_sampler_is_taken_from_the_project(tmp_path):
    code = "import optuna\n\ndef mine(seed):\n    return optuna.samplers.RandomSampler(seed=seed)\n"
    (tmp_path / "my_code.py").write_text(code, encoding="utf-8")
    assert run("my_code:mine", folder=tmp_path) == run("random")


def test_an_unknown_sampler_comes_with_the_right_name():
    with pytest.raises(UsageError, match="no sampler named 'tpee'") as caught:
        run("tpee")
    assert caught.value.next == "Did you mean 'tpe'?"


# ranking


def trial(number: int, value: float | None, loss: float | None = None) -> Trial:
    return Trial(number=number, settings={}, rung=0, epochs=1, value=value, loss=loss)


def test_the_best_come_first_and_failures_not_at_all():
    trials = [trial(0, 0.5), trial(1, None), trial(2, 0.9), trial(3, 0.0)]
    assert [t.number for t in rank(trials, True)] == [2, 0, 3]
    assert [t.number for t in rank(trials, False)] == [3, 0, 2]
    assert rank([], True) == []


def test_ties_go_to_the_smaller_loss_and_then_to_the_earlier():
    trials = [trial(0, 0.9), trial(1, 0.9, 0.5), trial(2, 0.9, 0.3), trial(3, 0.9, 0.3)]
    assert [t.number for t in rank(trials, True)] == [2, 3, 1, 0]
    assert [t.number for t in rank(trials, False)] == [2, 3, 1, 0]
