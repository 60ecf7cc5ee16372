"""A model's predictions -> its score: the metric with its interval, the metrics beside it, and each fold's value."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from surefoot.analysis.intervals import measure, measure_all
from surefoot.checks import diagnosis as checks
from surefoot.checks.search import bounds_decide
from surefoot.data.predictions import load_predictions, save_predictions
from surefoot.metrics import Metric, better, evaluate
from surefoot.metrics import get as get_metric
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


def count_missed(ctx: Context, problem: Problem, scored: ModelScore, threshold: Threshold) -> int:
    """How many bounds of `problem.satisfice` a model misses on val, deciding from this threshold on."""
    said = load_predictions(ctx.store, scored.predictions)
    return len(judge_bounds(problem, said, threshold, where="val", folder=ctx.root, seed=ctx.seed))


def choose_winner(ctx: Context, problem: Problem, metric: Metric, models: dict[str, tuple[ModelScore, Threshold]]) -> tuple[str, list[Finding]]:
    """Which of two models goes on, and what is found where `problem.satisfice` decided it: fewer bounds missed go before a better metric.

    Args:
        models: the net, then the simple model, which goes on where both are as good; each as it would ship.
    """
    net, simple = models
    by_metric = net if better(metric, models[net][0].value, models[simple][0].value) else simple
    missed = {name: count_missed(ctx, problem, *decided) for name, decided in models.items()}
    winner = min(missed, key=lambda name: (missed[name], name != by_metric))
    return winner, bounds_decide(winner, by_metric, missed)


def share_largest(problem: Problem, targets: np.ndarray) -> float:
    """Share of the items that the most common answer is; of labels the mean over them; 0 for amounts. Targets: as `Predictions` has them."""
    if not problem.classes:
        return 0.0
    shares = targets.mean(axis=0) if targets.ndim == 2 else np.bincount(targets) / len(targets)
    return float(np.maximum(shares, 1 - shares).mean() if targets.ndim == 2 else shares.max())
