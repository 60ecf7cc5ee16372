"""The exams of augmentations: of pictures, uint8 (B, C, H, W), and of the numbers of a table, float32 (B, F)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from surefoot.testing.questions import Question


def _pictures(*shape: int, seed: int = 7) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def _numbers(rows: int, columns: int, seed: int = 7) -> Tensor:
    """Standard normal, each tenth value missing."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn((rows, columns), generator=generator)
    return values.masked_fill(torch.rand((rows, columns), generator=generator) < 0.1, torch.nan)


def _augment(augment: Callable, items: Tensor, seed: int = 0, **more: float) -> Tensor:
    return augment(items, torch.Generator().manual_seed(seed), **more)


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one.nan_to_num(-9), other.nan_to_num(-9)) if one.is_floating_point() else torch.equal(one, other)


def _keeps_form(augment: Callable) -> str:
    for shape in ((8, 3, 32, 32), (8, 1, 28, 28), (1, 3, 17, 23)):
        if saw := _tell_form(_augment(augment, _pictures(*shape)), shape, torch.uint8):
            return saw
    return ""


def _keeps_form_of_rows(augment: Callable) -> str:
    for shape in ((8, 5), (1, 1)):
        if saw := _tell_form(_augment(augment, _numbers(*shape)), shape, torch.float32):
            return saw
    return ""


def _tell_form(out: Any, shape: tuple[int, ...], kind: torch.dtype) -> str:
    if isinstance(out, Tensor) and out.shape == shape and out.dtype == kind:
        return ""
    return f"{getattr(out, 'dtype', type(out).__name__)} {tuple(getattr(out, 'shape', ()))} for {str(kind).removeprefix('torch.')} {shape}"


def _keeps_gaps(augment: Callable) -> str:
    rows = _numbers(64, 4)
    return "" if torch.equal(torch.isnan(_augment(augment, rows)), torch.isnan(rows)) else "a missing value appears or disappears"


def _draws_from_generator(augment: Callable, items: Tensor) -> str:
    torch.manual_seed(0)
    one = _augment(augment, items)
    torch.manual_seed(1)
    return "" if _same(one, _augment(augment, items)) else "the same generator gives other items: something else is drawn from"


def _keeps_input(augment: Callable, items: Tensor) -> str:
    before = items.clone()
    _augment(augment, items)
    return "" if _same(before, items) else "the items it was given are changed"


def _keeps_apart(augment: Callable, one: Tensor, other: Tensor) -> str:
    other[0] = one[0]
    same = _same(_augment(augment, one)[0], _augment(augment, other)[0])
    return "" if same else "an item comes out otherwise when the others change; the targets would no longer be right"


def _rests_at_nought(augment: Callable, items: Tensor) -> str:
    if "strength" not in inspect.signature(augment).parameters:
        return ""
    return "" if _same(_augment(augment, items, strength=0.0), items) else "with strength = 0 something is changed"


_FROM_GENERATOR, _ON_COPY, _APART = "Pass generator=generator to each torch.rand and torch.randint.", "Work on a copy: clone() it.", "Treat each item alone."
_NOUGHT = "Multiply every amount and every chance by strength."

AUGMENTATION = (
    Question(
        "returns uint8 pictures of the same shape", _keeps_form, "Sign it (images, generator): uint8 (B, C, H, W) in and out, any size, grey or colour.", True
    ),
    Question("draws from the generator it is given", lambda part: _draws_from_generator(part, _pictures(32, 3, 16, 16)), _FROM_GENERATOR),
    Question("leaves the pictures it was given as they are", lambda part: _keeps_input(part, _pictures(8, 3, 16, 16)), _ON_COPY),
    Question("does not mix pictures", lambda part: _keeps_apart(part, _pictures(8, 3, 16, 16, seed=1), _pictures(8, 3, 16, 16, seed=2)), _APART),
    Question("changes nothing at strength 0", lambda part: _rests_at_nought(part, _pictures(32, 3, 16, 16)), _NOUGHT),
)
TABLE_AUGMENTATION = (
    Question("returns rows of the same shape", _keeps_form_of_rows, "Sign it (numbers, generator): float32 (B, F) in and out.", True),
    Question("draws from the generator it is given", lambda part: _draws_from_generator(part, _numbers(32, 4)), _FROM_GENERATOR),
    Question("leaves the rows it was given as they are", lambda part: _keeps_input(part, _numbers(8, 4)), _ON_COPY),
    Question("does not mix rows", lambda part: _keeps_apart(part, _numbers(8, 4, seed=1), _numbers(8, 4, seed=2)), _APART),
    Question("leaves missing what is missing", _keeps_gaps, "Add to the numbers, so that NaN stays NaN."),
    Question("changes nothing at strength 0", lambda part: _rests_at_nought(part, _numbers(32, 4)), _NOUGHT),
)
