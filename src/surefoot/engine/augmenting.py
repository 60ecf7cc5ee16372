"""What `train.augment` does to the inputs of a batch: pictures as they are, the numbers of a table in standard units."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
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
Part = Callable[[Tensor, Generator], Tensor]


def find_augmentation(job: Job, text: str) -> Augment:
    """The augmentation of a job's inputs; one of the user's own is tried on two items first.

    Args:
        text: as `train.augment` is written.

    Raises:
        UsageError: there is none, or it doesn't return items of the same shape.
    """
    if text == chain.NONE:
        return lambda inputs, generator: inputs
    if job.problem.kind == "image":
        part = chain.join(text, "image", job.folder)
        if ":" in text:
            _try(part, job, 0, text, "(images, generator)")
        return lambda inputs, generator: (part(inputs[0], generator), *inputs[1:])
    changes = [_change_table(job, part, text) for part in chain.fetch(text, "table", job.folder)]
    return lambda inputs, generator: reduce(lambda so_far, change: change(so_far, generator), changes, inputs)


def _change_table(job: Job, part: Part, text: str) -> Augment:
    """One part at work on the numbers of a table, or, where its first argument is called `tokens`, on its texts.

    Raises:
        UsageError: the table has none of these.
    """
    is_for_texts = chain.is_for_texts(part)
    places = [place for place, field in enumerate(job.examples.fields) if (field.is_text if is_for_texts else field.name == "numeric")]
    what = "texts" if is_for_texts else "numbers"
    if not places:
        raise UsageError(f"{text} changes {what}, and this table has none.", where=f"train.augment = {text!r}", next="Leave train.augment out.")
    for place in places if ":" in text else []:
        _try(part, job, place, text, "(tokens, generator)" if is_for_texts else "(numbers, generator)")
    if is_for_texts:
        return lambda inputs, generator: tuple(part(each, generator) if place in places else each for place, each in enumerate(inputs))
    scaler = next(module for module in job.network.prepare.modules() if isinstance(module, PrepareNumeric))
    return partial(_change_numbers, part, scaler, places[0])


def _change_numbers(part: Part, scaler: PrepareNumeric, at: int, inputs: Inputs, generator: Generator) -> Inputs:
    """Only what is changed is carried back from standard units, so that what isn't keeps its last digit."""
    numbers = inputs[at]
    standard = (numbers - scaler.center) * scaler.factor
    changed = numbers + (part(standard, generator) - standard) / scaler.factor
    return (*inputs[:at], changed, *inputs[at + 1 :])


def _try(part: Part, job: Job, place: int, text: str, signature: str) -> None:
    field = job.examples.fields[place]
    items = torch.zeros(2, *field.shape, dtype=getattr(torch, field.dtype), device=job.examples.device)
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
