"""s05: the number to beat."""

from __future__ import annotations

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, Rule, bars
from surefoot.reporting.markup import card, cards, element, figure, join, table
from surefoot.reporting.views import Scene
from surefoot.reporting.words import describe_metric, duration, number, spaced
from surefoot.types.problem import Problem
from surefoot.types.reports import BaselineReport


def show_baseline(report: BaselineReport, scene: Scene) -> Markup:
    """All simple models, the best first, as a chart and a table."""
    metric, problem = scene.metric, scene.find(Problem)
    models = sorted(report.models.items(), key=lambda item: item[1].value, reverse=not metric.smaller_is_better)
    levels = (("goal", problem.goal), ("human", problem.human)) if problem else ()
    rules = [Rule(label, value) for label, value in levels if value is not None]
    entries = [Bar(spaced(name), score.value, score.interval, _tone(name, report), metric.show(score.value)) for name, score in models]
    better = "shorter" if metric.smaller_is_better else "longer"
    note = f"{metric.title} on held-out items, with its 95 % interval; {better} is better. Grey learns nothing; green is the one to beat."
    note += " k-NN and persistence are yardsticks only: they never ship, so they are not the one to beat."
    chart = figure("Simple models", bars("Baselines", entries, Axis(metric.label, is_share=metric.is_share), rules), note)
    extra = sorted({key for score in report.models.values() for key in score.metrics if key != metric.name})
    has_train = any(score.train_value is not None for score in report.models.values())
    rows = [
        (
            join([spaced(name), element("span", "best", class_="badge pass")], " ") if name == report.best else spaced(name),
            metric.show_measured(score.value, score.interval),
            *([metric.show(score.train_value)] if has_train else []),
            *(describe_metric(key).show(score.metrics.get(key)) for key in extra),
            number(score.rows) if score.rows else "",
            duration(score.seconds),
        )
        for name, score in models
    ]
    headers = ("model", f"{metric.label} on val", *(["on train"] if has_train else []), *(describe_metric(key).label for key in extra), "trained on", "time")
    return cards(chart, card("In numbers", table("Baselines", headers, rows, numeric=range(1, len(headers))), wide=True))


def _tone(name: str, report: BaselineReport) -> int:
    return 3 if name == report.best else 6 if name == report.trivial or name in {"majority", "mean", "median", "persistence"} else 1
