"""What several commands take, each written once, and the command line put in order before Typer reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.reporting.road import ROAD

if TYPE_CHECKING:
    from surefoot.events import Sink
    from surefoot.project import Project

Past = Annotated[
    list[str] | None,
    typer.Option("--past", metavar='GATE "WHY"', help="Goes past a gate that stopped the road; the reason stays in the report.", show_default=False),
]
STEPS: dict[str, str] = {name.partition("_")[2]: stage.purpose for name, stage in ROAD.items()}
"""Short name of each step -> what it is for."""

Folder = Annotated[str, typer.Argument(metavar="DIR", help="The project's folder.", show_default="here")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, errors included.")]
Budget = Annotated[str, typer.Option(metavar="TIME", help="`smoke`, or a time such as 20m or 8h; epochs, trials and model size follow.", show_default=False)]
Device = Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or cuda:1.", show_default=False)]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting for this run, e.g. train.lr=0.1; may be repeated.", show_default=False)
]


def complete_step(incomplete: str) -> list[tuple[str, str]]:
    """Steps that start like this, for the shell."""
    return [(name, purpose) for name, purpose in STEPS.items() if name.startswith(incomplete)]


def arrange(words: list[str]) -> list[str]:
    """The command line as Typer can read it.

    Typer has no repeated option of two values, so `--past GATE "why"` becomes `--past GATE=why`. `--no-input` may stand
    anywhere and is moved to the front. What follows `--` stays as it is.
    """
    end = words.index("--") if "--" in words else len(words)
    head, tail = words[:end], words[end:]
    front = ["--no-input"] if "--no-input" in head else []
    rest = [word for word in head if word != "--no-input"]
    arranged: list[str] = []
    while rest:
        word = rest.pop(0)
        arranged.append(word)
        if word == "--past" and len(rest) > 1 and not re.match(r"[\w.]+=", rest[0]):
            gate, why = rest.pop(0), rest.pop(0)
            arranged.append(f"{gate}={why}")
    return [*front, *arranged, *tail]


def parse_past(pairs: list[str]) -> dict[str, str]:
    """`GATE=why`, as `arrange` leaves it -> {gate: reason}.

    Raises:
        UsageError: a gate without a reason.
    """
    past = {}
    for pair in pairs:
        gate, _, why = pair.partition("=")
        if not why.strip() or why.startswith("--"):
            from surefoot.types.errors import UsageError

            raise UsageError(f"--past {gate} names no reason.", where=f"--past {gate}", next=f'Say why, for ever: --past {gate} "why it may be passed".')
        past[gate] = why.strip()
    return past


def open_project(folder: str, *sinks: Sink) -> Project:
    """The project in `folder`.

    Raises:
        ConfigError: there is no `surefoot.toml`, or it is wrong.
    """
    from surefoot.project import Project

    return Project(folder, sinks=sinks)
