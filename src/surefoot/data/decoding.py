"""Pictures of unknown origin, decoded in processes of their own: what a hostile file does to one of them, it does to nobody else.

    python -m surefoot.data.decoding

reads batches of files from stdin and writes a record for each to stdout, or why there is none. A batch is a count and, per file, its length and its bytes
(little-endian, 4 and 8 bytes); the answer is the length of a JSON list (null, or [reason, code]), that list, and the records.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from queue import SimpleQueue
from typing import IO

import numpy as np

from surefoot.data.measures import RECORD, measure
from surefoot.data.readers import pictures
from surefoot.types.errors import ResourceError
from surefoot.types.source import ItemError

MEMORY_BYTES = 4 * 2**30
"""Address space of one process; a picture of 64 megapixels with transparency takes 3 GiB while it is laid on white."""
_PIXELS_AT_ONCE = 16_000_000
_READY = b"R"
_COMMAND = ("-m", "surefoot.data.decoding")
_CRASHED = "decoding it broke the decoder"

Answer = tuple[np.ndarray, list[ItemError | None]]
"""Records (N,), and per file why there is none."""
Facts = tuple[str, str, int, float, int]
"""What the file says of itself (`pictures.Head`), and its bytes."""


class Decoders:
    """Processes that decode; closed by `with`.

    Args:
        num: how many there are; each is started when it is first needed.
    """

    def __init__(self, num: int) -> None:
        self._idle: SimpleQueue[subprocess.Popen[bytes] | None] = SimpleQueue()
        self._num = num
        for _ in range(num):
            self._idle.put(None)

    def __enter__(self) -> Decoders:
        return self

    def __exit__(self, *_: object) -> None:
        for _number in range(self._num):
            _end(self._idle.get())

    def look(self, files: list[bytes]) -> Answer:
        """Decodes and measures files; one that breaks its decoder is refused, and the others are looked at without it.

        Raises:
            ResourceError: no process can be started.
        """
        process = self._idle.get()
        try:
            process = process or _start()
            try:
                return _ask(process, files)
            except (BrokenPipeError, EOFError):
                _end(process)
                process = None
        finally:
            self._idle.put(process)
        if len(files) == 1:
            return np.zeros(1, RECORD), [ItemError(_CRASHED)]
        answers = [self.look([file]) for file in files]
        return np.concatenate([records for records, _ in answers]), [error for _, errors in answers for error in errors]


def look_at(files: Iterable[bytes]) -> Answer:
    """Decodes and measures files, in this process.

    Args:
        files: whole files, taken one after another.
    """
    records: list[np.ndarray] = []
    errors: list[ItemError | None] = []
    images: list[np.ndarray] = []
    facts: list[Facts] = []
    waiting = 0
    for data in files:
        try:
            image, head = _look(data)
            errors.append(None)
        except ItemError as error:
            errors.append(error)
            image, head = np.zeros((1, 1), np.uint8), pictures.Head()
        images.append(image)
        facts.append((*head, len(data)))
        waiting += image.size
        if waiting > _PIXELS_AT_ONCE:
            records.append(_record(images, facts))
            images, facts, waiting = [], [], 0
    records.append(_record(images, facts))
    return np.concatenate(records), errors


def _look(data: bytes) -> tuple[np.ndarray, pictures.Head]:
    try:
        return pictures.look(data)
    except ItemError as error:
        if isinstance(error.__cause__, MemoryError):
            raise ItemError(f"decoding it takes more than {MEMORY_BYTES // 2**30} GiB of memory", pictures.TOO_LARGE) from error
        raise


def _record(images: list[np.ndarray], facts: list[Facts]) -> np.ndarray:
    records = measure(images)
    for name, values in zip(("mode", "format", "turn", "taken", "bytes"), zip(*facts)):
        records[name] = values
    return records


def _start() -> subprocess.Popen[bytes]:
    """A process that does nothing but decode; it knows this package and its libraries, and no file of the folder that it is started in."""
    package = str(Path(__file__).resolve().parents[2])
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # threads reserve address space each
    paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", *_COMMAND]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | single | {"PYTHONPATH": paths},
        start_new_session=True,  # Ctrl-C is for the walk, which ends this one
    )
    assert process.stdout is not None
    if process.stdout.read(1) != _READY:
        _end(process)
        raise ResourceError(
            "The process that decodes pictures could not be started.",
            where=" ".join(command),
            next="Look whether the machine has memory and processes left, and whether this command runs by itself.",
        )
    return process


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None:
        return
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()


def _ask(process: subprocess.Popen[bytes], files: list[bytes]) -> Answer:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(struct.pack("<I", len(files)))
    for file in files:
        process.stdin.write(struct.pack("<Q", len(file)))
        process.stdin.write(file)
    process.stdin.flush()
    (length,) = struct.unpack("<I", _take(process.stdout, 4))
    told = json.loads(_take(process.stdout, length))
    records = np.frombuffer(_take(process.stdout, len(files) * RECORD.itemsize), RECORD)
    return records, [None if one is None else ItemError(*one) for one in told]


def _take(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _limit_memory() -> None:
    """Where the system can: beyond the limit an allocation fails, and with it one picture."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers batch after batch until there is no other."""
    _limit_memory()
    answers.write(_READY)
    answers.flush()
    while len(head := requests.read(4)) == 4:
        (count,) = struct.unpack("<I", head)
        records, errors = look_at(_take(requests, *struct.unpack("<Q", _take(requests, 8))) for _ in range(count))
        told = json.dumps([None if error is None else [error.reason, error.code] for error in errors]).encode()
        answers.write(struct.pack("<I", len(told)) + told + records.tobytes())
        answers.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
