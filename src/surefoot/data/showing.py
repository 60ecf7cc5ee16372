"""An item of a pack as a person looks at it: a picture, or its columns with their values, texts as they were written."""

from __future__ import annotations

from typing import Any

import numpy as np

from surefoot.data.packs import Pack
from surefoot.data.pictures import to_picture
from surefoot.types.context import Store


def name_codes(recipe: dict[str, Any]) -> dict[str, dict[int, str]]:
    """Category column -> code -> the word it stands for; code 0, for missing and unseen values, is left out."""
    coded = [column for column in recipe.get("columns", []) if column["kind"] == "category"]
    return {column["name"]: {code: str(word) for code, word in enumerate(column["categories"], 1)} for column in coded}


def read_texts(store: Store, ref: str) -> dict[str, str]:
    """Item id -> what a person reads of it.

    Args:
        ref: the table `texts` of s04, "" where the items are no texts.
    """
    table = store.get_table(ref) if ref else None
    return dict(zip(table.column("id").to_pylist(), table.column("text").to_pylist())) if table else {}


def show_item(pack: Pack, row: int, recipe: dict[str, Any], text: str = "") -> np.ndarray | dict[str, str]:
    """A picture uint8 (H, W) or (H, W, 3); of a table column -> value as text.

    Args:
        text: what its columns of text say, on one line; the pack holds codes of words, which nobody reads.
    """
    inputs = pack.gather(np.array([row]))
    if pack.fields[0].name == "image":
        return to_picture(inputs[0][0])
    words, shown = name_codes(recipe), {}
    for field, array in zip(pack.fields, inputs, strict=True):
        if field.is_text:
            continue
        for name, value in zip(field.names, array[0].tolist(), strict=False):
            shown[name] = (
                words.get(name, {}).get(int(value), "missing")
                if field.name == "category"
                else "missing"
                if np.isnan(value)
                else f"{value:.{10 if name.endswith('.days') else 6}g}"
            )
    shown = _join_dates(shown, {column["name"] for column in recipe.get("columns", []) if column["kind"] == "date"})
    written = [name for field in pack.fields if field.is_text for name in field.names]
    return shown | ({" · ".join(written): text or "no text"} if written else {})


def _join_dates(shown: dict[str, str], dates: set[str]) -> dict[str, str]:
    """The parts of a date as the one date that they are of, in the place of the first."""
    told: dict[str, str] = {}
    for name, value in shown.items():
        column = next((date for date in dates if name.startswith(f"{date}.")), "")
        told[column or name] = _write_date(shown[f"{column}.days"]) if column else value
    return told


def _write_date(days: str) -> str:
    """2023-12-18, or 2023-12-18 about 07:30: of days since 1970-01-01, which the pack holds to a minute and a half."""
    if days == "missing":
        return days
    at = np.datetime64(round(float(days) * 1440), "m")
    return str(at)[:10] if float(days).is_integer() else str(at).replace("T", " about ")
