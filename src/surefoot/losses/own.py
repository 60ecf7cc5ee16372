"""A loss that a user brings: called as they wrote it, and what it returns is looked at before anything is trained with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn

from surefoot.types.errors import UsageError


def adapt(loss: Any, name: str) -> Callable[..., Tensor]:
    """The same loss, with `weights` given only where it takes them.

    Raises:
        UsageError: it is no function; later, when called: rows have weights and it takes none, or it returns no number that can be minimised.
    """
    if not callable(loss) or isinstance(loss, type):
        _refuse(name, f"{name} is {'a class' if isinstance(loss, type) else f'an object of type {type(loss).__name__}'}, no function.")
    function = loss.forward if isinstance(loss, nn.Module) else loss
    parameters = inspect.signature(function).parameters
    takes_weights = "weights" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())

    @wraps(function)
    def checked(outputs: Tensor, targets: Tensor, weights: Tensor | None = None, **options: Any) -> Tensor:
        if weights is not None and not takes_weights:
            _refuse(name, f"{name} takes no weights, and data.weight names some.")
        value = loss(outputs, targets, **({"weights": weights} if takes_weights else {}), **options)
        if not isinstance(value, Tensor) or value.ndim:
            got = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"an object of type {type(value).__name__}"
            _refuse(name, f"{name} returns {got}, not one number.")
        if torch.is_grad_enabled() and outputs.requires_grad and not value.requires_grad:
            _refuse(name, f"{name} returns a number that does not follow from the outputs: it has no gradient.")
        return value

    return checked


def _refuse(name: str, what: str) -> None:
    raise UsageError(
        what, where=f"train.loss = {name!r}", next="Write a function (logits, targets, weights=None) that returns the mean over the items as a scalar tensor."
    )
