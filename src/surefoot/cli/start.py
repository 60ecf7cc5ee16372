"""Commands to begin with: demo, init."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from surefoot.cli.arguments import Budget, Json
from surefoot.cli.screen import aiming, show, show_json, tell

Data = Annotated[str, typer.Argument(metavar="DATA", help="Folder, table, arrays, IDX folder, `sklearn:NAME` or `my_code:Name`.", show_default=False)]
Target = Annotated[str, typer.Option(metavar="COLUMN", help="What is predicted; inferred when left out.", show_default=False)]
OutFolder = Annotated[str, typer.Option("--out", metavar="DIR", help="Folder of the new project.", show_default="by the name of the data")]
DemoFolder = Annotated[str, typer.Option("--out", metavar="DIR", help="Folder of the demo.")]
Question = Annotated[str, typer.Option(metavar="TEXT", help="What you want to know, in your words.", show_default=False)]

DEMO_DATA = "sklearn:digits"
DEMO_BUDGET = "1m"


def demo(out: DemoFolder = "demo", as_json: Json = False) -> None:
    """Walk the whole road on real handwritten digits."""
    tell("Can a net read handwritten digits? 1,797 small pictures, from the question to a tested model, one sure step at a time.")
    from surefoot import settings
    from surefoot.cli.walk import conclude, walk
    from surefoot.project import Project
    from surefoot.types.errors import UsageError

    path = Path(out) / settings.FILE
    if not path.exists():
        Project.init(DEMO_DATA, out=out, budget=DEMO_BUDGET, question="Which digit was written?")
    elif not _is_demo(*settings.read(Path(out))):
        raise UsageError(f"{out} holds another project.", where=str(path), next="Give the demo a folder of its own: surefoot demo --out DIR.")
    with aiming(out, as_json=as_json):
        conclude(walk(out, None, {}), as_json)
    if not as_json:
        tell(f"Now your own data: surefoot init DATA. To look at this: surefoot report {shlex.quote(out)} --open")


def _is_demo(values: dict[str, Any], unread: dict[str, str]) -> bool:
    """Whether settings are those of the demo; what can't be read of them is told by whoever walks."""
    data = values.get("data")
    return bool(unread) or (isinstance(data, dict) and data.get("source") == DEMO_DATA)


def init(data: Data = "", target: Target = "", out: OutFolder = "", budget: Budget = "", question: Question = "", as_json: Json = False) -> None:
    """Look at the data; write surefoot.toml, a reason on each line."""
    from surefoot.types.errors import UsageError

    if not data:
        raise UsageError(
            "No data was named.",
            where="surefoot init",
            next="Say where it is: surefoot init photos/, surefoot init table.csv --target COLUMN, or surefoot init sklearn:digits.",
        )
    tell(f"Looking at {data} ...")
    from surefoot.project import Project

    project = Project.init(data, target=target, out=out, budget=budget, question=question)
    path = Path(project.root) / "surefoot.toml"
    if as_json:
        show_json({"path": str(path), "settings": project.settings.model_dump(mode="json", exclude_defaults=True)})
        return
    show(path.read_text(encoding="utf-8").rstrip())
    here = _shorten(project.root)
    tell(f"Written: {path}. Next: surefoot run" + ("" if here == "." else f" {shlex.quote(here)}"))


def _shorten(root: Path) -> str:
    """The folder as a person would type it: relative where it lies in or beside the current one."""
    with contextlib.suppress(ValueError):  # another drive
        relative = os.path.relpath(root)
        if relative.count("..") <= 1:
            return relative
    return str(root)
