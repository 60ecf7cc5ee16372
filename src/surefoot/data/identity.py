"""Who an item is: a hash of its content, target excluded, plus an ordinal among equals. Moving a file changes nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

import numpy as np


def hash_image(image: np.ndarray) -> str:
    """16 hex digits of the pixels and their shape: the same picture in another file format is the same content."""
    return hashlib.blake2b(image.tobytes(), digest_size=8, key=str(image.shape).encode()).hexdigest()


def hash_rows(columns: dict[str, np.ndarray]) -> list[str]:
    """16 hex digits per row, over the columns in the order of their names, so that reordered columns change nothing."""
    import pandas as pd  # takes half a second, which who decodes pictures need not wait for

    frame = pd.DataFrame({name: columns[name] for name in sorted(columns)})
    return [f"{value:016x}" for value in pd.util.hash_pandas_object(frame, index=False).to_numpy()]


def number_equals(contents: Iterable[str]) -> list[str]:
    """`content-ordinal`: unique, and the same for the same content in the same order."""
    seen: set[str] = set()
    again: Counter[str] = Counter()  # of those alone that come again: of a million contents it would take 100 MB
    ids = []
    for content in contents:
        if content in seen:
            again[content] += 1
        else:
            seen.add(content)
        ids.append(f"{content}-{again.get(content, 0)}")
    return ids
