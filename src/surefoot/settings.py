"""`surefoot.toml` <-> `Settings`: all problems reported at once, each with its nearest right spelling."""

from __future__ import annotations

import copy
import difflib
import json
import re
import tomllib
import typing
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from surefoot import durable
from surefoot.types.configs import Section, Settings, SplitConfig
from surefoot.types.errors import ConfigError

FILE = "surefoot.toml"
S = TypeVar("S", bound=Section)
_SHOWN = 80
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def load(root: Path, overrides: list[str] | None = None) -> Settings:
    """Reads the project's settings, with `key=value` overrides put over them.

    Raises:
        ConfigError: the file is absent or no TOML, or it or the overrides hold unknown keys, wrong types or values out of range.
    """
    values, unread = read(root, overrides)
    return check(values, where=str(root / FILE), unread=unread)


def find(root: Path) -> Path:
    """The file of a project's settings.

    Raises:
        ConfigError: there is none.
    """
    path = root / FILE
    if not path.is_file():
        raise ConfigError(f"There is no {FILE} in {root}.", where=str(root), next="Make one: surefoot init DATA --out DIR.")
    return path


def read(root: Path, overrides: list[str] | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """What the project's file says, with `key=value` overrides put over it, and not yet looked at.

    Returns:
        Plain values, and what could not be read: file or override -> why. It is told with what is wrong with the rest.

    Raises:
        ConfigError: the file is absent.
    """
    values: dict[str, Any] = {}
    unread: dict[str, str] = {}
    try:
        values = tomllib.loads(find(root).read_text(encoding="utf-8-sig"))  # some editors put a mark of order in front
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        unread[FILE] = f"it is not UTF-8: byte {error.object[error.start]:#04x} on line {line}. Save the file as UTF-8."
    except tomllib.TOMLDecodeError as error:
        unread[FILE] = f"it is no TOML: {error}. Mend that line; strings stand in quotes, tables in [brackets]."
    return values, unread | _put_all(values, overrides or [])


def parse(overrides: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What `key=value` overrides say, not yet looked at, and what could not be read of them: override -> why."""
    values: dict[str, Any] = {}
    unread = _put_all(values, overrides)
    return values, unread


def check(values: dict[str, Any], *, where: str = FILE, unread: dict[str, str] | None = None) -> Settings:
    """Settings from plain values.

    Args:
        unread: what `read` or `parse` could not read.

    Raises:
        ConfigError: with every problem in it, one a line.
    """
    settings, problems = sift(values)
    if problems := (unread or {}) | problems:
        raise refuse(problems, where=where, next="Mend them; docs/settings.md says what each key may be.")
    return settings


def sift(values: dict[str, Any]) -> tuple[Settings, dict[str, str]]:
    """Settings from what could be read of plain values, and what is wrong with the rest: key -> why."""
    problems: dict[str, str] = {}
    try:
        settings = Settings.model_validate(values)
        problems |= _check_mixing(settings)
    except ValidationError as error:
        for problem in error.errors():  # where several types would do, each complains: the first is enough
            name, why = _explain(problem)
            problems.setdefault(name, why)
        settings = _read_rest(values, error)
    return settings, problems | _check_shares(values) | _check_budget(values)


def refuse(problems: dict[str, str], *, where: str, next: str) -> ConfigError:
    """The error that tells all problems, one a line."""
    count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
    lines = "\n".join(f"  - {name}: {why}" for name, why in problems.items())
    return ConfigError(f"{count} wrong:\n{lines}", where=where, next=next)


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


def _read_rest(values: dict[str, Any], error: ValidationError) -> Settings:
    """The settings without the keys that are wrong; the defaults where these can't be told apart from the rest."""
    rest = copy.deepcopy(values)
    for problem in error.errors():
        table: Any = rest
        for part in problem["loc"]:
            inner = dict(enumerate(table) if isinstance(table, list) else table).get(part)
            if not isinstance(inner, dict | list):
                break
            table = inner
        if isinstance(table, dict):
            table.pop(part, None)
    try:
        return Settings.model_validate(rest)
    except ValidationError:
        return Settings()


def _put_all(values: dict[str, Any], overrides: list[str]) -> dict[str, str]:
    """Puts overrides over plain values; returns those that could not be, with why."""
    unread = {}
    for override in overrides:
        path, value = _parse_override(override)
        if not path:
            unread[f"--set {override}"] = "it holds no `key=value`; write it as in --set train.lr=0.1."
        elif blocked := _put(values, path, value):
            unread[f"--set {override}"] = f"{blocked} is no table; docs/settings.md names the keys."
    return unread


def _parse_override(text: str) -> tuple[list[str], Any]:
    """The parts of the key, none where there is no key and value, and the value."""
    name, equals, value = text.partition("=")
    path = [part.strip('"') for part in re.findall(r'"[^"]*"|[^.]+', name.strip())] if equals else []
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()  # a bare word is a string
    return path, parsed


def _put(values: dict[str, Any], path: list[str], value: Any) -> str:
    """Puts a value at its place; returns the key that stands in its way, else an empty text."""
    for depth, name in enumerate(path[:-1], 1):
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            return ".".join(path[:depth])
        values = inner
    values[path[-1]] = value
    return ""


def _check_shares(values: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the shares of the split, where each alone is right."""
    try:
        split = SplitConfig.model_validate(values.get("split", {}))
    except ValidationError:
        return {}
    shares = split.train + split.val + split.test
    if abs(shares - 1) > 1e-6:
        return {"split": f"train + val + test are {shares:g}, and must be 1, for example 0.6, 0.2, 0.2."}
    return {} if split.train else {"split.train": "nothing is left to train on (got 0.0)."}


def _check_budget(values: dict[str, Any]) -> dict[str, str]:
    budget = str(values.get("budget", ""))
    is_nothing = re.fullmatch(r"[0.]+[smh]", budget)
    return {"budget": f"{budget} is no time at all; the least that walks the road is smoke."} if is_nothing else {}


def _check_mixing(settings: Settings) -> dict[str, str]:
    """A batch is mixed in one way: the loss knows one partner of each item, and one share."""
    used = [name for name in ("mixup", "cutmix") if getattr(settings.train, name) or f"train.{name}" in settings.search.space]
    why = "train.mixup mixes the batch already, and the loss knows one partner of each item. Leave one of the two at 0, and out of search.space."
    return {"train.cutmix": why} if len(used) > 1 else {}


def _explain(problem: Any) -> tuple[str, str]:
    """The key, and what is wrong with it: for an unknown one the nearest right spelling."""
    path = [str(part) for part in problem["loc"]]
    section, depth = _find_section(path)
    words = [f'"{part}"' if "." in part else part for part in path[: depth + 1]]  # what follows are parts of the value
    if problem["type"] == "extra_forbidden":
        near = _find_near(path[depth], section, words[:-1])
        return ".".join(words), "there is no such key" + (f"; did you mean {near}?" if near else ".")
    got = repr(problem["input"])
    if problem["type"] == "string_pattern_mismatch" and words == ["budget"]:
        return "budget", f"write `smoke`, or a number and s, m or h, such as 90s, 20m or 8h (got {got[:_SHOWN]})."
    return ".".join(words), f"{problem['msg'][0].lower()}{problem['msg'][1:]} (got {got if len(got) <= _SHOWN else got[:_SHOWN] + '…'})."


def _find_section(path: list[str]) -> tuple[type[BaseModel], int]:
    """The innermost table that a path leads into, and how many parts of the path lead to it."""
    section: type[BaseModel] = Settings
    depth = 0
    while depth < len(path) and path[depth] in section.model_fields:
        kind = section.model_fields[path[depth]].annotation
        inner = (typing.get_args(kind) or (kind,))[-1]  # of a list or a dict of tables, the table
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            break
        section, depth = inner, depth + (2 if typing.get_args(kind) else 1)
    return section, depth


def _find_near(name: str, section: type[BaseModel], prefix: list[str]) -> str:
    """The right spelling of a key in its own table, else a key of that name, or of nearly that name, in another."""
    if near := difflib.get_close_matches(name, section.model_fields, n=1):
        return ".".join([*prefix, near[0]])
    elsewhere = {key.rpartition(".")[2]: key for key in reversed(keys())}
    return next((elsewhere[word] for word in difflib.get_close_matches(name, elsewhere, n=1, cutoff=0.75)), "")
