"""Progress, for whoever watches. Steps say what they do; a sink shows it, or nobody does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        kind: `say` (a line of text), `progress` (done of total), `step_start`, `step_end`.
        data: the text, the numbers or the report; plain values only.
        at: seconds since the epoch; shown, never used for a decision.
    """

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.time)


Sink = Callable[[Event], None]


@dataclass(frozen=True)
class Announcer:
    """Hands events to sinks; see `types.context.Events`."""

    sinks: tuple[Sink, ...] = ()

    def emit(self, kind: str, **data: Any) -> None:
        if self.sinks:
            event = Event(kind, data)
            for sink in self.sinks:
                sink(event)

    def say(self, text: str) -> None:
        self.emit("say", text=text)

    def progress(self, what: str, done: float, total: float) -> None:
        self.emit("progress", what=what, done=done, total=total)
