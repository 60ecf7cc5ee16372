"""Figures as a reader wants them."""

from __future__ import annotations

import pytest

from surefoot.types.figures import write, write_items


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.98711, "0.9871"), (55.8834, "55.88"), (24_123.4, "24,123"), (-0.5, "-0.5"), (3.0, "3"), (0.0, "0"), (float("nan"), "not finite"),
        (1e20, "1e20"), (-1234.5, "-1,234"), (0.00123, "0.00123"), (1e-5, "1e-5"), (0.000012, "1.2e-5"),
    ],
)  # fmt: skip
def test_a_number_has_no_more_digits_than_can_be_used(value, text):
    assert write(value) == text


def test_zero_has_no_sign():
    assert write(-0.0) == write(0.0) == "0"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ((1200,), "1,200"), ((1, 0, "test item"), "1 test item"), ((1200, 0, "item"), "1,200 items"), ((2, 20, "item"), "20 items of 2 groups"),
        ((1, 1), "1 of 1 group"),
    ],
)  # fmt: skip
def test_items_that_belong_together_are_never_called_more_than_they_are_worth(said, text):
    assert write_items(*said) == text
