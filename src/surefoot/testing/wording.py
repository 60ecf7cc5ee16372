"""The exam of augmentations of texts. `B` items, `L` words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from surefoot.testing.questions import Question


def _texts(num: int, length: int, seed: int = 3) -> Tensor:
    """Codes of texts of all lengths, from none to all places."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(1, 50, (num, length), generator=generator, dtype=torch.int32)
    lengths = torch.randint(0, length + 1, (num, 1), generator=generator)
    lengths[0] = length
    return torch.where(torch.arange(length) < lengths, codes, 0)


def _augment(augment: Callable, tokens: Tensor, seed: int = 0) -> Tensor:
    return augment(tokens, torch.Generator().manual_seed(seed))


def _keeps_form(augment: Callable) -> str:
    for shape in ((8, 16), (1, 1), (3, 7)):
        out: Any = _augment(augment, _texts(*shape))
        if not isinstance(out, Tensor) or out.shape != shape or out.dtype != torch.int32:
            return f"{getattr(out, 'dtype', type(out).__name__)} {tuple(getattr(out, 'shape', ()))} for int32 {shape}"
    return ""


def _pads_behind(augment: Callable) -> str:
    """Padding stays behind the last word: a net may count on it."""
    out = _augment(augment, _texts(64, 16))
    is_word = out > 0
    return "" if bool((is_word[:, 1:] <= is_word[:, :-1]).all()) else "a word stands behind padding, or padding among words"


def _keeps_codes(augment: Callable) -> str:
    tokens = _texts(64, 16)
    out = _augment(augment, tokens)
    return "" if int(out.min()) >= 0 and int(out.max()) < 50 else f"codes from {int(out.min())} to {int(out.max())} where 0 to 49 came in"


def _draws_from_generator(augment: Callable) -> str:
    tokens = _texts(32, 16)
    torch.manual_seed(0)
    one = _augment(augment, tokens)
    torch.manual_seed(1)
    return "" if torch.equal(one, _augment(augment, tokens)) else "the same generator gives other texts: something else is drawn from"


def _keeps_input(augment: Callable) -> str:
    tokens = _texts(8, 16)
    before = tokens.clone()
    _augment(augment, tokens)
    return "" if torch.equal(before, tokens) else "the texts it was given are changed"


def _keeps_apart(augment: Callable) -> str:
    one, other = _texts(8, 16, seed=1), _texts(8, 16, seed=2)
    other[0] = one[0]
    same = torch.equal(_augment(augment, one)[0], _augment(augment, other)[0])
    return "" if same else "a text comes out otherwise when the others change; the targets would no longer be right"


TEXT_AUGMENTATION = (
    Question("returns int32 codes of the same shape", _keeps_form, "Sign it (tokens, generator): int32 (B, L) in and out, 0 where there is no word.", True),
    Question("leaves padding behind the words", _pads_behind, "Let what is dropped become 1, the unknown word, and move words among words only."),
    Question("makes no code that is none", _keeps_codes, "Return codes that came in, 1 (unknown) or 0 (padding)."),
    Question("draws from the generator it is given", _draws_from_generator, "Pass generator=generator to each torch.rand and torch.randint."),
    Question("leaves the texts it was given as they are", _keeps_input, "Work on a copy: tokens.clone()."),
    Question("does not mix texts", _keeps_apart, "Treat each text alone."),
)
