"""A model's predictions -> its score: the metric with its interval, the metrics beside it, and each fold's value."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from surefoot.analysis.compare import ALPHA, paired
from surefoot.analysis.intervals import measure, measure_all
from surefoot.checks import diagnosis as checks
from surefoot.checks.search import beats_trivial, bounds_decide
from surefoot.data.predictions import load_predictions, save_predictions
from surefoot.metrics import Metric, better, evaluate
from surefoot.metrics import get as get_metric
from surefoot.metrics.classification import LOG_LOSS
from surefoot.metrics.metric import CLASSIFICATION
from surefoot.types.context import Context, Store
from surefoot.types.examples import Predictions, Threshold
from surefoot.types.findings import Finding
from surefoot.types.problem import Problem
from surefoot.types.reports import ModelScore


def score(store: Store, problem: Problem, metric: Metric, predictions: Predictions, *, seed: int, threshold: Threshold = 0.5) -> ModelScore:
    """Scores pooled held-out predictions and stores them.

    Args:
        seed: of the bootstrap.
        threshold: decision threshold of the positive class, or of each label.
    """
    at = metric.at(threshold)
    measured = measure(at, predictions, seed=seed)
    folds = predictions.folds if predictions.folds is not None else np.zeros(len(predictions), np.int16)
    by_fold = [at.score(predictions.targets[folds == k], predictions.outputs[folds == k]) for k in np.unique(folds)]
    others = evaluate((metric, *problem.metrics), predictions.targets, predictions.outputs, threshold)
    return ModelScore(
        value=measured.value,
        interval=measured.interval,
        n=measured.n,
        items=measured.items,
        metrics={name: value for name, value in others.items() if np.isfinite(value)},
        fold_values=tuple(float(value) for value in by_fold),
        predictions=save_predictions(store, predictions),
    )


def judge_bounds(problem: Problem, predictions: Predictions, threshold: Threshold, *, where: str, folder: Path, seed: int) -> list[Finding]:
    """What is found on these items of the metrics that must merely suffice (`problem.satisfice`): one finding for each whose bound is not kept.

    Args:
        where: the set of the items. folder: of the project, for metrics of the user's own.
    """
    metrics = [get_metric(name, folder).at(threshold) for name in problem.satisfice]
    return checks.bounds(metrics, measure_all(metrics, predictions, seed=seed), problem.satisfice, where)


def count_missed(store: Store, problem: Problem, scored: ModelScore, threshold: Threshold, *, folder: Path, seed: int) -> int:
    """How many bounds of `problem.satisfice` a model misses on val, deciding from this threshold on.

    Those that its interval excludes: a recall of 0.795 on 200 items, where 0.8 is due, is no reason to send on a model with ten points less of the metric.
    """
    found = judge_bounds(problem, load_predictions(store, scored.predictions), threshold, where="val", folder=folder, seed=seed)
    return sum(not one.evidence["may be luck"] for one in found)


def choose_winner(ctx: Context, problem: Problem, metric: Metric, models: dict[str, tuple[ModelScore, Threshold]]) -> tuple[str, str, list[Finding]]:
    """Which of two models goes on, which would by the metric alone, and what is found where `problem.satisfice` decided otherwise.

    Fewer bounds missed, noise aside, go before a better metric.

    Args:
        models: the net, then the simple model, which goes on where both are as good; each as it would ship.
    """
    net, simple = models
    by_metric = net if better(metric, models[net][0].value, models[simple][0].value) else simple
    missed = {name: count_missed(ctx.store, problem, *decided, folder=ctx.root, seed=ctx.seed) for name, decided in models.items()}
    winner = min(missed, key=lambda name: (missed[name], name != by_metric))
    return winner, by_metric, bounds_decide(winner, by_metric, missed)


def judge_lead(
    ctx: Context, problem: Problem, metric: Metric, ahead: tuple[ModelScore, Threshold], trivial: ModelScore, others: list[ModelScore]
) -> list[Finding]:
    """Whether the inputs tell the target: whether the model that the metric prefers is better than saying always the same.

    Asked of that one, for a model that goes on to keep a bound may pay for it in the metric.

    Args:
        ahead: as it would ship. others: all models, whose probs may tell more than the metric sees.
    """
    scored, threshold = ahead
    said, simple = (load_predictions(ctx.store, one.predictions) for one in (scored, trivial))
    guess, is_ahead = paired(metric, said, simple, seed=ctx.seed, thresholds=(threshold, 0.5)), better(metric, scored.value, trivial.value)
    apart = "" if is_ahead and guess.verdict == "better" else _tell_apart(ctx, problem, simple, others)
    return beats_trivial(scored.value, trivial.value, is_ahead, guess.verdict, apart, _share_largest(problem, simple.targets))


def _tell_apart(ctx: Context, problem: Problem, simple: Predictions, others: list[ModelScore]) -> str:
    """What a paired test of the log loss says of the model whose probs are most surely better than the trivial ones; empty where none are.

    A metric that sees decisions alone may not see them: of one item in a hundred no prob need reach one half. As often as it is asked the test is made
    stricter (Dunn 1961).
    """
    if problem.task not in CLASSIFICATION:
        return ""
    found = [paired(LOG_LOSS, load_predictions(ctx.store, one.predictions), simple, seed=ctx.seed) for one in others]
    surest = min(found, key=lambda one: (one.verdict != "better", one.p_value))
    return surest.sentence if surest.verdict == "better" and surest.p_value * len(found) < ALPHA else ""


def _share_largest(problem: Problem, targets: np.ndarray) -> float:
    """Share of the items that the most common answer is; of labels the mean over them; 0 for amounts. Targets: as `Predictions` has them."""
    if not problem.classes:
        return 0.0
    shares = targets.mean(axis=0) if targets.ndim == 2 else np.bincount(targets) / len(targets)
    return float(np.maximum(shares, 1 - shares).mean() if targets.ndim == 2 else shares.max())
