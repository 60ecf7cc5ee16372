"""Figures as a reader wants them: thousands marked, and no more digits than can be used."""

from __future__ import annotations

import math


def write(value: float, digits: int = 4) -> str:
    """A number as text: `0.9871`, `55.88`, `12,345`; scientific only below 0.0001 and from 1e15 on.

    Args:
        value: any number; infinite ones and NaN become "not finite".
        digits: significant digits, those of a whole number excepted.
    """
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
    if float(value).is_integer() or size >= 10**digits:
        return f"{value + 0.0:,.0f}"  # no minus before a zero
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_items(n: int, items: int = 0, noun: str = "") -> str:
    """What a number rests on: `1,200`, `1,200 items`, and, where groups are drawn whole, `20 items of 2 groups`.

    Args:
        n: independent units. items: how many items these groups hold; 0 where a unit is an item.
        noun: what an item is called, in the singular; left out where it is empty.
    """
    num = items or n
    counted = f"{num:,} {noun}{'' if num == 1 else 's'}" if noun else f"{num:,}"
    return f"{counted} of {n:,} group{'' if n == 1 else 's'}" if items else counted
