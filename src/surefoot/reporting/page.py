"""The page: one self-contained HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

import surefoot
from surefoot.reporting.comparison import compare_rounds
from surefoot.reporting.findings import count_notes, explain_road, find_anchors, list_items, notes_anchor, rank_road, redact, show_findings
from surefoot.reporting.headline import Tile, draw_standing, find_stop, make_headline
from surefoot.reporting.markup import EMPTY, element, join, prose, slug
from surefoot.reporting.pictures import load_arrays
from surefoot.reporting.road import ROAD, describe_step, number_of
from surefoot.reporting.sections import show_report
from surefoot.reporting.views import Scene
from surefoot.reporting.words import count_of, duration
from surefoot.types.context import Store
from surefoot.types.data_reports import PreparedData
from surefoot.types.error_reports import ErrorsReport
from surefoot.types.problem import Problem
from surefoot.types.views import RoundView, StepView

HERE = Path(__file__).parent
GATES = {"pass": "✓ passed", "warn": "! passed with warnings", "stop": "✕ stopped", "past": "✕ gone past", "none": "not walked"}
MARKS = {"pass": "✓", "warn": "!", "stop": "✕", "past": "✕", "none": "·"}


@dataclass(frozen=True)
class Badge:
    """A step on the road: its number, title, outcome, and the section it leads to (empty where it was not walked)."""

    number: str
    title: str
    outcome: str
    mark: str
    said: str
    link: str


@dataclass(frozen=True)
class SectionView:
    """A step's section, ready for the template."""

    badge: Badge
    purpose: str
    gate: str
    past: str
    is_stale: bool
    time: str
    findings: Markup
    body: Markup


@dataclass(frozen=True)
class Alarm:
    """A warning or stop in the list at the top, with the section it is told in."""

    severity: str
    what: Markup
    step: str
    link: str


def render(
    project_name: str, rounds: Sequence[RoundView], *, store: Store | None, with_items: bool = True, augment: str = "", folder: Path | None = None
) -> bytes:
    """The whole report of a project as one HTML file (UTF-8).

    Args:
        project_name: as shown in the title.
        rounds: all rounds, the oldest first; the last is shown in full, all of them in a table of comparison.
        store: where the reports' arrays are.
        with_items: whether pictures, rows, ids and places of the data may appear.
        augment: what `train.augment` says. folder: of the project.
    """
    steps = explain_road(rounds[-1].steps) if rounds else []
    scene = set_scene(steps, store, with_items, augment=augment, folder=folder)
    problem = scene.find(Problem)
    page = load_template().render(
        project=project_name,
        question=(problem.question if problem else "") or project_name,
        round=rounds[-1] if rounds else None,
        summary=_summarise(steps),
        stale=_count_stale(steps),
        tiles=make_headline(scene, steps)
        if steps
        else [Tile("Next", "Begin", prose("Nothing has been walked yet: `surefoot run` takes the first step."), "next")],
        standing=draw_standing(scene),
        road=_road(steps),
        alarms=_alarms(steps, scene),
        notes=_notes(steps),
        sections=[_section(step, scene) for step in steps],
        comparison=compare_rounds(rounds),
        with_items=with_items,
        style=load_style(),
        version=surefoot.__version__,
    )
    return page.encode()


def set_scene(steps: Sequence[StepView], store: Store | None, with_items: bool = True, *, augment: str = "", folder: Path | None = None) -> Scene:
    """What the sections may look at: reports, pictures by item id, anchors, and the names that must be hidden."""
    reports = {step.name: step.report for step in steps}
    pictures = {}
    if with_items:
        for report in reports.values():
            if isinstance(report, PreparedData | ErrorsReport):
                pictures.update(load_arrays(store, report.pictures))
    hidden = () if with_items else list_items(reports.values())
    return Scene(reports, store, with_items, pictures, find_anchors(reports), hidden, augment, folder)


@cache
def load_template() -> Template:
    """The page's template, which escapes all that is not markup."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("page.html")


@cache
def load_style() -> Markup:
    """The style sheet; it is ours, so it is not escaped."""
    return Markup((HERE / "style.css").read_text(encoding="utf-8"))


def outcome_of(step: StepView) -> str:
    """`pass`, `warn`, `stop`, or `past` where a stop was overridden."""
    return "past" if step.past and step.report.gate == "stop" else step.report.gate


def _badge(name: str, step: StepView | None) -> Badge:
    outcome = outcome_of(step) if step else "none"
    return Badge(number_of(name), describe_step(name).title, outcome, MARKS[outcome], GATES[outcome], slug(name) if step else "")


def _road(steps: Sequence[StepView]) -> list[Badge]:
    walked = {step.name: step for step in steps}
    own = [name for name in walked if name not in ROAD]
    return [_badge(name, walked.get(name)) for name in (*ROAD, *own)]


def _section(step: StepView, scene: Scene) -> SectionView:
    stage = describe_step(step.name)
    return SectionView(
        badge=_badge(step.name, step),
        purpose=stage.purpose,
        gate=stage.gate,
        past=step.past,
        is_stale=step.stale,
        time=duration(step.seconds),
        findings=show_findings(step.name, step.report.findings, scene),
        body=show_report(step.report, scene),
    )


def _alarms(steps: Sequence[StepView], scene: Scene) -> list[Alarm]:
    """Stops first, then warnings; those that another one explains are left to their section."""
    ranked = rank_road(steps)
    loud = {finding.code for _, finding in ranked}
    found = [(step, finding) for step, finding in ranked if finding.because not in loud - {finding.code}]
    return [
        Alarm(finding.severity, prose(redact(finding.what, scene)), describe_step(step.name).title, slug(f"{step.name}-{finding.code}"))
        for step, finding in found
    ]


def _notes(steps: Sequence[StepView]) -> Markup:
    """How many notes are folded away in the sections, with a link to those of each step."""
    counts = {step.name: number for step in steps if (number := count_notes(step.report.findings))}
    if not counts:
        return EMPTY
    links = [element("a", f"{describe_step(name).title} ({number})", href=f"#{notes_anchor(name)}") for name, number in counts.items()]
    total = sum(counts.values())
    return join([f"{count_of(total, 'note')} {'is' if total == 1 else 'are'} folded away: ", join(links, ", "), "."])


def _count_stale(steps: Sequence[StepView]) -> str:
    """How many results are out of date; empty where none is."""
    stale = [describe_step(step.name).title.lower() for step in steps if step.stale]
    which = "All results belong" if len(stale) == len(steps) else f"The results of {', '.join(stale)} belong"
    return f"{which} to earlier settings, data or code." if stale else ""


def _summarise(steps: Sequence[StepView]) -> str:
    """One sentence on how far the road was walked."""
    if not steps:
        return ""
    stopped, walked = find_stop(steps), sum(step.name in ROAD for step in steps)
    total = f"in {duration(sum(step.seconds for step in steps))}"
    if stopped:
        return f"The road stopped at {describe_step(stopped.name).title.lower()}, after {walked} of {len(ROAD)} steps, {total}."
    if walked == len(ROAD):
        return f"The whole road was walked {total}."
    return f"{walked} of {len(ROAD)} steps are walked so far, {total}."
