"""Resolves a name to an object and builds it: a short name from `parts.py`, or the user's own `file:Name`."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from surefoot.parts import PARTS
from surefoot.types.errors import UsageError

_USER_PART = re.compile(r"^[\w./-]+:\w+$")


def resolve(name: str, *, kind: str, folder: Path | None = None) -> Any:
    """The object behind a name.

    Args:
        name: a short name of `kind` (`surefoot parts` lists them), or `file:Name`, where `file` is a Python file
            (with or without .py) in `folder`, or an importable module.
        kind: `model`, `loss`, `optimizer`, `schedule`, `augmentation`, `box_augmentation`, `table_augmentation`, `text_augmentation`, `metric`, `sampler`,
            `dataset`, `check`, `step`.
        folder: the project's folder.

    Raises:
        UsageError: there is no such part, file or object; the nearest names are suggested.
    """
    known = PARTS.get(kind, {})
    if name in known:
        return _fetch(known[name], None, kind)
    if re.match(r"[^:]+:[^:]+$", name):
        return _fetch(name, folder, kind)
    raise UsageError(
        f"There is no {kind} named {name!r}.",
        where=f"{kind} = {name!r}",
        next=_suggest(name, list(known)) or f"Known: {', '.join(known) or 'none'}; or name your own as 'file:Name'.",
    )


def build(name: str, *, kind: str, folder: Path | None = None, available: Mapping[str, Any]) -> Any:
    """Resolves `name` and calls it with those of `available` that its signature names."""
    return call(resolve(name, kind=kind, folder=folder), available, what=f"{kind} {name}")


def call(function: Callable[..., Any], available: Mapping[str, Any], *, what: str) -> Any:
    """Calls `function` with those of `available` that its signature names.

    Raises:
        UsageError: it can't be called, or demands an argument that is not available.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what} can't be called by name: {error}.", where=what, next="Name a class or a function whose arguments have names.") from error
    missing = [n for n, p in parameters.items() if n not in available and p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if missing:
        raise UsageError(
            f"{what} asks for {', '.join(missing)}, which Surefoot can't give.",
            where=what,
            next=f"Give these a default, or ask for: {', '.join(available) or 'nothing'}.",
        )
    return function(**{n: value for n, value in available.items() if n in parameters})


def source_file(name: str, folder: Path | None) -> Path | None:
    """The user's Python file behind `file:Name`, or None for parts of ours and installed modules."""
    if ":" not in name or folder is None:
        return None
    file = name.split(":", 1)[0]
    path = (folder / (file if file.endswith(".py") else f"{file}.py")).resolve()
    return path if path.is_file() else None


def list_user_parts(values: object) -> list[str]:
    """Every `file:Name` in a config, given as JSON knows it."""
    if isinstance(values, dict):
        return [name for value in values.values() for name in list_user_parts(value)]
    if isinstance(values, list):
        return [name for value in values for name in list_user_parts(value)]
    return [values] if isinstance(values, str) and _USER_PART.match(values) and not values.startswith("sklearn:") else []


def hash_user_code(values: object, folder: Path) -> dict[str, str]:
    """File -> hash of the user's own code that a config names."""
    files = [path for name in list_user_parts(values) if (path := source_file(name, folder))]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _fetch(name: str, folder: Path | None, kind: str) -> Any:
    module_name, _, object_name = name.partition(":")
    path = source_file(name, folder)
    module = _load(path) if path else _import(module_name, name, kind)
    if not hasattr(module, object_name):
        names = [n for n in vars(module) if not n.startswith("_")]
        raise UsageError(
            f"{module_name} has no {object_name!r}.",
            where=f"{kind} = {name!r}",
            next=_suggest(object_name, names) or f"It has: {', '.join(names) or 'nothing'}.",
        )
    return getattr(module, object_name)


def _load(path: Path) -> ModuleType:
    """Runs the user's file anew under a name that no installed module can have; nothing of theirs is wrapped."""
    name = f"surefoot_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling of workers look the module up by name
    spec.loader.exec_module(module)
    return module


def _import(module_name: str, name: str, kind: str) -> ModuleType:
    """An installed module; a module that it misses in turn is its own affair."""
    cause = None
    if all(part.isidentifier() for part in module_name.split(".")):
        try:
            return importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            if not f"{module_name}.".startswith(f"{error.name}."):
                raise
            cause = error
    raise UsageError(
        f"There is no file {module_name.removesuffix('.py')}.py in the project and no module {module_name.removesuffix('.py')}.",
        where=f"{kind} = {name!r}",
        next="Check the spelling and the folder.",
    ) from cause


def _suggest(name: str, names: list[str]) -> str:
    by_letters = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(name.casefold(), by_letters, n=1)
    return f"Did you mean {by_letters[near[0]]!r}?" if near else ""
