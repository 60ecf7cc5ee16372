"""What an answer rests on: the pixels of a picture, the columns of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from surefoot.analysis.compare import paired
from surefoot.metrics.metric import Metric
from surefoot.randomness import stream
from surefoot.types.data_reports import FieldSpec
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured

Answer = Callable[[tuple[np.ndarray, ...]], np.ndarray]
"""Raw fields of some items -> their outputs."""

_GRID = 7
_PATCH = 0.25


def importance(
    answer: Answer, inputs: tuple[np.ndarray, ...], predictions: Predictions, fields: tuple[FieldSpec, ...], metric: Metric, *, seed: int
) -> dict[str, Measured]:
    """Column -> how much worse the metric gets when its values are shuffled between items, with interval, the most important first.

    A column that repeats another looks unimportant: the model can read the other one. A text is shuffled whole.

    Args:
        inputs: raw fields of the items. predictions: what the model says about them.
        metric: with its threshold fixed.

    Source: Breiman 2001, Random Forests; Fisher, Rudin and Dominici 2019 (model reliance).
    """
    sign = 1.0 if metric.greater_is_better else -1.0
    found = {}
    for number, field in enumerate(fields):
        for column, name in enumerate(field.names):
            here = slice(None) if field.is_text else [column]
            order = stream(seed, "permutation importance", name).permutation(len(predictions))
            shuffled = list(inputs)
            shuffled[number] = inputs[number].copy()
            shuffled[number][:, here] = inputs[number][order][:, here]
            without = replace(predictions, outputs=answer(tuple(shuffled)))
            loss = paired(metric, predictions, without, seed=seed).difference
            ends = sorted(sign * end for end in loss.interval) if loss.interval else None
            found[name] = Measured(value=sign * loss.value, interval=(ends[0], ends[1]) if ends else None, n=loss.n)
    return dict(sorted(found.items(), key=lambda pair: -pair[1].value))


def occlude(answer: Answer, images: np.ndarray, said: np.ndarray) -> np.ndarray:
    """How much the prob of what is said falls when a patch is covered with the picture's own mean, on a grid, made as large as the picture.

    It asks any model, also one without gradients.

    Args:
        images: uint8 (N, C, H, W). said: int64 (N,) columns of the outputs.

    Returns:
        float64 (N, H, W).

    Source: Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks.
    """
    num, _, height, width = images.shape
    rows = np.arange(num)
    full = answer((images,))[rows, said]
    mean = images.mean(axis=(2, 3), keepdims=True).astype(np.uint8)
    total, times = np.zeros((num, height, width)), np.zeros((height, width))
    tall, wide = max(1, int(height * _PATCH)), max(1, int(width * _PATCH))
    for top in np.unique(np.linspace(0, height - tall, _GRID).astype(int)):
        for left in np.unique(np.linspace(0, width - wide, _GRID).astype(int)):
            covered = images.copy()
            covered[:, :, top : top + tall, left : left + wide] = mean
            fall = full - answer((covered,))[rows, said]
            total[:, top : top + tall, left : left + wide] += fall[:, None, None]
            times[top : top + tall, left : left + wide] += 1
    return total / np.maximum(times, 1)


def paint(images: np.ndarray, saliency: np.ndarray) -> np.ndarray:
    """Pictures in grey with what spoke for the answer in orange and what spoke against it in blue; uint8 (N, H, W, 3).

    Args:
        images: uint8 (N, C, H, W). saliency: float (N, H, W); each picture is scaled by its own largest value.
    """
    grey = np.repeat(images.mean(axis=1)[..., None], 3, axis=-1) * 0.6 + 50
    largest = np.abs(saliency).max(axis=(1, 2), keepdims=True)
    level = (saliency / np.where(largest > 0, largest, 1.0))[..., None]
    colour = np.where(level > 0, np.array([230.0, 110.0, 10.0]), np.array([30.0, 100.0, 200.0]))
    strength = np.abs(level) ** 0.7
    return (grey * (1 - strength) + colour * strength).clip(0, 255).astype(np.uint8)
