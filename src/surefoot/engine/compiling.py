"""torch.compile and CUDA graphs: only where a run is so long that what is saved pays for compiling, by measured cost."""

from __future__ import annotations

from time import perf_counter

from surefoot.engine.devices import measure_rate, wait_for
from surefoot.engine.feed import count_steps
from surefoot.engine.fit import Job
from surefoot.engine.jobs import training_step
from surefoot.types.configs import TrainConfig
from surefoot.types.context import Context

_WORTH_COMPILING = 300.0
"""Seconds: a first compiled step takes about 14 s on two CPU cores, and what is saved there is a small part of the time."""
WAYS = {"cpu": ("on",), "cuda": ("on", "graphs")}
"""Device -> the ways that are worth measuring."""


def settle_compile(ctx: Context, job: Job, config: TrainConfig, seconds: float, name: str) -> TrainConfig:
    """How this job is compiled, if at all, measured once and written down.

    Args:
        seconds: that the run will take as it is. A run shorter than `_WORTH_COMPILING` is not measured at all: compiling alone takes many seconds.
    """
    if config.compile != "auto":
        return config
    if seconds < _WORTH_COMPILING:
        return config.model_copy(update={"compile": "off"})
    measured = ctx.ledger.decide(f"compiling {name}", lambda: _measure(job, config))
    saved = {way: seconds * gain - cost for way, (cost, gain) in measured.items()}
    best = max(saved, key=lambda way: saved[way], default="off")
    return config.model_copy(update={"compile": best if saved.get(best, 0.0) > 0 else "off"})


def _measure(job: Job, config: TrainConfig) -> dict[str, tuple[float, float]]:
    """Way -> seconds that compiling takes, and the share of the time that it saves; without the ways that this machine can't go."""
    device = job.examples.device
    plain = measure_rate(training_step(job, config.model_copy(update={"compile": "off"})), device=device)
    measured = {}
    for way in WAYS.get(device.split(":")[0], ()):
        try:
            wait_for(device)
            started = perf_counter()
            step = training_step(job, config.model_copy(update={"compile": way}))
            step()
            wait_for(device)
            measured[way] = (_count_sizes(job, config) * (perf_counter() - started), 1 - plain / measure_rate(step, device=device))
        except Exception:  # whatever a compiler or its absence raises: the plain net is always there
            continue
    return measured


def _count_sizes(job: Job, config: TrainConfig) -> int:
    """How many sizes of batches a run has, each of which is compiled for: two, one item apart, where steps don't divide the items."""
    return 1 + bool(len(job.train) % count_steps(len(job.train), config.batch_size))
