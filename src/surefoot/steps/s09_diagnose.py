"""s09: where the error comes from, how sure that is, and what to do next."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from surefoot import randomness
from surefoot.analysis.advice import advise, advise_data
from surefoot.analysis.calibration import ece, reliability
from surefoot.analysis.curves import pr, roc
from surefoot.analysis.gaps import gap_table, is_small
from surefoot.analysis.intervals import interval_for
from surefoot.checks import diagnosis as checks
from surefoot.data.predictions import load_predictions, pool
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import fit
from surefoot.engine.jobs import fill_batch, settle_speed, start_job
from surefoot.engine.predict import predict, to_outputs
from surefoot.engine.winners import winner_outputs
from surefoot.engine.yardsticks import fit_yardstick
from surefoot.metrics import as_error, confusion, evaluate, per_class
from surefoot.settings import budget_seconds
from surefoot.types import BaselineReport, Context, DiagnoseReport, DiagnoseStepConfig, Measured, Predictions, PreparedData, Problem, TuneReport

_ASKED = 5_000
"""Train items whose error is measured: its interval is then under one and a half points wide."""
_PARTS = (0.125, 0.25, 0.5, 1.0)
_SHARE = 0.06
_LEAST_EPOCHS = 1.0
_SHOWN_CLASSES = 12


def diagnose(ctx: Context, config: DiagnoseStepConfig, *, problem: Problem, data: PreparedData, baseline: BaselineReport, tune: TuneReport) -> DiagnoseReport:
    """The table of errors and gaps of the winner, calibration, per class, and what more data would bring."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    val = load_predictions(ctx.store, tune.val.predictions)
    train = _ask_train(ctx, desk, tune, baseline)
    metric = desk.metric.at(tune.threshold)
    errors, gaps, verdict = gap_table(human=problem.human, train=train, train_dev=None, val=val, metric=metric, seed=ctx.seed)
    curve, is_short = _learning_curve(ctx, config, desk, tune)
    is_labelled = problem.task in ("binary", "multiclass")
    return DiagnoseReport(
        errors=errors,
        gaps=gaps,
        verdict=verdict,
        unit=problem.metric if problem.classes == () else "error",
        advice=(*advise(problem, gaps, verdict, tune, val_error=errors["val"]), *advise_data(curve, errors["val"], is_short=is_short)),
        curve=curve,
        ece=ece(val.targets, val.outputs) if is_labelled else None,
        reliability=reliability(val.targets, val.outputs) if is_labelled else (),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion(val.targets, val.outputs, tune.threshold)) if is_labelled else (),
        per_class=per_class(val.targets, val.outputs, problem.classes, tune.threshold) if problem.classes else {},
        roc=_curves(problem, val, roc),
        pr=_curves(problem, val, pr),
        residuals=_residuals(ctx, val) if not problem.classes else (),
        metrics=evaluate((desk.metric, *problem.metrics), val.targets, val.outputs, tune.threshold),
        findings=(
            *checks.largest_gap(gaps, verdict, is_small=is_small(gaps, errors, verdict, is_amount=not problem.classes)),
            *checks.calibration(ece(val.targets, val.outputs) if is_labelled else None),
            *checks.label_ceiling(_conflicts(desk)),
            *checks.goal(problem, metric, tune.val),
        ),
    )


def _ask_train(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport) -> Predictions:
    """What the winner of each fold says about a seeded sample of the rows it was trained on."""
    parts = []
    for fold, part in enumerate(desk.folds):
        order = randomness.stream(ctx.seed, "asked train rows", fold).permutation(len(part.train))
        rows = part.train[np.sort(order[: max(50, _ASKED // len(desk.folds))])]
        outputs = np.nan_to_num(winner_outputs(ctx, desk, tune, baseline, fold, rows))
        parts.append(Predictions(desk.examples.pack.ids(rows), outputs, desk.examples.plain_targets(rows)))
    return pool(parts)


def _learning_curve(ctx: Context, config: DiagnoseStepConfig, desk: Desk, tune: TuneReport) -> tuple[dict[str, Measured], bool]:
    """Share of the train rows -> val error of the winner retrained on it, for as many epochs as the budget bears; empty where that is under one.

    And whether those are fewer than the winner had.
    """
    found: dict[str, Measured] = {}
    train = desk.folds[0].train
    epochs = _curve_epochs(ctx, config, desk, tune) if tune.winner == "net" else 1.0
    if epochs < _LEAST_EPOCHS:
        ctx.events.say("  the learning curve is left out: the budget bears less than an epoch of it")
        return {}, False
    for part in _PARTS:
        order = randomness.stream(ctx.seed, "learning curve").permutation(len(train))
        rows = train[np.sort(order[: max(16, int(part * len(train)))])]
        measured = ctx.ledger.decide(f"curve {part}", partial(_measure_part, ctx, config, desk, tune, rows, epochs))
        ctx.ledger.count_look("diagnose", f"curve {part}")
        found[f"{part:g}"] = Measured.model_validate(measured)
    return found, tune.winner == "net" and epochs < tune.epochs


def _curve_epochs(ctx: Context, config: DiagnoseStepConfig, desk: Desk, tune: TuneReport) -> float:
    job = start_job(desk, tune.model, desk.folds[0], tune.train)
    _, rate = settle_speed(ctx, job, tune.train, "the learning curve")
    affordable = _SHARE * budget_seconds(config.budget) * rate / (len(desk.folds[0].train) * sum(_PARTS))
    return min(tune.epochs, affordable)


def _measure_part(ctx: Context, config: DiagnoseStepConfig, desk: Desk, tune: TuneReport, rows: np.ndarray, epochs: float) -> dict[str, Any]:
    """The val error, with interval, of the winner trained on these rows with its own settings."""
    part = desk.folds[0].on(rows)
    val = part.val
    if tune.winner != "net":
        outputs = fit_yardstick(tune.winner, desk, part, val).outputs
    else:
        train = tune.train.model_copy(update={"epochs": epochs, "batch_size": min(tune.train.batch_size, max(16, len(rows) // 8))})
        train = fill_batch(train, len(rows))
        job = start_job(desk, tune.model, part.without_val(), train)
        fitted = fit(job, train, seed=ctx.seed, name=f"curve {len(rows)}", listen=partial(ctx.events.progress, f"learning curve: {len(rows)} items"))
        outputs = np.nan_to_num(to_outputs(desk.problem, fitted.network, predict(fitted.network, desk.examples, val)))
    measured = interval_for(desk.metric.at(tune.threshold), desk.examples.plain_targets(val), outputs, seed=ctx.seed)
    ends = [float(as_error(desk.metric, end)) for end in measured.interval] if measured.interval else None
    error = Measured(value=float(as_error(desk.metric, measured.value)), interval=(min(ends), max(ends)) if ends else None, n=len(rows))
    return error.model_dump(mode="json")


def _conflicts(desk: Desk) -> float:
    """Share of the train items that are equal to another with a different target: an error that no model can avoid."""
    ids = [str(i).rsplit("-", 1)[0] for i in desk.examples.pack.ids(desk.folds[0].train)]
    targets = desk.examples.raw_targets[desk.folds[0].train]
    seen: dict[str, bytes] = {}
    mixed = set()
    for content, target in zip(ids, targets):
        if seen.setdefault(content, target.tobytes()) != target.tobytes():
            mixed.add(content)
    return sum(content in mixed for content in ids) / max(len(ids), 1)


def _curves(problem: Problem, val: Predictions, points: Any) -> dict[str, tuple[tuple[float, float], ...]]:
    """One curve per class (binary: of the positive one), each class against the rest."""
    if not problem.classes:
        return {}
    shown = [1] if problem.task == "binary" else range(min(len(problem.classes), _SHOWN_CLASSES))
    positive = (lambda k: val.targets[:, k]) if problem.task == "multilabel" else (lambda k: (val.targets == k).astype(int))
    return {problem.classes[k]: points(positive(k), val.outputs[:, k]) for k in shown}


def _residuals(ctx: Context, val: Predictions) -> tuple[tuple[float, float], ...]:
    """(target, prediction) of at most 500 val items, for the scatter plot."""
    rows = randomness.stream(ctx.seed, "residuals").permutation(len(val))[:500]
    return tuple((float(t), float(p)) for t, p in zip(val.targets[rows, 0], val.outputs[rows, 0]))
