"""s06: before anything is trained in earnest, shows that the net can learn: shapes, loss at init, gradients, a tiny batch by heart."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from surefoot import losses, randomness
from surefoot.checks import training as checks
from surefoot.checks import trials as short
from surefoot.checks.causes import explain
from surefoot.checks.verdict import Verdict
from surefoot.engine import gradients, head, layers, probe, trials
from surefoot.engine.backprop import run_backprop
from surefoot.engine.build import Desk, build_network, lay_out, set_prior
from surefoot.engine.devices import choose_device
from surefoot.engine.fit import Fitted, Job, fit
from surefoot.engine.jobs import PLAIN, make_job, resolve_train, settle_speed, tell_batch
from surefoot.engine.pace import take_stock
from surefoot.exporting.onnx import export_onnx
from surefoot.models.build import sizes
from surefoot.models.cost import count_flops, count_parameters
from surefoot.models.network import Deployed
from surefoot.optim.usual import find_usual
from surefoot.types import (
    Context,
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
_HOPELESS = 150
"""Steps after which a tiny batch that still costs three quarters of what it did is given up at this lr; sound nets know it by heart after some 50."""
_DEALS = 3
_LOOKED_AT, _FEW, _SAMPLE = 64, 8, 512
"""Items on which layers are looked at, gradients are checked, and losses are measured."""
_BEYOND_USUAL = 3.0
"""An lr so many times the usual one is compared with it, although the net learns something."""

Curves = dict[str, tuple[float, ...]]


def sanity(ctx: Context, config: SanityStepConfig, *, problem: Problem, data: PreparedData) -> SanityReport:
    """Runs every check on the first fold with the smallest model: regularisation and augmentation are off."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    model = _smallest(config.model, data, problem)
    train = resolve_train(config.train, len(desk.folds[0].train), problem.kind, **PLAIN, class_weights="none", sampling="plain")
    if told := tell_batch(config.train, len(desk.folds[0].train)):
        ctx.events.say(f"  {told}")
    job = _job(desk, model, train)
    verdicts = [_ask_shape(ctx, job, problem)]
    curves: Curves = {}
    if verdicts[0][0].ok:
        seen, given, more = _ask_ways(ctx, desk, job)
        verdicts += more
    if all(check.ok for check, _ in verdicts):  # a net of the wrong shape, or that its input or no gradient goes through, fails all else, or breaks it
        pace = take_stock(ctx, config.budget, "sanity")
        train, rate = settle_speed(ctx, job, train, "the sanity checks")
        first = layers.look_at_layers(job, _pick(ctx, desk, "layers", _LOOKED_AT))
        verdicts += [*_look_at_ends(ctx, desk, job, config.train, seen), *_look_inside(ctx, desk, job), checks.symmetric(first), *checks.layers(first)]
        verdicts.append(checks.exportable(_try_export(desk, job, problem, data)))
        if not any(finding and finding.severity == "stop" for _, finding in verdicts):  # else training would show its symptoms, and nothing more
            tried, curves = _try_out(trials.set_up(ctx, desk, model, train, seen.says, pace.seconds() * rate), desk, model, config.train, first, given)
            verdict, curves["tiny batch"] = _memorise(ctx, desk, model, train)
            verdicts += [*tried, verdict]
    inputs = job.examples.inputs(torch.from_numpy(desk.folds[0].train[:1]))
    return SanityReport(
        checks=tuple(check for check, _ in verdicts),
        curves=curves,
        num_parameters=count_parameters(job.network.body),
        flops=count_flops(job.network.eval(), inputs),
        layers=getattr(job.network.body, "layers", "") or type(job.network.body).__name__,
        findings=explain(short.name_nearer([finding for _, finding in verdicts if finding])),
    )


def _smallest(model: ModelConfig, data: PreparedData, problem: Problem) -> ModelConfig:
    """The first rung of the ladder that s07 climbs, without dropout."""
    width, depth = sizes(data.fields, problem.num_outputs)[0]
    return model.model_copy(update={"dropout": 0.0, "width": model.width or width, "depth": model.depth or depth})


def _job(desk: Desk, model: ModelConfig, train: TrainConfig) -> Job:
    return make_job(desk, build_network(desk, model, desk.folds[0]), desk.folds[0], train)


def _pick(ctx: Context, desk: Desk, what: str, num: int) -> np.ndarray:
    """A seeded sample of the first fold's train rows: files lie class by class, so the first ones would not do."""
    rows = desk.folds[0].train
    return rows[np.sort(randomness.stream(ctx.seed, what).permutation(len(rows))[:num])]


def _ask_shape(ctx: Context, job: Job, problem: Problem) -> Verdict:
    outputs = probe.random_outputs(job, 4, ctx.seed)
    return checks.output_shape(tuple(outputs.shape), 4, problem.num_outputs, bool(torch.isfinite(outputs).all()))


def _ask_ways(ctx: Context, desk: Desk, job: Job) -> tuple[head.HeadEvidence, float, list[Verdict]]:
    """What is seen of the last layer, what the first is given of the input, and whether that reaches the outputs and a gradient comes back."""
    seen = head.look_at_head(job, probe.random_inputs(job, _LOOKED_AT, ctx.seed), ctx.seed)
    moves, given = head.measure_reach(job, _pick(ctx, desk, "layers", _LOOKED_AT), ctx.seed)
    reaches = checks.sees_input(moves, given)
    return seen, given, [reaches, *([checks.has_gradient(probe.has_gradient(job, desk.folds[0].train[:_FEW]))] if reaches[0].ok else [])]


def _look_at_ends(ctx: Context, desk: Desk, job: Job, asked: TrainConfig, seen: head.HeadEvidence) -> list[Verdict]:
    """The last layer against the task, and the loss at init against theory; a loss of the user's choice is asked what any loss must do."""
    task, rows = desk.problem.task, _pick(ctx, desk, "init loss", _SAMPLE)
    found = [checks.last_layer(seen, task, is_own_loss=bool(asked.loss)), checks.bias(seen)]
    if asked.loss:
        mixed = _alternate(desk, randomness.stream(ctx.seed, "own loss").permutation(desk.folds[0].train))[:_SAMPLE]
        return [*found, checks.own_loss(head.look_at_loss(job, mixed, seen.says))]
    if not desk.problem.classes:
        due, theory = losses.expected_at_init(task, job.targets[torch.from_numpy(rows)].cpu().numpy(), desk.problem.num_outputs)
        return [*found, checks.init_loss(probe.loss_at_init(job, rows), due, theory, slack=1.0, tolerance=checks.AMOUNT_TOLERANCE)]
    even, theory = losses.expected_at_init(task, None, desk.problem.num_outputs)
    found.append(checks.init_loss(probe.loss_at_init(job, rows), even, theory))
    said = replace(job, network=copy.deepcopy(job.network))
    targets = desk.examples.plain_targets(rows)
    if set_prior(said.network, desk.problem, targets):
        prior = losses.class_shares(task, targets, desk.problem.num_outputs)
        due, theory = losses.expected_at_init(task, prior, desk.problem.num_outputs)
        found.append(checks.init_loss(probe.loss_at_init(said, rows), due, theory, name="loss with the prior as last bias", slack=even))
    return found


def _look_inside(ctx: Context, desk: Desk, job: Job) -> list[Verdict]:
    """Gradients, weights and items: what can be seen without training."""
    rows = _pick(ctx, desk, "gradients", _FEW)
    found = gradients.check_gradients(job, rows, ctx.seed)
    verdicts = [
        checks.gradient(found.error, found.where, found.threshold),
        checks.unknown_weights(layers.find_unknown_weights(job, rows)),
        checks.batch_leak(*probe.batch_leak(job, rows)),
        checks.has_activation(probe.is_affine(job, rows, ctx.seed), probe.count_layers(job)),
    ]
    if found.threshold == gradients.DOUBLE and probe.says_the_same(job, rows) and (equations := run_backprop(job, rows)):
        worst = max(equations, key=lambda row: row.error)
        verdicts.append(checks.backprop(worst.error, worst.layer, len(equations)))
    return verdicts


def _try_out(
    runs: trials.Trials, desk: Desk, model: ModelConfig, asked: TrainConfig, first: list[layers.LayerEvidence], given: float
) -> tuple[list[Verdict], Curves]:
    """The same few steps on real inputs, on zeroed inputs, and on shuffled labels; what diverged is compared with nothing."""
    verdicts = [short.reproducible(*trials.is_same_again(runs, desk, model))]
    real = runs.run(runs.base, "real inputs")
    for release, judge in ((trials.unclip, partial(short.clipping, runs.train.clip)), (trials.free, partial(short.dropout, None))):
        has_learnt = short.has_learnt(trials.last_loss(real), runs.prior(runs.base.train))
        if not has_learnt and (freed := release(runs)):
            held = judge(trials.last_loss(real), trials.last_loss(freed[1]))
            if not held[0].ok:  # held back as it was, all that follows would say the same once more
                verdicts.append(held)
                runs, real = freed
    base = runs.base
    real, lr, verdict = _settle_lr(runs, real, desk.problem, asked)
    verdicts.append(verdict)
    suited = replace(runs, train=runs.train.model_copy(update={"lr": lr}))
    fitted = {"real inputs": real, "zeroed inputs": suited.run(probe.blind(base), "zeroed inputs"), "shuffled labels": _shuffle(suited)}
    curves = {name: tuple(record.loss for record in one.records) for name, one in fitted.items()}
    diverged = [name for name, one in fitted.items() if one.diverged or not one.records]
    verdicts.append(short.stays_finite(diverged, suited.train.lr))
    if diverged:
        return verdicts, curves
    rows = base.train[np.linspace(0, len(base.train) - 1, min(_LOOKED_AT, len(base.train))).astype(int)]  # the first lie in one class, if files do
    trained = replace(base, network=real.network)
    influence = max(probe.input_influence(base, rows), probe.input_influence(trained, rows))
    apart = probe.pick_apart(base, base.val)
    chance = probe.chance_of(trained, apart, runs.ctx.seed) if len(apart) > 1 else 1.0
    return [
        *verdicts,
        short.looks_at_input(influence, real.records[-1].loss, fitted["zeroed inputs"].records[-1].loss, chance, given),
        short.shuffled_labels(_val_loss(fitted["shuffled labels"]), runs.prior()),
        *([short.generalises(chance, len(apart))] if len(apart) > 1 else []),
        short.modes(*probe.mode_losses(trained, rows), runs.prior(rows), probe.find_stale_norms(trained)),
        short.dropout(probe.dropout_noise(trained, rows, runs.ctx.seed)),
        *checks.layers(layers.look_at_layers(trained, rows), "after the first steps", first, is_blind=influence == 0),
    ], curves


def _settle_lr(runs: trials.Trials, real: Fitted, problem: Problem, asked: TrainConfig) -> tuple[Fitted, float, Verdict]:
    """The run on real inputs at an lr that suits, that lr, and what is to be said of the one asked for."""
    prior = runs.prior(runs.base.train)
    others: dict[float, Fitted] = {}
    lr, usual = runs.train.lr, find_usual(runs.train.optimizer).peak(problem.kind)
    if not short.has_learnt(trials.last_loss(real), prior) or (asked.lr and lr > _BEYOND_USUAL * usual):
        others = trials.try_lrs(runs, real, problem.kind, lambda own, other: short.learns_more(other, own, prior))
    reached = {other: trials.last_loss(one) for other, one in others.items()}
    verdict = short.lr(lr, trials.last_loss(real), reached, prior, is_given=bool(asked.lr))
    if not verdict[0].ok:
        lr = min(reached, key=lambda other: reached[other])
    return others.get(lr, real), lr, verdict


def _shuffle(runs: trials.Trials) -> Fitted:
    """A run on shuffled labels. A leak teaches at every deal, a lucky guess on a dozen val items does not."""
    prior = runs.prior()
    for deal in range(_DEALS):
        fitted = runs.run(probe.shuffle_labels(runs.base, runs.ctx.seed, deal), "shuffled labels")
        if fitted.diverged or not fitted.records or short.shuffled_labels(_val_loss(fitted), prior)[0].ok:
            break
    return fitted


def _val_loss(fitted: Fitted) -> float:
    return float(fitted.records[-1].val_loss or 0.0)


def _memorise(ctx: Context, desk: Desk, model: ModelConfig, train: TrainConfig) -> tuple[Verdict, tuple[float, ...]]:
    """Trains on one tiny batch, without dropout, until it is known by heart, or the steps run out; each item counts, whatever it weighs."""
    rows = _tiny_batch(ctx, desk)
    is_named = bool(desk.problem.classes)
    curve: list[float] = []
    steps, best = 0, -math.inf
    for lr in (3e-3, 1e-3, 1e-2):  # a tiny batch is memorised at some ordinary lr, or not at all
        job = _job(desk, model, train)
        job = probe.even_out(replace(job, examples=job.examples.unweighted(), train=rows, val=rows[:0], watch=rows[:0]), rows)
        curve = [probe.right_share(job, rows)[1]]
        for start in range(0, _STEPS, _EVERY):
            part = train.model_copy(update={"batch_size": len(rows), "epochs": float(_EVERY), "lr": lr, "schedule": "fixed", "optimizer": "adam", "clip": 1.0})
            with head.without_dropout(job.network):
                fit(job, part, seed=ctx.seed, name=f"tiny batch {lr} {start}")
            share, loss = probe.right_share(job, rows)
            curve.append(loss)
            steps, best = max(steps, start + _EVERY), max(best, share)
            if share >= (short.MEMORISED if is_named else short.MEMORISED_R2):
                return short.memorised(share, is_named, start + _EVERY, len(rows)), tuple(curve)
            if start + _EVERY >= _HOPELESS and not short.is_clearly_under(loss, curve[0], short.BETTER):
                break
    return short.memorised(best, is_named, steps, len(rows)), tuple(curve)


def _tiny_batch(ctx: Context, desk: Desk) -> np.ndarray:
    """A few train items of every class, or of several amounts or labels, none of which is equal to another: conflicting labels can't be memorised."""
    rows = randomness.stream(ctx.seed, "tiny batch").permutation(desk.folds[0].train)
    contents = [str(i).rsplit("-", 1)[0] for i in desk.examples.pack.ids(rows)]
    _, first = np.unique(contents, return_index=True)
    rows = rows[np.sort(first)]
    if desk.problem.task not in ("binary", "multiclass"):
        return _alternate(desk, rows)[:_TINY]
    labels = desk.examples.plain_targets(rows)
    each = max(1, _TINY // len(desk.problem.classes))
    return np.concatenate([rows[labels == number][:each] for number in range(len(desk.problem.classes))])[: 4 * _TINY]


def _alternate(desk: Desk, rows: np.ndarray) -> np.ndarray:
    """The same rows with each second one of another target than the most common one, for as long as there are such.

    Of amounts that are zero for 95 %, a plain sample of 24 is all zeros with chance 0.95^24 = 29 %, and of one class in two hundred 512 items hold none
    with 8 %: then there is nothing to learn by heart, and nothing to mix up.
    """
    targets = desk.examples.plain_targets(rows)
    _, of, counts = np.unique(targets.reshape(len(rows), -1), axis=0, return_inverse=True, return_counts=True)
    is_usual = of.reshape(-1) == counts.argmax()
    turn = np.where(is_usual, np.cumsum(is_usual), np.cumsum(~is_usual))
    return rows[np.argsort(turn, kind="stable")]


def _try_export(desk: Desk, job: Job, problem: Problem, data: PreparedData) -> str:
    """Empty where the untrained net can be exported, else the reason it can't."""
    try:
        export_onnx(Deployed(copy.deepcopy(job.network).cpu().eval(), problem.head), data.fields)
    except SurefootError as error:
        return error.what
    return ""
