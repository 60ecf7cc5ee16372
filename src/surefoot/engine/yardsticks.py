"""Simple models, fitted like any candidate: what a net has to beat, and what ships where it does not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
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
    network = assemble(desk, body, part).eval()
    return Yardstick(to_outputs(desk.problem, network, predict(network, desk.examples, rows)), network)


def blank_linear(desk: Desk, part: Part) -> LinearBody:
    """One linear layer over everything, all zeros."""
    fields = prepared_fields(desk.examples.fields, part.statistics)
    cardinalities = next((f.cardinalities for f in fields if f.name == "category"), ())
    num_inputs = sum(int(np.prod(f.shape)) for f in fields if f.name != "category")
    return LinearBody(num_inputs, cardinalities, desk.problem.num_outputs)


def _constant(name: str, desk: Desk, part: Part) -> tuple[np.ndarray, np.ndarray]:
    width = _design(desk, part.train[:1], part).shape[1]
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
    design, targets, problem = _design(desk, part.train, part), desk.examples.plain_targets(part.train), desk.problem
    if not problem.classes:
        scaled = (scale_targets(problem, targets) - part.statistics["target.mean"]) / part.statistics["target.sd"]
        ridge = Ridge(alpha=1.0).fit(design, scaled)
        return np.atleast_2d(ridge.coef_), np.atleast_1d(ridge.intercept_)
    logistic = LogisticRegression(C=1.0, max_iter=100, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a hundred iterations are enough for a yardstick; sklearn says when it could go on
        if problem.task == "multilabel":
            fitted = OneVsRestClassifier(logistic).fit(design, targets)
            pairs = [(e.coef_[0], e.intercept_[0]) if hasattr(e, "coef_") else (np.zeros(design.shape[1]), -10.0) for e in fitted.estimators_]
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
    problem, pack = desk.problem, desk.examples.pack
    targets = desk.examples.plain_targets(part.train)
    scaled = targets if problem.classes else scale_targets(problem, targets)
    text, used = fit_boosting(pack.gather(part.train), scaled, problem.task, len(problem.classes), seed=desk.seed, rounds=rounds)
    outputs = _ask_in_parts(rows, lambda some: predict_boosting(text, pack.gather(some), problem.task))
    return Yardstick(np.expm1(outputs) if problem.log_target else outputs, text=text, rounds=used)


def _design(desk: Desk, rows: np.ndarray, part: Part) -> np.ndarray:
    """What linear and k-NN see: prepared numbers, and one column per category code. float32 (N, D)."""
    prepare = build_prepare(desk.examples.fields, part.statistics)
    with torch.inference_mode():
        prepared = prepare(*(torch.from_numpy(array) for array in desk.examples.pack.gather(rows)))
    parts = []
    for field, tensor in zip(prepared_fields(desk.examples.fields, part.statistics), prepared):
        array = tensor.numpy()
        if field.name == "category":
            parts += [np.eye(cardinality, dtype=np.float32)[array[:, number]] for number, cardinality in enumerate(field.cardinalities)]
        else:
            parts.append(array.reshape(len(array), -1))
    return np.concatenate(parts, 1)
