"""Learning curves and schedules: the pictures that s07, s08 and s11 share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Rule, Series, lines
from surefoot.reporting.markup import EMPTY, figure, join
from surefoot.reporting.words import Metric
from surefoot.types.reports import EpochRecord, TuneReport


def show_history(history: Sequence[EpochRecord], metric: Metric, rules: Sequence[Rule] = (), tune: TuneReport | None = None) -> Markup:
    """Loss and metric over the epochs, train beside val; `tune` holds the settings of the training, where they are known."""
    return join([_losses(history, tune), _metrics(history, metric, rules)])


def _epochs(history: Sequence[EpochRecord]) -> Axis:
    """The epochs as an axis: whole ones, unless there are too few of them to read a place off."""
    ends = [record.epoch for record in history]
    return Axis("epoch", is_whole=max(ends) - min(ends) >= 2)


def _harder(tune: TuneReport | None) -> str:
    """What makes train harder than val, so that the heights of their losses can't be compared; empty where nothing does."""
    if tune is None:
        return ""
    train = tune.train
    ways = {
        "label smoothing": train.label_smoothing > 0,
        "augmentation": train.augment not in ("", "none"),
        "mixup": train.mixup > 0,
        "cutmix": train.cutmix > 0,
        "dropout": tune.model.dropout > 0,
    }
    *others, last = [name for name, is_used in ways.items() if is_used] or [""]
    names = f"{', '.join(others)} and {last}" if others else last
    return f" Train is made harder by {names}, val is not: compare how the lines run, not how high they lie." if last else ""


def _points(history: Sequence[EpochRecord], read: Callable[[EpochRecord], float | None]) -> list[tuple[float, float]]:
    return [(record.epoch, value) for record in history if (value := read(record)) is not None]


def _losses(history: Sequence[EpochRecord], tune: TuneReport | None) -> Markup:
    train, val = _points(history, lambda record: record.loss), _points(history, lambda record: record.val_loss)
    if len(train) < 2:
        return EMPTY
    chart = lines("Loss by epoch", [Series("train", train), Series("val", val, 2, True)], _epochs(history), Axis("loss per item"))
    turning = f" Where val turns up while train goes on down, the model starts to learn by heart.{_harder(tune)}" if val else ""
    return figure("Loss", chart, f"Lower is better.{turning}")


def _metrics(history: Sequence[EpochRecord], metric: Metric, rules: Sequence[Rule]) -> Markup:
    train, val = _points(history, lambda record: record.train_metric), _points(history, lambda record: record.val_metric)
    if len(train) < 2 and len(val) < 2:
        return EMPTY
    runs = [Series("train", train), Series("val", val, 2, True)]
    chart = lines(f"{metric.label} by epoch", runs, _epochs(history), Axis(metric.label, is_share=metric.is_share), rules)
    return figure(metric.title, chart, "The distance between the two lines is the variance.")


def show_schedule(history: Sequence[EpochRecord]) -> Markup:
    """The learning rate at the end of each epoch."""
    points = [(record.epoch, record.lr) for record in history if record.lr > 0]
    if len(points) < 2:
        return EMPTY
    chart = lines("Learning rate by epoch", [Series("lr", points, 4)], _epochs(history), Axis("learning rate"))
    return figure("Learning rate", chart, "How large the steps were, epoch by epoch.")


def show_health(history: Sequence[EpochRecord]) -> Markup:
    """How training felt, where it was recorded: gradients, updates, and units that say nothing."""
    return join([_gradients(history), _updates(history), _silence(history)])


def _gradients(history: Sequence[EpochRecord]) -> Markup:
    points = [(record.epoch, record.grad_norm) for record in history if record.grad_norm > 0]
    if len(points) < 2:
        return EMPTY
    chart = lines("Gradient norm by epoch", [Series("gradient norm", points, 5)], _epochs(history), Axis("norm of the gradient", is_log=True))
    return figure("Gradient", chart, "Steady is healthy; a jump by a factor of ten is not.")


def _updates(history: Sequence[EpochRecord]) -> Markup:
    points = [(record.epoch, record.update_ratio) for record in history if record.update_ratio > 0]
    if len(points) < 2:
        return EMPTY
    chart = lines("Size of a step by epoch", [Series("update", points, 4)], _epochs(history), Axis("update, relative to the weights", is_log=True))
    return figure("Steps against weights", chart, "How far a step moves the weights: about a thousandth is usual at the peak of the learning rate.")


def _silence(history: Sequence[EpochRecord]) -> Markup:
    dead, saturated = _points(history, lambda record: record.dead_frac), _points(history, lambda record: record.saturated_frac)
    if max((value for _, value in (*dead, *saturated)), default=0.0) == 0.0 or max(len(dead), len(saturated)) < 2:
        return EMPTY
    runs = [Series("dead", dead), Series("saturated", saturated, 2, True)]
    chart = lines("Silent units by epoch", runs, _epochs(history), Axis("share in the worst layer", low=0.0, high=1.0, is_share=True))
    return figure("Silent units", chart, "Dead units are zero for every item, saturated ones hardly learn: a few are normal, most of a layer is not.")
