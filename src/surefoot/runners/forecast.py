"""What a walk would do, without doing it: which steps, why, and how long they took before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from surefoot import settings
from surefoot.runners import plan
from surefoot.runners.effects import check_effects
from surefoot.runners.local import Walk, find_key, find_result, find_specs, is_forced, is_readable, resume
from surefoot.runners.names import check_names
from surefoot.runners.plan import StepSpec
from surefoot.store.ledger import RoundRow, StepRow
from surefoot.types.errors import ConfigError
from surefoot.types.problem import Problem

_NAMED = 3


@dataclass(frozen=True)
class PlannedStep:
    """What a run would do with a step, and why; `minutes` as it took the last time, None where it never ran."""

    name: str
    redo: bool
    why: str
    minutes: float | None = None


def forecast(job: Walk) -> list[PlannedStep]:
    """The steps of a walk, each with what would become of it.

    Raises:
        UsageError: for what `walk` refuses before its first step.
        ConfigError: for settings that could have no effect on what the first step, where it stands, found.
    """
    check_names(job.values, job.root)
    job = resume(job)
    rounds = job.ledger.rounds()
    known = job.ledger.steps(rounds[-1].number) if rounds else {}
    earlier = {row.step: row for row in job.ledger.all_steps()}
    reports: dict[str, str] = {}
    planned: list[PlannedStep] = []
    for spec in find_specs(job):
        stale = next((name for name in spec.inputs.values() if name not in reports), "")
        key = "" if stale else find_key(job, spec, reports)
        row, again = (None, False) if stale else find_result(job, spec, key)
        is_whole = row is None or is_readable(job.store, spec, row)
        if row is not None and is_whole and not again:
            reports[spec.name] = row.report
            if spec.report is Problem:
                check_effects(job.values, Problem.model_validate_json(job.store.get_bytes(row.report)), job.root)
            planned.append(PlannedStep(spec.name, False, "nothing it depends on changed"))
        elif row is None and spec.short == "test" and job.ledger.openings() and not job.again:
            planned.append(PlannedStep(spec.name, False, "the test set was opened; a second opening needs --again"))
        else:
            if job.ledger.is_begun(spec.short, key):
                why = "begun and not finished"
            elif is_forced(job, spec):
                why = "asked for"
            elif not is_whole:
                why = "its stored report, or a file that it names, is damaged"
            else:
                why = f"{stale} is done again" if stale and spec.name in known else _explain(job, spec, known, rounds)
            planned.append(PlannedStep(spec.name, True, why, earlier[spec.name].seconds / 60 if spec.name in earlier else None))
    return planned


def _explain(job: Walk, spec: StepSpec, known: dict[str, StepRow], rounds: list[RoundRow]) -> str:
    """Why a step whose inputs stand is due: its settings, the code, or else the data or the user's own code."""
    if spec.name not in known:
        return "never done"
    try:
        before = settings.compose(spec.config, settings.check(rounds[-1].settings)).model_dump(mode="json")
    except ConfigError:  # written by a version that knew other settings
        return "its settings changed"
    after = settings.compose(spec.config, job.values).model_dump(mode="json")
    changed = list(_compare(before, after))
    if changed:
        return f"{', '.join(changed[:_NAMED])} changed" + (f", and {len(changed) - _NAMED} more" if len(changed) > _NAMED else "")
    if job.values.seed != rounds[-1].settings.get("seed"):
        return "seed changed"
    return "the code of Surefoot changed" if known[spec.name].version != plan.code_version() else "its data or your own code changed"


def _compare(before: Any, after: Any, name: str = "") -> Iterator[str]:
    """The dotted keys at which two configs differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _compare(before.get(key), after.get(key), f"{name}.{key}" if name else key)
    elif before != after:
        yield name
