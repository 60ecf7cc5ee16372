"""s09: where the error comes from, how sure that is, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from surefoot import randomness
from surefoot.analysis.advice import Evidence, advise
from surefoot.analysis.calibration import ece_by_chance, measure_ece, reliability
from surefoot.analysis.chances import find_chances
from surefoot.analysis.curves import draw_classes, part_sizes, pr, roc, sample_residuals
from surefoot.analysis.gaps import gap_table, measure_error, tabulate, tell_largest
from surefoot.analysis.human import count_left_out, human_error
from surefoot.analysis.intervals import measure_all
from surefoot.analysis.mislabels import count_wrong
from surefoot.analysis.per_class import class_intervals, class_scores
from surefoot.analysis.scores import judge_bounds
from surefoot.analysis.thresholds import list_choices, list_label_choices
from surefoot.analysis.val_looks import correct_for_looks
from surefoot.checks import diagnosis as checks
from surefoot.data.predictions import load_predictions, pool
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import fit
from surefoot.engine.jobs import fill_batch, settle_speed, start_job
from surefoot.engine.pace import final_seconds, take_stock
from surefoot.engine.predict import activate, predict, reheat, to_outputs
from surefoot.engine.winners import sample_rows, winner_outputs
from surefoot.engine.yardsticks import fit_yardstick
from surefoot.metrics import Metric, confusion
from surefoot.metrics import get as get_metric
from surefoot.models.boosting import Rounds
from surefoot.store.scope import ScopedLedger
from surefoot.types import (
    AuditReport,
    BaselineReport,
    Context,
    DiagnoseReport,
    DiagnoseStepConfig,
    Measured,
    Predictions,
    PreparedData,
    Problem,
    ThresholdChoice,
    TuneReport,
)

_ASKED = 5_000
"""Train items whose error is measured: its interval is then under one and a half points wide."""
_PARTS = (0.5, 0.25, 0.125, 0.0625)
"""Shares of the winner's train rows on the learning curve, beside all of them: the point at 1 is the tuned model itself."""
_LEAST_PARTS, _MOST_PARTS = 2, 3
_MOST_SIMPLE = 6.0
"""Trainings that a simple model's curve may take, in whole ones: they take seconds."""
_LEAST_OF_SOURCE = 50


def diagnose(
    ctx: Context, config: DiagnoseStepConfig, *, problem: Problem, audit: AuditReport, data: PreparedData, baseline: BaselineReport, tune: TuneReport
) -> DiagnoseReport:
    """The table of errors and gaps of the winner, calibration, thresholds, per class, and what more data would bring."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    val = load_predictions(ctx.store, tune.val.predictions)
    metric = desk.metric.at(tune.threshold)
    train, train_dev = _ask_train(ctx, desk, tune, baseline), _ask_train_dev(ctx, desk, tune, baseline)
    sources, human = _find_sources(ctx, audit), _measure_human(ctx, problem, metric, val)
    errors, gaps, verdict = gap_table(human=human or problem.human, train=train, train_dev=train_dev, val=val, metric=metric, seed=ctx.seed)
    general = {one.name for one in audit.sources if one.role == "general"}
    parts = {name: (said, _is_practical(said, sources, general)) for name, said in (("train", train), ("train_dev", train_dev)) if said is not None}
    shares, bearable = _choose_parts(ctx, config, desk, tune)
    curve = _learning_curve(ctx, desk, tune, shares)
    expandability = _expand(ctx, desk, tune, sources, curve["1"], bearable - sum(shares)) if curve else {}
    noise = count_wrong(find_chances(desk, tune, val)) if problem.task in ("binary", "multiclass") and checks.may_accuse(tune.val, baseline) else None
    looks, told = ctx.ledger.count_look("diagnose", "table of errors"), _tell_classes(problem, tune, val)
    recalls, met = _find_recalls(told), checks.goal(problem, metric, tune.val)
    evidence = Evidence(problem, tune, gaps, errors, verdict, curve, noise, recalls, expandability, config.budget, ctx.seed, data.fields)
    return DiagnoseReport(
        errors=errors,
        gaps=gaps,
        verdict=verdict,
        unit=problem.metric if problem.classes == () else "error",
        grid=tabulate(errors, parts, metric, seed=ctx.seed),
        human_from="measured" if human else "given" if problem.human is not None else "",
        label_noise=noise,
        advice=tuple(advise(replace(evidence, shares=_find_shares(told, len(np.unique(val.ids))), num_train=_fewest(desk), is_goal_met=bool(met)))),
        curve=curve,
        expandability=expandability,
        looks=looks,
        val_corrected=correct_for_looks(metric, val, looks, seed=ctx.seed),
        thresholds=_list_thresholds(config, desk, tune, val),
        residuals=sample_residuals(val, seed=ctx.seed) if not problem.classes else (),
        **_measure_metrics(ctx, desk, problem, tune, val),
        **told,
        findings=(
            *checks.largest_gap(gaps, verdict, **tell_largest(gaps, errors, verdict, noise, is_amount=not problem.classes)),
            *checks.calibration(told.get("ece"), told.get("ece_by_chance", 0.0), is_evened=tune.is_evened, has_threshold=problem.task != "multiclass"),
            *checks.label_ceiling(_conflicts(desk), noise),
            *checks.accuracy_paradox(problem, val, tune, recalls),
            *(*met, *judge_bounds(problem, val, tune.threshold, where="val", folder=ctx.root, seed=ctx.seed)),
        ),
    )


def _list_thresholds(config: DiagnoseStepConfig, desk: Desk, tune: TuneReport, val: Predictions) -> tuple[ThresholdChoice, ...]:
    if desk.problem.task == "multilabel":
        return list_label_choices(config.problem, desk.problem.classes, val, tune.threshold)
    if desk.problem.task != "binary" or isinstance(tune.threshold, tuple):
        return ()
    return list_choices(config.problem, desk.metric, val, tune.threshold)


def _measure_metrics(ctx: Context, desk: Desk, problem: Problem, tune: TuneReport, val: Predictions) -> dict[str, Any]:
    measured = measure_all([get_metric(name, ctx.root).at(tune.threshold) for name in problem.reported], val, seed=ctx.seed)
    return {"metrics": {name: one.value for name, one in measured.items()}, "intervals": {name: one.interval for name, one in measured.items() if one.interval}}


def _find_recalls(told: dict[str, Any]) -> dict[str, float]:
    """Class -> recall, of those that have enough val items to tell."""
    return {name: scores["recall"] for name, scores in told.get("per_class", {}).items() if scores["support"] >= checks.LEAST_SUPPORT}


def _find_shares(told: dict[str, Any], num: int) -> dict[str, float]:
    """Class -> share of val's items that are in it, or have it."""
    return {name: scores["support"] / num for name, scores in told.get("per_class", {}).items()}


def _tell_classes(problem: Problem, tune: TuneReport, val: Predictions) -> dict[str, Any]:
    """The part of the report that only tasks with classes have."""
    if not problem.classes:
        return {}
    calibration = measure_ece(val)
    told: dict[str, Any] = {
        "per_class": class_scores(val, problem.classes, tune.threshold),
        "class_intervals": class_intervals(val, problem.classes, tune.threshold),
        "roc": draw_classes(problem.classes, val, roc),
        "pr": draw_classes(problem.classes, val, pr),
        "ece": calibration.value,
        "ece_interval": calibration.interval,
        "ece_by_chance": ece_by_chance(val),
        "reliability": reliability(val.targets, val.outputs),
    }
    if problem.task != "multilabel":
        told["confusion"] = tuple(tuple(int(n) for n in row) for row in confusion(val.targets, val.outputs, tune.threshold))
    return told


def _measure_human(ctx: Context, problem: Problem, metric: Metric, val: Predictions) -> Measured | None:
    answers = ctx.ledger.answers() if isinstance(ctx.ledger, ScopedLedger) else {}
    for num, why in zip(count_left_out(problem, answers, val.ids), ("fit the question no longer", "belong to no val item"), strict=True):
        if num:
            ctx.events.say(f"  {num} of {len(answers)} answers of a person {why}, and are left out")
    return human_error(problem, metric, answers, val, seed=ctx.seed) if answers else None


def _ask_train(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport) -> Predictions:
    """What the winner of each fold says about a seeded sample of the rows it was trained on."""
    parts = []
    for fold, part in enumerate(desk.folds):
        order = randomness.stream(ctx.seed, "asked train rows", fold).permutation(len(part.train))
        rows = part.train[np.sort(order[: max(50, _ASKED // len(desk.folds))])]
        parts.append(_ask(ctx, desk, tune, baseline, fold, rows))
    return pool(parts)


def _ask_train_dev(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport) -> Predictions | None:
    """What the winner of the first fold says about a seeded sample of the items held out of the general sources; None where there are none."""
    order = randomness.stream(ctx.seed, "asked train_dev rows").permutation(len(desk.train_dev))
    rows = desk.train_dev[np.sort(order[:_ASKED])]
    return _ask(ctx, desk, tune, baseline, 0, rows) if len(rows) else None


def _ask(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport, fold: int, rows: np.ndarray) -> Predictions:
    outputs = np.nan_to_num(winner_outputs(ctx, desk, tune, baseline, fold, rows))
    return desk.examples.said(rows, outputs)


def _find_sources(ctx: Context, audit: AuditReport) -> dict[str, str]:
    """Item id -> name of its source; empty where there is one source."""
    index = ctx.store.get_table(audit.index)
    if "source" not in index.column_names:
        return {}
    names = dict(zip(index.column("id").to_pylist(), index.column("source").to_pylist()))
    return names if len(set(names.values())) > 1 else {}


def _is_practical(said: Predictions, sources: dict[str, str], general: set[str]) -> np.ndarray:
    """Which items are from where the model will be used: all, but those of sources that are marked general. (N,)."""
    return np.array([sources.get(str(id), "") not in general for id in said.ids], bool)


def _learning_curve(ctx: Context, desk: Desk, tune: TuneReport, shares: list[float]) -> dict[str, Measured]:
    """Share of the rows that the winner was trained on -> val error of its own setting, trained on it for as many epochs, or trees; at 1 the winner itself.

    Shares that the budget does not bear are left out, never epochs: nets that were trained for less are on another curve.
    """
    train = _winner_rows(desk, tune)
    found = {}
    for share, num in part_sizes(len(train), shares).items():
        rows = train[np.sort(randomness.stream(ctx.seed, "learning curve").permutation(len(train))[:num])]
        found[share] = Measured.model_validate(ctx.ledger.decide(f"curve {num}", partial(_measure_part, ctx, desk, tune, rows)))
        ctx.ledger.count_look("diagnose", f"curve {num}")
    if found:
        whole = load_predictions(ctx.store, tune.val.predictions)
        here = whole.folds == 0 if whole.folds is not None and len(desk.folds) > 1 else np.ones(len(whole), bool)
        first = whole.some(here)
        found["1"] = measure_error(desk.metric.at(tune.threshold), first, seed=ctx.seed).model_copy(update={"n": len(train)})
    return found


def _winner_rows(desk: Desk, tune: TuneReport) -> np.ndarray:
    """The train rows of the first fold that its winner was fitted on: a simple one on as many as s05's share of the budget bore."""
    train = desk.folds[0].train
    return train if tune.winner == "net" or not tune.val.rows else sample_rows(desk.seed, train, tune.val.rows)


def _fewest(desk: Desk) -> int:
    """Train rows of the smallest fold, which bounds what simple models are fitted on."""
    return min(len(part.train) for part in desk.folds)


def _expand(ctx: Context, desk: Desk, tune: TuneReport, sources: dict[str, str], whole: Measured, bearable: float) -> dict[str, float]:
    """Source -> the val error that twice its data would take away: what leaving half of it out costs, taken one doubling on by the power law.

    Args:
        whole: the error with all of it, of the same fold as that with half of it.
    """
    train = _winner_rows(desk, tune)
    of = np.array([sources.get(str(id), "") for id in desk.examples.pack.ids(train)])
    names = [name for name in dict.fromkeys(of.tolist()) if (of == name).sum() >= _LEAST_OF_SOURCE] if sources else []
    found = {}
    if len(names) < 2 or whole.value <= 0:
        return {}
    for name in names[: max(0, int(bearable))]:
        inside = randomness.stream(ctx.seed, "half of a source", name).permutation(np.flatnonzero(of == name))
        rows = np.sort(np.delete(train, inside[: len(inside) // 2]))
        half = Measured.model_validate(ctx.ledger.decide(f"half of {name}", partial(_measure_part, ctx, desk, tune, rows)))
        ctx.ledger.count_look("diagnose", f"half of {name}")
        found[name] = whole.value * max(0.0, 1 - whole.value / half.value) if half.value > 0 else 0.0
    return found


def _choose_parts(ctx: Context, config: DiagnoseStepConfig, desk: Desk, tune: TuneReport) -> tuple[list[float], float]:
    """The largest three shares whose trainings, all together, the budget bears, none where it bears no two of them; and how many trainings it bears."""
    if tune.winner != "net":
        return list(_PARTS[:_MOST_PARTS]), _MOST_SIMPLE
    pace = take_stock(ctx, config.budget, "diagnose", final_seconds(desk, tune))
    job = start_job(desk, tune.model, desk.folds[0], tune.train)
    _, rate = settle_speed(ctx, job, tune.train, "the learning curve")
    bearable = pace.seconds() * rate / max(len(desk.folds[0].train) * tune.train.epochs, 1.0)
    for start in range(len(_PARTS) - _LEAST_PARTS + 1):
        parts = _PARTS[start : start + _MOST_PARTS]
        if sum(parts) <= bearable:
            return list(parts), bearable
    ctx.events.say(f"  the learning curve is left out: the budget does not bear trainings of {tune.train.epochs:g} epochs on parts of the data")
    return [], bearable


def _measure_part(ctx: Context, desk: Desk, tune: TuneReport, rows: np.ndarray) -> dict[str, Any]:
    """The val error, with interval, of the winner trained on these rows with its own settings, as s08 trained it: the best epoch on val counts."""
    part = desk.folds[0].on(rows)
    val = part.val
    if tune.winner != "net":
        outputs = reheat(desk.problem, fit_yardstick(tune.winner, desk, part, val, Rounds(tune.val.rounds)).outputs, tune.temperature)
    else:
        train = fill_batch(tune.train.model_copy(update={"batch_size": min(tune.train.batch_size, max(16, len(rows) // 8))}), len(rows))
        job = start_job(desk, tune.model, part, train)
        fitted = fit(job, train, seed=ctx.seed, name=f"curve {len(rows)}", listen=partial(ctx.events.progress, f"learning curve: {len(rows)} items"))
        if fitted.best:
            fitted.network.load_state_dict(fitted.best)
        logits = predict(fitted.network, desk.examples, val)
        outputs = activate(desk.problem, logits, tune.temperature) if desk.problem.classes else to_outputs(desk.problem, fitted.network, logits)
    said = desk.examples.said(val, np.nan_to_num(outputs))
    return measure_error(desk.metric.at(tune.threshold), said, seed=ctx.seed).model_copy(update={"n": len(rows)}).model_dump(mode="json")


def _conflicts(desk: Desk) -> float:
    """Share of the train items that are equal to another with a different label: an error that no model can avoid. Amounts of equal items may differ."""
    if not desk.problem.classes:
        return 0.0
    ids = [str(i).rsplit("-", 1)[0] for i in desk.examples.pack.ids(desk.folds[0].train)]
    targets = desk.examples.raw_targets[desk.folds[0].train]
    seen: dict[str, bytes] = {}
    mixed = set()
    for content, target in zip(ids, targets):
        if seen.setdefault(content, target.tobytes()) != target.tobytes():
            mixed.add(content)
    return sum(content in mixed for content in ids) / max(len(ids), 1)
