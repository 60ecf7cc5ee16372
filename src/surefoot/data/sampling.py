"""The order of the items in an epoch: a function of (seed, name, epoch), never a state."""

from __future__ import annotations

import numpy as np

from surefoot import randomness


def draw_order(num: int, *, seed: int, name: str, epoch: int) -> np.ndarray:
    """Every item once, in an order of its own for each epoch: int64 (num,)."""
    return randomness.stream(seed, f"{name} order", epoch).permutation(num)


def draw_balanced(labels: np.ndarray, *, seed: int, name: str, epoch: int) -> np.ndarray:
    """As many items as there are, every class as often as any other; the items of a class take turns, so none is drawn twice before all were once.

    Args:
        labels: int64 (num,) class indices.

    Returns:
        int64 (num,) positions; classes differ by one item at most.
    """
    generator = randomness.stream(seed, f"{name} order", epoch)
    classes = generator.permutation(np.unique(labels))
    drawn = []
    for place, label in enumerate(classes):
        members = np.flatnonzero(labels == label)
        count = len(labels) // len(classes) + (place < len(labels) % len(classes))
        turns = [generator.permutation(members) for _ in range(-(-count // len(members)))]
        drawn.append(np.concatenate(turns)[:count])
    return generator.permutation(np.concatenate(drawn))


def draw_grouped(groups: np.ndarray, *, seed: int, name: str, epoch: int) -> np.ndarray:
    """Every item once, the items of a group spread evenly over the epoch: no stretch of it is all of one patient, camera or day.

    The items of a group of size m, in an order of their own, stand at (u + k) / m for k below m, with one u drawn for the group. So a share s of the
    epoch holds m * s of them, and at most one more, where a plain order would often hold several more.

    Args:
        groups: int64 (num,), equal for items of one group.

    Returns:
        int64 (num,) positions.
    """
    generator = randomness.stream(seed, f"{name} order", epoch)
    shuffled = generator.permutation(len(groups))
    _, number, sizes = np.unique(groups[shuffled], return_inverse=True, return_counts=True)
    by_group = np.argsort(number, kind="stable")
    place_in_group = np.empty(len(groups))
    place_in_group[by_group] = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return shuffled[np.argsort((generator.random(len(sizes))[number] + place_in_group) / sizes[number], kind="stable")]
