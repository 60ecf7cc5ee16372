"""One pure function per report: report and scene to HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from surefoot.reporting.findings import redact
from surefoot.reporting.markup import facts
from surefoot.reporting.sections.audit import show_audit
from surefoot.reporting.sections.baseline import show_baseline
from surefoot.reporting.sections.bundle import show_export, show_serve
from surefoot.reporting.sections.diagnose import show_diagnose
from surefoot.reporting.sections.errors import show_errors
from surefoot.reporting.sections.final import show_final
from surefoot.reporting.sections.overfit import show_overfit
from surefoot.reporting.sections.problem import show_problem
from surefoot.reporting.sections.sanity import show_sanity
from surefoot.reporting.sections.split import show_prepared, show_split
from surefoot.reporting.sections.test import show_test
from surefoot.reporting.sections.tune import show_tune
from surefoot.reporting.views import Scene
from surefoot.reporting.words import number, spaced
from surefoot.types.data_reports import AuditReport, PreparedData, Split
from surefoot.types.error_reports import ErrorsReport
from surefoot.types.findings import Report
from surefoot.types.problem import Problem
from surefoot.types.reports import BaselineReport, DiagnoseReport, ExportReport, FinalReport, OverfitReport, SanityReport, ServeReport, TestReport, TuneReport

_SECTIONS: dict[type[Report], Callable[[Any, Scene], Markup]] = {
    Problem: show_problem,
    AuditReport: show_audit,
    Split: show_split,
    PreparedData: show_prepared,
    BaselineReport: show_baseline,
    SanityReport: show_sanity,
    OverfitReport: show_overfit,
    TuneReport: show_tune,
    DiagnoseReport: show_diagnose,
    ErrorsReport: show_errors,
    FinalReport: show_final,
    ExportReport: show_export,
    TestReport: show_test,
    ServeReport: show_serve,
}


def show_report(report: Report, scene: Scene) -> Markup:
    """The body of a report's section; of a report that users bring, its plain numbers and words."""
    section = _SECTIONS.get(type(report))
    return section(report, scene) if section else _show_own(report, scene)


def _show_own(report: Report, scene: Scene) -> Markup:
    plain = [(name, value) for name, value in report if name != "findings" and isinstance(value, str | int | float)]
    return facts([(spaced(name).capitalize(), number(value) if isinstance(value, float) else redact(str(value), scene)) for name, value in plain])
