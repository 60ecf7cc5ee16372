"""The ledger: what was done, decided, looked at and opened, in order. Files first, row last: a file without a row does not exist.

SQLite in WAL mode guards its own writes. The schema has a version (`PRAGMA user_version`); `_MIGRATIONS[n]` takes version n to n + 1.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from surefoot.types.errors import BusyError, DamagedError, ResourceError, SurefootError

_LEAST_FREE = 100_000
"""Bytes: SQLite's shared memory alone takes a third of this."""

_MOST_AT_ONCE = 32_768
"""Bytes: SQLite lets its shared memory grow by so many, and the other two files by less."""

_HUMAN = "human"
"""Scope of the decisions that a person made at the keyboard."""

_META = sa.MetaData()
_ROUNDS = sa.Table(
    "rounds", _META,
    sa.Column("number", sa.Integer, primary_key=True), sa.Column("parent", sa.Integer), sa.Column("at", sa.String, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
)  # fmt: skip
_RUNS = sa.Table(
    "runs", _META,
    sa.Column("id", sa.Integer, primary_key=True), sa.Column("round", sa.Integer, nullable=False), sa.Column("step", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False), sa.Column("folder", sa.String, nullable=False), sa.Column("at", sa.String, nullable=False),
)  # fmt: skip
_STEPS = sa.Table(
    "steps", _META,
    sa.Column("id", sa.Integer, primary_key=True), sa.Column("round", sa.Integer, nullable=False), sa.Column("step", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False), sa.Column("report", sa.String, nullable=False), sa.Column("gate", sa.String, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False), sa.Column("folder", sa.String, nullable=False), sa.Column("version", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)  # fmt: skip
_DECISIONS = sa.Table(
    "decisions", _META,
    sa.Column("scope", sa.String, primary_key=True), sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.Text, nullable=False),
)  # fmt: skip
_LOOKS = sa.Table(
    "looks", _META,
    sa.Column("scope", sa.String, primary_key=True), sa.Column("what", sa.String, primary_key=True), sa.Column("at", sa.String, nullable=False),
)  # fmt: skip
_OPENINGS = sa.Table(
    "openings", _META,
    sa.Column("number", sa.Integer, primary_key=True), sa.Column("round", sa.Integer, nullable=False), sa.Column("scope", sa.String, nullable=False),
    sa.Column("why", sa.Text, nullable=False), sa.Column("at", sa.String, nullable=False),
)  # fmt: skip
_OVERRIDES = sa.Table(
    "overrides", _META,
    sa.Column("id", sa.Integer, primary_key=True), sa.Column("round", sa.Integer, nullable=False), sa.Column("gate", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False), sa.Column("at", sa.String, nullable=False),
)  # fmt: skip
_TAGS = sa.Table(
    "tags", _META,
    sa.Column("item", sa.String, primary_key=True), sa.Column("tags", sa.Text, nullable=False), sa.Column("note", sa.Text, nullable=False),
)  # fmt: skip

_MIGRATIONS: Sequence[Callable[[sa.Connection], None]] = (_META.create_all,)


@dataclass(frozen=True)
class StepRow:
    """A finished step: where its report is, by which key it was made, and how its gate stood."""

    round: int
    step: str
    key: str
    report: str
    gate: str
    seconds: float
    folder: str
    version: str
    at: str


@dataclass(frozen=True)
class RoundRow:
    """A round: its parent, and the settings it was walked with."""

    number: int
    parent: int | None
    at: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class OpeningRow:
    """One opening of the test set."""

    number: int
    round: int
    scope: str
    why: str
    at: str


class ProjectLedger:
    """`surefoot.db` of one project."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))  # a folder's name may hold what an address gives a meaning
        sa.event.listen(self.engine, "connect", _configure)
        sa.event.listen(self.engine, "handle_error", _explain)
        self._migrate()

    def close(self) -> None:
        self.engine.dispose()

    # rounds

    def rounds(self) -> list[RoundRow]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(_ROUNDS).order_by(_ROUNDS.c.number)).all()
        return [RoundRow(r.number, r.parent, r.at, json.loads(r.settings)) for r in rows]

    def start_round(self, parent: int | None, settings: dict[str, Any], rows: Sequence[StepRow] = ()) -> int:
        """Begins a round together with its first results, all or nothing: a crash leaves no round without them.

        Args:
            rows: in the order of the road; whichever round they name, they become this one's.
        """
        with self.engine.begin() as connection:
            last = connection.execute(sa.select(sa.func.max(_ROUNDS.c.number))).scalar() or 0
            connection.execute(_ROUNDS.insert().values(number=last + 1, parent=parent, at=_now(), settings=json.dumps(settings)))
            for row in rows:
                _add_step(connection, row, last + 1)
        return last + 1

    def is_empty(self) -> bool:
        """Whether nothing was ever begun."""
        with self.engine.connect() as connection:
            return not any(connection.execute(sa.select(table.c[0]).limit(1)).first() for table in (_ROUNDS, _RUNS))

    # steps

    def steps(self, round_number: int) -> dict[str, StepRow]:
        """The finished steps of a round, the latest row of each."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(_STEPS).where(_STEPS.c.round == round_number).order_by(_STEPS.c.id)).all()
        return {row.step: _step_row(row) for row in rows}

    def find_step(self, step: str, key: str) -> StepRow | None:
        """The latest finished run of `step` under `key`, in any round."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(_STEPS).where(_STEPS.c.step == step, _STEPS.c.key == key).order_by(_STEPS.c.id.desc())).first()
        return _step_row(row) if row else None

    def open_run(self, round_number: int, step: str, key: str) -> str:
        """The folder of the run of `step` under `key`: the interrupted one where there is one, else a new one `<round>-<step>-<n>`."""
        with self.engine.begin() as connection:
            interrupted = connection.execute(_select_open(step, key)).scalar()
            if interrupted:
                return str(interrupted)
            count = connection.execute(sa.select(sa.func.count()).select_from(_RUNS).where(_RUNS.c.round == round_number, _RUNS.c.step == step)).scalar_one()
            folder = f"{round_number}-{step}-{count + 1}"
            connection.execute(_RUNS.insert().values(round=round_number, step=step, key=key, folder=folder, at=_now()))
        return folder

    def is_begun(self, step: str, key: str) -> bool:
        """Whether a run of `step` under `key` was interrupted."""
        with self.engine.connect() as connection:
            return connection.execute(_select_open(step, key)).first() is not None

    def finish_step(self, number: int, row: StepRow, settings: dict[str, Any]) -> None:
        """Adds a result to a round, and what it was walked with: a round is walked in several goes, and the next one takes what the last one said.

        Args:
            row: whichever round it names, it becomes this one's.
        """
        with self.engine.begin() as connection:
            _add_step(connection, row, number)
            connection.execute(_ROUNDS.update().where(_ROUNDS.c.number == number).values(settings=json.dumps(settings)))

    # decisions and looks

    def decided(self, scope: str, name: str) -> Any | None:
        text = self._decision(scope, name)
        return None if text is None else json.loads(text)

    def decide(self, scope: str, name: str, measure: Callable[[], Any]) -> Any:
        """The value written under (scope, name); the first call measures it and writes it down before it is used."""
        text = self._decision(scope, name)
        if text is None:
            text = json.dumps(measure())
            with self.engine.begin() as connection:
                connection.execute(_DECISIONS.insert().values(scope=scope, name=name, value=text))
        return json.loads(text)  # also the first time, as a resumed run will read it

    def count_look(self, scope: str, what: str) -> int:
        with self.engine.begin() as connection:
            connection.execute(
                sa.text("INSERT OR IGNORE INTO looks (scope, what, at) VALUES (:scope, :what, :at)"), {"scope": scope, "what": what, "at": _now()}
            )
            return connection.execute(sa.select(sa.func.count()).select_from(_LOOKS)).scalar_one()

    # openings, overrides, tags

    def openings(self) -> list[OpeningRow]:
        with self.engine.connect() as connection:
            return [OpeningRow(r.number, r.round, r.scope, r.why, r.at) for r in connection.execute(sa.select(_OPENINGS).order_by(_OPENINGS.c.number))]

    def note_opening(self, round_number: int, scope: str, why: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(_OPENINGS.insert().values(round=round_number, scope=scope, why=why, at=_now()))

    def overrides(self, round_number: int) -> dict[str, str]:
        with self.engine.connect() as connection:
            return {r.gate: r.reason for r in connection.execute(_select_overrides(round_number))}

    def override(self, round_number: int, gate: str, reason: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(_OVERRIDES.insert().values(round=round_number, gate=gate, reason=reason, at=_now()))

    def tags(self) -> dict[str, tuple[list[str], str]]:
        """What a person wrote in the error table: item id -> (tags, note)."""
        with self.engine.connect() as connection:
            return {r.item: (json.loads(r.tags), r.note) for r in connection.execute(sa.select(_TAGS))}

    def tag(self, item: str, tags: list[str], note: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(_TAGS.delete().where(_TAGS.c.item == item))
            connection.execute(_TAGS.insert().values(item=item, tags=json.dumps(tags), note=note))

    def answers(self) -> dict[str, str]:
        """What a person answered about val items (`surefoot human`): item id -> answer."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(_DECISIONS).where(_DECISIONS.c.scope == _HUMAN))
            return {row.name: str(json.loads(row.value)) for row in rows}

    def answer(self, item: str, text: str) -> None:
        """Writes a person's answer; a later one takes the place of an earlier one."""
        with self.engine.begin() as connection:
            connection.execute(_DECISIONS.delete().where(_DECISIONS.c.scope == _HUMAN, _DECISIONS.c.name == item))
            connection.execute(_DECISIONS.insert().values(scope=_HUMAN, name=item, value=json.dumps(text)))

    def all_steps(self) -> Iterator[StepRow]:
        with self.engine.connect() as connection:
            for row in connection.execute(sa.select(_STEPS).order_by(_STEPS.c.id)):
                yield _step_row(row)

    def _decision(self, scope: str, name: str) -> str | None:
        with self.engine.connect() as connection:
            return connection.execute(sa.select(_DECISIONS.c.value).where(_DECISIONS.c.scope == scope, _DECISIONS.c.name == name)).scalar()

    def _migrate(self) -> None:
        with self.engine.begin() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version > len(_MIGRATIONS):
                raise SurefootError(
                    f"The ledger is of version {version}; this Surefoot knows up to {len(_MIGRATIONS)}.",
                    where=str(self.path),
                    next="Install the newer Surefoot that wrote it.",
                )
            for number, migrate in enumerate(_MIGRATIONS[version:], version + 1):
                migrate(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {number}")


def _configure(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA busy_timeout=5000")


def _explain(context: sa.engine.ExceptionContext) -> None:
    """Says what SQLite means, whatever it was asked; errors that only a defect of ours can cause stay as they are."""
    error = context.original_exception
    name, where = getattr(error, "sqlite_errorname", ""), str(context.engine.url.database) if context.engine else ""
    if name.startswith("SQLITE_FULL") or (name.startswith("SQLITE_IOERR") and _is_full(Path(where).parent)):  # its shared memory finds no room
        raise ResourceError("The disk is full: the ledger could not be written.", where=where, next="Free some space, then give the same command again.")
    if name.startswith("SQLITE_IOERR") and _is_limited(Path(where)):
        raise ResourceError(
            "The ledger could not be written: it has reached the largest size that a file may have here.",
            where=where,
            next="Raise the limit (`ulimit -f` says what it is), then give the same command again.",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        raise BusyError("Another process is writing to the ledger.", where=where, next="Wait until it is done, then give the same command again.")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        raise DamagedError(f"The ledger can't be read: {error}.", where=where, next="Restore it from a copy, or move it away and walk the road anew.")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
        raise SurefootError(f"The ledger can't be used: {error}.", where=where, next="Check the permissions of the file and its folder.")


def _is_full(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free < _LEAST_FREE


def _is_limited(path: Path) -> bool:
    """Whether the ledger or one of its two side files has come up to this process's limit on the size of a file."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return False
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    files = [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]
    sizes = [file.stat().st_size if file.is_file() else 0 for file in files]
    return limit != resource.RLIM_INFINITY and max(sizes) + _MOST_AT_ONCE > limit


def _select_open(step: str, key: str) -> sa.Select[tuple[str]]:
    """The folder of the latest run of `step` under `key` that has no result."""
    done = sa.select(_STEPS.c.folder)
    return sa.select(_RUNS.c.folder).where(_RUNS.c.step == step, _RUNS.c.key == key, _RUNS.c.folder.not_in(done)).order_by(_RUNS.c.id.desc()).limit(1)


def _add_step(connection: sa.Connection, row: StepRow, number: int) -> None:
    """Adds a result to a round; why a gate was gone past goes with it where it comes from another one."""
    values = {name: getattr(row, name) for name in ("step", "key", "report", "gate", "seconds", "folder", "version")}
    connection.execute(_STEPS.insert().values(**values, round=number, at=row.at or _now()))
    if row.round == number:
        return
    said = {gate: old for old in connection.execute(_select_overrides(row.round)) if (gate := old.gate) == row.step or "." in gate}
    known = {old.gate for old in connection.execute(_select_overrides(number))}
    for gate in said.keys() - known:
        connection.execute(_OVERRIDES.insert().values(round=number, gate=gate, reason=said[gate].reason, at=said[gate].at))


def _select_overrides(number: int) -> sa.Select[Any]:
    """What was said in a round, the latest last."""
    return sa.select(_OVERRIDES).where(_OVERRIDES.c.round == number).order_by(_OVERRIDES.c.id)


def _step_row(row: Any) -> StepRow:
    return StepRow(row.round, row.step, row.key, row.report, row.gate, row.seconds, row.folder, row.version, row.at)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
