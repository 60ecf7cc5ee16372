"""One step: a batch forward, backward, and into the weights. What happens at step n is a function of (seed, name, n)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor, nn

from surefoot import optim, randomness
from surefoot.engine import averaging, memory, precision, ranks, shards
from surefoot.engine.augmenting import Augment, find_augmentation
from surefoot.models.network import Network
from surefoot.transforms import mix
from surefoot.types.configs import TrainConfig
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
        batch_size: of the global batch. micro_batch: items at a time; 0: the whole batch. Halved where memory runs out.
        blank: the net without its numbers, where each process holds a part of it only; None: it is whole.
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
    """
    lr = config.lr * gear.factor(step)
    for group in gear.optimizer.param_groups:
        group["lr"] = lr
    while True:
        try:
            loss = _backward(job, config, gear, _change(config, gear, batch, step, seed))
            break
        except RuntimeError as error:  # PyTorch's own errors of exhausted memory are all RuntimeErrors
            smaller = memory.halve(gear.micro_batch, len(batch.targets))
            if not memory.is_exhausted(error) or not smaller:
                raise
            gear.micro_batch = smaller
        memory.free()
    _move(job, config, gear)
    if gear.average:
        averaging.update(gear.average, job.network, config.averaging)
    if gear.slow and (step + 1) % config.lookahead == 0:
        averaging.catch_up(gear.slow, job.network)
    return loss


def _change(config: TrainConfig, gear: Gear, batch: Batch, step: int, seed: tuple[int, str]) -> Batch:
    """The batch as this step sees it: augmented, and mixed. Also sets the global generators (dropout) to where they are at this step."""
    number, name = seed
    _seed_dropout(batch.targets.device.type, randomness.key(number, f"{name} dropout", step))
    if config.augment != "none":
        generator = Generator().manual_seed(randomness.key(number, f"{name} augment", step))
        batch = replace(batch, inputs=gear.augment(batch.inputs, generator))
    if config.mixup:
        batch = mix.mixup(batch, config.mixup, randomness.stream(number, f"{name} mixup", step))
    if config.cutmix:
        batch = mix.cutmix(batch, config.cutmix, randomness.stream(number, f"{name} cutmix", step))
    return batch


def _seed_dropout(device: str, key: int) -> None:
    """Sets the generators that layers draw from, of the CPU and of the device: `torch.manual_seed` asks for every kind there is, at 245 µs a step."""
    torch.default_generator.manual_seed(key)
    if device == "cuda":
        torch.cuda.manual_seed(key)
    elif device == "mps":
        torch.mps.manual_seed(key)


def _backward(job: Job, config: TrainConfig, gear: Gear, batch: Batch) -> Tensor:
    """Gradients of the whole batch, gathered from its parts; returns its loss."""
    if config.compile == "graphs" and batch.targets.is_cuda:
        torch.compiler.cudagraph_mark_step_begin()  # what the last step returned may be written over
    for parameter in gear.parameters:  # what the optimizer's own method does besides costs as much as a layer of a small net
        parameter.grad = None
    total = None
    for part, weight in _split(batch, gear.micro_batch):
        loss = _loss(job, config, gear, part)
        scaled = loss if weight == 1.0 else loss * weight
        (gear.scaler.scale(scaled) if gear.scaler else scaled).backward()
        total = scaled.detach() if total is None else total + scaled.detach()
    assert total is not None
    return total


def _split(batch: Batch, micro_batch: int) -> Iterator[tuple[Batch, float]]:
    """The parts of a batch, each with what its mean loss counts."""
    num = len(batch.targets)
    weight = ranks.weigh(batch.num_global or num)
    if not micro_batch or micro_batch >= num:
        yield batch, weight
        return
    for start in range(0, num, micro_batch):
        part = batch.part(slice(start, start + micro_batch))
        yield part, weight * len(part.targets) / num


def _loss(job: Job, config: TrainConfig, gear: Gear, batch: Batch) -> Tensor:
    try:
        with gear.casting():
            outputs = gear.forward(*batch.inputs)
        loss = job.loss(outputs, batch.targets, weights=batch.weights, **job.loss_options)
        if batch.others is not None:
            loss = batch.share * loss + (1 - batch.share) * job.loss(outputs, batch.others, weights=batch.other_weights, **job.loss_options)
    except Exception as error:
        if not memory.is_exhausted(error):
            shapes = ", ".join(f"{tuple(given.shape)} {str(given.dtype).removeprefix('torch.')}" for given in (*batch.inputs, batch.targets))
            error.add_note(f"while: a training step, inputs and targets {shapes}")
        raise
    if config.l1:
        loss = loss + config.l1 * torch.stack([p.abs().sum() for p in job.network.parameters() if p.requires_grad and p.ndim > 1]).sum()
    return loss


def _move(job: Job, config: TrainConfig, gear: Gear) -> None:
    """Gradients into weights."""
    if gear.scaler:
        gear.scaler.unscale_(gear.optimizer)
    if config.clip:
        torch.nn.utils.clip_grad_norm_(job.network.parameters(), config.clip)
    if gear.scaler:
        gear.scaler.step(gear.optimizer)
        gear.scaler.update()
    else:
        gear.move()
