"""s11: trains the chosen setting on train and val together. There is no val any more: all was fixed before, and the last weights count."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from surefoot.engine.build import Desk, build_network, lay_out, set_prior
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import fit
from surefoot.engine.jobs import make_job, settle_speed
from surefoot.engine.weights import save_weights
from surefoot.engine.winners import sample_rows, tuned_network
from surefoot.engine.yardsticks import fit_yardstick
from surefoot.models.network import Network
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

_RESUMED_EPOCHS, _RESUMED_LR = 1 / 3, 0.1
"""Going on from the tuned weights: a third of its epochs at a tenth of its peak lr, so that what it knows is kept."""


def final(ctx: Context, config: FinalStepConfig, *, problem: Problem, data: PreparedData, baseline: BaselineReport, tune: TuneReport) -> FinalReport:
    """Trains the winner on everything but the test set, from scratch or from the tuned weights, in declared phases."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    if tune.winner != "net":
        return _refit(ctx, desk, tune, baseline)
    is_scratch = config.final.start == "scratch"
    statistics = desk.final_statistics if is_scratch else desk.statistics[0]
    network = _start(ctx, desk, tune, is_scratch)
    settle_speed(ctx, make_job(desk, network, desk.everything, desk.everything[:0], tune.train, statistics, seed=ctx.seed), tune.train, "the final training")
    records: list[PhaseRecord] = []
    diverged = False
    for number, phase in enumerate(config.train.phases or [_default_phase(tune, is_scratch)]):
        record, diverged = _run_phase(ctx, desk, network, statistics, _phase_config(tune.train, phase), phase.data, number)
        records.append(record)
        if diverged:
            break
    return FinalReport(
        winner="net",
        model=save_weights(ctx.store, network),
        model_config_used=tune.model,
        phases=tuple(records),
        num_rows=len(desk.examples),
        start=config.final.start,
        kernels=_first_kernels(ctx, network),
        findings=_find(diverged, records),
    )


def _start(ctx: Context, desk: Desk, tune: TuneReport, is_scratch: bool) -> Network:
    if not is_scratch:
        return tuned_network(ctx, desk, tune, 0)
    network = build_network(desk.problem, desk.examples.fields, tune.model, desk.final_statistics, seed=ctx.seed, folder=ctx.root)
    set_prior(network, desk.problem, desk.examples.plain_targets(desk.everything))
    return network


def _default_phase(tune: TuneReport, is_scratch: bool) -> PhaseConfig:
    if is_scratch:
        return PhaseConfig(epochs=tune.epochs)
    return PhaseConfig(epochs=max(1.0, tune.epochs * _RESUMED_EPOCHS), lr=tune.train.lr * _RESUMED_LR)


def _phase_config(train: TrainConfig, phase: PhaseConfig) -> TrainConfig:
    said = {name: value for name in ("lr", "schedule", "batch_size", "optimizer") if (value := getattr(phase, name)) is not None}
    return train.model_copy(update=said | {"epochs": phase.epochs})


def _run_phase(
    ctx: Context, desk: Desk, network: Network, statistics: dict[str, np.ndarray], train: TrainConfig, on: str, number: int
) -> tuple[PhaseRecord, bool]:
    rows = desk.everything if on == "train+val" else desk.train[0]
    job = make_job(desk, network, rows, rows[:0], train, statistics, seed=ctx.seed, folder=ctx.root)
    name = f"final phase {number}"
    fitted = fit(job, train, seed=ctx.seed, name=name, folder=ctx.run_dir / name, listen=partial(ctx.events.progress, name))
    record = PhaseRecord(
        name=f"{on}, {train.optimizer}",
        epochs=train.epochs,
        lr=train.lr,
        batch_size=train.batch_size,
        optimizer=train.optimizer,
        num_rows=len(rows),
        history=fitted.records,
    )
    return record, fitted.diverged


def _refit(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport) -> FinalReport:
    """A simple model on everything, with what it learnt about its own size before (rounds of boosting)."""
    rounds = 0
    if tune.winner == "boosting":
        train = sample_rows(ctx.seed, desk.train[0], baseline.models["boosting"].rows)
        rounds = fit_yardstick("boosting", desk, train, desk.val[0][:10], desk.statistics[0], seed=ctx.seed).rounds
    model = fit_yardstick(tune.winner, desk, desk.everything, desk.everything[:10], desk.final_statistics, seed=ctx.seed, rounds=rounds, stop_early=False)
    stored = save_weights(ctx.store, model.network) if model.network else ctx.store.put_bytes(model.text.encode())
    phase = PhaseRecord(name=f"train+val, {tune.winner}", epochs=float(rounds), lr=0.0, batch_size=0, optimizer=tune.winner, num_rows=len(desk.examples))
    return FinalReport(winner=tune.winner, model=stored, model_config_used=tune.model, phases=(phase,), num_rows=len(desk.examples), start="scratch")


def _first_kernels(ctx: Context, network: Network) -> str:
    """The kernels of the first convolution, for the page; empty where there is none."""
    for module in network.body.modules():
        if isinstance(module, torch.nn.Conv2d):
            return ctx.store.put_arrays({"kernels": module.weight.detach().float().cpu().numpy()})
    return ""


def _find(diverged: bool, records: list[PhaseRecord]) -> tuple[Finding, ...]:
    if not diverged:
        return ()
    return (
        Finding(
            code="train.diverged",
            severity="stop",
            what=f"The final training diverged in phase {len(records)}: the loss was no finite number.",
            where="s11_final",
            next="Lower the lr of that phase, or set train.clip = 1.0, then `surefoot run --from final`.",
            evidence={"phase": len(records), "lr": records[-1].lr},
        ),
    )
