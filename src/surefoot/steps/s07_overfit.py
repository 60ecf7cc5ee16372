"""s07: finds a model that is big enough to overfit: first reach the goal on train, then worry about val."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from surefoot.engine.build import Desk, lay_out
from surefoot.engine.devices import choose_device
from surefoot.engine.feed import count_steps
from surefoot.engine.fit import Job, fit
from surefoot.engine.floor import refuse_hopeless, settle_floor
from surefoot.engine.jobs import PLAIN, count_epoch_items, fill_batch, resolve_train, settle_speed, smoke_epochs, start_job
from surefoot.engine.lr_range import find_lr
from surefoot.engine.pace import Pace, take_stock
from surefoot.metrics import better
from surefoot.models.build import sizes
from surefoot.models.cost import count_flops, count_parameters
from surefoot.settings import budget_seconds
from surefoot.types import (
    BaselineReport,
    Context,
    Finding,
    LrRange,
    ModelConfig,
    ModelSize,
    OverfitReport,
    OverfitStepConfig,
    PreparedData,
    Problem,
    SanityReport,
    TrainConfig,
)
from surefoot.types.figures import write

_LEAST_STEPS = 200
"""Steps under which a net has shown nothing."""
_LATER = 2
"""Trainings in full, on every fold, that the search makes at least: of the defaults, and of the best; the last one comes on top."""
_FEWEST_EPOCHS, _MOST_EPOCHS, _FEW_EPOCHS = 0.2, 40, 10
_SMOKE_RUNGS = 2
_TURNED = 1.02
"""Val has turned when its loss ends this much above its lowest."""


def overfit(ctx: Context, config: OverfitStepConfig, *, problem: Problem, data: PreparedData, baseline: BaselineReport, sanity: SanityReport) -> OverfitReport:
    """Climbs a ladder of growing models, unregularised, until train reaches the goal and val has turned."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    pace = take_stock(ctx, config.budget, "overfit")
    goal = config.problem.goal if config.problem.goal is not None else baseline.models[baseline.best].value
    rungs = _rungs(config.model, data, problem)[: None if pace.budget_s else _SMOKE_RUNGS]
    train = resolve_train(config.train, len(desk.folds[0].train), problem.kind, **PLAIN, schedule="cosine")
    train, lr_range = _range_test(ctx, desk, config, rungs[0], train)
    ladder: list[ModelSize] = []
    planned = 0.0
    for number, model in enumerate(rungs):
        job = start_job(desk, model, desk.folds[0], train)
        train, rate = settle_speed(ctx, job, train, _name(model))
        epoch_s = count_epoch_items(job) / rate
        if ladder and (told := _refuse_larger(pace, desk, train, epoch_s, planned)):
            ctx.events.say(told)
            break
        _tell_cost(ctx, config, desk, job, epoch_s, precision=train.precision, is_first=not ladder)
        epochs = _affordable(pace, len(rungs), planned, epoch_s * len(desk.folds), train, len(job.train))
        planned += epochs * epoch_s * len(desk.folds)
        ladder.append(_climb(ctx, desk, model, train.model_copy(update={"epochs": epochs}), number).model_copy(update={"rate": rate}))
        if _reaches(desk, ladder[-1].train_value, goal) and _has_turned(ladder[-1]):
            break
    chosen = _choose(desk, ladder, goal)
    size = ladder[chosen]
    return OverfitReport(
        ladder=tuple(ladder),
        chosen=chosen,
        model=size.model,
        train=train,
        goal=goal,
        turned=_has_turned(size),
        lr_range=lr_range,
        findings=tuple(_find(desk, ladder, chosen, goal)),
    )


def _affordable(pace: Pace, num_rungs: int, planned_s: float, epoch_s: float, train: TrainConfig, num_train: int) -> float:
    """Epochs of a rung: its part of what the ladder may take, or, where that says nothing, `_LEAST_STEPS` as far as they go in."""
    if not pace.budget_s:
        return smoke_epochs(train, num_train)
    least = _LEAST_STEPS / count_steps(num_train, train.batch_size)
    part, rest = pace.seconds() / num_rungs / epoch_s, (pace.seconds() - planned_s) / epoch_s
    return float(np.clip(max(part, min(least, rest)), _FEWEST_EPOCHS, _MOST_EPOCHS))


def _refuse_larger(pace: Pace, desk: Desk, train: TrainConfig, epoch_s: float, planned_s: float) -> str:
    """Why the budget bears no larger model, empty where it does: too slow to show anything here, or to be trained later."""
    if not pace.budget_s:
        return ""
    part = desk.folds[0]
    shown_s = _LEAST_STEPS / count_steps(len(part.train), train.batch_size) * epoch_s * len(desk.folds)
    later_s = _FEW_EPOCHS * epoch_s * (_LATER * len(desk.folds) + 1)
    for needed, there, what in ((shown_s, pace.seconds() - planned_s, "to show anything"), (later_s, pace.seconds("tune"), "for the trainings to come")):
        if needed > there:
            return f"  the next larger model would need {write(needed, 2)} s {what}, of which the budget bears {write(max(there, 0.0), 2)}"
    return ""


def _tell_cost(ctx: Context, config: OverfitStepConfig, desk: Desk, job: Job, epoch_s: float, *, precision: str, is_first: bool) -> None:
    """Says what an epoch takes at least and what it will take, and refuses what no machine of this rate can do in the budget."""
    floor_s, flops, peak = settle_floor(ctx, job, precision)
    ctx.events.say(
        f"  {count_parameters(job.network.body):,} parameters, {write(flops / 1e6)} MFLOP to learn from an item: an epoch takes at least {write(floor_s, 2)} s"
        f" at this machine's {write(peak / 1e9, 2)} GFLOP/s in {precision}, and about {write(epoch_s, 2)} s as measured"
    )
    if is_first:
        epochs = (config.train.epochs or 1.0) * len(desk.folds)
        measured_s = epoch_s if config.train.epochs else floor_s  # epochs that are left open are cut to what the budget bears
        refuse_hopeless(floor_s * epochs, measured_s * epochs, budget_seconds(config.budget), f"Training for {write(epochs)} epochs")


def _range_test(ctx: Context, desk: Desk, config: OverfitStepConfig, model: ModelConfig, train: TrainConfig) -> tuple[TrainConfig, LrRange | None]:
    """The settings with the lr that the range test finds on the first rung, where it is asked for and lr was left open."""
    if not config.train.lr_range_test or config.train.lr:
        return train, None
    job = start_job(desk, model, desk.folds[0], train)
    train, _ = settle_speed(ctx, job, train, _name(model))  # another number of threads rounds otherwise

    def run() -> dict[str, Any]:
        found = find_lr(job, fill_batch(train, len(job.train)), seed=ctx.seed, name="lr range test")
        return found.model_copy(update={"lr": found.lr or train.lr}).model_dump(mode="json")

    found = LrRange.model_validate(ctx.ledger.decide("lr by the range test", run))
    why = ", the usual one: at none did the loss fall" if found.lr == train.lr else f": {len(found.lrs)} steps, each with a larger one"
    ctx.events.say(f"  lr {found.lr:.2g} by the range test{why}")
    return train.model_copy(update={"lr": found.lr}), found


def _name(model: ModelConfig) -> str:
    return f"model {model.width}x{model.depth}"


def _rungs(model: ModelConfig, data: PreparedData, problem: Problem) -> list[ModelConfig]:
    """Growing sizes; one only where the user said the size, the layers or the model."""
    plain = model.model_copy(update={"dropout": 0.0})
    if model.use or model.layers or (model.width and model.depth):
        return [plain]
    return [plain.model_copy(update={"width": model.width or width, "depth": model.depth or depth}) for width, depth in sizes(data.fields, problem.num_outputs)]


def _climb(ctx: Context, desk: Desk, model: ModelConfig, train: TrainConfig, number: int) -> ModelSize:
    """Trains one rung on every fold. The result is written down, so that a resumed step goes on with the next rung."""

    def run() -> dict[str, Any]:
        parts = []
        for fold in range(len(desk.folds)):
            job = start_job(desk, model, desk.folds[fold], train)
            name = f"rung {number} fold {fold}"
            listen = partial(ctx.events.progress, f"overfit: {name}")
            parts.append(fit(job, fill_batch(train, len(job.train)), seed=ctx.seed, name=name, folder=ctx.run_dir / name, listen=listen))
            ctx.ledger.count_look("overfit", name)
        inputs = job.examples.inputs(torch.from_numpy(desk.folds[0].train[:1]))
        faults = [fitted.fault for fitted in parts if fitted.fault]
        last = [] if faults else [fitted.records[-1] for fitted in parts]
        size = ModelSize(
            model=model,
            parameters=count_parameters(job.network.body),
            flops=count_flops(job.network.eval(), inputs),
            epochs=train.epochs,
            train_value=float(np.mean([r.train_metric for r in last])) if last else float("nan"),
            val_value=float(np.mean([r.val_metric for r in last])) if last else float("nan"),
            history=parts[0].records,
            fault=faults[0].describe() if faults else "",
        )
        return size.model_dump(mode="json")

    return ModelSize.model_validate(ctx.ledger.decide(f"rung {number}", run))


def _reaches(desk: Desk, value: float, goal: float) -> bool:
    return value == goal or better(desk.metric, value, goal)


def _has_turned(size: ModelSize) -> bool:
    losses = [r.val_loss for r in size.history if r.val_loss is not None]
    return len(losses) > 1 and losses[-1] > _TURNED * min(losses)


def _choose(desk: Desk, ladder: list[ModelSize], goal: float) -> int:
    """The first that reaches the goal on train and turns; else the one that is best on val."""
    for number, size in enumerate(ladder):
        if _reaches(desk, size.train_value, goal) and _has_turned(size):
            return number
    best = 0
    for number, size in enumerate(ladder):
        if better(desk.metric, size.val_value, ladder[best].val_value):
            best = number
    return best


def _find(desk: Desk, ladder: list[ModelSize], chosen: int, goal: float) -> list[Finding]:
    best = ladder[chosen]
    if not np.isfinite(best.train_value):
        return [
            Finding(
                code="train.diverged",
                severity="stop",
                what=f"The loss became NaN or infinite on every size of model. {best.fault}",
                where="s07_overfit",
                next="Lower train.lr (surefoot run --set train.lr=0.0005), or look at the inputs' ranges.",
                evidence={"lr": best.history[-1].lr if best.history else 0.0},
            )
        ]
    if not any(_reaches(desk, size.train_value, goal) for size in ladder):
        return [
            Finding(
                code="train.underfit",
                severity="warn" if best.epochs >= _MOST_EPOCHS else "info",  # else time ran out first, which says little about the model
                what=f"No model reached the goal {write(goal)} on train in this budget; the best got {write(best.train_value)} in {best.epochs:.1f} epochs.",
                where="s07_overfit",
                next="Give a larger budget, or a larger model (model.width, model.depth), or look at the inputs.",
                evidence={"goal": goal, "train": best.train_value, "epochs": best.epochs},
            )
        ]
    return []
