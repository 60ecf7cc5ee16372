"""Items that belong together, also by way of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Pair = tuple[int, int, float]
"""Two rows, the smaller first, and how alike they are (0..1)."""


@dataclass(frozen=True)
class Near:
    """What is nearly equal.

    Attributes:
        pairs: of rows that hold different contents, the most alike first.
        names: content -> name of its group, the smallest content in it; contents that are like no other are left out.
    """

    pairs: list[Pair]
    names: dict[str, str]


class Groups:
    """A forest of parents, its paths halved while they are walked (Tarjan and van Leeuwen 1984)."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}
        """Of those that are joined to another; hardly an item is."""

    def root(self, item: int) -> int:
        """The item that stands for the group."""
        parent = self._parent
        while (above := parent.get(item, item)) != item:
            parent[item] = parent[above]
            item = parent[item]
        return item

    def join(self, one: int, other: int) -> None:
        """Makes two groups one."""
        for item in (one, other):
            self._parent.setdefault(item, item)
        self._parent[self.root(one)] = self.root(other)

    def name(self, contents: Sequence[str]) -> dict[str, str]:
        """Content of each item that is not alone -> the smallest content of its group."""
        members: dict[int, list[str]] = {}
        for item in sorted(self._parent):
            members.setdefault(self.root(item), []).append(contents[item])
        return {content: min(group) for group in members.values() for content in group}
