"""s06: before anything is trained in earnest, shows that the net can learn: shapes, loss at init, gradients, a tiny batch by heart."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch

from surefoot import losses, randomness
from surefoot.checks import training as checks
from surefoot.engine import probe
from surefoot.engine.build import Desk, build_network, lay_out, set_prior
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import Fitted, Job, fit
from surefoot.engine.jobs import PLAIN, fill_batch, make_job, resolve_train, settle_speed, tell_batch
from surefoot.exporting.onnx import export_onnx
from surefoot.models.build import sizes
from surefoot.models.cost import count_flops, count_parameters
from surefoot.models.network import Deployed
from surefoot.types import (
    Context,
    Finding,
    ModelConfig,
    PreparedData,
    Problem,
    SanityReport,
    SanityStepConfig,
    SurefootError,
    TrainConfig,
)

_TINY = 24
_STEPS, _EVERY = 400, 25
_SHORT_STEPS, _SHORT_LOOKS = 80, 8
_SHORT_ITEMS = 1_000
_DEALS = 3


def sanity(ctx: Context, config: SanityStepConfig, *, problem: Problem, data: PreparedData) -> SanityReport:
    """Runs every check on the first fold with the smallest model: regularisation and augmentation are off."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    model = _smallest(config.model, data, problem)
    train = resolve_train(config.train, len(desk.folds[0].train), problem.kind, **PLAIN, class_weights="none", sampling="plain")
    if told := tell_batch(config.train, len(desk.folds[0].train)):
        ctx.events.say(f"  {told}")
    job = _job(ctx, desk, model, train)
    verdicts = [_ask_shape(ctx, job, problem)]
    curves: dict[str, tuple[float, ...]] = {}
    if verdicts[0][0].ok:  # a net of the wrong shape fails all else, or breaks it
        train, _ = settle_speed(ctx, job, train, "the sanity checks")
        verdicts += _look(ctx, desk, job, not config.train.loss)
        short, curves = _short_runs(ctx, desk, model, train)
        verdict, curves["tiny batch"] = _memorise(ctx, desk, model, train)
        verdicts += [*short, verdict, checks.exportable(_try_export(desk, job, problem, data))]
    inputs = job.examples.inputs(torch.from_numpy(desk.folds[0].train[:1]))
    return SanityReport(
        checks=tuple(check for check, _ in verdicts),
        curves=curves,
        num_parameters=count_parameters(job.network.body),
        flops=count_flops(job.network.eval(), inputs),
        layers=getattr(job.network.body, "layers", "") or type(job.network.body).__name__,
        findings=_explain([finding for _, finding in verdicts if finding]),
    )


def _smallest(model: ModelConfig, data: PreparedData, problem: Problem) -> ModelConfig:
    """The first rung of the ladder that s07 climbs, without dropout."""
    width, depth = sizes(data.fields, problem.num_outputs)[0]
    return model.model_copy(update={"dropout": 0.0, "width": model.width or width, "depth": model.depth or depth})


def _job(ctx: Context, desk: Desk, model: ModelConfig, train: TrainConfig) -> Job:
    return make_job(desk, build_network(desk, model, desk.folds[0]), desk.folds[0], train)


def _ask_shape(ctx: Context, job: Job, problem: Problem) -> checks.Verdict:
    outputs = probe.random_outputs(job, 4, ctx.seed)
    return checks.output_shape(tuple(outputs.shape), 4, problem.num_outputs, bool(torch.isfinite(outputs).all()))


def _look(ctx: Context, desk: Desk, job: Job, has_theory: bool) -> list[checks.Verdict]:
    """What can be seen without training."""
    rows = desk.folds[0].train[: min(64, len(desk.folds[0].train))]
    sample = desk.folds[0].train[np.sort(randomness.stream(ctx.seed, "init loss").permutation(len(desk.folds[0].train))[:512])]
    return [
        *([checks.init_loss(probe.loss_at_init(job, sample), *_expected(desk, job, sample))] if has_theory else []),
        checks.gradient(probe.gradient_error(job, rows[:8], ctx.seed)),
        checks.batch_leak(probe.batch_leak(job, rows[:8])),
        *checks.layers(probe.first_step(job, rows)),
    ]


def _expected(desk: Desk, job: Job, rows: np.ndarray) -> tuple[float, str]:
    """What the task's own loss must be; a loss of the user's choice has no theory here."""
    if desk.problem.classes:
        return losses.expected_at_init(desk.problem.task, None, desk.problem.num_outputs)
    return losses.expected_at_init(desk.problem.task, job.targets[torch.from_numpy(rows)].cpu().numpy(), desk.problem.num_outputs)


def _short_runs(ctx: Context, desk: Desk, model: ModelConfig, train: TrainConfig) -> tuple[list[checks.Verdict], dict[str, tuple[float, ...]]]:
    """The same few steps on real inputs, on zeroed inputs, and on shuffled labels; what diverged is compared with nothing."""
    rows = desk.folds[0].train[np.sort(randomness.stream(ctx.seed, "short runs").permutation(len(desk.folds[0].train))[:_SHORT_ITEMS])]
    size = min(64, len(rows))
    short = fill_batch(train.model_copy(update={"batch_size": size}), len(rows))
    short = short.model_copy(update={"epochs": _SHORT_STEPS * short.batch_size / len(rows), "val_steps": _SHORT_STEPS // _SHORT_LOOKS})
    base = replace(_job(ctx, desk, model, short), train=rows, watch=rows[:0], val=desk.folds[0].val[:2_000])
    set_prior(base.network, desk.problem, desk.examples.plain_targets(rows))

    def run(job: Job, name: str) -> Fitted:
        ctx.events.progress(f"sanity: {name}", 0, 1)
        return fit(job, short, seed=ctx.seed, name=name)

    blind = run(replace(probe.blind(base)), "zeroed inputs")
    prior, shuffled = probe.prior_loss(base), run(probe.shuffle_labels(base, ctx.seed), "shuffled labels")
    for deal in range(1, _DEALS):  # a leak teaches every time, a lucky guess on a dozen val items does not
        if shuffled.diverged or not shuffled.records or checks.shuffled_labels(_val_loss(shuffled), prior)[0].ok:
            break
        shuffled = run(probe.shuffle_labels(base, ctx.seed, deal), "shuffled labels")
    influence = probe.input_influence(base, rows[:16])
    real = run(replace(base, network=copy.deepcopy(base.network)), "real inputs")
    runs = {"real inputs": real, "zeroed inputs": blind, "shuffled labels": shuffled}
    curves = {name: tuple(r.loss for r in fitted.records) for name, fitted in runs.items()}
    if diverged := [name for name, fitted in runs.items() if fitted.diverged or not fitted.records]:
        return [checks.stays_finite(diverged, short.lr)], curves
    verdicts = [
        checks.looks_at_input(
            max(influence, probe.input_influence(replace(base, network=real.network), rows[:16])), real.records[-1].loss, blind.records[-1].loss
        ),
        checks.shuffled_labels(_val_loss(shuffled), prior),
    ]
    return verdicts, curves


def _val_loss(fitted: Fitted) -> float:
    return float(fitted.records[-1].val_loss or 0.0)


def _memorise(ctx: Context, desk: Desk, model: ModelConfig, train: TrainConfig) -> tuple[checks.Verdict, tuple[float, ...]]:
    """Trains on one tiny batch until it is known by heart, or the steps run out."""
    rows = _tiny_batch(ctx, desk)
    job = replace(_job(ctx, desk, model, train), train=rows, val=rows[:0], watch=rows[:0])
    curve: list[float] = []
    share, steps, best = 0.0, 0, 0.0
    for lr in (3e-3, 1e-3, 1e-2):  # a tiny batch is memorised at some ordinary lr, or not at all
        job = replace(job, network=_job(ctx, desk, model, train).network)
        curve = [probe.right_share(job, rows)[1]]
        for start in range(0, _STEPS, _EVERY):
            part = train.model_copy(update={"batch_size": len(rows), "epochs": float(_EVERY), "lr": lr, "schedule": "fixed", "optimizer": "adam", "clip": 1.0})
            fit(job, part, seed=ctx.seed, name=f"tiny batch {lr} {start}")
            share, loss = probe.right_share(job, rows)
            curve.append(loss)
            steps = start + _EVERY
            best = max(best, share)
            if share >= (checks.MEMORISED if desk.problem.classes else checks.MEMORISED_R2):
                return checks.memorised(share, bool(desk.problem.classes), steps, len(rows)), tuple(curve)
    return checks.memorised(best, bool(desk.problem.classes), steps, len(rows)), tuple(curve)


def _tiny_batch(ctx: Context, desk: Desk) -> np.ndarray:
    """A few train items of every class, none of which is equal to another: conflicting labels can't be memorised."""
    rows = randomness.stream(ctx.seed, "tiny batch").permutation(desk.folds[0].train)
    contents = [str(i).rsplit("-", 1)[0] for i in desk.examples.pack.ids(rows)]
    _, first = np.unique(contents, return_index=True)
    rows = rows[np.sort(first)]
    if desk.problem.task not in ("binary", "multiclass"):
        return rows[:_TINY]
    labels = desk.examples.plain_targets(rows)
    each = max(1, _TINY // len(desk.problem.classes))
    return np.concatenate([rows[labels == number][:each] for number in range(len(desk.problem.classes))])[: 4 * _TINY]


def _try_export(desk: Desk, job: Job, problem: Problem, data: PreparedData) -> str:
    """Empty where the untrained net can be exported, else the reason it can't."""
    try:
        export_onnx(Deployed(copy.deepcopy(job.network).cpu().eval(), problem.head), data.fields)
    except SurefootError as error:
        return error.what
    return ""


def _explain(findings: list[Finding]) -> tuple[Finding, ...]:
    """The cause first: what a wrong shape, loss or gradient breaks is listed under it."""
    causes = (
        "model.output_shape",
        "model.gradient_wrong",
        "model.init_loss",
        "train.diverged",
        "model.batch_leak",
        "model.vanishing_gradient",
        "model.dead_units",
    )
    cause = next((code for code in causes if any(f.code == code for f in findings)), "")
    symptoms = ("model.cannot_overfit", "model.input_ignored")
    explained = [f.model_copy(update={"because": cause}) if cause and f.code in symptoms else f for f in findings]
    return tuple(sorted(explained, key=lambda f: (bool(f.because), causes.index(f.code) if f.code in causes else len(causes))))
