"""A few packed pictures with their boxes, and the same pictures after each augmentation: for eyes to see that boxes follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from surefoot.data.framing import BOXES, unstack_boxes
from surefoot.data.packs import Pack
from surefoot.data.pictures import to_picture
from surefoot.types.source import Boxes

PER_CLASS, MOST = 3, 12
Drawn = tuple[tuple[tuple[float, float, float, float], int], ...]


def pick_rows(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows of pictures that hold the rarest classes first, at most three for each class and twelve in all.

    Args:
        counts: float64 (N, K) boxes of each class per row of the pack. rows: in random order, those that may be shown.
    """
    picked: list[int] = []
    held = counts[rows] > 0
    for kind in np.argsort(held.sum(0), kind="stable"):
        fresh = [int(row) for row in rows[held[:, kind]] if int(row) not in picked]
        picked += fresh[:PER_CLASS]
    return np.asarray(picked[:MOST], np.int64)


def list_boxes(boxes: Boxes) -> Drawn:
    """Boxes as a report holds them, to a tenth of a pixel."""
    return tuple(((round(x0, 1), round(y0, 1), round(x1, 1), round(y1, 1)), int(kind)) for (x0, y0, x1, y1), kind in zip(boxes.corners.tolist(), boxes.classes))


def read_boxes(pack: Pack, rows: np.ndarray) -> tuple[np.ndarray, list[Boxes]]:
    """Pictures uint8 (N, C, H, W) of a pack, and their boxes in their pixels."""
    gathered = dict(zip((field.name for field in pack.fields), pack.gather(rows), strict=True))
    return gathered["image"], unstack_boxes(gathered[BOXES])


def show_packed(pack: Pack, rows: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, Drawn]]:
    """Id -> picture, and id -> boxes, of some rows."""
    ids = pack.ids(rows)
    images, boxes = read_boxes(pack, rows)
    return {id: to_picture(image) for id, image in zip(ids, images)}, {id: list_boxes(one) for id, one in zip(ids, boxes)}


def show_moved(pack: Pack, row: int, moves: Mapping[str, Any], seed: int) -> tuple[dict[str, np.ndarray], dict[str, Drawn]]:
    """One picture after each augmentation, as `id name`, with its boxes as they followed.

    Args:
        moves: name -> function, the parts of the kind `box_augmentation`.
    """
    import torch

    images, (boxes,) = read_boxes(pack, np.asarray([row]))
    image, id = torch.from_numpy(images), pack.ids(np.asarray([row]))[0]
    corners, items = torch.from_numpy(boxes.corners).float(), torch.zeros(len(boxes), dtype=torch.int64)
    pictures, drawn = {}, {}
    for name, move in moves.items():
        generator = torch.Generator().manual_seed(seed)
        moved, inside, kept = move(image, corners, items, generator)
        left = boxes.take(kept.numpy())
        pictures[f"{id} {name}"] = to_picture(moved[0].numpy())
        drawn[f"{id} {name}"] = list_boxes(Boxes(inside.double().numpy(), left.classes, left.is_difficult, left.is_crowd))
    return pictures, drawn
