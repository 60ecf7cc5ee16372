"""What a look at the texts of a set comes to: how long they are, which stand apart, and whether anything beside their words tells the class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from surefoot.analysis import leakage
from surefoot.analysis.looks import Looks, Used, measure_spread
from surefoot.analysis.outliers import find_apart
from surefoot.checks import pictures as checks
from surefoot.data.readers.texts import is_text
from surefoot.data.text import read_texts
from surefoot.types.data_reports import ColumnProfile
from surefoot.types.problem import Problem
from surefoot.types.source import TableSource, take_words

_START = 40
"""Signs at the beginning of a text in which its first words stand."""
_LEAST_LETTERS = 0.25
"""Of the signs of a text; a quarter of a healthy set has 0.7 and more in every language that was tried, lists of numbers have less."""
_MOST_STARTS = 2_000


def sum_up_texts(source: TableSource, profiles: Sequence[ColumnProfile], used: Used, problem: Problem, seed: int) -> Looks:
    """Findings, odd texts, and the spread of the lengths; nothing where no input is text."""
    names = [p.name for p in profiles if p.kind == "text" and p.role == "input"] if used.visible.any() else []
    looks = Looks(shown={"measures": {}} if names else {})
    scores: dict[str, float] = {}
    for name in names:
        texts = read_texts(source.columns[name][used.rows])
        lengths = np.asarray([len(text) for text in texts], np.float64)
        looks.shown["measures"][f"length of {name}"] = measure_spread(lengths[used.visible])
        odd = looks.found.setdefault("data.outliers", {})
        odd |= _judge_lengths(name, lengths, used.visible) | _judge_signs(name, texts, used.visible)
        if problem.task in ("binary", "multiclass"):
            features = _describe(name, [texts[row] for row in np.flatnonzero(used.visible)])
            scores |= _score(features, used, seed)
    if names and problem.task in ("binary", "multiclass"):
        scores |= _score(_describe_names(used, problem), used, seed)
    looks.findings.extend(checks.file_leaks(scores, leakage.FILE_THRESHOLD, gathered="texts"))
    return looks if looks.found.get("data.outliers") else Looks(looks.findings, {}, looks.shown)


def _score(features: dict[str, np.ndarray], used: Used, seed: int) -> dict[str, float]:
    told = {name: values for name, values in features.items() if len(np.unique(values)) > 1}
    return leakage.score_columns(told, used.targets[used.visible, 0], is_classification=True, seed=seed)


def _describe(name: str, texts: list[str]) -> dict[str, np.ndarray]:
    """What a text is beside what it says, float64 (N,) each: signs, lines, and how it begins, which programs and agencies do alike."""
    starts = [" ".join(re.sub(r"\d", "0", text[:_START].lower()).split()[:2]) for text in texts]
    common = {start: float(code) for code, (start, _) in enumerate(Counter(starts).most_common(_MOST_STARTS), 1)}
    return {
        f"length of {name}": np.asarray([len(text) for text in texts], np.float64),
        f"number of lines of {name}": np.asarray([text.count("\n") for text in texts], np.float64),
        f"beginning of {name}": np.asarray([common.get(start, 0.0) for start in starts]),
    }


def _describe_names(used: Used, problem: Problem) -> dict[str, np.ndarray]:
    """Patterns and numbers of the names of text files; rows of a table have none. Their order is no leak: the split shuffles it."""
    rows = np.flatnonzero(used.visible)
    places = [*take_words(used.places, rows)]
    if not all(map(is_text, places)):
        return {}
    return leakage.describe_names(places, [problem.classes[int(used.targets[row, 0])] for row in rows.tolist()])


def _judge_lengths(name: str, lengths: np.ndarray, visible: np.ndarray) -> dict[int, str]:
    apart = find_apart(np.where(visible, np.log1p(lengths), np.nan))
    middle = np.median(lengths[visible]) if visible.any() else 0.0
    return {int(row): f"{name} has {lengths[row]:,.0f} signs, where half of the texts have {middle:,.0f} at most" for row in apart}


def _judge_signs(name: str, texts: list[str], visible: np.ndarray) -> dict[int, str]:
    """Texts of hardly a letter, where hardly a text is so."""
    shares = np.asarray([sum(map(str.isalpha, text)) / max(len(text), 1) for text in texts])
    few = np.flatnonzero((shares < _LEAST_LETTERS) & visible & np.asarray([bool(text) for text in texts], bool))
    if not len(few) or np.quantile(shares[visible], 0.05) < _LEAST_LETTERS:
        return {}
    return {int(row): f"{name}: {shares[row]:.0%} of its signs are letters" for row in few}
