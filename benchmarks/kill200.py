"""200 kills -9, half anywhere in a small run, half into the writing of a checkpoint; then the same command: weights, log and items must equal a whole run's."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from benchmarks import short_run

_ROOT = Path(__file__).resolve().parents[1]
_AGAIN = 0.33
"""Share of runs that are killed once more after they went on."""
_LATE = 0.005
"""Seconds at most between the first sight of a file that is being written and the kill: about what a checkpoint takes."""
_SOON = 0.8
"""Share of a run after which the last checkpoint may have been written."""
_PLACES = ("before", "within", "after")


class Server:
    """Starts short runs and says how they ended; see `short_run`."""

    def __enter__(self) -> Server:
        single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "benchmarks.short_run"]
        self._process = subprocess.Popen(command, cwd=_ROOT, env=_environment() | single, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.communicate()

    def start(self, folder: Path) -> int:
        """Gives the command; the number of its process."""
        folder.mkdir(exist_ok=True)
        return self._ask(f"run {folder}")

    def wait(self) -> int:
        """Waits for the last process: 0, or minus the signal that ended it.

        Raises:
            RuntimeError: it failed by itself; its traceback is on stderr.
        """
        code = self._ask("wait")
        if code not in (0, -signal.SIGKILL):
            raise RuntimeError(f"a short run ended with {code}")
        return code

    def _ask(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


@dataclass(frozen=True)
class End:
    """What a finished run left: the SHA-256 of its weights, its log without times, and its trace, cut where it went on."""

    weights: str
    log: list[dict]
    trace: list[str]


@dataclass
class Tally:
    """What was found so far; `seconds` of a whole run."""

    seconds: float
    kills: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    runs: int = 0
    bit_equal: int = 0
    logs_equal: int = 0
    traces_ok: int = 0


def run(num: int = 200, seed: int = 0) -> dict[str, object]:
    """Kills `num` times.

    Returns:
        kills: by what was on the disk: no checkpoint yet (before), one half written or half removed (within), or only whole ones (after).
        missed: runs that ended before the kill; not counted as kills. runs: finished ones, of which so many were equal in weights, log and trace.
    """
    folder, draw = Path(tempfile.mkdtemp(prefix="surefoot-kills-")), random.Random(seed)
    started = time.perf_counter()
    try:
        with Server() as server:
            tally, whole = _measure(server, folder / "whole")
            while tally.kills.total() < num:
                _go(server, folder / "run", draw, num, tally)
                _compare(whole, read_end(folder / "run"), tally)
                shutil.rmtree(folder / "run")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "kills": tally.kills.total(), **{place: tally.kills[place] for place in _PLACES}, "missed": tally.missed, "runs": tally.runs,
        "bit_equal": tally.bit_equal, "logs_equal": tally.logs_equal, "traces_ok": tally.traces_ok,
        "seconds_of_a_run": round(tally.seconds, 2), "seconds_per_kill": round((time.perf_counter() - started) / num, 2),
    }  # fmt: skip


def read_end(folder: Path) -> End:
    """What a finished run left in its folder."""
    log = [{**json.loads(line), "seconds": 0} for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    weights = hashlib.sha256((folder / short_run.WEIGHTS).read_bytes()).hexdigest()
    return End(weights, log, cut_trace((folder / short_run.TRACE).read_text(encoding="utf-8")))


def cut_trace(text: str) -> list[str]:
    """The steps that count: where a run went on from step n, what an earlier one had done after n is void."""
    kept: list[str] = []
    for line in text.splitlines():
        if line.endswith(" ."):
            step = _step(line)
            while kept and _step(kept[-1]) >= step:
                kept.pop()
            kept.append(line)
    return kept


def is_complete(trace: list[str]) -> bool:
    """Whether every step was made, in order, and every item was seen once an epoch."""
    seen: dict[str, list[str]] = {}
    for line in trace:
        _, epoch, ids, _ = line.split(" ")
        seen.setdefault(epoch, []).extend(ids.split(","))
    train = sorted(f"item-{n}" for n in range(short_run.NUM_TRAIN))
    return [_step(line) for line in trace] == list(range(1, short_run.NUM_STEPS + 1)) and all(sorted(ids) == train for ids in seen.values())


def find_unsaved(folder: Path) -> set[str]:
    """What shows that a checkpoint was being written: temporary files, halves, and a third generation."""
    names = {path.name for path in (folder / "checkpoints").glob("*")} if (folder / "checkpoints").is_dir() else set()
    stems = {suffix: {name.removesuffix(suffix) for name in names if name.endswith(suffix)} for suffix in (".json", ".safetensors")}
    whole = sorted(stems[".json"] & stems[".safetensors"])
    return {name for name in names if name.endswith(".part")} | (stems[".json"] ^ stems[".safetensors"]) | set(whole[:-2])


def _measure(server: Server, folder: Path) -> tuple[Tally, End]:
    """A run that nobody kills: how long it takes, and its end."""
    server.start(folder)
    started = time.perf_counter()  # the server has imported torch by now
    server.wait()
    tally, whole = Tally(time.perf_counter() - started), read_end(folder)
    if not is_complete(whole.trace):
        raise RuntimeError("a run that was not killed skipped items or saw them twice")
    return tally, whole


def _go(server: Server, folder: Path, draw: random.Random, num: int, tally: Tally) -> None:
    """Gives the command until it ends, killing it once or twice on the way."""
    while tally.kills.total() < num:
        earlier, left = find_unsaved(folder), 1 - _progress(folder)
        process = server.start(folder)
        _pause(folder, draw, tally.seconds * left, into_writing=(tally.kills.total() + tally.missed) % 2 == 1)
        os.kill(process, signal.SIGKILL)
        if server.wait() == 0:
            tally.missed += 1
            return
        tally.kills[_place(folder, earlier)] += 1
        if draw.random() > _AGAIN:
            break
    server.start(folder)
    server.wait()


def _pause(folder: Path, draw: random.Random, seconds: float, *, into_writing: bool) -> None:
    """Waits for a moment anywhere in the next `seconds`; then, `into_writing`, until the next file is being written, and a few milliseconds."""
    time.sleep(draw.uniform(0, _SOON * seconds if into_writing else seconds))
    if into_writing:
        known, deadline = _list(folder), time.perf_counter() + seconds
        while _list(folder) <= known and time.perf_counter() < deadline and not (folder / short_run.WEIGHTS).exists():
            time.sleep(0.0002)
        time.sleep(draw.uniform(0, _LATE))


def _list(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder / "checkpoints"))
    except FileNotFoundError:
        return set()


def _place(folder: Path, earlier: set[str]) -> str:
    """Where a kill hit; `earlier` is what another one had left half written."""
    if find_unsaved(folder) - earlier:
        return "within"
    return "after" if _progress(folder) else "before"


def _progress(folder: Path) -> float:
    """The share of the steps that the newest checkpoint has behind it."""
    steps = [int(name.removeprefix("step-").removesuffix(".json")) for name in _list(folder) if name.startswith("step-") and name.endswith(".json")]
    return max(steps, default=0) / short_run.NUM_STEPS


def _compare(whole: End, end: End, tally: Tally) -> None:
    tally.runs += 1
    tally.bit_equal += end.weights == whole.weights
    tally.logs_equal += end.log == whole.log
    tally.traces_ok += end.trace == whole.trace and is_complete(end.trace)
    print(f"  {tally.kills.total()} kills, {tally.runs} runs, {tally.bit_equal} bit-equal", flush=True)


def _step(line: str) -> int:
    return int(line.partition(" ")[0])


def _environment() -> dict[str, str]:
    """The environment, with what can be imported here importable from the checkout's root as well."""
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path if path)}
