"""Predictions in the store: pooled over folds, aligned by row, ids beside them."""

from __future__ import annotations

import numpy as np

from surefoot.types.context import Store
from surefoot.types.examples import Predictions


def save_predictions(store: Store, predictions: Predictions) -> str:
    """Writes them as arrays; ids as fixed-width bytes."""
    ids = np.asarray(predictions.ids, dtype=bytes)
    arrays = {
        "ids": ids.view(np.uint8).reshape(len(ids), -1) if len(ids) else np.zeros((0, 1), np.uint8),
        "outputs": predictions.outputs,
        "targets": predictions.targets,
    }
    arrays |= {name: value for name in ("logits", "folds", "groups") if (value := getattr(predictions, name)) is not None}
    return store.put_arrays(arrays)


def load_predictions(store: Store, ref: str) -> Predictions:
    """Reads them back, equal."""
    arrays = store.get_arrays(ref)
    raw = arrays["ids"]
    ids = np.asarray([bytes(row).rstrip(b"\0").decode() for row in raw], dtype=object)
    return Predictions(ids, arrays["outputs"], arrays["targets"], arrays.get("logits"), arrays.get("folds"), arrays.get("groups"))


def pool(parts: list[Predictions]) -> Predictions:
    """One after another; `folds` says which part each row came from."""
    return Predictions(
        ids=np.concatenate([part.ids for part in parts]),
        outputs=np.concatenate([part.outputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        logits=_join([part.logits for part in parts]),
        folds=np.concatenate([np.full(len(part), number, np.int16) for number, part in enumerate(parts)]),
        groups=_join([part.groups for part in parts]),
    )


def _join(arrays: list[np.ndarray | None]) -> np.ndarray | None:
    known = [array for array in arrays if array is not None]
    return np.concatenate(known) if len(known) == len(arrays) else None
