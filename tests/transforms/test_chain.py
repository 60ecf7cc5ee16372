"""What `train.augment` may say: names joined by +, strengths in brackets, and a near name for a wrong one."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from surefoot.transforms import chain
from surefoot.transforms.augment import affine, flip
from surefoot.transforms.colours import colour
from surefoot.transforms.rows import noise
from surefoot.types.errors import UsageError


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


PICTURES = torch.randint(0, 256, (8, 3, 16, 16), generator=generator(1), dtype=torch.uint8)


def test_names_and_strengths_are_read_in_order():
    assert chain.read("affine+colour(0.5)+erase") == [("affine", None), ("colour", 0.5), ("erase", None)]
    assert chain.read(" affine + colour( 2 ) ") == [("affine", None), ("colour", 2.0)]
    assert chain.read("my_code:rain(0.1)+flip") == [("my_code:rain", 0.1), ("flip", None)]


def test_joined_parts_draw_one_after_another_from_the_same_generator():
    together = chain.join("affine+colour(0.5)+flip", "image")(PICTURES, generator(3))
    one = generator(3)
    assert torch.equal(together, flip(colour(affine(PICTURES, one), one, strength=0.5), one))


def test_one_name_is_the_part_itself():
    assert chain.join("affine", "image") is affine
    assert chain.join("noise", "table") is noise


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colr", "Did you mean 'colour'"),
        ("affine+erasing", "Did you mean 'erase'"),
        ("color", "Did you mean 'colour'"),
        ("affine++flip", "'' is no augmentation"),
        ("affine(", "'affine\\(' is no augmentation"),
        ("affine flip", "'affine flip' is no augmentation"),
        ("affine(much)", "'much' is no strength"),
        ("affine(-1)", "'-1' is no strength"),
        ("affine(nan)", "'nan' is no strength"),
        ("affine(2.1)", "from 0 \\(nothing\\) through 1 \\(the usual\\) to 2"),
        ("none+flip", "none stands alone"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(text, told):
    with pytest.raises(UsageError, match=told):
        chain.check(text)


def test_a_name_is_known_for_the_kind_of_data_it_changes():
    chain.check("noise", "table")
    chain.check("none", "table")
    with pytest.raises(UsageError, match=r"flip is not for data of the kind table\.(.|\n)*there is: noise"):
        chain.check("flip", "table")


def test_a_part_of_ones_own_takes_a_strength_if_it_says_so(tmp_path):
    (tmp_path / "my.py").write_text(
        "def dim(images, generator, strength=1.0):\n    return (images * (1 - strength / 2)).to(images.dtype)\n\n"
        "def plain(images, generator):\n    return images\n"
    )
    assert torch.equal(chain.join("my:dim(2)", "image", tmp_path)(PICTURES, generator()), torch.zeros_like(PICTURES))
    with pytest.raises(UsageError, match="my:plain takes no strength"):
        chain.join("my:plain(0.5)", "image", tmp_path)


def test_settings_are_looked_at_without_torch():
    told = "import sys; from surefoot.transforms import chain; chain.check('affine+colour(0.5)'); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60).stdout.strip() == "False"
