"""Opens the test set, and writes it down first. Only `steps.s13_test` may import this; import-linter checks it."""

from __future__ import annotations

from surefoot.store.ledger import OpeningRow, ProjectLedger
from surefoot.store.scope import ScopedLedger
from surefoot.store.seal import Key
from surefoot.types.context import Context
from surefoot.types.errors import SealedError


def unseal(ctx: Context) -> tuple[Key, list[OpeningRow]]:
    """A key to the test set, and all openings so far, this one included.

    The first opening needs no reason. Going on after an interruption is the same opening, not another.

    Raises:
        SealedError: it was opened before, and no reason was given with `--again`.
    """
    assert isinstance(ctx.ledger, ScopedLedger)
    ledger: ProjectLedger = ctx.ledger.ledger
    openings = ledger.openings()
    mine = [opening for opening in openings if opening.scope == ctx.ledger.scope]
    if not mine:
        if openings and not ctx.again:
            last = openings[-1]
            raise SealedError(
                f"The test set was opened before: {len(openings)} time(s), last in round {last.round} ({last.at}).",
                where="s13_test",
                next='A second opening makes its figure less than honest. If you must: surefoot test --again "why"; the reason stays in the report for ever.',
            )
        ledger.note_opening(ctx.round, ctx.ledger.scope, ctx.again or "first opening")
        openings = ledger.openings()
        mine = openings[-1:]
    return Key(mine[-1].number), openings
