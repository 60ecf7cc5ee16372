"""What the curves of a training say, while it goes on or after: looks at the run in, findings out.

Everything is relative: losses to the loss at the start, lr to its peak, changes to their noise. The noise of a curve is the spread of its second differences,
which a smooth fall does not have.

Sources: Goodfellow et al. 2016, ch. 7 and 11; Prechelt 1998, "Early Stopping - But When?"; Godbole et al. 2023, Tuning Playbook; CS231n, "Neural Networks
Part 3".
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from surefoot.metrics.metric import Metric
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.figures import write
from surefoot.types.findings import Evidence, Finding, Severity
from surefoot.types.reports import EpochRecord, OverfitReport

FEWEST = 5
"""Looks at a run below which its curve has no shape."""
FALLING, FAR = 0.02, 0.1
"""A loss falls when a tenth of the run takes so much of it away; it is far from its floor while more than this share of its start is left."""
DROPPED, EARLY, SLOWED = 0.05, 0.4, 0.2
"""lr has decayed at this share of its peak; too soon before this share of the run, when the loss then falls at less than this share of its speed before."""
SMALL_UPDATE, LARGE_UPDATE = 1e-5, 0.1
"""Of the weights per step; about 1e-3 is usual (CS231n)."""
TURNED, EARLY_TURN = 1.15, 0.4
"""Val has turned when its loss ends so many times its lowest; early when that lowest came before this share of the run."""
GAP = 0.1
"""Difference of train and val metric, in [0, 1], that counts as overfitting beside a val loss that has turned; of amounts, that of their losses, relative to
the loss at the start, which is about the share of the spread that is explained."""
JUMPS, JUMPY = 0.25, 0.5
"""Noise of the val loss relative to its level; share of the looks at which it changes direction."""
HELD = 0.2
"""Share of the unregularised net's value on train that regularisation may cost, and half of it on val."""
BRIEF = 0.5
"""Share of the epochs of s07 under which a worse net is called trained too briefly, not held down."""
_LATER = "Decay later: train.schedule = 'onecycle' or 'cosine', or later train.milestones."
REPEATS, PERIODS = 0.6, 4
"""Autocorrelation at the period beyond which a pattern repeats itself, and how many periods the curve must hold."""


def judge_run(history: Sequence[EpochRecord], *, is_asked: bool = False, is_share: bool = True, where: str = "s08_tune", peak_lr: float = 0.0) -> list[Finding]:
    """The findings on one run.

    Args:
        history: its looks at train and val, in order, evenly spaced.
        peak_lr: that the run was given; 0: not known, the highest at any look. It may be gone before the first.
        is_asked: the user set the epochs, or the lr; what is wrong with them is then a warning, else a note: the search or the budget chose them.
        is_share: the metric lies in [0, 1], and more is better.
    """
    if len(history) < FEWEST or not all(math.isfinite(record.loss) for record in history):
        return []
    severity: Severity = "warn" if is_asked else "info"
    found = [*_judge_lr(history, severity, where, peak_lr), *_judge_end(history, severity, where)]
    found += [*_judge_val(history, is_share, severity, where), *periodic(history, where)]
    codes = {finding.code for finding in found}
    hidden = {"train.still_improving"} if codes & {"train.lr_decayed_too_soon", "train.lr_too_low"} else set()
    return [finding for finding in found if finding.code not in hidden]


def _judge_lr(history: Sequence[EpochRecord], severity: Severity, where: str, peak_lr: float) -> list[Finding]:
    """lr that decays while the loss still falls, moves hardly anything, or shakes the net."""
    losses, lrs = np.array([r.loss for r in history]), np.array([r.lr for r in history])
    start, end = losses[0], losses[-1]
    updates = [r.update_ratio for r in history if r.lr >= 0.5 * lrs.max()]
    moved = float(np.median(updates)) if updates else 0.0
    evidence: Evidence = {"first loss": float(start), "last loss": float(end), "peak lr": float(lrs.max()), "median update": moved}
    found = []
    peak = int(lrs.argmax())
    later = np.flatnonzero((np.arange(len(lrs)) > peak) & (lrs < DROPPED * lrs.max()))
    if len(later) and later[0] < EARLY * len(history) and end > FAR * start:
        before, after = speeds(losses, int(later[0]))
        if before > FALLING and after < SLOWED * before:
            at = history[int(later[0])].epoch
            when = f"lr was down to {DROPPED:.0%} of its peak after {write(at)} of {write(history[-1].epoch)} epochs"
            what = f"{when}, while the loss still fell: by {before:.0%} in a tenth of the run before, by {after:.1%} after."
            more = evidence | {"decayed at": at, "fall before": before, "fall after": after, "threshold": SLOWED}
            found.append(_tell("train.lr_decayed_too_soon", "warn", what, where, _LATER, more))
    if 0 < moved < SMALL_UPDATE and end > (1 - FAR) * start and not found:
        what = f"A step moves the weights by {moved:.1e} of their size, about 1e-3 is usual, and the loss went from {write(start)} to {write(end)} only."
        found.append(_tell_hardly_moved(what, float(lrs.max()), peak_lr, evidence | {"threshold": SMALL_UPDATE}, severity, where))
    if moved > LARGE_UPDATE and not end < (1 - FAR) * start:
        what = f"A step moves the weights by {moved:.0%} of their size, about 0.1 % is usual, and the loss went from {write(start)} to {write(end)}."
        advice = "Lower train.lr tenfold, or leave it out: the search finds it."
        found.append(_tell("train.lr_too_high", severity, what, where, advice, evidence | {"threshold": LARGE_UPDATE}))
    return found


def _tell_hardly_moved(what: str, seen: float, peak: float, evidence: Evidence, severity: Severity, where: str) -> Finding:
    """The reason is an lr that was gone before the first look, or one that was too low from the start. `seen`: the highest at any look."""
    if seen < DROPPED * peak:
        what += f" lr was {seen / peak:.1%} of its peak at the first look already."
        return _tell("train.lr_decayed_too_soon", "warn", what, where, _LATER, evidence | {"peak lr": peak})
    return _tell("train.lr_too_low", severity, what, where, "Raise train.lr tenfold, or leave it out: the search finds it.", evidence)


def speeds(losses: np.ndarray, at: int) -> tuple[float, float]:
    """How fast a loss falls before and after a look: the share of it that a tenth of the run takes away.

    Args:
        losses: (N,). at: of the look, 0 <= at < N. Before it, the last half of the looks count, two at least.
    """
    tenth = len(losses) / 10
    first = max(0, min(at - 1, at // 2))
    before = (losses[first] - losses[at]) / max(at - first, 1) * tenth / abs(losses[first])
    rest = len(losses) - 1 - at
    after = (losses[at] - losses[-1]) / rest * tenth / abs(losses[at]) if rest else 0.0
    return float(before), float(after)


def _judge_end(history: Sequence[EpochRecord], severity: Severity, where: str) -> list[Finding]:
    """Still improving at the end: val loss falls, beyond its noise, in a run whose lr was not yet taken down."""
    curve = _val_losses(history)
    if curve is None or history[-1].lr < 0.5 * max(r.lr for r in history):
        return []  # what falls while lr goes to 0 says nothing about more epochs
    tail = max(3, len(curve) // 4)
    fall = (curve[-tail] - curve[-1]) / abs(curve[-tail]) if curve[-tail] else 0.0
    per_tenth = float(fall * len(curve) / 10 / (tail - 1))
    straight = np.log(curve) if curve.min() > 0 else curve  # a loss falls like an exponential: its bend would count as noise
    if per_tenth < FALLING or curve[-1] > curve.min() or straight[-tail] - straight[-1] < 2 * _noise(straight):
        return []
    what = f"The val loss still fell at the end, by {per_tenth:.0%} in the last tenth of {write(history[-1].epoch)} epochs."
    evidence: Evidence = {"fall": per_tenth, "threshold": FALLING, "epochs": history[-1].epoch}
    return [_tell("train.still_improving", severity, what, where, "Train longer: a larger train.epochs or budget.", evidence)]


def _judge_val(history: Sequence[EpochRecord], is_share: bool, severity: Severity, where: str) -> list[Finding]:
    """Trained too long, overfitted, or judged by a val set that is noise."""
    curve = _val_losses(history)
    if curve is None:
        return []
    low = int(curve.argmin())
    has_turned = curve[-1] > TURNED * curve[low] and curve[-1] - curve[low] > 2 * _noise(curve)
    share = history[low].epoch / history[-1].epoch
    last = history[-1]
    gap, gap_then = _gap(history, -1, is_share), _gap(history, low, is_share)
    evidence: Evidence = {"lowest val loss": float(curve[low]), "at epoch": history[low].epoch, "last val loss": float(curve[-1])}
    evidence |= {"gap": gap, "gap there": gap_then, "threshold": TURNED}
    found = []
    lowest = f"The val loss was lowest, {write(float(curve[low]))}, after {write(history[low].epoch)} of {write(last.epoch)} epochs"
    fell = f"{lowest}, and ended at {write(float(curve[-1]))}"
    if has_turned and gap is not None and gap > GAP:
        reached = f"{write(last.train_metric or 0)} on train, {write(last.val_metric or 0)} on val"
        what = f"{fell}: the net goes on to learn its train items by heart ({reached})."
        advice = "More weight decay, dropout or augmentation, a smaller net, or more data."
        found.append(_tell("train.overfit", severity, what, where, advice, evidence | {"least gap": GAP}))
    if has_turned and share < EARLY_TURN:
        found.append(_tell("train.stopped_late", severity, f"{fell}.", where, "Set train.patience, or fewer train.epochs.", evidence))
    if len(found) == 2:  # a net that was overfitted where val was best would be so however early it ended; one that was not, was made so by its length
        cause, symptom = found if gap_then is not None and gap_then > GAP else reversed(found)
        found = [cause, symptom.model_copy(update={"because": cause.code})]
    tail = curve[len(curve) // 2 :]
    if len(tail) >= 2 * FEWEST and _noise(tail) > JUMPS * float(np.median(tail)) and _turns(tail) > JUMPY:
        what = f"From look to look the val loss jumps by {_noise(tail) / float(np.median(tail)):.0%} of its level: which epoch is best is chance."
        more: Evidence = {"noise": _noise(tail), "level": float(np.median(tail)), "threshold": JUMPS}
        found.append(_tell("train.noisy_val", severity, what, where, "A larger val set or K-fold; train.averaging = 0.99, or a lower lr.", more))
    return found


def _gap(history: Sequence[EpochRecord], at: int, is_share: bool) -> float | None:
    """How much better train is than val at a look, in [0, 1]: of a metric that is a share by itself, of amounts by the loss, relative to where it began."""
    record, start = history[at], history[0]
    if is_share and record.train_metric is not None and record.val_metric is not None:
        return record.train_metric - record.val_metric
    if is_share or record.val_loss is None or not start.loss > 0:
        return None
    return (record.val_loss - record.loss) / max(start.loss, start.val_loss or 0.0)


def _val_losses(history: Sequence[EpochRecord]) -> np.ndarray | None:
    curve = np.array([math.nan if r.val_loss is None else r.val_loss for r in history])
    return curve if bool(np.isfinite(curve).all()) else None


def _noise(curve: np.ndarray) -> float:
    """Standard deviation σ of a curve about its course: second differences of mere noise have the variance 6 σ², and half of their squares are under 0.4549
    of it; taken by the median, so that a single jump is no noise.
    """
    return float(np.sqrt(np.median(np.square(np.diff(curve, 2))) / 6 / 0.4549)) if len(curve) > 2 else 0.0


def _turns(curve: np.ndarray) -> float:
    """Share of the looks at which a curve changes direction; two thirds for pure noise."""
    steps = np.sign(np.diff(curve))
    return float((steps[1:] * steps[:-1] < 0).mean()) if len(steps) > 1 else 0.0


def periodic(history: Sequence[EpochRecord], where: str) -> list[Finding]:
    """A train loss that goes up and down with a period: the order of the items repeats itself, or lr does."""
    losses = np.array([r.loss for r in history])
    if len(losses) < PERIODS * 3:
        return []
    rest = losses - np.convolve(np.pad(losses, 2, mode="reflect"), np.ones(5) / 5, mode="valid") if len(losses) > 5 else losses
    rest = rest - rest.mean()
    if float(rest.std()) < FALLING * abs(float(losses.mean())):
        return []
    power = float(rest @ rest)
    shares = {lag: float(rest[lag:] @ rest[:-lag]) / power * len(rest) / (len(rest) - lag) for lag in range(3, len(rest) // PERIODS + 1)}
    period = max(shares, key=lambda lag: shares[lag], default=0)
    if not period or shares[period] < max(REPEATS, 3 / math.sqrt(len(rest))):
        return []
    length = history[period].epoch - history[0].epoch
    what = f"The train loss goes up and down with a period of {write(length)} epochs (autocorrelation {shares[period]:.2f})."
    evidence: Evidence = {"period": length, "autocorrelation": shares[period], "threshold": REPEATS}
    return [_tell("train.periodic", "info", what, where, "Look at the schedule, and whether the items come in an order that repeats.", evidence)]


def judge_tuned(
    history: Sequence[EpochRecord], asked: TrainConfig, used: tuple[ModelConfig, TrainConfig], overfit: OverfitReport, metric: Metric
) -> list[Finding]:
    """The findings on the winner of the search, whose regularisation is compared with the unregularised net of s07.

    Args:
        history: of its first fold. asked: what the user set. used: what it was trained with.
    """
    free = overfit.ladder[overfit.chosen]
    found = judge_run(history, is_asked=bool(asked.epochs or asked.lr), is_share=metric.greater_is_better and metric.bounded, peak_lr=used[1].lr)
    if not history or history[-1].train_metric is None or history[-1].val_metric is None:
        return found
    held = (history[-1].train_metric, history[-1].val_metric)
    epochs = (history[-1].epoch, free.epochs) if asked.epochs else (1.0, 1.0)
    worse = underfit(held, (free.train_value, free.val_value), _name_regularisers(*used), metric.greater_is_better, epochs=epochs)
    codes = {finding.code for finding in found}
    return [*(finding for finding in worse if finding.code not in codes), *found]


def underfit(
    held: tuple[float, float],
    free: tuple[float, float],
    names: str,
    greater_is_better: bool,
    where: str = "s08_tune",
    *,
    epochs: tuple[float, float] = (1.0, 1.0),
) -> list[Finding]:
    """A regularised net that does far worse on its own train items than the same net without, and worse on val too: what holds it down is the regularisation.

    On train alone it should do worse: that is what regularisation is for. Where it was trained for less than half as long, that is the nearer reason.

    Args:
        held, free: metric on train and val of the net, and of the unregularised one of s07. names: of what regularises, with values.
        epochs: of both.
    """
    (train, val), (free_train, free_val) = held, free
    if greater_is_better:
        is_held = free_train - train > HELD * abs(free_train) and free_val - val > HELD / 2 * abs(free_val)
    else:
        is_held = train > (1 + 2 * HELD) * free_train and val > (1 + HELD) * free_val
    if not is_held:
        return []
    reached = f"the net reaches {write(train)} on its own train items and {write(val)} on val"
    if epochs[0] < BRIEF * epochs[1]:
        what = f"After {write(epochs[0])} epochs {reached}; after {write(epochs[1])}, it reached {write(free_train)} and {write(free_val)} in s07."
        ended: Evidence = {"train": train, "val": val, "train longer": free_train, "val longer": free_val, "epochs": epochs[0], "epochs there": epochs[1]}
        return [_tell("train.still_improving", "warn", what, where, "Train longer: a larger train.epochs, or leave it out.", ended | {"threshold": HELD})]
    what = f"With {names} {reached}; without, it reached {write(free_train)} and {write(free_val)} in s07."
    evidence: Evidence = {"train": train, "val": val, "train without": free_train, "val without": free_val, "threshold": HELD}
    return [_tell("train.underfit", "warn", what, where, "Take the regularisation down, or leave it out of the settings: the search finds it.", evidence)]


def _name_regularisers(model: ModelConfig, train: TrainConfig) -> str:
    values = {f"train.{name}": getattr(train, name) for name in ("weight_decay", "l1", "label_smoothing", "mixup", "cutmix")}
    named = [f"{name} = {write(value)}" for name, value in {"model.dropout": model.dropout, **values}.items() if value]
    named += [f"train.augment = {train.augment}"] if train.augment != "none" else []
    return ", ".join(named) or "these settings"


def _tell(code: str, severity: Severity, what: str, where: str, advice: str, evidence: Evidence) -> Finding:
    return Finding(code=code, severity=severity, what=what, where=where, next=advice, evidence=evidence)
