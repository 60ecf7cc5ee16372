"""Can this net learn at all? Evidence in, one `Check` and perhaps a finding out.

Sources: Karpathy, "A Recipe for Training Neural Networks" (2019); CS231n, "Neural Networks Part 3"; Goodfellow et al. 2016, ch. 11.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
MEMORISED, MEMORISED_R2 = 1.0, 0.99


class Layer(Protocol):
    """See `engine.probe.LayerEvidence`."""

    name: str
    dead_frac: float | None
    saturated_frac: float | None
    grad_norm: float | None


def output_shape(shape: tuple[int, ...], num_items: int, num_outputs: int, is_finite: bool) -> Verdict:
    """Random input of the right shape gives (B, num_outputs) finite numbers."""
    ok = shape == (num_items, num_outputs) and is_finite
    what = f"random inputs give {shape}, {'finite' if is_finite else 'not finite'}; ({num_items}, {num_outputs}) is due"
    return _verdict(
        "output shape",
        ok,
        what,
        "model.output_shape",
        "Return one raw output per class or target, and no more.",
        {"got": list(shape), "due": [num_items, num_outputs]},
    )


def init_loss(measured: float, expected: float, theory: str) -> Verdict:
    """The loss before the first step is what theory says."""
    ok = math.isfinite(measured) and abs(measured - expected) <= INIT_TOLERANCE * max(expected, 0.1)
    severity: Severity = "stop" if not math.isfinite(measured) else "warn"
    what = f"the loss at init is {measured:.3f}; {expected:.3f} is due: {theory}"
    advice = "Return raw outputs (no softmax or sigmoid of your own), start the last layer small, and check the loss."
    evidence: Evidence = {"measured": measured, "expected": expected, "tolerance": INIT_TOLERANCE}
    return _verdict("loss at init", ok, what, "model.init_loss", advice, evidence, severity, measured, f"{expected:.3f}")


def gradient(error: float) -> Verdict:
    """Autograd agrees with differences."""
    what = f"autograd and central differences agree to {error:.1e} in float64; {GRADIENT_TOLERANCE:.0e} is the limit"
    advice = "Look for detach(), in-place changes, rounding or a wrong backward in the model or the loss."
    return _verdict(
        "gradient check",
        error <= GRADIENT_TOLERANCE,
        what,
        "model.gradient_wrong",
        advice,
        {"error": error, "threshold": GRADIENT_TOLERANCE},
        "stop",
        error,
        "0",
    )


def batch_leak(moved: float) -> Verdict:
    """An item's output does not depend on the items beside it."""
    what = f"replacing the other items of a batch moves an item's output by {moved:.1e} in eval mode"
    advice = "Look for a reshape or a normalisation over axis 0 in the model."
    return _verdict(
        "items stay apart", moved <= LEAK_TOLERANCE, what, "model.batch_leak", advice, {"moved": moved, "threshold": LEAK_TOLERANCE}, "stop", moved, "0"
    )


def layers(evidence: Sequence[Layer]) -> list[Verdict]:
    """Nothing dead, saturated, vanishing or exploding on the first step."""
    dead = [(e.name, e.dead_frac) for e in evidence if e.dead_frac is not None and e.dead_frac > DEAD]
    saturated = [(e.name, e.saturated_frac) for e in evidence if e.saturated_frac is not None and e.saturated_frac > SATURATED]
    tiny = [(e.name, e.grad_norm) for e in evidence if e.grad_norm is not None and e.grad_norm < VANISHING]
    huge = [(e.name, e.grad_norm) for e in evidence if e.grad_norm is not None and not e.grad_norm < EXPLODING]
    return [
        _layers(
            "living units",
            dead,
            "model.dead_units",
            "units that are zero for every item",
            DEAD,
            "Initialise for the activation (He), lower the lr, or use another activation.",
        ),
        _layers(
            "unsaturated units", saturated, "model.saturated", "saturated values", SATURATED, "Normalise the inputs, start the weights smaller, or use ReLU."
        ),
        _layers(
            "gradients arrive",
            tiny,
            "model.vanishing_gradient",
            "relative gradient norm",
            VANISHING,
            "Look for zero weights, detached layers or too many squashing layers.",
        ),
        _layers(
            "gradients stay finite",
            huge,
            "model.exploding_gradient",
            "relative gradient norm",
            EXPLODING,
            "Normalise the inputs, start the weights smaller, clip the gradient.",
        ),
    ]


def looks_at_input(influence: float, real_loss: float, blind_loss: float) -> Verdict:
    """Real inputs do clearly better than zeroed ones after the same steps."""
    ok = influence > 0 and real_loss < BLIND_MARGIN * blind_loss
    severity: Severity = "stop" if influence == 0 else "warn"
    what = f"after the same steps the loss is {real_loss:.3f} on real and {blind_loss:.3f} on zeroed inputs"
    advice = "See whether inputs and targets belong together row by row, and whether the model uses its input."
    return _verdict(
        "looks at its input",
        ok,
        what,
        "model.input_ignored",
        advice,
        {"real": real_loss, "blind": blind_loss, "margin": BLIND_MARGIN},
        severity,
        real_loss,
        f"under {blind_loss:.3f}",
    )


def shuffled_labels(shuffled: float, trivial: float, noise: float, greater_is_better: bool) -> Verdict:
    """A net trained on shuffled labels is no better on val than guessing."""
    gain = (shuffled - trivial) if greater_is_better else (trivial - shuffled)
    what = f"trained on shuffled labels the net reaches {shuffled:.4g} on val; guessing reaches {trivial:.4g}"
    advice = "Val knows train's items: look for duplicates across sets, then `surefoot run --from audit`."
    return _verdict(
        "shuffled labels teach nothing",
        gain <= noise,
        what,
        "split.leak",
        advice,
        {"shuffled": shuffled, "trivial": trivial, "noise": noise},
        "stop",
        shuffled,
        f"at most {trivial:.4g}",
    )


def memorised(share: float, is_classification: bool, steps: int, num_items: int) -> Verdict:
    """A tiny batch is learnt by heart."""
    due = MEMORISED if is_classification else MEMORISED_R2
    name = "lowest precision or recall of any class" if is_classification else "R²"
    what = f"after {steps} steps on {num_items} items, the {name} on them is {share:.3f}; {due:.2f} is due"
    advice = "The model, the loss or the pairing of inputs and targets is wrong, or the model is far too small: nothing later can be trusted."
    return _verdict(
        "a tiny batch is memorised",
        share >= due,
        what,
        "model.cannot_overfit",
        advice,
        {"reached": share, "due": due, "steps": steps},
        "stop",
        share,
        f"{due:.2f}",
    )


def exportable(problem: str) -> Verdict:
    """The untrained net can be exported."""
    what = "the untrained net exports to ONNX" if not problem else f"the untrained net can't be exported: {problem}"
    return _verdict(
        "exportable",
        not problem,
        what,
        "export.unsupported",
        "Use operations that ONNX knows; training goes on, but what ships would need PyTorch.",
        {"problem": problem[:300]},
        "warn",
    )


def _layers(name: str, bad: list[tuple[str, float | None]], code: str, of: str, limit: float, advice: str) -> Verdict:
    what = f"{len(bad)} layer(s) beyond the limit {limit:g} of {of}" + (f": {bad[0][0]} ({bad[0][1]:.3g})" if bad else "")
    return _verdict(name, not bad, what, code, advice, dict(bad[:20]) | {"threshold": limit}, "warn")


def _verdict(
    name: str, ok: bool, what: str, code: str, advice: str, evidence: Evidence, severity: Severity = "stop", measured: float | None = None, expected: str = ""
) -> Verdict:
    finding = None if ok else Finding(code=code, severity=severity, what=what[0].upper() + what[1:] + ".", where="s06_sanity", next=advice, evidence=evidence)
    return Check(name=name, measured=measured, expected=expected, ok=ok, what=what), finding
