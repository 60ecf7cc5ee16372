"""A case: a small project with one disease planted, or none, and what the first finding must be."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Write = Callable[[Path], str]
"""Writes the data into the project's folder, and returns what `data.source` is."""


@dataclass(frozen=True)
class Case:
    """One project.

    Attributes:
        name: of the case. area: of the disease: data, split, model, loss, optimisation, regularisation; `healthy` for those without one.
        data: `sklearn:NAME`, or a function that writes it.
        code: finding codes that name the disease, of DESIGN.md section 9; the first finding must be one of them. Empty: healthy.
        own: the project's `my_code.py`; at most 60 lines.
        sets: settings over the common ones.
        to: the step up to which the road is walked.
    """

    name: str
    area: str
    data: str | Write
    code: tuple[str, ...] = ()
    own: str = ""
    sets: tuple[str, ...] = field(default=())
    to: str = "tune"

    @property
    def half(self) -> str:
        """`set`: thresholds were chosen on it; `kept`: they are reported on it. By the name alone, so that no case can change sides."""
        return "set" if zlib.crc32(self.name.encode()) % 2 else "kept"
