"""Puts a network together for some data: fitted transform, body, last bias from the prior, target's own units at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from surefoot.transforms.prepare import Finish, build_prepare, prepared_fields
from surefoot.types.configs import ModelConfig
from surefoot.types.context import Context
from surefoot.types.problem import Problem
from surefoot.types.reports import FieldSpec, PreparedData


@dataclass(frozen=True)
class Desk:
    """What every step that fits models lays out first.

    Attributes:
        examples: the train-and-val pack.
        train, val: rows of each fold. statistics: of each fold's train rows.
        everything: all rows; final_statistics: of them.
    """

    problem: Problem
    examples: Examples
    metric: Metric
    train: list[np.ndarray]
    val: list[np.ndarray]
    statistics: list[dict[str, np.ndarray]]
    final_statistics: dict[str, np.ndarray]

    @property
    def everything(self) -> np.ndarray:
        return np.arange(len(self.examples))


def lay_out(ctx: Context, problem: Problem, data: PreparedData, device: str = "cpu") -> Desk:
    """Opens the pack and the rows of each fold."""
    rows = ctx.store.get_arrays(data.rows)
    return Desk(
        problem=problem,
        examples=Examples(open_pack(ctx.store, data.pack), problem, in_memory=data.in_memory, device=device),
        metric=get_metric(problem.metric, ctx.root),
        train=[rows[f"fold{fold.fold}.train"] for fold in data.folds],
        val=[rows[f"fold{fold.fold}.val"] for fold in data.folds],
        statistics=[ctx.store.get_arrays(fold.fitted) for fold in data.folds],
        final_statistics=ctx.store.get_arrays(data.fitted_final),
    )


def build_network(
    problem: Problem, fields: tuple[FieldSpec, ...], model: ModelConfig, statistics: Mapping[str, np.ndarray], *, seed: int, folder: Path | None = None
) -> Network:
    """A fresh network: the same weights for the same seed, whatever was drawn before."""
    torch.manual_seed(randomness.key(seed, "init"))
    body = build(model, prepared_fields(fields, dict(statistics)), problem.num_outputs, folder)
    return assemble(problem, fields, body, statistics)


def assemble(problem: Problem, fields: tuple[FieldSpec, ...], body: nn.Module, statistics: Mapping[str, np.ndarray]) -> Network:
    """A body between its fitted transform and, for regression, the way back to the target's own units."""
    statistics = dict(statistics)
    finish = Finish(statistics, problem.log_target) if not problem.classes else None
    return Network(build_prepare(fields, statistics), body, finish)


def set_prior(network: Network, problem: Problem, targets: np.ndarray) -> bool:
    """Starts the last bias at the train set's prior, so that training need not learn it; False where the body names no last layer.

    Args:
        targets: of the train rows, as metrics take them.
    """
    final = getattr(network.body, "final", None)
    if not isinstance(final, nn.Linear) or final.bias is None or not problem.classes:
        return False
    bias = losses.prior_bias(problem.task, targets, problem.num_outputs)
    with torch.no_grad():
        final.bias.copy_(torch.from_numpy(bias))
    return True
