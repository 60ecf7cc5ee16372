"""s01: the charter of the project: the question, how it is judged, and what was inferred."""

from __future__ import annotations

from markupsafe import Markup

from surefoot.reporting.markup import bullets, card, cards, code, facts, join, prose, table
from surefoot.reporting.views import Scene
from surefoot.reporting.words import describe_metric, number, short
from surefoot.types.problem import Problem

TASKS = {
    "binary": "one of two classes",
    "multiclass": "one of several classes",
    "multilabel": "any number of labels at once",
    "regression": "a number",
    "vector_regression": "several numbers",
    "detection": "boxes around things, each with a class",
}
HEADS = {
    "sigmoid": "one output: the prob of the positive class",
    "softmax": "one prob per class, and they sum to 1",
    "sigmoids": "one prob per label, each for itself",
    "identity": "the numbers themselves",
    "boxes": "corners and a class for each box",
}


def show_problem(report: Problem, scene: Scene) -> Markup:
    """The charter as facts, hypotheses and reasons."""
    metric = scene.metric
    aims = facts(
        [
            ("Target", ", ".join(report.target)),
            ("Task", f"{report.task.replace('_', ' ')}: {TASKS[report.task]}"),
            ("Inputs", "pictures" if report.kind == "image" else "columns of a table"),
            ("Items", number(report.num_items) if report.num_items else None),
            ("Classes", f"{len(report.classes)}: {short(', '.join(report.classes), 160)}" if report.classes else None),
            ("Metric", f"{metric.label}: {metric.means}" if metric.means else metric.label),
            ("Reported beside it", ", ".join(describe_metric(name).label for name in report.metrics)),
            ("Must suffice", ", ".join(f"{describe_metric(name).label}: {number(bound)}" for name, bound in report.satisfice.items())),
            ("Goal", metric.show(report.goal) if report.goal is not None else None),
            ("Human level", metric.show(report.human) if report.human is not None else "not known"),
            ("Last layer", f"{report.head}: {HEADS.get(report.head, 'as set')} ({report.num_outputs})"),
            ("Loss", report.loss.replace("_", " ") or None),
            ("Scale", "trained on a log scale, reported in its own units" if report.log_target else None),
        ]
    )
    hypotheses = [text[0].upper() + text[1:] for text in report.hypotheses if text]
    rows = [(code(reason.setting), code(reason.value), prose(reason.why), reason.source) for reason in report.reasons]
    return join(
        [
            aims,
            cards(
                card("What is being supposed", bullets(hypotheses), "The two hypotheses that the rest of the road puts to the test.", wide=True)
                if hypotheses
                else Markup(),
                card("What was inferred, and why", table("Inferred settings", ("setting", "value", "why", "source"), rows), wide=True) if rows else Markup(),
            ),
        ]
    )
