"""Pictures inside the page."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from surefoot.reporting.pictures import encode_picture, load_arrays, paint_kernels, picture_element, tile
from surefoot.types.errors import DamagedError


def decode(uri: str) -> Image.Image:
    """The picture of a data URI."""
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (28, 20)])
def test_small_pictures_are_kept_pixel_by_pixel(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    uri = encode_picture(pixels)
    assert uri.startswith("data:image/png;base64,")
    assert np.array_equal(np.asarray(decode(uri)), pixels)


def test_large_pictures_become_small_and_light():
    pixels = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    uri = encode_picture(pixels)
    assert max(decode(uri).size) == 96
    assert len(uri) < 16_000


def test_only_small_pictures_are_enlarged_without_smoothing():
    assert 'class="pixelated"' in picture_element(np.zeros((8, 8), np.uint8), "a digit")
    assert "pixelated" not in picture_element(np.zeros((96, 96), np.uint8), "a photo")


def test_a_picture_says_what_it_is():
    assert 'alt="an item of class 3"' in tile({"a": np.zeros((8, 8), np.uint8)}, "a", "an item of class 3")
    assert 'aria-label="an item of class 3"' in tile({}, "a", "an item of class 3")


@pytest.mark.parametrize("error", [DamagedError("torn"), FileNotFoundError("gone"), KeyError("gone")])
def test_arrays_that_are_gone_leave_a_page_without_them(error):
    class Cleaned:
        def get_arrays(self, ref):
            raise error

    assert load_arrays(Cleaned(), "abc") == {}
    assert load_arrays(None, "abc") == {}


def test_kernels_are_blue_below_zero_and_orange_above():
    kernels = np.array([[[[-1.0, 0.0], [0.5, 1.0]]]], dtype=np.float32)
    (painted,) = paint_kernels(kernels)
    assert painted.shape == (2, 2, 3)
    assert painted[0, 0].tolist() == [33, 102, 172]
    assert painted[0, 1].tolist() == [247, 247, 247]
    assert painted[1, 1].tolist() == [217, 95, 2]


def test_kernels_of_three_channels_are_colours():
    kernels = np.zeros((2, 3, 5, 5), dtype=np.float32)
    kernels[0, 0] = 2.0
    red, grey = paint_kernels(kernels)
    assert red[0, 0].tolist() == [255, 128, 128]
    assert grey[0, 0].tolist() == [128, 128, 128]


def test_kernels_that_are_not_finite_are_still_drawn():
    assert len(paint_kernels(np.full((100, 2, 3, 3), np.nan, dtype=np.float32))) == 64
