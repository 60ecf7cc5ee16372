"""s13: opens the test set, once, and scores the bundle itself: what is tested is what ships."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.analysis.gaps import late_gaps, to_error, verdict_of
from surefoot.analysis.intervals import measure, measure_all
from surefoot.analysis.per_class import class_intervals, class_scores
from surefoot.analysis.scores import judge_bounds, score
from surefoot.checks import test as checks
from surefoot.data.packs import Pack, open_pack
from surefoot.data.showing import name_codes
from surefoot.data.targets import plain_targets
from surefoot.exporting import bundle
from surefoot.exporting.card import Evidence, model_card
from surefoot.exporting.predictor import load
from surefoot.metrics import Metric, confusion
from surefoot.metrics import get as get_metric
from surefoot.store.seal import Key
from surefoot.store.unseal import unseal
from surefoot.types import (
    AuditReport,
    Context,
    DiagnoseReport,
    ExportReport,
    FinalReport,
    Measured,
    ModelScore,
    Opening,
    Predictions,
    PreparedData,
    Problem,
    Split,
    TestReport,
    TestStepConfig,
    Threshold,
    TuneReport,
)

_LEAST_SLICE = 30


@dataclass(frozen=True)
class Scores:
    """What one opening of the test set measures.

    Attributes:
        said: by the final bundle, about the test items. published, tuned: the two bundles on them. wild: the final one on the wild set, where there is one.
        slices: column and value -> the metric of the final bundle there.
    """

    said: Predictions
    published: ModelScore
    tuned: ModelScore
    wild: ModelScore | None
    slices: dict[str, Measured]


def test(
    ctx: Context,
    config: TestStepConfig,
    *,
    problem: Problem,
    audit: AuditReport,
    split: Split,
    data: PreparedData,
    tune: TuneReport,
    diagnose: DiagnoseReport,
    final: FinalReport,
    export: ExportReport,
) -> TestReport:
    """Scores the final bundle and the tuned one on the test set, and the final one on the wild set; nothing is chosen between them.

    Raises:
        SealedError: the test set was opened before, and no reason was given.
    """
    key, openings = unseal(ctx)
    metric = get_metric(problem.metric, ctx.root)
    scores = _score_all(ctx, problem, data, tune, export, key)
    published, tuned, wild = scores.published, scores.tuned, scores.wild
    late = late_gaps(metric, val=_measured(tune.val), tuned=_measured(tuned), published=_measured(published), wild=_measured(wild) if wild else None)
    gaps = diagnose.gaps | late
    report = TestReport(
        metric=problem.metric,
        value=published.value,
        interval=published.interval,
        n=published.n,
        items=published.items,
        predictions=published.predictions,
        wild=wild,
        tuned=tuned,
        val_value=tune.val.value,
        slices=scores.slices,
        grid=diagnose.grid | _late_rows(metric, tuned, wild),
        gaps=gaps,
        verdict=verdict_of(gaps, has_human=diagnose.errors.get("human") is not None),
        openings=tuple(Opening(number=o.number, round=o.round, why=o.why, when=o.at) for o in openings),
        **_detail(ctx, problem, scores.said, tune.threshold),
        findings=(
            *checks.against_val(late["val_overfit"], tuned, tune.val, split, tune.looks),
            *checks.wild_gap(late["wild_gap"], published, wild),
            *checks.width(metric, published),
            *checks.goal(metric, published, problem.goal),
            *judge_bounds(problem, scores.said, tune.threshold, where="test", folder=ctx.root, seed=ctx.seed),
        ),
    )
    card = _write_card(ctx.root / export.folder, Evidence(problem, audit, split, tune, diagnose, final, report))
    return report.model_copy(update={"card": ctx.store.put_bytes(card.encode())})


def _write_card(folder: Path, evidence: Evidence) -> str:
    """The model card again, with what was measured now."""
    card = model_card(evidence, bundle.read_manifest(folder))
    bundle.replace_card(folder, card)
    return card


def _detail(ctx: Context, problem: Problem, said: Predictions, threshold: Threshold) -> dict[str, Any]:
    """The part of the report that goes into every metric and every class."""
    measured = measure_all([get_metric(name, ctx.root).at(threshold) for name in problem.reported], said, seed=ctx.seed)
    told: dict[str, Any] = {"metrics": {name: one.value for name, one in measured.items()}}
    told["intervals"] = {name: one.interval for name, one in measured.items() if one.interval}
    if problem.classes:
        told["per_class"] = class_scores(said, problem.classes, threshold)
        told["class_intervals"] = class_intervals(said, problem.classes, threshold)
    if problem.task in ("binary", "multiclass"):
        told["confusion"] = tuple(tuple(int(n) for n in row) for row in confusion(said.targets, said.outputs, threshold))
    return told


def _ask(problem: Problem, pack: Pack, folder: Path) -> Predictions:
    """What a bundle says about every item of a pack, block by block."""
    predictor = load(folder)
    rows = np.arange(len(pack))
    parts = [predictor.run(fields) for fields in pack.chunks(rows)]
    outputs = np.concatenate([outputs for _, outputs in parts]).astype(np.float64)
    logits = np.concatenate([logits for logits, _ in parts])
    return Predictions(pack.ids(), outputs, plain_targets(problem, pack.targets), logits)


def _score_all(ctx: Context, problem: Problem, data: PreparedData, tune: TuneReport, export: ExportReport, key: Key) -> Scores:
    """Asks both bundles, the final one first."""
    metric, pack = get_metric(problem.metric, ctx.root), open_pack(ctx.store, data.test_pack, key)
    groups = ctx.store.get_arrays(data.rows).get("test.groups")
    said, tuned_says = (replace(_ask(problem, pack, ctx.root / folder), groups=groups) for folder in (export.folder, export.tuned_folder))
    published, tuned = (score(ctx.store, problem, metric, one, seed=ctx.seed, threshold=tune.threshold) for one in (said, tuned_says))
    wild = _score_wild(ctx, problem, data, export, tune, key)
    return Scores(said, published, tuned, wild, _slices(ctx, problem, data, pack, said, tune))


def _score_wild(ctx: Context, problem: Problem, data: PreparedData, export: ExportReport, tune: TuneReport, key: Key) -> ModelScore | None:
    if not data.wild_pack or not data.num_wild:
        return None
    predictions = _ask(problem, open_pack(ctx.store, data.wild_pack, key), ctx.root / export.folder)
    return score(ctx.store, problem, get_metric(problem.metric, ctx.root), predictions, seed=ctx.seed, threshold=tune.threshold)


def _measured(scored: ModelScore) -> Measured:
    return Measured(value=scored.value, interval=scored.interval, n=scored.n, items=scored.items)


def _late_rows(metric: Metric, tuned: ModelScore, wild: ModelScore | None) -> dict[str, dict[str, Measured | None]]:
    """The last rows of the table of errors; both sets are what the model is meant for."""
    rows: dict[str, dict[str, Measured | None]] = {"test": {"general": None, "practical": to_error(metric, _measured(tuned))}}
    return rows | ({"wild": {"general": None, "practical": to_error(metric, _measured(wild))}} if wild else {})


def _slices(ctx: Context, problem: Problem, data: PreparedData, pack: Pack, predictions: Predictions, tune: TuneReport) -> dict[str, Measured]:
    """The metric for each value of the category columns that is common enough to be measured."""
    metric = get_metric(problem.metric, ctx.root).at(tune.threshold)
    words, found = name_codes(data.recipe), dict[str, Measured]()
    for number, field in enumerate(pack.fields):
        if field.name != "category":
            continue
        codes = pack.gather(np.arange(len(pack)))[number]
        for column, name in enumerate(field.names):
            for code in np.unique(codes[:, column])[:6]:
                here = codes[:, column] == code
                if _LEAST_SLICE <= here.sum() < len(pack):
                    found[f"{name} = {words[name].get(int(code), 'missing or unseen')}"] = measure(metric, predictions.some(here), seed=ctx.seed)
    return found
