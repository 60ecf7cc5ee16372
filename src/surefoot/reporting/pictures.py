"""Pictures of items and kernels as data URIs: small, and part of the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
from markupsafe import Markup
from PIL import Image

from surefoot.reporting.markup import element
from surefoot.types.context import Store
from surefoot.types.errors import SurefootError

LARGEST_SIDE = 96
PIXELATED_BELOW = 64
HEAVY_PNG_BYTES = 4096


def load_arrays(store: Store | None, ref: str) -> dict[str, np.ndarray]:
    """The stored arrays, or none where they were cleaned away: a page without pictures is still a page."""
    if store is None or not ref:
        return {}
    try:
        return store.get_arrays(ref)
    except (SurefootError, OSError, KeyError):
        return {}


def encode_picture(pixels: np.ndarray, side: int = LARGEST_SIDE) -> str:
    """A data URI of uint8 (H, W) or (H, W, 3), made smaller where a side is longer than `side`.

    PNG while that is small; photos whose PNG is heavier than 4 KB become JPEG (a 96-pixel photo: 18 KB against 4 KB).
    """
    picture = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8))
    picture.thumbnail((side, side))
    data, kind = _written(picture, "PNG"), "png"
    if len(data) > HEAVY_PNG_BYTES:
        data, kind = _written(picture, "JPEG", quality=85), "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _written(picture: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def tile(pictures: Mapping[str, np.ndarray], id: str, alt: str, caption: Markup | str = "") -> Markup:
    """The picture of an item with its caption; a grey box where there is none."""
    if id not in pictures:
        image = element("span", "no picture", class_="blank", role="img", aria_label=alt)
    else:
        image = picture_element(pictures[id], alt)
    return element("figure", image, element("figcaption", caption) if caption else None, class_="tile")


def picture_element(pixels: np.ndarray, alt: str, side: int = LARGEST_SIDE) -> Markup:
    """An `img` that shows the pixels as they are; small ones are enlarged without smoothing."""
    kind = "pixelated" if max(pixels.shape[:2]) < PIXELATED_BELOW else None
    return element("img", src=encode_picture(pixels, side), alt=alt, class_=kind)


def paint_kernels(kernels: np.ndarray, most: int = 64) -> list[np.ndarray]:
    """Kernels float32 (out, in, kH, kW) as uint8 pictures: three inputs as colours, else their mean in shades from blue through white to orange."""
    painted = []
    for kernel in np.nan_to_num(kernels[:most].astype(np.float64)):
        largest = float(np.abs(kernel).max()) or 1.0
        if kernel.shape[0] == 3:
            painted.append(((kernel / largest + 1) * 127.5).round().astype(np.uint8).transpose(1, 2, 0))
            continue
        level = kernel.mean(axis=0)
        level = level / (float(np.abs(level).max()) or 1.0)
        painted.append(_shade(level))
    return painted


def _shade(level: np.ndarray) -> np.ndarray:
    """Values (H, W) in [-1, 1] as colours (H, W, 3): negative blue, zero white, positive orange."""
    white, blue, orange = (np.array(colour, dtype=np.float64) for colour in ((247, 247, 247), (33, 102, 172), (217, 95, 2)))
    ends = np.where(level[..., None] < 0, blue, orange)
    return (white + (ends - white) * np.abs(level)[..., None]).round().astype(np.uint8)
