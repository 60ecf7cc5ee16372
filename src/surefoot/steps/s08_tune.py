"""s08: regularises and searches: many settings briefly, the promising ones longer; then the best on val goes on, a baseline included."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from surefoot.analysis.calibration import fit_temperature
from surefoot.analysis.compare import Comparison, paired
from surefoot.analysis.scores import choose_winner, count_missed, judge_lead, score
from surefoot.analysis.thresholds import choose
from surefoot.checks import search as checks
from surefoot.checks.curves import judge_tuned
from surefoot.data.predictions import load_predictions, pool
from surefoot.engine.bench import Bench, name_size
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.compiling import settle_compile
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import Fitted, fit
from surefoot.engine.jobs import fill_batch, resolve_train, settle_speed, start_job
from surefoot.engine.pace import take_stock
from surefoot.engine.predict import activate, predict, to_logits, to_outputs
from surefoot.engine.recipes import follow_recipe
from surefoot.engine.weights import save_weights
from surefoot.metrics.metric import CLASSIFICATION
from surefoot.search import run as search
from surefoot.search.space import Setting, apply, default_space, merge
from surefoot.types import (
    BaselineReport,
    Context,
    EpochRecord,
    ModelConfig,
    ModelScore,
    OverfitReport,
    Plain,
    PreparedData,
    Problem,
    Space,
    Threshold,
    TrainConfig,
    Trial,
    TuneReport,
    TuneStepConfig,
)

_BRIEF = 0.15
"""Of what this step and the last training may take: for all settings briefly. The rest is for the most promising in full, and the last one."""
_FEW_EPOCHS = 12
"""Fewer epochs than `_FEW_EPOCHS` for each of those kept, and only two are trained in full: half-trained nets tell little."""


class Trained(Plain):
    """A setting that was trained in full on every fold: what it reached, and what is kept of it."""

    trial: Trial
    score: ModelScore
    weights: tuple[str, ...]
    history: tuple[EpochRecord, ...]


def tune(ctx: Context, config: TuneStepConfig, *, problem: Problem, data: PreparedData, baseline: BaselineReport, overfit: OverfitReport) -> TuneReport:
    """Searches, trains the most promising settings on every fold, and compares the best with the baselines on the same held-out items."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    bench = _set_up(ctx, config, desk, overfit)
    centre = overfit.lr_range.lr if overfit.lr_range else 0.0
    space = merge(default_space(problem, data.fields, config.model, config.train, list(bench.sizes), centre), config.search.space)
    trials = _search(bench, config, space)
    best, *others = _prefer_sufficient(ctx, config, desk, _train_best(bench.after(trials), config, trials))
    model, train = apply(best.trial.settings, bench.model, bench.train, bench.sizes)
    net, net_heat, net_at = _decide(ctx, config, desk, best.score)
    rival, rival_heat, rival_at = _decide(ctx, config, desk, baseline.models[baseline.best])
    comparison = _compare(ctx, desk, net, rival, (net_at, rival_at))
    models = {"net": (net, net_at), baseline.best: (rival, rival_at)}
    winner, by_metric, told = choose_winner(ctx, problem, desk.metric, models)
    chosen, threshold = models[winner]
    every, scores = (*trials, best.trial, *(t.trial for t in others)), [net, rival, *baseline.models.values()]
    return TuneReport(
        winner=winner,
        val=chosen,
        net=net,
        weights=best.weights,
        model=model,
        train=train.model_copy(update={"epochs": best.trial.epochs}),
        epochs=_epochs_for_final(desk, best, net),
        best_epoch=_best_epoch(desk, best),
        temperature=net_heat if winner == "net" else rival_heat,
        threshold=threshold,
        net_threshold=net_at,
        trials=every,
        history=best.history,
        rival=rival,
        versus_baseline=comparison.difference,
        by_metric="" if by_metric == winner else by_metric,
        looks=ctx.ledger.count_look("tune", "winner"),
        findings=(
            *judge_tuned(best.history, config.train, (model, train), overfit, desk.metric),
            *checks.boundaries(every, space),
            *checks.infeasible(every),
            *(told or checks.winner(winner, comparison.sentence, comparison.verdict, net.value, rival.value, baseline.best)),
            *judge_lead(ctx, problem, desk.metric, models[by_metric], baseline.models[baseline.trivial], scores),
        ),
    )


def _set_up(ctx: Context, config: TuneStepConfig, desk: Desk, overfit: OverfitReport) -> Bench:
    model = config.model.model_copy(update={"width": overfit.model.width, "depth": overfit.model.depth})
    found = {"lr": overfit.lr_range.lr} if overfit.lr_range else {}
    train = resolve_train(config.train, len(desk.folds[0].train), desk.problem.kind, **found)
    around = overfit.ladder[max(0, overfit.chosen - 1) : overfit.chosen + 2]
    train, _ = settle_speed(ctx, start_job(desk, model, desk.folds[0], train), train, "the search")  # the threads; rates are known from s07
    sizes = {name_size(rung.model): (rung.model.width, rung.model.depth) for rung in around}
    seconds = take_stock(ctx, config.budget, "tune").seconds()
    return Bench(ctx, desk, model, train, sizes, {name_size(rung.model): rung.rate for rung in around}, seconds)


def _search(bench: Bench, config: TuneStepConfig, space: dict[str, Space]) -> list[Trial]:
    """Every setting for at most an epoch."""
    ctx = bench.ctx
    num = bench.count_trials(_BRIEF, config.search.trials)
    if num < config.search.trials and bench.seconds:
        ctx.events.say(f"  {num} of {config.search.trials} settings are tried: what this step's share of the budget bears")
    plan = search.Search(
        space=space,
        first=_first(bench, space),
        trials=num,
        sampler=config.search.sampler,
        seed=ctx.seed,
        greater_is_better=bench.desk.metric.greater_is_better,
        folder=ctx.root,
    )
    return search.try_settings(plan, partial(_evaluate, bench, plan.trials), ctx.ledger.decide)


def _train_best(bench: Bench, config: TuneStepConfig, trials: list[Trial]) -> list[Trained]:
    """The best of the brief trials and the defaults, in full; the best first.

    The defaults always take part: a brief run favours fast starters, and what regularises pays late.
    """
    is_greater = bench.desk.metric.greater_is_better
    ranked = search.rank(trials, is_greater)
    others = [trial for trial in ranked if trial.number != 0][: config.search.keep]
    while len(others) > 1 and bench.seconds and bench.affordable(1.0, len(others) + 1, others[0].settings, and_final=True) < _FEW_EPOCHS:
        others.pop()
    kept = [trials[0], *others]
    full = []
    for number, trial in enumerate(kept):
        epochs = config.train.epochs or bench.affordable(1.0, len(kept), trial.settings, and_final=True)
        written = bench.ctx.ledger.decide(f"full {trial.number}", partial(_train_fully, bench, trial, len(trials) + number, epochs))
        full.append(Trained.model_validate(written))
    best = {trial.number: place for place, trial in enumerate(search.rank([one.trial for one in full], is_greater))}
    return sorted(full, key=lambda one: best.get(one.trial.number, len(full)))


def _prefer_sufficient(ctx: Context, config: TuneStepConfig, desk: Desk, full: list[Trained]) -> list[Trained]:
    """Those first that miss the fewest bounds of `problem.satisfice` as they would ship, noise aside; of equals the best stays first."""
    if not desk.problem.satisfice or len(full) < 2:
        return full
    missed = {}
    for one in full:
        decided, _, threshold = _decide(ctx, config, desk, one.score)
        missed[one.trial.number] = count_missed(ctx.store, desk.problem, decided, threshold, folder=ctx.root, seed=ctx.seed)
    return sorted(full, key=lambda one: missed[one.trial.number])


def _first(bench: Bench, space: dict[str, Space]) -> Setting:
    """The recipe as a point of the space; where its range leaves a value out, the middle."""
    fields = bench.desk.examples.fields
    recipe = follow_recipe(TrainConfig(), bench.desk.problem, fields[0].shape[0] if fields[0].name == "image" else 0)
    known: Setting = {"train.lr": bench.train.lr, "train.weight_decay": bench.train.weight_decay, "model.dropout": bench.model.dropout or 0.1}
    known |= {"train.label_smoothing": recipe.label_smoothing, "train.augment": recipe.augment, "model.size": name_size(bench.model)}
    found: Setting = {}
    for name, one in space.items():
        bounds, choices = one.log_uniform or one.uniform, one.choice or []
        if bounds:
            middle = (bounds[0] * bounds[1]) ** 0.5 if one.log_uniform else sum(bounds) / 2
            value = float(known.get(name, middle))
            found[name] = value if bounds[0] <= value <= bounds[1] else middle
        else:
            found[name] = known[name] if known.get(name) in choices else choices[0]
    return found


def _evaluate(bench: Bench, runs: int, setting: Setting, number: int) -> Trial:
    """Fits one setting on every fold, briefly, and notes what it reached on val at the end."""
    model, train = apply(setting, bench.model, bench.train, bench.sizes)
    train = train.model_copy(update={"epochs": min(1.0, bench.affordable(_BRIEF, runs, setting))})
    started = perf_counter()
    last: list[EpochRecord] = []
    for fold in range(len(bench.desk.folds)):
        last += _fit(bench, model, train, fold, f"trial {number}", checkpointed=False).records[-1:]
    bench.ctx.ledger.count_look("tune", f"trial {number}")
    value, loss = _mean([r.val_metric for r in last]), _mean([r.val_loss for r in last])
    if len(last) < len(bench.desk.folds) or not np.isfinite(value):
        return Trial(number=number, settings=setting, rung=0, epochs=train.epochs, value=None, state="diverged", seconds=perf_counter() - started)
    return Trial(number=number, settings=setting, rung=0, epochs=train.epochs, value=value, loss=loss, seconds=perf_counter() - started)


def _mean(values: list[float | None]) -> float:
    return float(np.mean([np.nan if value is None else value for value in values])) if values else float("nan")


def _fit(bench: Bench, model: ModelConfig, train: TrainConfig, fold: int, name: str, *, checkpointed: bool) -> Fitted:
    ctx, desk = bench.ctx, bench.desk
    train = fill_batch(train, len(desk.folds[fold].train))
    job = start_job(desk, model, desk.folds[fold], train)
    label = f"{name} fold {fold}"
    folder = ctx.run_dir / label if checkpointed else None
    return fit(job, train, seed=ctx.seed, name=label, folder=folder, listen=partial(ctx.events.progress, f"tune: {label}"))


def _train_fully(bench: Bench, trial: Trial, number: int, epochs: float) -> dict[str, Any]:
    """Trains a setting on every fold, keeps the best epoch's weights, and pools what they say about val."""
    ctx, desk = bench.ctx, bench.desk
    model, train = apply(trial.settings, bench.model, bench.train, bench.sizes)
    seconds = epochs * len(desk.folds[0].train) * len(desk.folds) / bench.rates[str(trial.settings.get("model.size", name_size(model)))]
    train = train.model_copy(update={"epochs": epochs})
    train = settle_compile(ctx, start_job(desk, model, desk.folds[0], train), train, seconds, f"full {trial.number}")
    parts, weights, history, diverged, started = [], [], tuple[EpochRecord, ...](), False, perf_counter()
    for fold, part in enumerate(desk.folds):
        fitted = _fit(bench, model, train, fold, f"full {trial.number}", checkpointed=True)
        if fitted.best:
            fitted.network.load_state_dict(fitted.best)
        diverged |= fitted.diverged
        logits = predict(fitted.network, desk.examples, part.val)
        outputs = np.nan_to_num(to_outputs(desk.problem, fitted.network, logits))
        parts.append(desk.examples.said(part.val, outputs, np.nan_to_num(logits)))
        weights.append(save_weights(ctx.store, fitted.network))
        history = history or fitted.records
    scored = score(ctx.store, desk.problem, desk.metric, pool(parts), seed=ctx.seed)
    ctx.ledger.count_look("tune", f"full {trial.number}")
    seconds = perf_counter() - started
    value = None if diverged or not np.isfinite(scored.value) else scored.value
    done = trial.model_copy(update={"number": number, "rung": 1, "epochs": epochs, "value": value, "loss": None, "seconds": seconds})
    scored = scored.model_copy(update={"seconds": seconds, "rows": len(desk.folds[0].train)})
    return Trained(trial=done, score=scored, weights=tuple(weights), history=history).model_dump(mode="json")


def _decide(ctx: Context, config: TuneStepConfig, desk: Desk, scored: ModelScore) -> tuple[ModelScore, float, Threshold]:
    """A model's score as it would ship: with the temperature that fits its probs to val, deciding from the prob that the settings' rule chooses."""
    problem, said = desk.problem, load_predictions(ctx.store, scored.predictions)
    if problem.task not in CLASSIFICATION:
        return scored, 1.0, 0.5
    logits = to_logits(problem, said.outputs) if said.logits is None else said.logits
    temperature = fit_temperature(logits, said.targets, problem.task)
    said = replace(said, outputs=activate(problem, logits, temperature), logits=logits)
    threshold = choose(config.problem, desk.metric, said.targets, said.outputs) if problem.task != "multiclass" else 0.5
    measured = score(ctx.store, problem, desk.metric, said, seed=ctx.seed, threshold=threshold)
    kept = {name: getattr(scored, name) for name in ("seconds", "rows", "rounds", "model", "train_value")}
    return measured.model_copy(update=kept), temperature, threshold


def _compare(ctx: Context, desk: Desk, one: ModelScore, simple: ModelScore, thresholds: tuple[Threshold, Threshold]) -> Comparison:
    """A model against a simple one on the same held-out items, each at its own threshold."""
    one_says, simple_says = (load_predictions(ctx.store, scored.predictions) for scored in (one, simple))
    return paired(desk.metric, one_says, simple_says, seed=ctx.seed, thresholds=thresholds)


def _best_epoch(desk: Desk, trained: Trained) -> float:
    """Where val was best, the latest of equals."""
    records = [r for r in trained.history if r.val_metric is not None]
    best = (max if desk.metric.greater_is_better else min)((r.val_metric or 0.0 for r in records), default=None)
    return max((r.epoch for r in records if r.val_metric == best), default=trained.trial.epochs)


def _epochs_for_final(desk: Desk, trained: Trained, net: ModelScore) -> float:
    """As long as the net was trained, unless its end was worse than its best epoch by more than the noise of val: then training should end there."""
    best_epoch = _best_epoch(desk, trained)
    best = next((r.val_metric for r in trained.history if r.epoch == best_epoch), None)
    last = trained.history[-1].val_metric if trained.history else None
    if last is None or best is None or net.interval is None or abs(best - last) <= (net.interval[1] - net.interval[0]) / 2:
        return min(trained.trial.epochs, trained.history[-1].epoch if trained.history else trained.trial.epochs)
    return max(best_epoch, 1.0)
