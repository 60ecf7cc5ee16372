"""The seal on the test set. s03 and s04 seal; only `unseal.py` makes a key, and only s13 may import that.

It is a guard rail, not cryptography: it keeps honest people from fooling themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.types.errors import SealedError

SEALED = b"sealed"
"""Metadata key of a sealed pack."""


@dataclass(frozen=True)
class Key:
    """Opens the test set; `opening` is the number of its entry in the ledger."""

    opening: int


def check(is_sealed: bool, key: Key | None, *, where: str) -> None:
    """Lets nobody read sealed items without a key.

    Raises:
        SealedError: the pack is sealed and there is no key.
    """
    if is_sealed and key is None:
        raise SealedError(
            "The test set is sealed: it is opened once, at the end, by the test step.",
            where=where,
            next="Choose on val. `surefoot test` opens the test set and writes it down.",
        )
