"""What the trials of a search share, and how long each may train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from surefoot.engine.build import Desk
from surefoot.engine.feed import count_steps
from surefoot.engine.jobs import WATCHED, smoke_epochs
from surefoot.types.configs import ModelConfig, TrainConfig
from surefoot.types.context import Context
from surefoot.types.reports import Trial

_FEWEST_EPOCHS, _FEWEST_STEPS = 0.05, 30
"""What a brief trial takes at least, the larger of the two, but no more than an epoch: with less it says nothing of its setting."""
_FEWEST_TRIALS = 3
_MOST_EPOCHS = ((2_000, 60), (10_000, 40), (100_000, 30))
_MOST_OF_MANY = 20
_ASKING = 1 / 3
"""What asking an item takes, in items learnt from: it goes forward alone."""
_SLOWEST = 4.0
_LEAST_LEFT = 0.25


@dataclass(frozen=True)
class Bench:
    """What every trial shares.

    Attributes:
        sizes: name -> (width, depth). rates: name -> train items per second.
        seconds: that the trials, and the last training after them, may take together; 0: the least.
    """

    ctx: Context
    desk: Desk
    model: ModelConfig
    train: TrainConfig
    sizes: dict[str, tuple[int, int]]
    rates: dict[str, float]
    seconds: float

    def affordable(self, share: float, runs: int, setting: Mapping[str, object], *, and_final: bool = False) -> float:
        """Epochs that each of `runs` runs over all folds, with nets of this setting's size, may take within a share of the seconds.

        Args:
            and_final: one more run, on all that is not test, goes into them.
        """
        part, folds = self.desk.folds[0], len(self.desk.folds)
        if not self.seconds:
            return smoke_epochs(self.train, len(part.train))
        most = next((epochs for limit, epochs in _MOST_EPOCHS if len(part.train) <= limit), _MOST_OF_MANY)
        learnt = runs * folds * len(part.train) + (len(self.desk.whole.train) if and_final else 0)
        asked = runs * folds * self._asked()
        items = share * self.seconds * self._rate(setting)
        epochs = items / (learnt + asked)
        return float(np.clip(epochs if epochs >= 1 else (items - asked) / learnt, self._fewest(), most))  # val is asked once at least

    def count_trials(self, share: float, most: int) -> int:
        """How many settings can be tried, each for the least that says something of it, within a share of the seconds; three in any case."""
        if not self.seconds:
            return min(_FEWEST_TRIALS, most)
        part, folds = self.desk.folds[0], len(self.desk.folds)
        each = folds * (self._fewest() * len(part.train) + self._asked())
        return min(max(_FEWEST_TRIALS, int(share * self.seconds * self._rate({}) / each)), most)

    def after(self, trials: Sequence[Trial]) -> Bench:
        """The bench with what these trials left: less time, and rates as low as they turned out to be."""
        if not self.seconds or not trials:
            return self
        spent = sum(trial.seconds for trial in trials)
        folds, num = len(self.desk.folds), len(self.desk.folds[0].train)
        planned = sum((trial.epochs * num + self._asked()) * folds / self._rate(trial.settings) for trial in trials)
        slower = float(np.clip(spent / planned, 1.0, _SLOWEST))
        left = max(self.seconds - spent, _LEAST_LEFT * self.seconds)
        return replace(self, seconds=left, rates={name: rate / slower for name, rate in self.rates.items()})

    def _asked(self) -> float:
        """What one look at val takes, in items learnt from."""
        part = self.desk.folds[0]
        return _ASKING * (len(part.val) + min(WATCHED, len(part.train)))

    def _fewest(self) -> float:
        return min(1.0, max(_FEWEST_EPOCHS, _FEWEST_STEPS / count_steps(len(self.desk.folds[0].train), self.train.batch_size)))

    def _rate(self, setting: Mapping[str, object]) -> float:
        return self.rates[str(setting.get("model.size", name_size(self.model)))]


def name_size(model: ModelConfig) -> str:
    """Width and depth, `64x3`."""
    return f"{model.width}x{model.depth}"
