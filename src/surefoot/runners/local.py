"""Walks the road on this machine: only what changed is done again, and what was interrupted goes on."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from surefoot import durable, refs, settings
from surefoot.engine import interrupt
from surefoot.engine.devices import choose_device
from surefoot.events import Announcer
from surefoot.runners import plan
from surefoot.runners.keep import REF
from surefoot.runners.names import check_names
from surefoot.runners.plan import StepSpec
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import ProjectLedger, StepRow
from surefoot.store.scope import ScopedLedger
from surefoot.types.configs import Settings
from surefoot.types.context import Context
from surefoot.types.errors import DamagedError, GateStop, SurefootError, UsageError
from surefoot.types.findings import Report
from surefoot.types.views import StepView


@dataclass(frozen=True)
class Walk:
    """One walk along the road.

    Attributes:
        to: the last step, from_: the first that is done again in any case, only: the one step that is done again if it must.
        again: the reason for a second opening of the test set.
    """

    root: Path
    values: Settings
    ledger: ProjectLedger
    store: Blobs
    events: Announcer
    to: str = ""
    from_: str = ""
    only: str = ""
    again: str = ""


def walk(job: Walk) -> list[StepView]:
    """Does what must be done, in order; returns a view of every step up to the last.

    Raises:
        GateStop: a gate stopped the road; the report of that step is in the ledger.
    """
    number = _current_round(job)
    reports: dict[str, StepRow] = {}
    views: list[StepView] = []
    specs = find_specs(job)
    choose_device(job.values.device)  # a wrong device is said before the first step, not at the sixth
    check_names(job.values, job.root)
    with interrupt.watched():
        for position, spec in enumerate(specs):
            row, number, view = _take(job, spec, number, reports, position, len(plan.load_road(job.root)))
            if row is None or view is None:
                continue
            reports[spec.name] = row
            views.append(view)
            _check_gate(job, spec, view, number)
    return views


def read_report(store: Blobs, spec: StepSpec, ref: str) -> Report:
    """A stored report, as its type."""
    return spec.report.model_validate_json(store.get_bytes(ref))


def find_key(job: Walk, spec: StepSpec, reports: dict[str, str]) -> str:
    """The key of a step's result, given the refs of the reports before it."""
    notes = {item: list(tags) for item, tags in job.ledger.tags().items()} if spec.short == "errors" else None
    return plan.key_of(spec, job.values, job.root, reports, notes)


def find_specs(job: Walk) -> list[StepSpec]:
    """The steps of this walk, in order."""
    road = list(plan.load_road(job.root))
    last = job.only or job.to
    if last:
        road = road[: [spec.name for spec in road].index(plan.find_step(last).name) + 1]
    if job.from_ and plan.find_step(job.from_).name not in [spec.name for spec in road]:
        raise UsageError(f"--from {job.from_} comes after --to {job.to}.", where="--from, --to", next="Name them in the order of the road.")
    return road


def _current_round(job: Walk) -> int:
    rounds = job.ledger.rounds()
    return rounds[-1].number if rounds else job.ledger.start_round(None, job.values.model_dump(mode="json"))


def is_forced(job: Walk, spec: StepSpec) -> bool:
    """Whether a step is done again although nothing changed."""
    return bool(job.from_) and spec.name >= plan.find_step(job.from_).name and spec.short != "test"  # which is never done again by itself


def _take(job: Walk, spec: StepSpec, number: int, reports: dict[str, StepRow], position: int, of: int) -> tuple[StepRow | None, int, StepView | None]:
    """One step: kept, taken over from an earlier round, or done; a changed step begins a new round."""
    key = find_key(job, spec, {name: row.report for name, row in reports.items()})
    here = job.ledger.steps(number).get(spec.name)
    found = here if here and here.key == key else job.ledger.find_step(spec.name, key)
    if found is not None and not _is_readable(job.store, spec, found):
        job.events.say(f"  the stored report of {spec.short} is damaged: it is made anew")
        found = None
    if spec.short == "test" and found is None and not job.again and job.only != "test":  # asked for by name, the step itself says so
        openings = job.ledger.openings()
        if openings and not openings[-1].scope.endswith(key[:16]):  # an opening under this key was interrupted: it goes on
            last = openings[-1]
            job.events.say(f'  the test set was opened in round {last.round}; its figure stands. A second opening: surefoot test --again "why"')
            return None, number, None
    redo = found is None or (is_forced(job, spec) and found.round <= number and not _redone(job, spec, number, found))
    if here is not None and (redo or here.key != key):
        number = _next_round(job, number, reports)
    if not redo and found is not None:
        row = found
        if job.ledger.steps(number).get(spec.name) != found:
            row = _copy(job, found, number)
        view = _view(job, spec, row)
        job.events.emit("step_end", name=spec.name, view=view, cached=True)
        return row, number, view
    job.events.emit("step_start", name=spec.name, index=position + 1, of=of)
    row = _do(job, spec, key, number, reports)
    view = _view(job, spec, row)
    job.events.emit("step_end", name=spec.name, view=view, cached=False)
    return row, number, view


def _redone(job: Walk, spec: StepSpec, number: int, found: StepRow) -> bool:
    """Whether an interrupted `--from` did this step already in the round that it began."""
    wanted = job.ledger.decided("walk", f"round {number} from")
    return bool(wanted) and wanted == plan.find_step(job.from_).name and found.round == number


def _next_round(job: Walk, parent: int, reports: dict[str, StepRow]) -> int:
    """Begins a round that takes over what stands so far."""
    number = job.ledger.start_round(parent, job.values.model_dump(mode="json"))
    if job.from_:
        job.ledger.decide("walk", f"round {number} from", lambda: plan.find_step(job.from_).name)
    for row in reports.values():
        _copy(job, row, number)
    job.events.say(f"Round {number} begins; round {parent} stays for comparison.")
    return number


def _copy(job: Walk, row: StepRow, number: int) -> StepRow:
    job.ledger.finish_step(StepRow(number, row.step, row.key, row.report, row.gate, row.seconds, row.folder, row.version, row.at))
    return job.ledger.steps(number)[row.step]


def _is_readable(store: Blobs, spec: StepSpec, row: StepRow) -> bool:
    """Whether the report is whole, and every stored file that it names is still there."""
    try:
        report = read_report(store, spec, row.report)
    except (DamagedError, ValueError):
        return False
    named = REF.findall(report.model_dump_json(exclude={"files", "fingerprint"}))  # hashes of what lies elsewhere
    return all(store.has(ref) for ref in named)


def _do(job: Walk, spec: StepSpec, key: str, number: int, reports: dict[str, StepRow]) -> StepRow:
    """Runs a step: files first, then the report, the ledger's row last."""
    folder = job.ledger.open_run(number, spec.short, key)
    run_dir = job.root / "runs" / folder
    config = settings.compose(spec.config, job.values)
    _note_surroundings(job, run_dir, config)
    previous = [row for row in job.ledger.all_steps() if row.step == spec.name]
    ctx = Context(
        root=job.root,
        run_dir=run_dir,
        round=number,
        seed=job.values.seed,
        device=job.values.device,
        store=job.store,
        ledger=ScopedLedger(job.ledger, f"{folder} {key[:16]}"),
        events=job.events,
        previous=read_report(job.store, spec, previous[-1].report) if previous and _is_readable(job.store, spec, previous[-1]) else None,
        again=job.again,
    )
    inputs = {parameter: read_report(job.store, plan.find_step(name, job.root), reports[name].report) for parameter, name in spec.inputs.items()}
    started = perf_counter()
    try:
        report = spec.function(ctx, config, **inputs)
    except Exception as error:
        if not isinstance(error, SurefootError):
            error.add_note(f"while: {spec.name}, round {number}")
        raise
    ref = job.store.put_bytes(report.model_dump_json().encode())
    row = StepRow(number, spec.name, key, ref, report.gate, perf_counter() - started, folder, plan.code_version(), "")
    job.ledger.finish_step(row)
    shutil.rmtree(run_dir / "checkpoints", ignore_errors=True)
    for leftover in run_dir.glob("*/checkpoints"):
        shutil.rmtree(leftover, ignore_errors=True)  # the run is whole: its weights are in the store
    return job.ledger.steps(number)[spec.name]


def _note_surroundings(job: Walk, run_dir: Path, config: object) -> None:
    """config.json, environment.json and the user's code, as they were for this run."""
    import json

    import torch

    values = config.model_dump(mode="json")  # type: ignore[attr-defined]
    environment = {
        "surefoot": plan.code_version(),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "platform": platform.platform(),
        "processor": platform.processor(),
    }
    durable.replace(run_dir / "config.json", json.dumps(values, indent=1).encode())
    durable.replace(run_dir / "environment.json", json.dumps(environment, indent=1).encode())
    for name in plan.user_parts(values):
        path = refs.source_file(name, job.root)
        if path is not None:
            durable.replace(run_dir / "code" / path.name, path.read_bytes())


def _view(job: Walk, spec: StepSpec, row: StepRow) -> StepView:
    past = job.ledger.overrides(row.round)
    report = read_report(job.store, spec, row.report)
    reason = next((past[name] for name in (spec.name, spec.short, *(f.code for f in report.findings)) if name in past), "")
    return StepView(spec.name, report, row.seconds, reason, row.version != plan.code_version())


def _check_gate(job: Walk, spec: StepSpec, view: StepView, number: int) -> None:
    if view.report.gate != "stop" or view.past:
        return
    stop = next(f for f in view.report.findings if f.severity == "stop")
    where = f"{spec.name}, {stop.code}" + (f", {stop.where}" if stop.where and stop.where != spec.name else "")
    raise GateStop(stop.what, where=where, next=f'{stop.next} To go on all the same: surefoot run --past {spec.short} "why".')
