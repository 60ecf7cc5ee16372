"""What is searched: ranges on the scale they matter on, with sensible ones where the user said nothing."""

from __future__ import annotations

import difflib
import math
from typing import Any

import optuna
from pydantic import ValidationError

from surefoot.optim.usual import find_usual
from surefoot.types.configs import ModelConfig, Section, Space, TrainConfig
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import UsageError
from surefoot.types.problem import Problem

Setting = dict[str, float | int | str]

SIZE = "model.size"
"""Not a setting of its own: a rung of the ladder of models, which is a width and a depth."""
_AROUND = 6.0
"""A search around a known lr looks from a sixth of it to six times: as wide as the range that is searched where it is not known."""
_SECTIONS: dict[str, type[Section]] = {"train": TrainConfig, "model": ModelConfig}
_NAMES = (*(f"{section}.{key}" for section, config in _SECTIONS.items() for key in config.model_fields), SIZE)


def default_space(
    problem: Problem, fields: tuple[FieldSpec, ...], model: ModelConfig, train: TrainConfig, sizes: list[str], lr: float = 0.0
) -> dict[str, Space]:
    """Ranges for everything the user left open. Learning rate first: nothing matters as much (Goodfellow et al. 2016, 11.4).

    Args:
        lr: as the range test found it, the middle of the range of `train.lr`; 0: the range that suits the optimizer.
    """
    space: dict[str, Space] = {}
    usual = find_usual(train.optimizer)
    if not train.lr:
        space["train.lr"] = Space(log_uniform=(lr / _AROUND, lr * _AROUND) if lr else usual.lr, level="high", role="nuisance")
    if "weight_decay" not in train.model_fields_set:
        space["train.weight_decay"] = Space(log_uniform=usual.weight_decay, level="middle", role="nuisance")
    if "dropout" not in model.model_fields_set and not model.use:
        space["model.dropout"] = Space(choice=[0.0, 0.1, 0.25, 0.5], level="middle", role="nuisance")
    if problem.task == "multiclass" and "label_smoothing" not in train.model_fields_set and not train.loss:
        space["train.label_smoothing"] = Space(choice=[0.0, 0.05, 0.1], level="low", role="nuisance")
    if fields[0].name == "image" and not train.augment:
        flips = ["shift_flip", "affine_flip"] if fields[0].shape[0] == 3 else []
        space["train.augment"] = Space(choice=["none", "shift", "affine", *flips], level="high", role="scientific")
    if any(field.is_text for field in fields) and not train.augment:
        space["train.augment"] = Space(choice=["none", "token_dropout", "token_swap"], level="middle", role="scientific")
    if len(sizes) > 1:
        space[SIZE] = Space(choice=sizes, level="middle", role="scientific")
    return space


def merge(defaults: dict[str, Space], asked: dict[str, Space]) -> dict[str, Space]:
    """The user's ranges over the defaults; `fixed` ones are not searched.

    Raises:
        UsageError: a range is not said in exactly one way, is upside down, or holds what the setting can't be.
    """
    for name, space in asked.items():
        _check(name, space)
    return {name: space for name, space in (defaults | asked).items() if space.role != "fixed"}


def distributions(space: dict[str, Space]) -> dict[str, optuna.distributions.BaseDistribution]:
    """The ranges in Optuna's words."""
    found: dict[str, optuna.distributions.BaseDistribution] = {}
    for name, one in space.items():
        bounds = one.log_uniform or one.uniform
        if not bounds:
            found[name] = optuna.distributions.CategoricalDistribution(tuple(one.choice or []))
        elif _is_whole(name):
            found[name] = optuna.distributions.IntDistribution(int(bounds[0]), int(bounds[1]), log=bool(one.log_uniform))
        else:
            found[name] = optuna.distributions.FloatDistribution(*bounds, log=bool(one.log_uniform))
    return found


def round_whole(setting: Setting) -> Setting:
    """The same setting, with whole numbers where the settings take no others."""
    return {name: round(value) if _is_whole(name) and isinstance(value, float) else value for name, value in setting.items()}


def apply(setting: dict[str, Any], model: ModelConfig, train: TrainConfig, sizes: dict[str, tuple[int, int]]) -> tuple[ModelConfig, TrainConfig]:
    """A drawn setting put over the configs; `model.size` names a (width, depth) of `sizes`.

    Raises:
        UsageError: a drawn value is not one that the setting may have.
    """
    groups: dict[str, dict[str, Any]] = {"model": {}, "train": {}}
    for name, value in setting.items():
        section, _, key = name.partition(".")
        if key == "size":
            if str(value) not in sizes:
                raise UsageError(f"There is no model size {value!r}.", where="[search.space] model.size", next=f"Known here: {', '.join(sizes)}.")
            groups["model"] |= dict(zip(("width", "depth"), sizes[str(value)]))
        else:
            groups[section][key] = value
    try:
        return ModelConfig.model_validate(model.model_dump() | groups["model"]), TrainConfig.model_validate(train.model_dump() | groups["train"])
    except ValueError as error:
        raise UsageError(
            f"A drawn setting is out of range: {setting}.", where="[search.space]", next=str(error).splitlines()[1] if "\n" in str(error) else ""
        ) from error


def _check(name: str, space: Space) -> None:
    """Makes sure that a range the user gave can be drawn from, and that the setting takes what is drawn."""
    where = f"[search.space] {name}"
    section, _, key = name.partition(".")
    if name not in _NAMES:
        near = difflib.get_close_matches(name, _NAMES, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Name settings of [train] or [model], e.g. train.lr."
        raise UsageError(f"There is no setting {name!r} to search.", where=where, next=hint)
    said = [kind for kind in ("log_uniform", "uniform", "choice") if getattr(space, kind) is not None]
    if space.role == "fixed" and not said:
        return  # held at what its own section says
    if len(said) != 1 or space.choice == []:
        hint = "Give one of log_uniform = [low, high], uniform = [low, high], choice = [...]."
        raise UsageError(f"{name} has {len(said)} ranges." if space.choice != [] else f"{name} has no choices.", where=where, next=hint)
    bounds = space.log_uniform or space.uniform
    if bounds and not (-math.inf < bounds[0] < bounds[1] < math.inf and (space.uniform or bounds[0] > 0)):
        raise UsageError(f"{name} goes from {bounds[0]:g} to {bounds[1]:g}.", where=where, next="Low comes first; a log scale starts above 0.")
    if name == "train.lr" and 0 in (bounds or space.choice or ()):
        raise UsageError("train.lr can't be 0: nothing would be trained.", where=where, next="Let its range start above 0, e.g. log_uniform = [1e-4, 0.1].")
    if any(not isinstance(value, str | int | float) for value in space.choice or ()):
        raise UsageError(f"{name} is searched over numbers or words, and no lists.", where=where, next="Hold it in its own section, and compare rounds.")
    for value in (bounds or space.choice or ()) if name != SIZE else ():
        try:
            _SECTIONS[section].model_validate({key: value})
        except ValidationError as error:
            raise UsageError(f"{name} can't be {value!r}.", where=where, next=f"Look at the range: {error.errors()[0]['msg']}.") from error


def _is_whole(name: str) -> bool:
    section, _, key = name.partition(".")
    return name != SIZE and _SECTIONS[section].model_fields[key].annotation is int
