"""Augmentations of texts: how often they strike, what they leave, and what they never touch."""

from __future__ import annotations

import pytest
import torch

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.transforms.tokens import token_dropout, token_swap

ALL = {name: refs.resolve(name, kind="text_augmentation") for name in PARTS["text_augmentation"]}


def texts(num=2000, length=20):
    lengths = torch.arange(num)[:, None] % (length + 1)
    return torch.where(torch.arange(length) < lengths, torch.arange(num * length).reshape(num, length) % 997 + 2, 0).int()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_tenth_of_the_words_becomes_unknown():
    before = texts()
    after = token_dropout(before, seeded())
    changed = before != after
    assert (after[changed] == 1).all()
    assert 0.09 < changed.sum() / (before > 0).sum() < 0.11


def test_a_tenth_of_the_words_changes_places_with_a_neighbour():
    before = texts()[20::21]  # full texts
    after = token_swap(before, seeded())
    assert 0.08 < (before != after).float().mean() < 0.12
    assert torch.equal(before.sort(1).values, after.sort(1).values)
    for shift in (-1, 0, 1):
        moved = before.roll(shift, 1)
        after = torch.where(after == moved, 0, after)
    assert not after.any()  # every word stands where it was, or one place beside it


@pytest.mark.parametrize("name", ALL)
def test_padding_stays_and_strength_0_changes_nothing(name):
    before = texts()
    after = ALL[name](before, seeded())
    assert torch.equal(before > 0, after > 0)
    assert not torch.equal(before, after)
    assert torch.equal(ALL[name](before, seeded(), strength=0.0), before)
    assert torch.equal(ALL[name](before, seeded()), after)


@pytest.mark.parametrize("name", ALL)
def test_texts_of_one_word_are_taken(name):
    assert ALL[name](torch.tensor([[5], [0]], dtype=torch.int32), seeded()).shape == (2, 1)
