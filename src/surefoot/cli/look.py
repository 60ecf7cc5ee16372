"""Commands that look at what was done: status, report, runs, compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.arguments import Folder, Json, open_project
from surefoot.cli.screen import INDENT, list_findings, show, show_json, tabulate, tell

if TYPE_CHECKING:
    from surefoot.types.views import RoundView

NoItems = Annotated[bool, typer.Option("--no-items", help="Leave out every picture and row of the data.")]
Open = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]
Augmentation = Annotated[str, typer.Option("--augment", metavar="NAMES", help="Augmentations to look at, as in train.augment.", show_default=False)]
Draws = Annotated[int, typer.Option("--draws", min=0, max=20, help="How often each item is augmented.")]
FirstRound = Annotated[str, typer.Argument(metavar="A", help="Number of a round, as `surefoot runs` lists them.")]
SecondRound = Annotated[str, typer.Argument(metavar="B", help="Number of another.")]


def status(folder: Folder = ".", as_json: Json = False) -> None:
    """Say how far the road was walked, and what was found."""
    from surefoot.reporting.road import ROAD

    data = open_project(folder).status()
    if as_json:
        show_json(data)
        return
    walked = {entry["step"]: entry for entry in data["steps"]}
    show(f"{data['project']}, round {data['round']}")
    for name in [*ROAD, *(name for name in walked if name not in ROAD)]:
        entry = walked.get(name)
        show(f"  {name:<14}" + (f"{entry['gate']:<6}{entry['seconds']:>8.1f} s{_remark(entry)}" if entry else "not walked"))
        for line in list_findings(entry["findings"]) if entry else ():
            show(INDENT + line)
    for first in data["ranked"][:1] if len(data["ranked"]) > 1 else ():
        show(f"Mend first: {first['code']} ({first['step']})" + _explained(data["ranked"], first["code"]))
    show("Next: surefoot run" if set(ROAD) - set(walked) else "Next: surefoot report --open")


def _explained(ranked: list[dict[str, str]], code: str) -> str:
    """What a finding explains, at any depth, of those that are told."""
    names = {code: None}
    for _ in ranked:
        names |= dict.fromkeys(one["code"] for one in ranked if one["because"] in names)
    del names[code]
    return f", which explains {', '.join(names)}" if names else ""


def _remark(entry: dict[str, Any]) -> str:
    """Why a gate was passed although it stopped, and whether the code has changed since."""
    past = f"  gone past: {entry['past']}" if entry["past"] else ""
    return past + ("  (by an older version of the code)" if entry["stale"] else "")


def report(folder: Folder = ".", no_items: NoItems = False, open_it: Open = False, as_json: Json = False) -> None:
    """Write report.html: every step, its evidence, its pictures."""
    page = open_project(folder).render(with_items=not no_items).resolve()
    if as_json:
        show_json({"report": str(page)})
    else:
        show(str(page))
    if open_it:
        import webbrowser

        webbrowser.open(page.as_uri())


def sheet(folder: Folder = ".", augment: Augmentation = "", draws: Draws = 5, open_it: Open = False, as_json: Json = False) -> None:
    """Write sheet.html: some items as they came, as they are packed, and as a training sees them."""
    data = open_project(folder).sheet(augment=augment, draws=draws)
    if as_json:
        show_json(data)
    else:
        show(data["sheet"])
        tell(f'train.augment = {data["augment"]!r}; --augment tries another, such as "affine+colour(0.5)".')
    if open_it:
        import webbrowser

        webbrowser.open(Path(data["sheet"]).as_uri())


def runs(folder: Folder = ".", as_json: Json = False) -> None:
    """List the rounds, each with what it reached."""
    rows = [_summarise(one) for one in open_project(folder).rounds()]
    if as_json:
        show_json({"rounds": rows})
    else:
        show(
            tabulate(
                [["–" if value is None else value for value in row.values()] for row in rows],
                ("round", "parent", "steps", "val", "test", "verdict", "compared"),
            )
        )


def _summarise(one: RoundView) -> dict[str, Any]:
    from surefoot.reporting.headline import find_stop
    from surefoot.reporting.road import describe_step
    from surefoot.reporting.views import Scene
    from surefoot.types import DiagnoseReport, TestReport, TuneReport

    scene = Scene({step.name: step.report for step in one.steps})
    tune, test, diagnosis, stopped = scene.find(TuneReport), scene.find(TestReport), scene.find(DiagnoseReport), find_stop(one.steps)
    return {
        "round": one.number,
        "parent": one.parent,
        "steps": len(one.steps),
        "val": round(tune.val.value, 6) if tune else None,
        "test": round(test.value, 6) if test else None,
        "verdict": f"stopped at {describe_step(stopped.name).title.lower()}" if stopped else diagnosis.verdict if diagnosis else None,
        "comparison": one.comparison,
    }


def compare(a: FirstRound, b: SecondRound, folder: Folder = ".", as_json: Json = False) -> None:
    """Say whether round B is better than round A, or noise."""
    data = open_project(folder).compare(a, b)
    if as_json:
        show_json(data)
    else:
        show(data["sentence"])
