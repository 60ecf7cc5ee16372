"""Can this net learn at all? What is seen before the first step: evidence in, one `Check` and perhaps a finding out.

Sources: Karpathy, "A Recipe for Training Neural Networks" (2019); CS231n, "Neural Networks Part 3"; Goodfellow et al. 2016, ch. 11.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from surefoot.checks.verdict import Verdict, judge
from surefoot.types.findings import Evidence, Severity
from surefoot.types.reports import Check

INIT_TOLERANCE = 0.15
"""Relative distance of the loss at init from theory: random weights of a sound init stay within it, a second softmax or a scaled head does not."""
GRADIENT_TOLERANCE = 1e-4
"""In float64 a right gradient agrees to 1e-7; kinks of ReLU can cost some digits (CS231n)."""
BACKPROP_TOLERANCE = 1e-6
"""Of the four equations, which hold layer by layer without any differences: float64 rounds at 1e-16 a product."""
LEAK_TOLERANCE = 1e-4
SQUASHED = 2.5
"""Widest distance between an item's outputs under any weights: a softmax or sigmoid bears 1, a tanh 2; raw outputs are bounded by nothing."""
AMOUNT_TOLERANCE = 0.4
"""The same for amounts, where outputs of size s add s² to the loss: PyTorch's own init after a batch norm gives up to 0.6."""
UNMOVED = 1e-5
"""Of a loss: how little dealing the targets changes it, relative to its size, to be no change: where errors cancel, float32 leaves 1e-7."""
SQUEEZED, FEW_ITEMS, SCALE = 0.3, 0.1, (1e-3, 1e3)
"""Of a loss: what is left of a neutral answer's cost where the answer is right, of two classes 0.45 under a second softmax and more of more classes; share of
the items that count; size where nothing is said: gradients of a loss a thousand times smaller come near Adam's eps of 1e-8."""
FAINT, NOTHING = 1e-4, 1e-12
"""Under weights drawn anew the outputs of a net that looks at its input differ between items by about their size; behind sixteen sigmoids by 5e-6. float64
rounds at 1e-16."""
DEAD, SATURATED, VANISHING, FADED, EXPLODING, GROWN = 0.9, 0.5, 1e-7, 1e-4, 1e3, 100.0
"""FADED: gradient of a layer relative to the best served one, each by its weights. GROWN: size of a layer's outputs relative to the net's inputs; a sound init
keeps it within a power of ten at any depth (He et al. 2015)."""


class Layer(Protocol):
    """See `engine.layers.LayerEvidence`."""

    @property
    def name(self) -> str: ...
    @property
    def dead_frac(self) -> float | None: ...
    @property
    def saturated_frac(self) -> float | None: ...
    @property
    def grad_norm(self) -> float | None: ...
    @property
    def growth(self) -> float | None: ...
    @property
    def is_symmetric(self) -> bool: ...


class Head(Protocol):
    """See `engine.head.HeadEvidence`."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def spread(self) -> float: ...
    @property
    def sums_to_one(self) -> bool: ...
    @property
    def layer(self) -> str: ...
    @property
    def has_bias(self) -> bool | None: ...


class Loss(Protocol):
    """See `engine.head.LossEvidence`."""

    @property
    def at_init(self) -> float: ...
    @property
    def neutral(self) -> float: ...
    @property
    def right(self) -> float: ...
    @property
    def wrong(self) -> float: ...
    @property
    def mixed_up(self) -> float: ...
    @property
    def repeated(self) -> float: ...
    @property
    def takes(self) -> str: ...
    @property
    def surer(self) -> float | None: ...
    @property
    def share(self) -> float: ...


def output_shape(shape: tuple[int, ...], num_items: int, num_outputs: int, is_finite: bool) -> Verdict:
    """Random input of the right shape gives (B, num_outputs) finite numbers."""
    what = f"random inputs give {shape}, {'finite' if is_finite else 'not finite'}; ({num_items}, {num_outputs}) is due"
    check = Check(name="output shape", ok=shape == (num_items, num_outputs) and is_finite, what=what)
    return judge(check, "model.output_shape", "Return one raw output per class or target, and no more.", {"got": list(shape), "due": [num_items, num_outputs]})


def sees_input(moves: float, given: float) -> Verdict:
    """The outputs move with the input, whatever the weights are.

    Args:
        moves, given: see `engine.head.measure_reach`. A signal that fades on its way through the layers is no input that never got there.
    """
    ok = moves >= NOTHING and not (moves < FAINT and given < FAINT)
    what = (
        f"under weights drawn anew the outputs differ between items by {moves:.1e} of their size; what the first layer is given is {given:.1e} of the input's"
    )
    check = Check(name="the input reaches the outputs", measured=moves, expected=f"over {FAINT:g}", ok=ok, what=what)
    advice = "Follow the input through forward(): it is dropped, multiplied by 0, or scaled to nothing."
    return judge(check, "model.input_ignored", advice, {"moves": moves, "given": given, "thresholds": [NOTHING, FAINT]}, where="model")


def has_gradient(is_there: bool) -> Verdict:
    """The outputs depend on weights in a way that autograd can follow."""
    what = "autograd follows the outputs back to weights" if is_there else "autograd finds no way from the outputs back to any weight"
    advice = "Look for detach(), no_grad(), numpy, argmax or rounding in forward(): no step would change anything."
    return judge(Check(name="the outputs have a gradient", ok=is_there, what=what), "model.gradient_wrong", advice, {"has gradient": is_there}, where="model")


def last_layer(head: Head, task: str, *, is_own_loss: bool = False) -> Verdict:
    """The last layer can say whatever the task may ask for: its outputs are raw, not squashed, cut or bound to sum to 1.

    Whatever the weights are: evidence comes from nets with weights drawn anew. A loss of the user's own may want what is squashed; then it is a warning,
    because the exported model squashes once more.
    """
    fault, floor = _find_squashing(head, task)
    what = f"under weights drawn anew the outputs range over [{head.low:.3g}, {head.high:.3g}]" + (f": {fault}" if fault else ", as raw outputs do")
    check = Check(name="last layer fits the task", ok=not fault, what=what)
    evidence: Evidence = {"low": head.low, "high": head.high, "spread": head.spread, "threshold": SQUASHED, "least loss": floor}
    advice = "Return raw outputs: remove the activation after the last layer; the loss applies softmax or sigmoid itself."
    severity: Severity = "warn" if is_own_loss or (task == "multiclass" and "cuts" in fault) else "stop"
    return judge(check, "model.wrong_last_layer", advice, evidence, severity, head.layer or "s06_sanity")


def _find_squashing(head: Head, task: str) -> tuple[str, float | None]:
    """What is wrong with the range, and the least loss that it leaves possible, where there is one."""
    if task == "multiclass":
        return _find_softmax(head)
    if head.low > -1e-6 or head.high < 1e-6:
        side = "negative" if head.low > -1e-6 else "positive"
        if task in ("binary", "multilabel"):
            squashed = head.high <= 1 + 1e-6
            name = "a sigmoid is applied in the net, and the loss applies it again" if squashed else "an activation cuts the raw outputs"
            return f"{name}; no output is {side}, so no prob is {'under' if side == 'negative' else 'over'} one half", math.log(2)
        return f"an activation allows no {side} output, and the scaled targets are so for about half of the items", None
    if max(-head.low, head.high) <= 1 + 1e-6:
        return "an activation (tanh?) bounds the outputs, and the targets go beyond", None
    return "", None


def _find_softmax(head: Head) -> tuple[str, float | None]:
    if head.sums_to_one:
        return "a softmax is applied in the net, and the loss applies it again", None
    if head.spread <= SQUASHED:
        return "an activation (sigmoid or tanh?) bounds the outputs, so that no class can be sure", None
    if head.low > -1e-6:
        return "an activation (ReLU?) cuts the raw outputs at 0", None
    return "", None


def bias(head: Head) -> Verdict:
    """The last layer has a bias: without it no input means all classes alike, whatever their shares."""
    what = f"the last layer{f' {head.layer}' if head.layer else ''} has " + ("no bias" if head.has_bias is False else "a bias, or adds one")
    check = Check(name="last layer has a bias", ok=head.has_bias is not False, what=what)
    advice = "Give the last layer a bias: it says the shares of the classes, or the targets' mean, before any input does."
    return judge(check, "model.wrong_last_layer", advice, {"has_bias": head.has_bias}, "warn", head.layer or "s06_sanity")


def init_loss(measured: float, expected: float, theory: str, *, name: str = "loss at init", slack: float = 0.1, tolerance: float = INIT_TOLERANCE) -> Verdict:
    """The loss before the first step is what theory says.

    Args:
        slack: the distance is relative to the expected loss, or to this where it is larger: a loss near 0 would allow none.
        tolerance: see `INIT_TOLERANCE`.
    """
    ok = math.isfinite(measured) and abs(measured - expected) <= tolerance * max(expected, slack)
    what = f"the {name} is {measured:.3f}; {expected:.3f} is due: {theory}"
    check = Check(name=name, measured=measured, expected=f"{expected:.3f}", ok=ok, what=what)
    advice = "Return raw outputs (no softmax or sigmoid of your own), start the last layer small, and check the loss."
    evidence: Evidence = {"measured": measured, "expected": expected, "tolerance": tolerance}
    return judge(check, "model.init_loss", advice, evidence, "warn" if math.isfinite(measured) else "stop")


def own_loss(loss: Loss) -> Verdict:
    """What any loss must do, whatever it is: cost least where the outputs are right, tell the items apart, be a mean, and take what the net gives."""
    fault, code, advice, severity = _find_loss_fault(loss)
    what = f"the loss costs {loss.at_init:.3g} at init, {loss.right:.3g} where all outputs are right and {loss.wrong:.3g} where they are wrong{fault}"
    evidence: Evidence = {"at init": loss.at_init, "neutral": loss.neutral, "right": loss.right, "wrong": loss.wrong, "mixed up": loss.mixed_up}
    evidence |= {"surer": loss.surer, "repeated": loss.repeated, "takes": loss.takes, "share": loss.share, "thresholds": [SQUEEZED, FEW_ITEMS, *SCALE]}
    check = Check(name="the loss is one", measured=loss.right, expected=f"under {loss.neutral:.3g}", ok=not fault, what=what)
    return judge(check, code, advice, evidence, severity, where="train.loss")


def _find_loss_fault(loss: Loss) -> tuple[str, str, str, Severity]:
    """What is wrong (empty: nothing), its code, what to do, and how bad it is: the nearest reason first."""
    last, init = "model.wrong_last_layer", "model.init_loss"
    apart = "Compare shapes: (B, 1) against (B,) compares each item with every other."
    turned = "Turn its sign, and compare shapes: (B, 1) against (B,)."
    if loss.takes:
        return f": it takes {loss.takes}, and the net gives logits", last, "Let the loss take raw outputs: use log_softmax or *_with_logits in it.", "stop"
    if not math.isfinite(loss.at_init):
        return ": it is no finite number before the first step", init, "Look for log(0), division by 0 and roots of negative numbers in the loss.", "stop"
    if loss.right > loss.neutral or (math.isfinite(loss.wrong) and loss.right >= loss.wrong):
        return ": being right costs more than saying nothing, so its sign or its pairing is wrong", init, turned, "stop"
    size = max((abs(cost) for cost in (loss.right, loss.neutral, loss.wrong) if math.isfinite(cost)), default=0.0)
    if loss.mixed_up <= loss.right + UNMOVED * size:
        return ": dealing the targets to other items changes nothing", init, apart, "stop"
    if abs(loss.repeated - 2) < 0.05:
        what = f": the same items twice cost {loss.repeated:.2f} times as much, so it is a sum"
        return what, init, "Return the mean over the items: lr would depend on the batch size.", "stop"
    if loss.share < FEW_ITEMS:
        what = f": it depends on {loss.share:.1%} of the items"
        return what, init, "Look for an index such as [0], a max or a min over the batch: every item must count.", "stop"
    if loss.surer is not None and loss.right > SQUEEZED * loss.neutral > 0 and abs(loss.surer - loss.right) < 0.02 * loss.neutral:
        what = f"; however sure and right they are it stays at {loss.surer / loss.neutral:.0%} of what saying nothing costs, so it squashes what it is given"
        return what, last, "Remove the softmax or sigmoid before a loss that applies one itself: cross_entropy, *_with_logits.", "stop"
    if loss.surer is not None and loss.right < -1e-6:
        return ": it is under 0 where they are right", init, "Look whether a log is missing: nll_loss takes log_softmax.", "warn"
    if 0 < abs(loss.neutral) < SCALE[0] or abs(loss.neutral) > SCALE[1]:
        return f"; {loss.neutral:.2g} for saying nothing is far from 1", init, "Scale it: lr, clipping and the eps of Adam suit losses about 1.", "warn"
    return "", init, "", "stop"


def gradient(error: float, where: str = "", threshold: float = GRADIENT_TOLERANCE) -> Verdict:
    """Autograd agrees with differences. `where` names what disagrees."""
    what = f"autograd and central differences agree to {error:.1e}; {threshold:.0e} is the limit" + (f"; wrong is {where}" if where else "")
    check = Check(name="gradient check", measured=error, expected="0", ok=error <= threshold, what=what)
    advice = "Look for detach(), no_grad(), in-place changes, rounding or a wrong backward in the model or the loss."
    return judge(check, "model.gradient_wrong", advice, {"error": error, "threshold": threshold, "where": where}, where=where or "s06_sanity")


def backprop(error: float, where: str, num_equations: int) -> Verdict:
    """Backprop's four equations give what autograd gives, layer by layer."""
    most = f", most in {where}" if where else ""
    what = f"backprop's equations by hand and autograd differ by {error:.1e} at most, over {num_equations} equations{most}"
    check = Check(name="backprop's four equations", measured=error, expected="0", ok=error <= BACKPROP_TOLERANCE, what=what)
    advice = "`surefoot lesson backprop` shows each layer's; look for a hook or a backward of your own there."
    return judge(
        check, "model.gradient_wrong", advice, {"error": error, "threshold": BACKPROP_TOLERANCE, "equations": num_equations}, where=where or "s06_sanity"
    )


def has_activation(is_affine: bool, num_layers: int) -> Verdict:
    """Several layers say more than one: something between them is not linear."""
    ok = not is_affine or num_layers < 2
    what = f"the outputs are a linear function of the input, whatever the weights of the {num_layers} layers are"
    check = Check(name="layers are not one", ok=ok, what="the net is no linear function of its input, or has one layer" if ok else what)
    advice = "Put an activation (nn.ReLU()) between the layers: without, all of them together say no more than a single one."
    return judge(check, "train.underfit", advice, {"is linear": is_affine, "layers": num_layers}, "warn", "model")


def unknown_weights(names: Sequence[str]) -> Verdict:
    """Every weight that the output depends on is known to the optimizer."""
    what = f"{len(names)} weights take part that are no parameters of the net" + (f", of shapes {', '.join(names[:5])}" if names else "")
    check = Check(name="all weights are trained", ok=not names, what=what)
    advice = "Layers in a plain list or dict are not seen: use nn.ModuleList, nn.ModuleDict or nn.Parameter. They would not be trained, stored or exported."
    return judge(check, "model.vanishing_gradient", advice, {"weights": list(names[:20])})


def batch_leak(moved: float, size: float = 1.0) -> Verdict:
    """An item's output does not depend on the items beside it. `size`: of the outputs; large ones round more."""
    what = f"replacing the other items of a batch moves an item's output by {moved:.1e} in eval mode"
    check = Check(name="items stay apart", measured=moved, expected="0", ok=moved <= LEAK_TOLERANCE * max(1.0, size), what=what)
    advice = "Look for a reshape, or a softmax, mean or normalisation over axis 0, in the model."
    return judge(check, "model.batch_leak", advice, {"moved": moved, "threshold": LEAK_TOLERANCE})


def symmetric(evidence: Sequence[Layer]) -> Verdict:
    """No layer's units start alike and get the same gradient: they would stay one unit for ever (Goodfellow et al. 2016, section 8.4)."""
    alike = [e.name for e in evidence if e.is_symmetric]
    what = f"in {len(alike)} layer(s) all units have the same weights and get the same gradient" + (f": {', '.join(alike[:5])}" if alike else "")
    check = Check(name="units differ", ok=not alike, what=what)
    advice = "Draw the weights at random (nn.init.kaiming_normal_); zeros and constants leave all units of a layer alike for ever."
    return judge(check, "model.zero_init", advice, {"layers": alike[:20]}, "warn", alike[0] if alike else "")


def layers(evidence: Sequence[Layer], when: str = "on the first step", before: Sequence[Layer] | None = None, *, is_blind: bool = False) -> list[Verdict]:
    """Nothing dead, saturated, vanishing or exploding.

    Args:
        when: the evidence was taken, in words.
        before: the same layers at init. A gradient that is gone must be so there and here: behind a last layer that starts at zero all others have none
            at first, which is sound. All else is told where it is new. None: this is at init, and nothing is said of vanishing gradients yet.
        is_blind: no output moves with the input, so every unit is the same for all items.
    """
    faded = _fade(evidence) if before is not None else {}
    lost = {name: share for name, share in faded.items() if name in _fade(before or ())}
    dead, saturated, huge, grown = ({n: v for n, v in _over(evidence, *one).items() if n not in _over(before or (), *one)} for one in _MEASURES)
    if lost or is_blind:  # layers that no gradient or no input reached drift; what came of it is no disease of its own
        dead, saturated = {}, {}
    return [
        _layers("living units", dead, f"have over {DEAD:.0%} of units that are zero for every item", "model.dead_units", when),
        _layers("unsaturated units", saturated, f"have over {SATURATED:.0%} of saturated values", "model.saturated", when),
        _layers("gradients arrive", lost, f"get under {FADED:g} of the gradient that others get, by their weights", "model.vanishing_gradient", when),
        _layers("gradients stay finite", huge, f"get a gradient over {EXPLODING:g} times their weights", "model.exploding_gradient", when),
        _layers("values keep their size", grown, f"give outputs over {GROWN:g} times as large as the net's inputs", "model.exploding_gradient", when),
    ]


_MEASURES: tuple[tuple[Callable[[Layer], float | None], float], ...] = (
    (lambda e: e.dead_frac, DEAD),
    (lambda e: e.saturated_frac, SATURATED),
    (lambda e: e.grad_norm, EXPLODING),
    (lambda e: e.growth, GROWN),
)


def _fade(evidence: Sequence[Layer]) -> dict[str, float]:
    """Layers whose gradient is gone -> their share of the largest, both relative to the layer's weights."""
    norms = {e.name: e.grad_norm for e in evidence if e.grad_norm is not None}
    most = max(norms.values(), default=0.0)
    if not 0 < most < math.inf:
        return {}
    return {name: norm / most for name, norm in norms.items() if norm < FADED * most or norm < VANISHING}


def _over(evidence: Sequence[Layer], of: Callable[[Layer], float | None], threshold: float) -> dict[str, float]:
    """Layers above a threshold, those with no number at all included."""
    return {e.name: value for e in evidence if (value := of(e)) is not None and not value <= threshold}


def exportable(problem: str) -> Verdict:
    """The untrained net can be exported."""
    what = "the untrained net exports to ONNX" if not problem else f"the untrained net can't be exported: {problem}"
    advice = "Use operations that ONNX knows; training goes on, but what ships would need PyTorch."
    return judge(Check(name="exportable", ok=not problem, what=what), "export.unsupported", advice, {"problem": problem[:300]}, "warn")


_LAYER_ADVICE = {
    "model.dead_units": "Initialise for the activation (He), start biases at 0, lower the lr, or use another activation.",
    "model.saturated": "Normalise the inputs, start the weights smaller, or use ReLU.",
    "model.vanishing_gradient": "Use ReLU or GELU with He's init, normalisation or skip connections; look for layers that nothing follows from.",
    "model.exploding_gradient": "Normalise the inputs, start the weights smaller (He), clip the gradient.",
}


def _layers(name: str, bad: Mapping[str, float], how: str, code: str, when: str) -> Verdict:
    worst = next(iter(bad), "")
    check = Check(name=f"{name} {when}", ok=not bad, what=f"{when}, {len(bad)} layer(s) {how}" + (f": {worst} ({bad[worst]:.3g})" if bad else ""))
    return judge(check, code, _LAYER_ADVICE[code], dict(list(bad.items())[:20]), "warn", worst)
