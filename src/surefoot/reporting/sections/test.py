"""s13: the truth about the model that ships."""

from __future__ import annotations

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, Rule, bars
from surefoot.reporting.markup import EMPTY, card, cards, facts, figure, join, table
from surefoot.reporting.sections.diagnose import MEANINGS, show_classes, show_confusion, show_grid
from surefoot.reporting.views import Scene
from surefoot.reporting.words import Metric, count_of, describe_metric, measured, number, spaced
from surefoot.types.figures import write_items
from surefoot.types.problem import Problem
from surefoot.types.reports import TestReport


def show_test(report: TestReport, scene: Scene) -> Markup:
    """The published value among its kin, per class and slice, and each opening of the test set."""
    metric = describe_metric(report.metric, scene.metric.smaller_is_better)
    others = [
        (describe_metric(name).label, describe_metric(name).show_measured(value, report.intervals.get(name)))
        for name, value in report.metrics.items()
        if name != report.metric
    ]
    return join(
        [
            facts(
                [
                    (f"{metric.label} on test", metric.show_measured(report.value, report.interval)),
                    ("Test items", write_items(report.n, report.items)),
                    ("Test set opened", count_of(len(report.openings), "time")),
                    *others,
                ]
            ),
            cards(
                _kin(report, scene, metric),
                _table(report, metric),
                show_confusion(report.confusion, scene),
                show_classes(report.per_class, report.class_intervals),
                _slices(report, metric),
                _openings(report),
            ),
        ]
    )


def _kin(report: TestReport, scene: Scene, metric: Metric) -> Markup:
    """The value that is published, and those it has to be compared with."""
    entries = [Bar("final, on test", report.value, report.interval, 3, metric.show(report.value))]
    if report.tuned:
        entries.append(Bar("tuned, on test", report.tuned.value, report.tuned.interval, 1, metric.show(report.tuned.value)))
    if report.val_value is not None:
        entries.append(Bar("tuned, on val", report.val_value, None, 1, metric.show(report.val_value)))
    if report.wild:
        entries.append(Bar("final, on wild", report.wild.value, report.wild.interval, 4, metric.show(report.wild.value)))
    problem = scene.find(Problem)
    rules = [Rule("goal", problem.goal)] if problem and problem.goal is not None else []
    chart = bars("Test values", entries, Axis(metric.label, is_share=metric.is_share), rules, from_zero=False)
    note = "Green is the published figure. Tuned better on val than on test: the settings were fitted to val. Wild apart from test: the world is not the data."
    return figure("The published figure among its kin", chart, note)


def _table(report: TestReport, metric: Metric) -> Markup:
    """The whole table of errors, human to wild, and every gap."""
    if not report.grid:
        return EMPTY
    gaps = [
        (f"{spaced(name)}{' (the largest)' if name == report.verdict else ''}", measured(gap, metric.is_share), MEANINGS[name])
        for name, gap in report.gaps.items()
        if gap
    ]
    verdict = spaced(report.verdict) if report.verdict != "none" else "no term beyond noise"
    content = join([show_grid(report.grid, metric.is_share), table("All gaps", ("gap", "value", "what it is"), gaps, numeric=(1,))])
    return card("The table of errors, whole", content, f"The verdict: {verdict}.", wide=True)


def _slices(report: TestReport, metric: Metric) -> Markup:
    if not report.slices:
        return EMPTY
    rows = [Bar(name, part.value, part.interval, 1, metric.show(part.value)) for name, part in report.slices.items()]
    chart = bars("Value per slice", rows, Axis(metric.label, is_share=metric.is_share), [Rule("all", report.value)], from_zero=False)
    return figure("Slices", chart, "The same metric on parts of the test set. A slice apart from the rest is served differently.")


def _openings(report: TestReport) -> Markup:
    rows = [
        (number(opening.number), opening.when.replace("T", " ").replace("+00:00", " UTC"), number(opening.round), opening.why) for opening in report.openings
    ]
    note = "Each opening is kept for ever. After the first, the value is no longer untouched by what was learned from it."
    return card("Openings of the test set", table("Openings", ("opening", "when", "round", "why"), rows), note) if rows else EMPTY
