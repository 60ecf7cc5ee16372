"""Pictures of any size become those of one size, in the way that the recipe says."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data.resizing import decode_image


def recipe(height: int, width: int, channels: int = 1, **more) -> dict:
    return {"kind": "image", "height": height, "width": width, "channels": channels} | more


def bars(height: int, width: int) -> np.ndarray:
    """Dark at the left, bright at the right."""
    return np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))


def test_cover_crops_around_the_centre_and_keeps_proportions():
    (made,) = decode_image(bars(40, 120), recipe(20, 20))
    assert made.shape == (20, 20)
    np.testing.assert_allclose(made[10, [0, -1]], [85 + 2, 170 - 2], atol=4)  # the middle third


def test_stretch_shows_all_of_a_picture_out_of_proportion():
    (made,) = decode_image(bars(40, 120), recipe(20, 20, resize="stretch"))
    np.testing.assert_allclose(made[10, [0, -1]], [0, 255], atol=8)


@pytest.mark.parametrize(
    ("shape", "inner"), [((40, 120), (slice(7, 13), slice(0, 20))), ((120, 40), (slice(0, 20), slice(6, 13))), ((1, 900), (slice(9, 10), slice(0, 20)))]
)
def test_fit_shows_all_of_a_picture_in_proportion_on_black(shape, inner):
    (made,) = decode_image(np.full(shape, 200, np.uint8), recipe(20, 20, resize="fit"))
    expected = np.zeros((20, 20), np.uint8)
    expected[inner] = 200
    assert (made == expected).mean() > 0.94
    assert made.max() == 200
    assert (made == 0).any()


def test_the_shorter_side_is_brought_to_its_size_before_the_crop():
    (close,) = decode_image(bars(100, 100), recipe(50, 50, short_side=100))
    np.testing.assert_allclose(close[25, [0, -1]], [64, 191], atol=3)  # the middle half, not shrunk
    (whole,) = decode_image(bars(100, 100), recipe(50, 50))
    np.testing.assert_allclose(whole[25, [0, -1]], [1, 254], atol=3)
    (same_size,) = decode_image(bars(50, 50), recipe(50, 50, short_side=100))
    np.testing.assert_allclose(same_size[25, [0, -1]], [64, 191], atol=3)


@pytest.mark.parametrize("resize", ["cover", "fit", "stretch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_whatever_the_way_the_shape_is_the_wanted_one_and_a_picture_of_it_is_not_touched(resize, channels):
    generator = np.random.default_rng(0)
    for shape in ((3, 70), (64, 5, 3), (17, 23), (17, 23, 3), (1, 1)):
        made = decode_image(generator.integers(0, 256, shape, dtype=np.uint8), recipe(17, 23, channels, resize=resize))
        assert made.shape == (channels, 17, 23)
        assert made.dtype == np.uint8
    picture = generator.integers(0, 256, (17, 23, 3), dtype=np.uint8)
    if channels == 3:
        assert (decode_image(picture, recipe(17, 23, 3, resize=resize)).transpose(1, 2, 0) == picture).all()
