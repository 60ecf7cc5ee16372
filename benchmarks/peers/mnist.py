"""MNIST as arrays, read with NumPy alone: every side of a comparison reads the same four files the same way."""

from __future__ import annotations

import gzip

import numpy as np

from benchmarks.machine import DATA

FOLDER = DATA / "mnist"
_PICTURES_START, _LABELS_START = 16, 8
"""Bytes of the two headers (format: LeCun, Cortes and Burges, the MNIST database page)."""


def is_here() -> bool:
    """Whether the shared data sets lie beside the checkout."""
    return FOLDER.is_dir()


def read(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures, uint8 (N, 1, 28, 28), and labels, int64 (N,), of `train` or `t10k`."""
    pictures = np.frombuffer(gzip.decompress((FOLDER / f"{name}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=_PICTURES_START)
    labels = np.frombuffer(gzip.decompress((FOLDER / f"{name}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=_LABELS_START)
    return pictures.reshape(-1, 1, 28, 28), labels.astype(np.int64)


def read_or_draw(num: int) -> tuple[np.ndarray, np.ndarray]:
    """The first `num` train items, or random ones of the same shape where MNIST is not here: a step takes as long on either."""
    if is_here():
        pictures, labels = read("train")
        return pictures[:num], labels[:num]
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (num, 1, 28, 28), dtype=np.uint8), generator.integers(0, 10, num)
