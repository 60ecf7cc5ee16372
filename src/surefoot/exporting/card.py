"""The model card: what the model is for, how good it is, and where not to trust it, in Markdown.

Sections after Mitchell et al. 2019, "Model Cards for Model Reporting". Every number comes from a report of the road.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from surefoot.exporting.bundle import BOOSTER, CARD, GRAPH, Manifest
from surefoot.types.data_reports import AuditReport, Split
from surefoot.types.figures import write, write_items
from surefoot.types.findings import Finding, Measured, Report
from surefoot.types.problem import Problem
from surefoot.types.reports import DiagnoseReport, FinalReport, ModelScore, Opening, TestReport, TuneReport

_TASKS = {
    "binary": "one of two classes",
    "multiclass": "one of several classes",
    "multilabel": "any number of labels",
    "regression": "a number",
    "vector_regression": "several numbers",
}
_ROWS = 50  # of a table; the report has the rest


@dataclass(frozen=True)
class Evidence:
    """The reports that the card is written from; `final` and `test` are absent where those steps have not run.

    Attributes:
        openings: of the test set before the card was written, in any round.
    """

    problem: Problem
    audit: AuditReport
    split: Split
    tune: TuneReport
    diagnose: DiagnoseReport
    final: FinalReport | None = None
    test: TestReport | None = None
    openings: Sequence[Opening] = ()


def model_card(evidence: Evidence, manifest: Manifest) -> str:
    """The card of a bundle; `manifest` holds the hashes of its other files (`bundle.with_files`)."""
    parts = [
        f"# Model card: {escape(evidence.problem.question) or escape(manifest.name)}",
        _details(evidence, manifest),
        _use(evidence.problem),
        _data(evidence),
        _training(evidence),
        _metrics(evidence),
        _per_class(evidence),
        _limits(evidence),
        _how_to(evidence.problem, manifest),
        _files(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    flat = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*\[\]|])", r"\\\1", flat)


def _details(evidence: Evidence, manifest: Manifest) -> str:
    problem = evidence.problem
    lines = [
        f"- Predicts {_TASKS[problem.task]}: {_list(problem.target)}, from {'a picture' if problem.kind == 'image' else 'the columns of a table'}.",
        f"- Kind of model: {manifest.kind} (`{evidence.tune.winner}`).",
        f"- Chosen and judged by {problem.metric}{_tell_bounds(problem)}; version {manifest.version}; made with Surefoot {manifest.made_with}.",
    ]
    if problem.classes:
        lines.append(f"- Classes: {_list(problem.classes)}.")
    own = manifest.threshold if isinstance(manifest.threshold, tuple) else (manifest.threshold,) * len(problem.classes)
    if problem.task in ("binary", "multilabel"):
        said = zip(problem.classes, own) if problem.task == "multilabel" else [(problem.classes[1], own[1])]
        lines.append(f"- Says {', '.join(f'{escape(name)} from a prob of {one:.3g} on' for name, one in said)}.")
    if problem.log_target:
        lines.append("- Trained on a log scale; answers are in the target's own units.")
    return "## Model details\n\n" + "\n".join(lines)


def _tell_bounds(problem: Problem) -> str:
    """What came before the metric in choosing; empty where nothing did."""
    bounds = ", ".join(f"{escape(name)} {_number(bound)}" for name, bound in problem.satisfice.items())
    return f", among models that miss the fewest bounds of what must suffice ({bounds})" if bounds else ""


def _use(problem: Problem) -> str:
    goal = f" The goal is {problem.metric} {_number(problem.goal)}." if problem.goal is not None else ""
    human = f" A careful person reaches {_number(problem.human)}." if problem.human is not None else ""
    question = escape(problem.question) or "(none was given)"
    return (
        f'## Intended use\n\nIt answers the question "{question}" for items from the same source as its data.{goal}{human}\n\n'
        "Out of scope: items of another source, kind or time than those below, and decisions about people that nobody can appeal."
    )


def _data(evidence: Evidence) -> str:
    audit, split = evidence.audit, evidence.split
    counts = ", ".join(f"{name} {count:,}" for name, count in split.counts.items())
    lines = [
        f"- {audit.num_items:,} items were found, {audit.num_usable:,} are usable, {audit.num_refused:,} were refused (with reasons in the report)"
        + (f", {audit.num_untargeted:,} have no target." if audit.num_untargeted else "."),
        f"- Sets: {counts}; split {split.by}, {split.protocol} with {split.folds} fold{'s' if split.folds > 1 else ''}.",
    ]
    if audit.num_wild:
        lines.append(f"- {audit.num_wild:,} items from where the model will be used, never trained on.")
    if split.unmeasured:
        lines.append(f"- Too rare to be measured: {_list(split.unmeasured)}.")
    lines += [f"- Data finding `{finding.code}`: {escape(finding.what)}" for finding in _warnings([audit, split])]
    text = "## Data\n\n" + "\n".join(lines)
    if evidence.problem.classes and audit.balance:
        text += "\n\n" + _table(("class", "items"), [(escape(name), f"{count:,}") for name, count in list(audit.balance.items())[:_ROWS]])
    return text


def _training(evidence: Evidence) -> str:
    tune, final = evidence.tune, evidence.final
    lines = [f"- {len(tune.trials)} settings were tried; val was looked at {tune.looks} times."]
    if tune.winner == "net":
        train = tune.train
        lines.append(f"- {train.optimizer}, lr {train.lr:.3g}, batch {train.batch_size}, {tune.epochs:g} epochs, weight decay {train.weight_decay:g}.")
    if final is not None:
        lines.append(f"- Trained at last on {final.num_rows:,} items (train and val), from {final.start}.")
        lines += [f"- Phase {escape(p.name)}: {p.epochs:g} epochs, lr {p.lr:.3g}, batch {p.batch_size}, {escape(p.optimizer)}." for p in final.phases]
    if tune.temperature != 1:
        lines.append(f"- Logits are divided by a temperature of {tune.temperature:.3g}, fitted on held-out items.")
    if tune.is_evened:
        lines.append(f"- {_tell_chances(evidence.problem, tune)}")
    return "## Training\n\n" + "\n".join(lines)


def _tell_chances(problem: Problem, tune: TuneReport) -> str:
    """How probs of a net that learnt from evened classes become chances (Elkan 2001, theorem 2). Labels are told apart one by one, classes from each other."""
    if problem.task == "multilabel":
        return (
            "Items with a label and those without had even weight in training: a prob p is that of a world in which half of the items have the label. "
            "Where chances are needed, take p·s / (p·s + (1 - p)·(1 - s)), with the share s of the items above that have it."
        )
    is_twice = tune.train.class_weights == tune.train.sampling == "balanced"
    how = "had even weight, and were drawn evenly as well," if is_twice else "had even weight, or were drawn evenly,"
    world = "those are frequent that are rare here" if is_twice else "all are as frequent"
    times = "the square of its class's share" if is_twice else "its class's share"
    return (
        f"Classes {how} in training: probs are those of a world in which {world}. "
        f"Where chances are needed, multiply each by {times} of the items above, and divide by their sum."
    )


def _metrics(evidence: Evidence) -> str:
    test, tune, metric = evidence.test, evidence.tune, evidence.problem.metric
    rows = [_score(f"val, {metric}, of the tuned model", tune.val)]
    if test is None:
        note = _tell_untested(evidence.openings)
    else:
        of = write_items(test.n, test.items)
        rows.insert(0, (f"**test, {metric}**", f"**{_number(test.value)}**", _interval(test.interval), of))
        if test.tuned is not None:
            rows.append(_score(f"test, {metric}, of the tuned model", test.tuned))
        if test.wild is not None:
            rows.append(_score(f"wild, {metric}", test.wild))
        others = {name: value for name, value in test.metrics.items() if name != metric}
        rows += [(f"test, {escape(name)}", _number(value), _interval(test.intervals.get(name)), of) for name, value in others.items()]
        rows += [_measured(f"test, {metric}, {escape(name)}", measured) for name, measured in list(test.slices.items())[:_ROWS]]
        times = len(test.openings)
        note = f"The test set was opened {times} time{'s' if times != 1 else ''}." + (" Only the first opening was blind." if times > 1 else "")
        note += "".join(f"\n- Opening {o.number}, round {o.round}, {escape(o.when)}: {escape(o.why) or 'the first'}." for o in test.openings)
    ece, ends = evidence.diagnose.ece, evidence.diagnose.ece_interval
    calibration = f"\n\nCalibration error on val (ECE): {_with_interval(ece, ends)}." if ece is not None else ""
    return "## Metrics\n\nIntervals hold 95 %.\n\n" + _table(("what", "value", "interval", "items"), rows) + f"\n\n{note}{calibration}"


def _tell_untested(openings: Sequence[Opening]) -> str:
    if not openings:
        return "The test set is not opened yet: `surefoot test` opens it, once, and fills in the number that counts."
    last = openings[-1]
    return (
        f"This model was not tested. The test set was opened before, last in round {last.round} ({escape(last.when)}), for another model; "
        'a second opening (`surefoot test --again "why"`) is not blind any more.'
    )


def _per_class(evidence: Evidence) -> str:
    test = evidence.test
    told: TestReport | DiagnoseReport = test if test is not None and test.per_class else evidence.diagnose
    found, intervals = told.per_class, told.class_intervals
    if not found:
        return ""
    names = list(dict.fromkeys(name for scores in found.values() for name in scores))
    rows = [
        (escape(label), *(_with_interval(scores.get(name), intervals.get(label, {}).get(name)) for name in names))
        for label, scores in list(found.items())[:_ROWS]
    ]
    return f"## Per class ({'test' if told is test else 'val'})\n\n" + _table(("class", *names), rows)


def _limits(evidence: Evidence) -> str:
    lines = [f"- `{finding.code}`: {escape(finding.what)}" for finding in _warnings([evidence.tune, evidence.diagnose, evidence.final, evidence.test])]
    if evidence.diagnose.verdict not in ("", "none"):
        gap = evidence.diagnose.gaps.get(evidence.diagnose.verdict)
        size = f" ({_with_interval(gap.value, gap.interval)} {escape(evidence.diagnose.unit)})" if gap is not None else ""
        lines.append(f"- The largest known part of its error is {escape(evidence.diagnose.verdict)}{size}.")
    lines.append("- It always answers, also to an item that is nothing of what it was trained on.")
    lines.append("- Its numbers hold for data like the test set's; measure again when the source changes.")
    return "## Limits and known problems\n\n" + "\n".join(lines)


def _how_to(problem: Problem, manifest: Manifest) -> str:
    what = "photo.jpg" if problem.kind == "image" else "rows.csv"
    inputs = "a picture of any size" if problem.kind == "image" else f"the columns {_list(manifest.inputs)}, in any order"
    weights = f"`{GRAPH}`" if GRAPH in manifest.files else f"`{BOOSTER}`"
    return (
        f"## How to use\n\n```\nsurefoot predict export/ {what}\nsurefoot serve export/\n```\n\n"
        f"Give it {inputs}. Other programs load {weights}; `preprocess.json` says how a record becomes its inputs."
    )


def _files(manifest: Manifest) -> str:
    rows = [(f"`{name}`", f"`{digest}`") for name, digest in sorted(manifest.files.items()) if name != CARD]
    return "## Files\n\n" + _table(("file", "SHA-256"), rows)


def _warnings(reports: Iterable[Report | None]) -> list[Finding]:
    found = [finding for report in reports if report is not None for finding in report.findings if finding.severity != "info"]
    return list({(finding.code, finding.what): finding for finding in found}.values())


def _score(name: str, score: ModelScore) -> tuple[str, str, str, str]:
    return name, _number(score.value), _interval(score.interval), write_items(score.n, score.items) if score.n else ""


def _measured(name: str, measured: Measured) -> tuple[str, str, str, str]:
    return name, _number(measured.value), _interval(measured.interval), write_items(measured.n, measured.items) if measured.n else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _ROWS} more" if len(names) > _ROWS else ""
    return ", ".join(escape(name) for name in names[:_ROWS]) + more


def _number(value: float | None) -> str:
    return "" if value is None else write(value)


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    return f"{_number(value)} [{_interval(interval)}]" if interval is not None else _number(value)


def _interval(interval: tuple[float, float] | None) -> str:
    return f"{_number(interval[0])} to {_number(interval[1])}" if interval is not None else ""
