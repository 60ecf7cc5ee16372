"""Randomness is a function, not a state.

Every draw comes from a stream keyed by (seed, purpose, ...). Two processes that ask for the same stream get the same numbers,
so a run that was killed draws at step n what it would have drawn anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np


def key(seed: int, purpose: str, *where: int | str) -> int:
    """A 63-bit number that depends on all of its arguments and on nothing else."""
    text = "\x1f".join([str(seed), purpose, *map(str, where)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def keys(seed: int, purpose: str, *where: int | str, names: Iterable[str]) -> np.ndarray:
    """`key(seed, purpose, *where, name)` of each name as uint64 (N,); a third of the time, for millions of them."""
    begin = hashlib.blake2b("\x1f".join([str(seed), purpose, *map(str, where), ""]).encode(), digest_size=8)

    def draw(name: str) -> int:
        one = begin.copy()
        one.update(name.encode())
        return int.from_bytes(one.digest(), "big") >> 1

    return np.fromiter(map(draw, names), np.uint64)  # eight bytes each: a list of digests takes fifty


def stream(seed: int, purpose: str, *where: int | str) -> np.random.Generator:
    """NumPy's PCG64 at the start of the stream named by (seed, purpose, *where)."""
    return np.random.Generator(np.random.PCG64(key(seed, purpose, *where)))
