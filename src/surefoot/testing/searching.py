"""The exam of search samplers: who proposes the next setting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna

from surefoot.testing.questions import Question

Proposal = dict[str, Any]

optuna.logging.set_verbosity(optuna.logging.WARNING)

_TRIALS = 12
_SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "lr": optuna.distributions.FloatDistribution(1e-4, 1.0, log=True),
    "dropout": optuna.distributions.FloatDistribution(0.0, 0.5),
    "augment": optuna.distributions.CategoricalDistribution(["none", "shift"]),
}


def _propose(sampler: Callable[[int], Any], seed: int, fail_first: bool = False) -> list[Proposal]:
    """Settings in order, each told its value before the next: the larger dropout, the better."""
    study = optuna.create_study(direction="maximize", sampler=sampler(seed))
    proposals = []
    for number in range(_TRIALS):
        trial = study.ask(_SPACE)
        if fail_first and number == 0:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, trial.params["dropout"])
        proposals.append(trial.params)
    return proposals


def _proposes(sampler: Callable[[int], Any]) -> str:
    made = sampler(0)
    if not isinstance(made, optuna.samplers.BaseSampler):
        return f"a {type(made).__name__}"
    outside = [(name, value) for setting in _propose(sampler, 0) for name, value in setting.items() if not _SPACE[name]._contains(_internal(name, value))]
    return f"{outside[0]} lies outside its range" if outside else ""


def _internal(name: str, value: Any) -> float:
    return _SPACE[name].to_internal_repr(value)


def _repeats(sampler: Callable[[int], Any]) -> str:
    return "" if _propose(sampler, 7) == _propose(sampler, 7) else "the same seed and results lead to other settings"


def _varies(sampler: Callable[[int], Any]) -> str:
    one, other = _propose(sampler, 7), _propose(sampler, 8)
    if one == other:
        return "every seed leads to the same settings"
    return "" if len({setting["lr"] for setting in one}) > _TRIALS // 2 else "most settings are repeated"


def _bears_failure(sampler: Callable[[int], Any]) -> str:
    return "" if len(_propose(sampler, 0, fail_first=True)) == _TRIALS else "it stops after a failed trial"


SAMPLER = (
    Question("makes an Optuna sampler that stays in the ranges", _proposes, "Sign it seed -> optuna.samplers.BaseSampler.", True),
    Question("repeats itself under the same seed", _repeats, "Draw from a generator made from the seed, and from nothing else."),
    Question("varies with its seed, and from trial to trial", _varies, "Pass the seed on; do not propose the same setting again."),
    Question("bears a failed trial", _bears_failure, "Look only at trials in the state COMPLETE."),
)
