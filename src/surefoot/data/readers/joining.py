"""A source and the test set that was given apart, as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surefoot.data.readers import fingerprint
from surefoot.data.readers.labels import align_labels
from surefoot.types.source import ImageSource


def append_test(source: ImageSource, test: ImageSource, name: str) -> ImageSource:
    """The pictures of both, those of `test` with given set "test" and the places under its name.

    Raises:
        DataError: their labels can't be compared.
    """
    named = prefix_places(test, name)
    num_own = len(source)

    def read(row: int) -> np.ndarray:
        return source.read(row) if row < num_own else test.read(row - num_own)

    def fetch(row: int) -> bytes:
        assert source.fetch is not None
        assert test.fetch is not None
        return source.fetch(row) if row < num_own else test.fetch(row - num_own)

    return ImageSource(
        places=source.places + named.places,
        labels=source.labels + align_labels(test.labels, source.labels, name),
        given_sets=source.given_sets + ["test"] * len(test),
        read=read,
        refused=source.refused + named.refused,
        notes=source.notes + [f"{name}: {note}" for note in test.notes],
        fingerprint=fingerprint.of_words(source.fingerprint, test.fingerprint),
        fetch=fetch if source.fetch and test.fetch else None,
    )


def prefix_places(source: ImageSource, name: str) -> ImageSource:
    """The same source with its name before every place, so that equal paths in two sources differ."""
    top = name.rstrip("/\\")
    return replace(
        source,
        places=[f"{top}/{place}" for place in source.places],
        refused=[replace(one, place=f"{top}/{one.place}") for one in source.refused],
    )
