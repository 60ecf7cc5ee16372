"""Who proposes the next setting. Each takes a seed and returns an Optuna sampler; a user's own has the same signature."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from scipy.stats.qmc import Sobol

_MOST = 32
"""Settings that are searched at once, at most: a point of the sequence has so many coordinates."""


def random(seed: int) -> optuna.samplers.BaseSampler:
    """Independent draws: better than a grid where few settings matter (Bergstra and Bengio 2012)."""
    return optuna.samplers.RandomSampler(seed=seed)


def qmc(seed: int) -> optuna.samplers.BaseSampler:
    """A scrambled Sobol sequence: even cover of the space (Bousquet et al. 2017)."""
    return SobolSampler(seed)


def tpe(seed: int) -> optuna.samplers.BaseSampler:
    """Tree-structured Parzen estimator (Bergstra et al. 2011): learns from the results so far."""
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=5)


class SobolSampler(optuna.samplers.BaseSampler):
    """Trial n gets point n of one sequence, whatever was told before.

    Optuna's own sampler counts its points in the study. Here every trial has a study of its own, so it proposed the first point each time.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def infer_relative_search_space(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: optuna.Study, trial: optuna.trial.FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: optuna.Study, trial: optuna.trial.FrozenTrial, param_name: str, param_distribution: BaseDistribution) -> Any:
        """The setting's coordinate is its place among those that are asked for."""
        sequence = Sobol(_MOST, scramble=True, seed=self.seed)
        if trial.number:
            sequence.fast_forward(trial.number)
        return _stretch(float(sequence.random(1)[0, len(trial.params)]), param_distribution)


def _stretch(share: float, distribution: Any) -> Any:
    """A share in [0, 1) of the way through a range, on the range's own scale."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    low, high = distribution.low, distribution.high
    if isinstance(distribution, IntDistribution):  # every whole number has an interval of its own around it
        return min(max(round(_between(share, low - 0.5, high + 0.5, distribution.log)), low), high)
    return min(max(_between(share, low, high, distribution.log), low), high)


def _between(share: float, low: float, high: float, is_log: bool) -> float:
    return low * (high / low) ** share if is_log else low + share * (high - low)
