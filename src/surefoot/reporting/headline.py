"""The headline: the published number, what it beats, the verdict, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from surefoot.analysis.gaps import is_small, may_be_labels
from surefoot.checks.causes import find_root
from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, Rule, bars
from surefoot.reporting.findings import group_by_cause, redact
from surefoot.reporting.markup import EMPTY, code, join, prose
from surefoot.reporting.road import ROAD, describe_step
from surefoot.reporting.views import Scene
from surefoot.reporting.words import MINUS, Metric, between, describe_metric, number, spaced
from surefoot.types.figures import write_items
from surefoot.types.findings import Finding, Measured, Report
from surefoot.types.problem import Problem
from surefoot.types.reports import BaselineReport, DiagnoseReport, ModelScore, TestReport, TuneReport
from surefoot.types.views import StepView

VERDICTS = {"bias": "Too weak", "variance": "Learns by heart", "mismatch": "Data differs", "none": "No clear gap"}
NOTES = {
    "bias": "Avoidable bias: it misses much even of its own train set.",
    "variance": "Variance: it does better on train than on unseen items.",
    "mismatch": "Data mismatch: where it is used differs from where it learned.",
    "none": "No gap stands out of the noise.",
}

_TITLES = {"knn": "k-NN", "persistence": "Repeating the row before"}


@dataclass(frozen=True)
class Tile:
    """One statement of the headline: a small title, the value in large, and a note."""

    title: str
    value: Markup | str
    note: Markup | str = ""
    tone: str = ""


def find_cause(step: StepView, steps: Sequence[StepView]) -> Finding:
    """What explains why the step stopped: the finding at the root of its stops, in whichever step of the round it was seen."""
    groups = group_by_cause(step.report.findings)
    root = next(root for root, explained in groups if "stop" in {root.severity, *(finding.severity for finding in explained)})
    return find_root(root, {finding.code: finding for other in reversed(steps) for finding in reversed(other.report.findings)})


def find_stop(steps: Sequence[StepView]) -> StepView | None:
    """The step at which the road stopped, unless its gate was overridden."""
    return next((step for step in steps if step.report.gate == "stop" and not step.past), None)


def make_headline(scene: Scene, steps: Sequence[StepView]) -> list[Tile]:
    """Four statements: how good, better than what, what holds it back, what next."""
    tiles = [_result(scene), _gain(scene), _verdict(scene, steps), _next(scene, steps)]
    return [tile for tile in tiles if tile]


def _result(scene: Scene) -> Tile:
    metric, problem = scene.metric, scene.find(Problem)
    test, tune, baseline = scene.find(TestReport), scene.find(TuneReport), scene.find(BaselineReport)
    goal = problem.goal if problem else None
    unit = f", in units of {scene.target}" if metric.has_units else ""
    if test:
        reached = "" if goal is None else f" The goal of {metric.show(goal)} is {'reached' if _is_better(test.value, goal, metric) else 'not reached'}."
        note = f"95 % interval{between(test.interval, metric.is_share)} on {write_items(test.n, test.items, 'item')}{unit}.{reached}"
        often = len(test.openings)
        note += f" The test set was opened {often} times; only the first was blind." if often > 1 else ""
        is_level = _is_level(scene, test)
        note += (_tell_worse(scene, test) or " That is no better than guessing, within its interval.") if is_level else ""
        note += (missed := _tell_missed(test))
        is_good = often == 1 and "not" not in reached and not (is_level or missed or any(f.code == "split.val_too_small" for f in test.findings))
        return Tile(f"Test {metric.label}", metric.show(test.value), note, "main good" if is_good else "main")
    if tune:
        diagnosis = scene.find(DiagnoseReport)
        note = f"95 % interval{between(tune.val.interval, metric.is_share)}{unit}. The test set was not opened in this round."
        note += _tell_missed(diagnosis) if diagnosis else ""
        return Tile(f"Val {metric.label}", metric.show(tune.val.value), note, "main")
    if baseline and baseline.best in baseline.models:
        best = baseline.models[baseline.best]
        return Tile("Best simple model", metric.show(best.value), f"{metric.label} of {spaced(baseline.best)} on val. No net is trained yet.", "main")
    return Tile("Result", "none yet", "No model has been measured so far.", "main")


def _tell_missed(report: Report) -> str:
    """What must suffice and does not."""
    missed = [finding for finding in report.findings if finding.code == "diagnose.bound_missed"]
    named = (f"{describe_metric(str(one.evidence['metric'])).label} (due: {number(float(str(one.evidence['bound'])))})" for one in missed)
    return f" What must suffice does not: {', '.join(named)}." if missed else ""


def _is_level(scene: Scene, test: TestReport) -> bool:
    """Whether the result may be no better than the trivial predictor: on val by the paired comparison, or on test by the interval."""
    tune, baseline = scene.find(TuneReport), scene.find(BaselineReport)
    if tune and any(f.code == "diagnose.below_baseline" and f.severity != "info" for f in tune.findings):
        return True
    trivial = baseline.models.get(baseline.trivial) if baseline else None
    return bool(trivial and test.interval and _is_better(trivial.value, test.interval[scene.metric.smaller_is_better], scene.metric))


def _tell_worse(scene: Scene, test: TestReport) -> str:
    """That the trivial predictor is surely better by the metric, as it may be where a threshold serves something else; else nothing."""
    baseline, tune = scene.find(BaselineReport), scene.find(TuneReport)
    trivial = baseline.models.get(baseline.trivial) if baseline else None
    if not trivial or not test.interval or _is_better(test.interval[not scene.metric.smaller_is_better], trivial.value, scene.metric):
        return ""
    why = ": the threshold was chosen to serve something else" if tune and tune.threshold != 0.5 else ""
    return f" By this metric always saying the same is better, {scene.metric.show(trivial.value)} on val{why}."


def _is_better(value: float, than: float, metric: Metric) -> bool:
    return value <= than if metric.smaller_is_better else value >= than


def find_rival(scene: Scene) -> ModelScore | None:
    """The best simple model that could ship: as it was compared with the net, at its own threshold, or, where no net is trained yet, as it was fitted."""
    tune, baseline = scene.find(TuneReport), scene.find(BaselineReport)
    fitted = baseline.models.get(baseline.best) if baseline else None
    return (tune.rival if tune else None) or fitted


def find_advantage(scene: Scene) -> Measured | None:
    """How much better than the best baseline the net did on val, positive where it is better, whatever the metric's direction."""
    tune, rival = scene.find(TuneReport), find_rival(scene)
    if not tune or not rival:
        return None
    paired = tune.versus_baseline or Measured(value=tune.net.value - rival.value)
    if not scene.metric.smaller_is_better:
        return paired
    low, high = paired.interval or (0.0, 0.0)
    return Measured(value=-paired.value, interval=(-high, -low) if paired.interval else None, n=paired.n, items=paired.items)


def _gain(scene: Scene) -> Tile | None:
    advantage, rival, baseline, tune = find_advantage(scene), find_rival(scene), scene.find(BaselineReport), scene.find(TuneReport)
    if advantage is None or rival is None or baseline is None or tune is None:
        return None
    metric = scene.metric
    against = f"The best simple model that could ship, {spaced(baseline.best)}, has {metric.show(rival.value)} on val."
    # yardsticks decide as they were fitted, from 0.5 on: at 1.7 % positives the dearest of them has 98.5 % there, and the rival 92.2 % where it is cheapest
    against += _yardstick(baseline, metric) if rival.value == baseline.models[baseline.best].value else ""
    is_noise = advantage.interval is None or advantage.interval[0] <= 0 <= advantage.interval[1]
    if tune.winner != "net":
        apart = f"The net is {metric.show_part(abs(advantage.value))} {'better' if advantage.value > 0 else 'worse'}{', within the noise' if is_noise else ''}."
        return Tile("The winner is a simple model", spaced(tune.winner), f"{apart} {against}")
    bounds = ""
    if advantage.interval:
        low, high = (metric.show_gap(end) for end in advantage.interval)
        bounds = f"Between {low} and {high}.{' Within the noise.' if is_noise else ''} "
    verb = "Falls behind the baseline on val by" if advantage.value < 0 else "Beats the baseline on val by"
    verb = "Ahead of the baseline on val, within the noise, by" if is_noise and advantage.value >= 0 else verb
    return Tile(verb, metric.show_gap(advantage.value).lstrip("+" + MINUS), bounds + against)


def _yardstick(baseline: BaselineReport, metric: Metric) -> str:
    """What a model that is only shown reached, where that is better than all that could ship."""
    pick = min if metric.smaller_is_better else max
    best = pick(baseline.models, key=lambda name: baseline.models[name].value)
    value = baseline.models[best].value
    return "" if value == baseline.models[baseline.best].value else f" {_TITLES.get(best, spaced(best))}, which never ships, has {metric.show(value)}."


def tell_small(report: DiagnoseReport, metric: Metric) -> str:
    """The largest gap by its size, where it is a small one; else nothing."""
    gap = report.gaps.get(report.verdict)
    if gap is None or not is_small(report.gaps, report.errors, report.verdict, is_amount=report.unit != "error"):
        return ""
    return f"The largest gap left is {report.verdict}: {metric.show_part(gap.value)}."


def tell_labels(report: DiagnoseReport) -> str:
    """That labels may be all that train misses, where they may; else nothing."""
    if report.label_noise is None or not may_be_labels(report.gaps, report.verdict, report.label_noise):
        return ""
    return f"About {report.label_noise.value:.1%} of val's labels look wrong, which may be all that is missed on train: mend them before the model."


def _verdict(scene: Scene, steps: Sequence[StepView]) -> Tile | None:
    stopped, diagnosis = find_stop(steps), scene.find(DiagnoseReport)
    if stopped:
        return Tile("The road stopped at", describe_step(stopped.name).title, prose(redact(find_cause(stopped, steps).what, scene)), "stop")
    if diagnosis:
        verdict = diagnosis.verdict
        if small := tell_small(diagnosis, scene.metric):
            return Tile("What holds it back", "Nothing large", small)
        if labels := tell_labels(diagnosis):
            return Tile("What holds it back", "Wrong labels, it seems", labels)
        problem = scene.find(Problem)
        blind = " Without problem.human bias can not be judged." if verdict == "none" and problem and problem.human is None else ""
        return Tile("What holds it back", VERDICTS.get(verdict, verdict), NOTES.get(verdict, "") + blind)
    return None


def _next(scene: Scene, steps: Sequence[StepView]) -> Tile:
    stopped, diagnosis = find_stop(steps), scene.find(DiagnoseReport)
    if stopped:
        advice = redact(find_cause(stopped, steps).next, scene)
        return Tile("Next", "Mend this first", prose(advice) or "See the finding below.", "next")
    if diagnosis and diagnosis.advice:
        first = diagnosis.advice[0]
        return Tile("Next", prose(first.what.rstrip(".")), join(["Then ", code(first.command)]) if first.command else "", "next")
    walked = {step.name for step in steps}
    ahead = next((name for name in ROAD if name not in walked), None)
    problem = scene.find(Problem)
    if ahead == "s05_baseline" and problem and problem.task == "detection":
        files = join(["Surefoot has none yet. The sets lie in ", code("runs/*-prepare-*/coco"), " as COCO files, which detectors are trained on."])
        return Tile("Next", "Train a detector elsewhere", files, "next")
    if ahead:
        return Tile("Next", f"Go on to {ROAD[ahead].title.lower()}", code("surefoot run"), "next")
    return Tile("Next", "Use it", code("surefoot serve export"), "next")


def draw_standing(scene: Scene) -> Markup:
    """All values that matter on one scale of the metric: from the number to beat to the goal."""
    metric, problem = scene.metric, scene.find(Problem)
    test, tune, best = scene.find(TestReport), scene.find(TuneReport), find_rival(scene)
    entries = []
    if best:
        entries.append(Bar("best simple model", best.value, best.interval, 6, metric.show(best.value)))
    if tune:
        entries.append(Bar("tuned, on val", tune.val.value, tune.val.interval, 1, metric.show(tune.val.value)))
    if test:
        entries.append(Bar("final, on test", test.value, test.interval, 3, metric.show(test.value)))
    if len(entries) < 2:
        return EMPTY
    levels = [("goal", problem.goal), ("human", problem.human)] if problem else []
    rules = [Rule(label, value) for label, value in levels if value is not None]
    return bars("Where the result stands", entries, Axis(metric.label, is_share=metric.is_share), rules, from_zero=False)
