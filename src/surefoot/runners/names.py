"""Names of parts and ranges in the settings, looked at before the first step: a misspelt one is not found out hours later."""

from __future__ import annotations

from pathlib import Path

from surefoot import optim, refs, settings
from surefoot.parts import PARTS
from surefoot.transforms import chain
from surefoot.types.configs import PhaseConfig, Settings, Space, TrainConfig
from surefoot.types.errors import ConfigError, UsageError


def load(root: Path, overrides: list[str] | None = None) -> Settings:
    """The project's settings; where some are wrong, names and ranges are looked at too, so that all is told at once.

    Raises:
        ConfigError: with every problem in it, one a line.
    """
    read, unread = settings.read(root, overrides)
    values, problems = settings.sift(read)
    if problems := unread | problems:
        more = {name: why for name, why in _find_problems(values, root).items() if name not in problems}
        advice = f"Mend them; docs/settings.md says what each key may be{', `surefoot parts` lists the parts' if more else ''}."
        raise settings.refuse(problems | more, where=str(root / settings.FILE), next=advice)
    return values


def check_names(values: Settings, root: Path) -> None:
    """Makes sure that there is a part behind every short name, the device asked for, and that every range of the search can be drawn from.

    The user's own parts (`file:Name`) are not looked at: they may be written while the first steps are walked.

    Raises:
        ConfigError: with every problem in it, one a line.
    """
    if problems := _find_problems(values, root):
        raise settings.refuse(problems, where="surefoot.toml, --set", next="Mend them; `surefoot parts` lists the parts, `surefoot doctor` the devices.")


def _find_problems(values: Settings, root: Path) -> dict[str, str]:
    problems = {}
    for setting, kind, name in _named(values):
        if name and ":" not in name and name not in PARTS[kind]:
            try:
                refs.resolve(name, kind=kind, folder=root)
            except UsageError as error:
                problems[setting] = f"{error.what} {error.next}"
    for setting, text in list_augmentations(values):
        try:
            chain.check(text)
        except UsageError as error:
            problems[setting] = f"{error.what} {error.next}"
    return problems | _check_device(values) | _check_schedules(values) | _check_phases(values) | _check_space(values)


def _check_device(values: Settings) -> dict[str, str]:
    if values.device == "auto":
        return {}
    from surefoot.engine.devices import choose_device  # with it comes PyTorch, which is not asked about `auto`

    try:
        choose_device(values.device)
    except UsageError as error:
        return {"device": f"{error.what} {error.next}"}
    return {}


def list_augmentations(values: Settings) -> list[tuple[str, str]]:
    """Setting, and what it says of augmentations: that of all trainings, and those that are searched."""
    said = [("train.augment", values.train.augment)] if values.train.augment else []
    return [*said, *(("search.space.train.augment", str(text)) for text in values.search.space.get("train.augment", Space()).choice or [])]


def _named(values: Settings) -> list[tuple[str, str, str]]:
    """Setting, kind of part, name."""
    train = values.train
    return [
        ("problem.metric", "metric", values.problem.metric),
        *((f"problem.satisfice.{name}", "metric", name) for name in values.problem.satisfice),
        ("model.use", "model", values.model.use),
        ("train.optimizer", "optimizer", train.optimizer),
        ("train.schedule", "schedule", train.schedule),
        ("train.loss", "loss", train.loss),
        *((f"{where}.optimizer", "optimizer", phase.optimizer or "") for where, phase in _phases(values).items()),
        *((f"{where}.schedule", "schedule", phase.schedule or "") for where, phase in _phases(values).items()),
        ("search.sampler", "sampler", values.search.sampler),
    ]


def _check_schedules(values: Settings) -> dict[str, str]:
    """Options that don't fit a run, or that none of the schedules would heed; a user's own schedules are not looked at."""
    train = values.train
    searched = values.search.space.get("train.schedule", Space()).choice or []
    names = [train.schedule, *(phase.schedule for phase in _phases(values).values() if phase.schedule), *map(str, searched)]
    problems: dict[str, str] = {}
    for name in names:
        try:
            optim.make_schedule(train.model_copy(update={"schedule": name if name in PARTS["schedule"] else "fixed"}), num_steps=1)
        except ConfigError as error:
            problems[error.where] = f"{error.what} {error.next}"
    if any(":" in name for name in names):
        return problems
    known = [optim.get_schedule(name) for name in names if name in PARTS["schedule"]]
    for option in ("milestones", "gamma", "power"):
        if getattr(train, option) != TrainConfig.model_fields[option].default and known and not any(optim.asks_for(one, option) for one in known):
            heeding = [name for name in PARTS["schedule"] if optim.asks_for(optim.get_schedule(name), option)]
            problems.setdefault(
                f"train.{option}", f"no schedule heeds it: {train.schedule} takes none. Leave it out, or set train.schedule to {' or '.join(heeding)}."
            )
    return problems


def _check_phases(values: Settings) -> dict[str, str]:
    """Phases by whole batches that name another size."""
    wrong = [where for where, phase in _phases(values).items() if (phase.optimizer or values.train.optimizer) == "gd" and phase.batch_size]
    why = "gd takes the whole train set at each step. Leave it out, or set the phase's optimizer to sgd."
    return {f"{where}.batch_size": why for where in wrong}


def _phases(values: Settings) -> dict[str, PhaseConfig]:
    """Setting -> declared phase of the final training."""
    declared = {f"train.phases.{n}": phase for n, phase in enumerate(values.train.phases)}
    return declared | {f"final.more.{n}": phase for n, phase in enumerate(values.final.more)}


def _check_space(values: Settings) -> dict[str, str]:
    problems = {}
    for name, space in values.search.space.items():
        from surefoot.search.space import merge  # with it comes Optuna, which most walks do without at first

        try:
            merge({}, {name: space})
        except UsageError as error:
            problems[f"search.space.{name}"] = f"{error.what} {error.next}"
    return problems
