"""What was walked, as the doors and the page look at it: a step with its report, a round with its steps."""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.types.findings import Report


@dataclass(frozen=True)
class StepView:
    """A step that was walked.

    Attributes:
        name: of its file, e.g. `s02_audit`.
        seconds: how long it took.
        past: the reason for which its gate was overridden; empty where it was not.
        stale: the result belongs to an older version of the code.
    """

    name: str
    report: Report
    seconds: float = 0.0
    past: str = ""
    stale: bool = False


@dataclass(frozen=True)
class RoundView:
    """A round: its steps in order, the round it goes back to, and what the paired test against that one said."""

    number: int
    parent: int | None
    steps: list[StepView]
    comparison: str | None = None
