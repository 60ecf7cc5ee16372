"""Which disease explains which symptoms: the cause is listed first, as bad as the worst that it brought about, and the others under it.

The rules follow the way a number takes through a training: what is random or leaks spoils every measurement after it, a head that can't say the target or a
gradient that is not the loss's spoils every training, and a layer that lets nothing through spoils the loss at init, the tiny batch and all short runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.types.findings import Finding, Severity

SEVERITIES: tuple[Severity, ...] = ("stop", "warn", "info")
MOST_IDS = 100
"""Items that a finding names, at most."""
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
    "train.not_reproducible": ("model.batch_leak", "model.gradient_wrong", "model.init_loss"),
    "model.batch_leak": (*_UNTRAINED, "model.modes_differ", "model.init_loss", "split.leak"),
    "model.gradient_wrong": (*_UNTRAINED, *_LAYERS),
    "model.zero_init": (*_UNTRAINED, *_LAYERS, "model.init_loss"),
    "model.dead_units": (*_UNTRAINED, "model.vanishing_gradient", "model.init_loss"),
    "model.saturated": (*_UNTRAINED, "model.vanishing_gradient", "model.exploding_gradient", "model.init_loss"),
    "model.exploding_gradient": (*_UNTRAINED, "model.init_loss", "model.saturated", "model.vanishing_gradient"),
    "model.modes_differ": (*_UNTRAINED, "model.init_loss", "train.noisy_val"),
    "model.init_loss": (*_UNTRAINED, "model.vanishing_gradient"),
    "train.lr_too_high": tuple(code for code in (*_UNTRAINED, *_LAYERS, "train.noisy_val") if code != "train.lr_too_high"),
    "model.vanishing_gradient": _UNTRAINED,
    "model.input_ignored": ("model.cannot_overfit", "model.memorises_noise_only", *_WEAK),
    "train.lr_too_low": ("model.input_ignored", "model.memorises_noise_only", "train.still_improving", *_WEAK),
    "train.lr_decayed_too_soon": ("train.lr_too_low", "train.still_improving", *_WEAK),
    "model.cannot_overfit": ("train.underfit", "diagnose.below_baseline", "diagnose.bias", "model.memorises_noise_only", "model.input_ignored"),
    "model.memorises_noise_only": (*_WEAK, "train.overfit", "train.stopped_late", "diagnose.variance", "data.mislabels"),
    "train.still_improving": _WEAK,
    "data.odd_size": ("data.blurry", "data.low_contrast"),
    **dict.fromkeys(("data.low_contrast", "data.blurry", "data.dark"), ("data.conflicting_labels", "data.near_duplicates")),
    "data.conflicting_labels": ("diagnose.label_ceiling", "data.mislabels", "train.overfit", "train.stopped_late"),
    "data.mislabels": ("diagnose.label_ceiling",),
    "data.imbalance": ("diagnose.accuracy_paradox",),
    "data.too_few": ("split.val_too_small", "split.class_missing", "train.noisy_val", "search.within_noise", "diagnose.miscalibrated"),
    "data.rare_class": ("split.class_missing",),
    "data.source_shift": ("diagnose.mismatch",),
    "split.leak": ("data.duplicates", "data.near_duplicates", "diagnose.val_overfit"),
    "split.class_missing": ("split.shift",),
    "split.shift": ("diagnose.mismatch", "diagnose.val_overfit"),
    "split.val_too_small": ("train.noisy_val", "search.within_noise", "diagnose.miscalibrated"),
    "train.underfit": ("diagnose.below_baseline", "diagnose.bias"),
    "train.overfit": ("diagnose.variance", "diagnose.below_baseline", "diagnose.miscalibrated"),
    "train.stopped_late": ("diagnose.variance", "diagnose.below_baseline", "diagnose.miscalibrated"),
}  # fmt: skip
"""Cause -> what it explains, in the order in which causes are looked for: the first that is there explains all it can.

Which of `train.overfit` and `train.stopped_late` explains the other is a matter of the curve, and is said there: see `curves.judge_run`."""


def name_causes(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The same findings in the same order; what one of them explains names it.

    Args:
        findings: of one step, or of a whole round in the order of its steps. What names a cause already keeps it, as long as that cause is there.
    """
    present = {finding.code: finding for finding in reversed(findings)}
    because = {finding.code: finding.because for finding in reversed(findings) if finding.because in present}
    for cause, symptoms in CAUSES.items():
        if cause in present:
            behind = _trace(cause, because)
            open_ones = [code for code in symptoms if code in present and code not in because and code not in behind]
            because |= {code: cause for code in open_ones if _share_items(present[cause], present[code])}
    return tuple(f if f.because or f.code not in because else f.model_copy(update={"because": because[f.code]}) for f in findings)


def _share_items(cause: Finding, symptom: Finding) -> bool:
    """Whether the items of a symptom are, by half at least, items of its cause; so too where one of them names no items, or as many as a list may hold."""
    if not cause.ids or not symptom.ids or len(cause.ids) >= MOST_IDS:
        return True
    return len({*symptom.ids} & {*cause.ids}) >= len({*symptom.ids}) / 2


def _trace(code: str, because: Mapping[str, str]) -> list[str]:
    """A code, its cause, the cause of that, and so on."""
    chain = [code]
    while (before := because.get(chain[-1], "")) and before not in chain:
        chain.append(before)
    return chain


def find_root(finding: Finding, first: Mapping[str, Finding]) -> Finding:
    """The end of the chain of causes; where a chain runs in a circle, the finding itself.

    Args:
        first: code -> the first finding of that code, of those among which causes are looked for.
    """
    seen, cause = {finding.code}, finding
    while cause.because in first:
        cause = first[cause.because]
        if cause.code in seen:
            return finding
        seen.add(cause.code)
    return cause


def explain(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The causes first, each as severe as the worst it explains, at any depth; what is explained names its cause. Findings as `name_causes` takes them."""
    named = name_causes(findings)
    first = {finding.code: finding for finding in reversed(named)}
    worst: dict[str, Severity] = {}
    for finding in named:
        root = find_root(finding, first)
        worst[root.code] = min(worst.get(root.code, root.severity), finding.severity, key=SEVERITIES.index)
    is_root = {finding.code: find_root(finding, first) is finding for finding in first.values()}
    lifted = [f.model_copy(update={"severity": worst[f.code]}) if is_root[f.code] and f is first[f.code] else f for f in named]
    return tuple(sorted(lifted, key=lambda f: bool(f.because)))


def rank(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of a whole road, the one to mend first at the head: causes by what they stop, then in the order of the road, then what they explain."""
    return tuple(sorted(explain(findings), key=lambda f: (bool(f.because), SEVERITIES.index(f.severity))))
