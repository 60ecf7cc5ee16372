"""s08: regularises and searches: many settings briefly, the promising ones longer; then the best on val goes on, a baseline included."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from surefoot.analysis.calibration import best_threshold, fit_temperature
from surefoot.analysis.compare import Comparison, paired
from surefoot.analysis.scores import score
from surefoot.checks import search as checks
from surefoot.data.predictions import load_predictions, pool
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import Fitted, fit
from surefoot.engine.jobs import resolve_train, settle_speed, start_job
from surefoot.engine.predict import activate, predict, to_outputs
from surefoot.engine.weights import save_weights
from surefoot.metrics import better
from surefoot.search import run as search
from surefoot.search.space import Setting, apply, default_space, merge
from surefoot.settings import budget_seconds
from surefoot.types import (
    BaselineReport,
    Context,
    EpochRecord,
    ModelConfig,
    ModelScore,
    OverfitReport,
    Predictions,
    PreparedData,
    Problem,
    TrainConfig,
    Trial,
    TuneReport,
    TuneStepConfig,
)

_BRIEF, _LONGER, _FULL = 0.08, 0.10, 0.20
"""Shares of the budget: all settings briefly, the best of them longer, the winner in full."""
_MOST_EPOCHS = ((2_000, 60), (10_000, 40), (100_000, 30))
_FINAL_EPOCHS = 20
_THRESHOLD_METRICS = ("f1", "f1_macro")


@dataclass(frozen=True)
class Bench:
    """What every trial of this step shares."""

    ctx: Context
    desk: Desk
    model: ModelConfig
    train: TrainConfig
    sizes: dict[str, tuple[int, int]]
    rate: float
    budget_s: float

    def affordable(self, share: float, runs: int) -> float:
        """Epochs that each of `runs` runs over all folds may take within a share of the budget."""
        num = len(self.desk.folds[0].train)
        most = next((epochs for limit, epochs in _MOST_EPOCHS if num <= limit), _FINAL_EPOCHS)
        if not self.budget_s:
            return 2.0
        return float(np.clip(share * self.budget_s * self.rate / (runs * num * len(self.desk.folds)), 0.05, most))


def tune(ctx: Context, config: TuneStepConfig, *, problem: Problem, data: PreparedData, baseline: BaselineReport, overfit: OverfitReport) -> TuneReport:
    """Searches, trains the winner on every fold, and compares it with the baselines on the same held-out items."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    bench = _set_up(ctx, config, desk, overfit, data)
    trials = _search(bench, config)
    ranked = search.rank([t for t in trials if t.rung == max(t.rung for t in trials)], desk.metric.greater_is_better)
    setting = ranked[0].settings if ranked else trials[0].settings
    model, train = apply(setting, bench.model, bench.train, bench.sizes)
    train = train.model_copy(update={"epochs": bench.affordable(_FULL, 1)})
    net, weights, history, pooled = _train_winner(bench, model, train)
    temperature = _temperature(problem, pooled)
    threshold = best_threshold(desk.metric, pooled.targets, pooled.outputs) if problem.task == "binary" and problem.metric in _THRESHOLD_METRICS else 0.5
    net = _rescore(ctx, desk, net, pooled, temperature, threshold)
    comparison = _compare(ctx, desk, net, baseline.models[baseline.best], threshold)
    winner = "net" if better(desk.metric, net.value, baseline.models[baseline.best].value) else baseline.best
    best_epoch = max((r.epoch for r in history if r.val_metric == _best_value(desk, history)), default=train.epochs)
    looks = ctx.ledger.count_look("tune", "winner")
    return TuneReport(
        winner=winner,
        val=net if winner == "net" else baseline.models[winner],
        net=net,
        weights=weights,
        model=model,
        train=train,
        epochs=_epochs_for_final(desk, train, history, net, best_epoch),
        best_epoch=best_epoch,
        temperature=temperature if winner == "net" else 1.0,
        threshold=threshold,
        trials=tuple(trials),
        history=history,
        versus_baseline=comparison.difference,
        looks=looks,
        findings=tuple(_find(bench, config, trials, winner, comparison, net, baseline)),
    )


def _set_up(ctx: Context, config: TuneStepConfig, desk: Desk, overfit: OverfitReport, data: PreparedData) -> Bench:
    model = config.model.model_copy(update={"width": overfit.model.width, "depth": overfit.model.depth})
    train = resolve_train(config.train, len(desk.folds[0].train))
    ladder = {f"{s.model.width}x{s.model.depth}": (s.model.width, s.model.depth) for s in overfit.ladder}
    around = dict(list(ladder.items())[max(0, overfit.chosen - 1) : overfit.chosen + 2])
    rate = settle_speed(ctx, start_job(desk, model, desk.folds[0], train), train, "the search")
    return Bench(ctx, desk, model, train, around, rate, budget_seconds(config.budget))


def _search(bench: Bench, config: TuneStepConfig) -> list[Trial]:
    """Rung 0: every setting for at most an epoch. Rung 1: the best of them longer, from scratch."""
    ctx, desk = bench.ctx, bench.desk
    defaults = default_space(desk.problem, desk.examples.fields, config.model, config.train, list(bench.sizes))
    space = merge(defaults, config.search.space)
    first = _first(bench, space)
    brief = min(1.0, bench.affordable(_BRIEF, config.search.trials))
    trials = search.try_settings(
        space,
        first,
        trials=config.search.trials if bench.budget_s else min(3, config.search.trials),
        sampler=config.search.sampler,
        seed=ctx.seed,
        greater_is_better=desk.metric.greater_is_better,
        evaluate=lambda setting, number: _evaluate(bench, setting, number, 0, brief),
        decide=ctx.ledger.decide,
    )
    keep = search.rank(trials, desk.metric.greater_is_better)[: config.search.keep]
    if trials[0].value is not None and trials[0].number not in [t.number for t in keep]:
        keep.append(trials[0])  # a brief run favours fast starters; the defaults are known to end well
    longer = bench.affordable(_LONGER, max(len(keep), 1))
    for number, kept in enumerate(keep):
        written = ctx.ledger.decide(f"longer {kept.number}", partial(_evaluate_again, bench, kept, len(trials) + number, longer))
        trials.append(Trial.model_validate(written))
    return trials


def _evaluate_again(bench: Bench, kept: Trial, number: int, epochs: float) -> dict[str, Any]:
    return _evaluate(bench, kept.settings, number, 1, epochs).model_dump(mode="json")


def _first(bench: Bench, space: dict[str, Any]) -> Setting:
    """The defaults as a point of the space."""
    known: Setting = {"train.lr": bench.train.lr, "train.weight_decay": bench.train.weight_decay, "model.dropout": bench.model.dropout or 0.1}
    known |= {"train.label_smoothing": 0.0, "train.augment": "shift", "model.size": f"{bench.model.width}x{bench.model.depth}"}
    found: Setting = {}
    for name, one in space.items():
        bounds = one.log_uniform or one.uniform
        value = known.get(name, (bounds[0] * bounds[1]) ** 0.5 if one.log_uniform else (sum(bounds) / 2 if bounds else one.choice[0]))
        if bounds:
            found[name] = min(max(float(value), bounds[0]), bounds[1])
        else:
            found[name] = value if value in one.choice else one.choice[0]
    return found


def _evaluate(bench: Bench, setting: Setting, number: int, rung: int, epochs: float) -> Trial:
    """Fits one setting on every fold and notes what it reached on val at the end."""
    model, train = apply(setting, bench.model, bench.train, bench.sizes)
    train = train.model_copy(update={"epochs": epochs})
    started, last = perf_counter(), []
    for fold in range(len(bench.desk.folds)):
        fitted = _fit(bench, model, train, fold, f"trial {number}", checkpointed=rung > 0)
        if fitted.diverged or not fitted.records:
            return Trial(number=number, settings=setting, rung=rung, epochs=epochs, value=None, state="diverged", seconds=perf_counter() - started)
        last.append(fitted.records[-1])
    bench.ctx.ledger.count_look("tune", f"trial {number}")
    value, loss = float(np.mean([r.val_metric for r in last])), float(np.mean([r.val_loss for r in last]))
    if not np.isfinite(value):
        return Trial(number=number, settings=setting, rung=rung, epochs=epochs, value=None, state="undefined", seconds=perf_counter() - started)
    return Trial(number=number, settings=setting, rung=rung, epochs=epochs, value=value, loss=loss, seconds=perf_counter() - started)


def _fit(bench: Bench, model: ModelConfig, train: TrainConfig, fold: int, name: str, *, checkpointed: bool) -> Fitted:
    ctx, desk = bench.ctx, bench.desk
    job = start_job(desk, model, desk.folds[fold], train)
    label = f"{name} fold {fold}"
    folder = ctx.run_dir / label if checkpointed else None
    return fit(job, train, seed=ctx.seed, name=label, folder=folder, listen=partial(ctx.events.progress, f"tune: {label}"))


def _train_winner(bench: Bench, model: ModelConfig, train: TrainConfig) -> tuple[ModelScore, tuple[str, ...], tuple[EpochRecord, ...], Predictions]:
    """Trains the best setting on every fold, keeps the best epoch's weights, and pools what they say about val."""
    ctx, desk = bench.ctx, bench.desk
    parts, weights, started = [], [], perf_counter()
    history: tuple[EpochRecord, ...] = ()
    for fold in range(len(desk.folds)):
        fitted = _fit(bench, model, train, fold, "winner", checkpointed=True)
        if fitted.best:
            fitted.network.load_state_dict(fitted.best)
        logits = predict(fitted.network, desk.examples, desk.folds[fold].val)
        outputs = np.nan_to_num(to_outputs(desk.problem, fitted.network, logits))
        parts.append(
            Predictions(desk.examples.pack.ids(desk.folds[fold].val), outputs, desk.examples.plain_targets(desk.folds[fold].val), np.nan_to_num(logits))
        )
        weights.append(save_weights(ctx.store, fitted.network))
        history = history or fitted.records
    pooled = pool(parts)
    measured = score(ctx.store, desk.problem, desk.metric, pooled, seed=ctx.seed)
    return measured.model_copy(update={"seconds": perf_counter() - started, "rows": len(desk.folds[0].train)}), tuple(weights), history, pooled


def _temperature(problem: Problem, pooled: Predictions) -> float:
    if not problem.classes or pooled.logits is None:
        return 1.0
    return fit_temperature(pooled.logits, pooled.targets, problem.task)


def _rescore(ctx: Context, desk: Desk, net: ModelScore, pooled: Predictions, temperature: float, threshold: float) -> ModelScore:
    """The net's score with the probs it will ship: after temperature, at the chosen threshold."""
    if pooled.logits is None or not desk.problem.classes:
        return net
    calibrated = Predictions(pooled.ids, activate(desk.problem, pooled.logits, temperature), pooled.targets, pooled.logits, pooled.folds)
    measured = score(ctx.store, desk.problem, desk.metric, calibrated, seed=ctx.seed, threshold=threshold)
    return measured.model_copy(update={"seconds": net.seconds, "rows": net.rows})


def _compare(ctx: Context, desk: Desk, net: ModelScore, best: ModelScore, threshold: float) -> Comparison:
    """The net against the best baseline on the same held-out items, each at its own threshold."""
    net_says, baseline_says = (load_predictions(ctx.store, scored.predictions) for scored in (net, best))
    return paired(desk.metric, net_says, baseline_says, seed=ctx.seed, thresholds=(threshold, 0.5))


def _best_value(desk: Desk, history: tuple[EpochRecord, ...]) -> float | None:
    """The best val metric of a run."""
    values = [r.val_metric for r in history if r.val_metric is not None]
    return (max if desk.metric.greater_is_better else min)(values) if values else None


def _epochs_for_final(desk: Desk, train: TrainConfig, history: tuple[EpochRecord, ...], net: ModelScore, best_epoch: float) -> float:
    """The whole schedule, unless its end was worse than its best epoch by more than the noise of val: then training should end there."""
    last = history[-1].val_metric if history else None
    best = _best_value(desk, history)
    if last is None or best is None or net.interval is None:
        return train.epochs
    noise = (net.interval[1] - net.interval[0]) / 2
    return train.epochs if abs(best - last) <= noise else max(best_epoch, 1.0)


def _find(
    bench: Bench, config: TuneStepConfig, trials: list[Trial], winner: str, comparison: Comparison, net: ModelScore, baseline: BaselineReport
) -> list[Any]:
    space = merge(default_space(bench.desk.problem, bench.desk.examples.fields, config.model, config.train, list(bench.sizes)), config.search.space)
    best = net if winner == "net" else baseline.models[winner]
    return [
        *checks.boundaries(trials, space),
        *checks.infeasible(trials),
        *checks.winner(winner, comparison.sentence, comparison.verdict, net.value, baseline.models[baseline.best].value, baseline.best),
        *checks.beats_trivial(
            best.value, baseline.models[baseline.trivial].value, better(bench.desk.metric, best.value, baseline.models[baseline.trivial].value)
        ),
    ]
