"""What a net does before and at the first step: evidence for the sanity checks. The engine does, `checks` judges."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from surefoot import losses, randomness
from surefoot.engine.fit import Job
from surefoot.engine.health import ACTIVATIONS, share_dead, share_saturated
from surefoot.engine.predict import predict, to_outputs
from surefoot.metrics import per_class
from surefoot.models.network import Network


class Blind(nn.Module):
    """A transform that sees nothing: its inputs are zeros."""

    def __init__(self, prepare: nn.Module) -> None:
        super().__init__()
        self.prepare = prepare

    def forward(self, *fields: Tensor) -> tuple[Tensor, ...]:
        return self.prepare(*(torch.zeros_like(field) for field in fields))


@dataclass(frozen=True)
class LayerEvidence:
    """A layer on the first step: share of units that are zero for every item, share of saturated values, norm of its weights' gradient."""

    name: str
    dead_frac: float | None = None
    saturated_frac: float | None = None
    grad_norm: float | None = None


def random_outputs(job: Job, num: int, seed: int) -> Tensor:
    """What the net says to random inputs of the right shape, in eval mode: (num, ...)."""
    generator = randomness.stream(seed, "random inputs")
    inputs = []
    for field in job.examples.fields:
        if field.dtype == "uint8":
            array = generator.integers(0, 256, (num, *field.shape)).astype(np.uint8)
        elif field.dtype == "int32":
            array = generator.integers(0, field.cardinalities, (num, *field.shape)).astype(np.int32)
        else:
            array = generator.standard_normal((num, *field.shape)).astype(np.float32)
        inputs.append(torch.from_numpy(array).to(job.examples.device))
    job.network.eval()
    with torch.inference_mode():
        return job.network(*inputs)


def loss_at_init(job: Job, rows: np.ndarray) -> float:
    """The loss of the untrained net on some rows."""
    logits = torch.from_numpy(predict(job.network, job.examples, rows)).to(job.targets.device)
    return float(job.loss(logits, job.targets[torch.from_numpy(rows)]))


def gradient_error(job: Job, rows: np.ndarray, seed: int) -> float:
    """Relative error of autograd's directional derivative against the numerical one, in float64 and eval mode.

    Central differences (CS231n, Gradient checking) along the gradient plus a random direction of the same length: where they disagree in any part, the
    second shows it, and the first keeps the derivative large. The smallest over several step sizes: a small one steps over fewer kinks, a large one
    bears a loss or a net that rounds to float32 on the way (6e-4 off at 1e-4, 6e-6 at 1e-2).
    """
    network = copy.deepcopy(job.network).double().eval()
    inputs = tuple(t.double() if t.is_floating_point() else t for t in job.examples.inputs(torch.from_numpy(rows)))
    targets = job.targets[torch.from_numpy(rows)]
    targets = targets.double() if targets.is_floating_point() else targets
    parameters: list[Tensor] = [p for p in network.parameters() if p.requires_grad]
    generator = torch.Generator().manual_seed(randomness.key(seed, "gradient check"))
    grads = torch.autograd.grad(job.loss(network(*inputs), targets), parameters, allow_unused=True)
    known = [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, grads)]
    random = [torch.randn(p.shape, generator=generator, dtype=torch.float64).to(p.device) for p in parameters]
    directions = [k / _norm(known) + r / _norm(random) for k, r in zip(known, random)]
    exact = sum(float((k * d).sum()) for k, d in zip(known, directions))
    errors = []
    for size in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                torch._foreach_add_(parameters, directions, alpha=sign * size)
                values.append(float(job.loss(network(*inputs), targets)))
                torch._foreach_add_(parameters, directions, alpha=-sign * size)
        numerical = (values[0] - values[1]) / (2 * size)
        errors.append(abs(exact - numerical) / max(abs(exact), abs(numerical), 1e-8))
    return min(errors)


def _norm(tensors: list[Tensor]) -> float:
    return max(float(torch.stack([t.norm() for t in tensors]).norm()), 1e-12)


def batch_leak(job: Job, rows: np.ndarray) -> float:
    """How much the output of the first item moves, in eval mode, when all others are replaced by the last; 0 is due."""
    inputs = job.examples.inputs(torch.from_numpy(rows))
    others = tuple(torch.cat([field[:1], field[-1:].expand(len(field) - 1, *field.shape[1:])]) for field in inputs)
    job.network.eval()
    with torch.inference_mode():
        return float((job.network(*inputs)[0] - job.network(*others)[0]).abs().max())


def input_influence(job: Job, rows: np.ndarray) -> float:
    """The largest difference of outputs between real items: 0 means that the net does not look at its input."""
    logits = predict(job.network, job.examples, rows)
    return float(np.abs(logits - logits[0]).max())


def first_step(job: Job, rows: np.ndarray) -> list[LayerEvidence]:
    """Activations and gradients of every layer on one batch, in train mode, without a step being taken."""
    network = copy.deepcopy(job.network).train()
    seen: dict[str, Tensor] = {}
    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: seen.__setitem__(name, output.detach()))
        for name, module in network.body.named_modules()
        if isinstance(module, ACTIVATIONS)
    ]
    picked = torch.from_numpy(rows)
    job.loss(network(*job.examples.inputs(picked)), job.targets[picked]).backward()
    for handle in handles:
        handle.remove()
    modules = dict(network.body.named_modules())
    evidence = [LayerEvidence(name, dead_frac=share_dead(output), saturated_frac=share_saturated(modules[name], output)) for name, output in seen.items()]
    for name, parameter in network.body.named_parameters():
        if parameter.ndim > 1 and parameter.requires_grad:  # what is frozen has no gradient, and needs none
            norm = 0.0 if parameter.grad is None else float(parameter.grad.norm()) / max(float(parameter.detach().norm()), 1e-12)
            evidence.append(LayerEvidence(name, grad_norm=norm))
    return evidence


def blind(job: Job) -> Job:
    """The same job for a net whose inputs are zeros."""
    network = Network(Blind(job.network.prepare), copy.deepcopy(job.network.body), job.network.finish)
    return replace(job, network=network)


def shuffle_labels(job: Job, seed: int, deal: int = 0) -> Job:
    """The same job with the targets of the train rows dealt anew; val keeps its own.

    They are dealt evenly: within each true class (tenth of the range, for amounts) the new ones have the shares of the whole,
    so that nothing of the truth is left. A plain permutation of fifty labels is right about most of them now and then. Each `deal` is another one.
    """
    targets, generator = job.targets.clone(), randomness.stream(seed, "shuffled labels", deal)
    known = job.examples.plain_targets(job.train)
    order = _deal(known if job.problem.task in ("binary", "multiclass") else _tenths(known), generator)
    targets[torch.from_numpy(job.train)] = job.targets[torch.from_numpy(job.train[order])]
    return replace(job, targets=targets, network=copy.deepcopy(job.network))


def _tenths(targets: np.ndarray) -> np.ndarray:
    """Which tenth of the sorted rows each row is in, int64 (N,); several columns are sorted by the first, then the second, and so on."""
    columns = targets.reshape(len(targets), -1)
    places = np.empty(len(columns), np.int64)
    places[np.lexsort(columns.T[::-1])] = np.arange(len(columns))
    return places * 10 // max(len(columns), 1)


def _deal(kinds: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A permutation, int64 (N,), under which the rows of each kind get rows of all kinds in their shares, rounded."""
    _, kinds, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    mixed = generator.permutation(len(kinds))
    by_kind = mixed[np.argsort(kinds[mixed], kind="stable")]
    own = kinds[by_kind]
    places = (np.arange(len(kinds)) - (np.cumsum(counts) - counts)[own] + 0.5) / counts[own]
    order = np.empty(len(kinds), np.int64)
    order[by_kind] = by_kind[np.argsort(places, kind="stable")]  # any run of these holds every kind in its share
    return order


def prior_loss(job: Job) -> float:
    """The val loss of saying the train set's prior (the mean, for regression) whatever the input is."""
    targets, rows = job.examples.plain_targets(job.train), torch.from_numpy(job.val)
    bias = torch.zeros(job.problem.num_outputs)
    if job.problem.classes:
        bias = torch.from_numpy(losses.prior_bias(job.problem.task, targets, job.problem.num_outputs)).float()
    return float(job.loss(bias.to(job.targets.device).expand(len(rows), -1), job.targets[rows]))


def right_share(job: Job, rows: np.ndarray) -> tuple[float, float]:
    """How much of a tiny batch the net has memorised: (lowest precision or recall of any class, or R²; its loss)."""
    logits = predict(job.network, job.examples, rows)
    outputs, targets = to_outputs(job.problem, job.network, logits), job.examples.plain_targets(rows)
    loss = float(job.loss(torch.from_numpy(logits).to(job.targets.device), job.targets[torch.from_numpy(rows)]))
    if job.problem.classes:
        table = per_class(targets, outputs, job.problem.classes, 0.5).values()
        return min((min(row["precision"], row["recall"]) for row in table if row["support"]), default=0.0), loss
    scaled = job.targets[torch.from_numpy(rows)].cpu().numpy()  # on the scale it is trained on: a log target's largest value would else rule alone
    spread = ((scaled - scaled.mean(0)) ** 2).sum()
    return float(1 - ((logits - scaled) ** 2).sum() / max(spread, 1e-12)), loss
