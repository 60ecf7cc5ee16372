"""The object people hold: it forwards, it computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from surefoot import durable, settings
from surefoot.data.packs import open_pack
from surefoot.events import Announcer, Sink
from surefoot.reporting.findings import explain_road, rank_road
from surefoot.reporting.page import render
from surefoot.reporting.sections.sheet import DRAWS
from surefoot.reporting.sheet import render_sheet
from surefoot.runners import begin, keep, names, plan
from surefoot.runners.forecast import PlannedStep, forecast
from surefoot.runners.lessons import Row, teach
from surefoot.runners.local import Walk, read_report, view_step, walk
from surefoot.runners.rounds import Tuned, compare_rounds
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import RoundRow
from surefoot.transforms import chain
from surefoot.types.configs import Settings
from surefoot.types.errors import BusyError, DamagedError, UsageError
from surefoot.types.findings import Report
from surefoot.types.views import RoundView, StepView

REPORT, SHEET = "report.html", "sheet.html"
_OF_THE_LAST_ROUND = ("errors", "test")
"""Steps that look at what was done: asked for alone, they take the last round's settings, `--budget` and `--set` included, and train nothing anew."""


class Project:
    """A question, its data, and everything that was found out.

    Args:
        root: the folder that holds `surefoot.toml`.
        sinks: called with every event, see `surefoot.events`.
    """

    def __init__(self, root: str | Path = ".", *, sinks: tuple[Sink, ...] = ()) -> None:
        self.root = Path(root).resolve()
        self.events = Announcer(sinks)
        settings.find(self.root)  # a folder without settings is no project, and makes no ledger; what they say is looked at with what a run adds to them
        self.store = Blobs(self.root / "store")
        self.ledger = keep.open_ledger(self.root)

    @staticmethod
    def init(data: str, *, target: str = "", out: str = "", budget: str = "", question: str = "") -> Project:
        """Looks at the data and writes a project around it, with a reason on each line."""
        return Project(begin.write_project(data, target=target, out=out, budget=budget, question=question))

    @property
    def settings(self) -> Settings:
        """`surefoot.toml` as it stands."""
        return names.load(self.root)

    def run(
        self,
        to: str = "",
        from_: str = "",
        *,
        only: str = "",
        set: list[str] | tuple[str, ...] = (),
        past: dict[str, str] | None = None,
        budget: str = "",
        device: str = "",
        again: str = "",
    ) -> list[StepView]:
        """Walks the road, as far as it must be walked.

        Args:
            to, from_, only: steps by name or number.
            set: `key=value` over the settings. budget, device: the same for these two.
            past: gate -> reason for going on although it stopped.
            again: reason for opening the test set once more.

        Raises:
            GateStop: a gate stopped the road. BusyError: another run holds the project. SurefootError: see its text.
        """
        with self._held():
            reasons = {gate if "." in gate else plan.find_step(gate).name: reason for gate, reason in (past or {}).items()}
            overrides = [*set, *_as_overrides(budget=budget, device=device)]
            return walk(self._walk(overrides, to=to, from_=from_, only=only, again=again.strip(), past=reasons))

    def plan(
        self, to: str = "", from_: str = "", *, only: str = "", set: list[str] | tuple[str, ...] = (), budget: str = "", device: str = ""
    ) -> list[PlannedStep]:
        """What `run` would do, and why."""
        return forecast(self._walk([*set, *_as_overrides(budget=budget, device=device)], to=to, from_=from_, only=only))

    def rounds(self) -> list[RoundView]:
        """Every round with its steps, and how it compares with its parent."""
        return [RoundView(row.number, row.parent, self._steps(row), self._compare_to_parent(row)) for row in self.ledger.rounds()]

    def report(self, step: str, round: int | None = None) -> Report:
        """The report of a step, in the last round or the one asked for.

        Raises:
            UsageError: there is no such step, or it was not walked.
        """
        spec = plan.find_step(step, self.root)
        numbers = [row.number for row in self.ledger.rounds()]
        number = round or (numbers[-1] if numbers else 0)
        row = self.ledger.steps(number).get(spec.name)
        if row is None:
            walked = ", ".join(str(other) for other in numbers if spec.name in self.ledger.steps(other)) or "none"
            advice = f"Rounds where it was: {walked}; a past one stays as it is." if number < max(numbers, default=0) else f"surefoot run --to {spec.short}"
            raise UsageError(f"{spec.short} was not walked in round {number}.", where=str(self.root), next=advice)
        return read_report(self.store, spec, row.report)

    def status(self) -> dict[str, Any]:
        """Project, round, the stops and warnings with the one to mend first at the head, and every step with its gate, findings and report, as plain JSON."""
        rounds = self.rounds()
        views = explain_road(rounds[-1].steps) if rounds else []
        return {
            "project": self.root.name,
            "round": rounds[-1].number if rounds else 0,
            "ranked": [{"step": view.name, "code": finding.code, "because": finding.because} for view, finding in rank_road(views)],
            "steps": [
                {
                    "step": view.name,
                    "gate": view.report.gate,
                    "past": view.past,
                    "stale": view.stale,
                    "seconds": round(view.seconds, 3),
                    "findings": [finding.model_dump(mode="json") for finding in view.report.findings],
                    "report": view.report.model_dump(mode="json", exclude={"findings"}),
                }
                for view in views
            ],
        }

    def compare(self, a: str, b: str) -> dict[str, Any]:
        """Whether round b is better than round a: their tuned models on the val items held out in both, with difference, interval, p value, verdict.

        Raises:
            UsageError: a round does not exist or was not tuned.
        """
        numbers = [row.number for row in self.ledger.rounds()]
        for name in (a, b):
            if not name.isdigit() or int(name) not in numbers:
                raise UsageError(f"There is no round {name!r}.", where="compare", next=f"The rounds are: {', '.join(map(str, numbers)) or 'none yet'}.")
        return {"a": int(a), "b": int(b)} | self._compare(int(b), int(a))

    def render(self, *, with_items: bool = True) -> Path:
        """Writes `report.html` and returns where it is."""
        path = self.root / REPORT
        durable.replace(
            path, render(self.root.name, self.rounds(), store=self.store, with_items=with_items, augment=self.settings.train.augment, folder=self.root)
        )
        return path

    def lesson(self, name: str = "backprop", *, set: list[str] | tuple[str, ...] = ()) -> list[Row]:
        """A lesson worked through on this project's own net and data; `backprop`: its four equations, the last layer first."""
        with self._held():
            return teach(name, self._walk([*set]))

    def sheet(self, *, augment: str = "", draws: int = DRAWS) -> dict[str, Any]:
        """Writes `sheet.html`, some items as they came, as they are packed, and as a training would see them; returns where it is, and what it shows.

        Args:
            augment: as `train.augment` is written; empty: what the settings say or the search chose.

        Raises:
            UsageError: the data is not prepared yet, or there is no such augmentation.
        """
        items, kind = self.report("prepare").explored.sheet, self.report("problem").kind  # type: ignore[attr-defined]
        text = augment or self.settings.train.augment
        if text:
            chain.check(text, kind)
        page, shown = render_sheet(self.root.name, self.rounds()[-1].steps, store=self.store, augment=text, folder=self.root, draws=draws)
        durable.replace(self.root / SHEET, page)
        listed = [item.model_dump(mode="json", include={"id", "place", "label"}) for item in items]
        return {"sheet": str(self.root / SHEET), "augment": shown, "draws": draws, "items": listed}

    def clean(self, *, apply: bool) -> dict[str, Any]:
        """What no result needs, in bytes; removed where `apply`."""
        with self._held():
            return keep.clean(self.root, self.store, self.ledger, apply=apply)

    def tag(self, table: str | Path) -> int:
        """Reads an edited error table back; returns the number of rows. The next `errors` step shows them."""
        items = open_pack(self.store, self.report("prepare").pack).ids()  # type: ignore[attr-defined]
        return keep.read_tags(Path(table), self.ledger, set(items.tolist()))

    def fix(self) -> dict[str, Any]:
        """Writes what the last audit proposes into `repairs.csv`, below what stands there already; `{"path", "added", "kept"}`."""
        with self._held():
            return keep.fix(self.root, self.settings.data, self.store, self.report("audit").repairs)  # type: ignore[attr-defined]

    def _walk(self, overrides: list[str], *, to: str = "", from_: str = "", only: str = "", again: str = "", past: Mapping[str, str] | None = None) -> Walk:
        for name in (to, from_, only):
            if name:
                plan.find_step(name)
        values = names.load(self.root, overrides)
        rounds = self.ledger.rounds()
        if only in _OF_THE_LAST_ROUND and rounds and not overrides:
            values = settings.check(rounds[-1].settings)
        return Walk(self.root, values, self.ledger, self.store, self.events, to, from_, only, again, past or {})

    def _steps(self, round_row: RoundRow) -> list[StepView]:
        rows = sorted(self.ledger.steps(round_row.number).items())
        return [view_step(self.store, self.ledger, plan.find_step(name, self.root), row) for name, row in rows]

    def _compare(self, a: int, b: int) -> dict[str, Any]:
        one, other = (Tuned(*(self.report(name, number) for name in ("tune", "problem", "split"))) for number in (a, b))  # type: ignore[arg-type]
        return compare_rounds(self.store, one, other, root=self.root, seed=self.settings.seed, num_rounds=len(self.ledger.rounds()))

    def _compare_to_parent(self, row: RoundRow) -> str | None:
        if row.parent is None:
            return None
        try:
            return str(self._compare(row.number, row.parent)["sentence"])
        except UsageError:
            return None
        except DamagedError as error:
            return f"not compared: {error.what}"
        except ValueError:  # its fields are others than this version's
            return "not compared: a report was written by another version"

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Nobody else runs this project meanwhile."""
        lock = FileLock(self.root / ".surefoot" / "lock")
        (self.root / ".surefoot").mkdir(exist_ok=True)
        try:
            with lock.acquire(timeout=0):
                durable.sweep(self.root / "store")
                yield
        except Timeout as error:
            raise BusyError("Another run holds this project.", where=str(self.root), next="Wait for it to end, or copy the folder.") from error


def _as_overrides(**values: str) -> list[str]:
    return [f'{name}="{value}"' for name, value in values.items() if value]
