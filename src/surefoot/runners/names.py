"""Names of parts and ranges in the settings, looked at before the first step: a misspelt one is not found out hours later."""

from __future__ import annotations

from pathlib import Path

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.types.configs import Settings
from surefoot.types.errors import ConfigError, UsageError


def check_names(values: Settings, root: Path) -> None:
    """Makes sure that there is a part behind every short name, and that every range of the search can be drawn from.

    The user's own parts (`file:Name`) are not looked at: they may be written while the first steps are walked.

    Raises:
        ConfigError: with every problem in it, one a line.
    """
    problems = {}
    for setting, kind, name in _named(values):
        if name and ":" not in name and name not in PARTS[kind]:
            try:
                refs.resolve(name, kind=kind, folder=root)
            except UsageError as error:
                problems[setting] = f"{error.what} {error.next}"
    problems |= _check_space(values)
    if problems:
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        lines = "\n".join(f"  - {setting}: {why}" for setting, why in problems.items())
        raise ConfigError(f"{count} wrong:\n{lines}", where="surefoot.toml, --set", next="Mend them; `surefoot parts` lists the parts.")


def _named(values: Settings) -> list[tuple[str, str, str]]:
    """Setting, kind of part, name."""
    train = values.train
    return [
        ("problem.metric", "metric", values.problem.metric),
        *((f"problem.satisfice.{name}", "metric", name) for name in values.problem.satisfice),
        ("model.use", "model", values.model.use),
        ("train.optimizer", "optimizer", train.optimizer),
        ("train.schedule", "schedule", train.schedule),
        ("train.augment", "augmentation", train.augment),
        ("train.loss", "loss", train.loss),
        *((f"train.phases.{n}.optimizer", "optimizer", phase.optimizer or "") for n, phase in enumerate(train.phases)),
        *((f"train.phases.{n}.schedule", "schedule", phase.schedule or "") for n, phase in enumerate(train.phases)),
        ("search.sampler", "sampler", values.search.sampler),
    ]


def _check_space(values: Settings) -> dict[str, str]:
    problems = {}
    for name, space in values.search.space.items():
        from surefoot.search.space import merge  # with it comes Optuna, which most walks do without at first

        try:
            merge({}, {name: space})
        except UsageError as error:
            problems[f"search.space.{name}"] = f"{error.what} {error.next}"
    return problems
