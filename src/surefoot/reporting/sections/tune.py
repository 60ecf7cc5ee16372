"""s08: the search: what was tried, what it brought, and how the winner learned."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Rule, Series, scatter
from surefoot.reporting.grids import Dimension, parallel
from surefoot.reporting.markup import EMPTY, card, cards, code, facts, figure, folded, join, table
from surefoot.reporting.sections.curves import show_history, show_schedule
from surefoot.reporting.views import Scene
from surefoot.reporting.words import Metric, count_of, duration, number, spaced
from surefoot.types.configs import Section
from surefoot.types.reports import BaselineReport, Trial, TuneReport

MOST_TRACES = 200
MOST_AXES = 8
MOST_ROWS = 100


def show_tune(report: TuneReport, scene: Scene) -> Markup:
    """The winner, the search, the learning curves, and the settings."""
    metric, baseline = scene.metric, scene.find(BaselineReport)
    best = baseline.models.get(baseline.best) if baseline else None
    rules = [Rule("baseline", best.value)] if best else []
    return join(
        [
            facts(
                [
                    ("Winner", "the net" if report.winner == "net" else f"{spaced(report.winner)}, a baseline"),
                    (f"{metric.label} on val", metric.show_measured(report.val.value, report.val.interval)),
                    ("The net alone", metric.show_measured(report.net.value, report.net.interval) if report.winner != "net" else None),
                    ("Trained for", f"{number(report.epochs, 3)} epochs, best after {number(report.best_epoch, 3)}"),
                    ("Early stopping", _describe_stopping(report)),
                    ("Temperature", number(report.temperature) if report.temperature != 1 else None),
                    ("Threshold", _tell_threshold(report)),
                    ("Looks at val", number(report.looks) if report.looks else None),
                ]
            ),
            cards(
                _search(report.trials, metric, rules),
                show_history(report.history, metric, rules, tune=report),
                show_schedule(report.history),
                _parallel(report.trials, metric),
                _settings(report),
                _trials(report.trials, metric),
            ),
        ]
    )


def _tell_threshold(report: TuneReport) -> str | None:
    """None where it is the even one; each label's own stands in the diagnosis."""
    if isinstance(report.threshold, tuple):
        return f"one per label: {', '.join(number(one, 3) for one in report.threshold[:MOST_AXES])}{', …' * (len(report.threshold) > MOST_AXES)}"
    return number(report.threshold) if report.threshold != 0.5 else None


def _describe_stopping(report: TuneReport) -> str | None:
    """The rule and whether it ended the net's training; None where there was none."""
    if not report.train.patience or not report.history:
        return None
    ended = report.history[-1].epoch
    outcome = f"after {number(ended, 3)} epochs" if ended < report.train.epochs - 1e-6 else "not needed: training came to its end"
    return f"when {count_of(report.train.patience, 'look')} at val in a row bring nothing better; {outcome}"


def _finished(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.value is not None and math.isfinite(trial.value)]


def _search(trials: Sequence[Trial], metric: Metric, rules: Sequence[Rule]) -> Markup:
    """Each trial by number, one colour per rung, so that luck and progress can be told apart."""
    done = _finished(trials)
    if len(done) < 2:
        return EMPTY
    rungs = sorted({trial.rung for trial in done})
    groups = [
        Series(f"rung {rung + 1}", [(trial.number, trial.value or 0.0) for trial in done if trial.rung == rung], 1 + min(tone, 4))
        for tone, rung in enumerate(rungs)
    ]
    chart = scatter("Value by trial", groups, Axis("trial", is_whole=True), Axis(metric.label, is_share=metric.is_share), rules)
    return figure("Search history", chart, "Each dot is a setting. Higher rungs trained longer, with the most promising settings of the rung below.")


def _parallel(trials: Sequence[Trial], metric: Metric) -> Markup:
    done = sorted(_finished(trials), key=lambda trial: trial.value or 0.0, reverse=not metric.smaller_is_better)[:MOST_TRACES]
    names = [name for name in dict.fromkeys(name for trial in done for name in trial.settings) if all(name in trial.settings for trial in done)]
    varied = [name for name in names if len({trial.settings[name] for trial in done}) > 1][:MOST_AXES]
    if len(done) < 3 or not varied:
        return EMPTY
    dimensions = [_dimension(name, [trial.settings[name] for trial in done]) for name in varied]
    axis = Axis(metric.label, is_share=metric.is_share)
    chart = parallel("Settings and results", dimensions, [trial.value or 0.0 for trial in done], axis, smaller_is_better=metric.smaller_is_better)
    return figure("Which settings did well", chart, "Each line is a trial; the stronger, the better it did. The orange one is the best.", wide=True)


def _dimension(name: str, values: list[float | int | str]) -> Dimension:
    """Numbers that span two powers of ten go on a log scale."""
    numbers = [value for value in values if not isinstance(value, str)]
    is_log = len(numbers) == len(values) and min(numbers) > 0 and max(numbers) / min(numbers) > 30
    return Dimension(name.rpartition(".")[2], values, is_log)


def _settings(report: TuneReport) -> Markup:
    """What differs from the defaults in the best net's settings."""
    rows = [
        (code(f"{table_name}.{name}"), code(f"{value:.6g}" if isinstance(value, float) else str(value)))
        for table_name, section in (("model", report.model), ("train", report.train))
        for name, value in section.model_dump().items()
        if value != _default(section, name)
    ]
    return card("The best net's settings", facts(rows), "All others are at their defaults.", wide=True) if rows else EMPTY


def _default(section: Section, name: str) -> object:
    return type(section).model_fields[name].default


def _trials(trials: Sequence[Trial], metric: Metric) -> Markup:
    if not trials:
        return EMPTY
    ranked = sorted(_finished(trials), key=lambda trial: trial.value or 0.0, reverse=not metric.smaller_is_better)
    rest = [trial for trial in trials if trial.value is None or not math.isfinite(trial.value)]
    rows = [
        (
            number(trial.number),
            metric.show(trial.value),
            number(trial.rung + 1),
            number(trial.epochs, 3),
            trial.state,
            ", ".join(f"{name}={value if isinstance(value, str) else number(value)}" for name, value in trial.settings.items()),
            duration(trial.seconds),
        )
        for trial in [*ranked, *rest][:MOST_ROWS]
    ]
    headers = ("trial", metric.label, "rung", "epochs", "state", "settings", "time")
    return card("All trials", folded(count_of(len(trials), "trial"), table("Trials", headers, rows, numeric=(1, 2, 3, 6))), "The best first.", wide=True)
