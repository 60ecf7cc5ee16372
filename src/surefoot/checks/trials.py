"""What a net's first trainings show: evidence of some dozen steps in, one `Check` and perhaps a finding out.

Sources: Karpathy, "A Recipe for Training Neural Networks" (2019); Zhang et al. 2017 (shuffled labels); Godbole et al. 2023 (lr).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from surefoot.checks.verdict import Verdict, judge
from surefoot.types.findings import Evidence, Finding, Severity
from surefoot.types.reports import Check

BLIND_MARGIN = 0.98
"""The loss on real inputs must be below this share of that on zeroed ones after the same steps."""
TAUGHT = 0.85
"""Share of the prior's loss below which a net on shuffled labels can't get by chance, even on fifty val items."""
MEMORISED, MEMORISED_R2 = 1.0, 0.99
BETTER = 0.75
"""A run with another lr did better when its loss is below this share of the run's own."""
LEARNT = 0.9
"""Share of the prior's loss under which a run has learnt something."""
STILL = 0.98
"""Share of the prior's loss above which a run stands still: a low lr that merely needs more steps is nobody's fault."""
CHANCE, FEWEST = 0.05, 100
"""p value above which nothing was learnt that holds for val; on fewer val items a sound net may fail this test, and it is a note."""
WILD, NOISE = 2.0, 1.0
DROWNED = 0.1
"""Size of what the first layer is given, relative to the input's, under which PyTorch's first biases are larger than what the input adds to them."""


def stays_finite(diverged: Sequence[str], lr: float) -> Verdict:
    """The loss of the short runs stays a finite number."""
    what = f"at lr {lr:g} the loss stops being a finite number within a few steps, on {', '.join(diverged)}"
    check = Check(name="training stays finite", ok=not diverged, what=what if diverged else f"at lr {lr:g} the loss stays finite")
    advice = "Lower train.lr, set train.clip = 1.0, and look at the loss and at the ranges of the inputs."
    return judge(check, "train.diverged", advice, {"runs": list(diverged), "lr": lr})


def is_clearly_under(loss: float, other: float, share: float) -> bool:
    """Whether a loss is below this share of another one; below one that is under 0, as a user's own may be, by as much: 98 % of -9 would lie above it."""
    return loss < (share if other > 0 else 2 - share) * other


def has_learnt(loss: float, prior: float) -> bool:
    """Whether a run's last loss is clearly under that of saying the prior."""
    return is_clearly_under(loss, prior, LEARNT)


def learns_more(loss: float, than: float, prior: float) -> bool:
    """Whether a run has learnt something, and clearly more than another one."""
    return has_learnt(loss, prior) and is_clearly_under(loss, than, BETTER)


def looks_at_input(influence: float, real_loss: float, blind_loss: float, chance: float, given: float = 1.0) -> Verdict:
    """Real inputs do clearly better than zeroed ones after the same steps.

    A sound net may stand at the best constant for longer than these steps: of absolute errors of amounts that are mostly zero the median is one. So it is a
    note where the outputs belong to val's targets. But so do those of a net that divides its input by 255 once more, for their order has no scale: what
    the first layer is given tells these apart.

    Args:
        chance: p value of the test of `generalises`; 1 where there is no val.
        given: size of what the first layer is given, relative to that of the net's input; see `engine.head.measure_reach`.
    """
    ok = influence > 0 and is_clearly_under(real_loss, blind_loss, BLIND_MARGIN)
    has_begun = influence > 0 and chance <= CHANCE
    told = "" if influence > 0 else "; no output moves with the input"
    told += f"; yet what it says of val's items belongs to them (p = {chance:.3f})" if has_begun else ""
    told += f"; the first layer is given {given:.2g} of the input's size" if given < DROWNED else ""
    what = f"after the same steps the loss is {real_loss:.3f} on real and {blind_loss:.3f} on zeroed inputs{'' if ok else told}"
    check = Check(name="looks at its input", measured=real_loss, expected=f"under {blind_loss:.3f}", ok=ok, what=what)
    advice = "See whether inputs and targets belong together row by row, and whether forward() drops its input or scales it to next to nothing."
    evidence: Evidence = {"real": real_loss, "blind": blind_loss, "margin": BLIND_MARGIN, "influence": influence, "p": chance, "given": given}
    severity: Severity = "stop" if influence == 0 else "info" if has_begun and given >= DROWNED else "warn"
    return judge(check, "model.input_ignored", advice, evidence, severity)


def shuffled_labels(shuffled_loss: float, prior_loss: float) -> Verdict:
    """A net trained on shuffled labels is no better on val than saying the same of all items: nothing else can be known there.

    Args:
        prior_loss: of saying what costs least, see `engine.probe.prior_loss`.
    """
    what = f"trained on shuffled labels the net has a val loss of {shuffled_loss:.3f}; saying the prior has {prior_loss:.3f}"
    ok = not is_clearly_under(shuffled_loss, prior_loss, TAUGHT)
    check = Check(name="shuffled labels teach nothing", measured=shuffled_loss, expected=f"at least about {prior_loss:.3f}", ok=ok, what=what)
    advice = "Val knows train's items: look for duplicates across sets, then `surefoot run --from audit`."
    return judge(check, "split.leak", advice, {"shuffled": shuffled_loss, "prior": prior_loss, "threshold": TAUGHT})


def generalises(chance: float, num_val: int) -> Verdict:
    """What the net learnt on train belongs to val's items too: dealing its outputs to other val items makes them worse.

    Args:
        chance: p value of that permutation test: the share of deals that fit the targets as well as the true one.
    """
    what = f"on {num_val} val items the net's outputs fit their own targets no better than {chance:.0%} of random deals of them"
    ok = chance <= CHANCE
    right = f"on {num_val} val items the net's outputs fit their own targets better than random deals of them (p = {chance:.3f})"
    check = Check(name="learns more than noise", measured=chance, expected=f"at most {CHANCE}", ok=ok, what=right if ok else what)
    advice = "Look whether inputs and targets belong together row by row (was one of them sorted or shuffled alone?), and for better inputs."
    severity: Severity = "warn" if num_val >= FEWEST else "info"
    return judge(check, "model.memorises_noise_only", advice, {"p": chance, "threshold": CHANCE, "items": num_val, "fewest": FEWEST}, severity, "targets")


def memorised(share: float, is_classification: bool, steps: int, num_items: int) -> Verdict:
    """A tiny batch is learnt by heart."""
    due = MEMORISED if is_classification else MEMORISED_R2
    name = "lowest precision or recall of any class" if is_classification else "R²"
    what = f"after {steps} steps on {num_items} items, the {name} on them is {share:.3f}; {due:.2f} is due"
    check = Check(name="a tiny batch is memorised", measured=share, expected=f"{due:.2f}", ok=share >= due, what=what)
    advice = "The model, the loss or the pairing of inputs and targets is wrong, or the model is far too small: nothing later can be trusted."
    return judge(check, "model.cannot_overfit", advice, {"reached": share, "due": due, "steps": steps})


def lr(own: float, asked: float, others: Mapping[float, float], prior: float, *, is_given: bool) -> Verdict:
    """The lr is neither so high that the same steps with a smaller one learn far more, nor so low that a larger one does.

    Args:
        own: lr of the run. asked: its last loss; infinite where it diverged.
        others: lr -> last loss of the same run with another; empty where the run itself learnt enough.
        prior: loss of saying the prior, from which all runs start.
        is_given: the user set the lr; else the search looks for a better one anyway, and this is a note.
    """
    learnt = {lr: loss for lr, loss in others.items() if learns_more(loss, asked, prior)}
    stands_still = not is_clearly_under(asked, prior, STILL) and not is_clearly_under(prior, asked, LEARNT)  # one that climbed is not too low
    better = {lr: loss for lr, loss in learnt.items() if lr < own or stands_still}
    best = min(better, key=lambda lr: better[lr], default=own)
    code = "train.lr_too_low" if best > own else "train.lr_too_high"
    reached = f"{asked:.3f}" if math.isfinite(asked) else "no finite number"
    there = f" and {better[best]:.3f} at lr {best:g}" if better else ""
    what = f"after the same steps the loss is {reached} at lr {own:g}{there}, from {prior:.3f}"
    check = Check(name="lr suits", measured=own, expected=f"about {best:g}" if better else "", ok=not better, what=what)
    advice = f"surefoot run --set train.lr={best:.2g}, or leave train.lr out: the search finds it."
    evidence: Evidence = {"lr": own, "loss": asked if math.isfinite(asked) else None, "better lr": best, "its loss": better.get(best)}
    evidence |= {"prior": prior, "threshold": BETTER}
    severity: Severity = "stop" if not math.isfinite(asked) else "warn" if is_given else "info"
    return judge(check, code, advice, evidence, severity, "train.lr")


def modes(train_loss: float, eval_loss: float, prior: float, stale: Sequence[str] = ()) -> Verdict:
    """With dropout off, a trained net says about the same in train and in eval mode: its running statistics are those of the batches.

    Args:
        stale: batch norms whose running statistics no training step has moved.
    """
    ok = not stale and not abs(eval_loss - train_loss) > max((WILD - 1) * min(abs(eval_loss), abs(train_loss)), 0.5 * abs(prior))
    what = f"on the same items, dropout off, the loss is {train_loss:.3f} in train mode and {eval_loss:.3f} in eval mode"
    what += f"; no step moved the running statistics of {', '.join(stale[:5])}, which stay at mean 0 and variance 1" if stale else ""
    check = Check(name="train and eval mode agree", measured=eval_loss, expected=f"about {train_loss:.3f}", ok=ok, what=what)
    advice = "Look at the momentum of batch norm, at eval() inside forward(), at layers that behave otherwise in eval mode, and at batches that are too small."
    evidence: Evidence = {"train": train_loss, "eval": eval_loss, "prior": prior, "threshold": WILD, "stale": list(stale[:20])}
    return judge(check, "model.modes_differ", advice, evidence, "warn", "model")


def clipping(clip: float, held: float, freed: float) -> Verdict:
    """Clipping lets the net learn: the same steps without it do not do clearly better where those with it have learnt nothing.

    Args:
        held, freed: last loss of the run with clipping, and without.
    """
    is_held = is_clearly_under(freed, held, BETTER)
    what = f"after the same steps the loss is {held:.3f} with the gradient clipped to {clip:g} and {freed:.3f} without"
    check = Check(name="clipping leaves the steps", measured=held, expected=f"about {freed:.3f}", ok=not is_held, what=what)
    advice = "Raise train.clip, 1.0 is usual, or leave it out: it cuts every step to nearly nothing, as too low an lr would."
    return judge(check, "train.lr_too_low", advice, {"clip": clip, "loss with": held, "loss without": freed, "threshold": BETTER}, "warn", "train.clip")


def name_nearer(findings: Sequence[Finding]) -> list[Finding]:
    """An input that moves the outputs and helps nothing is not ignored where the net can't learn a tiny batch, or learns noise: these are nearer."""
    present = {finding.code for finding in findings}
    nearer = next((code for code in ("model.cannot_overfit", "model.memorises_noise_only") if code in present), "")
    return [f.model_copy(update={"because": nearer}) if nearer and f.code == "model.input_ignored" and f.severity != "stop" else f for f in findings]


def dropout(noise: float | None, held: float = 0.0, freed: float | None = None) -> Verdict:
    """Dropout's noise stays below what tells the items apart; None: the net has none.

    Args:
        noise: variance of the trained outputs over masks, relative to their variance over items.
        held, freed: last loss of the run with dropout, which learnt nothing, and of the same run without.
    """
    is_held = freed is not None and is_clearly_under(freed, held, BETTER)
    if is_held:
        what = f"after the same steps the loss is {held:.3f} with dropout and {freed:.3f} without"
    else:
        what = "no dropout moves the outputs" if noise is None else f"over dropout's masks the outputs vary {noise:.2g} times as much as over the items"
    ok = not is_held and (noise is None or noise <= NOISE)
    check = Check(name="dropout leaves the signal", measured=noise, expected=f"under {NOISE:g}", ok=ok, what=what)
    advice = "Lower the dropout: what reaches the loss is mostly its noise, and the net underfits."
    evidence: Evidence = {"noise": noise, "loss with": held if is_held else None, "loss without": freed, "threshold": BETTER if is_held else NOISE}
    return judge(check, "train.underfit", advice, evidence, "warn", "model")


def reproducible(same_init: bool, same_answers: bool, same_training: bool) -> Verdict:
    """The same seed gives the same net, the same answers in eval mode and the same weights after a few steps, to the last bit."""
    faults = [] if same_init else ["two nets of the same seed start with different weights"]
    faults += [] if same_answers else ["asked twice in eval mode, the net gives two answers"]
    faults += [] if same_training else ["two trainings with the same seed end with different weights"]
    what = "; ".join(faults) or "the same seed gives the same weights, answers and training, to the last bit"
    check = Check(name="the same again", ok=not faults, what=what)
    advice = "Draw from torch's generator only, not from numpy, random or the clock; pass training=self.training to F.dropout; look for shared state."
    return judge(check, "train.not_reproducible", advice, {"init": same_init, "answers": same_answers, "training": same_training}, "warn", "model")
