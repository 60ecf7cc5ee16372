"""Features of pictures: the same alone or among others."""

from __future__ import annotations

import numpy as np

from surefoot.data.features import describe, picture_features
from surefoot.types.source import ImageSource, ItemError


def test_a_picture_has_the_same_features_alone_and_among_others_and_what_cannot_be_read_is_left_out():
    generator = np.random.default_rng(0)
    shapes = [(9, 7), (9, 7, 3), (5, 4), (200, 180, 3)]
    pictures = [generator.integers(0, 256, shapes[n % 4]).astype(np.uint8) for n in range(130)]

    def read(row: int) -> np.ndarray:
        if row % 40 == 7:
            raise ItemError("torn")
        return pictures[row]

    source = ImageSource([f"{n}.png" for n in range(130)], ["a"] * 130, [""] * 130, read)
    features = picture_features(source, np.arange(130), np.arange(130).astype(object))
    assert features.ids.tolist() == [n for n in range(130) if n % 40 != 7]
    np.testing.assert_array_equal(features.values, np.concatenate([describe(pictures[row][None]) for row in features.ids]))
    assert len(picture_features(source, np.asarray([7]), np.asarray(["7"], object)).values) == 0
