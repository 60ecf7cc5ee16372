"""The least time a training can take: its FLOPs at the rate of this machine's matrix products. No net reaches it; a budget below it can't be met."""

from __future__ import annotations

import torch

from surefoot.engine.devices import measure_rate
from surefoot.types.context import Context
from surefoot.types.errors import ResourceError
from surefoot.types.figures import write

_SIDE = {"cpu": 1024, "cuda": 8192}


def settle_peak(ctx: Context, device: str) -> float:
    """FLOP per second of a large float32 matrix product with the threads set now; measured once and written down."""
    return float(ctx.ledger.decide(f"FLOP per second on {device}, {torch.get_num_threads()} threads", lambda: measure_peak(device)))


def measure_peak(device: str) -> float:
    """FLOP per second of a large float32 matrix product, as this process does it now."""
    side = _SIDE.get(device.split(":")[0], 2048)
    left, right = (torch.randn(side, side, device=device) for _ in range(2))

    def multiply() -> None:
        torch.mm(left, right)
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    return 2 * side**3 * measure_rate(multiply)


def find_floor(flops: int, num_items: float, peak: float) -> float:
    """Seconds that training on so many items takes at least.

    Args:
        flops: of a training step on one item. num_items: train items times epochs. peak: FLOP per second.
    """
    return flops * num_items / peak


def refuse_hopeless(floor_s: float, measured_s: float, budget_s: float, what: str) -> None:
    """Makes sure that a training can end within its budget.

    Args:
        floor_s: what it takes at least. measured_s: what it will take, by the speed of its steps.
        budget_s: 0: there is none.

    Raises:
        ResourceError: it can't.
    """
    if budget_s and measured_s > budget_s:
        raise ResourceError(
            f"{what} takes about {write(measured_s)} s on this machine, {write(floor_s)} s at the very least, and the budget is {write(budget_s)} s.",
            where="budget",
            next="Give a larger budget, fewer train.epochs, a smaller model (model.width, model.depth), or smaller pictures (data.side).",
        )
