"""Reports as they show themselves in a notebook: their section of the page, with its style."""

from __future__ import annotations

from surefoot.reporting.findings import show_findings
from surefoot.reporting.markup import element, join
from surefoot.reporting.page import load_style, set_scene
from surefoot.reporting.road import describe_step
from surefoot.reporting.sections import show_report
from surefoot.types.data_reports import AuditReport, PreparedData, Split
from surefoot.types.error_reports import ErrorsReport
from surefoot.types.findings import Report
from surefoot.types.problem import Problem
from surefoot.types.reports import BaselineReport, DiagnoseReport, ExportReport, FinalReport, OverfitReport, SanityReport, ServeReport, TestReport, TuneReport
from surefoot.types.views import StepView

STEPS: dict[type[Report], str] = {
    Problem: "s01_problem",
    AuditReport: "s02_audit",
    Split: "s03_split",
    PreparedData: "s04_prepare",
    BaselineReport: "s05_baseline",
    SanityReport: "s06_sanity",
    OverfitReport: "s07_overfit",
    TuneReport: "s08_tune",
    DiagnoseReport: "s09_diagnose",
    ErrorsReport: "s10_errors",
    FinalReport: "s11_final",
    ExportReport: "s12_export",
    TestReport: "s13_test",
    ServeReport: "s14_serve",
}


def to_html(report: Report) -> str:
    """The report as a piece of HTML for `_repr_html_`; without a store, hence without pictures."""
    name = STEPS.get(type(report), type(report).__name__)
    scene = set_scene([StepView(name, report)], None)
    stage = describe_step(name)
    head = join([element("h2", stage.title), element("p", stage.purpose, class_="purpose")])
    body = element("section", head, show_findings(name, report.findings, scene), show_report(report, scene), class_="step")
    return str(join([element("style", load_style()), element("div", body, class_="surefoot")]))
