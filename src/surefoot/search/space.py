"""What is searched: ranges on the scale they matter on, with sensible ones where the user said nothing."""

from __future__ import annotations

from typing import Any

import optuna

from surefoot.types.configs import ModelConfig, Space, TrainConfig
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import UsageError
from surefoot.types.problem import Problem

Setting = dict[str, float | int | str]


def default_space(problem: Problem, fields: tuple[FieldSpec, ...], model: ModelConfig, train: TrainConfig, sizes: list[str]) -> dict[str, Space]:
    """Ranges for everything the user left open. Learning rate first: nothing matters as much (Goodfellow et al. 2016, 11.4)."""
    space: dict[str, Space] = {}
    if not train.lr:
        space["train.lr"] = Space(log_uniform=(5e-4, 2e-2), level="high", role="nuisance")
    space["train.weight_decay"] = Space(log_uniform=(1e-3, 0.3), level="middle", role="nuisance")
    if not model.dropout and not model.use:
        space["model.dropout"] = Space(choice=[0.0, 0.1, 0.25, 0.5], level="middle", role="nuisance")
    if problem.task == "multiclass" and not train.label_smoothing:
        space["train.label_smoothing"] = Space(choice=[0.0, 0.05, 0.1], level="low", role="nuisance")
    if fields[0].name == "image" and not train.augment:
        flips = ["shift_flip", "affine_flip"] if fields[0].shape[0] == 3 else []
        space["train.augment"] = Space(choice=["none", "shift", "affine", *flips], level="high", role="scientific")
    if len(sizes) > 1:
        space["model.size"] = Space(choice=sizes, level="middle", role="scientific")
    return space


def merge(defaults: dict[str, Space], asked: dict[str, Space]) -> dict[str, Space]:
    """The user's ranges over the defaults; `fixed` ones are not searched.

    Raises:
        UsageError: a range is not said in exactly one way, or is upside down.
    """
    for name, space in asked.items():
        said = [kind for kind in ("log_uniform", "uniform", "choice") if getattr(space, kind) is not None]
        if len(said) != 1:
            raise UsageError(
                f"{name} has {len(said)} ranges.",
                where=f"[search.space] {name}",
                next="Give one of log_uniform = [low, high], uniform = [low, high], choice = [...].",
            )
        bounds = space.log_uniform or space.uniform
        if bounds and (bounds[0] >= bounds[1] or (space.log_uniform and bounds[0] <= 0)):
            raise UsageError(
                f"{name} goes from {bounds[0]:g} to {bounds[1]:g}.", where=f"[search.space] {name}", next="Low comes first; a log scale starts above 0."
            )
        section, _, key = name.partition(".")
        if key not in {"train": [*TrainConfig.model_fields], "model": [*ModelConfig.model_fields, "size"]}.get(section, []):
            raise UsageError(f"There is no setting {name!r} to search.", where="[search.space]", next="Name settings of [train] or [model], e.g. train.lr.")
    return {name: space for name, space in (defaults | asked).items() if space.role != "fixed"}


def suggest(trial: optuna.trial.BaseTrial, space: dict[str, Space]) -> Setting:
    """Draws one setting from Optuna's trial."""
    drawn: Setting = {}
    for name, one in space.items():
        if one.log_uniform:
            drawn[name] = trial.suggest_float(name, *one.log_uniform, log=True)
        elif one.uniform:
            drawn[name] = trial.suggest_float(name, *one.uniform)
        else:
            drawn[name] = trial.suggest_categorical(name, one.choice or [])
    return drawn


def distributions(space: dict[str, Space]) -> dict[str, optuna.distributions.BaseDistribution]:
    """The same ranges in Optuna's words, to tell it results again."""
    found: dict[str, optuna.distributions.BaseDistribution] = {}
    for name, one in space.items():
        if one.log_uniform:
            found[name] = optuna.distributions.FloatDistribution(*one.log_uniform, log=True)
        elif one.uniform:
            found[name] = optuna.distributions.FloatDistribution(*one.uniform)
        else:
            found[name] = optuna.distributions.CategoricalDistribution(tuple(one.choice or []))
    return found


def apply(setting: dict[str, Any], model: ModelConfig, train: TrainConfig, sizes: dict[str, tuple[int, int]]) -> tuple[ModelConfig, TrainConfig]:
    """A drawn setting put over the configs; `model.size` names a (width, depth) of `sizes`.

    Raises:
        UsageError: a drawn value is not one that the setting may have.
    """
    groups: dict[str, dict[str, Any]] = {"model": {}, "train": {}}
    for name, value in setting.items():
        section, _, key = name.partition(".")
        if key == "size":
            groups["model"] |= dict(zip(("width", "depth"), sizes[str(value)]))
        else:
            groups[section][key] = value
    try:
        return ModelConfig.model_validate(model.model_dump() | groups["model"]), TrainConfig.model_validate(train.model_dump() | groups["train"])
    except ValueError as error:
        raise UsageError(
            f"A drawn setting is out of range: {setting}.", where="[search.space]", next=str(error).splitlines()[1] if "\n" in str(error) else ""
        ) from error
