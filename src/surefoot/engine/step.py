"""One step: a batch forward, backward, and into the weights. What happens at step n is a function of (seed, name, n)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Generator, Tensor, nn

from surefoot import optim, randomness
from surefoot.engine import averaging, memory, precision, ranks, shards
from surefoot.engine.augmenting import Augment, find_augmentation
from surefoot.losses.weighting import weigh
from surefoot.models.network import Network
from surefoot.transforms import mix
from surefoot.types.configs import TrainConfig
from surefoot.types.errors import ResourceError
from surefoot.types.examples import Batch

if TYPE_CHECKING:
    from surefoot.engine.fit import Job


@dataclass
class Gear:
    """What turns a loss into better weights: settled once, used every step.

    Attributes:
        forward: the network as training calls it: plain, compiled, or shared between processes.
        move: the optimizer's step. parameters: those that are trained. factor: step -> share of the peak lr.
        casting: what a forward pass runs inside.
        average, slow: the moving average of the weights and lookahead's slow weights; empty where they are off.
        batch_size: of the global batch. micro_batch: items at a time, at most; 0: the whole batch. Halved where memory runs out.
        blank: the net without its numbers, where each process holds a part of it only; None: it is whole.
        unclipped: norm of the last step's gradient before it was clipped, on the device; None: nothing is clipped.
    """

    forward: nn.Module
    optimizer: torch.optim.Optimizer
    move: Callable[[], object]
    parameters: list[nn.Parameter]
    factor: Callable[[int], float]
    augment: Augment
    casting: Callable[[], AbstractContextManager[object]]
    scaler: torch.amp.GradScaler | None
    average: averaging.Average
    slow: averaging.Average
    batch_size: int
    micro_batch: int = 0
    blank: Network | None = None
    unclipped: Tensor | None = None


class Counts(NamedTuple):
    """What the mean loss of a part counts in that of its batch: over its targets, over those of the items mixed in, and what depends on no item."""

    targets: float | Tensor = 1.0
    others: float | Tensor = 1.0
    penalty: float = 1.0


def gear_up(job: Job, config: TrainConfig, num_steps: int) -> Gear:
    """Optimizer, schedule, augmentation, precision and averages as the settings say."""
    device = job.examples.device
    blank = shards.make_blank(job.network) if shards.is_wanted(job.network, config, device) else None
    if blank:
        shards.shard(job.network, device)
    forward = job.network if blank else ranks.share(job.network)
    optimizer = optim.make_optimizer(config, job.network.train(), job.folder)
    return Gear(
        forward=_compile(forward, config.compile),
        optimizer=optimizer,
        move=optim.bare_step(optimizer),
        parameters=[parameter for parameter in job.network.parameters() if parameter.requires_grad],
        factor=optim.make_schedule(config, num_steps, job.folder),
        augment=find_augmentation(job, config.augment),
        casting=precision.casting(config.precision, device),
        scaler=precision.make_scaler(config.precision, device),
        average=averaging.start(job.network, config.averaging),
        slow=averaging.start(job.network, config.lookahead),
        batch_size=config.batch_size,
        micro_batch=config.micro_batch,
        blank=blank,
    )


def _compile(forward: nn.Module, way: str) -> nn.Module:
    """The network compiled: `on`, or `graphs`, which on a GPU also replays each step's kernels as one; else itself."""
    if way not in ("on", "graphs"):
        return forward
    return torch.compile(forward, mode="reduce-overhead" if way == "graphs" else None)  # type: ignore[return-value]


def take_step(job: Job, config: TrainConfig, gear: Gear, batch: Batch, step: int, seed: tuple[int, str]) -> Tensor:
    """Learns from one batch. Returns its loss, still on the device: nothing here waits for it.

    Where memory runs out, the same step is taken again in halves; the effective batch stays what it was.

    Args:
        step: counted from 0. seed: the run's seed and name.

    Raises:
        ResourceError: memory runs out in one of several processes.
    """
    lr = config.lr * gear.factor(step)
    for group in gear.optimizer.param_groups:
        group["lr"] = lr
    while True:
        try:
            loss = _backward(job, config, gear, _change(config, gear, batch, step, seed))
            break
        except (RuntimeError, MemoryError) as error:  # PyTorch's own errors of exhausted memory are RuntimeErrors, NumPy's and Python's are the other
            smaller = memory.halve(gear.micro_batch, len(batch.targets))
            if not memory.is_exhausted(error) or not smaller:
                raise
            _demand_alone(smaller, error)
            gear.micro_batch = smaller
        memory.free()
    _move(job, config, gear)
    if gear.average:
        averaging.update(gear.average, job.network, averaging.decay_at(step, config.averaging))
    if gear.slow and (step + 1) % config.lookahead == 0:
        averaging.catch_up(gear.slow, job.network)
    return loss


def _change(config: TrainConfig, gear: Gear, batch: Batch, step: int, seed: tuple[int, str]) -> Batch:
    """The batch as this step sees it: augmented, and mixed. Also sets the global generators (dropout) to where they are at this step."""
    number, name = seed
    _seed_dropout(batch.targets.device, randomness.key(number, f"{name} dropout", step, *ranks.place()))
    if config.augment != "none":
        generator = Generator().manual_seed(randomness.key(number, f"{name} augment", step, *ranks.place()))
        batch = replace(batch, inputs=gear.augment(batch.inputs, generator))
    if config.mixup:
        batch = mix.mixup(batch, config.mixup, randomness.stream(number, f"{name} mixup", step))
    if config.cutmix:
        batch = mix.cutmix(batch, config.cutmix, randomness.stream(number, f"{name} cutmix", step))
    return batch


def _seed_dropout(device: torch.device, key: int) -> None:
    """Sets the generators that layers draw from, of the CPU and of the device: `torch.manual_seed` asks for every kind there is, at 245 µs a step."""
    torch.default_generator.manual_seed(key)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index].manual_seed(key)  # `torch.cuda.manual_seed` means the current device, which may be another


def _backward(job: Job, config: TrainConfig, gear: Gear, batch: Batch) -> Tensor:
    """Gradients of the whole batch, gathered from its parts; returns its loss."""
    if config.compile == "graphs" and batch.targets.is_cuda:
        torch.compiler.cudagraph_mark_step_begin()  # what the last step returned may be written over
    for parameter in gear.parameters:  # what the optimizer's own method does besides costs as much as a layer of a small net
        parameter.grad = None
    total = None
    for part, counts in _split(job, batch, gear.micro_batch):
        loss = _loss(job, config, gear, part, counts)
        (gear.scaler.scale(loss) if gear.scaler else loss).backward()
        total = loss.detach() if total is None else total + loss.detach()
    assert total is not None
    return total


def _split(job: Job, batch: Batch, micro_batch: int) -> list[tuple[Batch, Counts]]:
    """The parts of a batch, each with what its mean loss counts, so that their sum, and the mean over processes, is the mean loss of the global batch.

    They differ by one item at most: 33 by 16 would leave a tail of one, which batch norm can't bear. Every process makes as many, because gradients are
    exchanged after each: one that has too few items makes a part of one that counts for nothing.
    """
    num, num_global = len(batch.targets), batch.num_global or len(batch.targets)
    num_parts = -(-ranks.count_most(num_global) // micro_batch) if micro_batch else 1
    if num_parts == 1 and ranks.count() == 1:
        return [(batch, Counts())]
    bounds = list(pairwise(number * num // num_parts for number in range(num_parts + 1)))
    parts = [batch.part(slice(start, max(end, start + 1))) for start, end in bounds]
    counted = [min(end - start, ranks.count_own(num_global)) for start, end in bounds]
    targets = _share_out(job, [(part.targets, part.weights) for part in parts], counted, num_global)
    others = targets if batch.others is None else _share_out(job, [(part.others, part.other_weights) for part in parts], counted, num_global)
    return [(part, Counts(own, other, 1 / num_parts)) for part, own, other in zip(parts, targets, others)]


def _share_out(job: Job, parts: list[tuple[Tensor, Tensor | None]], counted: list[int], num_global: int) -> Sequence[float | Tensor]:
    """What the mean loss over each part counts, by what its items weigh: losses divide by that, and a part of heavy items would else count like any other.

    Args:
        parts: targets and weights of each. counted: how many of its items count, on this process; 0: it is there for the others' sake.
        num_global: items of the batch over all processes.
    """
    world = ranks.count()
    each = [weigh(targets, weights, job.loss_options.get("class_weights")) for targets, weights in parts]
    if any(heavy is None for heavy in each):
        return [num * world / num_global for num in counted]
    masses = torch.stack([heavy.sum() * bool(num) for heavy, num in zip(each, counted) if heavy is not None])
    return list(masses * world / ranks.add_up(masses.sum()).clamp_min(torch.finfo(masses.dtype).tiny))


def _loss(job: Job, config: TrainConfig, gear: Gear, batch: Batch, counts: Counts) -> Tensor:
    """What a part adds to the loss of its batch."""
    try:
        with gear.casting():
            outputs = gear.forward(*batch.inputs)
        loss = _scale(job.loss(outputs, batch.targets, weights=batch.weights, **job.loss_options), counts.targets)
        if batch.others is not None:
            other = _scale(job.loss(outputs, batch.others, weights=batch.other_weights, **job.loss_options), counts.others)
            loss = batch.share * loss + (1 - batch.share) * other
    except Exception as error:
        if not memory.is_exhausted(error):
            shapes = ", ".join(f"{tuple(given.shape)} {str(given.dtype).removeprefix('torch.')}" for given in (*batch.inputs, batch.targets))
            error.add_note(f"while: a training step, inputs and targets {shapes}")
        raise
    if config.l1:
        size = torch.stack([p.abs().sum() for p in job.network.parameters() if p.requires_grad and p.ndim > 1]).sum()
        loss = loss + config.l1 * counts.penalty * size
    return loss


def _scale(loss: Tensor, count: float | Tensor) -> Tensor:
    return loss if isinstance(count, float) and count == 1 else loss * count


def _demand_alone(smaller: int, error: RuntimeError | MemoryError) -> None:
    """Halves are for a process that is alone: the others are past this part, and wait for gradients of it.

    Raises:
        ResourceError: there are others.
    """
    if ranks.count() > 1:
        raise ResourceError(
            "Memory ran out in one of several processes that train one net.",
            where="a training step",
            next=f"Set train.micro_batch = {smaller}, or less: each process then takes so many items of its part at a time.",
        ) from error


def _move(job: Job, config: TrainConfig, gear: Gear) -> None:
    """Gradients into weights."""
    if gear.scaler:
        gear.scaler.unscale_(gear.optimizer)
    if config.clip:
        gear.unclipped = torch.nn.utils.clip_grad_norm_(job.network.parameters(), config.clip)
    if gear.scaler:
        gear.scaler.step(gear.optimizer)
        gear.scaler.update()
    else:
        gear.move()
