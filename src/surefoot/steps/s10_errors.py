"""s10: looks at a hundred errors, and counts what they have in common."""

from __future__ import annotations

import csv
import io
from collections import Counter
from functools import partial

import numpy as np

from surefoot import durable
from surefoot.analysis.errors import ceilings, item_losses, mislabel_scores, sample_wrong, worst, wrong_rows
from surefoot.analysis.pictures import tag_pictures
from surefoot.analysis.texts import tag_texts
from surefoot.data.pictures import to_picture
from surefoot.data.predictions import load_predictions, pool
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.winners import sample_rows
from surefoot.engine.yardsticks import fit_yardstick
from surefoot.metrics import as_error, decide
from surefoot.models.boosting import Rounds
from surefoot.store.scope import ScopedLedger
from surefoot.types import (
    BaselineReport,
    Context,
    ErrorRow,
    ErrorsReport,
    ErrorsStepConfig,
    Finding,
    Mislabel,
    ModelScore,
    Predictions,
    PreparedData,
    Problem,
    TuneReport,
)

_GALLERY = 24
_LISTED = 200
_DOUBTED_ROWS = 6_000
_ROUNDS = Rounds(60, early=False)
_SURE = 0.9
_MANY_DOUBTS, _LEAST_DOUBTS = 0.05, 20


def errors(ctx: Context, config: ErrorsStepConfig, *, problem: Problem, data: PreparedData, baseline: BaselineReport, tune: TuneReport) -> ErrorsReport:
    """A seeded sample of all wrong val items with tags, their sums and ceilings; the worst; and suspected mislabels over train and val."""
    desk = lay_out(ctx, problem, data)
    val = load_predictions(ctx.store, tune.val.predictions)
    wrong = wrong_rows(problem.task, val, tune.threshold)
    picked = sample_wrong(problem.task, val, num=config.errors.rows, seed=ctx.seed, threshold=tune.threshold)
    texts = _read_texts(ctx, data)
    doubts = [one.model_copy(update={"text": texts.get(one.id, "")}) for one in _find_mislabels(ctx, desk, baseline, tune, val)]
    position = {i: row for row, i in enumerate(desk.examples.pack.ids())}
    make = partial(_make_rows, ctx, desk, val, tune, position, {m.id for m in doubts})
    rows, gallery = ([row.model_copy(update={"text": texts.get(row.id, "")}) for row in make(some)] for some in (picked, worst(val, _GALLERY)))
    tags = Counter(tag for row in rows for tag in row.tags)
    error = float(as_error(desk.metric, tune.val.value))
    durable.replace(ctx.run_dir / "errors.csv", _to_csv(rows, config.errors.tags, problem.task in ("binary", "multiclass")))
    return ErrorsReport(
        num_wrong=len(wrong),
        num_val=len(np.unique(val.ids.astype(str))),
        is_amount=not problem.classes,
        rows=tuple(rows),
        tags=dict(tags.most_common()),
        ceilings=ceilings(tags, len(rows), error) if rows and problem.classes else {},
        mislabels=tuple(doubts[:_LISTED]),
        worst=tuple(gallery),
        pictures=_pictures(ctx, desk, [row.id for row in (*rows, *gallery)], position),
        csv=str((ctx.run_dir / "errors.csv").relative_to(ctx.root)),
        findings=tuple(_find(doubts, len(desk.examples))),
    )


def _read_texts(ctx: Context, data: PreparedData) -> dict[str, str]:
    """Id -> what a person reads; empty where the items are no texts."""
    return dict(zip(*ctx.store.get_table(data.texts).to_pydict().values())) if data.texts else {}


def _make_rows(ctx: Context, desk: Desk, val: Predictions, tune: TuneReport, position: dict[str, int], doubted: set[str], picked: np.ndarray) -> list[ErrorRow]:
    """The table's rows: what evidence says is filled in, what a person wrote goes before it."""
    problem = desk.problem
    preds = decide(problem.task, val.outputs[picked], tune.threshold)
    losses = item_losses(val)[picked]
    packed = np.asarray([position[i] for i in val.ids[picked]], np.int64)
    places = desk.examples.pack.places(packed)
    evident = _evident_tags(desk, packed)
    written = ctx.ledger.tags() if isinstance(ctx.ledger, ScopedLedger) else {}
    rows = []
    for number, row in enumerate(picked):
        target, pred = _name(problem, val.targets[row]), _name(problem, preds[number])
        confidence = float(val.outputs[row].max()) if problem.task in ("binary", "multiclass") else 0.0
        tags = list(evident[number])
        if problem.task in ("binary", "multiclass"):
            tags.append(f"{target} as {pred}")
        if confidence > _SURE:
            tags.append("sure of it")
        if val.ids[row] in doubted:
            tags.append("mislabel?")
        own, note = written.get(str(val.ids[row]), (tags, ""))
        rows.append(
            ErrorRow(
                id=str(val.ids[row]),
                place=str(places[number]),
                target=target,
                pred=pred,
                confidence=confidence,
                loss=float(losses[number]),
                tags=tuple(own),
                note=note,
            )
        )
    return rows


def _name(problem: Problem, value: np.ndarray | float) -> str:
    if problem.task in ("binary", "multiclass"):
        return problem.classes[int(value)]
    if problem.task == "multilabel":
        return ", ".join(name for name, on in zip(problem.classes, np.atleast_1d(value)) if on) or "none"
    return ", ".join(f"{number:.5g}" for number in np.atleast_1d(value))


def _evident_tags(desk: Desk, rows: np.ndarray) -> list[list[str]]:
    """Tags that need no person: dark and blurry pictures, table rows with gaps, short and cut texts."""
    if not len(rows):
        return []
    inputs = desk.examples.pack.gather(rows)
    if desk.examples.fields[0].name == "image":
        return tag_pictures(inputs[0])
    gaps = np.zeros(len(rows), bool)
    tags: list[list[str]] = [[] for _ in rows]
    for field, array in zip(desk.examples.fields, inputs):
        if field.is_text:
            tags = [had + [tag for tag in more if tag not in had] for had, more in zip(tags, tag_texts(array))]
        else:
            gaps |= (np.isnan(array) if field.name == "numeric" else array == 0).any(1)
    return [["missing values", *had] if gap else had for gap, had in zip(gaps, tags)]


def _find_mislabels(ctx: Context, desk: Desk, baseline: BaselineReport, tune: TuneReport, val: Predictions) -> list[Mislabel]:
    """Items whose label the held-out predictions doubt: val by the winner, train by the best simple model in two halves."""
    problem = desk.problem
    if problem.task not in ("binary", "multiclass"):
        return []
    parts = [val] if _knows(tune.val, baseline) else []
    if len(desk.folds) == 1 and _knows(baseline.models[_doubter(baseline)], baseline):
        parts.append(_cross_predict(ctx, desk, baseline))
    if not parts:
        return []
    pooled = pool([Predictions(p.ids, p.outputs, p.targets) for p in parts])
    suspects = mislabel_scores(pooled.targets, pooled.outputs)
    position = {i: row for row, i in enumerate(desk.examples.pack.ids())}
    places = desk.examples.pack.places()
    return [
        Mislabel(
            id=str(pooled.ids[row]),
            given=problem.classes[int(pooled.targets[row])],
            suggested=problem.classes[int(other)],
            score=float(score),
            place=str(places[position[pooled.ids[row]]]),
        )
        for row, score, other in zip(suspects.rows, suspects.scores, suspects.suggested)
    ]


def _knows(scored: ModelScore, baseline: BaselineReport) -> bool:
    """Whether a model may doubt labels at all: it closes at least half of the way from the trivial predictor's accuracy to 1."""
    trivial = baseline.models[baseline.trivial].metrics.get("accuracy", 0.0)
    return scored.metrics.get("accuracy", 0.0) - trivial >= 0.5 * (1 - trivial)


def _doubter(baseline: BaselineReport) -> str:
    return baseline.best if baseline.best in ("linear", "boosting") else "linear"


def _cross_predict(ctx: Context, desk: Desk, baseline: BaselineReport) -> Predictions:
    """Each half of a sample of train, predicted by the simple model fitted on the other half."""
    name = _doubter(baseline)
    rows = sample_rows(ctx.seed, desk.folds[0].train, _DOUBTED_ROWS)
    halves = rows[0::2], rows[1::2]
    parts = []
    for fitted, asked in (halves, halves[::-1]):
        outputs = fit_yardstick(name, desk, desk.folds[0].on(fitted), asked, _ROUNDS).outputs
        parts.append(Predictions(desk.examples.pack.ids(asked), outputs, desk.examples.plain_targets(asked)))
    return pool(parts)


def _pictures(ctx: Context, desk: Desk, ids: list[str], position: dict[str, int]) -> str:
    if desk.examples.fields[0].name != "image" or not ids:
        return ""
    unique = sorted(set(ids))
    images = desk.examples.pack.gather(np.asarray([position[i] for i in unique], np.int64))[0]
    return ctx.store.put_arrays({i: to_picture(image) for i, image in zip(unique, images)})


def _to_csv(rows: list[ErrorRow], own_tags: list[str], has_confidence: bool) -> bytes:
    """The table for a spreadsheet: tags separated by `;`, and a column of its own for each of the user's tags; `confidence` where one class is named."""
    text = io.StringIO()
    writer = csv.writer(text)
    sure, written = ["confidence"] if has_confidence else [], ["text"] if any(row.text for row in rows) else []
    writer.writerow(["id", "place", "target", "pred", *sure, "tags", "note", *own_tags, *written])
    for row in rows:
        marks = ["x" if tag in row.tags else "" for tag in own_tags]
        tags = ";".join(tag for tag in row.tags if tag not in own_tags)
        writer.writerow(
            [row.id, row.place, row.target, row.pred, *(f"{row.confidence:.4f}" for _ in sure), tags, row.note, *marks, *(row.text for _ in written)]
        )
    return text.getvalue().encode()


def _find(doubts: list[Mislabel], num: int) -> list[Finding]:
    if not doubts:
        return []
    share = len(doubts) / num
    return [
        Finding(
            code="data.mislabels",
            severity="warn" if share > _MANY_DOUBTS and len(doubts) >= _LEAST_DOUBTS else "info",
            what=f"{len(doubts):,} labels are in doubt ({share:.1%} of train and val): the models say another class, and are sure of it.",
            where="train and val",
            next="Look at the list, the most doubtful first; mend the source, then `surefoot run --from audit`.",
            evidence={"doubted": len(doubts), "items": num},
            ids=tuple(m.id for m in doubts[:100]),
        )
    ]
