"""A step's own view of the ledger: what it decides is written under its key, so a resumed run replays it and a changed one does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from surefoot.store.ledger import ProjectLedger
from surefoot.types.reports import Opening


@dataclass(frozen=True)
class ScopedLedger:
    """The ledger as `Context` hands it to a step; see `types.context.Ledger`."""

    ledger: ProjectLedger
    scope: str

    def decide(self, name: str, measure: Callable[[], Any]) -> Any:
        return self.ledger.decide(self.scope, name, measure)

    def count_look(self, step: str, what: str) -> int:
        return self.ledger.count_look(self.scope, f"{step}: {what}")

    def tags(self) -> dict[str, tuple[list[str], str]]:
        return self.ledger.tags()

    def openings(self) -> tuple[Opening, ...]:
        """Every opening of the test set so far, in any round."""
        return tuple(Opening(number=row.number, round=row.round, why=row.why, when=row.at) for row in self.ledger.openings())

    def answers(self) -> dict[str, str]:
        return self.ledger.answers()
