"""Planted diseases: whether the first finding names the one that was planted, and whether healthy projects are left in peace."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from benchmarks.machine import IS_QUICK
from benchmarks.planted.case import Case
from benchmarks.planted.cost import measure_cost
from benchmarks.planted.healthy import HEALTHY
from benchmarks.planted.sick import SICK
from benchmarks.planted.strangers import STRANGERS
from surefoot.checks.causes import rank
from surefoot.durable import replace
from surefoot.project import Project
from surefoot.types.errors import GateStop
from surefoot.types.findings import Finding

COMMON = ("budget='smoke'", "train.threads=1", "model.width=16", "model.depth=2", "split.folds=2")
CASES: tuple[Case, ...] = (*SICK, *STRANGERS, *HEALTHY)
QUICK = ("softmax twice, conv", "all weights alike", "wrong sign, table", "equal rows, other answers", "sales")


def run() -> dict[str, object]:
    """Walks every case; the shares of right first findings, and of healthy ones without a stop and with at most one warning, on both halves."""
    numbers = [number for number, case in enumerate(CASES) if not IS_QUICK or case.name in QUICK]
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:  # a case uses one thread; forked, torch would hang
        results = list(pool.map(_examine_one, numbers))
    shares = summarise(results)
    print("\n".join(tell(shares)), flush=True)
    cost = {} if IS_QUICK else measure_cost()
    return {"shares": shares, "s06 on a small CNN": cost, "seconds": round(sum(float(str(one["seconds"])) for one in results), 1), "cases": results}


def _examine_one(number: int) -> dict[str, object]:
    """Cases hold functions, which can't be sent to a process; their numbers can."""
    return examine(CASES[number])


def tell(shares: dict[str, dict[str, dict[str, int]]]) -> list[str]:
    """The score on each half, in words: thresholds were set on `set`; `kept`, and cases that were written later, say what they are worth."""
    return [
        f"  {half}: " + ", ".join(f"{kind} {counts['right']} of {counts['of']} right ({counts['right'] / counts['of']:.1%})" for kind, counts in kinds.items())
        for half, kinds in shares.items()
    ]


def examine(case: Case) -> dict[str, object]:
    """One case: the findings of its road, ranked, and whether the verdict is right."""
    folder, started = Path(tempfile.mkdtemp(prefix="planted-")), perf_counter()
    findings: tuple[Finding, ...] = ()
    case_error = ""
    try:
        findings = rank(walk(case, folder))
    except Exception as error:  # a crash is a wrong verdict like any other
        case_error = f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    warned = [f.code for f in findings if f.severity == "warn" and not f.because]
    stopped = [f.code for f in findings if f.severity == "stop"]
    first = findings[0] if findings else None
    right = bool(first and first.code in case.code) if case.code else not stopped and len(warned) <= 1 and not case_error
    told = {"case": case.name, "area": case.area, "half": case.half, "due": list(case.code), "right": right, "first": first.code if first else case_error}
    print(f"  {'right' if right else 'WRONG'} {case.area:<14} {case.name}: {told['first']}, in {perf_counter() - started:.1f} s", flush=True)
    return told | {"what": first.what if first else "", "stops": stopped, "warns": warned, "seconds": round(perf_counter() - started, 1)}


def walk(case: Case, folder: Path) -> list[Finding]:
    """Makes the project and walks it as far as the case says; the findings of all its steps, in order."""
    source = case.data if isinstance(case.data, str) else case.data(folder)
    replace(folder / "surefoot.toml", f'question = "What is it?"\n\n[data]\nsource = "{source}"\n'.encode())
    if case.own:
        replace(folder / "my_code.py", case.own.encode())
    project = Project(folder)
    own = [setting for setting in COMMON if not ("model.use" in str(case.sets) and setting.startswith("model."))]
    with contextlib.suppress(GateStop):  # what it says is in the report
        project.run(to=case.to, set=[*own, *case.sets])
    return [finding for step in project.rounds()[-1].steps for finding in step.report.findings]


def summarise(results: list[dict[str, object]]) -> dict[str, dict[str, dict[str, int]]]:
    """Half -> how many of the sick and of the healthy are right, of how many."""
    counts: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for one in results:
        for half in (str(one["half"]), "all"):
            counts[half]["sick" if one["due"] else "healthy"].append(bool(one["right"]))
    return {half: {kind: {"right": sum(rights), "of": len(rights)} for kind, rights in kinds.items()} for half, kinds in counts.items()}
