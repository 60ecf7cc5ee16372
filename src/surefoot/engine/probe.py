"""What a net does before and at the first step: evidence for the sanity checks. The engine does, `checks` judges."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from surefoot import losses, randomness
from surefoot.engine.fit import Job
from surefoot.engine.head import say, without_dropout
from surefoot.engine.predict import predict, to_outputs
from surefoot.metrics import per_class
from surefoot.models.network import Network

_MASKS, _DEALS, _MOST_TRIES = 8, 199, 50
_DRAWS, _ON_A_LINE = 3, 1e-6
"""Nets with weights drawn anew that must all be linear; how far from a line, relative to the spread of the outputs: float64 rounds at 1e-15."""


class Blind(nn.Module):
    """A transform that sees nothing: its inputs are zeros."""

    def __init__(self, prepare: nn.Module) -> None:
        super().__init__()
        self.prepare = prepare

    def forward(self, *fields: Tensor) -> tuple[Tensor, ...]:
        return self.prepare(*(torch.zeros_like(field) for field in fields))


def random_inputs(job: Job, num: int, seed: int) -> tuple[Tensor, ...]:
    """Random raw fields of the right shapes and ranges, (num, ...) each."""
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
    return tuple(inputs)


@torch.inference_mode()
def random_outputs(job: Job, num: int, seed: int) -> Tensor:
    """What the net says to random inputs of the right shape, in eval mode: (num, ...)."""
    return job.network.eval()(*random_inputs(job, num, seed))


def loss_at_init(job: Job, rows: np.ndarray) -> float:
    """The loss of the untrained net on some rows."""
    logits = torch.from_numpy(predict(job.network, job.examples, rows)).to(job.targets.device)
    return float(job.loss(logits, job.targets[torch.from_numpy(rows)]))


@torch.inference_mode()
def batch_leak(job: Job, rows: np.ndarray) -> tuple[float, float]:
    """How much an item's output moves, in eval mode, when all others are replaced; 0 is due. And the size of the outputs.

    Asked of the first, a middle and the last item: what runs along the batch reaches only those after it. Draws of the net's own are seeded alike.
    """
    inputs = job.examples.inputs(torch.from_numpy(rows))
    job.network.eval()
    outputs = _seeded(job, inputs)
    moved = 0.0
    for place in sorted({0, len(rows) // 2, len(rows) - 1}):
        other = (place + 1) % len(rows)
        picks = torch.full((len(rows),), other)
        picks[place] = place
        alone = _seeded(job, tuple(field[picks] for field in inputs))
        moved = max(moved, float((outputs[place] - alone[place]).abs().max()))
    return moved, float(outputs.abs().max())


def _seeded(job: Job, inputs: tuple[Tensor, ...]) -> Tensor:
    torch.manual_seed(0)
    return job.network(*inputs)


@torch.no_grad()
def is_affine(job: Job, rows: np.ndarray, seed: int) -> bool:
    """Whether half-way between two items the net says what lies half-way between its answers, whatever its weights are: so does a linear layer alone.

    Asked in float64 and eval mode, of nets with one field of numbers; at inputs a thousand and a million times as large too, for a net that divides them by
    255 meets no kink of its ReLUs, and is no linear one.
    """
    prepared = job.network.eval().prepare(*job.examples.inputs(torch.from_numpy(rows)))
    if len(prepared) != 1 or not prepared[0].is_floating_point() or len(rows) < 2:
        return False
    body, items = copy.deepcopy(job.network.body).double().eval(), prepared[0].double()
    for draw in range(_DRAWS):
        generator = torch.Generator().manual_seed(randomness.key(seed, "weights of a line", draw))
        for parameter in body.parameters():
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64).to(parameter) / max(1, fan_in) ** 0.5)
        far = items * 1_000.0**draw
        try:
            between, answers = body((far + far.roll(1, 0)) / 2), body(far)
        except RuntimeError:  # a net that holds numbers of its own in float32
            return False
        apart = (between - (answers + answers.roll(1, 0)) / 2).abs().max()
        if not apart <= _ON_A_LINE * (answers - answers.mean(0)).abs().max():
            return False
    return True


def count_layers(job: Job) -> int:
    """Layers with a matrix of weights."""
    return sum(weight.ndim > 1 for weight in job.network.body.parameters())


@torch.inference_mode()
def says_the_same(job: Job, rows: np.ndarray) -> bool:
    """Whether the net answers alike, to the last bit, when it is asked twice in eval mode."""
    inputs = job.examples.inputs(torch.from_numpy(rows))
    job.network.eval()
    return bool(torch.equal(job.network(*inputs), job.network(*inputs)))


def has_gradient(job: Job, rows: np.ndarray) -> bool:
    """Whether autograd follows the outputs back to anything that is trained."""
    return bool(job.network.eval()(*job.examples.inputs(torch.from_numpy(rows))).requires_grad)


def are_equal(one: Network, other: Network) -> bool:
    """Whether two nets have the same weights, to the last bit."""
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values()))


def input_influence(job: Job, rows: np.ndarray) -> float:
    """The largest difference of outputs between real items: 0 means that the net does not look at its input."""
    logits = predict(job.network, job.examples, rows)
    return float(np.abs(logits - logits[0]).max())


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


def prior_loss(job: Job, on: np.ndarray | None = None, says: str = "") -> float:
    """The loss, on val or on some rows, of what is best said whatever the input is.

    For the loss that goes with the task that is the train set's prior (the mean, for regression). Another has a best constant of its own: a median, a
    quantile, even odds. With positives that weigh 19 times as much, one item in twenty, the prior costs 2.89 and even odds 1.32, and a net on shuffled labels
    learns these.

    Args:
        says: terms in which the net speaks, and in which the loss is asked; see `HeadEvidence`.
    """
    rows, prior = torch.from_numpy(job.val if on is None else on), _find_prior(job)
    return min(_cost_constant(job, constant, rows, says) for constant in (prior, find_constant(job, says)))


def find_constant(job: Job, says: str = "") -> Tensor:
    """What is best said of all train rows under the job's own loss, as logits or amounts: float32 (K,)."""
    prior, rows = _find_prior(job), torch.from_numpy(job.train)
    if job.loss is losses.get(job.problem.loss):
        return prior
    with contextlib.suppress(Exception):  # a loss of the user's own that has no gradient here, or refuses what is tried, is left with the prior
        found = _find_cheapest(job, prior, says)
        if _cost_constant(job, found, rows, says) < _cost_constant(job, prior, rows, says):
            return found
    return prior


def _find_prior(job: Job) -> Tensor:
    """Logits of the train set's class shares; 0 for amounts, which is their mean."""
    bias = torch.zeros(job.problem.num_outputs)
    if job.problem.classes:
        targets = job.examples.plain_targets(job.train)
        bias = torch.from_numpy(losses.prior_bias(job.problem.task, targets, job.problem.num_outputs)).float()
    return bias.to(job.targets.device)


def _cost_constant(job: Job, constant: Tensor, rows: Tensor, says: str) -> float:
    """The loss, on some rows, of saying (K,) to all."""
    return float(job.loss(say(job, constant.expand(len(rows), -1), says), job.targets[rows]))


def _find_cheapest(job: Job, start: Tensor, says: str) -> Tensor:
    """What costs least on the train rows when it is said to all of them, (K,). L-BFGS (Liu and Nocedal 1989) from the prior."""
    rows, found = torch.from_numpy(job.train), start.clone().requires_grad_()
    descent = torch.optim.LBFGS([found], max_iter=_MOST_TRIES, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        descent.zero_grad()
        value = job.loss(say(job, found.expand(len(rows), -1), says), job.targets[rows])
        value.backward()
        return value

    with torch.enable_grad():
        descent.step(cost)
    return found.detach()


def even_out(job: Job, rows: np.ndarray) -> Job:
    """The job with the amounts of some rows at normal scores: each at the quantile of a standard normal that its rank among them is, equal ones at one.

    What can be learnt by heart doesn't depend on the targets (Zhang et al. 2017); how many steps it takes does. Of 2,000 lognormal amounts of sigma 3 some two
    dozen differ by a thousandth of the spread that all are standardised by, or one alone makes their variance, and knowing that one is R² 0.99.

    Source: van der Waerden 1952 (normal scores).
    """
    if job.problem.classes:
        return job
    targets, picked = job.targets.clone(), torch.from_numpy(rows)
    each, other = targets[picked][:, None], targets[picked][None]
    ranks = (other < each).sum(1) + ((other == each).sum(1) + 1) / 2
    targets[picked] = torch.special.ndtri(ranks / (len(rows) + 1)).to(targets)
    return replace(job, targets=targets)


def right_share(job: Job, rows: np.ndarray) -> tuple[float, float]:
    """How much of a tiny batch the net has memorised: (lowest precision or recall of any class, or R²; its loss)."""
    logits = predict(job.network, job.examples, rows)
    outputs, targets = to_outputs(job.problem, job.network, logits), job.examples.plain_targets(rows)
    loss = float(job.loss(torch.from_numpy(logits).to(job.targets.device), job.targets[torch.from_numpy(rows)]))
    if job.problem.classes:
        table = per_class(targets, outputs, job.problem.classes, 0.5).values()
        return min((min(row["precision"], row["recall"]) for row in table if row["support"]), default=0.0), loss
    scaled = job.targets[torch.from_numpy(rows)].cpu().numpy()  # on the scale it is trained on
    spread = ((scaled - scaled.mean(0)) ** 2).sum()
    return float(1 - ((logits - scaled) ** 2).sum() / max(spread, 1e-12)), loss


def mode_losses(job: Job, rows: np.ndarray) -> tuple[float, float]:
    """Loss on some rows in train mode and in eval mode, dropout off."""
    network, picked = copy.deepcopy(job.network), torch.from_numpy(rows)
    inputs, targets = job.examples.inputs(picked), job.targets[picked]
    with without_dropout(network), torch.no_grad():
        eval_loss = float(job.loss(network.eval()(*inputs), targets))
        return float(job.loss(network.train()(*inputs), targets)), eval_loss


def find_stale_norms(job: Job) -> list[str]:
    """Batch norms of a trained net whose running statistics are still those that they began with: mean 0 and variance 1, to the last bit."""
    norms = [(name, module) for name, module in job.network.body.named_modules(prefix="body") if isinstance(module, nn.modules.batchnorm._NormBase)]
    kept = [(name, module.running_mean, module.running_var) for name, module in norms]
    return [name for name, mean, var in kept if mean is not None and var is not None and not mean.any() and bool((var == 1).all())]


def dropout_noise(job: Job, rows: np.ndarray, seed: int) -> float | None:
    """Variance of the outputs over the masks of dropout, relative to their variance over items; None where no mask moves them. Batch norm stays still."""
    network, inputs = copy.deepcopy(job.network).train(), job.examples.inputs(torch.from_numpy(rows))
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._NormBase):
            module.eval()
    draws = []
    with torch.no_grad():
        for draw in range(_MASKS):
            torch.manual_seed(randomness.key(seed, "masks", draw))
            draws.append(network(*inputs).double())
    outputs = torch.stack(draws)
    noise = float(outputs.var(0).mean())
    if noise == 0:
        return None
    signal = float(outputs.mean(0).var(0).mean()) - noise / _MASKS  # the mean over masks still holds that much of their noise
    return noise / max(signal, 1e-12 * noise)


def pick_apart(job: Job, rows: np.ndarray) -> np.ndarray:
    """The first row of each group, all where there are no groups: rows that belong together come true together, and are no evidence of their own."""
    groups = job.examples.groups
    return rows if groups is None else rows[np.sort(np.unique(groups[rows], return_index=True)[1])]


def chance_of(job: Job, rows: np.ndarray, seed: int) -> float:
    """Share of random deals of the targets among the rows that the net's outputs fit as well as the true targets: a permutation test of the loss.

    Args:
        rows: that may change places, none of them of another's group; see `pick_apart`.
    """
    logits = torch.from_numpy(predict(job.network, job.examples, rows)).to(job.targets.device)
    targets, generator = job.targets[torch.from_numpy(rows)], randomness.stream(seed, "deals")
    own = float(job.loss(logits, targets))
    dealt = [float(job.loss(logits, targets[torch.from_numpy(generator.permutation(len(rows)))])) for _ in range(_DEALS)]
    return (1 + sum(loss <= own for loss in dealt)) / (1 + _DEALS)
