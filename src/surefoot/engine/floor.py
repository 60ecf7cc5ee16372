"""The least time a training can take: its FLOPs at the rate of this machine's matrix products. No net reaches it; a budget below it can't be met."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from surefoot.engine.devices import measure_rate
from surefoot.engine.precision import HALVES
from surefoot.models.cost import count_training_flops
from surefoot.types.context import Context
from surefoot.types.errors import ResourceError
from surefoot.types.figures import write

if TYPE_CHECKING:
    from surefoot.engine.fit import Job

_SIDE = {"cpu": 1024, "cuda": 8192}


def settle_peak(ctx: Context, device: str, precision: str = "fp32") -> float:
    """FLOP per second of a large matrix product in a precision, with the threads set now; measured once and written down."""
    name = f"FLOP per second on {device} in {precision}, {torch.get_num_threads()} threads"
    return float(ctx.ledger.decide(name, lambda: measure_peak(device, precision)))


def measure_peak(device: str, precision: str = "fp32") -> float:
    """FLOP per second of a large matrix product, as this process does it now.

    Args:
        precision: `fp32`, `bf16` or `fp16`: that in which the net's layers are computed.
    """
    side = _SIDE.get(device.split(":")[0], 2048)
    left, right = (torch.randn(side, side, device=device).to(HALVES.get(precision, torch.float32)) for _ in range(2))
    with _rounding_as_convolutions() if device.startswith("cuda") else contextlib.nullcontext():
        return 2 * side**3 * measure_rate(lambda: torch.mm(left, right), device=device)


@contextlib.contextmanager
def _rounding_as_convolutions() -> Iterator[None]:
    """Inside the block a GPU multiplies float32 matrices in TF32 if it does so in convolutions, as by default: else a net would run faster than its floor."""
    matmul, before = torch.backends.cuda.matmul, torch.backends.cuda.matmul.fp32_precision
    if torch.backends.cudnn.conv.fp32_precision == "tf32":  # type: ignore[attr-defined]
        matmul.fp32_precision = "tf32"
    try:
        yield
    finally:
        matmul.fp32_precision = before


def settle_floor(ctx: Context, job: Job, precision: str) -> tuple[float, int, float]:
    """What an epoch of a job takes at least.

    Args:
        precision: that the job is trained in.

    Returns:
        Seconds of an epoch at least, FLOPs to learn from an item, and the FLOP per second of this machine's matrix products that the first rests on.
    """
    flops = count_training_flops(job.network, job.examples.inputs(torch.from_numpy(job.train[:1])))
    peak = settle_peak(ctx, job.examples.device, precision)
    return find_floor(flops, len(job.train), peak), flops, peak


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
            next="Give a larger budget, fewer epochs (train.epochs, [[train.phases]]), a smaller model (model.width, model.depth), or smaller pictures"
            " (data.side).",
        )
