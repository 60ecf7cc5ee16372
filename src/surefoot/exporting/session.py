"""Runs an ONNX graph on the CPU, in batches that fit in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from surefoot.types.errors import DamagedError

_ITEMS, _VALUES = 1024, 4_000_000  # at most so many at once: 26 pictures of 224 x 224 x 3, whose activations take some 100 MB


class Session:
    """A loaded graph with the outputs `logits` and `outputs`.

    Args:
        graph: an ONNX file, or its bytes.
        threads: CPU threads of one run; 0: as many as there are cores.

    Raises:
        DamagedError: the file is no ONNX graph.
    """

    def __init__(self, graph: bytes | Path, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; they are raised as well
        source = graph if isinstance(graph, bytes) else str(graph)
        try:
            self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises classes of its own that share no public ancestor
            raise DamagedError(f"The ONNX graph can't be loaded: {str(error)[:200]}", next="Export it again: `surefoot run --from export`.") from error
        self.names = tuple(entry.name for entry in self._session.get_inputs())

    def run(self, fields: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        """(B, ...) per input, in the graph's order -> logits float32 (B, K) and outputs (B, K)."""
        rows, values = len(fields[0]), sum(int(np.prod(field.shape[1:])) for field in fields)
        size = max(1, min(_ITEMS, _VALUES // max(values, 1)))
        parts = [self._run(tuple(field[start : start + size] for field in fields)) for start in range(0, max(rows, 1), size)]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([logits for logits, _ in parts]), np.concatenate([outputs for _, outputs in parts])

    def _run(self, fields: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        logits, outputs = self._session.run(["logits", "outputs"], dict(zip(self.names, fields, strict=True)))
        return logits, outputs
