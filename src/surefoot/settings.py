"""`surefoot.toml` <-> `Settings`: all problems reported at once, each with its nearest right spelling."""

from __future__ import annotations

import difflib
import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from surefoot import durable
from surefoot.types.configs import Section, Settings
from surefoot.types.errors import ConfigError, UsageError

FILE = "surefoot.toml"
S = TypeVar("S", bound=Section)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def load(root: Path, overrides: list[str] | None = None) -> Settings:
    """Reads the project's settings, with `key=value` overrides put over them.

    Raises:
        ConfigError: the file is absent or no TOML, or holds unknown keys, wrong types or values out of range.
    """
    path = root / FILE
    if not path.is_file():
        raise ConfigError(f"There is no {FILE} in {root}.", where=str(root), next="Make one: surefoot init DATA --out DIR.")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{FILE} is no TOML: {error}.", where=str(path), next="Mend that line; strings stand in quotes, tables in [brackets].") from error
    for override in overrides or []:
        _put(values, *_parse_override(override))
    return check(values, where=str(path))


def check(values: dict[str, Any], *, where: str = FILE) -> Settings:
    """Settings from plain values.

    Raises:
        ConfigError: with every problem in it, one a line.
    """
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems = [_explain(problem) for problem in error.errors()]
        count = f"{len(problems)} setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        raise ConfigError(
            f"{count} wrong:\n" + "\n".join(f"  - {p}" for p in problems), where=where, next="Mend them; docs/settings.md says what each key may be."
        ) from None
    shares = settings.split.train + settings.split.val + settings.split.test
    if abs(shares - 1) > 1e-6:
        raise ConfigError(
            f"1 setting is wrong:\n  - split: train + val + test are {shares:g}, and must be 1.",
            where=where,
            next="For example train = 0.6, val = 0.2, test = 0.2.",
        )
    return settings


def budget_seconds(budget: str) -> float:
    """`20m` -> 1200.0; `smoke` -> 0.0, the least that walks the road."""
    return 0.0 if budget == "smoke" else float(budget[:-1]) * _UNITS[budget[-1]]


def compose(config: type[S], settings: Settings) -> S:
    """The part of the settings that a step depends on: the fields of its config class, by name."""
    return config(**{name: getattr(settings, name) for name in config.model_fields})


def schema() -> str:
    """The JSON Schema of `surefoot.toml`, for editors."""
    return json.dumps(Settings.model_json_schema(), indent=1)


def write(root: Path, text: str) -> None:
    """Writes a new `surefoot.toml` and the schema that editors read."""
    durable.replace(root / FILE, text.encode())
    durable.replace(root / ".surefoot" / "schema.json", schema().encode())


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> dict[str, str]:
    """Every dotted key and what it means."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            found |= keys(inner, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = field.description or ""
    return found


def _parse_override(text: str) -> tuple[list[str], Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set {text} holds no `key=value`.", where=f"--set {text}", next="For example --set train.lr=0.1.")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()  # a bare word is a string
    return name.strip().split("."), parsed


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise UsageError(f"{'.'.join(path)}: {name} is no table.", where="--set", next="See docs/settings.md for the keys.")
    values[path[-1]] = value


def _explain(problem: Any) -> str:
    """One line for one problem: the key, what is wrong, and the nearest right spelling."""
    path = [str(part) for part in problem["loc"]]
    name = ".".join(path)
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, keys(), n=1, cutoff=0.5) or [k for k in keys() if k.split(".")[-1] == path[-1]][:1]
        return f"{name}: there is no such key" + (f"; did you mean {near[0]}?" if near else ".")
    return f"{name}: {problem['msg'][0].lower()}{problem['msg'][1:]} (got {problem['input']!r})."
