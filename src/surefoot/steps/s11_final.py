"""s11: trains the chosen setting on train and val together. There is no val any more: all was fixed before, and the last weights count."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from surefoot import __version__, refs
from surefoot.checks.curves import judge_run
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.compiling import settle_compile
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import Job, fit
from surefoot.engine.floor import refuse_hopeless, settle_floor
from surefoot.engine.health import Fault
from surefoot.engine.jobs import fill_batch, make_job, settle_speed, start_job, tell_batch
from surefoot.engine.weights import load_weights, save_weights
from surefoot.engine.winners import tuned_network, tuned_yardstick
from surefoot.engine.yardsticks import fit_yardstick
from surefoot.models.boosting import ENOUGH, Rounds
from surefoot.models.network import Network
from surefoot.settings import budget_seconds
from surefoot.types import (
    BaselineReport,
    Context,
    FinalReport,
    FinalStepConfig,
    Finding,
    PhaseConfig,
    PhaseRecord,
    PreparedData,
    Problem,
    TrainConfig,
    TuneReport,
)
from surefoot.types.figures import write

_RESUMED_EPOCHS, _RESUMED_LR = 1 / 3, 0.1
"""Going on from trained weights: a third of the epochs (where none are said) at a tenth of the peak lr, so that what the net knows is kept."""


def final(ctx: Context, config: FinalStepConfig, *, problem: Problem, data: PreparedData, baseline: BaselineReport, tune: TuneReport) -> FinalReport:
    """Trains the winner on everything but the test set, from scratch or from the tuned weights, in declared phases."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    if tune.winner != "net":
        if config.final.more:
            ctx.events.say(f"  final.more: {tune.winner} is no net and has no epochs; nothing is put behind it")
        return _refit(ctx, desk, tune, baseline)
    is_scratch = config.final.start == "scratch"
    job = _start(ctx, desk, tune, is_scratch)
    records, fault = _train(ctx, config, desk, job, tune, _hash_inputs(ctx, config, problem, data, tune))
    return FinalReport(
        winner="net",
        model=save_weights(ctx.store, job.network),
        model_config_used=tune.model,
        phases=tuple(records),
        num_rows=len(desk.examples),
        start=config.final.start,
        kernels=_first_kernels(ctx, job.network),
        findings=(
            *_find(fault, records),
            *(finding for number, phase in enumerate(records) for finding in _judge(phase, is_asked=bool(config.train.phases) or number > 0)),
        ),
    )


def _train(ctx: Context, config: FinalStepConfig, desk: Desk, job: Job, tune: TuneReport, made_by: str) -> tuple[list[PhaseRecord], Fault | None]:
    """The phases, one after the other, up to the first that breaks; those that the training before shares are taken over from it."""
    train, rate = settle_speed(ctx, job, tune.train, "the final training")
    phases = _list_phases(config, tune)
    seconds = sum(phase.epochs for phase in phases) * len(job.train) / rate
    train = settle_compile(ctx, job, train, seconds, "the final training")
    done = {phase.made_by: phase for phase in ctx.previous.phases if phase.weights} if isinstance(ctx.previous, FinalReport) else {}
    records: list[PhaseRecord] = []
    for number, phase in enumerate(phases):
        made_by, train = _hash(made_by, phase.model_dump()), _phase_config(train, phase)
        if made_by in done:
            ctx.events.say(f"  final phase {number}: the weights of the training before stand, and it goes on from them")
            load_weights(ctx.store, done[made_by].weights, job.network)
            records.append(done[made_by])
            continue
        _refuse_hopeless(ctx, config, job, train, sum(one.epochs for one in phases[number:]), rate)
        record, fault = _run_phase(ctx, job, desk.folds[0].train, train, phase.data, number)
        if fault:
            return [*records, record], fault
        records.append(record.model_copy(update={"weights": save_weights(ctx.store, job.network), "made_by": made_by}))
    return records, None


def _refuse_hopeless(ctx: Context, config: FinalStepConfig, job: Job, train: TrainConfig, epochs: float, rate: float) -> None:
    """Refuses epochs that were asked for and that the budget can't bear; those that the search found are planned within it."""
    if config.train.phases or config.final.more:
        floor_s, _, _ = settle_floor(ctx, job, train.precision)
        what = f"The final training, {write(epochs)} epochs,"
        refuse_hopeless(epochs * floor_s, epochs * len(job.train) / rate, budget_seconds(config.budget), what)


def _hash_inputs(ctx: Context, config: FinalStepConfig, problem: Problem, data: PreparedData, tune: TuneReport) -> str:
    """Of all that the first phase depends on besides its own settings: those of later phases are left out."""
    own = config.model_copy(update={"train": config.train.model_copy(update={"phases": []}), "final": config.final.model_copy(update={"more": []})})
    reports = [report.model_dump(mode="json") for report in (problem, data, tune)]
    return _hash(__version__, [ctx.seed, own.model_dump(mode="json"), refs.hash_user_code(config.model_dump(mode="json"), ctx.root), reports])


def _hash(before: str, what: object) -> str:
    return hashlib.sha256(json.dumps([before, what], sort_keys=True).encode()).hexdigest()[:32]  # not as long as the name of a stored file, which it is not


def _start(ctx: Context, desk: Desk, tune: TuneReport, is_scratch: bool) -> Job:
    """A fresh net with statistics of its own, or the tuned one with those it was trained with."""
    if is_scratch:
        return start_job(desk, tune.model, desk.whole, tune.train)
    part = replace(desk.whole, statistics=desk.folds[0].statistics)
    return make_job(desk, tuned_network(ctx, desk, tune, 0), part, tune.train)


def _list_phases(config: FinalStepConfig, tune: TuneReport) -> list[PhaseConfig]:
    """The declared phases, or the one that the search found, and what was put behind them."""
    phases = list(config.train.phases) or [_default_phase(tune, config.final.start == "scratch")]
    lr = next((phase.lr for phase in reversed(phases) if phase.lr), tune.train.lr) * _RESUMED_LR
    for phase in config.final.more:
        lr = phase.lr or lr
        phases.append(phase.model_copy(update={"lr": lr}))
    return phases


def _default_phase(tune: TuneReport, is_scratch: bool) -> PhaseConfig:
    if is_scratch:
        return PhaseConfig(epochs=tune.epochs)
    return PhaseConfig(epochs=max(1.0, tune.epochs * _RESUMED_EPOCHS), lr=tune.train.lr * _RESUMED_LR)


def _phase_config(train: TrainConfig, phase: PhaseConfig) -> TrainConfig:
    """The settings of a phase, given those of the phase before: what is not said stays as it was."""
    said = {name: value for name in ("lr", "schedule", "batch_size", "optimizer") if (value := getattr(phase, name)) is not None}
    return train.model_copy(update=said | {"epochs": phase.epochs})


def _run_phase(ctx: Context, whole: Job, train_rows: np.ndarray, train: TrainConfig, on: str, number: int) -> tuple[PhaseRecord, Fault | None]:
    job = whole if on == "train+val" else replace(whole, train=train_rows)
    if told := tell_batch(train, len(job.train)):
        ctx.events.say(f"  {told}")
    train = fill_batch(train, len(job.train))
    name = f"final phase {number}"
    fitted = fit(job, train, seed=ctx.seed, name=name, folder=ctx.run_dir / name, listen=partial(ctx.events.progress, name))
    record = PhaseRecord(
        name=f"{on}, {train.optimizer}",
        epochs=train.epochs,
        lr=train.lr,
        batch_size=train.batch_size,
        optimizer=train.optimizer,
        num_rows=len(job.train),
        history=fitted.records,
    )
    return record, fitted.fault


def _refit(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport) -> FinalReport:
    """A simple model on everything, with what it learnt about its own size before (rounds of boosting)."""
    rounds = ENOUGH
    if tune.winner == "boosting":
        rounds = Rounds(tuned_yardstick(desk, "boosting", baseline, 0, desk.whole.train[:10]).rounds, early=False)
    model = fit_yardstick(tune.winner, desk, desk.whole, desk.whole.train[:10], rounds)
    stored = save_weights(ctx.store, model.network) if model.network else ctx.store.put_bytes(model.text.encode())
    phase = PhaseRecord(name=f"train+val, {tune.winner}", epochs=float(model.rounds), lr=0.0, batch_size=0, optimizer=tune.winner, num_rows=len(desk.examples))
    return FinalReport(winner=tune.winner, model=stored, model_config_used=tune.model, phases=(phase,), num_rows=len(desk.examples), start="scratch")


def _first_kernels(ctx: Context, network: Network) -> str:
    """The kernels of the first convolution, for the page; empty where there is none."""
    for module in network.body.modules():
        if isinstance(module, torch.nn.Conv2d):
            return ctx.store.put_arrays({"kernels": module.weight.detach().float().cpu().numpy()})
    return ""


def _judge(phase: PhaseRecord, *, is_asked: bool) -> list[Finding]:
    """What a phase's curve says: there is no val in it, so that is what lr and the train loss say.

    Args:
        is_asked: the user declared it; else it is what the search found.
    """
    return judge_run(phase.history, is_asked=is_asked, where="s11_final", peak_lr=phase.lr)


def _find(fault: Fault | None, records: list[PhaseRecord]) -> tuple[Finding, ...]:
    if fault is None:
        return ()
    return (
        Finding(
            code="train.diverged",
            severity="stop",
            what=f"The final training diverged in phase {len(records)}. {fault.describe()}",
            where=f"s11_final, step {fault.step + 1}, {fault.layer}",
            next="Lower the lr of that phase, or set train.clip = 1.0, then `surefoot run --from final`.",
            evidence={"phase": len(records), "lr": records[-1].lr, "step": fault.step + 1},
            ids=fault.ids,
        ),
    )
