"""s10: looks at a hundred errors, and counts what they have in common; then where errors gather, and whose label is in doubt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial

import numpy as np

from surefoot import durable
from surefoot.analysis import attribution, chances, mislabels, slices, tagging
from surefoot.analysis.crossfit import cross_fit
from surefoot.analysis.errors import amount_ceilings, ceilings, item_losses, sample_wrong, worst, write_table, wrong_rows
from surefoot.analysis.explore import map_seen
from surefoot.analysis.neighbours import nearest
from surefoot.checks import diagnosis as checks
from surefoot.data.pictures import to_picture
from surefoot.data.predictions import load_predictions, pool, save_predictions
from surefoot.data.readers.repairs import list_decided, write_repairs
from surefoot.data.showing import name_codes, read_texts
from surefoot.engine.build import Desk, lay_out
from surefoot.engine.devices import choose_device
from surefoot.engine.inspect import find_features, weigh_pixels
from surefoot.engine.outsiders import Outsiders, count_parts
from surefoot.engine.pace import final_seconds, take_stock
from surefoot.engine.winners import make_answer, sample_rows, tuned_network
from surefoot.metrics import decide
from surefoot.randomness import stream
from surefoot.store.scope import ScopedLedger
from surefoot.types import (
    AuditReport,
    BaselineReport,
    Context,
    ErrorRow,
    ErrorsReport,
    ErrorsStepConfig,
    Measured,
    Mislabel,
    Neighbour,
    Predictions,
    PreparedData,
    Problem,
    Slice,
    TuneReport,
)

_GALLERY, _LISTED = 24, 200
_DOUBTED_PICTURES = 6_000
"""Train pictures that a simple model doubts; nets, and simple models of tables, doubt all that `errors.doubted` allows."""
_LEAST_EPOCHS = 0.5
_KNOWN_ROWS = 20_000
_SLICED_ROWS = 5_000
_SURE = 0.9


@dataclass(frozen=True)
class Bench:
    """What everything here looks at: the winner, and what it said about val.

    Attributes:
        position: item id -> row of the pack. texts: item id -> what a person reads of it; empty where the items are no texts.
    """

    ctx: Context
    desk: Desk
    config: ErrorsStepConfig
    baseline: BaselineReport
    tune: TuneReport
    val: Predictions
    position: dict[str, int]
    texts: dict[str, str]

    @property
    def is_labelled(self) -> bool:
        """Whether each item has one class."""
        return self.desk.problem.task in ("binary", "multiclass")

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """Rows of the pack, int64."""
        return np.asarray([self.position[str(i)] for i in ids], np.int64)


def errors(
    ctx: Context, config: ErrorsStepConfig, *, problem: Problem, audit: AuditReport, data: PreparedData, baseline: BaselineReport, tune: TuneReport
) -> ErrorsReport:
    """A seeded sample of all wrong val items with tags, their sums and ceilings; the worst; slices; and suspected mislabels over train and val."""
    desk = lay_out(ctx, problem, data, choose_device(config.device))
    val = load_predictions(ctx.store, tune.val.predictions)
    position = {i: row for row, i in enumerate(desk.examples.pack.ids())}
    bench = Bench(ctx, desk, config, baseline, tune, val, position, read_texts(ctx.store, data.texts))
    picked = sample_wrong(problem.task, val, num=config.errors.rows, seed=ctx.seed, threshold=tune.threshold)
    pooled, doubts, suspects = _find_mislabels(bench)
    accused = {one.id for one in suspects} if (is_sure := _may_accuse(bench, pooled)) else set()
    rows, gallery = (_make_rows(bench, some, audit, accused) for some in (picked, worst(val, _GALLERY)))
    tags = Counter(tag for row in rows for tag in row.tags)
    num_wrong, num_val = len(wrong_rows(problem.task, val, tune.threshold)), len(np.unique(val.ids.astype(str)))
    most = amount_ceilings(rows, val) if not problem.classes else ceilings(tags, len(rows), num_wrong / num_val) if rows else {}
    shown = list(dict.fromkeys(row.id for row in (*rows, *gallery)))
    found, num_slices = _find_slices(bench, data)
    neighbours = _find_neighbours(bench, [row.id for row in rows])
    columns = (*tagging.CLASSIC.get(problem.kind, ("mislabel",)), *config.errors.tags)
    return ErrorsReport(
        num_wrong=num_wrong,
        num_val=num_val,
        is_amount=not problem.classes,
        rows=tuple(rows),
        tags=dict(tags.most_common()),
        ceilings=most,
        most_rewarding=max((tag for tag in most if tag != "sure of it"), key=lambda tag: most[tag].value, default=""),
        slices=found,
        num_slices=num_slices,
        neighbours=neighbours,
        saliency=_weigh(bench, shown),
        importance=_weigh_columns(bench),
        mislabels=tuple(suspects[:_LISTED]),
        num_suspects=len(suspects),
        doubted=mislabels.count_items(pooled),
        doubts=save_predictions(ctx.store, Predictions(pooled.ids, doubts[:, None], pooled.targets)) if pooled is not None else "",
        review_minutes=mislabels.review_minutes(len(suspects)),
        repairs=_write(ctx, "repairs.csv", write_repairs(mislabels.suggest_repairs(suspects))) if suspects else "",
        worst=tuple(gallery),
        pictures=_pictures(bench, [*shown, *(near.id for some in neighbours.values() for near in some)]),
        csv=_write(ctx, "errors.csv", write_table(rows, columns, has_confidence=bench.is_labelled)),
        findings=tuple(checks.mislabels(suspects, mislabels.count_items(pooled), is_sure=is_sure)),
        **map_seen(ctx, problem, desk.examples.pack, partial(find_features, tuned_network(ctx, desk, tune, 0), desk.examples)),
    )


def _write(ctx: Context, name: str, content: bytes) -> str:
    durable.replace(ctx.run_dir / name, content)
    return (ctx.run_dir / name).relative_to(ctx.root).as_posix()


def _make_rows(bench: Bench, picked: np.ndarray, audit: AuditReport, accused: set[str]) -> list[ErrorRow]:
    """The table's rows: what evidence says is filled in, what a person wrote goes before it."""
    desk, val, tune, ctx = bench.desk, bench.val, bench.tune, bench.ctx
    preds = decide(desk.problem.task, val.outputs[picked], tune.threshold)
    losses, packed = item_losses(val)[picked], bench.rows(val.ids[picked])
    places = desk.examples.pack.places(packed)
    usual = desk.examples.pack.gather(_sample_val(bench, 1_000))
    evident = tagging.tag_items(desk.examples.fields, desk.examples.pack.gather(packed), usual)
    audited = tagging.audited_tags(audit.findings)
    written = ctx.ledger.tags() if isinstance(ctx.ledger, ScopedLedger) else {}
    rows = []
    for number, row in enumerate(picked):
        id, target, pred = str(val.ids[row]), _name(desk.problem, val.targets[row]), _name(desk.problem, preds[number])
        confidence = float(val.outputs[row].max()) if bench.is_labelled else 0.0
        tags = evident[number]
        tags += [*audited.get(id, []), *([f"{target} as {pred}"] if bench.is_labelled else [])]
        tags += ["sure of it"] if confidence > _SURE else []
        tags += ["mislabel"] if id in accused else []
        own, note = written.get(id, (tags, ""))
        known = {"confidence": confidence, "loss": float(losses[number]), "tags": tuple(own), "note": note, "text": bench.texts.get(id, "")}
        rows.append(ErrorRow(id=id, place=str(places[number]), target=target, pred=pred, **known))
    return tagging.unify(rows, [bench.config.errors.tags, *evident])


def _name(problem: Problem, value: np.ndarray | float) -> str:
    if problem.task in ("binary", "multiclass"):
        return problem.classes[int(value)]
    if problem.task == "multilabel":
        return ", ".join(name for name, on in zip(problem.classes, np.atleast_1d(value)) if on) or "none"
    return ", ".join(f"{number:.5g}" for number in np.atleast_1d(value))


def _sample_val(bench: Bench, num: int) -> np.ndarray:
    """Rows of the pack: a seeded sample of val."""
    return np.sort(stream(bench.ctx.seed, "usual val items").permutation(np.unique(bench.rows(bench.val.ids)))[:num])


# where errors gather, and what answers rest on


def _find_slices(bench: Bench, data: PreparedData) -> tuple[tuple[Slice, ...], int]:
    desk, val, tune = bench.desk, bench.val, bench.tune
    kept = slices.pick_rows(val, _SLICED_ROWS, seed=bench.ctx.seed)
    rows = bench.rows(val.ids[kept])
    if desk.problem.classes:
        differs = decide(desk.problem.task, val.outputs[kept], tune.threshold) != val.targets[kept]
        losses = (differs.any(1) if differs.ndim == 2 else differs).astype(np.float64)
    else:
        losses = item_losses(val)[kept]
    candidates = slices.list_candidates(desk.examples.fields, desk.examples.pack.gather(rows), name_codes(data.recipe))
    if tune.winner == "net" and len(tune.weights) == 1:
        candidates |= slices.by_cluster(find_features(tuned_network(bench.ctx, desk, tune, 0), desk.examples, rows), seed=bench.ctx.seed)
    return slices.find_slices(candidates, losses, is_share=bool(desk.problem.classes)), len(candidates)


def _find_neighbours(bench: Bench, ids: list[str]) -> dict[str, tuple[Neighbour, ...]]:
    """The nearest train items of each error, in the features of the net: the tuned one, or, where a simple model won, the best net all the same."""
    desk, num = bench.desk, bench.config.errors.neighbours
    if not ids or not num:
        return {}
    rows, network = bench.rows(np.asarray(ids, dtype=object)), tuned_network(bench.ctx, desk, bench.tune, 0)
    known = np.setdiff1d(sample_rows(bench.ctx.seed, desk.folds[0].train, _KNOWN_ROWS), rows)
    found, likeness = nearest(find_features(network, desk.examples, rows), find_features(network, desk.examples, known), num)
    near = known[found]
    names, places = (dict(zip(np.unique(near), some(np.unique(near)))) for some in (desk.examples.pack.ids, desk.examples.pack.places))
    targets = desk.examples.plain_targets(near.ravel()).reshape(*near.shape, *desk.examples.plain_targets(near[:1, :1].ravel()).shape[1:])
    return {
        id: tuple(
            Neighbour(id=str(names[row]), place=str(places[row]), target=_name(desk.problem, target), likeness=float(like))
            for row, target, like in zip(near[k], targets[k], likeness[k])
        )
        for k, id in enumerate(ids)
    }


def _weigh(bench: Bench, ids: list[str]) -> str:
    """What the answers about these pictures rest on: gradient times input for nets, occlusion for what has no gradient."""
    desk, problem = bench.desk, bench.desk.problem
    if desk.examples.fields[0].name != "image" or not ids or problem.task == "vector_regression":
        return ""
    first = dict(zip(bench.val.ids[::-1].astype(str), range(len(bench.val) - 1, -1, -1)))
    outputs = bench.val.outputs[[first[i] for i in ids]]
    said = outputs.argmax(1) if problem.classes else np.full(len(ids), int(bench.tune.winner == "net"))  # a net's one logit is asked what raises it
    images = desk.examples.pack.gather(bench.rows(np.asarray(ids, dtype=object)))[0]
    if bench.tune.winner == "net":
        weights = weigh_pixels(tuned_network(bench.ctx, desk, bench.tune, 0), images, said)
    elif (answer := make_answer(bench.ctx, desk, bench.tune, bench.baseline)) is not None:
        weights = attribution.occlude(answer, images, said)
    else:
        return ""
    return bench.ctx.store.put_arrays(dict(zip(ids, attribution.paint(images, weights))))


def _weigh_columns(bench: Bench) -> dict[str, Measured]:
    """What shuffling each column costs the winner on val (at most 5,000 rows of the first fold)."""
    desk, tune = bench.desk, bench.tune
    if desk.examples.fields[0].name == "image" or (answer := make_answer(bench.ctx, desk, tune, bench.baseline)) is None:
        return {}
    rows = sample_rows(bench.ctx.seed, desk.folds[0].val, _SLICED_ROWS)
    inputs = desk.examples.pack.gather(rows)
    said = desk.examples.said(rows, answer(inputs))
    return attribution.importance(answer, inputs, said, desk.examples.fields, desk.metric.at(tune.threshold), seed=bench.ctx.seed)


def _pictures(bench: Bench, ids: list[str]) -> str:
    if bench.desk.examples.fields[0].name != "image" or not ids:
        return ""
    unique = sorted(set(ids))
    images = bench.desk.examples.pack.gather(bench.rows(np.asarray(unique, dtype=object)))[0]
    return bench.ctx.store.put_arrays({i: to_picture(image) for i, image in zip(unique, images)})


# whose label is in doubt


def _find_mislabels(bench: Bench) -> tuple[Predictions | None, np.ndarray, list[Mislabel]]:
    """What models that had not seen them say of train and val, how doubtful each label is, and the suspects, the most doubtful first."""
    problem, desk = bench.desk.problem, bench.desk
    if not bench.is_labelled:
        return None, np.zeros(0), []
    parts = [chances.find_chances(desk, bench.tune, bench.val)] if checks.may_doubt(bench.tune.val, bench.baseline) else []
    parts += _doubt_train(bench) if len(desk.folds) == 1 and bench.config.errors.doubted else []
    if not parts:
        return None, np.zeros(0), []
    models = np.concatenate([np.zeros(len(p)) if p.folds is None else p.folds + 100 * k for k, p in enumerate(parts)])
    pooled = pool([Predictions(p.ids, p.outputs, p.targets) for p in parts])
    suspects = mislabels.mislabel_scores(pooled.targets, pooled.outputs, models)
    places = desk.examples.pack.places(bench.rows(pooled.ids[suspects.rows]))
    found, decided = [], list_decided(bench.config.data, bench.ctx.root)  # what is decided later is no reason to do this step again
    for row, score, other, place in zip(suspects.rows, suspects.scores, suspects.suggested, places):
        if str(place) in decided:
            continue
        id, given, said = str(pooled.ids[row]), problem.classes[pooled.targets[row]], problem.classes[other]
        found.append(Mislabel(id=id, given=given, suggested=said, score=float(score), place=str(place), text=bench.texts.get(id, "")))
    return pooled, mislabels.doubt(pooled.targets, pooled.outputs), list({one.id: one for one in reversed(found)}.values())[::-1]


def _may_accuse(bench: Bench, pooled: Predictions | None) -> bool:
    """Whether what is doubted may be called wrong: the winner knows enough; or nothing is sure, and another kind of model says the same."""
    if pooled is None or checks.may_accuse(bench.tune.val, bench.baseline):
        return pooled is not None
    return mislabels.are_surest_contradicted(pooled) and mislabels.is_seconded(bench.ctx.store, bench.tune, bench.baseline, bench.val)


def _doubt_train(bench: Bench) -> list[Predictions]:
    """Train items as models say that were fitted on other train items: the tuned net's setting where the budget bears it, else the best simple model."""
    desk, baseline, seed, most = bench.desk, bench.baseline, bench.ctx.seed, bench.config.errors.doubted
    pace = take_stock(bench.ctx, bench.config.budget, "errors", final_seconds(desk, bench.tune))
    outsiders = Outsiders(bench.ctx, desk, bench.tune, pace.seconds())
    rows, is_net = sample_rows(seed, desk.folds[0].train, most), bench.tune.winner == "net" and checks.may_doubt(bench.tune.val, baseline)
    epochs = outsiders.bearable_epochs(len(rows)) if is_net else 0.0
    if epochs >= _LEAST_EPOCHS:
        fitting = partial(outsiders.ask_net, epochs)
    else:
        name = baseline.best if baseline.best in ("linear", "boosting") else "linear"
        if not checks.may_doubt(baseline.models[name], baseline):
            return []
        rows = rows if bench.desk.problem.kind == "table" else sample_rows(seed, desk.folds[0].train, min(_DOUBTED_PICTURES, most))
        fitting = partial(outsiders.ask_simple, name)
    targets = desk.examples.plain_targets(rows)
    outputs, parts = cross_fit(rows, targets, count_parts(len(rows)), fitting, seed=seed)
    probs = chances.find_outside_chances(desk, bench.tune, rows, outputs, parts) if epochs >= _LEAST_EPOCHS else outputs
    return [Predictions(desk.examples.pack.ids(rows), probs, targets, folds=parts)]
