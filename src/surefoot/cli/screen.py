"""What people see: events as lines on stderr, with a live bar on a terminal; data as aligned tables or JSON on stdout."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import math
import os
import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from surefoot.reporting.road import ROAD, describe_step, number_of

if TYPE_CHECKING:
    from surefoot.events import Event
    from surefoot.types.views import StepView

INDENT = " " * 8
EVERY_S = 10.0
"""Seconds between two lines of progress where there is no terminal: a log stays readable, and is never silent for long."""

_LOOKING = ["run", "schedule", "status", "report", "runs", "sheet", "clean", "human", "tag", "review", r"lesson \w+"]
_IN_A_PROJECT = "|".join([*_LOOKING, *(name.partition("_")[2] for name in ROAD if name != "s14_serve")])
"""Commands behind which the project's folder may stand."""

Put = Callable[[str], None]


_FOLDER = ContextVar("folder", default=".")


def tell(text: str) -> None:
    """A line of progress, on stderr."""
    print(aim(text), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """A line of data, on stdout."""
    print(aim(text), flush=True)


def show_json(data: Any) -> None:
    """Plain data as JSON on stdout; a number that is not finite is null, the only word that JSON has for it."""
    print(json.dumps(_finite(data), indent=2, allow_nan=False), flush=True)


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def aim(text: str) -> str:
    """The commands in a text, which are written as for the current folder, with the folder in them that the command at work was given (see `aiming`)."""
    folder = _FOLDER.get()
    if folder == ".":
        return text
    named = shlex.quote(folder)
    text = re.sub(r"\bsurefoot (serve|predict) export\b", lambda found: f"surefoot {found[1]} {shlex.quote(os.path.join(folder, 'export'))}", text)
    return re.sub(rf"(?<![\w/\\])surefoot ({_IN_A_PROJECT})\b(?! {re.escape(named)}\b)", lambda found: f"{found[0]} {named}", text)


@contextlib.contextmanager
def aiming(folder: str, *, as_json: bool = False) -> Iterator[None]:
    """What is told meanwhile, and what an error advises, is aimed at `folder`; JSON stays as it is, for a program that reads it knows the folder."""
    mark = _FOLDER.set(folder)
    try:
        yield
    except Exception as error:
        from surefoot.types.errors import SurefootError

        if isinstance(error, SurefootError) and not as_json:
            error.next = aim(error.next)
        raise
    finally:
        _FOLDER.reset(mark)


def aimed(command: Callable[..., None]) -> Callable[..., None]:
    """The command, aiming at the folder that it is given, if it takes one."""
    if "folder" not in inspect.signature(command).parameters:
        return command

    @functools.wraps(command)
    def act(**given: Any) -> None:
        with aiming(given["folder"], as_json=given.get("as_json", False)):
            command(**given)

    return act


def tabulate(rows: Iterable[Sequence[object]], heads: Sequence[str] = (), right: Sequence[int] = ()) -> str:
    """Columns aligned by spaces; those in `right` (by position) end in line, as numbers should."""
    cells = [[str(cell) for cell in row] for row in ([heads] if heads else [])] + [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = [[cell.rjust(width) if place in right else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths))] for row in cells]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def is_terminal() -> bool:
    """Whether stderr is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def watching() -> Iterator[Callable[[Event], None]]:
    """A sink that shows a walk as it happens."""
    if not is_terminal():
        yield Watcher(tell, Paced())
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(INDENT + "{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("about"), TimeRemainingColumn(), TextColumn("left"))
    console = Console(stderr=True, highlight=False, markup=False)
    with Progress(*columns, console=console, transient=True) as bar:
        yield Watcher(lambda text: console.print(aim(text)), Drawn(bar))


class Watcher:
    """Turns events into lines; how progress is shown is up to `meter`.

    Args:
        put: shows one line.
        meter: shows progress; `meter.stop()` ends what is shown.
    """

    def __init__(self, put: Put, meter: Paced | Drawn) -> None:
        self.put, self.meter = put, meter

    def __call__(self, event: Event) -> None:
        if event.kind == "progress":
            self.meter.show(self.put, event.data["what"], event.data["done"], event.data["total"])
            return
        self.meter.stop()
        if event.kind == "say":
            self.put(INDENT + event.data["text"].strip())
        elif event.kind == "step_start":
            stage = describe_step(event.data["name"])
            self.put(f"[{event.data['index']:>2}/{event.data['of']}] {stage.title}: {stage.purpose}")
        elif event.kind == "step_end" and event.data["cached"]:
            name = event.data["name"]
            self.put(f"[{int(number_of(name)):>2}/{len(ROAD)}] {describe_step(name).title}: nothing it depends on changed.")
        elif event.kind == "step_end":
            for line in conclude(event.data["view"]):
                self.put(INDENT + line)


def conclude(view: StepView) -> list[str]:
    """What a finished step found, and how long it took."""
    from surefoot.reporting.console import summarise
    from surefoot.reporting.words import duration

    lines = summarise(view)
    return [f"{lines[0]} ({duration(view.seconds)})".replace("\u00a0", " "), *lines[1:]]


class Paced:
    """Progress as plain lines, at most one in `EVERY_S` seconds for each thing that goes on."""

    def __init__(self) -> None:
        self.what, self.started, self.shown = "", 0.0, 0.0

    def show(self, put: Put, what: str, done: float, total: float) -> None:
        now = time.monotonic()
        if what != self.what:
            self.what, self.started, self.shown = what, now, now
        if now - self.shown >= EVERY_S and 0 < done < total:
            self.shown = now
            left = (now - self.started) * (total - done) / done
            put(f"{INDENT}{what}: {done / total:.0%}, about {_clock(left)} left")

    def stop(self) -> None:
        self.what = ""


class Drawn:
    """Progress as one bar that Rich redraws."""

    def __init__(self, bar: Any) -> None:
        self.bar, self.what, self.task = bar, "", None

    def show(self, put: Put, what: str, done: float, total: float) -> None:
        if what != self.what:
            self.stop()
            self.what, self.task = what, self.bar.add_task(what, total=total)
        self.bar.update(self.task, completed=done, total=total)

    def stop(self) -> None:
        if self.task is not None:
            self.bar.remove_task(self.task)
        self.what, self.task = "", None


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def describe_bytes(size: float) -> str:
    """A size in the unit that fits, e.g. `1.3 GB`."""
    from surefoot.reporting.words import size_bytes

    return size_bytes(int(size)).replace("\u00a0", " ")


def list_findings(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Findings that are more than a note, as lines: severity, code, what, because of which other one, and what to do."""
    from surefoot.reporting.console import plain

    lines = []
    for finding in findings:
        if finding["severity"] != "info":
            lines.append(f"{finding['severity']} {finding['code']}: {finding['what']}")
            if finding.get("because"):
                lines.append(f"  because of {finding['because']}")
            if finding.get("next"):
                lines.append(f"  next: {finding['next']}")
    return [line[: len(line) - len(line.lstrip())] + plain(line) for line in lines]  # names from the data can't steer the terminal
