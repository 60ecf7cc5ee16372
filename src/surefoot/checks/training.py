"""Can this net learn at all? Evidence in, one `Check` and perhaps a finding out.

Sources: Karpathy, "A Recipe for Training Neural Networks" (2019); CS231n, "Neural Networks Part 3"; Goodfellow et al. 2016, ch. 11.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from surefoot.types.findings import Evidence, Finding, Severity
from surefoot.types.reports import Check

Verdict = tuple[Check, Finding | None]

INIT_TOLERANCE = 0.15
"""Relative distance of the loss at init from theory: random weights of a sound init stay within it, a second softmax or a scaled head does not."""
GRADIENT_TOLERANCE = 1e-4
"""In float64 a right gradient agrees to 1e-7; kinks of ReLU can cost some digits (CS231n)."""
LEAK_TOLERANCE = 1e-4
DEAD, VANISHING, EXPLODING, SATURATED = 0.9, 1e-7, 1e3, 0.5
BLIND_MARGIN = 0.98
"""The loss on real inputs must be below this share of that on zeroed ones after the same steps."""
TAUGHT = 0.85
"""Share of the prior's loss below which a net on shuffled labels can't get by chance, even on fifty val items."""
MEMORISED, MEMORISED_R2 = 1.0, 0.99


class Layer(Protocol):
    """See `engine.probe.LayerEvidence`."""

    @property
    def name(self) -> str: ...
    @property
    def dead_frac(self) -> float | None: ...
    @property
    def saturated_frac(self) -> float | None: ...
    @property
    def grad_norm(self) -> float | None: ...


def output_shape(shape: tuple[int, ...], num_items: int, num_outputs: int, is_finite: bool) -> Verdict:
    """Random input of the right shape gives (B, num_outputs) finite numbers."""
    what = f"random inputs give {shape}, {'finite' if is_finite else 'not finite'}; ({num_items}, {num_outputs}) is due"
    check = Check(name="output shape", ok=shape == (num_items, num_outputs) and is_finite, what=what)
    return _verdict(
        check, "model.output_shape", "Return one raw output per class or target, and no more.", {"got": list(shape), "due": [num_items, num_outputs]}
    )


def init_loss(measured: float, expected: float, theory: str) -> Verdict:
    """The loss before the first step is what theory says."""
    ok = math.isfinite(measured) and abs(measured - expected) <= INIT_TOLERANCE * max(expected, 0.1)
    what = f"the loss at init is {measured:.3f}; {expected:.3f} is due: {theory}"
    check = Check(name="loss at init", measured=measured, expected=f"{expected:.3f}", ok=ok, what=what)
    advice = "Return raw outputs (no softmax or sigmoid of your own), start the last layer small, and check the loss."
    evidence: Evidence = {"measured": measured, "expected": expected, "tolerance": INIT_TOLERANCE}
    return _verdict(check, "model.init_loss", advice, evidence, "warn" if math.isfinite(measured) else "stop")


def gradient(error: float) -> Verdict:
    """Autograd agrees with differences."""
    what = f"autograd and central differences agree to {error:.1e} in float64; {GRADIENT_TOLERANCE:.0e} is the limit"
    check = Check(name="gradient check", measured=error, expected="0", ok=error <= GRADIENT_TOLERANCE, what=what)
    advice = "Look for detach(), in-place changes, rounding or a wrong backward in the model or the loss."
    return _verdict(check, "model.gradient_wrong", advice, {"error": error, "threshold": GRADIENT_TOLERANCE})


def batch_leak(moved: float) -> Verdict:
    """An item's output does not depend on the items beside it."""
    what = f"replacing the other items of a batch moves an item's output by {moved:.1e} in eval mode"
    check = Check(name="items stay apart", measured=moved, expected="0", ok=moved <= LEAK_TOLERANCE, what=what)
    return _verdict(check, "model.batch_leak", "Look for a reshape or a normalisation over axis 0 in the model.", {"moved": moved, "threshold": LEAK_TOLERANCE})


def layers(evidence: Sequence[Layer]) -> list[Verdict]:
    """Nothing dead, saturated, vanishing or exploding on the first step."""
    dead = {e.name: e.dead_frac for e in evidence if e.dead_frac is not None and e.dead_frac > DEAD}
    saturated = {e.name: e.saturated_frac for e in evidence if e.saturated_frac is not None and e.saturated_frac > SATURATED}
    tiny = {e.name: e.grad_norm for e in evidence if e.grad_norm is not None and e.grad_norm < VANISHING}
    huge = {e.name: e.grad_norm for e in evidence if e.grad_norm is not None and not e.grad_norm < EXPLODING}
    return [
        _layers("living units", dead, f"have over {DEAD:.0%} of units that are zero for every item", "model.dead_units"),
        _layers("unsaturated units", saturated, f"have over {SATURATED:.0%} of saturated values", "model.saturated"),
        _layers("gradients arrive", tiny, f"get a gradient under {VANISHING:g} of their weights", "model.vanishing_gradient"),
        _layers("gradients stay finite", huge, f"get a gradient over {EXPLODING:g} times their weights", "model.exploding_gradient"),
    ]


def stays_finite(diverged: Sequence[str], lr: float) -> Verdict:
    """The loss of the short runs stays a finite number."""
    what = f"at lr {lr:g} the loss stops being a finite number within a few steps, on {', '.join(diverged)}"
    check = Check(name="training stays finite", ok=not diverged, what=what)
    advice = "Lower train.lr, set train.clip = 1.0, and look at the loss and at the ranges of the inputs."
    return _verdict(check, "train.diverged", advice, {"runs": list(diverged), "lr": lr})


def looks_at_input(influence: float, real_loss: float, blind_loss: float) -> Verdict:
    """Real inputs do clearly better than zeroed ones after the same steps."""
    ok = influence > 0 and real_loss < BLIND_MARGIN * blind_loss
    what = f"after the same steps the loss is {real_loss:.3f} on real and {blind_loss:.3f} on zeroed inputs"
    check = Check(name="looks at its input", measured=real_loss, expected=f"under {blind_loss:.3f}", ok=ok, what=what)
    advice = "See whether inputs and targets belong together row by row, and whether the model uses its input."
    evidence: Evidence = {"real": real_loss, "blind": blind_loss, "margin": BLIND_MARGIN}
    return _verdict(check, "model.input_ignored", advice, evidence, "stop" if influence == 0 else "warn")


def shuffled_labels(shuffled_loss: float, prior_loss: float) -> Verdict:
    """A net trained on shuffled labels is no better on val than saying the prior: nothing else can be known there."""
    what = f"trained on shuffled labels the net has a val loss of {shuffled_loss:.3f}; saying the prior has {prior_loss:.3f}"
    ok = not shuffled_loss < TAUGHT * prior_loss
    check = Check(name="shuffled labels teach nothing", measured=shuffled_loss, expected=f"at least about {prior_loss:.3f}", ok=ok, what=what)
    advice = "Val knows train's items: look for duplicates across sets, then `surefoot run --from audit`."
    return _verdict(check, "split.leak", advice, {"shuffled": shuffled_loss, "prior": prior_loss, "threshold": TAUGHT})


def memorised(share: float, is_classification: bool, steps: int, num_items: int) -> Verdict:
    """A tiny batch is learnt by heart."""
    due = MEMORISED if is_classification else MEMORISED_R2
    name = "lowest precision or recall of any class" if is_classification else "R²"
    what = f"after {steps} steps on {num_items} items, the {name} on them is {share:.3f}; {due:.2f} is due"
    check = Check(name="a tiny batch is memorised", measured=share, expected=f"{due:.2f}", ok=share >= due, what=what)
    advice = "The model, the loss or the pairing of inputs and targets is wrong, or the model is far too small: nothing later can be trusted."
    return _verdict(check, "model.cannot_overfit", advice, {"reached": share, "due": due, "steps": steps})


def exportable(problem: str) -> Verdict:
    """The untrained net can be exported."""
    what = "the untrained net exports to ONNX" if not problem else f"the untrained net can't be exported: {problem}"
    advice = "Use operations that ONNX knows; training goes on, but what ships would need PyTorch."
    return _verdict(Check(name="exportable", ok=not problem, what=what), "export.unsupported", advice, {"problem": problem[:300]}, "warn")


_LAYER_ADVICE = {
    "model.dead_units": "Initialise for the activation (He), lower the lr, or use another activation.",
    "model.saturated": "Normalise the inputs, start the weights smaller, or use ReLU.",
    "model.vanishing_gradient": "Look for zero weights, detached layers or too many squashing layers.",
    "model.exploding_gradient": "Normalise the inputs, start the weights smaller, clip the gradient.",
}


def _layers(name: str, bad: Mapping[str, float], how: str, code: str) -> Verdict:
    worst = next(iter(bad), "")
    check = Check(name=name, ok=not bad, what=f"{len(bad)} layer(s) {how}" + (f": {worst} ({bad[worst]:.3g})" if bad else ""))
    return _verdict(check, code, _LAYER_ADVICE[code], dict(list(bad.items())[:20]), "warn")


def _verdict(check: Check, code: str, advice: str, evidence: Evidence, severity: Severity = "stop") -> Verdict:
    """The check, and its finding where it does not hold."""
    if check.ok:
        return check, None
    return check, Finding(code=code, severity=severity, what=check.what[0].upper() + check.what[1:] + ".", where="s06_sanity", next=advice, evidence=evidence)
