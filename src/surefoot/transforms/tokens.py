"""Augmentations of texts: a whole batch of codes at once, each text by its own draw.

Axes: B batch, L words. Each takes int32 `tokens` (B, L), 0 where there is no word, a generator and a strength (0 changes nothing, 1 is usual), and
returns the same shape and dtype. A user's own has the same signature; by the name of its first argument it is known to be for texts.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from surefoot.transforms.draws import carry
from surefoot.types.data_reports import UNKNOWN

_DROPPED, _SWAPPED = 0.1, 0.1


def token_dropout(tokens: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Makes each word unknown with probability 0.1: no single one is relied on.

    Source: Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods" (word dropout); Bowman et al. 2016 (in its place the unknown word).
    """
    is_dropped = carry(torch.rand(tokens.shape, generator=generator), tokens) < _DROPPED * strength
    return torch.where(is_dropped & (tokens > 0), UNKNOWN, tokens)


def token_swap(tokens: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """Swaps each word with its neighbour with probability 0.1; a word moves by one place at most.

    Source: Wei and Zou 2019, "EDA: Easy Data Augmentation" (random swaps); Artetxe et al. 2018 (of neighbours only).
    """
    batch, length = tokens.shape
    draws = carry(torch.rand((batch, length + 1), generator=generator), tokens)
    places = torch.arange(length, device=tokens.device).expand(batch, -1)
    odd = (draws[:, length:] < 0.5).to(places.dtype)  # pairs begin at every second place, at the first or at the second
    partners = (((places + odd) ^ 1) - odd).clamp(0, max(length - 1, 0))
    firsts = torch.minimum(places, partners)
    are_words = (tokens > 0) & (tokens.gather(1, partners) > 0)
    is_swapped = (draws.gather(1, firsts) < _SWAPPED * strength) & are_words
    return torch.where(is_swapped, tokens.gather(1, partners), tokens)


def token_dropout_swap(tokens: Tensor, generator: Generator, strength: float = 1.0) -> Tensor:
    """`token_dropout`, then `token_swap`."""
    return token_swap(token_dropout(tokens, generator, strength), generator, strength)
