"""Audited and split boxes as COCO JSON, which every detector's training reads (cocodataset.org/#format-data)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.data.boxes import Settled


def write_coco(places: Sequence[str], settled: Sequence[Settled] | None, sizes: Sequence[tuple[int, int]], classes: Sequence[str]) -> bytes:
    """One set as COCO JSON: the boxes that the audit left, in pixels of the upright pictures as they are in the source.

    Args:
        places: of the pictures in the source, written as `file_name`.
        settled: their boxes; None for a set whose boxes stay sealed: its pictures alone are listed, as COCO does for its own test set.
        sizes: width and height of each.
    """
    images = [{"id": n, "file_name": place, "width": size[0], "height": size[1]} for n, (place, size) in enumerate(zip(places, sizes), 1)]
    content: dict[str, Any] = {"images": images, "categories": [{"id": n, "name": name} for n, name in enumerate(classes, 1)]}
    if settled is not None:
        content["annotations"] = _number([one for n, each in enumerate(settled, 1) for one in _list(each, n)])
    return json.dumps(content, ensure_ascii=False).encode()


def _list(settled: Settled, image: int) -> list[dict[str, Any]]:
    boxes = settled.boxes
    found = []
    for row, (x0, y0, x1, y1) in enumerate(boxes.corners.tolist()):
        box = [round(value, 3) for value in (x0, y0, x1 - x0, y1 - y0)]
        one = {
            "image_id": image,
            "category_id": int(boxes.classes[row]) + 1,
            "bbox": box,
            "area": round(box[2] * box[3], 3),
            "iscrowd": int(boxes.is_crowd[row]),
        }
        found.append(one | ({"ignore": 1} if boxes.is_difficult[row] else {}))
    return found


def _number(annotations: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": n, **one} for n, one in enumerate(annotations, 1)]
