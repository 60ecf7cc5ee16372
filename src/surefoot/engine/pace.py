"""The budget and the road: what is left of it when a step begins, and what of that the step may plan with.

A clock that decides makes runs differ, so each step looks at it once, when it begins, and writes down what it saw: an interrupted step goes on with that.
"""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.engine.build import Desk
from surefoot.settings import budget_seconds
from surefoot.types.context import Context
from surefoot.types.figures import write
from surefoot.types.reports import TuneReport

START_S = 4.0
"""From the command to the first step, and from the last to the written page: imports, mostly."""


@dataclass(frozen=True)
class Cost:
    """What a step takes in any case, in seconds, and its share of what can be planned with."""

    fixed_s: float
    share: float = 0.0


COSTS = {
    "baseline": Cost(1.0, 0.12),
    "sanity": Cost(7.0, 0.06),
    "overfit": Cost(2.0, 0.14),
    "tune": Cost(2.0, 0.50),
    "diagnose": Cost(4.0, 0.10),
    "errors": Cost(2.0, 0.08),
    "final": Cost(1.0),
    "export": Cost(4.0),
    "test": Cost(0.5),
    "serve": Cost(4.0),
}
"""From the first step that plans to the end of the road. The fixed seconds are those of a thousand digits: imports and exports, mostly. The last training
is as long as one of s08, and planned with them."""
_LEAST = 0.3
"""Of its share of the whole budget: so much a step takes although nothing is left. Less shows nothing, and all that was spent before would be lost: with
a tenth, labels of digits were doubted by nets of half a second, 37 of them wrongly."""


@dataclass(frozen=True)
class Pace:
    """What a step may plan with.

    Attributes:
        budget_s: the whole budget; 0: `smoke`, which bears the least of everything. left_s: what is left of it, the training to come aside.
    """

    step: str
    budget_s: float
    left_s: float

    def seconds(self, step: str = "") -> float:
        """What this step, or a later one, may take beside its fixed seconds if those before it keep to the plan; 0 where the budget is `smoke`."""
        to_come = [COSTS[name] for name in list(COSTS)[list(COSTS).index(self.step) :]]
        share, left_s = COSTS[step or self.step].share, self.left_s - sum(cost.fixed_s for cost in to_come)
        return max(left_s * share / sum(cost.share for cost in to_come), _LEAST * self.budget_s * share)


def take_stock(ctx: Context, budget: str, step: str, to_come_s: float = 0.0) -> Pace:
    """Looks at what earlier steps took; done once for each step, and written down.

    Args:
        to_come_s: seconds of what is bound to come and is no step's share.
    """
    whole = budget_seconds(budget)
    if not whole:
        return Pace(step, 0.0, 0.0)
    left = float(ctx.ledger.decide("seconds left of the budget", lambda: whole - START_S - ctx.spent_s))
    pace = Pace(step, whole, left - to_come_s)
    ctx.events.say(f"  {write(max(left, 0.0), 2)} s of the budget are left, of which about {write(pace.seconds(), 2)} s are planned with here")
    return pace


def final_seconds(desk: Desk, tune: TuneReport) -> float:
    """What the last training will take, as the winner took it in s08: a training of one fold, on more items."""
    part = desk.folds[0]
    return tune.val.seconds / len(desk.folds) * len(desk.whole.train) / max(len(part.train), 1)
