"""Gradient boosting (LightGBM), the model to beat on tables. Its file is plain text; loading it runs no code."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from surefoot import randomness

_PATIENCE = 20
_MANY = 256
"""Features per tree at most."""
_LARGE = 1_000_000
"""Values from which more than one thread pays. On two shared cores a second made 2,000 x 20 values a hundred times slower; 0 leaves it to OpenMP."""
_HELD_OUT = 0.1
"""Share of the train rows that tells when to stop; val is for choosing between models."""
_PARAMETERS = {"learning_rate": 0.1, "num_leaves": 31, "verbosity": -1, "deterministic": True, "force_row_wise": True, "min_data_per_group": 20}
_OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "multilabel": "binary", "regression": "regression", "vector_regression": "regression"}

SEPARATOR = "\n=== next output ===\n"
"""Between the boosters of a model with several outputs, each of which is a model of its own."""


@dataclass(frozen=True)
class Rounds:
    """How many trees per class: `most`, or fewer, `early`, once a held-out tenth of the rows gets no better."""

    most: int = 200
    early: bool = True


ENOUGH = Rounds()


def flatten(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Raw fields -> float32 (N, F): pixels or numbers first, category codes last; NaN stays missing, code 0 is a category of its own."""
    return np.concatenate([array.reshape(len(array), int(np.prod(array.shape[1:]))).astype(np.float32) for array in inputs], 1)


def fit_boosting(inputs: tuple[np.ndarray, ...], targets: np.ndarray, task: str, num_classes: int, *, seed: int, rounds: Rounds = ENOUGH) -> tuple[str, int]:
    """Fits one booster (one per output for multilabel and vector regression).

    Args:
        inputs: raw fields of the train rows.
        targets: int64 (N,) classes; (N, T) else, on the scale that is trained on.
        rounds: how many trees per class.

    Returns:
        The model as text, and the rounds used (the most of any output).
    """
    features = flatten(inputs)
    parameters = _choose_parameters(task, num_classes, features.shape, seed)
    num_codes = sum(array.shape[1] for array in inputs if array.dtype == np.int32)
    parameters["categorical_feature"] = list(range(features.shape[1] - num_codes, features.shape[1]))
    columns = [targets.reshape(-1)] if task in ("binary", "multiclass") else list(targets.T)
    boosters = [_fit_one(features, column, parameters, rounds) for column in columns]
    texts = [booster.model_to_string(num_iteration=booster.best_iteration or -1) for booster in boosters]
    return SEPARATOR.join(texts), max(booster.best_iteration or rounds.most for booster in boosters)


def _choose_parameters(task: str, num_classes: int, shape: tuple[int, ...], seed: int) -> dict[str, Any]:
    parameters: dict[str, Any] = _PARAMETERS | {"objective": _OBJECTIVES[task], "seed": seed, "num_threads": 1 if shape[0] * shape[1] < _LARGE else 0}
    if task == "multiclass":
        parameters["num_class"] = num_classes
    if shape[1] > _MANY:
        parameters["feature_fraction"] = _MANY / shape[1]  # pixels repeat each other; four times as fast at the same accuracy on digits
    if shape[0] < 1000:
        parameters["min_data_in_leaf"] = max(2, shape[0] // 50)
    return parameters


def _fit_one(features: np.ndarray, targets: np.ndarray, parameters: dict[str, Any], rounds: Rounds) -> lightgbm.Booster:
    order = randomness.stream(parameters["seed"], "boosting held out").permutation(len(targets))
    held = int(len(order) * _HELD_OUT) if rounds.early and len(order) >= 100 else 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM warns of category columns in a plain array, which is how we mean it
        train = lightgbm.Dataset(features[order[held:]], targets[order[held:]], params=parameters)
        checks = [train.create_valid(features[order[:held]], targets[order[:held]])] if held else []
        stopping: list[Any] = [lightgbm.early_stopping(_PATIENCE, verbose=False)] if held else []
        return lightgbm.train(parameters, train, num_boost_round=rounds.most, valid_sets=checks, callbacks=stopping)


def predict_boosting(text: str, inputs: tuple[np.ndarray, ...], task: str) -> np.ndarray:
    """Probs (N, K), binary as two columns; multilabel (N, K); values on the trained scale (N, T). float64."""
    features = flatten(inputs)
    outputs = [np.asarray(lightgbm.Booster(model_str=part).predict(features)) for part in text.split(SEPARATOR)]
    if task == "multiclass":
        return outputs[0]
    if task == "binary":
        return np.stack([1 - outputs[0], outputs[0]], 1)
    return np.stack(outputs, 1)


def raw_scores(text: str, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Scores before the link function, float64 (N, K): what an exported model must reproduce."""
    features = flatten(inputs)
    parts = [np.asarray(lightgbm.Booster(model_str=part).predict(features, raw_score=True)).reshape(len(features), -1) for part in text.split(SEPARATOR)]
    return np.concatenate(parts, 1)
