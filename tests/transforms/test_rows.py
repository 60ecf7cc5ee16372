"""Augmentations of tables: noise of the size that is said, and gaps that stay."""

from __future__ import annotations

import pytest
import torch

from surefoot.transforms.rows import noise


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_noise_has_a_tenth_of_the_spread_times_its_strength(strength):
    numbers = torch.full((20_000, 2), 3.0)
    made = noise(numbers, torch.Generator().manual_seed(0), strength) - 3
    assert float(made.std()) == pytest.approx(0.1 * strength, rel=0.02)
    assert abs(float(made.mean())) < 0.003 * strength


def test_what_is_missing_stays_missing_and_strength_0_changes_nothing():
    numbers = torch.tensor([[1.0, torch.nan], [torch.nan, 2.0]])
    assert torch.isnan(noise(numbers, torch.Generator())).tolist() == [[False, True], [True, False]]
    assert torch.equal(noise(numbers, torch.Generator(), 0.0).nan_to_num(), numbers.nan_to_num())
