"""What `train.augment` says: names joined by `+`, each with a strength where it is to be another than usual: `affine+colour(0.5)+erase`.

Settings are looked at before anything is trained, so nothing here needs PyTorch until the parts themselves are fetched.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.types.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    Augment = Callable[..., Tensor]  # (items, generator), and perhaps a strength

KINDS = {"image": ("augmentation",), "table": ("table_augmentation", "text_augmentation")}
"""Kind of data -> kinds of parts."""
NONE = "none"
STRONGEST = 2.0
_WORD = re.compile(r"\s*([^\s()+]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*")


def read(text: str) -> list[tuple[str, float | None]]:
    """The names in order, each with its strength; None where it is the usual one.

    Raises:
        UsageError: it is no such text, or a strength is out of range.
    """
    found = []
    for word in text.split("+"):
        match = _WORD.fullmatch(word)
        if match is None:
            raise _refuse(text, f"{word.strip()!r} is no augmentation.", "Join names by +, a strength in brackets: affine+colour(0.5).")
        found.append((match[1], None if match[2] is None else _read_strength(text, match[2])))
    if len(found) > 1 and any(name == NONE for name, _ in found):
        raise _refuse(text, "none stands alone.", "Leave it out, or leave the others out.")
    return found


def check(text: str, kind: str = "") -> None:
    """Makes sure that there is a part behind each short name; the user's own parts are not looked at.

    Args:
        kind: of the data, `image` or `table`; empty: any.

    Raises:
        UsageError: there is none; the nearest name is suggested.
    """
    every = [part for parts in KINDS.values() for part in parts]
    parts = KINDS[kind] if kind else every
    for name, _ in read(text):
        if ":" in name or name == NONE or any(name in PARTS[part] for part in parts):
            continue
        if kind and any(name in PARTS[part] for part in every):
            known = [one for part in parts for one in PARTS[part]]
            raise _refuse(text, f"{name} is not for data of the kind {kind}.", f"For these there is: {', '.join(known)}.")
        refs.resolve(name, kind=parts[0])


def join(text: str, kind: str, folder: Path | None = None) -> Augment:
    """One function that does what the text says, one after another, all from the same generator.

    Args:
        kind: of the data, `image` or `table`. folder: the project's.

    Raises:
        UsageError: a part is missing, or takes no strength.
    """
    parts = fetch(text, kind, folder)
    return parts[0] if len(parts) == 1 else lambda items, generator: reduce(lambda so_far, part: part(so_far, generator), parts, items)


def fetch(text: str, kind: str, folder: Path | None = None) -> list[Augment]:
    """The parts in order, each with its strength. Args and Raises: as `join`."""
    return [_fetch(text, name, strength, kind, folder) for name, strength in read(text)]


def is_for_texts(part: Augment) -> bool:
    """Whether a part changes the words of texts, which the name of its first argument says: `tokens`."""
    return next(iter(inspect.signature(part).parameters)) == "tokens"


def _fetch(text: str, name: str, strength: float | None, kind: str, folder: Path | None) -> Augment:
    known = next((part for part in KINDS[kind] if name in PARTS[part]), KINDS[kind][0])
    part: Augment = refs.resolve(name, kind=known, folder=folder)
    if strength is None:
        return part
    if "strength" not in inspect.signature(part).parameters:
        raise _refuse(text, f"{name} takes no strength.", f"Write {name} without brackets.")
    return partial(part, strength=strength)


def _read_strength(text: str, written: str) -> float:
    try:
        strength = float(written)
    except ValueError:
        strength = -1.0
    if not 0 <= strength <= STRONGEST:
        raise _refuse(text, f"{written!r} is no strength.", f"Give a number from 0 (nothing) through 1 (the usual) to {STRONGEST:g}.")
    return strength


def _refuse(text: str, what: str, advice: str) -> UsageError:
    return UsageError(what, where=f"train.augment = {text!r}", next=advice)
