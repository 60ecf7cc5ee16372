"""Does one column alone tell the target? A small tree per column, scored on rows it has not seen."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

THRESHOLD = 0.98
"""Share of the way from the trivial predictor to the perfect one; honest single columns of the public sets we tried stay below 0.95."""

FILE_THRESHOLD = 0.5
"""What a file says beside its pixels is no input, so less of it is worth a word; by their bytes CIFAR-10 and the flowers are told by less than 0.1,
spam by its length by 0.11."""

_ROWS = 5_000
_HUGE = 1e30  # scikit-learn's trees read float32


def score_columns(columns: dict[str, np.ndarray], targets: np.ndarray, *, is_classification: bool, seed: int) -> dict[str, float]:
    """Column -> how far it alone goes from guessing (0) to perfect (1), by three-fold cross-validation.

    Args:
        columns: name -> float64 (N,), categories as codes, NaN where missing.
        targets: (N,) class indices or values.
        is_classification: accuracy over the majority's, else R².
        seed: picks at most 5,000 rows.
    """
    rows = sample_rows(len(targets), seed)
    y = targets[rows]
    return {name: _score(values[rows], y, is_classification) for name, values in columns.items()}


def sample_rows(num: int, seed: int) -> np.ndarray:
    """At most 5,000 of so many rows, in a random order: int64."""
    return np.random.default_rng(seed).permutation(num)[:_ROWS]


def _score(values: np.ndarray, y: np.ndarray, is_classification: bool) -> float:
    x = np.nan_to_num(values, nan=np.nanmin(values) - 1 if np.isfinite(values).any() else 0.0, posinf=_HUGE, neginf=-_HUGE).clip(-_HUGE, _HUGE).reshape(-1, 1)
    if len(y) < 30:
        return 0.0
    if is_classification:
        y = y.astype(int)
        trivial = np.bincount(y).max() / len(y)
        guess = _guess(DecisionTreeClassifier(max_leaf_nodes=64, min_samples_leaf=5), x, y)
        return float(((guess == y).mean() - trivial) / (1 - trivial)) if trivial < 1 else 0.0
    guess = _guess(DecisionTreeRegressor(max_leaf_nodes=256, min_samples_leaf=5), x, y)
    return float(1 - ((guess - y) ** 2).sum() / max(((y - y.mean()) ** 2).sum(), 1e-300))


def _guess(tree: DecisionTreeClassifier | DecisionTreeRegressor, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Guesses for rows that the tree was not fitted to; a third of the time of `cross_val_predict` on a hundred rows."""
    guess = np.empty_like(y)
    for fitted, asked in _folds(len(y)):
        guess[asked] = tree.fit(x[fitted], y[fitted]).predict(x[asked])
    return guess


def _folds(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    fold = np.arange(n) % 3
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(3)]


def describe_files(records: np.ndarray, places: Sequence[str], labels: Sequence[str]) -> dict[str, np.ndarray]:
    """What is known of picture files beside their pixels, as columns float64 (N,): size in bytes, sides, mode, time of the shot, and their names.

    Args:
        records: (N,) of `measures.RECORD`. places: paths. labels: class names; a name that holds one says nothing new.
    """
    columns = {"file size": records["bytes"], "height": records["height"], "width": records["width"], "date of the shot": records["taken"]}
    columns["colour mode"] = np.unique(records["mode"], return_inverse=True)[1]
    columns |= describe_names(places, labels) if (records["bytes"] > 0).any() else {}
    return {name: values.astype(np.float64) for name, values in columns.items() if len(np.unique(values)) > 1}


def describe_names(places: Sequence[str], labels: Sequence[str]) -> dict[str, np.ndarray]:
    """What the names of files say, as columns float64 (N,); nothing where most hold the label, or where there are no names but rows: `name[row]`."""
    names = [place.rsplit("/", 1)[-1].lower() for place in places]
    if not names or names[0].endswith("]") or np.mean([label.lower() in name for label, name in zip(labels, names)]) >= 0.5:
        return {}
    return {
        "file name's pattern": np.unique([re.sub(r"\d+", "0", name) for name in names], return_inverse=True)[1].astype(np.float64),
        "file name's number": np.asarray([float(("".join(re.findall(r"\d+", name)) or "-1")[:15]) for name in names]),
    }
