"""Who proposes the next setting. Each takes a seed and returns an Optuna sampler; a user's own has the same signature."""

from __future__ import annotations

import warnings

import optuna


def random(seed: int) -> optuna.samplers.BaseSampler:
    """Independent draws: better than a grid where few settings matter (Bergstra and Bengio 2012)."""
    return optuna.samplers.RandomSampler(seed=seed)


def qmc(seed: int) -> optuna.samplers.BaseSampler:
    """A scrambled Sobol sequence: even cover of the space."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.QMCSampler(seed=seed, scramble=True)


def tpe(seed: int) -> optuna.samplers.BaseSampler:
    """Tree-structured Parzen estimator (Bergstra et al. 2011): learns from the results so far."""
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=5)
