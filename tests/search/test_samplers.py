"""Samplers: each makes an Optuna sampler from a seed; the Sobol sequence gives trial n its n-th point."""

from __future__ import annotations

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from surefoot import refs
from surefoot.parts import PARTS

SPACE = {
    "log": FloatDistribution(1e-4, 1.0, log=True),
    "even": FloatDistribution(-1.0, 3.0),
    "whole": IntDistribution(1, 4),
    "whole log": IntDistribution(1, 64, log=True),
    "word": CategoricalDistribution(["a", "b", "c"]),
}


def ask(name: str, seed: int, number: int) -> dict:
    """The proposal of a fresh study that was told of `number` trials."""
    study = optuna.create_study(sampler=refs.resolve(name, kind="sampler")(seed))
    for _ in range(number):
        study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    return study.ask(SPACE).params


@pytest.mark.parametrize("name", PARTS["sampler"])
def test_every_sampler_is_made_from_a_seed_and_repeats_itself(name):
    assert isinstance(refs.resolve(name, kind="sampler")(0), optuna.samplers.BaseSampler)
    assert ask(name, 3, 2) == ask(name, 3, 2) != ask(name, 4, 2)


def test_the_sequence_goes_on_where_it_stood_whatever_the_study():
    study = optuna.create_study(sampler=refs.resolve("qmc", kind="sampler")(5))
    in_one_study = [study.ask(SPACE).params for _ in range(6)]
    assert in_one_study == [ask("qmc", 5, number) for number in range(6)]


def test_the_sequence_reaches_every_whole_number_and_every_word_equally_often():
    drawn = [ask("qmc", 0, number) for number in range(64)]
    for whole in range(1, 5):
        assert 14 <= sum(one["whole"] == whole for one in drawn) <= 18
    for word in "abc":
        assert 20 <= sum(one["word"] == word for one in drawn) <= 23
    assert {type(one["whole log"]) for one in drawn} == {int}
    assert min(one["whole log"] for one in drawn) == 1
    assert max(one["whole log"] for one in drawn) >= 50
    assert 28 <= sum(one["log"] < 1e-2 for one in drawn) <= 36
    assert 28 <= sum(one["even"] < 1.0 for one in drawn) <= 36
