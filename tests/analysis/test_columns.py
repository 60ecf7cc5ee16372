"""Findings on columns rest on rows from everywhere in the table."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.analysis.columns import _count_numbers


def test_numbers_among_words_are_counted_wherever_they_stand():
    """A table sorted by class: its first 5,000 rows hold words alone."""
    cells = np.array([f"about {n}" for n in range(5_000)] + [str(n) for n in range(1_000)], object)
    source = SimpleNamespace(columns={"price": cells})
    profile = SimpleNamespace(name="price", kind="category", role="input", distinct=6_000)
    assert _count_numbers(source, [profile], np.ones(6_000, bool)) == {"price": pytest.approx(1 / 6, abs=0.01)}
