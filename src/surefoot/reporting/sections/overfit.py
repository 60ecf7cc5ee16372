"""s07: a model big enough to learn its train set by heart."""

from __future__ import annotations

import math

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Rule, Series, lines
from surefoot.reporting.markup import EMPTY, card, cards, element, facts, figure, join, table
from surefoot.reporting.sections.curves import show_history
from surefoot.reporting.sections.sanity import FLOP_UNITS, PARAMETER_UNITS
from surefoot.reporting.views import Scene
from surefoot.reporting.words import amount, number
from surefoot.types.reports import LrRange, ModelSize, OverfitReport


def show_overfit(report: OverfitReport, scene: Scene) -> Markup:
    """The ladder of models by size, and the learning curves of the chosen one."""
    metric = scene.metric
    chosen = report.ladder[report.chosen] if 0 <= report.chosen < len(report.ladder) else None
    return join(
        [
            facts(
                [
                    ("Goal on train", metric.show(report.goal)),
                    ("Chosen size", f"{amount(chosen.parameters, PARAMETER_UNITS, 1000)} parameters" if chosen else None),
                    ("It reached on train", metric.show(chosen.train_value) if chosen else None),
                    ("Val has turned", "yes: longer training only learns by heart" if report.turned else "no: it was still getting better"),
                    ("Learning rate by the range test", number(report.lr_range.lr, 2) if report.lr_range else None),
                    ("Speed", f"{number(round(chosen.rate))} items per second" if chosen and chosen.rate else None),
                ]
            ),
            cards(_ladder(report, scene), _sizes(report, scene), _lr_range(report.lr_range), show_history(chosen.history, metric) if chosen else EMPTY),
        ]
    )


def _ladder(report: OverfitReport, scene: Scene) -> Markup:
    metric, rungs = scene.metric, sorted(report.ladder, key=lambda rung: rung.parameters)
    if len(rungs) < 2:
        return EMPTY
    runs = [
        Series("train", [(rung.parameters, rung.train_value) for rung in rungs]),
        Series("val", [(rung.parameters, rung.val_value) for rung in rungs], 2, True),
    ]
    x, y = Axis("parameters", is_log=True), Axis(metric.label, is_share=metric.is_share)
    chart = lines("Train and val by model size", runs, x, y, [Rule("goal", report.goal)])
    return figure("The ladder of models", chart, "Larger models learn train better; val follows only as far as the data allows.")


def _sizes(report: OverfitReport, scene: Scene) -> Markup:
    metric = scene.metric
    rows = [
        (
            join([_dials(rung), element("span", "chosen", class_="badge pass")], " ") if i == report.chosen else _dials(rung),
            f"{rung.parameters:,}",
            amount(rung.flops, FLOP_UNITS, 1000),
            number(rung.epochs, 3),
            metric.show(rung.train_value),
            metric.show(rung.val_value),
        )
        for i, rung in enumerate(report.ladder)
    ]
    content = table("Ladder of models", ("model", "parameters", "operations", "epochs", "train", "val"), rows, numeric=(1, 2, 3, 4, 5))
    if len(rows) == 1:
        return card("The ladder of models", content, "One model was trained, so there is no curve to draw.", wide=True)
    return card("In numbers", content) if rows else EMPTY


def _lr_range(found: LrRange | None) -> Markup:
    """The smoothed loss over the growing lr, and where on it the choice lies."""
    if not found or len(found.lrs) < 2:
        return EMPTY
    is_off = found.losses[-1] > 2 * max(found.losses[:-1])  # beyond every other: it would press them flat
    curve = list(zip(found.lrs, found.losses))[: -1 if is_off else None]
    chosen = min(curve, key=lambda point: abs(math.log(point[0] / found.lr)))
    runs = [Series("smoothed loss", curve, 4), Series("chosen", [(found.lr, chosen[1])], 2)]
    chart = lines("Loss by learning rate", runs, Axis("learning rate", is_log=True), Axis("loss per item"))
    return figure("The learning rate, tested", chart, "A step at each rate, growing; a tenth of where the loss diverges is safe and fast.")


def _dials(rung: ModelSize) -> str:
    model = rung.model
    return model.use or model.layers or f"width {model.width}, depth {model.depth}"
