"""The exam of data sets: what `data.source = "my_code:Frogs"` opens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from surefoot.testing.questions import Question
from surefoot.types.source import ImageSource, TableSource

Open = Callable[[], ImageSource | TableSource]

_READ = 20


def _opens(open_it: Open) -> str:
    source = open_it()
    return "" if len(source) > 1 else f"it holds {len(source)} items"


def _repeats(open_it: Open) -> str:
    one, other = open_it(), open_it()
    return "" if (one.fingerprint, one.places) == (other.fingerprint, other.places) else "opened again, it holds something else"


def _gives_pictures(open_it: Open) -> str:
    source = open_it()
    if isinstance(source, TableSource):
        return ""
    for row in range(min(len(source), _READ)):
        picture = source.read(row)
        if picture.dtype != np.uint8 or picture.ndim not in (2, 3):
            return f"item {row} is {picture.dtype} {picture.shape}"
        if not np.array_equal(picture, source.read(row)):
            return f"item {row} is another picture when it is read again"
    return ""


def _has_targets(open_it: Open) -> str:
    source = open_it()
    if isinstance(source, TableSource):
        return "" if source.suggested_target else "no column is called the target"
    different = {str(label) for label in source.labels}
    return "" if len(different) > 1 else f"all targets are {different.pop()}"


def _varies(open_it: Open) -> str:
    source = open_it()
    if isinstance(source, TableSource):
        inputs = [values for name, values in source.columns.items() if name not in source.suggested_target]
        return "" if any(len({str(value) for value in values}) > 1 for values in inputs) else "all rows are equal"
    contents = {source.read(row).tobytes() for row in range(min(len(source), _READ))}
    return "" if len(contents) > 1 else f"the first {_READ} pictures are equal"


DATASET = (
    Question("can be opened, and holds items", _opens, "Let it have __len__ and __getitem__, which returns a pair (input, target).", True),
    Question("holds the same each time", _repeats, "Sort what you list, and draw nothing at random: augmentation belongs to train.augment."),
    Question("gives pictures that stay the same", _gives_pictures, "Return Pillow images, or arrays (H, W), (H, W, C) or (C, H, W)."),
    Question("has targets that differ", _has_targets, "Return the target as the second of the pair."),
    Question("has inputs that differ", _varies, "Look at what __getitem__ does with its index."),
)
