"""One look at every picture of a source, once: in parallel, and kept chunk by chunk, so that an interrupted look goes on where it was."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np

from surefoot import durable
from surefoot.data.decoding import Answer, Decoders, read_files
from surefoot.data.measures import RECORD, measure
from surefoot.types.source import ImageSource, ItemError

CHUNK = 256
"""Pictures that are looked at and kept together; the same for any number of processes."""
_WORTH_TWO = 2 * CHUNK
"""Pictures from which a second process pays: it takes half a second to start."""

_OF_FILES = ("content", "mode", "format", "turn", "bytes", "taken")
"""What stays as the file says where its pixels are mended: by its content a picture keeps its id, and with it its set."""
_OF_PIXELS = tuple(name for name in RECORD.names or () if name not in _OF_FILES)

Progress = Callable[[int], None]


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def look_at_all(source: ImageSource, journal: Path, progress: Progress, num: int = 0) -> tuple[np.ndarray, dict[int, ItemError]]:
    """Measures every picture, and says of each that can't be read why.

    Files are decoded in processes with limited memory and time; arrays, which need no decoding, in this one.

    Args:
        journal: what was seen is kept here, and not looked at again; it belongs to this very source.
        progress: called with the number of pictures seen so far.
        num: processes; 0: as many as there are cores. Whatever it is, the result is the same.

    Returns:
        Records (N,), see `measures.RECORD`, those of refused pictures empty; and row -> why it is refused.
    """
    records = np.zeros(len(source), RECORD)
    refused: dict[int, ItemError] = {}
    seen = _replay(journal, source, records, refused)
    starts = [start for start in range(0, len(source), CHUNK) if start not in seen]
    done = len(source) - sum(min(CHUNK, len(source) - start) for start in starts)
    num = min(num or count_cores(), max(len(starts), 1), 1 if len(source) < _WORTH_TWO else len(source))
    for start, (found, errors) in _look(source, starts, num):
        records[start : start + len(found)] = found
        why = {start + row: error for row, error in enumerate(errors) if error is not None}
        refused |= why
        durable.append(journal, _write(source, start, found, why))
        done += len(found)
        progress(done)
    return records, dict(sorted(refused.items()))


def _look(source: ImageSource, starts: list[int], num: int) -> Iterator[tuple[int, Answer]]:
    """Chunk after chunk in order; at most twice as many are under way as there are processes."""
    with Decoders(num) as decoders, ThreadPoolExecutor(num) as pool:

        def ask(start: int) -> Future[Answer]:
            rows = range(start, min(start + CHUNK, len(source)))
            return pool.submit(_look_at_files, source, rows, decoders) if source.fetch else pool.submit(_look_at_arrays, source, rows)

        coming = iter(starts)
        waiting = [(start, ask(start)) for start in islice(coming, 2 * num)]
        while waiting:
            start, future = waiting.pop(0)
            answer = future.result()
            waiting += [(following, ask(following)) for following in islice(coming, 1)]
            yield start, answer


def look_at_some(source: ImageSource, rows: Sequence[int]) -> np.ndarray:
    """Records of those among a few pictures that can be read; files are decoded in a process with limits, for nobody has seen them yet."""
    with Decoders(1) as decoders:
        records, errors = _look_at_files(source, rows, decoders) if source.fetch else _look_at_arrays(source, rows)
    return records[[error is None for error in errors]]


def _look_at_files(source: ImageSource, rows: Sequence[int], decoders: Decoders) -> Answer:
    errors: list[ItemError | None] = [None] * len(rows)
    records = np.zeros(len(rows), RECORD)
    for places, files in read_files(source, rows, errors):
        records[places], why = decoders.look(files)
        for at, error in zip(places, why):
            errors[at] = error
    for at, row in enumerate(rows):
        if row in source.changed and errors[at] is None:  # measured as it is used, beside what its file says
            mended = measure([source.read(row)])
            for name in _OF_PIXELS:
                records[name][at] = mended[name][0]
    return _clear(records, errors), errors


def _look_at_arrays(source: ImageSource, rows: Sequence[int]) -> Answer:
    images: list[np.ndarray] = []
    errors: list[ItemError | None] = []
    for row in rows:
        try:
            images.append(source.read(row))
            errors.append(None)
        except ItemError as error:
            images.append(np.zeros((1, 1), np.uint8))
            errors.append(error)
    return _clear(measure(images), errors), errors


def _clear(records: np.ndarray, errors: list[ItemError | None]) -> np.ndarray:
    """Nothing is known of a picture that can't be read."""
    records[[error is not None for error in errors]] = np.zeros(1, RECORD)
    return records


def _write(source: ImageSource, start: int, records: np.ndarray, refused: dict[int, ItemError]) -> bytes:
    line = {
        "source": source.fingerprint,
        "start": start,
        "records": base64.b64encode(records.tobytes()).decode(),
        "refused": [[row, error.reason, error.code] for row, error in refused.items()],
    }
    return json.dumps(line).encode()


def _replay(journal: Path, source: ImageSource, records: np.ndarray, refused: dict[int, ItemError]) -> set[int]:
    """Fills in what an interrupted look has seen of this source; returns the starts of its chunks. A torn last line is as good as none."""
    seen: set[int] = set()
    if not journal.is_file():
        return seen
    with journal.open("rb") as file:
        lines = file.readlines()
    for text in lines:
        try:
            line = json.loads(text)
            found = np.frombuffer(base64.b64decode(line["records"]), RECORD)
        except ValueError:
            continue
        start = line["start"]
        if line["source"] == source.fingerprint and len(found) == min(CHUNK, len(source) - start):
            records[start : start + len(found)] = found
            refused |= {row: ItemError(reason, code) for row, reason, code in line["refused"]}
            seen.add(start)
    return seen
