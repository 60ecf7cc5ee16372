"""Does one column alone tell the target? A small tree per column, scored on rows it has not seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

THRESHOLD = 0.98
"""Share of the way from the trivial predictor to the perfect one; honest single columns of the public sets we tried stay below 0.95."""

FILE_THRESHOLD = 0.5
"""What a file says beside its pixels is no input, so less of it is worth a word; by their bytes CIFAR-10 and the flowers are told by less than 0.1,
spam by its length by 0.11."""

_ROWS = 5_000
_HUGE = 1e30  # scikit-learn's trees read float32
_FEWEST = 5
"""Rows from which a leaf or a word answers by itself: what fewer say is chance, or a row that stands twice."""

Guess = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""What rows (F,) hold, float64 or codes, and their targets (F,), classes as int or amounts as float64; what others (A,) hold -> guesses (A,)."""


def score_columns(columns: dict[str, np.ndarray], targets: np.ndarray, *, is_classification: bool, seed: int) -> dict[str, float]:
    """Column -> how far it alone goes from guessing (0) to perfect (1), by three-fold cross-validation.

    A column of words is asked twice, and the better answer counts: by a tree over their alphabetical order, which finds beginnings that tell, and word by
    word, for a tree of 64 leaves cannot hold two hundred words that have nothing in common: by it alone names that decide among seven classes score 0.45.

    Args:
        columns: name -> float64 (N,), NaN where missing, or words, object (N,).
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
    if len(y) < 30:
        return 0.0
    y = y.astype(int) if is_classification else y
    if values.dtype == object:
        codes = np.unique(values.astype(str), return_inverse=True)[1]
        return max(_rate(_cross_guess(way, codes, y), y) for way in (_ask_tree, _ask_words))
    lowest = np.nanmin(values) - 1 if np.isfinite(values).any() else 0.0
    return _rate(_cross_guess(_ask_tree, np.nan_to_num(values, nan=lowest, posinf=_HUGE, neginf=-_HUGE).clip(-_HUGE, _HUGE), y), y)


def _rate(guess: np.ndarray, y: np.ndarray) -> float:
    """How far guesses (N,) go from the trivial predictor's (0) to perfect ones (1)."""
    if y.dtype.kind == "i":
        trivial = np.bincount(y).max() / len(y)
        return float(((guess == y).mean() - trivial) / (1 - trivial)) if trivial < 1 else 0.0
    return float(1 - ((guess - y) ** 2).sum() / max(((y - y.mean()) ** 2).sum(), 1e-300))


def _cross_guess(guess: Guess, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Guesses for rows that were not among the fitted ones; a third of the time of `cross_val_predict` on a hundred rows."""
    guesses = np.empty_like(y)
    for fitted, asked in _folds(len(y)):
        guesses[asked] = guess(x[fitted], y[fitted], x[asked])
    return guesses


def _ask_tree(x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    is_class = y.dtype.kind == "i"
    tree = (DecisionTreeClassifier if is_class else DecisionTreeRegressor)(max_leaf_nodes=64 if is_class else 256, min_samples_leaf=_FEWEST)
    return np.asarray(tree.fit(x.reshape(-1, 1), y).predict(asked.reshape(-1, 1)))


def _ask_words(x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The commonest class, or the mean, of the rows with the same word; of all rows where fewer than five have it."""
    words = int(max(x.max(), asked.max())) + 1
    held = np.bincount(x, minlength=words)
    if y.dtype.kind == "i":
        counts = np.zeros((words, y.max() + 1), np.int32)
        np.add.at(counts, (x, y), 1)
        told, overall = counts.argmax(1), counts.sum(0).argmax()
    else:
        told, overall = np.bincount(x, y, minlength=words) / np.maximum(held, 1), y.mean()
    return np.where(held >= _FEWEST, told, overall)[asked]


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
