"""The two ends of a net where what it says meets what is asked: the range of its last layer, and how its loss behaves. `B` items, `K` outputs."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surefoot import randomness
from surefoot.engine.fit import Job
from surefoot.engine.predict import predict
from surefoot.models.network import Network

_DRAWS, _GAIN = 16, 3.0
"""Nets with weights drawn anew, three times as large as Glorot's: large enough that raw outputs leave any range that an activation has. A net of one output
may say one sign to all items under one draw: of four, one healthy net in eight did, of sixteen one in thirty thousand."""
_SURE, _SURER = 6.0, 60.0
"""Logits of answers that are all but sure: a sigmoid of 0.9975, and what no float32 tells from 1."""


@dataclass(frozen=True)
class HeadEvidence:
    """The outputs on random inputs, under weights drawn anew.

    Attributes:
        low, high: of all outputs. spread: the largest distance between two outputs of an item.
        sums_to_one: each item's outputs do, and none is negative.
        says: `probs` or `log-probs` where the outputs of a task with classes are so; empty: raw outputs, or amounts.
        layer: the last one with weights, where the outputs come straight from it. has_bias: of that layer; None where they don't.
    """

    low: float
    high: float
    spread: float
    sums_to_one: bool
    layer: str = ""
    has_bias: bool | None = None
    says: str = ""


@dataclass(frozen=True)
class LossEvidence:
    """What a loss says to made-up outputs, on real targets.

    Attributes:
        at_init: to the untrained net. neutral: to outputs that say nothing (0 everywhere).
        right, wrong: to outputs that are all but surely right, or surely wrong. mixed_up: to the right ones dealt to other items; NaN where all are alike.
        surer: to outputs ten times as sure, and right; None for amounts. repeated: to the same items twice, over once.
        takes: `probs` or `log-probs` where it is at ln K for even ones of these, but not for even logits; else empty.
        share: of the items, those on whose outputs it depends.
    """

    at_init: float
    neutral: float
    right: float
    wrong: float
    mixed_up: float
    repeated: float
    takes: str = ""
    surer: float | None = None
    share: float = 1.0


@torch.no_grad()
def look_at_head(job: Job, inputs: tuple[Tensor, ...], seed: int) -> HeadEvidence:
    """Runs nets like this one with other weights on some inputs. Inputs: raw fields, (B, ...) each."""
    network, answers = copy.deepcopy(job.network).eval(), []
    layer, has_bias = _find_last(network, inputs)
    for draw in range(_DRAWS):
        _draw_weights(network, seed, draw)
        answers.append(network(*inputs).double())
    outputs = torch.cat(answers)
    outputs = outputs[torch.isfinite(outputs).all(1)]
    if not len(outputs):
        return HeadEvidence(-math.inf, math.inf, math.inf, False, layer, has_bias)
    is_share = bool((outputs >= 0).all()) and outputs.shape[1] > 1 and bool(((outputs.sum(1) - 1).abs() < 1e-3).all())
    spread = float((outputs.amax(1) - outputs.amin(1)).max())
    return HeadEvidence(float(outputs.min()), float(outputs.max()), spread, is_share, layer, has_bias, _name_terms(job, outputs, is_share))


def _draw_weights(network: Network, seed: int, draw: int) -> None:
    generator = torch.Generator().manual_seed(randomness.key(seed, "weights drawn anew", draw))
    for parameter in network.body.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
        values = torch.randn(parameter.shape, generator=generator) * (_GAIN / math.sqrt(fan_in))
        parameter.copy_(values.to(parameter))


@torch.no_grad()
def measure_reach(job: Job, rows: np.ndarray, seed: int) -> tuple[float, float]:
    """How far the input gets, under weights drawn anew: (how far the outputs differ between items, relative to their size; size of what the first layer is
    given, relative to that of the net's inputs, 1 where there are several fields).

    In float64 where the net bears it: through many sigmoids a signal fades to 1e-6 and less, which is another disease than being dropped.
    """
    try:
        return _measure_reach(job, rows, seed, torch.float64)
    except RuntimeError as error:
        if "dtype" not in str(error) and "type" not in str(error):
            raise
        return _measure_reach(job, rows, seed, torch.float32)


def _measure_reach(job: Job, rows: np.ndarray, seed: int, dtype: torch.dtype) -> tuple[float, float]:
    network = copy.deepcopy(job.network).to(dtype).eval()
    inputs = tuple(t.to(dtype) if t.is_floating_point() else t for t in job.examples.inputs(torch.from_numpy(rows)))
    prepared, given = network.prepare(*inputs), list[float]()
    handles = [
        module.register_forward_pre_hook(lambda _, args: given.append(_size(args[0])))
        for module in network.body.modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d)
    ]
    moves = []
    for draw in range(_DRAWS):
        _draw_weights(network, seed, draw)
        outputs = network(*inputs).double()
        apart = float((outputs - outputs[:1]).abs().max() / outputs.abs().max().clamp_min(1e-300))
        moves.append(apart if math.isfinite(apart) else 1.0)
    for handle in handles:
        handle.remove()
    is_one = len(prepared) == 1 and prepared[0].is_floating_point() and bool(given)
    return max(moves), given[0] / max(_size(prepared[0]), 1e-12) if is_one else 1.0


def _size(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt()) if values.numel() else 0.0


def _name_terms(job: Job, outputs: Tensor, is_share: bool) -> str:
    """Of outputs (N, K), what `HeadEvidence.says`."""
    if job.problem.task != "multiclass":
        return "probs" if job.problem.classes and bool(((outputs >= 0) & (outputs <= 1)).all()) else ""
    are_logs = bool((outputs <= 1e-6).all()) and bool((outputs.logsumexp(1).abs() < 1e-3).all())
    return "probs" if is_share else "log-probs" if are_logs else ""


def _find_last(network: Network, inputs: tuple[Tensor, ...]) -> tuple[str, bool | None]:
    """The layer whose outputs are the net's, and whether it has a bias."""
    last: list[tuple[str, nn.Module, Tensor]] = []
    handles = [
        module.register_forward_hook(lambda module, _, output, name=name: last.append((name, module, output)))
        for name, module in network.body.named_modules(prefix="body")
        if isinstance(module, nn.Linear)
    ]
    outputs = network(*inputs)
    for handle in handles:
        handle.remove()
    if not last or last[-1][2].shape != outputs.shape or not torch.equal(last[-1][2], outputs):
        return "", None
    return last[-1][0], last[-1][1].bias is not None


def look_at_loss(job: Job, rows: np.ndarray, says: str = "") -> LossEvidence:
    """Asks the loss about outputs that are right, wrong, neutral and mixed up, for the targets of some rows.

    Args:
        rows: of both classes, or of several amounts: where all targets are alike, dealing them shows nothing.
        says: what the net gives, `probs` or `log-probs`; empty: logits, or amounts. The loss is asked in these terms.
    """
    targets = job.targets[torch.from_numpy(rows)]
    right, wrong = (say(job, outputs, says) for outputs in _answers(job, targets, _SURE))
    deal = _deal_apart(targets)
    logits = torch.from_numpy(predict(job.network, job.examples, rows)).to(targets.device)
    with torch.no_grad():
        once, twice = ask(job, logits, targets), ask(job, torch.cat([logits, logits]), torch.cat([targets, targets]))
        neutral, surer = say(job, torch.zeros_like(right), says), say(job, _answers(job, targets, _SURER)[0], says)
        at = [ask(job, outputs, targets) for outputs in (neutral, right, wrong, right[deal], surer)]
        takes = "" if says else _find_taken(job, targets)
    surest = at[4] if job.problem.classes else None
    mixed_up = at[3] if bool((targets[deal] != targets).any()) else math.nan
    repeated, share = twice / once if once else 1.0, _find_share(job, neutral, targets)
    return LossEvidence(once, at[0], at[1], at[2], mixed_up, repeated, takes, surest, share)


def _deal_apart(targets: Tensor) -> Tensor:
    """For each item one half of all away in the order of the targets, int64 (B,): unless all are alike, some get another target, whatever order they are in."""
    _, kinds = torch.unique(targets, dim=0, return_inverse=True)
    order, deal = kinds.argsort(stable=True), torch.empty_like(kinds)
    deal[order] = order.roll(len(order) // 2)
    return deal


def _answers(job: Job, targets: Tensor, sure: float) -> tuple[Tensor, Tensor]:
    """Outputs that are all but surely right, and surely wrong: (B, num_outputs)."""
    task = job.problem.task
    if task == "multiclass":
        right = F.one_hot(targets, job.problem.num_outputs).float()
        return sure * right, -sure * right
    if job.problem.classes:
        return sure * (2 * targets - 1), -sure * (2 * targets - 1)
    return targets.clone(), -targets


def say(job: Job, logits: Tensor, says: str) -> Tensor:
    """The same in the terms that a net gives: see `HeadEvidence.says`."""
    if not says or not job.problem.classes:
        return logits
    if job.problem.task != "multiclass":
        return logits.sigmoid()
    return logits.softmax(1) if says == "probs" else logits.log_softmax(1)


def _find_taken(job: Job, targets: Tensor) -> str:
    """`probs` or `log-probs` where even ones of these cost what theory says they must, ln K, and even logits don't."""
    if not job.problem.classes:
        return ""
    right, _ = _answers(job, targets, _SURE)
    is_softmax = job.problem.task == "multiclass"
    due = math.log(right.shape[1]) if is_softmax else math.log(2)
    zeros = torch.zeros_like(right)
    if math.isclose(ask(job, zeros, targets), due, rel_tol=1e-3):
        return ""
    for says in ("probs", "log-probs") if is_softmax else ("probs",):
        if math.isclose(ask(job, say(job, zeros, says), targets), due, rel_tol=1e-3) and ask(job, say(job, right, says), targets) < due:
            return says
    return ""


def _find_share(job: Job, neutral: Tensor, targets: Tensor) -> float:
    """Share of the items on whose outputs the loss depends, near outputs that say nothing; 1 where it can't be asked."""
    noise = torch.randn(neutral.shape, generator=torch.Generator().manual_seed(0)).to(neutral)
    outputs = (neutral + 0.1 * neutral.abs().clamp_min(0.1) * noise).requires_grad_()
    with contextlib.suppress(RuntimeError), torch.enable_grad():
        (grad,) = torch.autograd.grad(job.loss(outputs, targets), outputs, allow_unused=True)
        if grad is not None and bool(grad.any()):
            return float((grad != 0).any(1).float().mean())
    return 1.0


def ask(job: Job, outputs: Tensor, targets: Tensor) -> float:
    """The loss as a number; NaN where it refuses them."""
    with contextlib.suppress(RuntimeError):  # PyTorch's own losses assert that probs are probs
        return float(job.loss(outputs, targets))
    return math.nan


def find_dropout(network: nn.Module) -> list[nn.modules.dropout._DropoutNd]:
    """The net's dropout modules that drop something."""
    return [module for module in network.modules() if isinstance(module, nn.modules.dropout._DropoutNd) and module.p]


@contextlib.contextmanager
def without_dropout(network: nn.Module) -> Iterator[nn.Module]:
    """Inside the block the net's dropout modules drop nothing."""
    rates = {module: module.p for module in find_dropout(network)}
    for module in rates:
        module.p = 0.0
    try:
        yield network
    finally:
        for module, rate in rates.items():
            module.p = rate
