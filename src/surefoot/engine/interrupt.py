"""Ctrl-C ends a run after the step it is in, with a checkpoint; a second one ends it at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ASKED = threading.Event()
_SECONDS = 10.0
"""A step that takes longer than this is not waited for."""


def is_asked() -> bool:
    """Whether Ctrl-C was pressed and the loop has not yet obeyed."""
    return _ASKED.is_set()


def obey() -> None:
    """Raises the KeyboardInterrupt that was asked for; the loop calls it after every step, once its checkpoint is written."""
    if _ASKED.is_set():
        _ASKED.clear()
        raise KeyboardInterrupt


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
