"""What is wrong with prepared data: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from surefoot.data.extremes import LARGEST
from surefoot.types.findings import Finding


def judge(ranges: Mapping[str, tuple[float, float]], folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[Finding]:
    """Finite numbers, sane ranges, and statistics that came from train alone."""
    found = []
    for name, (low, high) in ranges.items():
        if not (np.isfinite(low) and np.isfinite(high)) or max(abs(low), abs(high)) > LARGEST:
            found.append(
                Finding(
                    code="prepare.not_finite",
                    severity="stop",
                    what=f"{name} ranges from {low:g} to {high:g}.",
                    where=name,
                    next="Mend or ignore the column (data.ignore), then `surefoot run --from audit`.",
                    evidence={"low": low, "high": high, "threshold": LARGEST},
                )
            )
        elif low == high:
            found.append(
                Finding(
                    code="prepare.bad_range",
                    severity="stop",
                    what=f"Every value of {name} is {low:g}: there is nothing to learn from.",
                    where=name,
                    next="Look at the items: are all pictures blank?",
                    evidence={"low": low, "high": high},
                )
            )
    shared = sum(len(np.intersect1d(train, val)) for train, val in folds)
    if shared:
        found.append(
            Finding(
                code="prepare.fitted_beyond_train",
                severity="stop",
                what=f"{shared:,} val items were among those the statistics came from.",
                where="s04_prepare",
                next="Report this: it is a defect of Surefoot.",
                evidence={"shared": shared},
            )
        )
    return found
