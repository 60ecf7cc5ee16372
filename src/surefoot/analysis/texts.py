"""What is odd about a text, from its codes alone: tags for the table of errors; and which words are frequent in which group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from surefoot.data.packs import Pack
from surefoot.data.text import FIRST
from surefoot.types.data_reports import UNKNOWN

_SHORT, _UNKNOWN_FRAC = 3, 0.25
_WORDS = 12
"""Words of a group that are shown."""
_PLACED = 500
"""Words by which a text is placed on the map."""
_COMMON = 2_000
"""Words of a vocabulary, which has the commonest first, that are counted: what a group says often is among them."""


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


def count_words(pack: Pack, recipe: dict[str, Any], rows: np.ndarray, names: Sequence[str], groups: np.ndarray) -> dict[str, dict[str, int]]:
    """Group -> its most frequent words, and in how many of its texts each stands; words that all groups have as often say nothing and come last.

    Args:
        rows: int64 (N,) of the pack; names: of the groups; groups: bool (whole pack, G).
    """
    columns = {column["field"]: column for column in recipe.get("columns", []) if column["kind"] == "text" and "words" in column}
    counts: dict[str, np.ndarray] = {}
    for chunk in pack.chunks(rows) if columns else ():
        for field, array in zip(pack.fields, chunk, strict=True):
            if field.name in columns:
                counts.setdefault(field.name, np.zeros((0, _COMMON), bool))
                counts[field.name] = np.concatenate([counts[field.name], _hold(array)])
    found: dict[str, dict[str, int]] = {name: {} for name in names} if counts else {}
    for field_name, holds in counts.items():
        words = columns[field_name]["words"]
        for number, name in enumerate(names):
            inside = groups[rows, number]
            lead = holds[inside].mean(0) - holds[~inside].mean(0) if 0 < inside.sum() < len(inside) else holds.mean(0)
            best = [code for code in np.argsort(-lead, kind="stable")[: 4 * _WORDS] if code < len(words) and words[code].isalpha() and lead[code] > 0]
            found[name] |= {words[code]: int(holds[inside, code].sum()) for code in best[:_WORDS]}
    return {name: told for name, told in found.items() if told}


def _hold(codes: np.ndarray) -> np.ndarray:
    """Which of the commonest words each text holds, bool (N, `_COMMON`), of codes int32 (N, L)."""
    holds = np.zeros((len(codes), FIRST + _COMMON), bool)
    holds[np.arange(len(codes))[:, None], np.minimum(codes, FIRST + _COMMON - 1) * (codes < FIRST + _COMMON)] = True
    return holds[:, FIRST:]


def place_texts(codes: np.ndarray) -> np.ndarray:
    """Texts as float32 (N, words): which of the commonest words they hold, the rarer the more it counts, each of length 1.

    With two principal components this is latent semantic analysis (Deerwester et al. 1990); the weight is that of Spärck Jones 1972.
    """
    holds = _hold(codes)[:, :_PLACED].astype(np.float32)
    weights = np.log((1 + len(holds)) / (1 + holds.sum(0)))
    placed = holds * weights
    return placed / np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), 1e-12)
