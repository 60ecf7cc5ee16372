"""A table as a reader found it: named Arrow columns, not yet typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from surefoot.types.source import Named, Refused


@dataclass(frozen=True)
class RawTable:
    """One file of rows.

    Attributes:
        name: how places and messages call it.
        columns: name -> Arrow column of N values: text as written, or the type that the file declares.
        places: `file:line` or `name[row]` per row.
        fingerprint: of the file.
        given_set: "train", "val", "test" or "", of all rows.
        target: target columns, where the format says so.
        decimal: the mark before decimals, by all its columns: `.`, `,`, or nothing where they don't say.
        texts: columns of text, whatever their cells look like.
        unfit: columns that were left out because they hold lists, objects or bytes.
        source: the name of the source that the rows belong to; empty where there is one.
    """

    name: str
    columns: dict[str, pa.ChunkedArray]
    places: Sequence[str]
    fingerprint: str
    given_set: str = ""
    target: tuple[str, ...] = ()
    decimal: str = "."
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    texts: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    source: str = ""

    def __len__(self) -> int:
        return len(self.places)

    def of_set(self, given_set: str) -> RawTable:
        """The same rows, given as another set."""
        return replace(self, given_set=given_set)

    def called(self, name: str) -> RawTable:
        """The same rows under another name: places that begin with the old one begin with the new one, others lie below it."""
        before, places = self.name, self.places  # not the columns too, which the places outlive

        def move(place: str) -> str:
            return name + place[len(before) :] if place.startswith(before) else f"{name}/{place}"

        return replace(
            self,
            name=name,
            places=Named(len(places), lambda some: map(move, places[some])),
            refused=[replace(one, place=move(one.place)) for one in self.refused],
        )


def tabulate(values: np.ndarray, names: list[str]) -> dict[str, pa.ChunkedArray]:
    """The columns of an array (N, F) of numbers, by name, as float64."""
    return {name: pa.chunked_array([pa.array(np.ascontiguousarray(values[:, j], dtype=np.float64))]) for j, name in enumerate(names)}
