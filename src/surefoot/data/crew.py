"""A crew: processes that decode pictures beside this one. Which of them decodes what changes nothing; what comes back is in order.

Each is a Python of its own that opens the source again (`python -m surefoot.data.worker`) and is told by JSON and Arrow over pipes: nothing is forked, for
libraries with threads don't survive that, nothing is pickled, and a script that is not guarded by `if __name__ == "__main__"` is not run again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

import surefoot
from surefoot.data import preprocess
from surefoot.data.making import Decode, Decoded, decode_here
from surefoot.data.shards import JPEG, make_input_schema
from surefoot.types.configs import DataConfig
from surefoot.types.data_reports import RefusedItem
from surefoot.types.errors import DataError, ResourceError
from surefoot.types.source import ImageSource, TableSource

_PAYS_S = 6.0
"""Seconds of work left from which a crew pays: its members take about one second to start, and all cores decode with threads already."""


@dataclass(frozen=True)
class Work:
    """What a crew decodes, as its members are told.

    Attributes:
        data, root, which: as `open_source` takes them. recipe: from a record to the fields. quality: of JPEG; 0: pixels.
        workers: as `prepare.workers`.
    """

    data: DataConfig
    root: Path
    recipe: dict[str, Any] = field(default_factory=dict)
    quality: int = 0
    which: str = "source"
    workers: int = 0

    def as_line(self) -> bytes:
        plain = {"data": self.data.model_dump(mode="json"), "root": str(self.root.resolve()), "which": self.which}
        return json.dumps(plain | {"recipe": self.recipe, "quality": self.quality}).encode()


def choose_decode(work: Work, source: ImageSource | TableSource, num_parts: int) -> Decode:
    """Threads of this process, or a crew where that pays: the first part of the rows shows how long the others will take.

    Rows of tables and the user's own data sets, which are read whole when they are opened, are never given to a crew.
    """
    cores = os.cpu_count() or 1
    is_file = isinstance(source, ImageSource) and (work.root / Path(work.data.wild if work.which == "wild" else work.data.source).expanduser()).exists()
    if not is_file or work.workers == 1 or (not work.workers and cores == 1):
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


def decode_elsewhere(work: Work, source: ImageSource | TableSource, parts: Iterable[np.ndarray], num: int) -> Iterator[Decoded]:
    """Decodes by `num` processes; as many parts are under way as there are members, and one more each.

    Raises:
        ResourceError: a member ended, most often for want of memory. DataError: the source is not what it was.
    """
    members = [_Member(work, source.fingerprint) for _ in range(num)]
    idle: SimpleQueue[_Member] = SimpleQueue()
    for member in members:
        idle.put(member)

    def ask(rows: np.ndarray) -> Decoded:
        member = idle.get()
        try:
            return member.decode(rows)
        finally:
            idle.put(member)

    under_way: deque[Future[Decoded]] = deque()
    try:
        with ThreadPoolExecutor(num, thread_name_prefix="crew") as pool:
            for rows in parts:
                under_way.append(pool.submit(ask, rows))
                if len(under_way) > 2 * num:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
    finally:
        for member in members:
            member.dismiss()


class _Member:
    """One process, and the pipe to it."""

    def __init__(self, work: Work, fingerprint: str) -> None:
        places = [str(Path(surefoot.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "surefoot.data.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=surroundings
        )
        self._fingerprint, self._is_ready = fingerprint, False
        self._schema = make_input_schema(preprocess.fields(work.recipe), {"image": JPEG} if work.quality else {})
        self._write(work.as_line())

    def decode(self, rows: np.ndarray) -> Decoded:
        if not self._is_ready:
            self._is_ready = True
            if self._read()["fingerprint"] != self._fingerprint:
                raise DataError(
                    "The data changed while it was packed.", where="the source", next="Leave it alone while it is read, and `surefoot run --from audit`."
                )
        self._write(json.dumps(rows.tolist()).encode())
        answer = self._read()
        assert self._process.stdout is not None
        message = pa.py_buffer(self._process.stdout.read(answer["size"]))
        batch = pa.ipc.read_record_batch(message, self._schema)
        return Decoded(list(batch.columns), answer["kept"], tuple(RefusedItem.model_validate(one) for one in answer["refused"]))

    def dismiss(self) -> None:
        """Ends the process; what it still does is of no use."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue  # what was not yet sent can't be any more
        self._process.wait()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._explain_end() from error

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._explain_end()
        answer = json.loads(line)
        if "error" in answer:
            raise DataError(f"A process that decodes pictures failed: {answer['error']}", where="prepare.workers", next="Set prepare.workers = 1 to see where.")
        return answer

    def _explain_end(self) -> ResourceError:
        return ResourceError(
            f"A process that decodes pictures ended by itself, with code {self._process.wait()}.",
            where="prepare.workers",
            next="It had too little memory, or was killed. Give the same command again: it goes on; prepare.workers = 1 takes the least memory.",
        )
