"""The exam of augmentations of pictures with boxes: uint8 (B, C, H, W), float32 corners (M, 4) and int64 items (M,), the picture that each box is on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from surefoot.testing.questions import Question

_NEAR = 3.0
"""Pixels by which a painted rectangle may stand beyond its box: what is resampled bleeds over its edge."""


def _paint(num: int, height: int = 48, width: int = 64, seed: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Black pictures, each with one white rectangle, and the box around it."""
    generator = torch.Generator().manual_seed(seed)
    left, top = (torch.randint(6, side // 2, (num,), generator=generator) for side in (width, height))
    corners = torch.stack([left, top, left + width // 3, top + height // 3], 1)
    images = torch.zeros(num, 3, height, width, dtype=torch.uint8)
    for image, (x0, y0, x1, y1) in zip(images, corners.tolist(), strict=True):
        image[:, y0:y1, x0:x1] = 255
    return images, corners.float(), torch.arange(num)


def _move(part: Callable, given: tuple[Tensor, Tensor, Tensor], seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    return part(*given, torch.Generator().manual_seed(seed))


def _keeps_form(part: Callable) -> str:
    given = _paint(8)
    for one in (given, (given[0], torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))):
        made = _move(part, one)
        if not isinstance(made, tuple) or len(made) != 3 or not all(isinstance(each, Tensor) for each in made):
            return f"{type(made).__name__} instead of pictures, corners and positions"
        images, corners, kept = made
        if images.shape != given[0].shape or images.dtype != torch.uint8:
            return f"{images.dtype} {tuple(images.shape)} for uint8 {tuple(given[0].shape)}".replace("torch.", "")
        if corners.shape != (len(kept), 4) or kept.dtype != torch.int64 or not corners.is_floating_point():
            return f"corners {tuple(corners.shape)} and positions {kept.dtype} {tuple(kept.shape)}".replace("torch.", "")
    return ""


def _names_those_left(part: Callable) -> str:
    given = _paint(64)
    kept = _move(part, given)[2].tolist()
    return "" if sorted(set(kept)) == kept and all(0 <= place < 64 for place in kept) else "positions are not those of boxes that came in, in order"


def _stays_inside(part: Callable) -> str:
    images, corners, _ = _move(part, _paint(64))
    height, width = images.shape[2:]
    is_inside = (corners >= 0).all() and (corners[:, 2] <= width).all() and (corners[:, 3] <= height).all()
    return "" if is_inside and (corners[:, 2:] > corners[:, :2]).all() else "a box lies outside its picture, or has no area"


def _follows(part: Callable) -> str:
    """White stands inside its box, and the box is no larger than a turn by ten degrees makes it."""
    given = _paint(64)
    images, corners, kept = _move(part, given)
    for place, (x0, y0, x1, y1) in zip(given[2][kept].tolist(), corners.tolist(), strict=True):
        rows, columns = (torch.nonzero((images[place, 0] > 185).any(axis))[:, 0] for axis in (1, 0))
        if not len(rows):
            return "a box is kept around what left its picture"
        found = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        beyond = max(x0 - found[0], y0 - found[1], found[2] - x1, found[3] - y1)
        if beyond > _NEAR:
            return f"what is painted reaches {beyond:.0f} pixels beyond its box"
        if (x1 - x0) * (y1 - y0) > 2 * (found[2] - found[0]) * (found[3] - found[1]) + 40:
            return "a box is twice as large as what is painted in it"
    return ""


def _draws_from_generator(part: Callable) -> str:
    given = _paint(32)
    torch.manual_seed(0)
    one = _move(part, given)
    torch.manual_seed(1)
    other = _move(part, given)
    return "" if all(map(torch.equal, one, other)) else "the same generator gives other pictures or boxes: something else is drawn from"


def _keeps_input(part: Callable) -> str:
    given = _paint(8)
    before = [each.clone() for each in given]
    _move(part, given)
    return "" if all(map(torch.equal, before, given)) else "what it was given is changed"


def _keeps_apart(part: Callable) -> str:
    one, other = _paint(8, seed=1), _paint(8, seed=2)
    other[0][0], other[1][0] = one[0][0], one[1][0]
    first, second = (_move(part, given) for given in (one, other))
    same = torch.equal(first[0][0], second[0][0]) and torch.equal(first[1][first[2] == 0], second[1][second[2] == 0])
    return "" if same else "a picture or its box comes out otherwise when the others change"


BOX_AUGMENTATION = (
    Question(
        "returns pictures, the corners that are left, and which these are",
        _keeps_form,
        "Sign it (images, corners, items, generator) and return uint8 (B, C, H, W), float32 (K, 4), int64 (K,); M may be 0.",
        True,
    ),
    Question("says which boxes are left", _names_those_left, "Return the positions of what is kept among the M boxes, in order."),
    Question("keeps boxes inside their pictures", _stays_inside, "Clip them, and drop those of which hardly anything is left."),
    Question("moves each box with what it is drawn around", _follows, "Move corners by the same map as pixels; around a turned box take the upright one."),
    Question("draws from the generator it is given", _draws_from_generator, "Pass generator=generator to each torch.rand and torch.randint."),
    Question("leaves what it was given as it is", _keeps_input, "Work on a copy: clone() it."),
    Question("does not mix pictures", _keeps_apart, "Treat each picture and its boxes alone."),
)
