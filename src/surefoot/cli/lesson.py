"""`surefoot lesson`: what a textbook says, worked through on your own net and data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from surefoot.cli.arguments import Folder, Json, Overrides, open_project
from surefoot.cli.screen import show, show_json, tabulate, tell

Name = Annotated[str, typer.Argument(metavar="NAME", help="`backprop`.")]


def lesson(name: Name, folder: Folder = ".", set_: Overrides = None, as_json: Json = False) -> None:
    """Work a lesson through on your own net: backprop."""
    rows = open_project(folder).lesson(name, set=set_ or [])
    worst = max(row.error for row in rows)
    if as_json:
        show_json({"lesson": name, "largest_difference": worst, "equations": [asdict(row) for row in rows]})
        return
    cells = [
        (
            row.layer,
            row.kind,
            row.equation,
            "x".join(map(str, row.shape)),
            f"{row.by_hand:.6g}",
            f"{row.by_autograd:.6g}",
            f"{row.error:.0e}",
            _remark(row.is_given),
        )
        for row in rows
    ]
    show(tabulate(cells, ("layer", "kind", "equation", "shape", "by hand", "by autograd", "differs by", ""), right=(3, 4, 5, 6)))
    show(f"{len(rows)} equations, from the loss back to the first layer; by hand and by autograd differ by {worst:.0e} at most, in float64.")
    tell("By hand and by autograd are norms; `differs by` is that of their difference, relative to them. One batch of train items, eval mode, untrained net.")


def _remark(is_given: bool) -> str:
    return "δ taken from autograd: what follows is no layer known here" if is_given else ""
