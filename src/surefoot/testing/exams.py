"""The exam that every part takes, ours and the users': `surefoot check NAME`."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.testing.questions import Question, Result, take
from surefoot.types.errors import UsageError

KINDS = (
    "model",
    "loss",
    "optimizer",
    "schedule",
    "augmentation",
    "box_augmentation",
    "table_augmentation",
    "text_augmentation",
    "metric",
    "sampler",
    "dataset",
)

_SIGNATURES: dict[str, frozenset[str]] = {
    "loss": frozenset({"logits", "targets"}),
    "metric": frozenset({"targets", "outputs"}),
    "optimizer": frozenset({"lr", "weight_decay", "momentum"}),
    "schedule": frozenset({"num_steps"}),
    "augmentation": frozenset({"images", "generator"}),
    "box_augmentation": frozenset({"images", "corners", "items", "generator"}),
    "table_augmentation": frozenset({"numbers", "generator"}),
    "text_augmentation": frozenset({"tokens", "generator"}),
    "sampler": frozenset({"seed"}),
}
"""What the parameters of a user's function are called, by which its kind is known."""


def examine(name: str, *, kind: str = "", folder: Path | None = None) -> tuple[str, list[Result]]:
    """Gives a part its exam.

    Args:
        name: short name, or the user's own `file:Name`.
        kind: one of `KINDS`; empty: known by the short name or the signature.
        folder: of the project, where the user's files are.

    Returns:
        The kind, and one result per question; where an early one fails, those that rest on it aren't asked.

    Raises:
        UsageError: there is no such part or kind, or its kind can't be told.
    """
    kind = _check_kind(kind) if kind else _tell_kind(name, folder)
    exam, part = _prepare(name, kind, folder)
    return kind, take(exam, part)


def _prepare(name: str, kind: str, folder: Path | None) -> tuple[Sequence[Question], Any]:
    """The questions, and the thing they are asked of; only what is examined is imported."""
    if kind == "dataset":
        from surefoot.data.readers import open_source
        from surefoot.testing.datasets import DATASET
        from surefoot.types.configs import DataConfig

        return DATASET, partial(open_source, DataConfig(source=name), folder or Path())
    if kind == "model":
        from surefoot.testing.nets import MODEL, Candidate

        refs.resolve(name, kind=kind, folder=folder)
        return MODEL, Candidate(name, folder)
    part = refs.resolve(name, kind=kind, folder=folder)
    if kind == "metric":
        from surefoot.testing.judging import METRIC

        return METRIC, part
    if kind == "sampler":
        from surefoot.testing.searching import SAMPLER

        return SAMPLER, part
    if kind == "text_augmentation":
        from surefoot.testing.wording import TEXT_AUGMENTATION

        return TEXT_AUGMENTATION, part
    if kind == "box_augmentation":
        from surefoot.testing.boxing import BOX_AUGMENTATION

        return BOX_AUGMENTATION, part
    if kind.endswith("augmentation"):
        from surefoot.testing import augmenting

        return augmenting.AUGMENTATION if kind == "augmentation" else augmenting.TABLE_AUGMENTATION, part
    from surefoot.testing import training

    return {"loss": training.LOSS, "optimizer": training.OPTIMIZER, "schedule": training.SCHEDULE}[kind], part


def _check_kind(kind: str) -> str:
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1)
        advice = f"Did you mean {near[0]}?" if near else f"Kinds: {', '.join(KINDS)}."
        raise UsageError(f"There is no exam for the kind {kind!r}.", where=f"--kind {kind}", next=advice)
    return kind


def _tell_kind(name: str, folder: Path | None) -> str:
    known = [kind for kind, parts in PARTS.items() if name in parts]
    if "augmentation" in known and "box_augmentation" in known:  # of pictures, unless boxes are asked for: --kind box_augmentation
        known.remove("box_augmentation")
    if len(known) == 1:
        return known[0]
    if len(known) > 1:
        raise UsageError(f"{name!r} is a {' and a '.join(known)}.", where=name, next=f"Say which: surefoot check {name} --kind {known[0]}.")
    if ":" not in name:
        every = [part for parts in PARTS.values() for part in parts]
        near = difflib.get_close_matches(name, every, n=1)
        raise UsageError(
            f"There is no part named {name!r}.", where=name, next=f"Did you mean {near[0]}?" if near else "`surefoot parts` lists them; yours is 'file:Name'."
        )
    return "dataset" if name.startswith("sklearn:") else _tell_kind_of(refs.resolve(name, kind="part", folder=folder), name)


def _tell_kind_of(part: Any, name: str) -> str:
    """The kind of a user's part: what it is, or what its parameters are called."""
    if isinstance(part, type):
        if any(base.__module__.startswith("torch.nn") for base in part.__mro__):
            return "model"
        if hasattr(part, "__getitem__"):
            return "dataset"
    elif type(part).__name__ == "Metric":
        return "metric"
    if callable(part):
        names = set(inspect.signature(part).parameters)
        kinds = [kind for kind, wanted in _SIGNATURES.items() if wanted <= names and not any(wanted < other <= names for other in _SIGNATURES.values())]
        if len(kinds) == 1:
            return kinds[0]
        if not isinstance(part, type) and not [p for p in inspect.signature(part).parameters.values() if p.default is p.empty]:
            return "dataset"
    raise UsageError(
        f"What {name} is can't be told from its signature.", where=name, next=f"Say it: surefoot check {name} --kind KIND, one of {', '.join(KINDS)}."
    )
