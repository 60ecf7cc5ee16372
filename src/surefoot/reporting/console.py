"""Reports on the terminal: one to four plain lines per step."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

from surefoot.reporting.findings import WORDS, group_by_cause
from surefoot.reporting.sections.errors import count_wrong
from surefoot.reporting.sections.split import tell_apart
from surefoot.reporting.words import MINUS, amount, between, count_of, in_order, level, measured, number, size_bytes, spaced
from surefoot.types.data_reports import AuditReport, PreparedData, Split
from surefoot.types.error_reports import ErrorsReport
from surefoot.types.figures import write_items
from surefoot.types.findings import Finding, Measured, Report
from surefoot.types.problem import Problem
from surefoot.types.reports import (
    BaselineReport,
    DiagnoseReport,
    ExportReport,
    FinalReport,
    ModelScore,
    OverfitReport,
    SanityReport,
    ServeReport,
    TestReport,
    TuneReport,
)
from surefoot.types.views import StepView

MOST_LINES = 4


def summarise(step: StepView) -> list[str]:
    """The numbers of a step's report with their intervals, then its stops and warnings; at most four lines, without control characters."""
    headline = _HEADLINES.get(type(step.report))
    lines = [headline(step.report)] if headline else []
    loud = [(root, explained) for root, explained in group_by_cause(step.report.findings) if _worst(root, explained) != "info"]
    room = MOST_LINES - len(lines)
    shown = loud if len(loud) <= room else loud[: room - 1]
    lines += [_finding(root, explained) for root, explained in shown]
    if len(shown) < len(loud):
        lines.append(f"and {count_of(len(loud) - len(shown), 'more finding')}: see the report")
    return [plain(line) for line in lines] or ["done"]


def plain(text: str) -> str:
    """The text on one line and without control characters, so that a name from the data can't steer the terminal."""
    kept = "".join(" " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    return " ".join(kept.replace(MINUS, "-").split())


def _worst(root: Finding, explained: list[Finding]) -> str:
    severities = {root.severity, *(finding.severity for finding in explained)}
    return "stop" if "stop" in severities else "warn" if "warn" in severities else "info"


def _finding(root: Finding, explained: list[Finding]) -> str:
    also = f" (it explains {count_of(len(explained), 'other')})" if explained else ""
    advice = f" next: {root.next}" if root.next else ""
    return f"{WORDS[_worst(root, explained)]} {root.code}: {root.what}{also}{advice}"


def _score(score: ModelScore | Measured) -> str:
    return f"{level(score.value)}{between(score.interval)}"


def _problem(report: Problem) -> str:
    classes = f", {count_of(len(report.classes), 'class', 'classes')}" if report.classes else ""
    head = f", loss {spaced(report.loss)}, last layer {report.head}" if report.loss else ""
    return f"{spaced(report.task)} of {', '.join(report.target)}{classes}; metric {report.metric}{head}"


def _audit(report: AuditReport) -> str:
    refused = f", {number(report.num_refused)} refused" if report.refused else ""
    untargeted = f", {number(report.num_untargeted)} without a target" if report.num_untargeted else ""
    columns = f", {count_of(len(report.columns), 'column')}" if report.columns else ""
    return f"{number(report.num_usable)} of {number(report.num_items)} items usable{refused}{untargeted}{columns}"


def _split(report: Split) -> str:
    sets = ", ".join(f"{spaced(name)} {number(report.counts[name])}" for name in in_order(report.counts))
    folds = f" in {count_of(report.folds, 'fold')}" if report.folds > 1 else ""
    resolves = f"; val can tell apart {tell_apart(report)}" if report.resolves else ""
    return f"{spaced(report.protocol)}{folds}, {report.by}: {sets}{resolves}"


def _prepared(report: PreparedData) -> str:
    fields = ", ".join(f"{field.name} {'x'.join(map(str, field.shape))} {field.dtype}" for field in report.fields)
    return f"{number(report.num_rows)} items packed ({size_bytes(report.pack_bytes)}): {fields}"


def _baseline(report: BaselineReport) -> str:
    best, trivial = report.models.get(report.best), report.models.get(report.trivial)
    text = f"to beat: {spaced(report.best)} {_score(best)}" if best else "no simple model could be measured"
    return f"{text}; {spaced(report.trivial)} {_score(trivial)}" if trivial and report.trivial != report.best else text


def _sanity(report: SanityReport) -> str:
    failed = [spaced(check.name) for check in report.checks if not check.ok]
    size = f"; {amount(report.num_parameters, ('', 'thousand', 'million', 'billion'), 1000)} parameters" if report.num_parameters else ""
    return f"{len(report.checks) - len(failed)} of {len(report.checks)} checks hold{size}" + (f"; failed: {', '.join(failed)}" if failed else "")


def _overfit(report: OverfitReport) -> str:
    if not 0 <= report.chosen < len(report.ladder):
        return "no model was large enough"
    rung = report.ladder[report.chosen]
    turned = "val has turned" if report.turned else "val has not turned"
    return f"{rung.parameters:,} parameters reach {number(rung.train_value)} on train (goal {number(report.goal)}), {number(rung.val_value)} on val; {turned}"


def _tune(report: TuneReport) -> str:
    gain = f"; {_apart(report, report.versus_baseline)}" if report.versus_baseline else ""
    net = "" if report.winner == "net" else f"; the net {_score(report.net)}"
    return f"winner {spaced(report.winner)}: {_score(report.val)} on val{net}{gain}; {count_of(len(report.trials), 'trial')}"


def _apart(report: TuneReport, difference: Measured) -> str:
    """The net against the best baseline, in words: a sign would have to be read with the direction of the metric."""
    low, high = difference.interval or (0.0, 0.0)
    noise = ", within the noise" if low <= 0 <= high else ""
    ends = difference.interval and ((low, high) if difference.value > 0 else (-high, -low))
    word = "better" if (report.by_metric or report.winner) == "net" else "worse"  # who ships may do so for a bound that it keeps
    return f"the net is {level(abs(difference.value))}{between(ends)} {word} than the best baseline{noise}"


def _diagnose(report: DiagnoseReport) -> str:
    most = "" if report.errors.get("human") else "at most "  # without a human level: measured against no error at all
    gaps = ", ".join(f"{name} {most if name == 'bias' else ''}{_score(gap)}" for name, gap in report.gaps.items() if gap)
    first = report.advice[0] if report.advice else None
    command = f" ({first.command})" if first and first.command else ""
    return f"verdict {report.verdict}: {gaps}" + (f"; next: {first.what.rstrip('.')}{command}" if first else "")


def _errors(report: ErrorsReport) -> str:
    top = ", ".join(f"{spaced(tag)}: {count}" for tag, count in sorted(report.tags.items(), key=lambda item: -item[1])[:3])
    doubts = "" if report.is_amount else f"; {count_of(report.num_suspects, 'label')} in doubt"
    best = report.ceilings.get(report.most_rewarding)
    most = f"{spaced(report.most_rewarding)}, at most {measured(best, True)} of val's {'absolute error' if report.is_amount else 'items'}"
    gain = f"; most rewarding to mend: {most} (ceilings overlap and do not add up)" if best else ""
    return f"{count_wrong(report)}{doubts}" + (f"; {top}" if top else "") + gain


def _final(report: FinalReport) -> str:
    phases = ", ".join(f"{phase.name} {number(phase.epochs)} epochs at lr {number(phase.lr)}" for phase in report.phases if phase.lr)
    return f"{spaced(report.winner)} trained on {number(report.num_rows)} items" + (f": {phases}" if phases else "")


def _export(report: ExportReport) -> str:
    parity = ", ".join(f"{spaced(name)} {number(value)}" for name, value in report.parity.items())
    return f"{report.folder} ({size_bytes(report.bytes)}, {count_of(len(report.files), 'file')}); {parity} over {number(report.num_compared)} items"


def _test(report: TestReport) -> str:
    wild = f"; wild {_score(report.wild)}" if report.wild else ""
    value = f"{spaced(report.metric)} {level(report.value)}{between(report.interval)}"
    return f"{value} on {write_items(report.n, report.items, 'test item')}{wild}; opened {count_of(len(report.openings), 'time')}"


def _serve(report: ServeReport) -> str:
    latency = ", ".join(f"{spaced(name)} {number(value, 3)} ms" for name, value in report.latency_ms.items())
    return f"{latency}; {number(report.throughput, 3)} requests per second; start it with {report.command}"


_HEADLINES: dict[type[Report], Callable[[Any], str]] = {
    Problem: _problem,
    AuditReport: _audit,
    Split: _split,
    PreparedData: _prepared,
    BaselineReport: _baseline,
    SanityReport: _sanity,
    OverfitReport: _overfit,
    TuneReport: _tune,
    DiagnoseReport: _diagnose,
    ErrorsReport: _errors,
    FinalReport: _final,
    ExportReport: _export,
    TestReport: _test,
    ServeReport: _serve,
}
