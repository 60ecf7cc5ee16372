"""Muon: matrices move by their orthogonalised momentum, all other weights by AdamW, in one optimizer.

A matrix's momentum is dominated by a few directions; its orthogonal factor moves all of them equally far (Jordan et al. 2024, "Muon: An optimizer for
hidden layers in neural networks"). Axis letters: `N` matrices of one shape, `R C` rows and columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw as step_adamw

from surefoot.types.errors import UsageError

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Five rounds of a·s + b·s³ + c·s⁵ take every singular value s from 0.002 to 1 to between 0.68 and 1.21; the steep slope `a` at 0 lifts the small ones."""
_ROUNDS = 5
_RMS = 0.2
"""Root mean square of a step in units of lr, about that of AdamW's steps (Liu et al. 2025, "Muon is Scalable for LLM Training")."""
_BETA2, _EPS = 0.999, 1e-8
_SMALL = 128 * 128
"""Entries up to which matrices of one shape are orthogonalised together on a CPU: 20 of 64 x 32 took 1.8 ms instead of 7.6 on one thread, 6 of 128 x 128
6 instead of 9; but 6 of 128 x 384 took 26 instead of 19 and 4 of 512 x 512 took 420 instead of 260 (PyTorch 2.13)."""


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum for matrices and kernels, AdamW for the rest; decay is decoupled in both.

    A step is scaled so that its root mean square is 0.2 lr whatever the shape, by 0.2 · max(R, C)**0.5, and not by max(1, R / C)**0.5: so matrices and the
    weights that AdamW moves share one lr and one decay, and the values that suit AdamW suit here.

    Args:
        parameters: or groups of them. A group that says `"matrix": False` is moved by AdamW; in all others what has two axes or more is a matrix, its
            first axis the rows, all others flattened to columns.
        lr: at least 0.
        weight_decay: at least 0; weights shrink by lr · weight_decay a step.
        momentum: in [0, 1), of the matrices; the first beta of AdamW.

    Raises:
        UsageError: a value is out of its range.
    """

    def __init__(self, parameters: Iterable[nn.Parameter] | list[dict[str, Any]], *, lr: float, weight_decay: float, momentum: float) -> None:
        for name, value, fits in (("lr", lr, lr >= 0), ("weight_decay", weight_decay, weight_decay >= 0), ("momentum", momentum, 0 <= momentum < 1)):
            if not fits:
                allowed = "from 0 up to, but not, 1" if name == "momentum" else "0 or more"
                raise UsageError(f"muon can't take {name} = {value:g}.", where=f"train.{name}", next=f"Set it to {allowed}.")
        # `fused` is said as AdamW says it: by it PyTorch knows that `step`, read back from a checkpoint, belongs beside its weights and not on the CPU.
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "matrix": True, "fused": True})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step for every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moving = [p for p in group["params"] if p.grad is not None]
            self._step_matrices(group, [p for p in moving if group["matrix"] and p.ndim > 1])
            self._step_rest(group, [p for p in moving if not (group["matrix"] and p.ndim > 1)])
        return loss

    def _step_matrices(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        for alike in _pair_up(parameters):
            directions = orthogonalise(torch.stack([self._look_ahead(p, group["momentum"]).flatten(1) for p in alike]))
            size = group["lr"] * _RMS * max(directions.shape[1:]) ** 0.5
            for parameter, direction in zip(alike, directions):
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction.reshape(parameter.shape), alpha=size)

    def _look_ahead(self, parameter: Tensor, momentum: float) -> Tensor:
        """The gradient and momentum one step ahead (Nesterov); its scale is of no account, orthogonalising takes it off."""
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        assert parameter.grad is not None
        return parameter.grad.add(state["momentum"].mul_(momentum).add_(parameter.grad), alpha=momentum)

    def _step_rest(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        if not parameters:
            return
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter] |= {
                    "step": torch.zeros((), device=parameter.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
        grads, states = [p.grad for p in parameters if p.grad is not None], [self.state[p] for p in parameters]
        first, second, steps = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq", "step"))
        step_adamw(
            parameters, grads, first, second, [], steps, fused=True, amsgrad=False, beta1=group["momentum"], beta2=_BETA2, lr=group["lr"],
            weight_decay=group["weight_decay"], eps=_EPS, maximize=False,
        )  # fmt: skip


def _pair_up(parameters: list[Tensor]) -> list[list[Tensor]]:
    """Those to be orthogonalised together: of one shape, and small enough that it pays."""
    found: dict[tuple[int, ...], list[Tensor]] = defaultdict(list)
    for place, parameter in enumerate(parameters):
        alone = parameter.device.type == "cpu" and parameter.numel() > _SMALL
        found[(len(parameter), parameter[0].numel(), place if alone else -1)].append(parameter)
    return list(found.values())


def orthogonalise(matrices: Tensor) -> Tensor:
    """The nearest matrices with singular values near 1, by Newton and Schulz's iteration: matrix products only, no decomposition.

    Args:
        matrices: float (N, R, C); the scale of each is of no account, and zeros stay zeros.

    Returns:
        (N, R, C) with singular values in about [0.7, 1.2]; those under a five-hundredth of the matrix's norm are lifted less far.
    """
    a, b, c = _QUINTIC
    is_tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if is_tall else matrices  # the products are as large as the shorter side
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if is_tall else x
