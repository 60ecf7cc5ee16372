"""Commands that look after things: doctor, clean, version."""

from __future__ import annotations

import os
import re
import shutil
import sys
from time import perf_counter
from typing import Annotated, Any

import typer

from surefoot import __version__
from surefoot.cli.arguments import Folder, Json, open_project
from surefoot.cli.screen import describe_bytes, show, show_json, tabulate, tell

Apply = Annotated[bool, typer.Option("--apply", help="Remove it; without this a terminal asks, and anything else only looks.")]

LIBRARIES = ("torch", "numpy", "pandas", "pyarrow", "scikit-learn", "lightgbm", "optuna", "onnx", "onnxruntime", "pydantic", "SQLAlchemy")
SIDE, TIMES = 1024, 5
"""The product of two matrices of this side, this often, is what bf16 is measured on: 2 billion multiplications and additions each."""


def version() -> None:
    """Say which Surefoot this is."""
    show(__version__)


def doctor(folder: Folder = ".", as_json: Json = False) -> None:
    """Say what this machine offers, and what is missing."""
    facts = {**_look_at_machine(folder), **_look_at_torch(), "decoding": _find_limits(), "missing": _find_missing()}
    if as_json:
        show_json(facts)
        return
    missing = facts.pop("missing")
    show(tabulate((_title(name), _say(name, value)) for name, value in facts.items()))
    for extra, packages in missing.items():
        show(f"Without the extra [{extra}]: {', '.join(packages)} not installed. Install it: pip install 'surefoot[{extra}]'")


def _title(name: str) -> str:
    return name.removesuffix("_bytes").replace("_", " ")


def _say(name: str, value: Any) -> str:
    if value is None:
        return "not known"
    if name.endswith("_bytes"):
        return describe_bytes(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _look_at_machine(folder: str) -> dict[str, Any]:
    import platform

    place = os.path.abspath(folder)
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    versions = {name: _find_version(name) for name in LIBRARIES}
    return {
        "surefoot": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "libraries": {name: found for name, found in versions.items() if found},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _measure_memory(),
        "disk_free_bytes": shutil.disk_usage(place).free,
    }


def _find_limits() -> dict[str, str]:
    from surefoot.data.decoding import tell_limits

    return tell_limits()


def _find_version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _measure_memory() -> int | None:
    """Physical memory, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _look_at_torch() -> dict[str, Any]:
    """The devices, and how much faster bf16 is than fp32 on the CPU; where it is slower, it is not used."""
    import torch

    devices = ["cpu", *(f"cuda:{n} {torch.cuda.get_device_name(n)}" for n in range(torch.cuda.device_count()))]
    single, half = (_time_product(torch.ones(SIDE, SIDE, dtype=dtype)) for dtype in (torch.float32, torch.bfloat16))
    return {"devices": devices, "threads": torch.get_num_threads(), "fp32_gflops": round(single, 1), "bf16_gflops": round(half, 1)}


def _time_product(matrix: Any) -> float:
    """Billions of operations a second; the best of some times, the first of which warms up."""
    seconds = []
    for _ in range(TIMES):
        started = perf_counter()
        _ = matrix @ matrix
        seconds.append(perf_counter() - started)
    return 2 * SIDE**3 / min(seconds) / 1e9


def _find_missing() -> dict[str, list[str]]:
    """Extra -> packages of it that are not installed, as the package's own metadata lists them."""
    from importlib import metadata

    missing: dict[str, list[str]] = {}
    requirements = (metadata.requires("surefoot") or []) if _find_version("surefoot") else []
    for requirement in requirements:
        extra = re.search(r"extra\s*==\s*['\"](.+?)['\"]", requirement)
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        if extra and name and not _find_version(name[0]):
            missing.setdefault(extra[1], []).append(name[0])
    return missing


def clean(context: typer.Context, folder: Folder = ".", apply: Apply = False, as_json: Json = False) -> None:
    """Say what the files take; remove what no result needs."""
    project = open_project(folder)
    found = project.clean(apply=apply)
    may_ask = found["files"] and sys.stdin.isatty() and not as_json and not context.obj["no_input"]
    if not apply and may_ask:
        show(_describe_clean(found))
        if typer.confirm("Remove what no result needs?", err=True):
            found = project.clean(apply=True)
    if as_json:
        show_json(found)
    elif found["removed"]:
        show(f"Removed: {describe_bytes(_removable(found))}.")
    elif not may_ask:
        show(_describe_clean(found))
        tell("Nothing was removed; `surefoot clean --apply` removes what no result needs." if found["files"] else "Nothing can be removed.")


def _removable(found: dict[str, Any]) -> int:
    return found["unused_bytes"] + found["checkpoint_bytes"]


def _describe_clean(found: dict[str, Any]) -> str:
    rows = [
        ("stored in all", found["store_bytes"]),
        ("stored, needed by no result", found["unused_bytes"]),
        ("checkpoints of finished runs", found["checkpoint_bytes"]),
    ]
    return tabulate([(what, describe_bytes(size)) for what, size in rows], right=(1,))
