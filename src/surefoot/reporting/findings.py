"""Findings as a tree: the cause first, what it explains beneath it; and the hiding of items where none may be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from surefoot.checks.causes import find_root, name_causes, rank
from surefoot.reporting.markup import EMPTY, code, element, folded, join, prose, slug, table
from surefoot.reporting.pictures import tile
from surefoot.reporting.views import Scene
from surefoot.reporting.words import count_of, number, spaced
from surefoot.types.data_reports import AuditReport, PreparedData, Split
from surefoot.types.error_reports import ErrorsReport
from surefoot.types.findings import Finding, Report
from surefoot.types.views import StepView

SEVERITIES = ("stop", "warn", "info")
WORDS = {"stop": "stop", "warn": "warning", "info": "note"}
HIDDEN = "[hidden]"
MOST_IDS = 12
_IN_A_TABLE = re.compile(r"[^\s,;()]+\.\w+:\d+|[^\s,;()]+\[\d+\]")
"""`file.csv:17` and `name[16]`."""
# Where these families point is a layer, a setting or a file of the bundle; all others may point at an item.
_PLACELESS = ("prepare.", "model.", "train.", "search.", "diagnose.", "export.", "serve.")


def find_anchors(reports: Mapping[str, Report]) -> dict[str, str]:
    """Finding code -> the name of the place where the first finding of that code is told."""
    anchors: dict[str, str] = {}
    for step, report in reports.items():
        for finding in report.findings:
            anchors.setdefault(finding.code, slug(f"{step}-{finding.code}"))
    return anchors


def list_items(reports: Iterable[Report]) -> tuple[str, ...]:
    """The ids and places of items that the reports name, the longest first; names under four characters would hit other words."""
    names: set[str] = set()
    for report in reports:
        for finding in report.findings:
            names.update(finding.ids)
        if isinstance(report, AuditReport | Split):
            names.update(item.place for item in report.refused)
        if isinstance(report, AuditReport):
            names.update(item.place for item in (report.boxes.refused if report.boxes else ()))
            names.update(name for suspect in report.suspects for name in (suspect.id, suspect.place))
            names.update(name for pair in report.near for name in (pair.a, pair.b, pair.place_a, pair.place_b))
        if isinstance(report, PreparedData):
            names.update(id for ids in report.sample.values() for id in ids)
            shown = (report.explored.suspects, report.explored.sheet, *report.explored.equal, *report.explored.near)
            names.update(name for items in shown for item in items for name in (item.id, item.place))
        if isinstance(report, ErrorsReport):
            names.update(name for row in (*report.rows, *report.worst) for name in (row.id, row.place))
            names.update(name for suspect in report.mislabels for name in (suspect.id, suspect.place))
    return tuple(sorted((name for name in names if len(name) > 3), key=len, reverse=True))


def redact(text: str, scene: Scene) -> str:
    """The text without the names of items, and without places in tables, where none may be shown."""
    if scene.with_items:
        return text
    for name in scene.hidden:
        if name in text:
            text = text.replace(name, HIDDEN)
    return _IN_A_TABLE.sub(HIDDEN, text)


def explain_road(steps: Sequence[StepView]) -> list[StepView]:
    """The steps of a round whose findings, notes included, name their causes, in whichever step these were seen. Severities, and so the gates, stay."""
    named = iter(name_causes([finding for step in steps for finding in step.report.findings]))
    return [replace(step, report=step.report.model_copy(update={"findings": tuple(next(named) for _ in step.report.findings)})) for step in steps]


def rank_road(steps: Sequence[StepView]) -> list[tuple[StepView, Finding]]:
    """Stops and warnings of a whole round with their steps, the one to mend first at the head; those that another one explains, in whichever step, are last.

    A note is told too where it explains a stop or a warning: it is then as severe.
    """
    said = {(finding.code, finding.where, finding.what): step for step in reversed(steps) for finding in reversed(step.report.findings)}
    ranked = rank([finding for step in steps for finding in step.report.findings])
    return [(said[finding.code, finding.where, finding.what], finding) for finding in ranked if finding.severity != "info"]


def group_by_cause(findings: Sequence[Finding]) -> list[tuple[Finding, list[Finding]]]:
    """Each cause with what it explains, at any depth; worst first. A finding whose cause is not among them stands for itself."""
    first = {finding.code: finding for finding in reversed(findings)}
    groups: dict[int, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(id(find_root(finding, first)), []).append(finding)
    roots = [finding for finding in findings if id(finding) in groups and find_root(finding, first) is finding]
    roots.sort(key=lambda root: min(SEVERITIES.index(finding.severity) for finding in groups[id(root)]))
    return [(root, [finding for finding in groups[id(root)] if finding is not root]) for root in roots]


def show_findings(step: str, findings: Sequence[Finding], scene: Scene) -> Markup:
    """All findings of a step: stops and warnings open, notes folded away behind their number."""
    used: set[str] = set()
    loud: list[Markup] = []
    quiet: list[Markup] = []
    for root, explained in group_by_cause(findings):
        shown = _show(step, root, scene, used, [_show(step, finding, scene, used, under=root.code) for finding in explained])
        (quiet if _is_note(root, explained) else loud).append(shown)
    if not loud and not quiet:
        return EMPTY
    notes = element("details", element("summary", count_of(len(quiet), "note")), *quiet, id=notes_anchor(step)) if quiet else None
    return element("div", *loud, notes, class_="findings")


def _is_note(root: Finding, explained: Sequence[Finding]) -> bool:
    return {root.severity, *(finding.severity for finding in explained)} == {"info"}


def count_notes(findings: Sequence[Finding]) -> int:
    """How many notes a step has folded away."""
    return sum(_is_note(root, explained) for root, explained in group_by_cause(findings))


def notes_anchor(step: str) -> str:
    """The name of the place where a step's notes are folded away."""
    return slug(f"{step}-notes")


def _show(step: str, finding: Finding, scene: Scene, used: set[str], explained: Sequence[Markup] = (), under: str = "") -> Markup:
    anchor = slug(f"{step}-{finding.code}")
    name = None if anchor in used else anchor
    used.add(anchor)
    head = element(
        "p",
        element("span", WORDS[finding.severity], class_=f"badge {finding.severity}"),
        element("strong", prose(redact(finding.what, scene))),
        element("a", code(finding.code), href=f"#{anchor}", class_="finding-code"),
        class_="finding-head",
    )
    because = _because(finding, scene) if finding.because != under else EMPTY
    details = [_detail("Where", _where(finding, scene)), _detail("What to do", prose(redact(finding.next, scene))), _detail("Because of", because)]
    beneath = element("div", element("p", "It explains:", class_="note"), *explained, class_="explained") if explained else None
    body = (head, element("dl", *details), _evidence(finding, scene), _items(finding, scene), beneath)
    return element("article", *body, id=name, class_=f"finding {finding.severity}")


def _detail(name: str, value: Markup | str) -> Markup | None:
    return join([element("dt", name), element("dd", value)]) if value else None


def _where(finding: Finding, scene: Scene) -> str:
    return redact(finding.where, scene) if scene.with_items or finding.code.startswith(_PLACELESS) else ""


def _because(finding: Finding, scene: Scene) -> Markup:
    if not finding.because:
        return EMPTY
    anchor = scene.anchors.get(finding.because)
    return element("a", code(finding.because), href=f"#{anchor}") if anchor else code(finding.because)


def _evidence(finding: Finding, scene: Scene) -> Markup | None:
    rows = [(spaced(name), _plain(value)) for name, value in finding.evidence.items() if scene.with_items or not _holds_text(value)]
    if not rows:
        return None
    return folded("The numbers it rests on", table(f"Evidence for {finding.code}", ("quantity", "value"), rows, numeric=(1,)))


def _holds_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(item, str) for item in value))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value[:MOST_IDS]) + (f" … ({len(value)} in all)" if len(value) > MOST_IDS else "")
    return number(value) if isinstance(value, int | float) else str("none" if value is None else value)


def _items(finding: Finding, scene: Scene) -> Markup | None:
    if not finding.ids or not scene.with_items:
        return None
    shown = finding.ids[:MOST_IDS]
    seen = [tile(scene.pictures, id, f"item {id}", id[:12]) for id in shown if id in scene.pictures]
    others = [code(id) for id in shown if id not in scene.pictures]
    more = f" and {len(finding.ids) - MOST_IDS} more" if len(finding.ids) > MOST_IDS else ""
    pictures = element("div", *seen, class_="tiles") if seen else None
    names = element("p", join(others, " "), more, class_="ids") if others or more else None
    return folded(f"{len(finding.ids)} {'item' if len(finding.ids) == 1 else 'items'}", join(piece for piece in (pictures, names) if piece))
