"""Pictures and rows in a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

WIDTH = 56
SHADES = " .:-=+*#%@"


def draw(shown: np.ndarray | dict[str, str]) -> str:
    """A picture as half blocks in colour where the terminal has it, else in letters; a row as a column per line.

    Args:
        shown: uint8 (H, W) or (H, W, 3), or column -> value.
    """
    if isinstance(shown, dict):
        width = max((len(name) for name in shown), default=0)
        return "\n".join(f"  {name:<{width}}  {value}" for name, value in shown.items())
    has_colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return _draw_blocks(shown) if has_colour else _draw_letters(shown)


def _shrink(pixels: np.ndarray, aspect: float) -> np.ndarray:
    """As many columns as there are pixels, or letters in a line; `aspect` lines to a column."""
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    wide = min(width * (2 if width <= WIDTH // 2 else 1), WIDTH)
    tall = max(1, round(height * wide / width * aspect))
    return np.asarray(Image.fromarray(pixels).resize((wide, tall), Image.Resampling.BOX if wide < width else Image.Resampling.NEAREST))


def _draw_letters(pixels: np.ndarray) -> str:
    small = _shrink(pixels, 0.5)
    grey = small if small.ndim == 2 else small.mean(2)
    return "\n".join("".join(SHADES[int(value) * len(SHADES) // 256] for value in line) for line in grey)


def _draw_blocks(pixels: np.ndarray) -> str:
    small = _shrink(pixels, 1.0)
    colours = small[..., None].repeat(3, 2) if small.ndim == 2 else small
    lines = []
    for top in range(0, len(colours) - 1, 2):
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]};48;2;{b[0]};{b[1]};{b[2]}m\u2580" for a, b in zip(colours[top].tolist(), colours[top + 1].tolist(), strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)
