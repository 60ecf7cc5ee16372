"""Several sources as one: shards, the sources of a project, and a test set that was given apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from surefoot.data.readers import fingerprint
from surefoot.data.readers.labels import align_labels
from surefoot.types.source import Annotations, ImageSource


def append_test(source: ImageSource, test: ImageSource, name: str) -> ImageSource:
    """The pictures of both, those of `test` with given set "test" and the places under its name.

    Raises:
        DataError: their labels can't be compared.
    """
    named = prefix_places(test, name).of_set("test")
    named = replace(named, labels=align_labels(test.labels, source.labels, name), notes=[f"{name}: {note}" for note in test.notes])
    return concatenate([source, named])


def join_images(sources: Sequence[tuple[str, ImageSource]]) -> ImageSource:
    """Named sources of pictures as one, each item under its source's name, labels in the form of the first.

    Raises:
        DataError: their labels can't be compared.
    """
    first = sources[0][1]
    parts = []
    for name, source in sources:
        labels = align_labels(source.labels, first.labels, name) if source is not first else source.labels
        named = replace(prefix_places(source, name), labels=labels, sources=[name] * len(source))
        parts.append(replace(named, notes=[f"{name}: {note}" for note in source.notes]))
    return concatenate(parts)


def concatenate(sources: Sequence[ImageSource]) -> ImageSource:
    """The items of several sources, one after another."""
    starts = np.cumsum([0, *map(len, sources)])

    def read(row: int) -> np.ndarray:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return sources[part].read(row - int(starts[part]))

    def fetch(row: int) -> bytes:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        one = sources[part].fetch
        assert one is not None
        return one(row - int(starts[part]))

    return ImageSource(
        places=list(chain.from_iterable(one.places for one in sources)),
        labels=list(chain.from_iterable(one.labels for one in sources)),
        given_sets=list(chain.from_iterable(one.given_sets for one in sources)),
        sources=list(chain.from_iterable(one.sources or [""] * len(one) for one in sources)) if any(one.sources for one in sources) else [],
        read=read,
        refused=list(chain.from_iterable(one.refused for one in sources)),
        notes=list(dict.fromkeys(chain.from_iterable(one.notes for one in sources))),
        fingerprint=fingerprint.of_words(*(one.fingerprint for one in sources)),
        fetch=fetch if all(one.fetch for one in sources) else None,
        changed=frozenset(row + int(start) for one, start in zip(sources, starts) for row in one.changed),
        annotations=_join_annotations([one.annotations for one in sources]),
        columns=_join_columns(sources),
        unsaid=next((one.unsaid for one in sources if one.unsaid), ()),
    )


def _join_columns(sources: Sequence[ImageSource]) -> dict[str, np.ndarray]:
    """The columns of all; nothing where a source lacks one."""
    names = dict.fromkeys(name for one in sources for name in one.columns)
    return {name: np.concatenate([one.columns.get(name, np.full(len(one), None, object)) for one in sources]) for name in names}


def _join_annotations(parts: Sequence[Annotations | None]) -> Annotations | None:
    """The drawings of all, whose classes are the same already; None where one has none."""
    drawn = [one for one in parts if one is not None]
    return Annotations(drawn[0].classes, list(chain.from_iterable(one.drawings for one in drawn))) if len(drawn) == len(parts) else None


def prefix_places(source: ImageSource, name: str) -> ImageSource:
    """The same source with its name before every place, so that equal paths in two sources differ."""
    top = name.rstrip("/\\")
    return replace(
        source,
        places=[f"{top}/{place}" for place in source.places],
        refused=[replace(one, place=f"{top}/{one.place}") for one in source.refused],
    )
