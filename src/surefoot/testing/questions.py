"""What an exam is made of: small questions, each with a claim that holds or does not."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Question:
    """One thing that a part must do.

    Attributes:
        claim: what must hold, in plain words.
        ask: given the part, what was seen instead; empty where the claim holds.
        next: what to do where it does not.
        is_gate: all further questions rest on this one, so they aren't asked where it fails.
    """

    claim: str
    ask: Callable[[Any], str]
    next: str
    is_gate: bool = False


@dataclass(frozen=True)
class Result:
    """The answer to a question; `saw` is empty where the claim holds."""

    claim: str
    ok: bool
    saw: str
    next: str


def take(exam: Sequence[Question], part: Any) -> list[Result]:
    """Asks each question in turn; what a part raises is an answer too, with the line that raised it."""
    results = []
    for question in exam:
        try:
            saw = question.ask(part)
        except Exception as error:
            saw = _explain(error)
        results.append(Result(question.claim, not saw, saw, question.next))
        if saw and question.is_gate:
            break
    return results


def _explain(error: Exception) -> str:
    """What was raised and the innermost line that is not ours; what an exam says itself needs neither."""
    frames = traceback.extract_tb(error.__traceback__)
    if Path(frames[-1].filename).parent == Path(__file__).parent:
        return str(error)
    ours = str(Path(__file__).parents[1])
    theirs = [frame for frame in frames if not frame.filename.startswith(ours) and "site-packages" not in frame.filename] or list(frames)
    return f"{type(error).__name__}: {error} ({theirs[-1].filename}:{theirs[-1].lineno})"
