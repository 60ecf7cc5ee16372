"""The search: many settings for a short while, the promising ones longer. What is fitted is passed in as a function.

The ledger is the truth: each result is written down before the next setting is drawn, and a resumed search tells Optuna all of them again, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import optuna

from surefoot import randomness, refs
from surefoot.search.space import Setting, distributions, round_whole
from surefoot.types.configs import Space
from surefoot.types.reports import Trial

Evaluate = Callable[[Setting, int], Trial]
Decide = Callable[[str, Callable[[], Any]], Any]

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class Search:
    """What is searched, and how.

    Attributes:
        space: ranges. first: the defaults, so that the search never ends worse than it began.
        trials: how many settings are tried. sampler: short name, or the user's own in `folder`.
    """

    space: dict[str, Space]
    first: Setting
    trials: int
    sampler: str
    seed: int
    greater_is_better: bool
    folder: Path | None = None


def try_settings(search: Search, evaluate: Evaluate, decide: Decide) -> list[Trial]:
    """Draws and evaluates settings, the defaults first.

    Args:
        evaluate: (setting, number) -> its Trial; called only for trials the ledger does not know.
        decide: writes a trial down under a name before it is used.
    """
    done: list[Trial] = []
    for number in range(search.trials):
        setting = round_whole(search.first) if number == 0 else _ask(search, done)
        written = decide(f"trial {number}", partial(_dump, evaluate, setting, number))
        done.append(Trial.model_validate(written))
    return done


def _dump(evaluate: Evaluate, setting: Setting, number: int) -> dict[str, Any]:
    return evaluate(setting, number).model_dump(mode="json")


def rank(trials: list[Trial], greater_is_better: bool) -> list[Trial]:
    """Those that have a value, the best first; ties go to the smaller loss, then to the earlier."""
    sign = -1 if greater_is_better else 1
    valid = [trial for trial in trials if trial.value is not None]
    return sorted(valid, key=lambda t: (sign * (t.value or 0.0), t.loss if t.loss is not None else float("inf"), t.number))


def _ask(search: Search, done: list[Trial]) -> Setting:
    """A fresh study that is told every result again, and asked for the next setting: the sampler's own state never matters."""
    turn = 0 if search.sampler == "qmc" else len(done)  # a Sobol sequence is one sequence: its place follows from the number of trials
    build = refs.resolve(search.sampler, kind="sampler", folder=search.folder)
    study = optuna.create_study(
        direction="maximize" if search.greater_is_better else "minimize", sampler=build(randomness.key(search.seed, "search", turn) % 2**32)
    )
    ranges = distributions(search.space)
    for trial in done:
        known = {name: value for name, value in trial.settings.items() if name in search.space}
        if trial.value is not None and len(known) == len(search.space):
            study.add_trial(optuna.trial.create_trial(params=known, distributions=ranges, value=trial.value))
        else:
            study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    return study.ask(ranges).params
