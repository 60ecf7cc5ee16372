"""Near duplicates: copies are found whatever was done to them, look-alikes are not, and the time grows as the number."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from surefoot.data.forest import find_alike
from surefoot.data.measures import measure
from surefoot.data.near_pictures import near_pictures
from surefoot.data.near_rows import near_rows, simplify_kind


def photo(seed: int, side: int = 48) -> np.ndarray:
    """Colour noise on all scales, the finer the weaker, as photos have it."""
    generator = np.random.default_rng(seed)
    image = np.zeros((side, side, 3))
    for weight, size in enumerate((24, 16, 8, 4, 2), 1):
        small = generator.integers(0, 256, (size, size, 3)).astype(np.uint8)
        image += (np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC), float) - 128) * weight / 9
    return (image + 128).clip(0, 255).astype(np.uint8)


def packed(image: np.ndarray, quality: int) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


def resized(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def find(images: list[np.ndarray]) -> set[tuple[int, int]]:
    records = measure(images)
    near = near_pictures(
        dict(enumerate(c.decode() for c in records["content"].tolist())), records["thumb"].reshape(len(images), -1), images.__getitem__, seed=0
    )
    return {(a, b) for a, b, _ in near.pairs}


CHANGES = {
    "packed": lambda image: packed(image, 60),
    "smaller": lambda image: resized(image, 32),
    "larger": lambda image: resized(image, 96),
    "brighter": lambda image: (image * 0.7 + 60).astype(np.uint8),
    "a speck": lambda image: np.where((np.arange(48).reshape(-1, 1, 1) < 2) & (np.arange(48).reshape(1, -1, 1) < 2), 255, image).astype(np.uint8),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_changed_copy_is_found_and_nothing_else(change):
    images = [photo(n) for n in range(120)]
    copies = [CHANGES[change](images[n]) for n in range(20)]
    found = find(images + copies)
    assert len(found & {(n, 120 + n) for n in range(20)}) >= 19
    assert not found - {(n, 120 + n) for n in range(20)}


def test_handwritten_digits_are_alike_and_no_copies():
    digits = (load_digits().images * 15.9).astype(np.uint8)
    assert find(list(digits)) == set()


def test_the_same_shape_in_another_colour_is_another_picture():
    base = photo(0)
    assert find([photo(n) for n in range(1, 40)] + [base, base[..., ::-1].copy()]) == set()


def test_plain_pictures_are_near_to_nothing():
    assert find([np.full((8, 8), shade, np.uint8) for shade in range(40)]) == set()


def test_copies_of_one_picture_are_one_group_whatever_their_number():
    generator = np.random.default_rng(0)
    base = photo(0, 32).astype(int)
    images = [(base + generator.integers(-2, 3, base.shape)).clip(0, 255).astype(np.uint8) for _ in range(200)]
    records = measure(images)
    near = near_pictures(dict(enumerate(c.decode() for c in records["content"].tolist())), records["thumb"].reshape(200, -1), images.__getitem__, seed=0)
    assert len(set(near.names.values())) == 1
    assert len(near.names) == 200
    assert len(near.pairs) == 199  # joined once each: the work is linear where everything is alike


def test_neighbours_are_the_same_in_every_process():
    thumbs = np.random.default_rng(0).integers(0, 256, (500, 256)).astype(np.uint8)
    thumbs[250:] = thumbs[:250] ^ 1
    first, second = (find_alike(thumbs, 0.9, seed=3) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second))
    assert len(first[0]) >= 245


# rows


def rows(num: int = 400, seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    words = np.asarray(["Red", "green", "light blue"], object)
    return {
        "size": generator.normal(size=num),
        "mass": generator.gamma(2, size=num),
        "age": generator.integers(0, 90, num).astype(float),
        "colour": words[generator.integers(0, 3, num)],
    }


def find_rows(columns: dict[str, np.ndarray], exact: tuple[str, ...] = ()) -> set[tuple[int, int]]:
    num = len(next(iter(columns.values())))
    return {(a, b) for a, b, _ in near_rows(np.arange(num), [f"{row:08d}" for row in range(num)], columns, exact).pairs}


def doubled(columns: dict[str, np.ndarray], copies: int) -> dict[str, np.ndarray]:
    return {name: np.concatenate([values, values[:copies]]) for name, values in columns.items()}


def test_rows_that_were_rounded_or_respelt_are_found():
    columns = doubled(rows(), 40)
    columns["size"][400:] = columns["size"][400:].round(4)
    columns["colour"][400:] = [f" {word.upper()}. " for word in columns["colour"][400:]]
    assert len(find_rows(columns) & {(n, 400 + n) for n in range(40)}) >= 38


@pytest.mark.parametrize("kinds", [("A+", "A-", "A"), ("<30", ">30", "30-"), ("C#", "C++", "c"), ("1.5", "15", "1-5"), ("10-20", "1020", "-5")])
def test_kinds_that_differ_in_a_sign_alone_are_other_kinds(kinds):
    """Rows that differ in nothing else are two measurements, not one that was written twice."""
    columns = doubled(rows(), 60)
    words = np.asarray(kinds, object)
    columns["kind"] = words[np.arange(460) % 3]
    assert find_rows(columns) == set()
    columns["kind"][400:] = columns["kind"][:60]
    assert len(find_rows(columns)) == 60


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Light-Blue", "light blue", True), (" RED. ", "red", True), ("O'Brien (jr.)", "OBrien jr", True), ("A +", "a+", True), ("n/a", "na", True),
        ("-5", "5", False), ("A-", "A", False), ("1,5", "15", False), ("50 %", "50", False),
    ],
)  # fmt: skip
def test_the_names_of_kinds_are_compared_without_what_says_nothing(one, other, is_same):
    assert (simplify_kind(one) == simplify_kind(other)) is is_same


def test_healthy_rows_have_no_near_duplicates():
    assert find_rows(rows()) == set()


@pytest.mark.parametrize("num", [300, 5_000])
def test_neighbours_in_one_crowded_column_are_chance(num):
    values = np.random.default_rng(1).normal(size=num)
    assert find_rows({"x": values}) == set()
    assert find_rows({"x": values, "y": values * 2}) == set()


def test_counts_and_codes_are_not_rounded():
    columns = rows()
    near = {name: np.concatenate([values, values[:50]]) for name, values in columns.items()}
    near["age"][400:] += 1
    assert find_rows(near) == set()


def test_missing_equals_missing_and_huge_numbers_break_nothing():
    columns = doubled(rows(), 10)
    columns["size"][[0, 400]] = np.nan
    columns["huge"] = np.where(np.arange(410) % 2, 1e300, -1e300)
    columns["huge"][400:] = columns["huge"][:10]
    columns["mass"][400:] += 1e-6
    assert len(find_rows(columns)) == 10
