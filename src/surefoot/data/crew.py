"""Who decodes the pictures of a pack: the threads of this process, or processes beside it. Which of them decodes what changes nothing; what comes is in order.

Pictures that nobody has looked at are never decoded here: `decoding` says why.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image

from surefoot.data.decoding import Decoders, read_files
from surefoot.data.making import Decode, Decoded, decode_here, read_packed
from surefoot.types.data_reports import RefusedItem
from surefoot.types.source import ImageSource, ItemError, TableSource

_PAYS_S = 6.0
"""Seconds of work left from which a crew pays: its members take about one second to start, and all cores decode with threads already."""


@dataclass(frozen=True)
class Work:
    """What a crew does with pictures.

    Attributes:
        recipe: from a record to the fields. quality: of JPEG; 0: pixels. workers: as `prepare.workers`.
        is_seen: the audit has decoded them, each within its limits.
    """

    recipe: dict[str, Any] = field(default_factory=dict)
    quality: int = 0
    workers: int = 0
    is_seen: bool = True


def choose_decode(work: Work, source: ImageSource | TableSource, num_parts: int) -> Decode:
    """Threads of this process, or a crew: where nobody has seen the pictures, or where it pays; the first part shows how long the others will take.

    Rows of tables, arrays, and the user's own data sets, which are read whole when they are opened, are never given to a crew.
    """
    cores = os.cpu_count() or 1
    if not isinstance(source, ImageSource) or source.fetch is None:
        return lambda parts: decode_here(source, work.recipe, parts, work.quality)
    if not work.is_seen:
        return lambda parts: decode_elsewhere(work, source, parts, work.workers or min(cores, num_parts))
    if work.workers == 1 or (not work.workers and cores == 1):
        return lambda parts: decode_here(source, work.recipe, parts, work.quality)
    if work.workers:
        return lambda parts: decode_elsewhere(work, source, parts, work.workers)

    def decode(parts: Iterable[np.ndarray]) -> Iterator[Decoded]:
        left, started = iter(parts), perf_counter()
        for first in left:
            yield from decode_here(source, work.recipe, [first], work.quality)
            break
        if (perf_counter() - started) * (num_parts - 1) > _PAYS_S:
            yield from decode_elsewhere(work, source, left, cores)
        else:
            yield from decode_here(source, work.recipe, left, work.quality)

    return decode


def decode_elsewhere(work: Work, source: ImageSource, parts: Iterable[np.ndarray], num: int) -> Iterator[Decoded]:
    """Decodes by `num` processes; as many parts are under way as there are processes, and one more each.

    Raises:
        ResourceError: no process can be started.
    """
    under_way: deque[Future[Decoded]] = deque()
    with Decoders(num) as decoders, ThreadPoolExecutor(num, thread_name_prefix="crew") as pool:
        for rows in parts:
            under_way.append(pool.submit(_decode, decoders, work, source, rows))
            if len(under_way) > 2 * num:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _decode(decoders: Decoders, work: Work, source: ImageSource, rows: np.ndarray) -> Decoded:
    errors: list[ItemError | None] = [None] * len(rows)
    messages: list[bytes] = []
    for places, files in read_files(source, rows.tolist(), errors):
        files = [_write_mended(source, int(rows[at])) if int(rows[at]) in source.changed else file for at, file in zip(places, files)]
        made, why = decoders.pack(files, work.recipe, work.quality)
        messages += made
        for at, error in zip(places, why):
            errors[at] = error
    refused = [RefusedItem(place=source.places[row], reason=error.reason, code=error.code) for row, error in zip(rows.tolist(), errors) if error]
    return Decoded([read_packed(messages, work.recipe, work.quality)], [at for at, error in enumerate(errors) if error is None], tuple(refused))


def _write_mended(source: ImageSource, row: int) -> bytes:
    """A picture that a repair turned or converted, as a file without loss; the audit has seen it."""
    file = BytesIO()
    Image.fromarray(source.read(row)).save(file, "PNG", compress_level=0)
    return file.getvalue()
