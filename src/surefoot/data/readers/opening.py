"""A pile of pictures -> the source it is: with boxes where annotations lie beside them, else with the classes that lists and folders name."""

from __future__ import annotations

from collections.abc import Callable

from surefoot.data.readers.annotated import Found, annotate
from surefoot.data.readers.coco import find_coco
from surefoot.data.readers.layout import arrange
from surefoot.data.readers.piles import Pile
from surefoot.data.readers.voc import find_voc
from surefoot.data.readers.yolo import find_yolo
from surefoot.types.source import ImageSource

ANNOTATIONS: tuple[Callable[[Pile], Found | None], ...] = (find_coco, find_voc, find_yolo)


def open_pile(pile: Pile, known: frozenset[str] = frozenset(), *, is_labelled: bool = True) -> ImageSource:
    """Makes a source of a folder's or an archive's pictures.

    Args:
        known, is_labelled: as for `layout.arrange`.

    Raises:
        DataError: no pictures, no labels, or broken annotations.
    """
    return (is_labelled and find_boxes(pile)) or arrange(pile, known, is_labelled=is_labelled)


def find_boxes(pile: Pile) -> ImageSource | None:
    """The source of pictures with boxes; None where no annotations lie beside them.

    Raises:
        DataError: they are broken.
    """
    for find in ANNOTATIONS:
        found = find(pile)
        if found is not None:
            return annotate(pile, found)
    return None
