"""A network over many items, and its raw outputs as the metrics take them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from surefoot.data.examples import Examples
from surefoot.engine import memory
from surefoot.models.network import Network
from surefoot.types.errors import SurefootError
from surefoot.types.problem import Problem

_BATCH = 512
"""Items at a time; fewer where memory runs out."""
_EDGE = 1e-7


def predict(network: nn.Module, examples: Examples, rows: np.ndarray) -> np.ndarray:
    """Raw outputs in eval mode: float32 (len(rows), num_outputs). The network's mode is as it was afterwards."""
    was_training = network.training
    network.eval()
    parts: list[Tensor] = []

    def ask(part: slice) -> None:
        outputs = network(*examples.inputs(torch.from_numpy(rows[part])))
        parts.append(outputs.detach().float().cpu())  # a weight that is given out as it is would keep its gradient

    with torch.inference_mode():
        memory.take_parts(len(rows), _BATCH, ask)
    network.train(was_training)
    logits = torch.cat(parts).numpy() if parts else np.zeros((0, 1), np.float32)
    if len(logits) != len(rows) or logits.ndim != 2:
        raise SurefootError(
            f"The model returned shape {tuple(logits.shape)} for {len(rows)} items.",
            where="model",
            next="Return one row of raw outputs per item: (B, num_outputs).",
        )
    return logits


def to_outputs(problem: Problem, network: Network, logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Raw outputs (N, num_outputs) -> probs or values as in `types.examples.Predictions.outputs`, float64."""
    if not problem.classes:
        with torch.inference_mode():
            device = next(network.finish.buffers()).device
            return network.finish(torch.from_numpy(logits).to(device)).double().cpu().numpy()
    return activate(problem, logits, temperature)


def to_logits(problem: Problem, probs: np.ndarray) -> np.ndarray:
    """Probs -> logits that `activate` turns into them again, as a simple model may give no others; 0 and 1 are brought a ten millionth off."""
    logs, others = (np.log(np.clip(some, _EDGE, 1.0)) for some in (probs, 1 - probs))
    if problem.task == "multiclass":
        return logs
    return (logs - others)[:, 1:] if problem.task == "binary" else logs - others


def reheat(problem: Problem, outputs: np.ndarray, temperature: float) -> np.ndarray:
    """Probs at another temperature; amounts as they are."""
    return activate(problem, to_logits(problem, outputs), temperature) if problem.classes and temperature != 1 else outputs


def activate(problem: Problem, logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Logits -> probs: softmax for multiclass, two columns for binary, independent for multilabel."""
    scaled = torch.from_numpy(np.asarray(logits, np.float64) / temperature)
    if problem.task == "multiclass":
        return scaled.softmax(1).numpy()
    probs = scaled.sigmoid().numpy()
    return np.concatenate([1 - probs, probs], 1) if problem.task == "binary" else probs
