"""What a section of the page may look at beside its own report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from surefoot.reporting.words import Metric, describe_metric
from surefoot.types.context import Store
from surefoot.types.findings import Report
from surefoot.types.problem import Problem
from surefoot.types.reports import BaselineReport

R = TypeVar("R", bound=Report)


@dataclass(frozen=True)
class Scene:
    """What a section may look at beside its own report.

    Attributes:
        reports: all reports of the round by step name.
        store: where their arrays are; None in a notebook.
        pictures: item id -> uint8 (H, W) or (H, W, 3); empty where no items may be shown.
        anchors: finding code -> the place on the page where it is told.
        hidden: names of items that must not appear; empty where items may be shown.
        augment: what `train.augment` says; empty: it is left open. folder: of the project, where the user's own augmentations are.
    """

    reports: Mapping[str, Report] = field(default_factory=dict)
    store: Store | None = None
    with_items: bool = True
    pictures: Mapping[str, np.ndarray] = field(default_factory=dict)
    anchors: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    augment: str = ""
    folder: Path | None = None

    def find(self, kind: type[R]) -> R | None:
        """The round's report of that kind, or None."""
        return next((report for report in self.reports.values() if isinstance(report, kind)), None)

    @property
    def metric(self) -> Metric:
        """The metric that is optimised; of one that users bring, the direction follows from the baselines."""
        problem, baseline = self.find(Problem), self.find(BaselineReport)
        smaller = None
        if baseline and baseline.best in baseline.models and baseline.trivial in baseline.models:
            smaller = baseline.models[baseline.best].value < baseline.models[baseline.trivial].value
        return describe_metric(problem.metric if problem else "", smaller)

    @property
    def target(self) -> str:
        """Name of what is predicted."""
        problem = self.find(Problem)
        return ", ".join(problem.target) if problem and problem.target else "target"

    def class_name(self, index: int) -> str:
        """Name of the class with that index."""
        problem = self.find(Problem)
        return problem.classes[index] if problem and index < len(problem.classes) else f"class {index}"
