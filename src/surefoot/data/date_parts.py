"""What a date becomes: the numbers that people read in it."""

from __future__ import annotations

import numpy as np

DATE_PARTS = ("year", "month", "day", "weekday", "hour", "days")
"""What a date becomes: weekday counts from Monday = 0, `days` are days since 1970-01-01 with their fraction."""


def split_dates(dates: np.ndarray) -> list[np.ndarray]:
    """`DATE_PARTS` as float64; NaN where there is no date."""
    days, months = dates.astype("datetime64[D]"), dates.astype("datetime64[M]")
    seconds, day = dates.astype(np.int64), days.astype(np.int64)
    parts = [
        dates.astype("datetime64[Y]").astype(np.int64) + 1970,
        months.astype(np.int64) % 12 + 1,
        (days - months.astype("datetime64[D]")).astype(np.int64) + 1,
        (day + 3) % 7,  # 1970-01-01 was a Thursday
        (seconds - day * 86_400) // 3_600,
        seconds / 86_400,
    ]
    return [np.where(np.isnat(dates), np.nan, part) for part in parts]


_TURNS = {"month": 12.0, "weekday": 7.0, "hour": 24.0}
CYCLIC_PARTS = ("year", "day", "days", *(f"{part}.{wave}" for part in _TURNS for wave in ("sin", "cos")))
"""What a date becomes where what comes round is told as an angle: December lies beside January."""


def split_cyclic(dates: np.ndarray) -> list[np.ndarray]:
    """`CYCLIC_PARTS` as float64; NaN where there is no date."""
    parts = dict(zip(DATE_PARTS, split_dates(dates)))
    angles = {part: 2 * np.pi * parts[part] / turn for part, turn in _TURNS.items()}
    return [parts["year"], parts["day"], parts["days"], *(wave(angles[part]) for part in _TURNS for wave in (np.sin, np.cos))]
