"""The exam of models. Axis letters: `B` batch, `C` channels, `H W` height and width, `F` columns, `K` outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from surefoot.models.build import build
from surefoot.testing.questions import Question
from surefoot.types.configs import ModelConfig
from surefoot.types.data_reports import FieldSpec

_B, _K, _STEPS = 16, 5, 60
_PICTURE = FieldSpec(name="image", shape=(3, 16, 16), dtype="float32")
_NUMBERS = FieldSpec(name="numeric", shape=(6,), dtype="float32", names=tuple("abcdef"))
_CODES = FieldSpec(name="category", shape=(2,), dtype="int32", names=("g", "h"), cardinalities=(4, 3))
_WORDS = FieldSpec(name="text", shape=(7,), dtype="int32", names=("t",), cardinalities=(9,))
_DATA: dict[str, tuple[FieldSpec, ...]] = {
    "pictures": (_PICTURE,),
    "numbers": (_NUMBERS,),
    "categories": (_CODES,),
    "numbers and categories": (_NUMBERS, _CODES),
    "texts": (_WORDS,),
    "numbers, categories and texts": (_NUMBERS, _CODES, _WORDS),
}


@dataclass(frozen=True)
class Candidate:
    """A model by its name, and the folder of the project."""

    name: str
    folder: Path | None = None

    def build(self, data: str) -> nn.Module:
        """A fresh net for one kind of data; the same weights each time."""
        torch.manual_seed(0)
        return build(ModelConfig(use=self.name), _DATA[data], _K, self.folder)

    def fits(self) -> Iterator[tuple[nn.Module, tuple[Tensor, ...]]]:
        """A net and inputs of each kind of data that the model is made for.

        Raises:
            Exception: what it said to the last kind, where it is made for none.
        """
        error: Exception | None = None
        fits = 0
        for data in _DATA:
            inputs = _make_inputs(data)
            try:
                net = self.build(data).eval()
                net(*inputs)
            except Exception as raised:  # the user's own code may raise anything; this kind is then not its own
                error = raised
                continue
            fits += 1
            yield net, inputs
        if not fits and error:
            raise error


def _make_inputs(data: str, num: int = _B) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    inputs = []
    for field in _DATA[data]:
        if field.is_text:
            inputs.append(torch.randint(0, field.cardinalities[0], (num, *field.shape), generator=generator))
        elif field.cardinalities:
            inputs.append(torch.stack([torch.randint(0, most, (num,), generator=generator) for most in field.cardinalities], 1))
        else:
            inputs.append(torch.randn(num, *field.shape, generator=generator))
    return tuple(inputs)


def _takes_data(model: Candidate) -> str:
    return "" if list(model.fits()) else "it takes nothing"


@torch.no_grad()
def _has_shape(model: Candidate) -> str:
    for net, inputs in model.fits():
        out = net(*inputs)
        if not isinstance(out, Tensor) or out.shape != (_B, _K) or not out.is_floating_point():
            return f"{type(out).__name__} of shape {tuple(getattr(out, 'shape', ()))} for {_B} items and {_K} outputs"
    return ""


@torch.no_grad()
def _is_finite(model: Candidate) -> str:
    return "" if all(bool(torch.isfinite(net(*inputs)).all()) for net, inputs in model.fits()) else "NaN or infinity before any training"


@torch.no_grad()
def _keeps_apart(model: Candidate) -> str:
    for net, inputs in model.fits():
        other = tuple(field.clone() for field in inputs)
        other[0][0] = -other[0][0] + 1 if other[0].is_floating_point() else other[0][1]
        off = float((net(*inputs)[1:] - net(*other)[1:]).abs().max())
        if off > 1e-5:
            return f"in eval mode the others' outputs move by {off:.3g} when one item changes"
    return ""


@torch.no_grad()
def _takes_one(model: Candidate) -> str:
    for net, inputs in model.fits():
        one = net(*(field[:1] for field in inputs))
        if one.shape != (1, _K) or not torch.allclose(one, net(*inputs)[:1], atol=1e-5):
            return "one item alone gives other outputs than among others"
    return ""


@torch.no_grad()
def _is_steady(model: Candidate) -> str:
    return "" if all(torch.equal(net(*inputs), net(*inputs)) for net, inputs in model.fits()) else "the same inputs give other outputs in eval mode"


def _learns_everywhere(model: Candidate) -> str:
    for net, inputs in model.fits():
        net.train()
        F.cross_entropy(net(*inputs), torch.arange(_B) % _K).backward()
        unused = [name for name, parameter in net.named_parameters() if parameter.requires_grad and parameter.grad is None]
        broken = [name for name, parameter in net.named_parameters() if parameter.grad is not None and not torch.isfinite(parameter.grad).all()]
        if unused or broken:
            return f"no gradient in {', '.join(unused[:5])}" if unused else f"NaN or infinite gradients in {', '.join(broken[:5])}"
    return ""


def _memorises(model: Candidate) -> str:
    for net, inputs in model.fits():
        net.train()
        targets = torch.arange(_B) % _K
        optimizer = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=1e-2)
        losses = []
        for _ in range(_STEPS):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(*inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        if losses[-1] > 0.5 * losses[0]:
            return f"the loss of {_B} items goes from {losses[0]:.3g} to {losses[-1]:.3g} in {_STEPS} steps"
    return ""


@torch.no_grad()
def _restores(model: Candidate) -> str:
    """Weights of one net put into another give the same outputs: nothing that matters lives outside the state."""
    for net, inputs in model.fits():
        for parameter in net.parameters():
            parameter.add_(0.01)
        shapes = [field.shape for field in inputs]
        again = next(other for other, given in model.fits() if [field.shape for field in given] == shapes)
        again.load_state_dict(net.state_dict())
        if not torch.equal(net(*inputs), again(*inputs)):
            return "weights put into a fresh net give other outputs"
    return ""


MODEL = (
    Question(
        "can be built for pictures, rows or texts, and called",
        _takes_data,
        "Ask in __init__ for what you need by name, such as input_shape and num_outputs; forward takes one tensor per field.",
        True,
    ),
    Question("gives raw outputs (B, K)", _has_shape, "End in a layer with num_outputs units, without softmax.", True),
    Question("starts finite", _is_finite, "Initialise the weights on the scale of 1 / sqrt(inputs)."),
    Question("keeps the items of a batch apart", _keeps_apart, "Look for a view, mean or norm over the batch axis."),
    Question("takes one item as it takes many", _takes_one, "Avoid squeeze() without an axis, and statistics of the batch in eval mode."),
    Question("is steady in eval mode", _is_steady, "Use nn.Dropout or F.dropout(x, training=self.training)."),
    Question("sends a gradient to each parameter", _learns_everywhere, "Use every layer that you define, or freeze it with requires_grad_(False)."),
    Question("learns a tiny batch by heart", _memorises, "Look for a detach, a saturated activation, or too few units."),
    Question("is restored by its state", _restores, "Keep all that matters in parameters and buffers."),
)
