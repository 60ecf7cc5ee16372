"""A LightGBM winner as part of a bundle: its model is a text file, and no code runs on loading it.

Letters: B items, F features, K raw scores (binary and regression 1, multiclass the number of classes).
"""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np

from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import DamagedError, SurefootError
from surefoot.types.problem import Task

UNSUPPORTED = "export.unsupported"
_PLAIN = ("binary sigmoid:1", "regression", "regression_l1")
"""Objectives, beside multiclass, whose raw score is a logit or the value itself (LightGBM, `ObjectiveFunction::ToString`)."""
_FEW_ROWS = 256  # one thread is done before others have started; served row by row, two made it 4 times slower


def join_features(fields: tuple[np.ndarray, ...]) -> np.ndarray:
    """What a booster is trained on and asked with: float32 (B, F), pictures flattened, numbers, then category codes."""
    return np.concatenate([np.asarray(field, np.float32).reshape(len(field), int(np.prod(field.shape[1:]))) for field in fields], axis=1)


def list_categorical(specs: tuple[FieldSpec, ...]) -> list[int]:
    """The columns of `join_features` that hold codes, for LightGBM's `categorical_feature`."""
    sizes = [int(np.prod(spec.shape)) for spec in specs]
    starts = np.cumsum([0, *sizes])
    return [int(start) + at for spec, start, size in zip(specs, starts, sizes) if spec.name == "category" for at in range(size)]


def dump_booster(booster: lightgbm.Booster) -> bytes:
    """The bytes of `model.txt`.

    Raises:
        SurefootError: `export.unsupported`; the raw score means something that a bundle does not know.
    """
    text = booster.model_to_string()
    objective = next((line.partition("=")[2] for line in text.splitlines() if line.startswith("objective=")), "")
    if objective not in _PLAIN and not objective.startswith("multiclass "):
        raise SurefootError(
            f"{UNSUPPORTED}: a booster with the objective {objective!r} can't be put into a bundle.",
            where="model.txt",
            next="Train it with the objective binary, multiclass or regression.",
        )
    return text.encode()


def load_booster(path: Path) -> lightgbm.Booster:
    """The booster of a bundle.

    Raises:
        DamagedError: the file is no LightGBM model.
    """
    try:
        return lightgbm.Booster(model_str=path.read_text(encoding="utf-8"))
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
        raise DamagedError(f"{path.name} is no LightGBM model.", where=str(path), next="Export it again: `surefoot run --from export`.") from error


def score(booster: lightgbm.Booster, fields: tuple[np.ndarray, ...], threads: int = 0) -> np.ndarray:
    """Raw scores, float64 (B, K), of at least one item."""
    rows = len(fields[0])
    return np.asarray(booster.predict(join_features(fields), raw_score=True, num_threads=threads if rows > _FEW_ROWS else 1)).reshape(rows, -1)


def finish(raw: np.ndarray, task: Task, *, temperature: float = 1.0, log_target: bool = False) -> np.ndarray:
    """Raw scores -> outputs, float64: binary (B, 2), multiclass (B, K), regression (B, 1) in the target's own units."""
    if task in ("regression", "vector_regression"):
        return np.expm1(raw) if log_target else raw
    scaled = raw / temperature
    if task == "binary":
        positive = _sigmoid(scaled)
        return np.concatenate([1 - positive, positive], axis=1)
    if task == "multilabel":
        return _sigmoid(scaled)
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Without overflow on either side."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)
