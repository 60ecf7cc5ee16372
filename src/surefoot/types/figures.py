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
