"""What a search says about itself: evidence in, findings out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from surefoot.checks.diagnosis import LOPSIDED
from surefoot.types.configs import Space
from surefoot.types.figures import write
from surefoot.types.findings import Evidence, Finding
from surefoot.types.reports import Trial

_EDGE = 0.05
"""A winner within this share of an end of its range (on the range's own scale) may want to go beyond it (Tuning Playbook)."""


def boundaries(trials: Sequence[Trial], space: Mapping[str, Space]) -> list[Finding]:
    """The best setting of the last rung stands at the end of a range."""
    last = [t for t in trials if t.rung == max(t.rung for t in trials) and t.value is not None]
    if not last:
        return []
    best = min(last, key=lambda t: t.loss if t.loss is not None else math.inf)
    found = []
    for name, one in space.items():
        bounds = one.log_uniform or one.uniform
        value = best.settings.get(name)
        if not bounds or not isinstance(value, (int, float)):
            continue
        low, high, at = (math.log(v) if one.log_uniform else v for v in (*bounds, value))
        place = (at - low) / (high - low)
        if min(place, 1 - place) < _EDGE:
            found.append(
                Finding(
                    code="search.boundary",
                    severity="info",
                    what=f"The best {name} found, {write(value)}, stands at the end of its range [{bounds[0]:g}, {bounds[1]:g}].",
                    where=name,
                    next=f'Widen it: [search.space] "{name}".',
                    evidence={"value": value, "low": bounds[0], "high": bounds[1]},
                )
            )
    return found


def infeasible(trials: Sequence[Trial]) -> list[Finding]:
    """Settings under which training diverged."""
    failed = [t for t in trials if t.value is None]
    if not failed:
        return []
    severity = "stop" if len(failed) == len(trials) else "info"
    return [
        Finding(
            code="search.infeasible",
            severity=severity,
            what=f"{len(failed)} of {len(trials)} settings diverged.",
            where=", ".join(f"trial {t.number}" for t in failed[:10]),
            next="Lower the upper end of train.lr in [search.space]." if severity == "info" else "Look at the loss and the inputs: nothing trains.",
            evidence={"failed": len(failed), "trials": len(trials)},
        )
    ]


def winner(name: str, sentence: str, verdict: str, net: float, baseline: float, baseline_name: str) -> list[Finding]:
    """Who goes on, and whether that is more than noise.

    Args:
        sentence, verdict: what the paired comparison of the net with the best baseline says about the net.
    """
    evidence = {"net": net, baseline_name: baseline}
    than = "better than the net" if verdict == "worse" else "no worse than the net, and simpler to run,"
    if name != "net":
        return [
            Finding(
                code="diagnose.below_baseline",
                severity="info",
                what=f"{baseline_name} is {than} on val ({write(baseline)} against {write(net)}): it goes on and is what ships.",
                where="s08_tune",
                next=f"Ship {baseline_name}; a net pays here only with more data or other inputs.",
                evidence=evidence,
            )
        ]
    if verdict == "within noise":
        return [
            Finding(
                code="search.within_noise",
                severity="info",
                what=f"The net's lead over {baseline_name} is {sentence}.",
                where="s08_tune",
                next=f"If {baseline_name} is simpler to run, it is as good a choice.",
                evidence=evidence,
            )
        ]
    return []


def bounds_decide(name: str, by_metric: str, missed: Mapping[str, int]) -> list[Finding]:
    """Who goes on because it misses fewer bounds of `problem.satisfice` than the one that the metric prefers; nothing where these are the same.

    Args:
        by_metric: whom the metric prefers. missed: model -> how many of the bounds it misses on val by more than noise.
    """
    if name == by_metric:
        return []
    return [
        Finding(
            code="diagnose.bound_missed",
            severity="info",
            what=f"By the metric {by_metric} would go on; it misses {missed[by_metric]} of the bounds that must be kept on val and {name} {missed[name]}, "
            f"noise aside: {name} goes on and is what ships.",
            where="problem.satisfice",
            next="Ask for less in problem.satisfice, if what the metric says counts for more.",
            evidence={"by the metric": by_metric, "it misses": missed[by_metric], "the winner misses": missed[name]},
        )
    ]


def beats_trivial(value: float, trivial: float, is_better: bool, verdict: str = "better", apart: str = "", majority: float = 0.0) -> list[Finding]:
    """The winner is better than saying always the same, and by more than noise; where it isn't, whether that is the metric's fault.

    Args:
        verdict: what the paired comparison of the winner with the trivial predictor says about the winner.
        apart: what that of the log loss says of a model whose probs are better than the trivial ones; empty where there is none.
        majority: share of the largest class.
    """
    evidence: Evidence = {"winner": value, "trivial": trivial}
    if is_better and verdict == "better":
        return []
    if apart and (not is_better or majority >= LOPSIDED):
        return [_tell_paradox(evidence | {"majority": majority, "threshold": LOPSIDED}, value, trivial, apart)]
    if is_better:
        return [
            Finding(
                code="diagnose.below_baseline",
                severity="warn",
                what=f"The best model may be no better than the trivial predictor: {write(value)} against {write(trivial)} is within noise.",
                where="s08_tune",
                next="Gather more data before you trust it; look for better inputs, or for targets that do not belong to their rows.",
                evidence=evidence,
            )
        ]
    return [
        Finding(
            code="diagnose.below_baseline",
            severity="stop",
            what=f"The best model is no better than the trivial predictor: {write(value)} against {write(trivial)}.",
            where="s08_tune",
            next="The second hypothesis fails: the inputs do not tell the target. Look for better inputs, or for targets that do not belong to their rows.",
            evidence=evidence,
        )
    ]


def _tell_paradox(evidence: Evidence, value: float, trivial: float, apart: str) -> Finding:
    return Finding(
        code="diagnose.accuracy_paradox",
        severity="warn",
        what=f"By this metric nothing surely beats always saying the same ({write(value)} against {write(trivial)}), and yet the probs tell the items apart: "
        f"{apart}.",
        where="s08_tune",
        next='Judge by problem.metric = "f1_macro" or "pr_auc", or by "balanced_accuracy" where items have one class each; then try class weights.',
        evidence=evidence,
    )
