"""Simple models, fitted like any candidate: what a net has to beat, and what ships where it does not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from surefoot import losses
from surefoot.data.examples import scale_targets
from surefoot.engine.build import Desk, Part, assemble
from surefoot.engine.predict import predict, to_outputs
from surefoot.models.boosting import ENOUGH, Rounds, fit_boosting, predict_boosting
from surefoot.models.linear import LinearBody
from surefoot.models.network import Network
from surefoot.transforms.prepare import build_prepare, prepared_fields
from surefoot.types.data_reports import UNKNOWN
from surefoot.types.problem import Problem

TRIVIAL = ("majority", "mean", "median")
LINEAR_KINDS = (*TRIVIAL, "linear")
"""Those that are one linear layer, and ship as one."""
_NEIGHBOURS = 5
_ASKED = 1_000
"""Rows asked at a time."""


@dataclass(frozen=True)
class Yardstick:
    """A fitted simple model: its outputs on the asked rows, and what can be shipped of it.

    Attributes:
        outputs: (len(rows), ...) as in `types.examples.Predictions.outputs`.
        network: for those that are one linear layer. text: for boosting. rounds: trees per class it used.
    """

    outputs: np.ndarray
    network: Network | None = None
    text: str = ""
    rounds: int = 0


def fit_yardstick(name: str, desk: Desk, part: Part, rows: np.ndarray, rounds: Rounds = ENOUGH) -> Yardstick:
    """Fits the simple model `name` on the part's train rows and asks it about `rows`.

    Args:
        name: `majority`, `mean`, `median`, `linear`, `knn`, `boosting`.
        rounds: how many trees per class, for boosting.
    """
    if name == "boosting":
        return _fit_boosting(desk, part, rows, rounds)
    if name == "knn":
        return Yardstick(_ask_neighbours(desk, part, rows))
    body = blank_linear(desk, part)
    body.set_weights(*map(torch.from_numpy, _constant(name, desk, part) if name in TRIVIAL else _fit_linear(desk, part)))
    network = assemble(desk, body, part).to(desk.examples.device).eval()
    return Yardstick(to_outputs(desk.problem, network, predict(network, desk.examples, rows)), network)


def blank_linear(desk: Desk, part: Part) -> LinearBody:
    """One linear layer over everything, all zeros."""
    fields = prepared_fields(desk.examples.fields, part.statistics)
    cardinalities = next((f.cardinalities for f in fields if f.name == "category"), ())
    num_inputs = sum(int(np.prod(f.shape)) for f in fields if f.name != "category" and not f.is_text)
    return LinearBody(num_inputs, cardinalities, desk.problem.num_outputs, tuple(f.cardinalities[0] for f in fields if f.is_text))


def _constant(name: str, desk: Desk, part: Part) -> tuple[np.ndarray, np.ndarray]:
    width = sum(blank_linear(desk, part).sizes)
    targets = desk.examples.plain_targets(part.train)
    if desk.problem.classes:
        bias = losses.prior_bias(desk.problem.task, targets, desk.problem.num_outputs)
    else:
        scaled = (scale_targets(desk.problem, targets) - part.statistics["target.mean"]) / part.statistics["target.sd"]
        if name == "median":
            bias = np.median(scaled, 0)
        else:  # the mean of the target itself, also where training is on a log scale
            bias = (scale_targets(desk.problem, targets.mean(0, keepdims=True))[0] - part.statistics["target.mean"]) / part.statistics["target.sd"]
    return np.zeros((desk.problem.num_outputs, width)), np.asarray(bias, np.float64)


def _fit_linear(desk: Desk, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Weights over numbers, codes and words; words are weighed by how rare they are, which is folded into their weights."""
    design = _design(desk, part.train, part)
    words, rarity = _count_words(desk, part.train, part)
    if not len(rarity):
        return _fit_weights(desk, part, design)
    weights, bias = _fit_weights(desk, part, sparse.hstack([design, words], format="csr"))
    return weights * np.concatenate([np.ones(design.shape[1]), rarity]), bias


def _fit_weights(desk: Desk, part: Part, design: Any) -> tuple[np.ndarray, np.ndarray]:
    targets, problem = desk.examples.plain_targets(part.train), desk.problem
    if not problem.classes:
        scaled = (scale_targets(problem, targets) - part.statistics["target.mean"]) / part.statistics["target.sd"]
        ridge = Ridge(alpha=1.0).fit(design, scaled)
        return np.atleast_2d(ridge.coef_), np.atleast_1d(ridge.intercept_)
    prior = losses.prior_bias(problem.task, targets, problem.num_outputs)
    if problem.task != "multilabel" and (targets == targets[0]).all():  # a solver needs a second class; of one there is its share to say
        return np.zeros((problem.num_outputs, design.shape[1])), prior
    logistic = LogisticRegression(C=1.0, max_iter=100, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a hundred iterations are enough for a yardstick; sklearn says when it could go on
        if problem.task == "multilabel":
            fitted = OneVsRestClassifier(logistic).fit(design, targets)
            blank = np.zeros(design.shape[1])  # of a label that all items have, or none
            pairs = [(e.coef_[0], e.intercept_[0]) if hasattr(e, "coef_") else (blank, own) for e, own in zip(fitted.estimators_, prior)]
            return np.stack([c for c, _ in pairs]), np.asarray([b for _, b in pairs])
        logistic.fit(design, targets)
    present = logistic.classes_.astype(int)
    if problem.task == "binary":
        return logistic.coef_, logistic.intercept_
    weights, bias = np.zeros((problem.num_outputs, design.shape[1])), np.full(problem.num_outputs, -10.0)
    if len(present) == 2:  # sklearn gives one row for two classes
        weights[present], bias[present] = [np.zeros(design.shape[1]), logistic.coef_[0]], [0.0, logistic.intercept_[0]]
    else:
        weights[present], bias[present] = logistic.coef_, logistic.intercept_
    return weights, bias


def _ask_neighbours(desk: Desk, part: Part, rows: np.ndarray) -> np.ndarray:
    design, targets, problem = _design(desk, part.train, part), desk.examples.plain_targets(part.train), desk.problem
    neighbours = min(_NEIGHBOURS, len(part.train))
    if not problem.classes:
        regressor = KNeighborsRegressor(neighbours).fit(design, targets)
        return _ask_in_parts(rows, lambda some: regressor.predict(_design(desk, some, part)).reshape(len(some), -1))
    model = KNeighborsClassifier(neighbours, weights="distance").fit(design, targets)
    if problem.task == "multilabel":
        return _ask_in_parts(rows, lambda some: _spread_labels(model, _design(desk, some, part)))
    places = model.classes_.astype(int)
    probs = np.zeros((len(rows), len(problem.classes)))
    probs[:, places] = _ask_in_parts(rows, lambda some: model.predict_proba(_design(desk, some, part)))
    return probs


def _spread_labels(model: KNeighborsClassifier, design: np.ndarray) -> np.ndarray:
    columns = [p[:, list(c).index(1)] if 1 in c else np.zeros(len(design)) for p, c in zip(model.predict_proba(design), model.classes_)]
    return np.stack(columns, 1)


def _ask_in_parts(rows: np.ndarray, ask: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What a model says about the rows, a few at a time: wide rows as floats fill memory."""
    return np.concatenate([ask(rows[start : start + _ASKED]) for start in range(0, max(len(rows), 1), _ASKED)])


def _fit_boosting(desk: Desk, part: Part, rows: np.ndarray, rounds: Rounds) -> Yardstick:
    problem = desk.problem
    targets = desk.examples.plain_targets(part.train)
    scaled = targets if problem.classes else scale_targets(problem, targets)
    text, used = fit_boosting(_gather_columns(desk, part.train), scaled, problem.task, len(problem.classes), seed=desk.seed, rounds=rounds)
    return Yardstick(_ask_in_parts(rows, lambda some: boosting_outputs(problem, text, _gather_columns(desk, some))), text=text, rounds=used)


def boosting_outputs(problem: Problem, text: str, fields: tuple[np.ndarray, ...]) -> np.ndarray:
    """What a fitted boosting model says of raw fields, in the target's own units."""
    outputs = predict_boosting(text, fields, problem.task)
    return np.expm1(outputs) if problem.log_target else outputs


def _gather_columns(desk: Desk, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """The fields of some rows without their texts: the number of a word is no amount, and its place in the text no column."""
    return tuple(array for field, array in zip(desk.examples.fields, desk.examples.pack.gather(rows)) if not field.is_text)


def _count_words(desk: Desk, rows: np.ndarray, part: Part) -> tuple[Any, np.ndarray]:
    """How often each word stands in each text, over the root of the text's length, times how rare it is (smoothed inverse document frequency).

    With the root, and not the norm of the row, the model is one linear layer over the sum of its words' weights, which can be shipped.

    Returns:
        csr float32 (N, sum of V) and rarity float64 (sum of V,); 0 for padding.

    Source: Salton and Buckley 1988, "Term-Weighting Approaches in Automatic Text Retrieval".
    """
    counted: list[Any] = []
    rarity = []
    arrays = desk.examples.pack.gather(rows)
    for field, tokens in zip(desk.examples.fields, arrays):
        if field.is_text:
            known = np.where(part.statistics[f"{field.name}.seen"], np.arange(field.cardinalities[0]), UNKNOWN)[tokens]
            item, place = np.nonzero(known)
            weights = 1 / np.sqrt(np.maximum((known > 0).sum(1), 1))[item]
            counts = sparse.csr_array((weights.astype(np.float32), (item, known[item, place])), shape=(len(rows), field.cardinalities[0]))
            texts_with = np.bincount(counts.indices, minlength=field.cardinalities[0])  # each pair of item and word stands once: equal ones were summed
            rare = np.log((1 + len(rows)) / (1 + texts_with)) + 1
            counted.append(counts * rare.astype(np.float32))
            rarity.append(rare)
    return (sparse.hstack(counted, format="csr"), np.concatenate(rarity)) if counted else (None, np.zeros(0))


def _design(desk: Desk, rows: np.ndarray, part: Part) -> np.ndarray:
    """What linear and k-NN see beside words: prepared numbers, and one column per category code. float32 (N, D)."""
    prepare = build_prepare(desk.examples.fields, part.statistics)
    with torch.inference_mode():
        prepared = prepare(*(torch.from_numpy(array) for array in desk.examples.pack.gather(rows)))
    parts = []
    for field, tensor in zip(prepared_fields(desk.examples.fields, part.statistics), prepared):
        array = tensor.numpy()
        if field.name == "category":
            parts += [np.eye(cardinality, dtype=np.float32)[array[:, number]] for number, cardinality in enumerate(field.cardinalities)]
        elif not field.is_text:
            parts.append(array.reshape(len(array), -1))
    return np.concatenate([np.zeros((len(rows), 0), np.float32), *parts], 1)
