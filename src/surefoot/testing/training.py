"""The exams of what training is made of: losses, optimizers, schedules. `B` items, `K` outputs."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surefoot.engine.checkpoint import keep_optimizer, load_optimizer
from surefoot.optim import call_schedule
from surefoot.testing.questions import Question
from surefoot.types.configs import TrainConfig

Loss = Callable[..., Tensor]

_B, _K, _STEPS = 12, 4, 50
_TOLERANCE = 1e-5


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# losses


def _targets() -> list[tuple[str, Tensor, Tensor]]:
    """(task, targets, logits that say just these targets) for each form that targets take."""
    classes = torch.arange(_B) % _K
    labels = torch.randint(0, 2, (_B, _K), generator=torch.Generator().manual_seed(1)).float()
    values = _random(_B, _K, seed=2)
    return [("classes", classes, 10 * F.one_hot(classes, _K).float()), ("labels", labels, 20 * labels - 10), ("values", values, values.clone())]


def _fits(loss: Loss) -> Tensor:
    """Targets of the form that this loss is for: it is smallest for the logits that say just these.

    Raises:
        Exception: what it said to the last form, where it takes none.
    """
    error: Exception = ValueError("it takes no targets")
    for _, targets, right in _targets():
        try:
            value = loss(_random(_B, _K), targets)
        except Exception as raised:  # the user's own code may raise anything; this form is then not its own
            error = raised
            continue
        costs = [float(loss(logits, targets).mean()) for logits in (right, -right)]
        if costs[0] < min(float(value.mean()), costs[1]):
            return targets
        error = ValueError(f"right logits cost {costs[0]:.4g}, random ones {float(value.mean()):.4g}, wrong ones {costs[1]:.4g}")
    raise error


def _loss_takes_targets(loss: Loss) -> str:
    _fits(loss)
    return ""


def _loss_is_scalar(loss: Loss) -> str:
    targets = _fits(loss)
    value = loss(_random(_B, _K), targets)
    return "" if isinstance(value, Tensor) and value.shape == () else f"{type(value).__name__} of shape {tuple(getattr(value, 'shape', ()))}"


def _loss_has_gradient(loss: Loss) -> str:
    targets = _fits(loss)
    logits = _random(_B, _K).requires_grad_()
    loss(logits, targets).backward()
    if logits.grad is None or not torch.isfinite(logits.grad).all():
        return "no gradient, or one that is not finite"
    silent = int((logits.grad == 0).all(1).sum())
    return f"{silent} of {_B} items have none" if silent else ""


def _loss_gradient_is_right(loss: Loss) -> str:
    """Central differences in float64; the logits are kept away from corners such as those of an absolute value."""
    targets = _fits(loss)
    targets = targets.double() if targets.is_floating_point() else targets
    logits = (_random(_B, _K, seed=3).double() + 0.01).requires_grad_()
    (analytic,) = torch.autograd.grad(loss(logits, targets), logits)
    step, direction = 1e-6, _random(_B, _K, seed=4).double()
    with torch.no_grad():
        numeric = float(loss(logits + step * direction, targets) - loss(logits - step * direction, targets)) / (2 * step)
    expected = float((analytic * direction).sum())
    off = abs(numeric - expected) / max(abs(numeric), abs(expected), 1e-8)
    return "" if off < 1e-3 else f"along a random direction {expected:.6g}, by differences {numeric:.6g}"


def _loss_weighs(loss: Loss) -> str:
    targets = _fits(loss)
    logits, weights = _random(_B, _K), torch.ones(_B)
    plain, even = float(loss(logits, targets)), float(loss(logits, targets, weights=weights))
    if not math.isclose(plain, even, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
        return f"{plain:.6g} without weights, {even:.6g} with weights of 1"
    half = torch.cat([torch.ones(_B // 2), torch.zeros(_B - _B // 2)])
    first, weighted = float(loss(logits[: _B // 2], targets[: _B // 2])), float(loss(logits, targets, weights=half))
    return "" if math.isclose(first, weighted, rel_tol=1e-4, abs_tol=_TOLERANCE) else f"{weighted:.6g} where half weigh 0, {first:.6g} without that half"


def _loss_ignores_order(loss: Loss) -> str:
    targets = _fits(loss)
    logits, order = _random(_B, _K), torch.arange(_B - 1, -1, -1)
    one, other = float(loss(logits, targets)), float(loss(logits[order], targets[order]))
    return "" if math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE) else f"{one:.6g}, and {other:.6g} in reverse"


def _loss_bears_large_logits(loss: Loss) -> str:
    targets = _fits(loss)
    logits = (1000 * _random(_B, _K)).requires_grad_()
    value = loss(logits, targets)
    value.backward()
    is_finite = bool(torch.isfinite(value)) and logits.grad is not None and bool(torch.isfinite(logits.grad).all())
    return "" if is_finite else f"{float(value):g} at logits of about 1,000"


LOSS = (
    Question(
        "is smallest where logits (B, K) say what the targets are",
        _loss_takes_targets,
        "Sign it (logits, targets, weights=None); logits are raw scores, targets classes (B,), labels (B, K) or values (B, K). Check its sign.",
        True,
    ),
    Question("returns a scalar", _loss_is_scalar, "Average over the items of the batch."),
    Question("sends every item a finite gradient", _loss_has_gradient, "Use differentiable operations only: no argmax, round or comparison."),
    Question("has the gradient that differences give", _loss_gradient_is_right, "Check custom backward functions and .detach()."),
    Question("weighs items", _loss_weighs, "Accept weights=None; with weights, return sum(weights * losses) / sum(weights)."),
    Question("does not depend on the order of the items", _loss_ignores_order, "Treat each item alone, then average."),
    Question("bears large logits", _loss_bears_large_logits, "Use log_softmax, logsigmoid or logsumexp instead of log(softmax(x))."),
)


# optimizers


def _bowl() -> nn.Linear:
    """A small layer whose loss is a bowl with its bottom at a known place."""
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(_random(2, 3, seed=5))
        layer.bias.copy_(_random(2, seed=6))
    return layer


def _height(layer: nn.Linear) -> Tensor:
    return ((layer.weight - 0.5) ** 2).sum() + ((layer.bias + 0.5) ** 2).sum()


def _make(optimizer: Callable, layer: nn.Linear, lr: float = 0.01, weight_decay: float = 0.0) -> torch.optim.Optimizer:
    return optimizer(list(layer.parameters()), lr=lr, weight_decay=weight_decay, momentum=0.9)


def _descend(maker: torch.optim.Optimizer, layer: nn.Linear, steps: int) -> None:
    for _ in range(steps):
        maker.zero_grad()
        _height(layer).backward()
        maker.step()


def _makes_optimizer(optimizer: Callable) -> str:
    made = _make(optimizer, _bowl())
    return "" if isinstance(made, torch.optim.Optimizer) else f"a {type(made).__name__}"


def _goes_down(optimizer: Callable) -> str:
    layer = _bowl()
    before = float(_height(layer).detach())
    _descend(_make(optimizer, layer), layer, 4 * _STEPS)
    after = float(_height(layer).detach())
    return "" if after < 0.5 * before else f"the loss goes from {before:.4g} to {after:.4g} in {4 * _STEPS} steps"


def _obeys_lr(optimizer: Callable) -> str:
    layer = _bowl()
    maker = _make(optimizer, layer)
    for group in maker.param_groups:
        group["lr"] = 0.0
    before = copy.deepcopy(layer.state_dict())
    _descend(maker, layer, 3)
    return "" if _same(before, layer.state_dict()) else "weights move although every group's lr was set to 0"


def _obeys_groups(optimizer: Callable) -> str:
    """A group that says weight_decay = 0 is not decayed: with a gradient of 0 its weights stay."""
    layer = _bowl()
    groups = [{"params": [layer.weight], "weight_decay": 0.1}, {"params": [layer.bias], "weight_decay": 0.0}]
    maker = optimizer(groups, lr=0.01, weight_decay=0.1, momentum=0.9)
    before = layer.bias.detach().clone()
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    maker.step()
    return "" if torch.equal(before, layer.bias) else "a group with weight_decay = 0 was decayed"


def _resumes(optimizer: Callable) -> str:
    """Half the way, what a checkpoint keeps of it loaded into a new one, the other half: the same weights to the last bit."""
    whole, halves = _bowl(), _bowl()
    _descend(_make(optimizer, whole), whole, 2 * _STEPS)
    first = _make(optimizer, halves)
    _descend(first, halves, _STEPS)
    kept = copy.deepcopy(keep_optimizer(first))
    second = _make(optimizer, halves)
    load_optimizer(second, *kept)
    _descend(second, halves, _STEPS)
    return "" if _same(whole.state_dict(), halves.state_dict()) else "the weights differ from those of the uninterrupted run"


def _same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


OPTIMIZER = (
    Question("makes a torch.optim.Optimizer", _makes_optimizer, "Sign it (parameters, *, lr, weight_decay, momentum) and return an optimizer.", True),
    Question("lowers the loss of a bowl", _goes_down, "Check the sign of the step and that lr is used."),
    Question("obeys the lr of its groups", _obeys_lr, 'Read group["lr"] at each step: schedules set it.'),
    Question(
        "takes groups, and obeys their weight decay", _obeys_groups, 'Pass the groups on, and read group["weight_decay"]: biases and norms are not decayed.'
    ),
    Question("goes on from its saved state, bit by bit", _resumes, "Keep all that it remembers in self.state, or in its groups, as tensors and plain numbers."),
)


# schedules


def _over(schedule: Callable, num_steps: int) -> Callable[[int], float]:
    """As a training calls it, with the options at their defaults."""
    return call_schedule(schedule, TrainConfig(), num_steps)


def _factors(schedule: Callable, num_steps: int) -> list[float]:
    factor = _over(schedule, num_steps)
    return [factor(step) for step in range(num_steps)]


def _is_a_factor(schedule: Callable) -> str:
    for num_steps in (1, 2, 7, 100, 1000):
        for step, factor in enumerate(_factors(schedule, num_steps)):
            if not isinstance(factor, int | float) or not math.isfinite(factor) or not 0 <= factor <= 1 + 1e-9:
                return f"{factor!r} at step {step} of {num_steps}"
    return ""


def _reaches_peak(schedule: Callable) -> str:
    top = max(_factors(schedule, 100))
    return "" if top >= 0.9 else f"the largest factor of 100 steps is {top:.3g}, so lr is never what train.lr says"


def _is_pure(schedule: Callable) -> str:
    forward = _factors(schedule, 20)
    factor = _over(schedule, 20)
    backward = [factor(step) for step in reversed(range(20))][::-1]
    return "" if forward == backward else "asked in another order, it answers otherwise"


def _outlives_end(schedule: Callable) -> str:
    factor = _over(schedule, 10)
    late = [factor(10), factor(1000)]
    return "" if all(math.isfinite(f) and 0 <= f <= 1 + 1e-9 for f in late) else f"{late} after the last step"


SCHEDULE = (
    Question(
        "gives a factor in [0, 1] at every step",
        _is_a_factor,
        "Sign it num_steps, and options of [train] by name, -> (step -> factor); the factor multiplies train.lr.",
        True,
    ),
    Question("reaches the peak", _reaches_peak, "Let its largest factor be 1; set the height with train.lr."),
    Question("is a function of the step alone", _is_pure, "Keep no state: a resumed run asks for the steps that are left only."),
    Question("is defined after the last step", _outlives_end, "Clamp the step, e.g. min(step / num_steps, 1)."),
)
