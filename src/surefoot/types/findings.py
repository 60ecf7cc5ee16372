"""Findings, gates and measured numbers: the currency in which steps report."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["info", "warn", "stop"]
Outcome = Literal["pass", "warn", "stop"]
Evidence = dict[str, float | int | str | bool | None | list[float] | list[int] | list[str]]


class Plain(BaseModel):
    """Immutable plain data that is written as JSON and read back equal."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Measured(Plain):
    """A number and the interval it is known to lie in.

    Attributes:
        value: the estimate, in the metric's own units.
        interval: lower and upper end of the 95 % interval, or None where none could be estimated.
        n: the number of independent units it rests on: items, or groups of items that belong together (`split.group`).
        items: how many items those groups hold; 0 where each item is a unit of its own.
    """

    value: float
    interval: tuple[float, float] | None = None
    n: int = 0
    items: int = 0


class Finding(Plain):
    """Something a check saw.

    Attributes:
        code: public and permanent, documented in docs/findings.md, e.g. `data.duplicates`.
        severity: `info` and `warn` let the road go on, `stop` does not.
        what: one sentence with the numbers.
        where: the file, column, layer or set.
        next: what to do about it.
        evidence: the numbers it rests on and their thresholds.
        ids: the items it is about (at most 100; the whole list is in the step's stored tables).
        because: the code of the finding that explains this one; empty where it stands for itself.
    """

    code: str
    severity: Severity
    what: str
    where: str = ""
    next: str = ""
    evidence: Evidence = {}
    ids: tuple[str, ...] = ()
    because: str = ""


class Report(Plain):
    """What a step returns: its results as small plain data, and its findings. Arrays are in the store, named by hash."""

    findings: tuple[Finding, ...] = ()

    @property
    def gate(self) -> Outcome:
        """The worst severity among the findings: `pass`, `warn` or `stop`."""
        severities = {finding.severity for finding in self.findings}
        return "stop" if "stop" in severities else "warn" if "warn" in severities else "pass"
