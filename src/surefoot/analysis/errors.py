"""Looking at errors: which items to show, and what fixing a kind of them could bring."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np

from surefoot.analysis.intervals import wilson
from surefoot.metrics.classification import LOG_LOSS
from surefoot.metrics.decisions import decide, task_of
from surefoot.randomness import stream
from surefoot.types.error_reports import ErrorRow
from surefoot.types.examples import Predictions, Threshold
from surefoot.types.findings import Measured

WORST_FRAC = 0.1


def wrong_rows(task: str, predictions: Predictions, threshold: Threshold = 0.5) -> np.ndarray:
    """The rows that were got wrong, int64, ascending; of an id that several folds got wrong the first.

    Multilabel: any label wrong. Regression, where nothing is quite right: the tenth with the largest residuals.
    """
    if task in ("regression", "vector_regression"):
        order = np.argsort(-item_losses(predictions), kind="stable")
        rows = order[_first_of_each(predictions.ids[order])]
        return np.sort(rows[: int(np.ceil(WORST_FRAC * len(rows)))])
    differs = decide(task, predictions.outputs, threshold) != predictions.targets
    rows = np.flatnonzero(differs.any(axis=1) if differs.ndim == 2 else differs)
    return rows[_first_of_each(predictions.ids[rows])]


def sample_wrong(task: str, predictions: Predictions, *, num: int, seed: int, threshold: Threshold = 0.5) -> np.ndarray:
    """At most `num` of the wrong rows, drawn evenly: the worst by loss would tell of oddities, not of the errors there are.

    Source: Ng, Machine Learning Yearning, ch. 14 to 19 (error analysis on about 100 misclassified val items).
    """
    rows = wrong_rows(task, predictions, threshold)
    return np.sort(stream(seed, "analysis.sample_wrong").permutation(rows)[:num])


def worst(predictions: Predictions, num: int) -> np.ndarray:
    """The `num` rows with the largest loss, the largest first; each id once."""
    order = np.argsort(-item_losses(predictions), kind="stable")
    return order[_first_of_each(predictions.ids[order])][:num]


def item_losses(predictions: Predictions) -> np.ndarray:
    """How far off each row is, float64 (N,): log loss in nats; regression: absolute residual in standard deviations of the target."""
    targets, outputs = predictions.targets, predictions.outputs
    if task_of(targets, outputs) in ("regression", "vector_regression"):
        spread = targets.std(axis=0) if len(targets) else np.ones(outputs.shape[1])
        return (np.abs(outputs - targets) / np.where(spread > 0, spread, 1.0)).mean(axis=1)
    assert LOG_LOSS.per_item is not None
    return LOG_LOSS.per_item(targets, outputs)


def _first_of_each(ids: np.ndarray) -> np.ndarray:
    """Positions of the first row of each id, ascending."""
    return np.sort(np.unique(ids, return_index=True)[1])


def ceilings(tags: Mapping[str, int], num_rows: int, wrong: float) -> dict[str, Measured]:
    """The share of val's items that mending all rows with a tag could put right at most: n_c / n · wrong. Ceilings overlap and don't add.

    They are counted in items whatever the metric is: the sample is one of wrong items, and how far F1 or an area would follow them is not known.

    Args:
        tags: tag -> rows of the sample that carry it. num_rows: rows in the sample.
        wrong: the share of val's items that are wrong, which the sample was drawn from.

    Returns:
        tag -> ceiling as a share of val's items, with the interval of the tag's share of the sample (Wilson); `n` is `num_rows`.

    Source: Ng, Machine Learning Yearning, ch. 14 and 15.
    """
    result = {}
    for tag, count in tags.items():
        low, high = wilson(count, num_rows)
        share = count / num_rows if num_rows else 0.0
        result[tag] = Measured(value=share * wrong, interval=(low * wrong, high * wrong), n=num_rows)
    return result


def amount_ceilings(rows: Sequence[ErrorRow], predictions: Predictions) -> dict[str, Measured]:
    """The share of val's absolute error that mending all of the worst tenth with a tag could take away at most; shares overlap and don't add.

    It is the tag's share of the sample's error, times that of the worst tenth in all of val's; what lies outside the tenth is not looked at, and not counted.

    Args:
        rows: a sample of the rows that are furthest off, as `sample_wrong` draws them, with their losses. predictions: those on val.

    Returns:
        tag -> share with Wilson's interval for as many rows as would weigh the same; `n` counts the rows.

    Source: Ng, Machine Learning Yearning, ch. 14; Kish 1965 for how many equal rows unequal ones are worth.
    """
    losses, sample = item_losses(predictions), np.array([row.loss for row in rows])
    every, seen = losses[worst(predictions, len(losses))].sum(), sample.sum()
    if not seen or not every:
        return {}
    carried, num = losses[wrong_rows("regression", predictions)].sum() / every, seen**2 / (sample**2).sum()
    shares = {tag: sum(row.loss for row in rows if tag in row.tags) / seen for tag in dict.fromkeys(tag for row in rows for tag in row.tags)}
    ends = {tag: wilson(share * num, num) for tag, share in shares.items()}
    return {tag: Measured(value=share * carried, interval=(ends[tag][0] * carried, ends[tag][1] * carried), n=len(rows)) for tag, share in shares.items()}


def write_table(rows: Sequence[ErrorRow], columns: Sequence[str], *, has_confidence: bool) -> bytes:
    """The error table for a spreadsheet, UTF-8: a column that takes an `x` for each of `columns`, other tags separated by `;`, texts last where there are any.

    Args:
        columns: tags that get a column of their own. has_confidence: whether one class is named, so that there is a prob of it.
    """
    text, has_text = io.StringIO(), any(row.text for row in rows)
    writer = csv.writer(text)
    writer.writerow(["id", "place", "target", "pred", *(["confidence"] if has_confidence else []), *columns, "tags", "note", *(["text"] if has_text else [])])
    for row in rows:
        marks = ["x" if tag in row.tags else "" for tag in columns]
        sureness = [f"{row.confidence:.4f}"] if has_confidence else []
        others = ";".join(tag for tag in row.tags if tag not in columns)
        writer.writerow([row.id, row.place, row.target, row.pred, *sureness, *marks, others, row.note, *([row.text] if has_text else [])])
    return text.getvalue().encode()
