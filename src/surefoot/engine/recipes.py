"""Recipes: what a training takes where its settings leave it open. Each value won on val (LOG.md, "Recipes"); the search starts from it."""

from __future__ import annotations

from surefoot.types.configs import TrainConfig
from surefoot.types.problem import Problem

_SMOOTHING = 0.1
"""Of the labels of pictures: after one epoch on MNIST it took a tenth of the errors away, at no cost."""
_FEW_EPOCHS = 3.0
"""Fewer than these, and a net meets too little of anything to be helped by meeting it changed."""


def follow_recipe(train: TrainConfig, problem: Problem, channels: int = 0) -> TrainConfig:
    """The same settings with what the user left open filled in.

    Args:
        train: `epochs`, if known, says how much a net sees; 0: much.
        channels: of the pictures; 0: there are none.
    """
    chosen: dict[str, object] = {}
    if channels and problem.task == "multiclass" and not train.loss and "label_smoothing" not in train.model_fields_set:
        chosen["label_smoothing"] = _SMOOTHING
    if channels and not train.augment:
        chosen["augment"] = "none" if 0 < train.epochs < _FEW_EPOCHS else _choose_augmentation(channels)
    return train.model_copy(update=chosen)


def _choose_augmentation(channels: int) -> str:
    """Photos are mirrored; a mirrored sign or digit is another one, and is turned and scaled a little instead."""
    return "shift_flip" if channels == 3 else "affine"
