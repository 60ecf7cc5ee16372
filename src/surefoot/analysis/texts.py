"""What is odd about a text, from its codes alone: tags for the table of errors."""

from __future__ import annotations

import numpy as np

from surefoot.types.data_reports import UNKNOWN

_SHORT, _UNKNOWN_FRAC = 3, 0.25


def tag_texts(codes: np.ndarray) -> list[list[str]]:
    """For each text: `no text`, `short text` (3 words at most), `cut` (it fills all places), `unknown words` (a quarter of its words and more).

    Args:
        codes: int32 (N, L), 0 behind the last word.
    """
    lengths, unknown = (codes > 0).sum(1), (codes == UNKNOWN).sum(1)
    tags = {
        "no text": lengths == 0,
        "short text": (lengths > 0) & (lengths <= _SHORT),
        "cut": (lengths == codes.shape[1]) & (lengths > _SHORT),
        "unknown words": (unknown >= _UNKNOWN_FRAC * np.maximum(lengths, 1)) & (unknown > 0),
    }
    return [[tag for tag, holds in tags.items() if holds[row]] for row in range(len(codes))]
