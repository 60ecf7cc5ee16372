"""Optimizers and schedules. A user's own is a function with the signature of those here.

PyTorch is imported when the first optimizer is made: what only looks at a schedule does without.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from surefoot import refs
from surefoot.optim.schedules import Schedule, check_options, warm_up
from surefoot.types.configs import TrainConfig
from surefoot.types.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["asks_for", "bare_step", "call_schedule", "get_optimizer", "get_schedule", "make_optimizer", "make_schedule"]


_ALIKE = ("gd", "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
"""Optimizers that treat matrices like all other weights; Muon doesn't, and a user's own may not."""


def get_optimizer(name: str, folder: Path | None = None) -> Callable:
    """`(parameters, *, lr, weight_decay, momentum) -> torch.optim.Optimizer` of this short name, or the user's `file:name`.

    Raises:
        UsageError: there is none.
    """
    return refs.resolve(name, kind="optimizer", folder=folder)


def get_schedule(name: str, folder: Path | None = None) -> Callable[..., Schedule]:
    """`(num_steps, ...) -> (step -> factor in [0, 1])` of this short name, or the user's `file:name`; see `make_schedule` for what it may ask for.

    Raises:
        UsageError: there is none.
    """
    return refs.resolve(name, kind="schedule", folder=folder)


def asks_for(function: Callable, option: str) -> bool:
    """Whether a schedule names this option in its signature."""
    try:
        return option in inspect.signature(function).parameters
    except (TypeError, ValueError):  # calling it by name will say what is wrong
        return False


def make_optimizer(config: TrainConfig, network: nn.Module, folder: Path | None = None) -> torch.optim.Optimizer:
    """The optimizer that `config` names, over the groups of a net's trainable parameters.

    Raises:
        UsageError: there is none, or it can't take what `config` says.
    """
    import torch

    from surefoot.optim.optimizers import merge_groups, parameter_groups

    make = get_optimizer(config.optimizer, folder)
    _leave_compiler_out(torch.optim.Optimizer)
    groups = parameter_groups(network, config.weight_decay)
    if config.optimizer in _ALIKE:
        groups = merge_groups(groups)
    made = make(groups, lr=config.lr, weight_decay=config.weight_decay, momentum=config.momentum)
    if not isinstance(made, torch.optim.Optimizer):
        raise UsageError(
            f"{config.optimizer} returns an object of type {type(made).__name__}, no torch.optim.Optimizer.",
            where=f"train.optimizer = {config.optimizer!r}",
            next="Write a function (parameters, *, lr, weight_decay, momentum) that returns an optimizer over these parameters.",
        )
    return made


def _leave_compiler_out(kind: type) -> None:
    """Lets optimizers be made without importing torch._dynamo, which takes 1.6 s: it is imported to keep it out of methods that nobody here compiles."""
    for name in ("add_param_group", "load_state_dict", "state_dict"):
        plain = getattr(getattr(kind, name, None), "__wrapped__", None)
        if plain is not None and not hasattr(plain, "__dynamo_disable"):
            setattr(plain, "__dynamo_disable", plain)


def bare_step(optimizer: torch.optim.Optimizer) -> Callable[[], object]:
    """The optimizer's step without what PyTorch wraps around its own: hooks, which nobody here registers, a profiler's mark, and torch._dynamo."""
    import torch

    step = type(optimizer).step
    if not type(optimizer).__module__.startswith("torch.optim"):
        return optimizer.step
    return partial(torch.no_grad()(inspect.unwrap(step)), optimizer)


def make_schedule(config: TrainConfig, num_steps: int, folder: Path | None = None) -> Schedule:
    """The schedule that `config` names, over a run of so many steps: step -> factor in [0, 1] of the peak lr.

    Raises:
        UsageError: there is none, or see `call_schedule`. ConfigError: the options don't fit a run.
    """
    check_options(config.warmup, config.milestones)
    return call_schedule(get_schedule(config.schedule, folder), config, num_steps)


def call_schedule(function: Callable[..., Schedule], config: TrainConfig, num_steps: int) -> Schedule:
    """A schedule, perhaps a user's own, over a run of so many steps.

    The function is given those of `num_steps`, `milestones`, `gamma`, `power` and `warmup` that its signature names. One that doesn't name `warmup` has it
    put in front, and is given the steps and milestones of what is left.

    Raises:
        UsageError: it asks for something else, or returns no function from a step to a finite number; it is asked about step 0.
    """
    warmup = 0 if asks_for(function, "warmup") else min(round(config.warmup * num_steps), num_steps - 1)
    rest = num_steps - warmup
    options = {
        "num_steps": rest,
        "milestones": [max(0.0, share * num_steps - warmup) / rest for share in config.milestones],
        "gamma": config.gamma,
        "power": config.power,
        "warmup": config.warmup,
    }
    name = getattr(function, "__name__", config.schedule)
    return warm_up(_check_schedule(refs.call(function, options, what=f"schedule {name}"), name), warmup)


def _check_schedule(schedule: Any, name: str) -> Schedule:
    what = "" if callable(schedule) else f"{name} returns an object of type {type(schedule).__name__}, no function from a step to a factor."
    if not what:
        factor = schedule(0)
        try:
            is_finite = math.isfinite(factor)
        except TypeError:
            what = f"{name} gives an object of type {type(factor).__name__} at step 0, no number."
        else:
            what = "" if is_finite else f"{name} gives {factor} at step 0, no finite number."
    if what:
        raise UsageError(what, where=f"train.schedule, {name}", next="Write a function (num_steps) that returns a function from a step to a factor in [0, 1].")
    return cast(Schedule, schedule)
