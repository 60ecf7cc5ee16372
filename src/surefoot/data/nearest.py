"""Did you mean ...?"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str:
    """`Did you mean "x"? ` for the nearest of the known names, capitals aside; empty when none is near."""
    by_lower = {other.lower(): other for other in known if other != name}
    near = difflib.get_close_matches(name.lower(), list(by_lower), n=1)
    return f'Did you mean "{by_lower[near[0]]}"? ' if near else ""


def quote_some(names: Iterable[str], limit: int = 8) -> str:
    """The first names, each in quotation marks, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(f'"{name}"' for name in names[:limit]) + more
