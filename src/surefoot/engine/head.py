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

_DRAWS, _GAIN = 4, 3.0
"""Nets with weights drawn anew, three times as large as Glorot's: large enough that raw outputs leave any range that an activation has."""
_SURE = 6.0
"""Logit of an answer that is all but sure: a sigmoid of 0.9975."""


@dataclass(frozen=True)
class HeadEvidence:
    """The outputs on random inputs, under weights drawn anew.

    Attributes:
        low, high: of all outputs. spread: the largest distance between two outputs of an item.
        sums_to_one: each item's outputs do, and none is negative.
        layer: the last one with weights, where the outputs come straight from it. has_bias: of that layer; None where they don't.
    """

    low: float
    high: float
    spread: float
    sums_to_one: bool
    layer: str = ""
    has_bias: bool | None = None


@dataclass(frozen=True)
class LossEvidence:
    """What a loss says to made-up outputs, on real targets.

    Attributes:
        at_init: to the untrained net. neutral: to outputs that say nothing (0 everywhere).
        right, wrong: to outputs that are all but surely right, or surely wrong. mixed_up: to the right ones dealt to other items.
        repeated: to the same items twice, over once. takes_probs: it is at ln K for even probs and finite for sure ones, but neither for logits.
    """

    at_init: float
    neutral: float
    right: float
    wrong: float
    mixed_up: float
    repeated: float
    takes_probs: bool


@torch.no_grad()
def look_at_head(job: Job, inputs: tuple[Tensor, ...], seed: int) -> HeadEvidence:
    """Runs nets like this one with other weights on some inputs. Inputs: raw fields, (B, ...) each."""
    network, answers = copy.deepcopy(job.network).eval(), []
    layer, has_bias = _find_last(network, inputs)
    for draw in range(_DRAWS):
        generator = torch.Generator().manual_seed(randomness.key(seed, "weights drawn anew", draw))
        for parameter in network.body.parameters():
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
            values = torch.randn(parameter.shape, generator=generator) * (_GAIN / math.sqrt(fan_in))
            parameter.copy_(values.to(parameter))
        answers.append(network(*inputs).double())
    outputs = torch.cat(answers)
    outputs = outputs[torch.isfinite(outputs).all(1)]
    if not len(outputs):
        return HeadEvidence(-math.inf, math.inf, math.inf, False, layer, has_bias)
    is_share = bool((outputs >= 0).all()) and outputs.shape[1] > 1 and bool(((outputs.sum(1) - 1).abs() < 1e-3).all())
    spread = float((outputs.amax(1) - outputs.amin(1)).max())
    return HeadEvidence(float(outputs.min()), float(outputs.max()), spread, is_share, layer, has_bias)


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


@torch.no_grad()
def look_at_loss(job: Job, rows: np.ndarray) -> LossEvidence:
    """Asks the loss about outputs that are right, wrong, neutral and mixed up, for the targets of some rows."""
    targets = job.targets[torch.from_numpy(rows)]
    right, wrong = _answers(job, targets)
    deal = torch.arange(len(rows)).roll(max(1, len(rows) // 2))
    logits = torch.from_numpy(predict(job.network, job.examples, rows)).to(targets.device)
    once, twice = ask(job, logits, targets), ask(job, torch.cat([logits, logits]), torch.cat([targets, targets]))
    at = [ask(job, outputs, targets) for outputs in (torch.zeros_like(right), right, wrong, right[deal])]
    return LossEvidence(once, at[0], at[1], at[2], at[3], twice / once if once else 1.0, _takes_probs(job, targets, right))


def _answers(job: Job, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs that are all but surely right, and surely wrong: (B, num_outputs)."""
    task = job.problem.task
    if task == "multiclass":
        right = F.one_hot(targets, job.problem.num_outputs).float()
        return _SURE * right, -_SURE * right
    if job.problem.classes:
        return _SURE * (2 * targets - 1), -_SURE * (2 * targets - 1)
    return targets.clone(), -targets


def _takes_probs(job: Job, targets: Tensor, right: Tensor) -> bool:
    """Whether even probs cost what theory says they must, ln K, and even logits don't: the loss takes probs."""
    if not job.problem.classes:
        return False
    softmax = job.problem.task == "multiclass"
    even = torch.full_like(right, 1 / right.shape[1] if softmax else 0.5)
    due = math.log(right.shape[1]) if softmax else math.log(2)
    costs = ask(job, even, targets), ask(job, torch.zeros_like(right), targets), ask(job, right.softmax(1) if softmax else right.sigmoid(), targets)
    return math.isclose(costs[0], due, rel_tol=1e-3) and not math.isclose(costs[1], due, rel_tol=1e-3) and costs[2] < costs[0]


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
