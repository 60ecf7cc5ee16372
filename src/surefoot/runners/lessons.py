"""Lessons: what a textbook says, worked through on the user's own net and data."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from surefoot import randomness, settings
from surefoot.engine.backprop import Row, run_backprop
from surefoot.engine.build import build_network, lay_out
from surefoot.engine.jobs import PLAIN, make_job, resolve_train
from surefoot.models.build import sizes
from surefoot.runners import plan
from surefoot.runners.local import Walk, read_report, walk
from surefoot.store.scope import ScopedLedger
from surefoot.types.configs import NetStepConfig
from surefoot.types.context import Context
from surefoot.types.data_reports import PreparedData
from surefoot.types.errors import UsageError
from surefoot.types.problem import Problem

ITEMS = 8
"""Items of the batch: enough for every equation to sum over some."""


def teach(name: str, job: Walk) -> list[Row]:
    """The lesson of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in LESSONS:
        near = difflib.get_close_matches(name, LESSONS, n=1)
        advice = f"Did you mean {near[0]}?" if near else f"Lessons: {', '.join(LESSONS)}."
        raise UsageError(f"There is no lesson {name!r}.", where=f"surefoot lesson {name}", next=advice)
    return LESSONS[name](job)


def teach_backprop(job: Walk) -> list[Row]:
    """The four equations on one batch of the train set, by hand and by autograd, for the net as it starts; the data is prepared first where it isn't.

    Raises:
        GateStop: the road stops before there is anything to train on.
        UsageError: the net has no layer whose equations are known.
    """
    walk(replace(job, to="prepare"))
    problem, data = (_read(job, step) for step in ("problem", "prepare"))
    assert isinstance(problem, Problem)
    assert isinstance(data, PreparedData)
    number = job.ledger.rounds()[-1].number
    ctx = Context(Path(job.root), Path(job.root) / "runs", number, job.values.seed, "cpu", job.store, ScopedLedger(job.ledger, "lesson"), job.events)
    desk = lay_out(ctx, problem, data)
    config = settings.compose(NetStepConfig, job.values)
    assert isinstance(config, NetStepConfig)
    width, depth = sizes(data.fields, problem.num_outputs)[0]
    model = config.model.model_copy(update={"width": config.model.width or width, "depth": config.model.depth or depth})
    rows = desk.folds[0].train
    train = resolve_train(config.train, len(rows), problem.kind, **PLAIN, class_weights="none")
    picked = rows[np.sort(randomness.stream(ctx.seed, "lesson").permutation(len(rows))[:ITEMS])]
    found = run_backprop(make_job(desk, build_network(desk, model, desk.folds[0]), desk.folds[0], train), picked)
    if not found:
        raise UsageError(
            "The net has no layer whose equations are known here.",
            where=f"model.use = {config.model.use!r}",
            next="Build it of nn.Linear, nn.Conv2d and the usual activations as modules of their own.",
        )
    return found


def _read(job: Walk, step: str) -> object:
    spec = plan.find_step(step, job.root)
    return read_report(job.store, spec, job.ledger.steps(job.ledger.rounds()[-1].number)[spec.name].report)


LESSONS: dict[str, Callable[[Walk], list[Row]]] = {"backprop": teach_backprop}
