"""Odd pictures are found beside what is usual in their set, each by its disease; healthy sets stay silent."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits

from surefoot.analysis.outliers import find_apart
from surefoot.analysis.suspects import judge_pictures
from surefoot.data.measures import measure

NUM = 200


def scenes(num: int = NUM) -> list[np.ndarray]:
    """Sharp squares on grounds of any brightness, with grain: photos without a common ground."""
    made = []
    for seed in range(num):
        generator = np.random.default_rng(seed)
        image = np.full((40, 40, 3), generator.integers(30, 200, 3), float) + generator.normal(0, 4, (40, 40, 3))
        for _ in range(12):
            y, x = generator.integers(0, 34, 2)
            image[y : y + generator.integers(4, 16), x : x + generator.integers(4, 16)] = generator.integers(0, 256, 3)
        made.append(image.clip(0, 255).astype(np.uint8))
    return made


def digits() -> list[np.ndarray]:
    return list((load_digits().images[:NUM] * 15.9).astype(np.uint8))


def judge(images: list[np.ndarray]) -> dict[str, set[int]]:
    return {code: set(told) for code, told in judge_pictures(measure(images), np.ones(len(images), bool)).items()}


FAULTS = {
    "data.dark": (scenes, lambda image: (image * 0.15).astype(np.uint8)),
    "data.low_contrast": (scenes, lambda image: (image * 0.1 + 100).astype(np.uint8)),
    "data.blurry": (scenes, lambda image: np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(4)))),
    "data.inverted": (digits, lambda image: 255 - image),
    "data.outliers": (digits, lambda image: np.random.default_rng(int(image.sum())).integers(0, 2, image.shape).astype(np.uint8) * 255),
    "data.odd_size": (scenes, lambda image: np.tile(image, (5, 5, 1))),
}


@pytest.mark.parametrize("code", list(FAULTS))
def test_a_planted_fault_is_found_and_the_twin_is_silent(code):
    make, spoil = FAULTS[code]
    healthy = make()
    assert judge(healthy) == {}
    sick = [spoil(image) if n % 20 == 3 else image for n, image in enumerate(healthy)]
    found = judge(sick)
    assert set(found) == {code}
    assert found[code] == set(range(3, NUM, 20))


def test_a_set_that_is_dark_altogether_has_no_dark_pictures():
    assert judge([(image * 0.15).astype(np.uint8) for image in scenes()]) == {}


def test_a_given_test_set_does_not_say_what_is_usual():
    images = [(image * 0.15).astype(np.uint8) for image in scenes(150)] + scenes(50)
    visible = np.arange(200) >= 150
    assert len(judge_pictures(measure(images), visible)["data.dark"]) == 150


def test_of_a_few_pictures_nothing_is_usual():
    assert judge([*scenes(15), np.zeros((40, 40, 3), np.uint8)]) == {}


def test_a_picture_measures_the_same_alone_and_among_others():
    images = [*scenes(5), *digits()[:5], np.zeros((1, 3), np.uint8), np.full((600, 900, 3), 7, np.uint8)]
    together = measure(images)
    alone = np.concatenate([measure([image]) for image in images])
    assert together.tobytes() == alone.tobytes()


# numbers


def test_a_number_beyond_all_others_stands_apart():
    ages = np.append(np.random.default_rng(0).integers(1, 95, 3_000).astype(float), [455, np.nan])
    assert find_apart(ages).tolist() == [3_000]


@pytest.mark.parametrize("sign", [1, -1])
def test_planted_slips_are_all_found_on_either_side(sign):
    values = np.random.default_rng(1).normal(50, 10, 2_000)
    rows = np.arange(0, 2_000, 125)
    values[rows] = sign * 1_000.0 + np.arange(len(rows))
    assert find_apart(values).tolist() == rows.tolist()


@pytest.mark.parametrize("make", ["normal", "lognormal", "exponential", "uniform", "poisson", "zeros", "three values"])
def test_honest_columns_have_nothing_that_stands_apart(make):
    for seed in range(20):
        generator = np.random.default_rng(seed)
        values = {
            "normal": lambda g=generator: g.normal(size=2_000),
            "lognormal": lambda g=generator: g.lognormal(0, 2, 2_000),
            "exponential": lambda g=generator: g.exponential(size=2_000),
            "uniform": lambda g=generator: g.uniform(size=2_000),
            "poisson": lambda g=generator: g.poisson(20, 2_000).astype(float),
            "zeros": lambda g=generator: np.where(g.random(2_000) < 0.9, 0, g.lognormal(5, 1, 2_000)),
            "three values": lambda g=generator: g.choice([1.0, 2.0, 99.0], 2_000),
        }[make]()
        assert not len(find_apart(values))


def test_pictures_that_lie_kind_by_kind_are_no_strangers_to_the_first_thousand():
    """Twelve kinds, each a bright spot in its own place, one after the other: files lie so in their folders. 791 of them were called like no other."""
    num, made = 1_900, []
    for n in range(num):
        image = np.random.default_rng(n).normal(60, 6, (24, 24))
        y, x = divmod(n * 12 // num, 4)
        image[y * 8 : y * 8 + 7, x * 6 : x * 6 + 5] += 120
        made.append(image.clip(0, 255).astype(np.uint8))
    assert judge(made) == {}
