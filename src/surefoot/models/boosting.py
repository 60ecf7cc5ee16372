"""Gradient boosting (LightGBM), the model to beat on tables. Its file is plain text; loading it runs no code."""

from __future__ import annotations

import os
import warnings

import lightgbm
import numpy as np

from surefoot import randomness

_PATIENCE = 20
_HELD_OUT = 0.1
"""Share of the train rows that tells when to stop; val is for choosing between models."""
_PARAMETERS = {"learning_rate": 0.1, "num_leaves": 31, "verbosity": -1, "deterministic": True, "force_row_wise": True, "min_data_per_group": 20}
_OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "multilabel": "binary", "regression": "regression", "vector_regression": "regression"}

SEPARATOR = "\n=== next output ===\n"
"""Between the boosters of a model with several outputs, each of which is a model of its own."""


def flatten(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Raw fields -> float32 (N, F): pixels or numbers first, category codes last; NaN stays missing, code 0 is a category of its own."""
    return np.concatenate([array.reshape(len(array), int(np.prod(array.shape[1:]))).astype(np.float32) for array in inputs], 1)


def fit_boosting(
    inputs: tuple[np.ndarray, ...], targets: np.ndarray, task: str, num_classes: int, *, seed: int, rounds: int, stop_early: bool = True
) -> tuple[str, int]:
    """Fits one booster (one per output for multilabel and vector regression).

    Args:
        inputs: raw fields of the train rows.
        targets: int64 (N,) classes; (N, T) else, on the scale that is trained on.
        rounds: at most so many trees per class; exactly so many without early stopping.

    Returns:
        The model as text, and the rounds used (the most of any output).
    """
    features = flatten(inputs)
    columns = [targets.reshape(-1)] if task in ("binary", "multiclass") else list(targets.T)
    boosters = [_fit_one(features, inputs, column, task, num_classes, seed, rounds, stop_early) for column in columns]
    texts = [booster.model_to_string(num_iteration=booster.best_iteration or -1) for booster in boosters]
    return SEPARATOR.join(texts), max(booster.best_iteration or rounds for booster in boosters)


def _fit_one(
    features: np.ndarray, inputs: tuple[np.ndarray, ...], targets: np.ndarray, task: str, num_classes: int, seed: int, rounds: int, stop_early: bool
) -> lightgbm.Booster:
    order = randomness.stream(seed, "boosting held out").permutation(len(targets))
    held = int(len(order) * _HELD_OUT) if stop_early and len(order) >= 100 else 0
    num_codes = sum(array.shape[1] for array in inputs if array.dtype == np.int32)
    categories = list(range(features.shape[1] - num_codes, features.shape[1]))
    parameters = _PARAMETERS | {"objective": _OBJECTIVES[task], "seed": seed, "num_threads": os.cpu_count() or 1}
    if task == "multiclass":
        parameters["num_class"] = num_classes
    if features.shape[1] > 256:
        parameters["feature_fraction"] = 0.25  # pixels repeat each other; four times as fast at the same accuracy on digits
    if len(order) < 1000:
        parameters["min_data_in_leaf"] = max(2, len(order) // 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM warns of category columns in a plain array, which is how we mean it
        train = lightgbm.Dataset(features[order[held:]], targets[order[held:]], categorical_feature=categories, free_raw_data=True)
        checks = [train.create_valid(features[order[:held]], targets[order[:held]])] if held else []
        stopping = [lightgbm.early_stopping(_PATIENCE, verbose=False)] if held else []
        return lightgbm.train(parameters, train, num_boost_round=rounds, valid_sets=checks, callbacks=stopping)


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
