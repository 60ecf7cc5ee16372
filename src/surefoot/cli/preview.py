"""`surefoot schedule`: what lr does over a training, before any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.cli.arguments import Folder, Json, Overrides
from surefoot.cli.screen import show, show_json

if TYPE_CHECKING:
    from surefoot.types.configs import TrainConfig

STEPS = 1_000
"""A run of so many steps stands for any: schedules go by shares of the run."""
COLUMNS, ROWS = 60, 6
BLOCKS = " ▁▂▃▄▅▆▇█"
QUARTERS = {"start": 0.0, "quarter": 0.25, "half": 0.5, "three quarters": 0.75, "end": 1.0}


def schedule(folder: Folder = ".", set_: Overrides = None, as_json: Json = False) -> None:
    """Show what lr does over a training, before any."""
    from surefoot.runners import names

    values = names.load(Path(folder), set_)
    names.check_names(values, Path(folder))
    train = values.train
    factors = trace(train, Path(folder))
    peak = train.lr or 1.0
    at = {name: peak * factors[min(round(share * STEPS), STEPS - 1)] for name, share in QUARTERS.items()}
    highest = max(range(STEPS), key=lambda step: factors[step])
    if as_json:
        points = [[step / STEPS, peak * factor] for step, factor in enumerate(factors)]
        told = {"schedule": train.schedule, "is_share": not train.lr, "peak": peak * factors[highest], "peak_at": highest / STEPS, "at": at, "points": points}
        show_json(told)
        return
    unit = "lr" if train.lr else "lr as a share of its peak, which is still to be chosen (train.lr)"
    show(f"{train.schedule}: {unit}")
    show("\n".join(draw(factors)))
    show(f"peak {peak * factors[highest]:.3g} after {highest / STEPS:.0%} of the steps; " + ", ".join(f"{name} {lr:.3g}" for name, lr in at.items()))


def trace(train: TrainConfig, folder: Path | None = None) -> list[float]:
    """The factor of lr at each of `STEPS` steps."""
    from surefoot import optim

    factor = optim.make_schedule(train, STEPS, folder)
    return [factor(step) for step in range(STEPS)]


def draw(values: Sequence[float], columns: int = COLUMNS, rows: int = ROWS) -> list[str]:
    """Lines of block characters: a bar per column, as high as the largest value in its share of the run; the top line is 1.

    Args:
        values: in [0, 1], at least one per column.
    """
    shares = [values[column * len(values) // columns : (column + 1) * len(values) // columns] for column in range(columns)]
    eighths = [max(1, round(max(share) * rows * 8)) if max(share) > 0 else 0 for share in shares]
    lines = []
    for row in reversed(range(rows)):
        bars = "".join(BLOCKS[min(max(height - 8 * row, 0), 8)] for height in eighths)
        lines.append(f"  |{bars}".rstrip())
    return [*lines, "  +" + "-" * columns]
