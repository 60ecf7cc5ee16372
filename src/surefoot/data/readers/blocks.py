"""Pictures that lie in memory as arrays: checked, scaled to uint8, and handed out row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.data.nearest import quote_some
from surefoot.data.pictures import CORRUPT, lay_on_white
from surefoot.data.readers.labels import read_labels
from surefoot.types.errors import DataError
from surefoot.types.source import ImageSource, ItemError


@dataclass(frozen=True)
class Block:
    """One array of pictures and their targets.

    Attributes:
        name: its key or file; items are called `name[row]`.
        pixels: (N, H, W), (N, H, W, C) or (N, C, H, W), any number type; C is 1, 3 or 4 (alpha).
        targets: N targets, as `labels.read_labels` takes them.
        given_set: "train", "val", "test" or "".
    """

    name: str
    pixels: np.ndarray
    targets: np.ndarray
    given_set: str = ""


@dataclass(frozen=True)
class Scale:
    """pixel -> (pixel - low) * factor in 0..255, and the sentence that says so; empty where nothing changes."""

    low: float
    factor: float
    note: str = ""

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels of any number type as uint8, rounded and clipped; what isn't finite becomes 0."""
        if pixels.dtype == np.uint8 and (self.low, self.factor) == (0.0, 1.0):
            return pixels
        scaled = (np.nan_to_num(pixels.astype(np.float64), nan=self.low, posinf=self.low, neginf=self.low) - self.low) * self.factor
        return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def choose_scale(low: float, high: float, dtype: np.dtype) -> Scale:
    """The map to 0..255 for pixels that lie in [low, high]: the customary range they fill at least by half, else their own."""
    if dtype == np.uint8 or (low >= 0 and 127 < high <= 255):
        return Scale(0.0, 1.0, "" if dtype.kind in "iu" else f"Pixels were {dtype} in 0..255; they were rounded to uint8.")
    for start, end in ((0.0, 1.0), (-1.0, 1.0), *([(0.0, 65535.0)] if dtype == np.uint16 else [])):
        if start <= low and high <= end and (end <= 1 or high > end / 2):  # 12 bits in uint16, up to 4,095, were all but black divided by 257
            return Scale(start, 255 / (end - start), f"Pixels were {dtype} in {start:g}..{end:g}; they were scaled to 0..255.")
    factor = 255 / (high - low) if high > low else 0.0
    return Scale(low, factor, f"Pixels were {dtype} in {low:g}..{high:g}, no customary range; they were scaled from it to 0..255.")


def open_blocks(blocks: list[Block], fingerprint: str, where: str) -> ImageSource:
    """Makes one source of arrays of pictures; all share one scale, save where some were divided by 255 and others were not.

    Raises:
        DataError: a shape that is no pictures', or other numbers of pictures and targets.
    """
    check_lengths(blocks, where)
    labels, notes = read_labels(np.concatenate([block.targets for block in blocks]), where)
    stacks = [_order_axes(block, where, notes) for block in blocks]
    finite = [np.isfinite(stack).all(axis=tuple(range(1, stack.ndim))) if stack.dtype.kind == "f" else None for stack in stacks]
    scales, said = _choose_scales(stacks, [block.name for block in blocks])
    stacks = [scale.apply(stack) for scale, stack in zip(scales, stacks)]
    rows = [(block, row) for block, stack in enumerate(stacks) for row in range(len(stack))]

    def read(row: int) -> np.ndarray:
        block, position = rows[row]
        usable = finite[block]
        if usable is not None and not usable[position]:
            raise ItemError("some pixels are NaN or infinite", CORRUPT)
        return flatten_channels(stacks[block][position])

    return ImageSource(
        places=[f"{blocks[block].name}[{row}]" for block, row in rows],
        labels=labels,
        given_sets=[blocks[block].given_set for block, _ in rows],
        read=read,
        notes=notes + ([said] if said else []),
        fingerprint=fingerprint,
    )


def _choose_scales(stacks: list[np.ndarray], names: list[str]) -> tuple[list[Scale], str]:
    """A scale for each stack, and what to say of them. One for all, unless some lie in 0..255 and all others in 0..1 with fractions.

    Then one set alone was divided by 255, and by a common scale its pixels would all become 0 or 1. A set that is merely dark holds whole numbers.
    """
    own = [choose_scale(*measure_range([stack]), stack.dtype) for stack in stacks]
    divided = [(scale.low, scale.factor) == (0.0, 255.0) and _has_fractions(stack) for scale, stack in zip(own, stacks)]
    whole = [(scale.low, scale.factor) == (0.0, 1.0) for scale in own]
    if any(divided) and any(whole) and all(one or other for one, other in zip(divided, whole)):
        small, large = (quote_some(name for name, chosen in zip(names, which) if chosen) for which in (divided, whole))
        return own, f"Pixels are in 0..1 in {small} and in 0..255 in {large}; the former were scaled to 0..255."
    scale = choose_scale(*measure_range(stacks), np.result_type(*stacks))
    return [scale] * len(stacks), scale.note


def _has_fractions(stack: np.ndarray) -> bool:
    return stack.dtype.kind == "f" and bool((stack[np.isfinite(stack)] % 1).any())


def check_lengths(blocks: list[Block], where: str) -> None:
    """Raises DataError unless there is one target per item, and targets have the same shape in every block."""
    for block in blocks:
        items, targets = block.pixels.shape[:1], block.targets.shape[:1]
        if items != targets or not items or not items[0]:
            raise DataError(
                f"{block.name} has shape {block.pixels.shape}, but its targets have shape {block.targets.shape}.",
                where=where,
                next="Give every item one target, along the first axis of both.",
            )
    shapes = {block.targets.shape[1:] for block in blocks}
    if len(shapes) > 1:
        raise DataError(f"Targets have different shapes in different sets: {sorted(shapes)}.", where=where, next="Give all of them the same shape.")


def measure_range(stacks: list[np.ndarray]) -> tuple[float, float]:
    """Smallest and largest finite pixel; (0, 255) where there is none or all are uint8."""
    if all(stack.dtype == np.uint8 for stack in stacks):
        return 0.0, 255.0
    finite = [stack[np.isfinite(stack)] if stack.dtype.kind == "f" else stack for stack in stacks]
    finite = [stack for stack in finite if stack.size]
    if not finite:
        return 0.0, 255.0
    return float(min(stack.min() for stack in finite)), float(max(stack.max() for stack in finite))


def is_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether (..., A, B, C) is channels, height, width: as PyTorch has it, and as its last axis can't be channels."""
    return shape[-1] not in (1, 3, 4) and shape[-3] in (1, 3)


def flatten_channels(picture: np.ndarray) -> np.ndarray:
    """uint8 (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as a new array (H, W) or (H, W, 3); alpha is laid on white."""
    if picture.ndim == 3 and picture.shape[2] == 4:
        return lay_on_white(picture)
    return (picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture).copy()


def _order_axes(block: Block, where: str, notes: list[str]) -> np.ndarray:
    pixels = block.pixels
    if pixels.ndim == 4 and is_channels_first(pixels.shape):
        notes.append(f"{block.name} has its channels first, shape {pixels.shape}; they were moved last.")
        pixels = pixels.transpose(0, 2, 3, 1)
    if pixels.dtype.kind not in "biuf" or pixels.ndim not in (3, 4) or (pixels.ndim == 4 and pixels.shape[3] not in (1, 3, 4)) or 0 in pixels.shape:
        raise DataError(
            f"{block.name} has shape {block.pixels.shape} and type {block.pixels.dtype}, which is no pile of pictures.",
            where=where,
            next="Give numbers of shape (N, H, W), (N, H, W, 3) or (N, 3, H, W).",
        )
    return pixels
