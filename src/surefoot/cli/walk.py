"""Commands that walk: the whole road, or one step of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.arguments import Budget, Device, Folder, Json, Overrides, Past, complete_step, open_project, parse_past
from surefoot.cli.screen import show, show_json, tabulate, tell, watching

if TYPE_CHECKING:
    from surefoot.project import Project
    from surefoot.runners.forecast import PlannedStep

_LEAST_MIN = 0.05
"""Minutes: what is less would be written as 0.0."""

To = Annotated[str, typer.Option("--to", metavar="STEP", help="The last step to walk.", show_default=False, autocompletion=complete_step)]
From = Annotated[str, typer.Option("--from", metavar="STEP", help="Begin the next round here.", show_default=False, autocompletion=complete_step)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done again, why, and in how many minutes; do nothing.")]
Again = Annotated[str, typer.Option("--again", metavar="WHY", help="Opens the test set once more; the reason stays in the report.", show_default=False)]
Fix = Annotated[bool, typer.Option("--fix", help="Writes what can be repaired into repairs.csv, which the next run applies; the data stays as it is.")]
CsvFile = Annotated[str, typer.Option("--csv", metavar="FILE", help="Writes the error table to FILE, to be edited.", show_default=False)]
TagsFile = Annotated[str, typer.Option("--tags", metavar="FILE", help="Reads an edited error table back.", show_default=False)]


def run(
    folder: Folder = ".",
    to: To = "",
    from_: From = "",
    budget: Budget = "",
    overrides: Overrides = None,
    past: Past = None,
    device: Device = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Walk the road; only what changed is done again."""
    options = {"to": to, "from_": from_, "set": overrides or [], "budget": budget, "device": device}
    if dry_run:
        _show_plan(open_project(folder), options, as_json)
        return
    project = walk(folder, past, options)
    conclude(project, as_json)


def make_step(name: str) -> Callable[..., None]:
    """The command that walks one step."""

    def step(folder: Folder = ".", budget: Budget = "", overrides: Overrides = None, past: Past = None, device: Device = "", as_json: Json = False) -> None:
        project = walk(folder, past, {"only": name, "set": overrides or [], "budget": budget, "device": device})
        _point(project, as_json)

    return step


def fix_audit(
    folder: Folder = ".", fix: Fix = False, budget: Budget = "", overrides: Overrides = None, past: Past = None, device: Device = "", as_json: Json = False
) -> None:
    """Walks s02; writes what it proposes to repair where that is asked for."""
    project = walk(folder, past, {"only": "audit", "set": overrides or [], "budget": budget, "device": device})
    if fix:
        done = project.fix()
        kept = f" below the {done['kept']:,} that stood there and stay" if done["kept"] else ""
        if done["added"]:
            tell(f"Written: {done['path']}, {done['added']:,} lines{kept}. Read and edit them, then: surefoot run")
        else:
            tell(f"Nothing to write: there is nothing to repair, or each item has its line already ({done['kept']:,} lines).")
    _point(project, as_json)


def open_test(folder: Folder = ".", again: Again = "", past: Past = None, as_json: Json = False) -> None:
    """Walks s13, which opens the test set; with the last round's settings, so that no other model is trained for it."""
    project = walk(folder, past, {"only": "test", "again": again})
    conclude(project, as_json)


def tabulate_errors(folder: Folder = ".", csv: CsvFile = "", tags: TagsFile = "", past: Past = None, as_json: Json = False) -> None:
    """Walks s10; the error table goes out as CSV and comes back edited."""
    if tags:
        tell(f"{open_project(folder).tag(tags):,} rows read from {tags}.")
    project = walk(folder, past, {"only": "errors", "from_": "errors" if tags else ""})
    if csv:
        _copy_table(project, Path(csv))
    _point(project, as_json)


def _copy_table(project: Project, target: Path) -> None:
    """The error table as s10 wrote it, under the name that was asked for."""
    from surefoot import durable
    from surefoot.types.errors import DamagedError

    table = project.root / project.report("errors").model_dump()["csv"]
    if not table.is_file():
        raise DamagedError(f"{table.name} of s10 is missing.", where=str(table), next="surefoot run --from errors --to errors makes it anew.")
    durable.replace(target, table.read_bytes())
    tell(f"Written: {target}. Edit the column tags (separated by ;), then: surefoot errors --tags {target}")


def walk(folder: str, past: list[str] | None, options: dict[str, Any]) -> Project:
    """Walks and draws the page, also where a gate stopped the road: the page says why."""
    from surefoot.types.errors import GateStop

    reasons = parse_past(past or [])
    with watching() as sink:
        project = open_project(folder, sink)
        try:
            project.run(**options, past=reasons)
        except GateStop:
            tell(f"The report says more: {project.render()}")
            raise
    return project


def conclude(project: Project, as_json: bool) -> None:
    """The end of a walk: how good, better than what, what holds it back, what next, and where to read on."""
    from surefoot.reporting.console import plain
    from surefoot.reporting.headline import make_headline
    from surefoot.reporting.page import set_scene

    page = project.render()
    if as_json:
        show_json(project.status())
        return
    steps = project.rounds()[-1].steps
    for tile in make_headline(set_scene(steps, None), steps):
        show(plain(f"{tile.title}: {_strip(tile.value).rstrip('.')}. {_strip(tile.note)}"))
    show(f"Report: {page}")


def _strip(text: Any) -> str:
    """The text of a piece of the page."""
    return text.striptags() if hasattr(text, "striptags") else text


def _point(project: Project, as_json: bool) -> None:
    page = project.render()
    if as_json:
        show_json(project.status())
    else:
        show(f"Report: {page}")


def _show_plan(project: Project, options: dict[str, Any], as_json: bool) -> None:
    planned = project.plan(**options)
    if as_json:
        show_json({"steps": [{"step": step.name, "redo": step.redo, "why": step.why, "minutes": step.minutes} for step in planned]})
        return
    rows = [(step.name, "do" if step.redo else "keep", "" if step.minutes is None else f"{step.minutes:.1f} min", step.why) for step in planned]
    show(tabulate(rows, ("step", "", "about", "why"), right=(2,)))
    todo = [step for step in planned if step.redo]
    show(f"{len(todo)} of {len(planned)} steps to do{_estimate(todo)}")


def _estimate(todo: list[PlannedStep]) -> str:
    """How long steps took before; what is not known does not read as nothing."""
    known = [step.minutes for step in todo if step.minutes is not None]
    never = len(todo) - len(known)
    if not todo or not known:
        return "; none of them ran before, so no time is known" if todo else ""
    took = f"about {sum(known):.1f} min" if sum(known) >= _LEAST_MIN else "less than 0.1 min"
    return f": {took}, as they took before" + (f", and {never} that never ran, so no time is known for them" if never else "")
