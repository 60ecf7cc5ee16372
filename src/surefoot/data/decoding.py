"""Pictures of unknown origin, decoded in processes of their own: what a hostile file does to one of them, it does to nobody else.

    python -m surefoot.data.decoding

reads batches of files from stdin and writes to stdout what they hold, or why they hold nothing. A batch is a job in JSON (`count`; with `recipe` and `quality`
columns of a pack are wanted, without a record of each) and the files; the answer is a JSON list (null, or [reason, code]) and the records or an Arrow batch.
Each has its length in front (8 bytes, little-endian). Nothing is forked, for libraries with threads don't survive that, and nothing is pickled.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import numpy as np

from surefoot.data import pictures
from surefoot.data.measures import RECORD, measure
from surefoot.types.errors import ResourceError
from surefoot.types.source import ImageSource, ItemError

MEMORY_BYTES = 4 * 2**30
"""Address space of one process; a picture of 64 megapixels with transparency takes 3 GiB while it is laid on white."""
DECODE_S = 30
"""Seconds of a processor that one picture may take: one of 64 megapixels takes three, and a machine that is busy with other things takes no more of them."""
_GRACE_S = 10.0
"""What broke its pipe is about to end, and its exit code says why."""
_BYTES_AT_ONCE = 64 * 2**20
_PIXELS_AT_ONCE = 16_000_000
_READY = b"R"
_COMMAND = ("-m", "surefoot.data.decoding")
_CRASHED = "decoding it broke the decoder"
_TOO_SLOW = f"decoding it takes more than {DECODE_S} seconds"

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
        answers = self._ask(files, {})
        records = [np.frombuffer(told, RECORD) if told is not None else np.zeros(1, RECORD) for told, _ in answers]
        return np.concatenate(records), [error for _, errors in answers for error in errors]

    def pack(self, files: list[bytes], recipe: dict[str, Any], quality: int) -> tuple[list[bytes], list[ItemError | None]]:
        """Decodes files into columns of a pack: Arrow messages with those that can be read, in order, and of each file why it can't. Raises: as `look`."""
        answers = self._ask(files, {"recipe": recipe, "quality": quality})
        return [told for told, _ in answers if told is not None], [error for _, errors in answers for error in errors]

    def _ask(self, files: list[bytes], job: dict[str, Any]) -> list[tuple[bytes | None, list[ItemError | None]]]:
        process = self._idle.get()
        why = _CRASHED
        try:
            process = process or _start()
            try:
                return [_ask(process, files, job)]
            except (OSError, EOFError):  # on Windows a broken pipe is an invalid argument
                why = _TOO_SLOW if _end(process, _GRACE_S) == -getattr(signal, "SIGPROF", 0) else _CRASHED
                process = None
        finally:
            self._idle.put(process)
        return [(None, [ItemError(why)])] if len(files) == 1 else [answer for file in files for answer in self._ask([file], job)]


def read_files(source: ImageSource, rows: Sequence[int], errors: list[ItemError | None]) -> Iterator[tuple[list[int], list[bytes]]]:
    """Files of some rows, as many at a time as may be under way: their positions among the rows, and their bytes.

    Args:
        errors: gets, by position, why a file can't be had.
    """
    assert source.fetch is not None
    waiting: dict[int, bytes] = {}
    num_bytes = 0
    for at, row in enumerate(rows):
        try:
            waiting[at] = source.fetch(row)
            num_bytes += len(waiting[at])
        except ItemError as error:
            errors[at] = error
        if num_bytes > _BYTES_AT_ONCE:
            yield list(waiting), list(waiting.values())
            waiting, num_bytes = {}, 0
    if waiting:
        yield list(waiting), list(waiting.values())


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
            image, head = look(data)
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


def look(data: bytes) -> tuple[np.ndarray, pictures.Head]:
    """`pictures.look`, within the limits of this process: time where the system can measure it, memory, for which there is a reason of its own.

    Raises:
        ItemError: it can't be decoded.
    """
    _limit_time(DECODE_S)
    try:
        return pictures.look(data)
    except ItemError as error:
        if isinstance(error.__cause__, MemoryError):
            raise ItemError(f"decoding it takes more than {MEMORY_BYTES // 2**30} GiB of memory", pictures.TOO_LARGE) from error
        raise
    finally:
        _limit_time(0)


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


def _end(process: subprocess.Popen[bytes] | None, grace_s: float = 0.0) -> int:
    """Ends a process, unless it ends by itself meanwhile; its exit code."""
    if process is None:
        return 0
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace_s)
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    return process.wait()


def _ask(process: subprocess.Popen[bytes], files: list[bytes], job: dict[str, Any]) -> tuple[bytes, list[ItemError | None]]:
    assert process.stdin is not None
    assert process.stdout is not None
    for message in (json.dumps(job | {"count": len(files)}).encode(), *files):
        _send(process.stdin, message)
    process.stdin.flush()
    told = json.loads(_take(process.stdout))
    return _take(process.stdout), [None if one is None else ItemError(*one) for one in told]


def _send(pipe: IO[bytes], message: Any) -> None:
    pipe.write(struct.pack("<Q", len(message)))
    pipe.write(message)


def _take(pipe: IO[bytes]) -> bytes:
    head = pipe.read(8)
    if len(head) < 8:
        raise EOFError
    (length,) = struct.unpack("<Q", head)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data


def tell_limits() -> dict[str, str]:
    """What holds while a picture is decoded on this system: the cap on its pixels everywhere, memory and time where there are means to limit them."""
    has_memory = importlib.util.find_spec("resource") is not None and sys.platform != "darwin"  # which takes the limit, and lets everything pass
    none = "not limited: this system has no means"
    return {
        "pixels": f"{pictures.MAX_PIXELS:,}",
        "memory": f"{MEMORY_BYTES // 2**30} GiB" if has_memory else none,
        "time": f"{DECODE_S} s" if hasattr(signal, "setitimer") else none,
    }


def _limit_time(seconds: int) -> None:
    """So many seconds of a processor from now, then the system ends this process, also amid a decoder; 0: no limit. Windows has none."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


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
    with contextlib.suppress(EOFError):
        while True:
            job = json.loads(_take(requests))
            files = (_take(requests) for _ in range(job["count"]))
            held, errors = _pack(files, job["recipe"], job["quality"]) if "recipe" in job else _look(files)
            _send(answers, json.dumps([None if error is None else [error.reason, error.code] for error in errors]).encode())
            _send(answers, held)
            answers.flush()


def _look(files: Iterable[bytes]) -> tuple[bytes, list[ItemError | None]]:
    records, errors = look_at(files)
    return records.tobytes(), errors


def _pack(files: Iterable[bytes], recipe: dict[str, Any], quality: int) -> tuple[Any, list[ItemError | None]]:
    from surefoot.data.making import pack_pictures  # takes a second to import, which who only looks need not wait for

    errors: list[ItemError | None] = []

    def decode_some() -> Iterator[tuple[np.ndarray, bytes]]:
        for data in files:
            try:
                picture, _ = look(data)
            except ItemError as error:
                errors.append(error)
            else:
                errors.append(None)
                yield picture, data

    return pack_pictures(decode_some(), recipe, quality), errors


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
