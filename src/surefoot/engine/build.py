"""Puts a network together for some data: fitted transform, body, last bias from the prior, target's own units at the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from surefoot import losses, randomness
from surefoot.data.examples import Examples
from surefoot.data.packs import open_pack
from surefoot.metrics import Metric
from surefoot.metrics import get as get_metric
from surefoot.models.build import build
from surefoot.models.network import Network
from surefoot.models.whiten import Whiten
from surefoot.transforms.prepare import Finish, build_prepare, prepared_fields
from surefoot.types.configs import ModelConfig
from surefoot.types.context import Context
from surefoot.types.data_reports import PreparedData
from surefoot.types.errors import UsageError
from surefoot.types.problem import Problem

_WHITENED = 500
"""Train pictures from which a first layer takes its filters: some 100,000 patches for a few dozen numbers each."""


@dataclass(frozen=True)
class Part:
    """The rows that one model is fitted and held out on.

    Attributes:
        train, val: int64 rows of the pack; val is empty where nothing is held out.
        statistics: what the transforms know; from train rows alone.
    """

    train: np.ndarray
    val: np.ndarray
    statistics: dict[str, np.ndarray]

    def on(self, rows: np.ndarray) -> Part:
        """The same part, fitted on some rows only."""
        return replace(self, train=rows)

    def without_val(self) -> Part:
        """The same part with nothing held out."""
        return replace(self, val=self.val[:0])


@dataclass(frozen=True)
class Desk:
    """What every step that fits models lays out first.

    Attributes:
        examples: the train-and-val pack.
        folds: a part for each fold; whole: train, train_dev and val together, with their own statistics.
        train_dev: int64 rows held out from general sources; empty where there are none.
        seed, folder: of the project.
    """

    problem: Problem
    examples: Examples
    metric: Metric
    folds: list[Part]
    whole: Part
    seed: int = 0
    folder: Path | None = None
    train_dev: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def lay_out(ctx: Context, problem: Problem, data: PreparedData, device: str = "cpu") -> Desk:
    """Opens the pack and the rows of each fold."""
    rows = ctx.store.get_arrays(data.rows)
    examples = Examples(open_pack(ctx.store, data.pack), problem, in_memory=data.in_memory, device=device, groups=rows.get("groups"))
    return Desk(
        problem=problem,
        examples=examples,
        metric=get_metric(problem.metric, ctx.root),
        folds=[Part(rows[f"fold{f.fold}.train"], rows[f"fold{f.fold}.val"], ctx.store.get_arrays(f.fitted)) for f in data.folds],
        whole=Part(rows.get("whole", np.arange(len(examples))), np.zeros(0, np.int64), ctx.store.get_arrays(data.fitted_final)),
        train_dev=rows.get("train_dev", np.zeros(0, np.int64)),
        seed=ctx.seed,
        folder=ctx.root,
    )


def build_network(desk: Desk, model: ModelConfig, part: Part) -> Network:
    """A fresh network: the same weights for the same seed, whatever was drawn before."""
    torch.manual_seed(randomness.key(desk.seed, "init"))
    body = build(model, prepared_fields(desk.examples.fields, part.statistics), desk.problem.num_outputs, desk.folder)
    if not any(parameter.requires_grad for parameter in body.parameters()):
        raise UsageError(
            f"{model.use} has nothing that could be trained.", where=f"model.use = {model.use!r}", next="Give it layers, or parameters of its own."
        )
    if len(desk.examples.fields[0].shape) == 3:
        body = body.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # 1.2 to 1.5 times the speed on CPU (LOG.md)
    network = assemble(desk, body, part)
    _fit_first_layer(network, desk, part)
    return network


def _fit_first_layer(network: Network, desk: Desk, part: Part) -> None:
    """Gives filters that are fitted instead of trained what they need to see: some train pictures."""
    for layer in network.body.modules():
        if isinstance(layer, Whiten):
            seen = randomness.stream(desk.seed, "whiten").permutation(part.train)[:_WHITENED]
            images = desk.examples.inputs(torch.from_numpy(np.sort(seen)))[0]
            layer.fit(network.prepare(images.cpu())[0])


def assemble(desk: Desk, body: nn.Module, part: Part) -> Network:
    """A body between its fitted transform and, for regression, the way back to the target's own units."""
    finish = Finish(part.statistics, desk.problem.log_target) if not desk.problem.classes else None
    return Network(build_prepare(desk.examples.fields, part.statistics), body, finish)


def set_prior(network: Network, problem: Problem, targets: np.ndarray, shift: np.ndarray | float = 0.0) -> bool:
    """Starts the last bias at the train set's prior, so that training need not learn it; False where the body names no last layer.

    Args:
        targets: of the train rows, as metrics take them.
        shift: what training will add to it, (K,), where it does not show the classes in their own shares; see `losses.prior_shift`.
    """
    return bool(problem.classes) and set_last_bias(network, torch.from_numpy(losses.prior_bias(problem.task, targets, problem.num_outputs) + shift))


def set_last_bias(network: Network, bias: torch.Tensor) -> bool:
    """Starts the last bias at these values, (K,); False where the body names no last layer, or it has none."""
    final = getattr(network.body, "final", None)
    if not isinstance(final, nn.Linear) or final.bias is None:
        return False
    with torch.no_grad():
        final.bias.copy_(bias)
    return True
