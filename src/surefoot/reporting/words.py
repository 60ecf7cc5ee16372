"""Numbers and names in plain words: how a value, an interval, a duration or a metric is written for a person."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from surefoot.types import figures
from surefoot.types.findings import Measured

NBSP = "\u00a0"
MINUS = "\u2212"
DASH = "\u2013"

_METRICS: dict[str, tuple[str, str, bool, bool]] = {
    "accuracy": ("accuracy", "the share of items that are predicted right", True, False),
    "balanced_accuracy": ("balanced accuracy", "the share predicted right, averaged over classes so that each counts the same", True, False),
    "top2_accuracy": ("top-2 accuracy", "the share of items whose class is among the two most likely ones", True, False),
    "precision": ("precision", "of the items called positive, the share that are", True, False),
    "recall": ("recall", "of the positive items, the share that are found", True, False),
    "f1": ("F1", "precision and recall in one number; 1 is perfect", False, False),
    "f1_macro": ("macro F1", "F1 averaged over classes so that each counts the same; 1 is perfect", False, False),
    "f1_micro": ("micro F1", "F1 over all labels of all items; 1 is perfect", False, False),
    "roc_auc": ("ROC AUC", "how often a positive item is ranked above a negative one; 0.5 is guessing, 1 is perfect", False, False),
    "pr_auc": ("PR AUC", "precision averaged over all levels of recall; 1 is perfect", False, False),
    "log_loss": ("log loss", "how surprised the model is by the truth; 0 is perfect", False, True),
    "brier": ("Brier score", "squared distance of the probs from the truth; 0 is perfect", False, True),
    "subset_accuracy": ("subset accuracy", "the share of items with every label right", True, False),
    "hamming_accuracy": ("Hamming accuracy", "the share of single labels that are right", True, False),
    "map": ("mean average precision", "PR AUC averaged over labels; 1 is perfect", False, False),
    "map_50": ("mAP at 0.5", "average precision of each class, a box counting as found from half overlap on, averaged; 1 is perfect", False, False),
    "map_50_95": ("mAP at 0.5 to 0.95", "the same averaged over ten overlaps from 0.5 to 0.95, so that close boxes count more; 1 is perfect", False, False),
    "rmse": ("RMSE", "the typical size of an error, large ones weighing more; 0 is perfect", False, True),
    "mae": ("mean absolute error", "the average size of an error; 0 is perfect", False, True),
    "median_ae": ("median absolute error", "half of the errors are smaller; 0 is perfect", False, True),
    "r2": ("R²", "the share of the target's variation that is explained; 1 is perfect, 0 is the mean", False, False),
    "ece": ("calibration error", "how far stated probs are from what happens; 0 is perfect", False, True),
}


@dataclass(frozen=True)
class Metric:
    """A metric and how it is written.

    Attributes:
        name: as in the settings; label: as people write it; means: one phrase.
        is_share: written as a percentage.
        smaller_is_better: as for errors and losses.
    """

    name: str
    label: str
    means: str = ""
    is_share: bool = False
    smaller_is_better: bool = False

    @property
    def has_units(self) -> bool:
        """Whether it is written in the target's own units."""
        return self.name in ("rmse", "mae", "median_ae")

    @property
    def title(self) -> str:
        """The label as it begins a sentence."""
        return self.label[:1].upper() + self.label[1:]

    def show(self, value: float | None) -> str:
        """The value, a percentage where the metric is a share of items."""
        return share(value) if self.is_share else level(value)

    def show_measured(self, value: float | None, interval: tuple[float, float] | None = None) -> str:
        """The value with its interval behind it."""
        return f"{self.show(value)}{between(interval, self.is_share)}"

    def show_gap(self, value: float) -> str:
        """A difference of two values, with its sign."""
        sign = "+" if value >= 0 else MINUS
        return f"{sign}{abs(value) * 100:.1f}{NBSP}points" if self.is_share else f"{sign}{number(abs(value))}"

    def show_part(self, value: float) -> str:
        """A difference without a plus: points where the metric is a share of items."""
        return self.show_gap(value).removeprefix("+")


def describe_metric(name: str, smaller_is_better: bool | None = None) -> Metric:
    """What is known of a metric by its name; `smaller_is_better` is believed for those that users bring."""
    if name in _METRICS:
        label, means, is_share, smaller = _METRICS[name]
        return Metric(name, label, means, is_share, smaller)
    return Metric(name, name.rpartition(":")[2] or "metric", smaller_is_better=bool(smaller_is_better))


def number(value: float | None, digits: int = 4) -> str:
    """A number as `figures.write` gives it, with a true minus; a dash for none."""
    return DASH if value is None else figures.write(value, digits if abs(value) >= 1 else 3).replace("-", MINUS)


def level(value: float | None) -> str:
    """A value of a metric: a number, with three decimals where it is a fraction, so that columns line up."""
    return f"{value:.3f}".replace("-", MINUS) if value is not None and 0.1 <= abs(value) <= 1 else number(value)


def share(value: float | None) -> str:
    """A fraction in [0, 1] as a percentage with one decimal."""
    if value is None or not math.isfinite(value):
        return number(value)
    text = f"{value * 100:.1f}".replace("-", MINUS)
    return f"{text}{NBSP}%"


def between(interval: tuple[float, float] | None, is_share: bool = False) -> str:
    """The interval in brackets with a space before it, or nothing."""
    if interval is None:
        return ""
    low, high = interval
    if is_share:
        return f" ({share(low).removesuffix(NBSP + '%')} to {share(high)})"
    return f" ({level(low)} to {level(high)})"


def measured(value: Measured | None, is_share: bool = False) -> str:
    """A measured number with its interval."""
    if value is None:
        return DASH
    return f"{share(value.value) if is_share else level(value.value)}{between(value.interval, is_share)}"


def duration(seconds: float) -> str:
    """A time span in the unit that fits."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}{NBSP}ms"
    if seconds < 60:
        return f"{seconds:.1f}{NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min {rest}{NBSP}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NBSP}h {minutes}{NBSP}min"


def amount(value: float, units: Sequence[str], step: float) -> str:
    """A large amount in the largest unit that keeps it above one, e.g. bytes or parameters."""
    for unit in units[:-1]:
        if abs(value) < step:
            return f"{number(value, 3)}{NBSP}{unit}".strip()
        value /= step
    return f"{number(value, 3)}{NBSP}{units[-1]}"


def size_bytes(value: int) -> str:
    """A file size."""
    return amount(value, ("bytes", "KB", "MB", "GB", "TB"), 1000)


def count_of(value: int, noun: str, plural: str = "") -> str:
    """`1 item`, `2 items`."""
    return f"{value:,}{NBSP}{noun if value == 1 else plural or noun + 's'}"


def short(text: str, limit: int) -> str:
    """The text cut to `limit` characters, with an ellipsis where something is left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def in_order(sets: Iterable[str]) -> list[str]:
    """Names of sets in the order in which they are used, others last."""
    order = ("train", "train_dev", "val", "test")
    return sorted(sets, key=lambda name: order.index(name) if name in order else len(order))


def spaced(name: str) -> str:
    """A name from the code as words: `train_dev` becomes `train dev`."""
    return name.replace("_", " ")
