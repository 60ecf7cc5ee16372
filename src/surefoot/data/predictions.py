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
    arrays |= {name: value for name, value in (("logits", predictions.logits), ("folds", predictions.folds)) if value is not None}
    return store.put_arrays(arrays)


def load_predictions(store: Store, ref: str) -> Predictions:
    """Reads them back, equal."""
    arrays = store.get_arrays(ref)
    raw = arrays["ids"]
    ids = np.asarray([bytes(row).rstrip(b"\0").decode() for row in raw], dtype=object)
    return Predictions(ids, arrays["outputs"], arrays["targets"], arrays.get("logits"), arrays.get("folds"))


def pool(parts: list[Predictions]) -> Predictions:
    """One after another; `folds` says which part each row came from."""
    return Predictions(
        ids=np.concatenate([part.ids for part in parts]),
        outputs=np.concatenate([part.outputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        logits=np.concatenate([part.logits for part in parts]) if all(part.logits is not None for part in parts) else None,
        folds=np.concatenate([np.full(len(part), number, np.int16) for number, part in enumerate(parts)]),
    )
