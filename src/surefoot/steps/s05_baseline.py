"""s05: common sense first, then simple models: the number to beat."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from surefoot.analysis.scores import score
from surefoot.data.predictions import pool
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.pace import take_stock
from surefoot.engine.winners import sample_rows
from surefoot.engine.yardsticks import TRIVIAL, fit_yardstick
from surefoot.metrics import better
from surefoot.models.boosting import ENOUGH, Rounds
from surefoot.tasks import TASKS
from surefoot.types import BaselineReport, BaselineStepConfig, Context, Finding, GateStop, ModelScore, Predictions, PreparedData, Problem, Split
from surefoot.types.figures import write

_BOOSTING = 0.8
"""Of what this step may take: boosting is the slowest, and a yardstick must not cost what it measures."""
_LEAST_S = 2.0
_PROBE_ROWS, _PROBE_VALUES, _PROBE_ROUNDS = 3_000, 2_000_000, (2, 10)
_BYTES = 8
"""Per value of a train row: once as a float32, once as a library's copy of it."""
_FEWEST_ROWS, _FEWEST_ROUNDS = 1_000, 20
"""Below these a yardstick says little; on pictures of many pixels they may cost more than their share."""
_ONE_OUTPUT = ("binary", "multiclass", "regression")
"""Tasks for which boosting is one model and can ship; for the others, and where there is text, which it doesn't read, it is a yardstick."""
YARDSTICKS = ("persistence", "knn")
"""Shown, never shipped: k-NN carries the train set with it, and persistence is told the row before."""


def baseline(ctx: Context, config: BaselineStepConfig, *, problem: Problem, split: Split, data: PreparedData) -> BaselineReport:
    """Scores the trivial predictors, a linear model, k-NN and gradient boosting on the held-out items of every fold.

    Raises:
        GateStop: the task is detection, for which there is no model yet.
    """
    _check_task(ctx, problem)
    desk = lay_out(ctx, problem, data)
    has_text, has_columns = any(field.is_text for field in data.fields), not all(field.is_text for field in data.fields)
    rows, rounds = _affordable(ctx, config, desk) if has_columns else (_held(config, desk), ENOUGH)
    names = [*TASKS[problem.task].trivial, *(["persistence"] if split.by == "time" and problem.task == "regression" else [])]
    names += ["linear", *(["knn", "boosting"] if has_columns else [])]
    fewest = min(len(part.train) for part in desk.folds)
    scores: dict[str, ModelScore] = {}
    for done, name in enumerate(names):
        ctx.events.progress("baselines", done, len(names))
        started = perf_counter()
        parts = [_ask(ctx, desk, name, fold, rows, rounds) for fold in range(len(desk.folds))]
        measured = score(ctx.store, problem, desk.metric, pool(parts), seed=ctx.seed)
        ctx.ledger.count_look("baseline", name)
        used = fewest if name in (*TRIVIAL, "persistence") else min(rows, fewest)
        scores[name] = measured.model_copy(update={"seconds": perf_counter() - started, "rows": used, "rounds": rounds.most if name == "boosting" else 0})
    never = YARDSTICKS if problem.task in _ONE_OUTPUT and not has_text else (*YARDSTICKS, "boosting")
    eligible = {name: s for name, s in scores.items() if name not in never}
    return BaselineReport(
        models=scores,
        best=_best(desk, eligible),
        trivial=_best(desk, {name: scores[name] for name in TASKS[problem.task].trivial}),
        findings=tuple(_find(desk, scores, rows, rounds)),
    )


def _check_task(ctx: Context, problem: Problem) -> None:
    """Says where the road ends for boxes, before anything is tried on them."""
    if problem.task == "detection":
        raise GateStop(
            f"The boxes of {len(problem.classes)} class(es) are read, audited, split and packed; Surefoot has no detector to train on them yet.",
            where="s05_baseline",
            next=f"Train one elsewhere on {ctx.root / 'runs'}/*-prepare-*/coco (the sets as COCO files); the report shows what the audit found: "
            "surefoot report. `surefoot run --to prepare` walks this far and ends well.",
        )


def _best(desk: Desk, scores: dict[str, ModelScore]) -> str:
    best = next(iter(scores))
    for name, candidate in scores.items():
        if better(desk.metric, candidate.value, scores[best].value):
            best = name
    return best


def _affordable(ctx: Context, config: BaselineStepConfig, desk: Desk) -> tuple[int, Rounds]:
    """How many train rows fit into memory, and how many of them, and trees, into the step's share of the budget, by the speed of boosting, the slowest."""
    share_s = max(_LEAST_S, _BOOSTING * take_stock(ctx, config.budget, "baseline").seconds()) / len(desk.folds)
    part = desk.folds[0]
    values = _count_values(desk)
    probed = part.on(sample_rows(ctx.seed, part.train, min(_PROBE_ROWS, max(_FEWEST_ROWS // 4, _PROBE_VALUES // values))))

    def seconds(rounds: int) -> float:
        started = perf_counter()
        fit_yardstick("boosting", desk, probed, part.val[:10], Rounds(rounds, early=False))
        return perf_counter() - started

    def measure() -> tuple[float, float]:
        (fewer, more), (short, long) = _PROBE_ROUNDS, map(seconds, _PROBE_ROUNDS)
        round_s = max(long - short, 1e-3) / (more - fewer)
        return max(short - fewer * round_s, 0.0) / len(probed.train), round_s / len(probed.train)

    row_s, tree_s = ctx.ledger.decide("seconds per row of boosting, and per row and round", measure)
    most = ENOUGH.most
    rows = max(_FEWEST_ROWS, min(_held(config, desk), int(share_s / (row_s + tree_s * most))))
    rounds = int((share_s / min(rows, len(part.train)) - row_s) / tree_s)
    return rows, Rounds(max(_FEWEST_ROUNDS, min(most, rounds)))


def _count_values(desk: Desk) -> int:
    return sum(int(np.prod(field.shape)) for field in desk.examples.fields)


def _held(config: BaselineStepConfig, desk: Desk) -> int:
    """The most rows that the settings and the memory bear."""
    return max(_FEWEST_ROWS, min(config.baseline.rows, int(config.data.memory_mb * 2**20 / (_BYTES * _count_values(desk)))))


def _ask(ctx: Context, desk: Desk, name: str, fold: int, rows: int, rounds: Rounds) -> Predictions:
    part = desk.folds[fold]
    val = part.val
    if name == "persistence":
        return desk.examples.said(val, desk.examples.plain_targets(np.maximum(val - 1, 0)))
    fitted = part if name in TRIVIAL else part.on(sample_rows(ctx.seed, part.train, rows))
    return desk.examples.said(val, fit_yardstick(name, desk, fitted, val, rounds).outputs)


def _find(desk: Desk, scores: dict[str, ModelScore], rows: int, rounds: Rounds) -> list[Finding]:
    found = []
    most = max(len(part.train) for part in desk.folds)
    if rows < most or rounds.most < ENOUGH.most:
        parts = [f"The simple models were fitted on {rows:,} of {most:,} train rows"] if rows < most else []
        parts += [f"{'b' if parts else 'B'}oosting has {rounds.most} trees per class at most, not {ENOUGH.most}"] if rounds.most < ENOUGH.most else []
        found.append(
            Finding(
                code="data.too_large",
                severity="info",
                what=f"{'; '.join(parts)}: what this step's share of the budget and the memory bear.",
                where="s05_baseline",
                next="Give a larger budget, baseline.rows or data.memory_mb, to fit them on more." if rows < most else "Give a larger budget for more trees.",
                evidence={"rows": min(rows, most), "train": most, "rounds": rounds.most},
            )
        )
    if {"persistence", "boosting"} <= scores.keys() and better(desk.metric, scores["persistence"].value, scores["boosting"].value):
        found.append(
            Finding(
                code="diagnose.below_baseline",
                severity="info",
                what=f"Repeating the row before reaches {write(scores['persistence'].value)}, better than any simple model, which is not told it.",
                where="persistence",
                next="If the recent past is known when you predict, add columns with earlier targets (lags) to the table.",
                evidence={"persistence": scores["persistence"].value, "boosting": scores["boosting"].value},
            )
        )
    return found
