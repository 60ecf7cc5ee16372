"""Which disease explains which symptoms: the cause is listed first, as bad as the worst that it brought about, and the others under it.

The rules follow the way a number takes through a training: what is random or leaks spoils every measurement after it, a head that can't say the target or a
gradient that is not the loss's spoils every training, and a layer that lets nothing through spoils the loss at init, the tiny batch and all short runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.types.findings import Finding, Severity

SEVERITIES: tuple[Severity, ...] = ("stop", "warn", "info")
_UNTRAINED = (
    "model.cannot_overfit", "model.input_ignored", "model.memorises_noise_only", "train.underfit", "train.lr_too_low", "train.lr_too_high",
    "train.diverged", "search.infeasible", "diagnose.below_baseline", "diagnose.bias",
)  # fmt: skip
"""What a net shows that can't learn, whatever the reason."""
_WEAK = ("train.underfit", "diagnose.below_baseline", "diagnose.bias")
_LAYERS = ("model.dead_units", "model.saturated", "model.exploding_gradient", "model.vanishing_gradient")

CAUSES: Mapping[str, tuple[str, ...]] = {
    "model.output_shape": (*_UNTRAINED, "model.init_loss"),
    "model.wrong_last_layer": (*_UNTRAINED, *_LAYERS, "model.init_loss", "diagnose.miscalibrated"),
    "train.not_reproducible": ("model.batch_leak", "model.gradient_wrong"),
    "model.batch_leak": (*_UNTRAINED, "model.modes_differ", "model.init_loss", "split.leak"),
    "model.gradient_wrong": (*_UNTRAINED, *_LAYERS),
    "model.zero_init": (*_UNTRAINED, *_LAYERS, "model.init_loss"),
    "model.dead_units": (*_UNTRAINED, "model.vanishing_gradient", "model.init_loss"),
    "model.saturated": (*_UNTRAINED, "model.vanishing_gradient", "model.exploding_gradient", "model.init_loss"),
    "model.exploding_gradient": (*_UNTRAINED, "model.init_loss", "model.saturated", "model.vanishing_gradient"),
    "model.modes_differ": (*_UNTRAINED, "model.init_loss", "train.noisy_val"),
    "model.init_loss": _UNTRAINED,
    "train.lr_too_high": tuple(code for code in (*_UNTRAINED, *_LAYERS, "train.noisy_val") if code != "train.lr_too_high"),
    "model.vanishing_gradient": _UNTRAINED,
    "model.input_ignored": ("model.cannot_overfit", "model.memorises_noise_only", *_WEAK),
    "train.lr_too_low": ("model.input_ignored", "model.memorises_noise_only", "train.still_improving", *_WEAK),
    "train.lr_decayed_too_soon": ("train.lr_too_low", "train.still_improving", *_WEAK),
    "model.cannot_overfit": ("train.underfit", "diagnose.below_baseline", "diagnose.bias", "model.memorises_noise_only", "model.input_ignored"),
    "model.memorises_noise_only": ("diagnose.below_baseline", "train.underfit", "train.overfit", "train.stopped_late", "diagnose.variance", "data.mislabels"),
    "train.still_improving": _WEAK,
    "train.underfit": ("diagnose.below_baseline", "diagnose.bias"),
    "data.conflicting_labels": ("diagnose.label_ceiling", "data.mislabels", "train.overfit", "train.stopped_late"),
    "train.stopped_late": ("train.overfit",),
    "train.overfit": ("diagnose.variance",),
}  # fmt: skip
"""Cause -> what it explains, in the order in which causes are looked for: the first that is there explains all it can."""


def explain(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The causes first, each as severe as the worst it explains; what is explained names its cause.

    Args:
        findings: of one step, or of a whole road in its order. What names a cause already keeps it.
    """
    present = {finding.code for finding in findings}
    because: dict[str, str] = {}
    for cause, symptoms in CAUSES.items():
        if cause in present and cause not in because:
            because |= {code: cause for code in symptoms if code in present and code not in because and code != cause}
    named = [f if f.because or f.code not in because else f.model_copy(update={"because": because[f.code]}) for f in findings]
    for number, root in enumerate(named):
        group = [root, *(f for f in named if f.because == root.code)]
        worst = min((f.severity for f in group), key=SEVERITIES.index)
        if not root.because and worst != root.severity:
            named[number] = root.model_copy(update={"severity": worst})
    return tuple(sorted(named, key=lambda f: bool(f.because)))


def rank(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of a whole road, the one to mend first at the head: causes by what they stop, then in the order of the road, then what they explain."""
    return tuple(sorted(explain(findings), key=lambda f: (bool(f.because), SEVERITIES.index(f.severity))))
