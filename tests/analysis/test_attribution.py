"""What answers rest on, and what a model takes for alike."""

import numpy as np
import torch
from torch import nn

from surefoot import metrics
from surefoot.analysis.attribution import importance, occlude, paint
from surefoot.analysis.crossfit import cross_fit
from surefoot.analysis.neighbours import nearest
from surefoot.engine.inspect import weigh_pixels
from surefoot.models.network import Network
from surefoot.types.data_reports import FieldSpec
from surefoot.types.examples import Predictions


def test_the_column_that_decides_is_the_most_important_and_noise_is_not():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(800, 3)).astype(np.float32)
    targets = (rows[:, 1] > 0).astype(np.int64)
    answer = lambda fields: np.stack([fields[0][:, 1] <= 0, fields[0][:, 1] > 0], 1).astype(float)  # noqa: E731
    said = Predictions(np.arange(800).astype(str), answer((rows,)), targets)
    fields = (FieldSpec(name="numeric", shape=(3,), dtype="float32", names=("a", "b", "c")),)
    found = importance(answer, (rows,), said, fields, metrics.get("accuracy"), seed=0)
    assert next(iter(found)) == "b"
    assert found["b"].interval[0] < 0.5 < found["b"].interval[1]
    assert found["a"].value == found["c"].value == 0.0


def test_a_text_is_shuffled_whole_under_the_name_of_its_column():
    rng = np.random.default_rng(0)
    words = rng.integers(2, 9, (800, 5)).astype(np.int32)
    numbers = rng.normal(size=(800, 1)).astype(np.float32)
    answer = lambda fields: np.stack([fields[0].sum(1) <= 25, fields[0].sum(1) > 25], 1).astype(float)  # noqa: E731
    said = Predictions(np.arange(800).astype(str), answer((words, numbers)), (words.sum(1) > 25).astype(np.int64))
    text = FieldSpec(name="text", shape=(5,), dtype="int32", names=("said",), cardinalities=(9,))
    fields = (text, FieldSpec(name="numeric", shape=(1,), dtype="float32", names=("n",)))
    found = importance(answer, (words, numbers), said, fields, metrics.get("accuracy"), seed=0)
    assert list(found) == ["said", "n"]
    assert found["said"].value > 0.4  # one word of five alone would cost far less


def bright_corner(num=6):
    """Pictures whose class is whether the upper left corner is bright."""
    images = np.random.default_rng(0).integers(90, 110, (num, 1, 12, 12)).astype(np.uint8)
    images[: num // 2, :, :4, :4] = 250
    return images


def corner_probs(images):
    share = images[:, 0, :4, :4].mean((1, 2)) / 255
    return np.stack([1 - share, share], 1)


def test_covering_what_counts_makes_the_prob_fall():
    images = bright_corner()
    fall = occlude(lambda fields: corner_probs(fields[0]), images, np.ones(6, np.int64))
    assert fall[0, :4, :4].mean() > 10 * np.abs(fall[0, 8:, 8:]).mean()


def test_gradient_times_input_lies_on_what_counts():
    class Corner(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            return self.scale * x[:, :, :4, :4].mean((1, 2, 3))[:, None]

    class Centre(nn.Module):
        def forward(self, x):
            return ((x.float() - 100) / 50,)

    weight = weigh_pixels(Network(Centre(), Corner()), bright_corner(), np.ones(6, np.int64))
    assert weight.shape == (6, 12, 12)
    assert weight[0, :3, :3].min() > 0
    assert (weight[:, 6:, 6:] == 0).all()
    picture = paint(bright_corner(), weight)
    assert picture.shape == (6, 12, 12, 3)
    assert picture[0, 1, 1, 0] > picture[0, 1, 1, 2]  # orange


def test_the_nearest_are_found_by_direction_not_by_length():
    rng = np.random.default_rng(0)
    known = rng.normal(size=(50, 8)).astype(np.float32)
    rows, likeness = nearest(known[[3, 30]] * 1.0, known, 2)
    assert rows[:, 0].tolist() == [3, 30]
    assert np.allclose(likeness[:, 0], 1.0)
    assert (np.diff(likeness, axis=1) <= 0).all()
    assert nearest(known[:2], known[:1], 3)[0].shape == (2, 1)


def test_every_row_is_asked_of_a_model_that_did_not_see_it():
    rows, strata = np.arange(100, 160), np.repeat([0, 1, 2], 20)

    def fit(number, fitted, asked):
        assert not set(fitted) & set(asked)
        assert len(asked) == 12
        assert (np.bincount(strata[asked - 100]) == 4).all()  # each part has its share of every class
        return asked[:, None].astype(float)

    outputs, parts = cross_fit(rows, strata, 5, fit, seed=0)
    assert outputs[:, 0].tolist() == rows.tolist()
    assert set(parts) == {0, 1, 2, 3, 4}
