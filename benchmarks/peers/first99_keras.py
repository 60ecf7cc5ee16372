"""The net and settings of Keras' example "Simple MNIST convnet" (keras.io/examples/vision/mnist_convnet): SEED and a backend, `torch` or `tensorflow`.

The example holds a tenth of the train set out for validation; here all of it is trained on and the test set is what each epoch is judged by.
"""

from __future__ import annotations

import os
import sys

os.environ["KERAS_BACKEND"] = sys.argv[2]

import keras
from keras import layers

from benchmarks.peers import race


class StopAtGoal(keras.callbacks.Callback):
    """Ends training after the first epoch that reaches the goal."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.model.stop_training = (logs or {})["val_accuracy"] >= race.GOAL


def build() -> keras.Model:
    stages = [layer for width in (32, 64) for layer in (layers.Conv2D(width, 3, activation="relu"), layers.MaxPooling2D(2))]
    return keras.Sequential([keras.Input((28, 28, 1)), *stages, layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax")])


def main() -> None:
    keras.utils.set_random_seed(int(sys.argv[1]))
    (inputs, targets), (test_inputs, test_targets) = ((x.reshape(-1, 28, 28, 1), keras.utils.to_categorical(y, 10)) for x, y in race.read())
    model = build()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    told = model.fit(
        inputs, targets, batch_size=128, epochs=race.most_epochs(15), validation_data=(test_inputs, test_targets), callbacks=[StopAtGoal()], verbose=0
    )
    race.tell([float(value) for value in told.history["val_accuracy"]])


if __name__ == "__main__":
    main()
