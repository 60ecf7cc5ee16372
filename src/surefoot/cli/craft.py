"""Commands for those who build parts: layers, check, eject, parts."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.arguments import STEPS, Folder, Json, complete_step
from surefoot.cli.screen import show, show_json, tabulate, tell
from surefoot.parts import PARTS

Text = Annotated[str, typer.Argument(metavar="LAYERS", help='The notation, e.g. "INPUT -> [[CONV -> RELU]*2 -> POOL]*2 -> FC".')]
Input = Annotated[str, typer.Option("--input", metavar="CxHxW", help="Shape of one item: 3x32x32, 28x28, or 14 for a row of 14 numbers.")]
Outputs = Annotated[int, typer.Option("--outputs", min=1, help="Units of the last layer.")]
Part = Annotated[str, typer.Argument(metavar="NAME", help="A part of yours, `my_code:TinyNet`, or one of ours, `adamw`.")]
Kind = Annotated[str, typer.Option("--kind", metavar="KIND", help="What it is, where its name or signature leaves that open.", show_default=False)]
AnyKind = Annotated[str, typer.Argument(metavar="KIND", help="Only parts of this kind.", show_default="all")]
StepName = Annotated[str, typer.Argument(metavar="STEP", help="The step to copy.", autocompletion=complete_step)]


def layers(text: Text, input_shape: Input, outputs: Outputs = 10, as_json: Json = False) -> None:
    """Volumes, parameters, FLOPs and fields of view of a net."""
    from surefoot.models.notation import describe

    rows = describe(text, parse_shape(input_shape), outputs)
    parameters, flops = sum(row.parameters for row in rows), sum(row.flops for row in rows)
    if as_json:
        listed = [
            {"name": r.name, "volume": r.volume, "parameters": r.parameters, "flops": r.flops, "receptive_field": r.receptive_field, "note": r.note}
            for r in rows
        ]
        show_json({"layers": listed, "parameters": parameters, "flops": flops})
        return
    cells = [(r.name, "x".join(map(str, r.volume)), f"{r.parameters:,}", f"{r.flops:,}", r.receptive_field, r.note) for r in rows]
    total = ("total", "", f"{parameters:,}", f"{flops:,}", "", "")
    show(tabulate([*cells, total], ("layer", "volume", "parameters", "FLOPs", "sees", "note"), right=(1, 2, 3, 4)))


def parse_shape(text: str) -> tuple[int, ...]:
    """`3x32x32` -> (3, 32, 32); `28x28` -> (1, 28, 28), a grey picture; `14` -> (14,).

    Raises:
        UsageError: it is no shape.
    """
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*){0,2}", text):
        from surefoot.types.errors import UsageError

        raise UsageError(
            f"{text!r} is no shape.", where=f"--input {text}", next="Write channels x height x width, e.g. --input 3x32x32, or the number of columns."
        )
    shape = tuple(map(int, text.split("x")))
    return (1, *shape) if len(shape) == 2 else shape


def check(name: Part, kind: Kind = "", folder: Folder = ".", as_json: Json = False) -> None:
    """Give a part the exam that our own parts take."""
    from surefoot.testing.exams import examine

    kind, results = examine(name, kind=kind, folder=Path(folder))
    passed = all(result.ok for result in results)
    if as_json:
        listed = [{"claim": r.claim, "ok": r.ok, "saw": r.saw, "next": r.next} for r in results]
        show_json({"name": name, "kind": kind, "ok": passed, "claims": listed})
    else:
        show(f"{name} ({kind}):")
        for result in results:
            show(f"  {'pass' if result.ok else 'FAIL'}  {result.claim}" + ("" if result.ok else f"\n        saw:  {result.saw}\n        next: {result.next}"))
        show(f"{sum(r.ok for r in results)} of {len(results)} claims hold.")
    if not passed:
        raise typer.Exit(1)


def parts(kind: AnyKind = "", as_json: Json = False) -> None:
    """List the parts that settings can name."""
    if kind and kind not in PARTS:
        from surefoot.types.errors import UsageError

        near = difflib.get_close_matches(kind, PARTS, n=1)
        advice = f"Did you mean {near[0]!r}?" if near else f"Kinds: {', '.join(PARTS)}."
        raise UsageError(f"There is no kind of part named {kind!r}.", where=f"surefoot parts {kind}", next=advice)
    chosen = {kind: PARTS[kind]} if kind else PARTS
    if as_json:
        show_json(chosen)
    elif kind:
        show(tabulate((name, _describe_part(name, kind)) for name in PARTS[kind]))
    else:
        show(tabulate((each, ", ".join(names)) for each, names in chosen.items()))
        tell("`surefoot parts KIND` says what each is; your own stand beside them as 'my_code:Name'.")


def _describe_part(name: str, kind: str) -> str:
    from surefoot import refs

    part = refs.resolve(name, kind=kind)
    title = getattr(part, "title", "")
    return title or (part.__doc__ or "").strip().splitlines()[0]


def eject(step: StepName, folder: Folder = ".") -> None:
    """Copy a step's file beside your settings, for you to change."""
    from importlib import resources

    from surefoot import durable
    from surefoot.reporting.road import ROAD
    from surefoot.types.errors import UsageError

    short = step.partition("_")[2] if step in ROAD else step
    if short not in STEPS:
        near = difflib.get_close_matches(short, STEPS, n=1)
        raise UsageError(
            f"There is no step {step!r}.", where=f"surefoot eject {step}", next=f"Did you mean {near[0]}?" if near else f"Steps: {', '.join(STEPS)}."
        )
    name = next(full for full in ROAD if full.endswith(f"_{short}"))
    target = Path(folder) / f"{name}.py"
    if target.exists():
        raise UsageError(f"{target.name} is already there.", where=str(target), next="Move it away first; it is not overwritten.")
    durable.replace(target, resources.files("surefoot.steps").joinpath(f"{name}.py").read_bytes())
    show(str(target))
    tell(f"`surefoot run` now walks this file instead of its own {short}. Delete it to go back.")
