"""Settings that could have no effect on this data and this task, told as soon as both are known: after the first step."""

from __future__ import annotations

from pathlib import Path

from surefoot import settings
from surefoot.metrics import get as get_metric
from surefoot.runners import names
from surefoot.transforms import chain
from surefoot.types.configs import DataConfig, PrepareConfig, ProblemConfig, Settings
from surefoot.types.data_reports import PreparedData
from surefoot.types.errors import UsageError
from surefoot.types.problem import Problem


def check_effects(values: Settings, problem: Problem, root: Path) -> None:
    """Makes sure that what the settings ask for can be done with this kind of data and this task, and can be reached by this metric.

    Raises:
        ConfigError: with every problem in it, one a line.
    """
    problems = _check_kind(values, problem) | _check_preparing(values, problem) | _check_task(values, problem)
    for setting, metric, value in _bounds(values, problem):
        if why := _explain_bound(metric, value, root):
            problems[setting] = why
    if problems:
        raise settings.refuse(problems, where="surefoot.toml, --set", next="Mend them, or leave them out; docs/settings.md says what each key is for.")


def check_inputs(values: Settings, data: PreparedData) -> None:
    """Makes sure that what the settings ask for can be done with the inputs that the data was prepared to.

    Raises:
        ConfigError: mixup was asked for, and there is nothing to blend.
    """
    is_asked = values.train.mixup or "train.mixup" in values.search.space
    if is_asked and not any(field.name in ("image", "numeric") for field in data.fields):
        what = " and ".join(sorted({"texts" if field.is_text else "categories" for field in data.fields}))
        why = f"mixup blends numbers, and the inputs are {what} alone: only the targets would be mixed."
        raise settings.refuse({"train.mixup": why}, where="surefoot.toml, --set", next="Leave it out; train.augment = 'token_dropout' changes texts.")


def _check_kind(values: Settings, problem: Problem) -> dict[str, str]:
    problems = {}
    for setting, text in names.list_augmentations(values):
        try:
            chain.check(text, problem.kind)
        except UsageError as error:
            problems[setting] = f"{error.what} {error.next}"
    if problem.kind != "table":
        usual = DataConfig()
        told = [name for name in ("id", "ignore", "text", "tokens", "tokenizer") if getattr(values.data, name) != getattr(usual, name)]
        problems |= {f"data.{name}": "it is for tables, and the data is pictures: their places name them, and their pixels are the inputs." for name in told}
    if problem.kind == "table":
        if values.train.cutmix or "train.cutmix" in values.search.space:
            problems["train.cutmix"] = "only pictures are pasted into each other, and the data is a table; train.mixup blends rows."
        if values.data.id in problem.target:
            problems["data.id"] = f"{values.data.id} is the target: it can't name the rows too."
        if values.data.weight in problem.target:
            problems["data.weight"] = f"{values.data.weight} is the target: it can't weigh the rows too."
    return problems


_PICTURES, _TABLES = ("resize", "short_side", "colour", "encode", "quality"), ("missing", "missing_value", "scale", "encoding", "dates", "columns")


def _check_preparing(values: Settings, problem: Problem) -> dict[str, str]:
    names, what = (_PICTURES, "pictures, and the data is a table") if problem.kind == "table" else (_TABLES, "tables, and the data is pictures")
    usual = PrepareConfig()
    return {f"prepare.{name}": f"it is for {what}." for name in names if getattr(values.prepare, name) != getattr(usual, name)}


_THRESHOLD = ("threshold", "miss_cost", "alarm_cost", "least_precision", "least_recall")


def _check_task(values: Settings, problem: Problem) -> dict[str, str]:
    problems: dict[str, str] = {}
    if problem.task not in ("binary", "multilabel"):
        usual, why = ProblemConfig(), f"no threshold decides in {problem.task.replace('_', ' ')}, only in binary and multilabel."
        problems |= {f"problem.{name}": why for name in _THRESHOLD if getattr(values.problem, name) != getattr(usual, name)}
    if values.train.class_weights == "balanced" and not problem.classes:
        problems["train.class_weights"] = f"{problem.task.replace('_', ' ')} has no classes that could be weighed."
    if (values.train.label_smoothing or "train.label_smoothing" in values.search.space) and not problem.classes:
        loss = values.train.loss or problem.loss
        problems["train.label_smoothing"] = f"{problem.task.replace('_', ' ')} has no classes that a target could be spread over; its loss is {loss}."
    if values.train.sampling == "balanced" and problem.task not in ("binary", "multiclass"):
        problems["train.sampling"] = f"classes are drawn evenly where each item has one; the task is {problem.task.replace('_', ' ')}."
    if values.train.sampling == "grouped" and not values.split.group:
        problems["train.sampling"] = "nothing says which items belong together: name their column, split.group = COLUMN."
    if values.train.shard == "on":
        problems["train.shard"] = "the road is walked by one process, which has nobody to share weights with; docs/own_parts.md trains on several."
    return problems


def _bounds(values: Settings, problem: Problem) -> list[tuple[str, str, float]]:
    """Setting, metric, and the value of it that the setting names."""
    wanted = [("problem.goal", problem.metric, values.problem.goal), ("problem.human", problem.metric, values.problem.human)]
    wanted += [(f"problem.satisfice.{name}", name, value) for name, value in values.problem.satisfice.items()]
    return [(setting, metric, value) for setting, metric, value in wanted if value is not None]


def _explain_bound(name: str, value: float, root: Path) -> str:
    """Why a metric can't have this value; empty where it can. A metric of the user's says itself whether it is bounded."""
    metric = get_metric(name, root)
    if metric.bounded and not 0 <= value <= 1:
        return f"{metric.title} lies between 0 and 1 (got {value:g})" + (f"; did you mean {value / 100:g}?" if 1 < value <= 100 else ".")
    if not metric.bounded and not metric.greater_is_better and ":" not in name and value < 0:
        return f"{metric.title} is never below 0 (got {value:g})."
    if name == "r2" and value > 1:
        return f"{metric.title} is never above 1 (got {value:g})."
    return ""
