"""What every step is given beside its config: where it is, and whom it may ask. All of it is protocols; floor 2 fills them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from surefoot.types.configs import Section
from surefoot.types.findings import Report


class Store(Protocol):
    """Files by the hash of their content."""

    def put_file(self, path: Path) -> str: ...
    def put_bytes(self, data: bytes) -> str: ...
    def put_arrays(self, arrays: Mapping[str, np.ndarray]) -> str: ...
    def put_table(self, table: Any) -> str: ...
    def has(self, ref: str) -> bool: ...
    def put_batches(self, schema: Any, batches: Iterable[Any]) -> str: ...
    def path(self, ref: str) -> Path: ...
    def get_bytes(self, ref: str) -> bytes: ...
    def get_arrays(self, ref: str) -> dict[str, np.ndarray]: ...
    def get_table(self, ref: str) -> Any: ...
    def writing(self) -> AbstractContextManager[Any]: ...


class Ledger(Protocol):
    """What was done and decided, in order. A file without a row here does not exist."""

    def decide(self, name: str, measure: Callable[[], Any]) -> Any:
        """The value written under `name`; on the first call `measure()` makes it, and it is written before it is used."""
        ...

    def count_look(self, step: str, what: str) -> int:
        """Notes one look at val; returns how many there were in the project."""
        ...


class Events(Protocol):
    """Progress for whoever watches; silent when nobody does."""

    def say(self, text: str) -> None: ...
    def progress(self, what: str, done: float, total: float) -> None: ...


@dataclass(frozen=True)
class Context:
    """Where a step runs.

    Attributes:
        root: the project's folder. run_dir: this run's own folder, for checkpoints and logs.
        round: number of the round, from 1.
        seed: of the project; draws come from `randomness.stream(seed, purpose, ...)`.
        device: resolved device name, `cpu` or `cuda:0`.
        previous: report of the same step in the latest round that has one, or None.
        made_last: the one that was made last, where the latest round took over an older one, else None.
        again: the reason for opening the test set a second time, or "".
        spent_s: seconds that the steps before this one took, whenever that was.
    """

    root: Path
    run_dir: Path
    round: int
    seed: int
    device: str
    store: Store
    ledger: Ledger
    events: Events
    previous: Report | None = None
    made_last: Report | None = None
    again: str = ""
    spent_s: float = 0.0


class Step(Protocol):
    """`step(ctx, config, *, name: ReportType, ...) -> OneReport`; the annotations are the wiring."""

    def __call__(self, ctx: Context, config: Section, **reports: Report) -> Report: ...


StepList = Iterable[Step]
