"""HTML and SVG by construction: every string that is not markup already is escaped, so nothing from the data can become code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

EMPTY = Markup("")
_VOID = frozenset({"img", "br"})


def element(name: str, *children: Any, **attributes: Any) -> Markup:
    """An element; `class_` becomes `class`, `stroke_width` becomes `stroke-width`, attributes that are None are left out."""
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is not None:
            parts.append(f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"')
    parts.append(">")
    if name not in _VOID:
        parts.extend(str(escape(child)) for child in children if child is not None)
        parts.append(f"</{name}>")
    return Markup("".join(parts))


def _attribute(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(escape(value))


def join(pieces: Iterable[Any], between: Any = EMPTY) -> Markup:
    """Pieces one after another, those that are not markup escaped."""
    return Markup(escape(between)).join(pieces)


def slug(text: str) -> str:
    """The text as a name that is safe in an address: letters, digits, dots, dashes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)


def facts(pairs: Iterable[tuple[Any, Any]]) -> Markup:
    """Small named values in a row; pairs whose value is None or empty are left out."""
    shown = [element("div", element("dt", name), element("dd", value)) for name, value in pairs if value not in (None, "")]
    return element("dl", *shown, class_="facts") if shown else EMPTY


def figure(title: str, chart: Markup, note: str = "", *, wide: bool = False) -> Markup:
    """A chart on its card, with its title and one sentence on how to read it."""
    caption = element("figcaption", element("h3", title), element("p", note) if note else None)
    return element("figure", caption, chart, class_="card wide" if wide else "card")


def card(title: str, content: Markup, note: str = "", *, wide: bool = False) -> Markup:
    """Any content on a card of its own."""
    head = join([element("h3", title), element("p", note, class_="note") if note else EMPTY])
    return element("div", head, content, class_="card wide" if wide else "card")


def cards(*pieces: Markup) -> Markup:
    """Cards beside one another as the width allows; empty ones are left out."""
    shown = [piece for piece in pieces if piece]
    return element("div", *shown, class_="cards") if shown else EMPTY


def table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[Any]], numeric: Iterable[int] = ()) -> Markup:
    """A table that scrolls inside its card; the columns in `numeric` are aligned on the right."""
    right = set(numeric)
    kinds = ["num" if i in right else None for i in range(len(headers))]
    head = element("tr", *(element("th", header, scope="col", class_=kind) for header, kind in zip(headers, kinds, strict=True)))
    body = [element("tr", *(_cell(cell, kind, is_first=i == 0) for i, (cell, kind) in enumerate(zip(row, kinds, strict=True)))) for row in rows]
    whole = element("table", element("caption", caption, class_="unseen"), element("thead", head), element("tbody", *body))
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cell(content: Any, kind: str | None, is_first: bool) -> Markup:
    return element("th", content, class_=kind, scope="row") if is_first else element("td", content, class_=kind)


def folded(summary: str, content: Any) -> Markup:
    """Content that opens on a click."""
    return element("details", element("summary", summary), content)


def folded_if(many: bool, summary: str, content: Markup) -> Markup:
    """The content as it is, or folded away where it is long."""
    return folded(summary, content) if many else content


def paragraph(text: Any, kind: str | None = None) -> Markup:
    """A paragraph."""
    return element("p", text, class_=kind)


def prose(text: str) -> Markup:
    """A sentence in which what stands between backticks is shown as code."""
    return join(code(part) if i % 2 else part for i, part in enumerate(text.split("`"))) if text.count("`") % 2 == 0 else escape(text)


def code(text: str) -> Markup:
    """A command, name or setting as it is typed."""
    return element("code", text)


def bullets(items: Iterable[Any]) -> Markup:
    """A plain list."""
    return element("ul", *(element("li", item) for item in items), class_="plain")
