"""Keras on its PyTorch backend: the same layers in Keras' own, channels first because PyTorch's kernels want them so, fed from arrays as `fit` takes them."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ["KERAS_BACKEND"] = "torch"

import keras
from keras import layers

from benchmarks import plain
from benchmarks.peers.side_by_side import Data, main


def build(case: plain.Case) -> keras.Model:
    """`plain.build` in Keras' terms."""
    stack = [keras.Input((1, 28, 28), dtype="uint8"), layers.Rescaling(1 / plain.SD, offset=-plain.MEAN / plain.SD)]
    if case.name == "mlp":
        stack += [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(128, activation="relu"), layers.Dense(10)]
        return keras.Sequential(stack)
    for width in (16, 32, 64):
        stack += [layers.Conv2D(width, 3, padding="same", use_bias=False), layers.BatchNormalization(axis=1), layers.ReLU(), layers.MaxPooling2D(2)]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(10)])


def prepare(case: plain.Case, data: Data) -> Callable[[], object]:
    model = build(case)
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), optimizer=keras.optimizers.AdamW(learning_rate=plain.LR, weight_decay=0.0))
    inputs, targets = (tensor.numpy() for tensor in data)
    return lambda: model.fit(inputs, targets, batch_size=case.batch_size, epochs=case.epochs, verbose=0)


if __name__ == "__main__":
    keras.config.set_image_data_format("channels_first")
    main(prepare)
