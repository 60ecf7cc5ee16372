"""Looks into a net: its features, and what its answer rests on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from surefoot.data.examples import Examples
from surefoot.engine import memory
from surefoot.models.network import Network

_BATCH = 512


def find_features(network: Network, examples: Examples, rows: np.ndarray) -> np.ndarray:
    """What the last layer sees of some items, float32 (N, D); the raw outputs of a net that names no last layer."""
    kept: list[Tensor] = []
    given: list[Tensor] = []
    final = getattr(network.body, "final", None)
    seen = final.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0].flatten(1).float().cpu())) if isinstance(final, nn.Module) else None
    was_training = network.training
    network.eval()

    def ask(part: slice) -> None:
        given.clear()
        said = network(*examples.inputs(torch.from_numpy(rows[part])))
        kept.extend([said.float().cpu()] if seen is None else given)

    try:
        with torch.inference_mode():
            memory.take_parts(len(rows), _BATCH, ask)
    finally:
        if seen is not None:
            seen.remove()
        network.train(was_training)
    return torch.cat(kept).numpy() if kept else np.zeros((0, 1), np.float32)


def weigh_pixels(network: Network, images: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Gradient times input of what is said, summed over channels and smoothed a little: float64 (N, H, W).

    The input is taken after the net's own normalising, where 0 is the mean picture.

    Args:
        images: uint8 (N, C, H, W). said: int64 (N,) logits to be explained; of a single logit its sign is: 1 for the positive class.

    Source: Shrikumar et al. 2016, Not Just a Black Box (gradient x input).
    """
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    parts: list[np.ndarray] = []

    def ask(here: slice) -> None:
        with torch.no_grad():
            prepared = network.prepare(torch.from_numpy(images[here]).to(device))[0].float()
        prepared = prepared.clone().requires_grad_(True)
        logits = network.body(prepared)
        picked = torch.from_numpy(said[here]).to(device)
        chosen = logits[:, 0] * (2 * picked - 1) if logits.shape[1] == 1 else logits.gather(1, picked[:, None])[:, 0]
        (slope,) = torch.autograd.grad(chosen.sum(), prepared)
        weight = (slope * prepared.detach()).sum(1, keepdim=True)
        parts.append(nn.functional.avg_pool2d(weight, 3, 1, 1)[:, 0].double().cpu().numpy())

    memory.take_parts(len(images), _BATCH, ask)
    network.train(was_training)
    return np.concatenate(parts) if parts else np.zeros((0, 1, 1))
