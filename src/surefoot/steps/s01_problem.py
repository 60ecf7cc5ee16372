"""s01: reads the question, and writes the project charter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from surefoot.data.readers import open_source
from surefoot.data.readers.dates import find_format
from surefoot.data.targets import find_columns, list_classes, raw_targets, to_name
from surefoot.metrics import get as get_metric
from surefoot.parts import PARTS
from surefoot.tasks import TASKS
from surefoot.types import Annotations, Context, DataError, Finding, ImageSource, Problem, ProblemStepConfig, Reason, TableSource, UsageError

_MANY_UNTARGETED = 0.01
"""Share of the items without a target from which leaving them out may bias what is measured, and is a warning."""
_MOST_CLASSES = 30
"""Whole numbers with at most this many values are read as classes, with more as amounts."""

_LARGEST = 1e100
"""Squares and their sums over all items stay finite up to here (the largest float64 is 1.8e308)."""

_SKEWED = 1.0
"""Skewness of a target that is never negative, above which it is trained on a log scale (Bulmer 1979: above 1 is highly skewed)."""


def problem(ctx: Context, config: ProblemStepConfig) -> Problem:
    """Reads inputs, target, task and metric; infers what was not said, with the reason.

    Raises:
        DataError: the target is not there, is constant, or does not fit the task.
    """
    source = open_source(config.data, ctx.root)
    reasons: list[Reason] = []
    columns = _find_target(source, config, reasons)
    raw = raw_targets(source, columns)
    _check_target(raw, columns, source)
    boxed = _find_boxes(source, config.problem.task)
    task = config.problem.task or _infer_task(raw, columns, reasons, has_boxes=boxed is not None)
    spec = TASKS[task]
    classes = boxed.classes if boxed else _name_classes(raw, columns, task)
    metric = config.problem.metric or spec.metric
    _check_metrics({"problem.metric": metric, **{f"problem.satisfice.{name}": name for name in config.problem.satisfice}}, task, ctx)
    if not config.problem.metric:
        reasons.append(
            Reason(setting="problem.metric", value=metric, why=f"the usual first metric of {task.replace('_', ' ')}; the others are shown beside it")
        )
    log_target = task in ("regression", "vector_regression") and _is_skewed(raw, reasons)
    return Problem(
        question=config.question or _ask(source, columns),
        kind=source.kind,
        task=task,
        target=columns,
        classes=classes,
        metric=metric,
        metrics=tuple(name for name in (spec.metric, *spec.metrics) if name != metric),
        satisfice=config.problem.satisfice,
        goal=config.problem.goal,
        human=config.problem.human,
        head=spec.head,
        loss=spec.loss,
        num_outputs=_count_outputs(task, classes, raw),
        log_target=log_target,
        num_items=len(source),
        given_sets=tuple(sorted({given for given in source.given_sets if given})),
        hypotheses=(
            f"{' and '.join(columns)} can be predicted from the {'pictures' if source.kind == 'image' else 'other columns'}",
            f"the {len(source):,} items at hand are informative enough to learn how",
        ),
        reasons=(*reasons, *_explain_head(task)),
        findings=tuple(_note_reading(source, raw)),
    )


def _ask(source: ImageSource | TableSource, columns: tuple[str, ...]) -> str:
    """The question that the data suggests."""
    if isinstance(source, TableSource):
        return f"What is {' and '.join(columns)}?"
    return "What does the picture show, and where?" if source.annotations else "What does the picture show?"


def _explain_head(task: str) -> list[Reason]:
    spec = TASKS[task]
    return (
        [Reason(setting="last layer and loss", value=f"{spec.head}, {spec.loss}", why=f"follow from the task {task}", source=spec.source)] if spec.loss else []
    )


def _find_boxes(source: ImageSource | TableSource, asked: str) -> Annotations | None:
    """What is drawn on the pictures; makes sure that boxes are detected, and that what is to be detected has boxes."""
    boxed = source.annotations if isinstance(source, ImageSource) else None
    if asked and (asked == "detection") != (boxed is not None):
        what = f"The pictures have boxes, and the task {asked} takes none." if boxed else "detection needs boxes, and the source has none."
        advice = "Leave problem.task out." if boxed else "Put COCO, VOC or YOLO annotations beside the pictures, or leave problem.task out."
        raise DataError(what, where=f"problem.task = {asked!r}", next=advice)
    return boxed


def _find_target(source: ImageSource | TableSource, config: ProblemStepConfig, reasons: list[Reason]) -> tuple[str, ...]:
    if isinstance(source, ImageSource):
        asked = [config.data.target] if isinstance(config.data.target, str) else config.data.target
        return ("boxes",) if source.annotations else tuple(name for name in asked if name in source.columns) or ("label",)
    columns = find_columns(source, config.data.target)
    if not columns:
        raise DataError("No target column was named, and none suggests itself.", where="data.target", next=f"Name one of: {', '.join(source.columns)}.")
    if not config.data.target:
        reasons.append(Reason(setting="data.target", value=", ".join(columns), why="its name or its place at the end says so"))
    return columns


def _count_outputs(task: str, classes: tuple[str, ...], raw: list[Any] | np.ndarray) -> int:
    return 1 if task == "binary" else len(classes) or len(np.atleast_1d(_present(raw)[0]))


def _present(raw: list[Any] | np.ndarray) -> list[Any]:
    return [value for value in raw if value is not None and not (np.ndim(value) == 0 and to_name(value) is None)]


def _check_target(raw: list[Any] | np.ndarray, columns: tuple[str, ...], source: ImageSource | TableSource) -> None:
    _check_varies(raw, columns)
    _check_size(raw, columns)
    _check_together(raw, columns, source)
    _check_no_dates(raw, columns)


def _check_varies(raw: list[Any] | np.ndarray, columns: tuple[str, ...]) -> None:
    name = " and ".join(columns)
    present = _present(raw)
    if not present:
        raise DataError(f"The target {name} is empty: no item has a value.", where=name, next="Name another target: data.target in surefoot.toml.")
    if np.ndim(present[0]) == 0 and len({to_name(value) for value in present}) < 2:
        raise DataError(
            f"The target {name} has one value only, {to_name(present[0])!r}: there is nothing to learn.",
            where=name,
            next="Give items of a second class, or name another target.",
        )


def _check_size(raw: list[Any] | np.ndarray, columns: tuple[str, ...]) -> None:
    if isinstance(raw, np.ndarray) and raw.dtype.kind == "f" and (largest := float(np.nanmax(np.abs(raw)))) > _LARGEST:
        raise DataError(
            f"The target {' and '.join(columns)} reaches {largest:.3g}; squares of such numbers can't be held.",
            where=" and ".join(columns),
            next=f"Give it in a larger unit, so that nothing is above {_LARGEST:.0e}, or take its logarithm.",
        )


def _check_together(raw: list[Any] | np.ndarray, columns: tuple[str, ...], source: ImageSource | TableSource) -> None:
    """Several target columns must all be numbers."""
    if len(columns) > 1 and isinstance(source, TableSource) and isinstance(raw, np.ndarray) and raw.dtype.kind != "f":
        words = [name for name in columns if source.columns[name].dtype.kind != "f"]
        raise DataError(
            f"{len(columns)} target columns must all be numbers, and {' and '.join(words)} holds none.",
            where=f"data.target = {list(columns)}",
            next="Name one column of words alone, or columns that are all amounts, or all 0 and 1.",
        )


def _check_no_dates(raw: list[Any] | np.ndarray, columns: tuple[str, ...]) -> None:
    """A date is neither a class nor an amount."""
    distinct = sorted({str(value) for value in _present(raw) if isinstance(value, (str, np.datetime64))})
    if len(distinct) > 2 and find_format(pa.array(distinct)) is not None:
        raise DataError(
            f"The target {' and '.join(columns)} holds dates, such as {distinct[0]}.",
            where=" and ".join(columns),
            next="Predict a number made of it, such as the days until then, or name another target.",
        )


def _infer_task(raw: list[Any] | np.ndarray, columns: tuple[str, ...], reasons: list[Reason], *, has_boxes: bool) -> str:
    task, why = ("detection", "boxes are drawn on the pictures") if has_boxes else _read_task(_present(raw), columns)
    reasons.append(Reason(setting="problem.task", value=task, why=why))
    return task


def _read_task(values: list[Any], columns: tuple[str, ...]) -> tuple[str, str]:
    if np.ndim(values[0]) == 1:
        matrix = np.asarray(values, np.float64)
        if np.isin(matrix[~np.isnan(matrix)], (0.0, 1.0)).all():
            return "multilabel", f"{matrix.shape[1]} targets, all of them 0 or 1"
        return "vector_regression", f"{matrix.shape[1]} targets that are amounts"
    distinct = {to_name(value) for value in values}
    if len(distinct) == 2:
        return "binary", f"{columns[0]} has two values: {' and '.join(sorted(map(str, distinct)))}"
    is_number = all(isinstance(value, (int, float, np.integer, np.floating)) for value in values[:1000])
    if not is_number:
        return "multiclass", f"{columns[0]} is words with {len(distinct)} values"
    is_whole = all(float(value).is_integer() for value in values)
    if is_whole and len(distinct) <= _MOST_CLASSES and len(distinct) * 5 <= len(values):
        return "multiclass", f"{columns[0]} is whole numbers with only {len(distinct)} values"
    return "regression", f"{columns[0]} is an amount with {len(distinct)} values"


def _name_classes(raw: list[Any] | np.ndarray, columns: tuple[str, ...], task: str) -> tuple[str, ...]:
    if task in ("regression", "vector_regression"):
        if not all(isinstance(value, (int, float, np.integer, np.floating)) for row in _present(raw)[:1000] for value in np.atleast_1d(row)):
            raise DataError(
                f"{columns[0]} holds words, and {task} needs numbers.", where="problem.task", next="Set problem.task = 'multiclass', or name another target."
            )
        return ()
    if task == "multilabel":
        _check_labels(raw, columns)
        return columns if len(columns) > 1 else tuple(str(number) for number in range(len(np.atleast_1d(_present(raw)[0]))))
    if np.ndim(_present(raw)[0]) == 1:
        raise DataError(
            f"{len(columns)} target columns do not fit the task {task}.", where="problem.task", next="Set problem.task = 'multilabel', or name one target."
        )
    classes = list_classes(raw)
    if task == "binary" and len(classes) != 2:
        raise DataError(f"{columns[0]} has {len(classes)} values, and binary needs two.", where="problem.task", next="Set problem.task = 'multiclass'.")
    return classes


def _check_labels(raw: list[Any] | np.ndarray, columns: tuple[str, ...]) -> None:
    present = _present(raw)
    if np.ndim(present[0]) == 0:
        raise DataError(f"multilabel takes several targets, and {columns[0]} is one.", where="problem.task", next="Leave it out, or name more columns.")
    matrix = np.asarray(present, np.float64)
    if not np.isin(matrix[~np.isnan(matrix)], (0.0, 1.0)).all():
        raise DataError(
            f"multilabel takes targets that are 0 or 1, and {' and '.join(columns)} hold other numbers.",
            where="problem.task",
            next="Set problem.task = 'vector_regression', or name other targets.",
        )


def _check_metrics(names: dict[str, str], task: str, ctx: Context) -> None:
    """Setting -> the metric that it names, which must fit the task."""
    for where, name in names.items():
        if ":" not in name and task not in get_metric(name, ctx.root).tasks:
            fitting = [other for other in PARTS["metric"] if task in get_metric(other).tasks]
            raise UsageError(f"The metric {name!r} does not fit the task {task}.", where=where, next=f"It can be: {', '.join(fitting)}.")


def _is_skewed(raw: list[Any] | np.ndarray, reasons: list[Reason]) -> bool:
    values = np.asarray(_present(raw), np.float64).reshape(len(_present(raw)), -1)
    centred = values - values.mean(0)
    spread = values.std(0)
    if (values < 0).any() or (spread == 0).any():
        return False
    skewness = float(((centred / spread) ** 3).mean(0).min())
    if skewness > _SKEWED:
        reasons.append(
            Reason(
                setting="target's scale",
                value="log",
                why=f"it is never negative and its skewness is {skewness:.1f}; it is trained as log(1 + y) and reported in its own units",
            )
        )
    return skewness > _SKEWED


def _note_reading(source: ImageSource | TableSource, raw: list[Any] | np.ndarray) -> list[Finding]:
    found = [
        Finding(code="data.mixed_types", severity="info", what=note, where="while reading", next="Nothing, if this is what you meant.") for note in source.notes
    ]
    missing = int(np.isnan(raw).any(1).sum()) if isinstance(raw, np.ndarray) and raw.ndim == 2 else sum(map(_is_missing, raw))
    if missing:
        found.append(
            Finding(
                code="data.missing_values",
                severity="warn" if missing >= _MANY_UNTARGETED * len(raw) else "info",
                what=f"{missing:,} of {len(raw):,} items have no target, or an infinite one; they are left out.",
                where="target",
                next="Label them, or leave it so.",
                evidence={"missing": missing, "items": len(raw), "threshold": _MANY_UNTARGETED},
            )
        )
    return found


def _is_missing(value: Any) -> bool:
    """Whether an item has no target, or not all of several amounts."""
    return value is None or (to_name(value) is None if np.ndim(value) == 0 else bool(np.isnan(value).any()))
