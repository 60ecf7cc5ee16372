"""What to do next, ranked by what it could bring, each with the command that does it (Ng, "Machine Learning Yearning"; Google's Tuning Playbook)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from surefoot.analysis.curves import forecast
from surefoot.analysis.gaps import Errors, may_be_labels
from surefoot.types.configs import TrainConfig
from surefoot.types.data_reports import FieldSpec
from surefoot.types.figures import write
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem
from surefoot.types.reports import Advice, TuneReport

NEXT_OPTIMIZER = {"adamw": "muon", "adam": "adamw"}
DEEP = "INPUT -> [[CONV -> BN -> RELU]*2 -> POOL?]*3 -> GAP -> FC"
_LEAST_GAIN = 0.0005
"""A gain under a twentieth of a point is not worth a line."""
_UNEVEN = 0.3
"""Between the recall of the best and the worst class."""
_RARE = 0.5
"""Of the even share of a class: what is missed and has more is hard, not rare (cats among CIFAR-10's ten equal classes: 0.55 found, of cars 0.90)."""
_TUNE = "surefoot run --from tune --set"


@dataclass(frozen=True)
class Evidence:
    """What advice rests on.

    Attributes:
        gaps, errors: of the table. verdict: the largest gap beyond its noise.
        curve: share of the rows that the winner was trained on -> val error; num_train: train rows that there are, of which a simple winner may know a part.
        noise: share of the labels that are wrong.
        recalls: class -> recall, for the classes that can be measured. shares: class -> share of val's items that are in it.
        expandability: source -> error that twice its data would take away.
        budget: as in the settings. fields: the inputs. is_goal_met: on val.
    """

    problem: Problem
    tune: TuneReport
    gaps: Errors
    errors: Mapping[str, Measured | None]
    verdict: str
    curve: Mapping[str, Measured] = field(default_factory=dict)
    noise: Measured | None = None
    recalls: Mapping[str, float] = field(default_factory=dict)
    expandability: Mapping[str, float] = field(default_factory=dict)
    budget: str = "20m"
    seed: int = 0
    fields: tuple[FieldSpec, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    num_train: int = 0
    is_goal_met: bool = False


def advise(evidence: Evidence) -> list[Advice]:
    """The most rewarding first; of one gap, what usually helps most first. What ships or stops the work goes before all."""
    verdict = evidence.verdict
    terms = {name: gap.value for name, gap in evidence.gaps.items() if gap is not None and gap.value > 0 and name in _ACTIONS}
    terms = {name: value for name, value in terms.items() if _is_known(evidence, name)}
    found = [Advice(term=name, what=what, could_bring=value, command=command) for name, value in terms.items() for what, command in _ACTIONS[name](evidence)]
    found += [*_advise_data(evidence), *_advise_labels(evidence)]
    first = "labels" if may_be_labels(evidence.gaps, verdict, evidence.noise) else verdict
    found.sort(key=lambda one: (one.term != first, -(one.could_bring or 0.0)))  # the sort is stable: actions of one term stay in their order
    found = [*_advise_balance(evidence), *found]
    if verdict == "none":
        command = "" if len(evidence.tune.weights) > 1 else "surefoot run --set split.protocol=kfold"
        what = "No term beyond noise: gather more val data before choosing what to work on."
        found.insert(0, Advice(term="none", what=what, command=command))
    if evidence.tune.winner != "net":
        found.insert(0, Advice(term="ship", what=f"Ship {evidence.tune.winner}: it {_praise(evidence.tune)} simpler to run.", command="surefoot serve export"))
    if evidence.is_goal_met:
        found.insert(0, Advice(term="goal", what="The goal is met on val: ship it, and spend effort on watching it in use.", command="surefoot serve export"))
    return found


def _praise(tune: TuneReport) -> str:
    """Why a simple model ships: it keeps what must be kept, or does better on val, or as well."""
    if tune.by_metric:
        return "misses fewer bounds of problem.satisfice than the net, and is"
    low, high = (tune.versus_baseline.interval if tune.versus_baseline else None) or (0.0, 0.0)
    return "is no worse than the net on val, and" if low <= 0 <= high else "is better than the net on val and"


def _is_known(evidence: Evidence, name: str) -> bool:
    """Without a human level, bias is but an upper bound; it is told where nothing else is."""
    return name != "bias" or evidence.errors.get("human") is not None or evidence.verdict in ("none", "bias")


def _reduce_bias(evidence: Evidence) -> list[tuple[str, str]]:
    tune = evidence.tune
    found = [
        (
            "Fit the train set better, longer: a larger budget lets larger models train for longer.",
            f"surefoot run --from overfit --budget {_more(evidence.budget)}",
        )
    ]
    if tune.model.width:
        found.append((f"A wider net: {2 * tune.model.width} for {tune.model.width}.", f"surefoot run --from overfit --set model.width={2 * tune.model.width}"))
    other = NEXT_OPTIMIZER.get(tune.train.optimizer, TrainConfig().optimizer)
    found.append((f"Another optimizer: {other} for {tune.train.optimizer}.", f"surefoot run --from overfit --set train.optimizer={other}"))
    if evidence.problem.kind == "image":
        found.append(("Another model: deeper, with batch norm.", f"surefoot run --from sanity --set 'model.layers=\"{DEEP}\"'"))
    else:
        use = "tabular" if tune.model.use == "mlp" else "mlp"
        found.append((f"Another model ({use}), or better inputs: columns that tell more.", f"surefoot run --from sanity --set model.use={use}"))
    return found


def _reduce_variance(evidence: Evidence) -> list[tuple[str, str]]:
    tune = evidence.tune
    found = [
        ("More data of the same kind: add it to the source, then audit it anew.", "surefoot run --from audit"),
        ("Search regularisation, augmentation and size over more settings.", "surefoot run --from tune --set search.trials=30"),
    ]
    if augment := _augment(evidence, "train.mixup=0.2", "train.augment=noise"):
        found.append(("Augment more: items that are changed a little, or blended, are new ones.", f"{_TUNE} {augment}"))
    decay, dropout = max(0.01, 3 * tune.train.weight_decay), min(0.5, tune.model.dropout + 0.2)
    found.append(("Regularise more: weight decay and dropout.", f"surefoot run --from tune --set train.weight_decay={decay:g} --set model.dropout={dropout:g}"))
    if tune.model.width > 8:
        found.append(
            (f"A smaller net: {tune.model.width // 2} for {tune.model.width}.", f"surefoot run --from overfit --set model.width={tune.model.width // 2}")
        )
    return found


def _augment(evidence: Evidence, picture: str, number: str) -> str:
    """The setting that makes more of the items there are: of pictures and of numbers the one asked for, of a text words are left out, of codes nothing."""
    names = {"text" if field.is_text else field.name for field in evidence.fields}
    if evidence.problem.kind == "image":
        return picture
    return number if "numeric" in names else "train.augment=token_dropout" if "text" in names else ""


def _reduce_mismatch(evidence: Evidence) -> list[tuple[str, str]]:
    augment = _augment(evidence, "train.augment=affine", "train.mixup=0.2")
    synthesise = ("Synthesise: augment the general data until it looks like the target's.", f"{_TUNE} {augment}")
    return [
        ("Gather train data like the data that it is judged on, and mark it as practical; then audit it anew.", "surefoot run --from audit"),
        *([synthesise] if augment else []),
        ("Reweight: a column of weights that is higher for items like the target's.", "surefoot run --from audit --set data.weight=COLUMN"),
    ]


_ACTIONS = {"bias": _reduce_bias, "variance": _reduce_variance, "mismatch": _reduce_mismatch}


def _more(budget: str) -> str:
    """Four times the budget."""
    if budget == "smoke":
        return "5m"
    seconds = 4 * float(budget[:-1])
    return f"{seconds:g}{budget[-1]}"


def _advise_data(evidence: Evidence) -> list[Advice]:
    """What twice the data would bring, by a power law through the learning curve (Hestness et al. 2017), with its interval."""
    curve = {float(share): point for share, point in evidence.curve.items()}
    ahead = forecast(curve, 2.0, seed=evidence.seed)
    if ahead is None or ahead.interval is None:
        return []
    last = curve[max(curve)].value
    gain = last - ahead.value
    if gain < _LEAST_GAIN * (last if not evidence.problem.classes else 1.0):
        return [Advice(term="data", what="The learning curve is flat: twice the train data would bring next to nothing.")]
    low, high = ahead.interval
    known = evidence.curve["1"].n
    error = "the first fold's val error" if len(evidence.tune.weights) > 1 else "the val error"  # all of val said 0.0395 where that fold's was 0.0206
    if known < evidence.num_train:
        wider = f"{evidence.tune.winner} was fitted on {known:,} of {evidence.num_train:,} train rows: twice as many would bring {error}"
        command = f"surefoot run --from baseline --budget {_more(evidence.budget)} --set baseline.rows={min(2 * known, evidence.num_train)}"
        what = f"{wider} from {write(last)} to about {write(ahead.value)} [{write(low)}, {write(high)}], by the learning curve."
        return [Advice(term="data", what=what, could_bring=gain, command=command)]
    best = max(evidence.expandability, key=lambda name: evidence.expandability[name], default="")
    pays = f" More of {best} pays most." if best and evidence.expandability[best] > 0 else ""
    change = f"from {write(last)} to about {write(ahead.value)} [{write(low)}, {write(high)}]"
    what = f"Twice the train data would bring {error} {change}, by the learning curve.{pays}"
    return [Advice(term="data", what=what, could_bring=gain, command="surefoot run --from audit")]


def _advise_labels(evidence: Evidence) -> list[Advice]:
    noise = evidence.noise
    if noise is None or noise.value <= 0 or noise.n == 0:
        return []
    num = max(1, round(noise.value * noise.n))
    what = f"Review the labels: about {num:,} of {noise.n:,} val items look wrongly labelled; s10 lists them, and those of train, the most doubtful first."
    return [Advice(term="labels", what=what, could_bring=noise.value, command="surefoot review")]


def _advise_balance(evidence: Evidence) -> list[Advice]:
    """Where a rare class is missed far more often than others: the remedies left, each a round that `surefoot compare` sets against this one.

    A class that is missed and not rare is a hard one: no weight helps it but at the cost of the others. Weights and even sampling make the classes even, and
    both together more than even: where one is in use, neither is left.
    """
    recalls = evidence.recalls
    if len(recalls) < 2 or max(recalls.values()) - min(recalls.values()) < _UNEVEN:
        return []
    worst = min(recalls, key=lambda name: recalls[name])
    even = 0.5 if evidence.problem.task == "multilabel" else 1 / len(evidence.shares)  # a label is there or not
    if evidence.shares[worst] >= _RARE * even:
        return []
    again = "`surefoot compare` says what it did to each metric"
    left: list[tuple[str, str]] = []
    if "balanced" not in (evidence.tune.train.class_weights, evidence.tune.train.sampling):
        left.append((f"weigh rare classes more in the loss; {again}", "train.class_weights=balanced"))
        if evidence.problem.task != "multilabel":  # an item of several labels can't be drawn for one of them
            left.append((f"sample rare classes more often; {again}", "train.sampling=balanced"))
    if evidence.problem.task in ("binary", "multilabel"):
        left.append(("move the decision threshold: the table of thresholds says what each comes to", "problem.least_recall=0.8"))
    starts = (f"{worst} is found in {recalls[worst]:.0%} only:", "Or", "Or")
    return [Advice(term="balance", what=f"{start} {what}.", command=f"{_TUNE} {setting}") for start, (what, setting) in zip(starts, left)]
