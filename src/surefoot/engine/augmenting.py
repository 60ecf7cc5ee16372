"""What `train.augment` does to the inputs of a batch: pictures as they are, the numbers of a table in standard units."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from surefoot.transforms import chain
from surefoot.transforms.prepare import PrepareNumeric
from surefoot.types.errors import UsageError

if TYPE_CHECKING:
    from surefoot.engine.fit import Job

Inputs = tuple[Tensor, ...]
Augment = Callable[[Inputs, Generator], Inputs]


def find_augmentation(job: Job, text: str) -> Augment:
    """The augmentation of a job's inputs; one of the user's own is tried on two items first.

    Args:
        text: as `train.augment` is written.

    Raises:
        UsageError: there is none, or it doesn't return items of the same shape.
    """
    if text == chain.NONE:
        return lambda inputs, generator: inputs
    fields = job.examples.fields
    part = chain.join(text, job.problem.kind, job.folder)
    if job.problem.kind == "image":
        if ":" in text:
            _try(part, torch.zeros(2, *fields[0].shape, dtype=torch.uint8, device=job.examples.device), text, "(images, generator)")
        return lambda inputs, generator: (part(inputs[0], generator), *inputs[1:])
    at = next((place for place, field in enumerate(fields) if field.name == "numeric"), None)
    if at is None:
        return lambda inputs, generator: inputs
    if ":" in text:
        _try(part, torch.zeros(2, *fields[at].shape, device=job.examples.device), text, "(numbers, generator)")
    scaler = next(module for module in job.network.prepare.modules() if isinstance(module, PrepareNumeric))
    return partial(_change_numbers, part, scaler, at)


def _change_numbers(part: Callable[[Tensor, Generator], Tensor], scaler: PrepareNumeric, at: int, inputs: Inputs, generator: Generator) -> Inputs:
    """Only what is changed is carried back from standard units, so that what isn't keeps its last digit."""
    numbers = inputs[at]
    standard = (numbers - scaler.center) * scaler.factor
    changed = numbers + (part(standard, generator) - standard) / scaler.factor
    return (*inputs[:at], changed, *inputs[at + 1 :])


def _try(part: Callable[[Tensor, Generator], Tensor], items: Tensor, text: str, signature: str) -> None:
    made = part(items.clone(), Generator().manual_seed(0))
    if isinstance(made, Tensor) and made.shape == items.shape and made.dtype == items.dtype:
        return
    kind = str(items.dtype).removeprefix("torch.")
    got = f"{made.dtype} {tuple(made.shape)}".removeprefix("torch.") if isinstance(made, Tensor) else f"an object of type {type(made).__name__}"
    raise UsageError(
        f"{text} returns {got} where {kind} {tuple(items.shape)} came in.",
        where=f"train.augment = {text!r}",
        next=f"Write a function {signature} that returns {kind} items of the same shape.",
    )
