"""Writes docs/settings.md from the settings themselves: `python docs/write_settings.py`. A test compares the two."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from surefoot.types.configs import Settings

HEAD = """# Settings

Every key that `surefoot.toml` may hold, with its default, its range and its meaning. `surefoot init DATA` writes a small
file with the reason for each line; whatever is left out has the default below, and most defaults mean "found out, and the
report says why". A key that does not exist, a wrong type or a value out of range is an error, and all of them are told at once.

For one run, any key may be set on the command line: `surefoot run --set train.lr=0.1 --set problem.metric=f1_macro`.

This file is made by `python docs/write_settings.py`.
"""

TYPES = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "null": "nothing", "object": "a table"}
NUMBERS = {"string": "texts", "integer": "whole numbers", "number": "numbers", "object": "tables"}


def describe() -> str:
    """The whole page."""
    schema = Settings.model_json_schema()
    definitions = schema["$defs"]
    lines = [HEAD, "## At the top", ""]
    sections = []
    for name, field in schema["properties"].items():
        section = _section(field)
        if section:
            sections.append((name, definitions[section]))
        else:
            lines += _entry(name, field)
    for name, section in sections:
        lines += [f"## [{name}]", "", section["description"], ""]
        for key, field in section["properties"].items():
            lines += _entry(f"{name}.{key}", field)
            lines += _inner(f"{name}.{key}", field, definitions)
    return "\n".join(lines).rstrip() + "\n"


def _section(field: dict[str, Any]) -> str:
    """The name of the section that a field holds, or nothing."""
    reference = field.get("$ref", "") or next((part["$ref"] for part in field.get("allOf", ())), "")
    return reference.rpartition("/")[2]


def _inner(name: str, field: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    """The keys of the tables in a list of tables, or in a table whose names are free."""
    inner = _section(field.get("items", {})) or _section(field.get("additionalProperties") or {})
    if not inner:
        return []
    lines = []
    place = f"{name}[]" if "items" in field else f"{name}.KEY"
    for key, entry in definitions[inner]["properties"].items():
        lines.append(f"- `{place}.{key}`: {entry['description']} {_range(entry)}")
    return [*lines, ""]


def _entry(name: str, field: dict[str, Any]) -> list[str]:
    return [f"### `{name}`", "", field["description"], "", _range(field), ""]


def _range(field: dict[str, Any]) -> str:
    """Default and range in one sentence."""
    if "default" not in field:
        default = "Must be given"
    else:
        default = "Not set by default" if field["default"] is None else f"Default: `{json.dumps(field['default'])}`"
    return f"{default}; {' or '.join(_kinds(field))}."


def _kinds(field: dict[str, Any]) -> Iterator[str]:
    """What a value may be."""
    if "anyOf" in field:
        for part in field["anyOf"]:
            if part.get("type") != "null":
                yield from _kinds(part)
    elif "enum" in field:
        yield "one of " + ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    elif field.get("type") == "array":
        items = field.get("prefixItems") or [field.get("items", {})]
        yield f"two {NUMBERS[items[0]['type']]}" if "prefixItems" in field else f"a list of {NUMBERS.get(items[0].get('type', ''), 'values')}"
    elif field.get("type") == "object":
        yield "a table with names of your choice"
    else:
        yield TYPES[field["type"]] + _bounds(field)


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def _bounds(field: dict[str, Any]) -> str:
    words = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below", "pattern": "of the form"}
    told = [f"{word} " + (f"`{field[key]}`" if key == "pattern" else _number(field[key])) for key, word in words.items() if key in field]
    return (" " if told and "pattern" in field else ", " if told else "") + " and ".join(told)


if __name__ == "__main__":
    Path(__file__).with_name("settings.md").write_text(describe(), encoding="utf-8")
