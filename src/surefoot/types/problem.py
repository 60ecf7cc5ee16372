"""The question, once it has been read: what is predicted from what, and how it is judged."""

from __future__ import annotations

from typing import Literal

from surefoot.types.findings import Plain, Report

Task = Literal["binary", "multiclass", "multilabel", "regression", "vector_regression", "detection"]


class Reason(Plain):
    """A setting that was inferred: its value, why, and the source of the rule."""

    setting: str
    value: str
    why: str
    source: str = ""


class Problem(Report):
    """The project charter, returned by s01.

    Attributes:
        kind: "image" or "table".
        target: names of the target columns ("label" for pictures).
        classes: class names in the order of the outputs (binary: the second is the positive one); the label names
            for multilabel; empty for regression.
        metric: the one that is optimised.
        metrics: those reported beside it.
        satisfice: metrics that must merely suffice, each with its bound: the least that is due, or the most where smaller is better.
        log_target: the target is trained as log1p and reported in its own units.
        given_sets: the sets that the data came in, of "train", "val" and "test"; empty where it came in one.
        num_outputs: size of the net's last layer (binary: 1).
    """

    question: str
    kind: Literal["image", "table"]
    task: Task
    target: tuple[str, ...]
    classes: tuple[str, ...] = ()
    metric: str
    metrics: tuple[str, ...] = ()
    satisfice: dict[str, float] = {}
    goal: float | None = None
    human: float | None = None
    head: str
    loss: str
    num_outputs: int
    log_target: bool = False
    num_items: int = 0
    given_sets: tuple[str, ...] = ()
    hypotheses: tuple[str, str] = ("", "")
    reasons: tuple[Reason, ...] = ()

    @property
    def reported(self) -> tuple[str, ...]:
        """All metrics that are told of the model that ships: the one that is optimised first, those that must suffice last."""
        return tuple(dict.fromkeys((self.metric, *self.metrics, *self.satisfice)))
