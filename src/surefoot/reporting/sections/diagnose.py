"""s09: where the error comes from, and what would reduce it."""

from __future__ import annotations

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, Series, bars, lines, scatter
from surefoot.reporting.grids import confusion, worst_confused
from surefoot.reporting.headline import tell_labels, tell_small
from surefoot.reporting.markup import EMPTY, bullets, card, cards, code, facts, figure, folded_if, join, paragraph, prose, table
from surefoot.reporting.views import Scene
from surefoot.reporting.words import count_of, describe_metric, measured, number, share, spaced
from surefoot.types.figures import write_items
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import DiagnoseReport

VERDICTS = {
    "bias": "The model misses much even of what it was trained on: it is too weak, or the labels are too noisy (bias).",
    "variance": "The model does better on what it was trained on than on what it has not seen (variance).",
    "mismatch": "The items it will be used on differ from those it was trained on (data mismatch).",
    "none": "No gap stands out from the noise.",
}
MEANINGS = {
    "bias": "from the best that is possible to train: what the model can't even learn",
    "variance": "from train to unseen items of the same kind: what it learned by heart",
    "mismatch": "from items like train to items like those it will be used on",
    "val_overfit": "from val to test, of the tuned model: what was fitted to val",
    "wild_gap": "from test to wild, of the final model: what its use will cost",
}
SETS = {
    "human": "a careful person",
    "train": "train",
    "train_dev": "train dev: unseen, same source as train",
    "val": "val: unseen",
    "test": "test: never looked at before",
    "wild": "wild: where it will be used",
}


def show_diagnose(report: DiagnoseReport, scene: Scene) -> Markup:
    """The verdict with its evidence, the advice, and how the model errs."""
    metrics = [(describe_metric(name).label, describe_metric(name).show_measured(value, report.intervals.get(name))) for name, value in report.metrics.items()]
    return join(
        [
            paragraph(_sentence(report, scene), "verdict"),
            facts([*metrics, ("Calibration error", _calibration(report)), ("Looks at val", _looks(report, scene)), ("Labels that look wrong", _noise(report))]),
            cards(_errors(report, scene), _gaps(report, scene), _advice(report, scene), _curve(report, scene)),
            cards(_thresholds(report, scene)),
            cards(
                show_confusion(report.confusion, scene), show_classes(report.per_class, report.class_intervals), _roc(report), _pr(report), _reliability(report)
            ),
            cards(*_residuals(report, scene)),
        ]
    )


def _calibration(report: DiagnoseReport) -> str | None:
    if report.ece is None:
        return None
    ends = f" [{share(report.ece_interval[0])}, {share(report.ece_interval[1])}]" if report.ece_interval else ""
    return f"{share(report.ece)}{ends}: stated probs differ by that much from what happens; if all were right it would be up to {share(report.ece_by_chance)}"


def _sentence(report: DiagnoseReport, scene: Scene) -> str:
    return tell_small(report, scene.metric) or tell_labels(report) or VERDICTS.get(report.verdict, report.verdict)


def _errors(report: DiagnoseReport, scene: Scene) -> Markup:
    is_share = scene.metric.is_share
    tones = {"human": 6, "train": 1, "train_dev": 4, "val": 2}
    show = share if is_share else number
    rows = [Bar(spaced(name), error.value, error.interval, tones.get(name, 1), show(error.value)) for name, error in report.errors.items() if error]
    if not rows:
        return EMPTY
    chart = bars("Error by set", rows, _error_axis(report, scene))
    cells = [
        (SETS.get(name, spaced(name)), measured(error, is_share) if error else "not known", write_items(error.n, error.items) if error and error.n else "")
        for name, error in report.errors.items()
    ]
    numbers = show_grid(report.grid, is_share) or table("Errors", ("error of", "value", "items"), cells, numeric=(1, 2))
    return figure("The table of errors", join([chart, numbers]), "Read from top to bottom: each step down adds a gap.")


def show_grid(grid: dict[str, dict[str, Measured | None]], is_share: bool) -> Markup:
    """The table of errors: a row per set, a column for general data and one for practical data (that of the target)."""
    if not grid:
        return EMPTY
    has_general = any(row.get("general") for row in grid.values())
    columns = ("general", "practical") if has_general else ("practical",)
    cells = [
        (
            SETS.get(name, spaced(name)),
            *(measured(row.get(column), is_share) for column in columns),
            ", ".join(write_items(e.n, e.items) for c in columns if (e := row.get(c)) and e.n),
        )
        for name, row in grid.items()
    ]
    heads = ("general data", "practical data") if has_general else ("value",)
    return table("Errors", ("error of", *heads, "items"), cells, numeric=range(1, len(heads) + 2))


def _looks(report: DiagnoseReport, scene: Scene) -> str | None:
    """How often val was used, and the interval that holds all the same."""
    if not report.looks or report.val_corrected is None:
        return None
    value = report.val_corrected
    return f"{number(report.looks)}; corrected for that, val is {scene.metric.show_measured(value.value, value.interval)}"


def _noise(report: DiagnoseReport) -> str | None:
    return None if report.label_noise is None else f"{measured(report.label_noise, True)} of val"


def _thresholds(report: DiagnoseReport, scene: Scene) -> Markup:
    """What each decision threshold comes to, to be compared before one is set."""
    if not report.thresholds:
        return EMPTY
    has_cost, has_labels = (any(getattr(choice, name) not in (None, "") for choice in report.thresholds) for name in ("cost", "label"))
    rows = [
        (
            *([one.label] if has_labels else []),
            one.rule,
            number(one.threshold, 3),
            scene.metric.show(one.value),
            measured(one.precision, True),
            measured(one.recall, True),
            *([number(one.cost)] if has_cost else []),
        )
        for one in report.thresholds
    ]
    named = ("label", "threshold", "from a prob of", "F1") if has_labels else ("threshold", "from a prob of", scene.metric.label)
    heads = (*named, "precision", "recall", *(["cost per item"] if has_cost else []))
    note = (
        "Measured on val. Set one with problem.threshold, or a rule: problem.miss_cost and problem.alarm_cost, problem.least_precision, problem.least_recall."
    )
    return card("Decision thresholds", table("Thresholds", heads, rows, numeric=range(len(named) - 2, len(heads))), note, wide=True)


def _error_axis(report: DiagnoseReport, scene: Scene) -> Axis:
    """Errors by the name people know them by: the metric itself where it is one, else what is missing from a perfect value."""
    metric = scene.metric
    return Axis(metric.label if report.unit == metric.name else report.unit, is_share=metric.is_share)


def _gaps(report: DiagnoseReport, scene: Scene) -> Markup:
    is_share, show = scene.metric.is_share, scene.metric.show_part
    rows = [Bar(name, gap.value, gap.interval, 2 if name == report.verdict else 1, show(gap.value)) for name, gap in report.gaps.items() if gap]
    if not rows:
        return EMPTY
    chart = bars("Gaps", rows, _error_axis(report, scene))
    cells = [(name, measured(gap, is_share) if gap else "not known", MEANINGS.get(name, "")) for name, gap in report.gaps.items()]
    no_human = (
        " Without a human level, bias is measured against zero error and is only an upper bound, which does not count."
        if not report.errors.get("human")
        else ""
    )
    note = f"A gap counts where its interval stays clear of zero; the largest such is orange.{no_human}"
    return figure("The gaps", join([chart, table("Gaps", ("gap", "value", "what it is"), cells, numeric=(1,))]), note)


def _advice(report: DiagnoseReport, scene: Scene) -> Markup:
    if not report.advice:
        return EMPTY
    items = []
    for advice in report.advice:
        brings = f" It could bring up to {scene.metric.show_part(advice.could_bring)}." if advice.could_bring else ""
        items.append(join([prose(advice.what), brings, join([" ", code(advice.command)]) if advice.command else ""]))
    return card("What to do next", bullets(items), "The action on the largest gap first.")


def _curve(report: DiagnoseReport, scene: Scene) -> Markup:
    """Val error by share of the winner's train rows; the keys are fractions written as text."""
    points = [(fraction, error) for key, error in report.curve.items() if (fraction := _fraction(key)) is not None]
    points.sort(key=lambda point: point[0])
    if len(points) < 2:
        return EMPTY
    band = [error.interval or (error.value, error.value) for _, error in points]
    run = Series("val error", [(fraction, error.value) for fraction, error in points], 2, band=band)
    chart = lines("Val error by share of the train set", [run], Axis("share of the train set", is_share=True), _error_axis(report, scene))
    return figure(
        "What more data would bring",
        chart,
        "The last point is the tuned model; the others are trained like it on parts of its rows. Still falling at the right end: more data would help.",
    )


def _fraction(key: str) -> float | None:
    try:
        return float(key)
    except ValueError:
        return None


def show_confusion(counts: tuple[tuple[int, ...], ...], scene: Scene) -> Markup:
    """Who is taken for whom; only the most confused classes where there are many."""
    if not counts:
        return EMPTY
    kept, names = worst_confused(counts, [scene.class_name(i) for i in range(len(counts))])
    left_out = f" The {len(kept)} most confused of {len(counts)} classes." if len(kept) < len(counts) else ""
    return figure("Confusion", confusion("Confusion matrix", kept, names), f"Blue is right, orange is wrong; the colour is the share of the row.{left_out}")


def show_classes(per_class: dict[str, dict[str, float]], intervals: dict[str, dict[str, tuple[float, float]]] | None = None) -> Markup:
    """Precision, recall and F1 per class, the weakest first; with their intervals where these are known."""
    intervals = intervals or {}
    if not per_class:
        return EMPTY
    keys = list(dict.fromkeys(key for values in per_class.values() for key in values))
    ranked = sorted(per_class.items(), key=lambda item: item[1].get("f1", item[1].get("recall", 0.0)))
    rows = [
        (
            name,
            *(
                number(values.get(key)) if key == "support" else describe_metric(key).show_measured(values.get(key), intervals.get(name, {}).get(key))
                for key in keys
            ),
        )
        for name, values in ranked
    ]
    headers = ("class", *("items" if key == "support" else describe_metric(key).label if key != "f1" else "F1" for key in keys))
    content = table("Per class", headers, rows, numeric=range(1, len(keys) + 1))
    return card("Per class", folded_if(len(rows) > 24, count_of(len(rows), "class", "classes"), content), "The weakest first.")


def _reliability(report: DiagnoseReport) -> Markup:
    bins = [(prob, hit, count) for prob, hit, count in report.reliability if count]
    if not bins:
        return EMPTY
    largest = max(count for _, _, count in bins)
    sizes = [3 + 9 * (count / largest) ** 0.5 for _, _, count in bins]
    run = Series("items", [(prob, hit) for prob, hit, _ in bins], sizes=sizes)
    axes = Axis("stated prob", 0.0, 1.0, is_share=True), Axis("how often it was right", 0.0, 1.0, is_share=True)
    note = "On the dashed line, stated probs can be taken at their word; below it the model is too sure. Larger dots hold more items, and small ones scatter."
    return figure("Reliability", scatter("Reliability diagram", [run], *axes, diagonal=True), note)


def _roc(report: DiagnoseReport) -> Markup:
    if not report.roc:
        return EMPTY
    runs = [Series("guessing", [(0.0, 0.0), (1.0, 1.0)], 6, True, has_dots=False), *_runs(report.roc)]
    axes = Axis("false alarms: negatives called positive", 0.0, 1.0, is_share=True), Axis("positives found (recall)", 0.0, 1.0, is_share=True)
    return figure("ROC", lines("ROC curve", runs, *axes), "The nearer to the upper left, the better.")


def _pr(report: DiagnoseReport) -> Markup:
    if not report.pr:
        return EMPTY
    axes = Axis("positives found (recall)", 0.0, 1.0, is_share=True), Axis("right among those called positive (precision)", 0.0, 1.0, is_share=True)
    return figure("Precision and recall", lines("Precision-recall curve", _runs(report.pr), *axes), "The nearer to the upper right, the better.")


def _runs(curves: dict[str, tuple[tuple[float, float], ...]]) -> list[Series]:
    return [Series(name, points, 1 + i % 5, i >= 5, has_dots=False) for i, (name, points) in enumerate(list(curves.items())[:10])]


def _residuals(report: DiagnoseReport, scene: Scene) -> list[Markup]:
    """Regression: what was predicted against the truth, and how far off it was."""
    if not report.residuals or not scene.with_items:  # each point is an item, and tells its target
        return []
    problem = scene.find(Problem)
    is_log = bool(problem and problem.log_target)
    truth, guess = Axis(f"true {scene.target}", is_log=is_log), Axis(f"predicted {scene.target}", is_log=is_log)
    both = scatter("Predicted against true", [Series("items", report.residuals)], truth, guess, diagonal=True)
    missed = Series("items", [(predicted, true - predicted) for true, predicted in report.residuals])
    off = scatter("Residual against prediction", [missed], Axis(guess.title), Axis("true minus predicted"))
    return [
        figure("Predicted against true", both, "On the dashed line the prediction is exact."),
        figure("Residuals", off, "Should be a cloud around zero without a shape; a curve means that something is left to learn."),
    ]
