"""s06: whether the net can learn at all."""

from __future__ import annotations

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Series, lines
from surefoot.reporting.markup import EMPTY, card, cards, code, element, facts, figure, join, table
from surefoot.reporting.views import Scene
from surefoot.reporting.words import amount, number, spaced
from surefoot.types.reports import SanityReport

PARAMETER_UNITS = ("", "thousand", "million", "billion")
FLOP_UNITS = ("", "thousand", "million", "billion", "trillion")


def show_sanity(report: SanityReport, scene: Scene) -> Markup:
    """Each check with what was measured and what was due, and the losses of the runs it made."""
    rows = [
        (
            element("span", "✓ holds" if check.ok else "✕ fails", class_=f"badge {'pass' if check.ok else 'stop'}"),
            spaced(check.name),
            check.what,
            number(check.measured) if check.measured is not None else "",
            check.expected,
        )
        for check in report.checks
    ]
    sizes = facts(
        [
            ("Parameters", amount(report.num_parameters, PARAMETER_UNITS, 1000) if report.num_parameters else None),
            ("Work per item", f"{amount(report.flops, FLOP_UNITS, 1000)} operations" if report.flops else None),
            ("Layers", code(report.layers) if report.layers else None),
        ]
    )
    held = sum(check.ok for check in report.checks)
    content = table("Sanity checks", ("outcome", "check", "what it means", "measured", "due"), rows, numeric=(3,))
    checks = card(f"{held} of {len(report.checks)} checks hold", content, wide=True)
    return join([sizes, cards(checks if rows else EMPTY, _curves(report))])


def _curves(report: SanityReport) -> Markup:
    runs = [
        Series(spaced(name), [(i / (len(losses) - 1), loss) for i, loss in enumerate(losses)], 1 + tone % 5, tone % 2 == 1)
        for tone, (name, losses) in enumerate(report.curves.items())
        if len(losses) > 1
    ]
    if not runs:
        return EMPTY
    chart = lines("Losses of the trial runs", runs, Axis("share of the run", is_share=True), Axis("loss per item"))
    return figure(
        "Trial runs",
        chart,
        "A healthy net drives the loss of a tiny batch to almost nothing. Dots are what was measured; the line between two of them is only a guide.",
    )
