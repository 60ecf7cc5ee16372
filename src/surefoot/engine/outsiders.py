"""Models that have not seen what they are asked about: the winner's setting, or a simple model, fitted on other train rows, briefly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from surefoot.data.predictions import load_predictions, save_predictions
from surefoot.engine.build import Desk
from surefoot.engine.fit import fit
from surefoot.engine.jobs import fill_batch, settle_speed, start_job
from surefoot.engine.predict import predict
from surefoot.engine.yardsticks import fit_yardstick
from surefoot.metrics.decisions import decide
from surefoot.models.boosting import Rounds
from surefoot.types.context import Context
from surefoot.types.examples import Predictions
from surefoot.types.reports import TuneReport

_MOST_EPOCHS, _SMOKE_EPOCHS = 8.0, 2.0
_HARD = 0.1
"""Share of val's items that the winner gets wrong, from which on the others are trained as long as it was: brief ones would doubt what they have not learnt.
After eight epochs flipped labels of CIFAR-10 were told from others with an area under the curve of 0.919."""
_ROUNDS = Rounds(60, early=False)
_MANY = 5_000
"""Rows from which on two halves are enough; fewer are cut into five parts, so that each model sees most of them."""


def count_parts(num: int) -> int:
    """Into how many parts so many rows are cut."""
    return 2 if num >= _MANY else 5


@dataclass(frozen=True)
class Outsiders:
    """Fits for `analysis.crossfit.cross_fit`.

    Attributes:
        seconds: that all of them may take; 0: the least.
    """

    ctx: Context
    desk: Desk
    tune: TuneReport
    seconds: float

    def bearable_epochs(self, num: int) -> float:
        """Epochs that each net may take, if `num` rows are cut into parts; eight at most where that is enough."""
        train = self.tune.train
        if not self.seconds:
            return min(_SMOKE_EPOCHS, train.epochs)
        job = start_job(self.desk, self.tune.model, self.desk.folds[0], train)
        _, rate = settle_speed(self.ctx, job, train, "models that have not seen")
        seen = max(num * (count_parts(num) - 1), 1)
        return min(train.epochs, train.epochs if self._is_hard() else _MOST_EPOCHS, self.seconds * rate / seen)

    def _is_hard(self) -> bool:
        val = load_predictions(self.ctx.store, self.tune.val.predictions)
        return float((decide(self.desk.problem.task, val.outputs, self.tune.threshold) != val.targets).mean()) > _HARD

    def ask_net(self, epochs: float, number: int, fitted: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Logits of a net of the tuned setting; written down part by part, so that an interrupted step goes on where it was."""
        ref = self.ctx.ledger.decide(f"outsider {number}", partial(self._fit, epochs, number, fitted, asked))
        return load_predictions(self.ctx.store, ref).outputs

    def ask_simple(self, name: str, number: int, fitted: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """What a simple model says."""
        return fit_yardstick(name, self.desk, self.desk.folds[0].on(fitted), asked, _ROUNDS).outputs

    def _fit(self, epochs: float, number: int, fitted: np.ndarray, asked: np.ndarray) -> str:
        ctx, desk, tune = self.ctx, self.desk, self.tune
        train = fill_batch(tune.train.model_copy(update={"epochs": epochs}), len(fitted))
        job = start_job(desk, tune.model, desk.folds[0].on(fitted).without_val(), train)
        listen = partial(ctx.events.progress, f"doubting labels: part {number + 1}")
        network = fit(job, train, seed=ctx.seed, name=f"outsider {number}", listen=listen).network
        logits = np.nan_to_num(predict(network, desk.examples, asked))
        return save_predictions(ctx.store, Predictions(desk.examples.pack.ids(asked), logits, desk.examples.plain_targets(asked)))
