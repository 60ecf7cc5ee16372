"""Learning curves and schedules: the pictures that s07, s08 and s11 share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Rule, Series, lines
from surefoot.reporting.markup import EMPTY, figure, join
from surefoot.reporting.words import Metric
from surefoot.types.reports import EpochRecord


def show_history(history: Sequence[EpochRecord], metric: Metric, rules: Sequence[Rule] = ()) -> Markup:
    """Loss and metric over the epochs, train beside val."""
    return join([_losses(history), _metrics(history, metric, rules)])


def _points(history: Sequence[EpochRecord], read: Callable[[EpochRecord], float | None]) -> list[tuple[float, float]]:
    return [(record.epoch, value) for record in history if (value := read(record)) is not None]


def _losses(history: Sequence[EpochRecord]) -> Markup:
    train, val = _points(history, lambda record: record.loss), _points(history, lambda record: record.val_loss)
    if len(train) < 2:
        return EMPTY
    chart = lines("Loss by epoch", [Series("train", train), Series("val", val, 2, True)], Axis("epoch", is_whole=True), Axis("loss per item"))
    turning = " Where val turns up while train goes on down, the model starts to learn by heart." if val else ""
    return figure("Loss", chart, f"Lower is better.{turning}")


def _metrics(history: Sequence[EpochRecord], metric: Metric, rules: Sequence[Rule]) -> Markup:
    train, val = _points(history, lambda record: record.train_metric), _points(history, lambda record: record.val_metric)
    if len(train) < 2 and len(val) < 2:
        return EMPTY
    runs = [Series("train", train), Series("val", val, 2, True)]
    chart = lines(f"{metric.label} by epoch", runs, Axis("epoch", is_whole=True), Axis(metric.label, is_share=metric.is_share), rules)
    return figure(metric.title, chart, "The distance between the two lines is the variance.")


def show_schedule(history: Sequence[EpochRecord]) -> Markup:
    """The learning rate at the end of each epoch."""
    points = [(record.epoch, record.lr) for record in history if record.lr > 0]
    if len(points) < 2:
        return EMPTY
    chart = lines("Learning rate by epoch", [Series("lr", points, 4)], Axis("epoch", is_whole=True), Axis("learning rate"))
    return figure("Learning rate", chart, "How large the steps were, epoch by epoch.")


def show_health(history: Sequence[EpochRecord]) -> Markup:
    """How training felt, where it was recorded: gradients, updates, and units that say nothing."""
    return join([_gradients(history), _updates(history), _silence(history)])


def _gradients(history: Sequence[EpochRecord]) -> Markup:
    points = [(record.epoch, record.grad_norm) for record in history if record.grad_norm > 0]
    if len(points) < 2:
        return EMPTY
    chart = lines("Gradient norm by epoch", [Series("gradient norm", points, 5)], Axis("epoch", is_whole=True), Axis("norm of the gradient", is_log=True))
    return figure("Gradient", chart, "Steady is healthy; a jump by a factor of ten is not.")


def _updates(history: Sequence[EpochRecord]) -> Markup:
    points = [(record.epoch, record.update_ratio) for record in history if record.update_ratio > 0]
    if len(points) < 2:
        return EMPTY
    chart = lines("Size of a step by epoch", [Series("update", points, 4)], Axis("epoch", is_whole=True), Axis("update, relative to the weights", is_log=True))
    return figure("Steps against weights", chart, "How far a step moves the weights: about a thousandth is usual at the peak of the learning rate.")


def _silence(history: Sequence[EpochRecord]) -> Markup:
    dead, saturated = _points(history, lambda record: record.dead_frac), _points(history, lambda record: record.saturated_frac)
    if max((value for _, value in (*dead, *saturated)), default=0.0) == 0.0 or max(len(dead), len(saturated)) < 2:
        return EMPTY
    runs = [Series("dead", dead), Series("saturated", saturated, 2, True)]
    chart = lines("Silent units by epoch", runs, Axis("epoch", is_whole=True), Axis("share in the worst layer", low=0.0, high=1.0, is_share=True))
    return figure("Silent units", chart, "Dead units are zero for every item, saturated ones hardly learn: a few are normal, most of a layer is not.")
