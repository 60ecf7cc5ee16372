"""Errors that people read: what happened, where, and what to do next.

Every error Surefoot raises on purpose is a `SurefootError`. The command line renders it and ends with its exit code;
in the user's own code nothing is wrapped.
"""

from __future__ import annotations


class SurefootError(Exception):
    """What happened, where, and what to do next.

    Args:
        what: one sentence that says what happened, with the numbers.
        where: the file, row, step or setting it happened in.
        next: what to do about it, a command where there is one.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.next = what, where, next

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.next:
            lines.append(f"  next:  {self.next}")
        return "\n".join(lines)


class UsageError(SurefootError):
    """The command or call was wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """The settings hold unknown keys, wrong types or values out of range; all of them are reported at once."""


class DataError(SurefootError):
    """The data can't be used as it is."""

    exit_code = 3


class SplitLeakError(DataError):
    """The same content stands in two sets."""


class SealedError(SurefootError):
    """Something other than the test step asked for the sealed test set."""


class GateStop(SurefootError):
    """A gate stopped the road."""

    exit_code = 4


class ResourceError(SurefootError):
    """Disk, memory or the budget ran out."""

    exit_code = 5


class BusyError(SurefootError):
    """Another run holds this project."""


class DamagedError(SurefootError):
    """A stored file is torn, altered or missing."""
