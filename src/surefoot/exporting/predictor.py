"""The one object that predicts from a bundle: it tests, serves and answers on the command line, so all three say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from surefoot.exporting import bundle
from surefoot.exporting.bundle import Manifest
from surefoot.types.errors import DamagedError, DataError


class _Engine(Protocol):
    def run(self, fields: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]: ...


class Predictor:
    """A loaded bundle.

    Attributes:
        manifest: what the bundle is.
        recipe: how a raw record becomes the fields; for `data.preprocess`.
    """

    def __init__(self, manifest: Manifest, recipe: dict[str, Any], engine: _Engine) -> None:
        self.manifest, self.recipe, self._engine = manifest, recipe, engine

    def run(self, fields: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Logits and outputs of the same items.

        Args:
            fields: one array (B, ...) per field of the manifest, in its order.

        Returns:
            logits float32 (B, K); outputs float64: probs (B, K), binary (B, 2), multilabel (B, K) independent, regression (B, T) in own units.

        Raises:
            DataError: a field has another shape or dtype, or holds a code beyond its categories.
        """
        self._check(fields)
        if not len(fields[0]):  # not every operator takes an empty batch
            logits, outputs = (values[:0] for values in self._engine.run(tuple(np.zeros((1, *spec.shape), spec.dtype) for spec in self.manifest.fields)))
        else:
            logits, outputs = self._engine.run(fields)
        return np.asarray(logits, np.float32), np.asarray(outputs, np.float64)

    def predict(self, fields: tuple[np.ndarray, ...]) -> np.ndarray:
        """Outputs, as in `run`."""
        return self.run(fields)[1]

    def logits(self, fields: tuple[np.ndarray, ...]) -> np.ndarray:
        """Logits, as in `run`."""
        return self.run(fields)[0]

    def decide(self, outputs: np.ndarray) -> tuple[np.ndarray, list[Any]]:
        """What the outputs amount to.

        Returns:
            preds: class indices int64 (B,); multilabel int64 (B, K) of 0 and 1; regression float64 (B, T).
            labels: a class name per item; multilabel a list of names; regression a number, or a list of T numbers.
        """
        task, classes = self.manifest.task, self.manifest.classes
        if task == "multilabel":
            preds = (outputs >= np.asarray(self.manifest.threshold)).astype(np.int64)
            return preds, [[name for name, chosen in zip(classes, row, strict=True) if chosen] for row in preds]
        if task in ("regression", "vector_regression"):
            return outputs, outputs[:, 0].tolist() if outputs.shape[1] == 1 else outputs.tolist()
        preds = (outputs[:, 1] >= np.asarray(self.manifest.threshold)).astype(np.int64) if task == "binary" else outputs.argmax(1)
        return preds, [classes[pred] for pred in preds]

    def _check(self, fields: tuple[np.ndarray, ...]) -> None:
        specs = self.manifest.fields
        if len(fields) != len(specs):
            raise DataError(f"The model takes {len(specs)} fields, not {len(fields)}.", next=f"Give {', '.join(spec.name for spec in specs)}.")
        for spec, field in zip(specs, fields, strict=True):
            if field.shape[1:] != spec.shape or field.ndim == 0 or field.dtype != spec.dtype or len(field) != len(fields[0]):
                raise DataError(
                    f"The field {spec.name} is {field.dtype} {tuple(field.shape)}, and must be {spec.dtype} (B, {', '.join(map(str, spec.shape))}).",
                    where=spec.name,
                    next="Make the fields with surefoot.data.preprocess and the bundle's preprocess.json.",
                )
            if spec.cardinalities and len(field) and ((field < 0) | (field >= np.array(spec.cardinalities))).any():
                raise DataError(
                    f"The field {spec.name} holds codes beyond its categories.", where=spec.name, next="Code 0 stands for missing and unseen values."
                )


class _BoosterEngine:
    """LightGBM behind the same call as a graph."""

    def __init__(self, path: Path, manifest: Manifest, threads: int) -> None:
        from surefoot.exporting import boosting  # a bundle with a net needs no LightGBM

        self._module, self._manifest, self._threads = boosting, manifest, threads
        self._booster = boosting.load_booster(path)

    def run(self, fields: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        facts = self._manifest
        raw = self._module.score(self._booster, fields, self._threads)
        return raw, self._module.finish(raw, facts.task, temperature=facts.temperature, log_target=facts.log_target)


def load(folder: Path, threads: int = 0) -> Predictor:
    """Checks every hash of the bundle and loads it.

    Args:
        folder: the bundle.
        threads: CPU threads of one call; 0: as many as there are cores.

    Raises:
        DamagedError: a file is torn, altered or missing. UsageError: the folder is no bundle.
    """
    manifest = bundle.read_manifest(folder)
    recipe = json.loads((folder / bundle.RECIPE).read_bytes())
    if manifest.kind == "boosting":
        return Predictor(manifest, recipe, _BoosterEngine(folder / bundle.BOOSTER, manifest, threads))
    from surefoot.exporting.session import Session  # a bundle with a booster needs no ONNX Runtime

    session = Session(folder / bundle.GRAPH, threads)
    if session.names != tuple(spec.name for spec in manifest.fields):
        raise DamagedError(
            f"{bundle.GRAPH} does not take the fields of the manifest.", where=str(folder), next="Export it again: `surefoot run --from export`."
        )
    return Predictor(manifest, recipe, session)
