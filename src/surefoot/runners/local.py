"""Walks the road on this machine: only what changed is done again, and what was interrupted goes on."""

from __future__ import annotations

import math
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from surefoot import durable, refs, settings
from surefoot.checks.causes import find_root, name_causes
from surefoot.engine import interrupt
from surefoot.engine.jobs import tell_lr
from surefoot.events import Announcer
from surefoot.exporting import bundle
from surefoot.runners import plan
from surefoot.runners.effects import check_effects, check_inputs
from surefoot.runners.keep import REF
from surefoot.runners.names import check_names
from surefoot.runners.plan import StepSpec
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import ProjectLedger, StepRow
from surefoot.store.scope import ScopedLedger
from surefoot.types.configs import Settings
from surefoot.types.context import Context
from surefoot.types.data_reports import PreparedData
from surefoot.types.errors import DamagedError, GateStop, SurefootError, UsageError
from surefoot.types.findings import Finding, Report
from surefoot.types.problem import Problem
from surefoot.types.reports import ExportReport, TestReport
from surefoot.types.views import StepView

_PATIENCE, _GRACE_S = 2.0, 60.0
"""A walk pauses after so many times its budget and so many seconds more: one of a minute took 111 s on a busy machine, with nothing wrong."""


@dataclass(frozen=True)
class Walk:
    """One walk along the road.

    Attributes:
        to: the last step, from_: the first that is done again in any case, only: the one step that is done again if it must.
        again: the reason for a second opening of the test set. past: gate, or code of a finding -> the reason for going on although it stops.
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
    past: Mapping[str, str] = field(default_factory=dict)


def walk(job: Walk) -> list[StepView]:
    """Does what must be done, in order; returns a view of every step up to the last.

    Raises:
        GateStop: a gate stopped the road; the report of that step is in the ledger. ResourceError: the time is up; the next walk goes on.
    """
    check_names(job.values, job.root)
    if told := tell_lr(job.values.train):
        job.events.say(told)
    asked, job = job, resume(job)
    if job is not asked:
        job.events.say(f"surefoot run --from {job.from_} was interrupted: it goes on")
    specs = find_specs(job)
    reports: dict[str, StepRow] = {}
    views: list[StepView] = []
    with interrupt.watched(), interrupt.timed(_find_patience(job.values)):
        for position, spec in enumerate(specs):
            interrupt.obey()
            row = _take(job, spec, reports, position)
            if row is None:
                continue
            reports[spec.name] = row
            _go_past(job, row)
            views.append(view_step(job.store, job.ledger, spec, row))
            if isinstance(views[-1].report, Problem):
                check_effects(job.values, views[-1].report, job.root)
            if isinstance(views[-1].report, PreparedData):
                check_inputs(job.values, views[-1].report)
            _check_gate(spec, views)
    _close_wishes(job)
    return views


def _go_past(job: Walk, row: StepRow) -> None:
    """Writes down, in the round that a step's result belongs to, why its gate, or a finding, is gone past."""
    known = job.ledger.overrides(row.round)
    for gate, reason in job.past.items():
        if (gate == row.step or "." in gate) and known.get(gate) != reason:
            job.ledger.override(row.round, gate, reason)


def _find_patience(values: Settings) -> float:
    """Seconds after which a walk pauses; none where the settings, not the budget, say how long it trains, nor where `smoke` asks for the least there is."""
    seconds = settings.budget_seconds(values.budget)
    return _PATIENCE * seconds + _GRACE_S if seconds and not values.train.epochs and not values.train.phases else math.inf


def resume(job: Walk) -> Walk:
    """The walk, with the `--from` of an interrupted one where it names none: what was wished for is not dropped in silence."""
    wished = [] if job.from_ or job.only else _find_wishes(job)
    within = [name for name in wished if name in [spec.name for spec in find_specs(job)]]
    return replace(job, from_=within[0].partition("_")[2]) if within else job


def read_report(store: Blobs, spec: StepSpec, ref: str) -> Report:
    """A stored report, as its type."""
    return spec.report.model_validate_json(store.get_bytes(ref))


def find_key(job: Walk, spec: StepSpec, reports: dict[str, str]) -> str:
    """The key of a step's result, given the refs of the reports before it."""
    written = {"errors": lambda: {item: list(tags) for item, tags in job.ledger.tags().items()}, "diagnose": job.ledger.answers}
    notes = written[spec.short]() if spec.short in written else None
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


def current_round(job: Walk) -> int:
    """The last round that has a result; 0 before the first."""
    rounds = job.ledger.rounds()
    return rounds[-1].number if rounds else 0


def is_forced(job: Walk, spec: StepSpec) -> bool:
    """Whether a step is done again although nothing changed."""
    return bool(job.from_) and spec.name >= plan.find_step(job.from_).name and spec.short != "test"  # which is never done again by itself


def find_result(job: Walk, spec: StepSpec, key: str) -> tuple[StepRow | None, bool]:
    """The step's result under `key`, this round's before another's, and whether it must be made anew although it is there."""
    number = current_round(job)
    here = job.ledger.steps(number).get(spec.name)
    found = here if here and here.key == key else job.ledger.find_step(spec.name, key)
    if found is None:
        return None, False
    return found, is_forced(job, spec) and not (found.round == number and _is_wished(job, number, plan.find_step(job.from_).name))


def _take(job: Walk, spec: StepSpec, reports: dict[str, StepRow], position: int) -> StepRow | None:
    """One step: kept, taken over from an earlier round, or done; None for a test set that was opened before."""
    key = find_key(job, spec, {name: row.report for name, row in reports.items()})
    found, again = find_result(job, spec, key)
    is_damaged = found is not None and not is_readable(job.store, spec, found)
    if is_damaged:
        job.events.say(f"  the stored report of {spec.short}, or a file that it names, is damaged: it is made anew")
    if spec.short == "test" and found is None and not job.again and job.only != "test":  # asked for by name, the step itself says so
        openings = job.ledger.openings()
        if openings and not openings[-1].scope.endswith(key[:16]):  # an opening under this key was interrupted: it goes on
            last = openings[-1]
            job.events.say(f'  the test set was opened in round {last.round}; its figure stands. A second opening: surefoot test --again "why"')
            return None
    number = current_round(job)
    here = job.ledger.steps(number).get(spec.name)
    begins = not number or (here is not None and (again or here.key != key))
    if found is not None and not again and not is_damaged:
        if spec.short == "test" and job.again:
            job.events.say("  the figure of this very bundle stands: the test set was not opened again, and the reason was not written down")
        row = found if found == here else _keep(job, found, reports, begins)
        if spec.short in ("export", "test"):
            _put_back(job, spec, row, reports)
        job.events.emit("step_end", name=spec.name, view=view_step(job.store, job.ledger, spec, row), cached=True)
        return row
    job.events.emit("step_start", name=spec.name, index=position + 1, of=len(plan.load_road(job.root)))
    if is_forced(job, spec) and not job.only:  # one step alone is soon given again, and what follows it was not asked for
        job.ledger.decide("walk", f"round {number + begins} from {plan.find_step(job.from_).name}", lambda: True)
    folder = found.folder if found and is_damaged and not again else job.ledger.open_run(number + begins, spec.short, key)  # the same opening of the test set
    done = _do(job, spec, StepRow(number + begins, spec.name, key, "", "", 0.0, folder, plan.code_version(), ""), reports)
    row = _keep(job, done, reports, begins)
    _clear(job.root / "runs" / folder)
    job.events.emit("step_end", name=spec.name, view=view_step(job.store, job.ledger, spec, row), cached=False)
    return row


def _put_back(job: Walk, spec: StepSpec, row: StepRow, reports: dict[str, StepRow]) -> None:
    """`export/` is one folder and rounds are many: where it holds another round's model, or none, this one's comes back, and its card with the figure."""
    report = read_report(job.store, spec, row.report)
    if isinstance(report, ExportReport) and bundle.put_back(job.root / report.folder, report.files, job.store.get_bytes):
        job.events.say(f"  {report.folder}/ held another model, or none: that of this round is back")
    if isinstance(report, TestReport) and report.card:
        made = read_report(job.store, plan.find_step("export", job.root), reports["s12_export"].report)
        bundle.replace_card(job.root / made.folder, job.store.get_bytes(report.card).decode())  # type: ignore[attr-defined]


def _keep(job: Walk, row: StepRow, reports: dict[str, StepRow], begins: bool) -> StepRow:
    """Writes a result into the ledger; a changed one begins a round, which takes over what stands so far."""
    parent = current_round(job)
    if begins:
        number = job.ledger.start_round(parent or None, job.values.model_dump(mode="json"), [*reports.values(), row])
        if parent:
            job.events.say(f"Round {number} begins; round {parent} stays for comparison.")
    else:
        number = parent
        job.ledger.finish_step(number, row, job.values.model_dump(mode="json"))
    return job.ledger.steps(number)[row.step]


def is_readable(store: Blobs, spec: StepSpec, row: StepRow) -> bool:
    """Whether the report is whole, and every stored file that it names is still there."""
    try:
        report = read_report(store, spec, row.report)
    except (DamagedError, ValueError):
        return False
    named = REF.findall(report.model_dump_json(exclude={"fingerprint"}))  # which is a hash of what lies elsewhere
    return all(store.has(ref) for ref in named)


def _is_wished(job: Walk, number: int, name: str) -> bool:
    """Whether a `--from` of this step was begun in this round and has not come to its end."""
    return bool(job.ledger.decided("walk", f"round {number} from {name}")) and not job.ledger.decided("walk", f"round {number} from {name}: done")


def _find_wishes(job: Walk) -> list[str]:
    """The steps that an interrupted `--from` named, in order, in this round or in the one that it was to begin."""
    number = current_round(job)
    names = [spec.name for spec in plan.load_road(job.root)]
    return [name for name in names if _is_wished(job, number, name) or _is_wished(job, number + 1, name)]


def _close_wishes(job: Walk) -> None:
    """A walk that came to its end has done what was wished for from its first step on."""
    number = current_round(job)
    for name in _find_wishes(job) if job.from_ else ():
        if name >= plan.find_step(job.from_).name:
            for each in (number, number + 1):
                if _is_wished(job, each, name):
                    job.ledger.decide("walk", f"round {each} from {name}: done", lambda: True)


def _do(job: Walk, spec: StepSpec, row: StepRow, reports: dict[str, StepRow]) -> StepRow:
    """Runs a step, files first, then the report; returns the row that the ledger gets last."""
    run_dir = job.root / "runs" / row.folder
    config = settings.compose(spec.config, job.values)
    _note_surroundings(job, run_dir, config)
    previous, made_last = _read_previous(job, spec)
    ctx = Context(
        root=job.root,
        run_dir=run_dir,
        round=row.round,
        seed=job.values.seed,
        device=job.values.device,
        store=job.store,
        ledger=ScopedLedger(job.ledger, f"{row.folder} {row.key[:16]}"),
        events=job.events,
        previous=previous,
        made_last=made_last,
        again=job.again,
        spent_s=sum(earlier.seconds for earlier in reports.values()),
    )
    inputs = {parameter: read_report(job.store, plan.find_step(name, job.root), reports[name].report) for parameter, name in spec.inputs.items()}
    started = perf_counter()
    try:
        report = spec.function(ctx, config, **inputs)
    except Exception as error:
        if not isinstance(error, SurefootError):
            error.add_note(f"while: {spec.name}, round {row.round}")
        raise
    ref = job.store.put_bytes(report.model_dump_json().encode())
    return replace(row, report=ref, gate=report.gate, seconds=perf_counter() - started)


def _read_previous(job: Walk, spec: StepSpec) -> tuple[Report | None, Report | None]:
    """The step's latest report; and the one that was made last, where the latest was taken over from a round before that."""
    rows = [row for row in job.ledger.all_steps() if row.step == spec.name]
    made = list({row.report: row for row in rows}.values())  # in the order in which they were made, whoever took them over since
    wanted = [*rows[-1:], *(row for row in made[-1:] if row.report != rows[-1].report)]
    read = [read_report(job.store, spec, row.report) if is_readable(job.store, spec, row) else None for row in wanted]
    return (*read, None, None)[0], (*read, None, None)[1]


def _clear(run_dir: Path) -> None:
    """Removes the checkpoints of a whole run: its weights are in the store."""
    shutil.rmtree(run_dir / "checkpoints", ignore_errors=True)
    for leftover in run_dir.glob("*/checkpoints"):
        shutil.rmtree(leftover, ignore_errors=True)


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
    for name in refs.list_user_parts(values):
        path = refs.source_file(name, job.root)
        if path is not None:
            durable.replace(run_dir / "code" / path.name, path.read_bytes())


def view_step(store: Blobs, ledger: ProjectLedger, spec: StepSpec, row: StepRow) -> StepView:
    """A step as people look at it; of a report that can't be read, that it is damaged."""
    past = ledger.overrides(row.round)
    try:
        report = read_report(store, spec, row.report)
    except (DamagedError, ValueError) as error:
        report = Report(findings=(_tell_damage(spec, row, error, is_current=row.round == ledger.rounds()[-1].number),))
    reason = next((past[name] for name in (spec.name, spec.short, *(f.code for f in report.findings)) if name in past), "")
    return StepView(spec.name, report, row.seconds, reason, row.version != plan.code_version())


def _tell_damage(spec: StepSpec, row: StepRow, error: Exception, *, is_current: bool) -> Finding:
    why = f"is damaged. {error.what}" if isinstance(error, DamagedError) else f"can't be read: {type(error).__name__}."
    advice = "`surefoot run` does this step again." if is_current else "Restore the file from a copy; this round is not needed by the current one."
    if not isinstance(error, DamagedError) and row.version != plan.code_version():
        why = "was written by another version of Surefoot, and can't be read by this one."
        advice = advice if is_current else "This round is not needed by the current one."
    return Finding(
        code="store.damaged",
        severity="warn",
        what=f"The report of {spec.short} in round {row.round} {why}",
        where=f"store/{row.report[:2]}/{row.report[2:]}",
        next=advice,
        evidence={"round": row.round, "gate": row.gate},
    )


def _check_gate(spec: StepSpec, views: list[StepView]) -> None:
    """Stops at the gate of the last step; where a step before saw the cause, its advice comes first."""
    if views[-1].report.gate != "stop" or views[-1].past:
        return
    named = name_causes([finding for view in views for finding in view.report.findings])
    stop = next(f for f in named[-len(views[-1].report.findings) :] if f.severity == "stop")
    cause = find_root(stop, {finding.code: finding for finding in reversed(named)})
    where = f"{spec.name}, {stop.code}" + (f", {stop.where}" if stop.where and stop.where != spec.name else "")
    advice = stop.next if cause is stop else f"{cause.code} explains it: {cause.what} {cause.next}"
    raise GateStop(stop.what, where=where, next=f'{advice} To go on all the same: surefoot run --past {spec.short} "why".')
