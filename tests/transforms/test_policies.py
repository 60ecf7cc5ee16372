"""RandAugment and TrivialAugment: each of the fourteen changes against what it must do, and who gets which."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from surefoot.transforms import policies
from surefoot.transforms.policies import equalise, posterise, randaugment, sharpen, solarise, stretch, trivialaugment


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def photos(num: int = 16) -> Tensor:
    return torch.randint(30, 200, (num, 3, 24, 20), generator=generator(5), dtype=torch.uint8)


def as_pillow(image: Tensor) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))


def from_pillow(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)


def test_stretch_posterise_and_solarise_do_what_pillow_does():
    images = photos()
    level = torch.ones(16)
    assert torch.equal(posterise(images, level)[3], from_pillow(ImageOps.posterize(as_pillow(images[3]), 4)))
    assert torch.equal(solarise(images, level / 2)[3], from_pillow(ImageOps.solarize(as_pillow(images[3]), 128)))
    stretched, theirs = stretch(images, level)[3].int(), from_pillow(ImageOps.autocontrast(as_pillow(images[3]))).int()
    assert (stretched - theirs).abs().max() <= 1  # Pillow cuts decimals off, we round
    assert (stretched.amin(), stretched.amax()) == (0, 255)


def test_equalise_makes_all_values_about_as_frequent():
    skewed = (torch.rand((4, 1, 64, 64), generator=generator()) ** 2 * 255).to(torch.uint8)
    made = equalise(skewed, torch.ones(4)).int()
    quarters = torch.stack([((made >= low) & (made < low + 64)).float().mean((1, 2, 3)) for low in (64, 128, 192)])
    assert (quarters - 0.25).abs().max() < 0.06
    order = skewed[0].flatten().argsort(stable=True)
    assert (made[0].flatten()[order].diff() >= 0).all(), "what was darker stays darker"


def test_sharpen_takes_detail_away_below_0_and_adds_it_above():
    images = photos()
    detail = [sharpen(images, torch.full((16,), level)).double().diff(dim=3).abs().mean() for level in (-1.0, 0.0, 1.0)]
    assert detail[0] < detail[1] < detail[2]
    assert torch.equal(sharpen(images, torch.zeros(16)), images)


def test_each_of_the_fourteen_changes_is_given_to_its_share_of_the_pictures():
    images = photos(1).expand(2800, -1, -1, -1)
    made = trivialaugment(images, generator(), strength=2)  # at its largest, nothing but identity leaves a picture alone
    untouched = (made == images).flatten(1).all(1).float().mean()
    assert abs(untouched - 1 / 14) < 0.03
    assert len(policies._CHANGES) + policies._MOVES + 1 == 14


def test_randaugment_changes_twice_and_trivialaugment_once():
    images = photos(1).expand(1400, -1, -1, -1)
    still = {part: float((part(images, generator()) == images).flatten(1).all(1).float().mean()) for part in (randaugment, trivialaugment)}
    assert still[randaugment] < 0.05  # twice identity: one in 196, and a few changes that this picture can't show
    assert 0.05 < still[trivialaugment] < 0.2
