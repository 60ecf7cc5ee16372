"""The road as the code states it: file numbers give the order, annotations fetch the inputs. No graph file."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import json
import pkgutil
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import surefoot
from surefoot import refs, settings, steps
from surefoot.data.readers.repairs import find_repairs, hash_repairs
from surefoot.types.configs import DataConfig, Section, Settings
from surefoot.types.errors import DataError, UsageError
from surefoot.types.findings import Report

_AFTER_THE_ROAD = ("reporting", "runners", "testing", "cli", "studio", "project.py")
"""Rooms that no result depends on: changing a page does not redo a training."""


@dataclass(frozen=True)
class StepSpec:
    """A step, read off its file.

    Attributes:
        name: `s02_audit`; short: `audit`. inputs: parameter -> name of the step whose report it takes.
    """

    name: str
    function: Callable[..., Report]
    config: type[Section]
    inputs: dict[str, str]
    report: type[Report]

    @property
    def short(self) -> str:
        return self.name.partition("_")[2]


def load_road(root: Path | None = None) -> tuple[StepSpec, ...]:
    """All steps in their order, wired by the types that they return and ask for.

    Args:
        root: of the project; a step's file in it (`surefoot eject`) is walked instead of ours.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(steps.__path__) if re.match(r"s\d\d_", module.name))
    return _wire(tuple((name, own if (own := ejected(name, root)) else None) for name in names))


def ejected(name: str, root: Path | None) -> Path | None:
    """The user's own copy of a step's file, where there is one."""
    path = root / f"{name}.py" if root else None
    return path if path and path.is_file() else None


@cache
def _wire(files: tuple[tuple[str, Path | None], ...]) -> tuple[StepSpec, ...]:
    makers: dict[type, str] = {}
    road = []
    for name, own in files:
        short = name.partition("_")[2]
        function = (
            refs.resolve(f"{own.name}:{short}", kind="step", folder=own.parent) if own else getattr(importlib.import_module(f"surefoot.steps.{name}"), short)
        )
        hints = typing.get_type_hints(function)
        report = hints.pop("return")
        inputs = {parameter: makers[kind] for parameter, kind in hints.items() if parameter not in ("ctx", "config")}
        makers[report] = name
        road.append(StepSpec(name, function, hints["config"], inputs, report))
    return tuple(road)


def find_step(name: str, root: Path | None = None) -> StepSpec:
    """The step meant by `audit`, `s02` or `s02_audit`.

    Raises:
        UsageError: there is none; the nearest is suggested.
    """
    for spec in load_road(root):
        if name in (spec.name, spec.short, spec.name.partition("_")[0]):
            return spec
    known = [spec.short for spec in load_road()]
    near = difflib.get_close_matches(name, known, n=1)
    raise UsageError(f"There is no step {name!r}.", where=name, next=f"Did you mean {near[0]}?" if near else f"The steps are: {', '.join(known)}.")


def key_of(spec: StepSpec, values: Settings, root: Path, reports: Mapping[str, str], notes: object = None) -> str:
    """What the result of a step depends on, as one hash.

    Args:
        reports: step -> ref of its report, for the inputs of this step.
        notes: what a person wrote that this step shows.
    """
    config = settings.compose(spec.config, values)
    parts = {
        "step": spec.name,
        "code": code_version(),
        "user": refs.hash_user_code(config.model_dump(mode="json"), root)
        | ({own.name: own.read_text(encoding="utf-8")} if (own := ejected(spec.name, root)) else {}),
        "seed": values.seed,
        "config": config.model_dump(mode="json"),
        "inputs": {parameter: reports[name] for parameter, name in spec.inputs.items()},
    }
    if notes:
        parts["notes"] = notes
    if spec.short in ("problem", "audit"):
        parts["source"] = fingerprint(values.data, root)
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def code_version() -> str:
    """The package version; in an editable checkout also the hash of every file that a result depends on."""
    folder = Path(surefoot.__file__).parent
    if "site-packages" in folder.parts:
        return surefoot.__version__
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if path.relative_to(folder).parts[0] not in _AFTER_THE_ROAD:
            digest.update(path.read_bytes())
    return f"{surefoot.__version__}+{digest.hexdigest()[:12]}"


def fingerprint(data: DataConfig, root: Path) -> str:
    """Path, size and mtime of everything below the sources: changed data is read again."""
    digest = hashlib.sha256()
    for source in (data.source, *(one.path for one in data.sources), data.test, data.wild):
        digest.update(f"{source}\0".encode())
        for path in _list_paths(source, root):
            files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            for file in files:
                stat = file.stat()
                digest.update(f"{file.relative_to(path)}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode(errors="surrogateescape"))
    repairs = find_repairs(data, root)
    digest.update(hash_repairs(repairs).encode() if repairs else b"")
    return digest.hexdigest()


def _list_paths(source: str, root: Path) -> list[Path]:
    """What lies on the disk under a source's name: one file or folder, the files of a pattern, or nothing."""
    if not source or (root / source).exists():
        return [root / source] if source else []
    from surefoot.data.readers.shards import find_files, is_pattern  # heavy, and few names are patterns

    with contextlib.suppress(DataError):  # the reader says what is missing
        return find_files(source, root) if is_pattern(source) else []
    return []
