"""Ctrl-C, or a clock, ends a run after the step it is in, with a checkpoint; a second Ctrl-C ends it at once."""

from __future__ import annotations

import contextlib
import math
import signal
import threading
from collections.abc import Iterator
from time import perf_counter
from types import FrameType

from surefoot.types.errors import ResourceError

_ASKED = threading.Event()
_SECONDS = 10.0
"""A step that takes longer than this is not waited for."""
_ends = math.inf
"""When the time that the run may take is up, by `perf_counter`."""


def is_asked(*, by_clock: bool = True) -> bool:
    """Whether Ctrl-C was pressed, or the time is up, and the loop has not yet obeyed.

    Args:
        by_clock: the time counts. It must not where no checkpoint is kept: the same command would begin anew, and pause at the same place for ever.
    """
    return _ASKED.is_set() or (by_clock and perf_counter() > _ends)


def obey(*, by_clock: bool = True) -> None:
    """Ends the run if that was asked for; the loop calls it after a step, once its checkpoint is written.

    Args:
        by_clock: see `is_asked`.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed. ResourceError: the time is up.
    """
    if _ASKED.is_set():
        _ASKED.clear()
        raise KeyboardInterrupt
    if by_clock and perf_counter() > _ends:
        raise ResourceError(
            "The run has taken much longer than its budget, and pauses; what was done is kept.",
            where="budget",
            next="`surefoot run` goes on from here, with as much time again. A busy machine, or a step that no plan shortens, takes longer than was measured.",
        )


@contextlib.contextmanager
def timed(seconds: float) -> Iterator[None]:
    """Inside the block the loop ends after a step once so many seconds have passed."""
    global _ends
    before, _ends = _ends, perf_counter() + seconds
    try:
        yield
    finally:
        _ends = before


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Inside the block the first Ctrl-C is only noted: the loop obeys it after its step, all else after `_SECONDS`; a second one is obeyed at once.

    Outside the main thread, where signals can't be caught, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    _ASKED.clear()
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)

    def note(number: int, frame: FrameType | None) -> None:
        if _ASKED.is_set():
            _ASKED.clear()
            raise KeyboardInterrupt
        _ASKED.set()
        signal.setitimer(signal.ITIMER_REAL, _SECONDS)

    def insist(number: int, frame: FrameType | None) -> None:
        if _ASKED.is_set():
            obey()

    signal.signal(signal.SIGINT, note)
    signal.signal(signal.SIGALRM, insist)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGALRM, handlers[1])
        _ASKED.clear()
