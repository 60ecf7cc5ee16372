"""How good a person is at the task: answers at the keyboard, judged as the model is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surefoot.analysis.gaps import measure_error
from surefoot.metrics.metric import Metric
from surefoot.types.errors import UsageError
from surefoot.types.examples import Predictions
from surefoot.types.findings import Measured
from surefoot.types.problem import Problem

UNKNOWN = "?"
"""The answer of a person who can't tell: it counts as wrong. See `name_unknown`."""
LEAST = 10
"""Answers from which on they replace what was given as the human level: fewer say next to nothing."""
_RANKING = ("roc_auc", "pr_auc", "map", "log_loss", "brier", "top2_accuracy")


def name_unknown(problem: Problem) -> str:
    """What a person types, and the ledger keeps, for "I can't tell": `?`, behind a colon where a class is called that."""
    name = UNKNOWN
    while name in problem.classes:
        name = f":{name}"
    return name


def parse_answer(problem: Problem, text: str) -> str:
    """An answer as it is kept: a class name, or its number from 1 where no class is named by a number; names with commas between for multilabel, a number
    for regression; unknown (see `name_unknown`).

    Raises:
        UsageError: it is none of these.
    """
    text = text.strip()
    if text == name_unknown(problem):
        return text
    if problem.task == "multilabel":
        names = [_find_class(problem, part) for part in text.split(",") if part.strip() and part.strip().lower() != "none"]
        return ",".join(names)
    if problem.classes:
        return _find_class(problem, text)
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != problem.num_outputs or not np.isfinite(numbers).all():
        raise UsageError(f"{text!r} is not {'a number' if problem.num_outputs == 1 else f'{problem.num_outputs} numbers'}.", next=f"Give one, or {UNKNOWN}.")
    return ",".join(f"{number:g}" for number in numbers)


def _find_class(problem: Problem, text: str) -> str:
    text = text.strip()
    if text in problem.classes:
        return text
    equal = [name for name in problem.classes if name.casefold() == text.casefold()]
    if len(equal) == 1:  # of the classes a and A, each is meant as it is written
        return equal[0]
    is_numbered = any(_is_number(name) for name in problem.classes)
    if not (is_numbered and _is_number(text)):  # of the classes 3 to 8, 2 is none, and not the second
        starting = [name for name in problem.classes if text and name.casefold().startswith(text.casefold())]
        if len(starting) == 1:
            return starting[0]
        if text.isdecimal() and 1 <= int(text) <= len(problem.classes):
            return problem.classes[int(text) - 1]
    raise UsageError(f"{text!r} is no class.", next=f"The classes are: {', '.join(problem.classes[:20])}; or give {name_unknown(problem)}.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def keep_fitting(problem: Problem, answers: Mapping[str, str]) -> dict[str, str]:
    """The answers that can be given to this question: the ledger keeps them for good, and a class may be renamed, or the task changed, since."""
    return {id: answer for id, answer in answers.items() if answer == name_unknown(problem) or _fits(problem, answer)}


def count_left_out(problem: Problem, answers: Mapping[str, str], ids: np.ndarray) -> tuple[int, int]:
    """How many answers fit the question no longer, and how many of the others were given about none of these items: what counts of a row may have changed."""
    fitting = keep_fitting(problem, answers)
    return len(answers) - len(fitting), len(fitting.keys() - set(ids.astype(str).tolist()))


def _fits(problem: Problem, answer: str) -> bool:
    if problem.task == "multilabel":
        return all(name in problem.classes for name in answer.split(",") if name)
    if problem.classes:
        return answer in problem.classes
    numbers = answer.split(",")
    return len(numbers) == problem.num_outputs and all(_is_number(one) for one in numbers)


def to_predictions(problem: Problem, answers: Mapping[str, str], ids: np.ndarray, targets: np.ndarray) -> Predictions:
    """What a person said as a model would have said it, sure of every answer; ids without an answer, or with one that no longer fits, are left out.

    Args:
        ids, targets: of all items that could be asked about. Of amounts, who can't tell is taken to say their mean: 0 may be far from any of them.
    """
    fitting = keep_fitting(problem, answers)
    rows = [row for row, id in enumerate(ids) if str(id) in fitting]
    if not rows:
        return Predictions(ids[rows], np.zeros((0, 1)), targets[rows])
    usual = targets.mean(axis=0)
    return Predictions(ids[rows], np.stack([_to_outputs(problem, fitting[str(ids[row])], targets[row], usual) for row in rows]), targets[rows])


def _to_outputs(problem: Problem, answer: str, target: np.ndarray, usual: np.ndarray) -> np.ndarray:
    is_unknown = answer == name_unknown(problem)
    if not problem.classes:
        return np.array(usual, np.float64) if is_unknown else np.array([float(part) for part in answer.split(",")])
    if problem.task == "multilabel":
        said = set(answer.split(","))
        return np.array([1.0 - due if is_unknown else float(name in said) for name, due in zip(problem.classes, np.atleast_1d(target), strict=True)])
    outputs = np.zeros(len(problem.classes))
    outputs[(int(target) + 1) % len(outputs) if is_unknown else problem.classes.index(answer)] = 1.0
    return outputs


def human_error(problem: Problem, metric: Metric, answers: Mapping[str, str], val: Predictions, *, seed: int) -> Measured | None:
    """The error that a person made on val items, with its interval; None below `LEAST` answers, or where the metric needs probs, which nobody types."""
    first = np.unique(val.ids.astype(str), return_index=True)[1]
    said = to_predictions(problem, answers, val.ids[first], val.targets[first])
    if len(said) < LEAST or metric.name in _RANKING:
        return None
    return measure_error(metric, said, seed=seed)
