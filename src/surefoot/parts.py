"""The only registry: short name -> "module:object". A user's own part is named the same way: "my_code:TinyNet"."""

from __future__ import annotations

PARTS: dict[str, dict[str, str]] = {
    "model": {
        "mlp": "surefoot.models.mlp:MLP",
        "convnet": "surefoot.models.convnet:ConvNet",
        "tabular": "surefoot.models.tabular:TabularNet",
    },
    "loss": {
        "cross_entropy": "surefoot.losses.classification:cross_entropy",
        "binary_cross_entropy": "surefoot.losses.classification:binary_cross_entropy",
        "mse": "surefoot.losses.regression:mse",
        "mae": "surefoot.losses.regression:mae",
        "huber": "surefoot.losses.regression:huber",
    },
    "optimizer": {
        "sgd": "surefoot.optim.optimizers:sgd",
        "nesterov": "surefoot.optim.optimizers:nesterov",
        "rmsprop": "surefoot.optim.optimizers:rmsprop",
        "adam": "surefoot.optim.optimizers:adam",
        "adamw": "surefoot.optim.optimizers:adamw",
    },
    "schedule": {
        "fixed": "surefoot.optim.schedules:fixed",
        "step": "surefoot.optim.schedules:step",
        "exponential": "surefoot.optim.schedules:exponential",
        "cosine": "surefoot.optim.schedules:cosine",
        "onecycle": "surefoot.optim.schedules:onecycle",
        "wsd": "surefoot.optim.schedules:wsd",
    },
    "augmentation": {
        "none": "surefoot.transforms.augment:none",
        "shift": "surefoot.transforms.augment:shift",
        "flip": "surefoot.transforms.augment:flip",
        "shift_flip": "surefoot.transforms.augment:shift_flip",
        "affine": "surefoot.transforms.augment:affine",
        "affine_flip": "surefoot.transforms.augment:affine_flip",
    },
    "metric": {
        "accuracy": "surefoot.metrics.classification:ACCURACY",
        "balanced_accuracy": "surefoot.metrics.classification:BALANCED_ACCURACY",
        "top2_accuracy": "surefoot.metrics.classification:TOP2_ACCURACY",
        "f1": "surefoot.metrics.classification:F1",
        "precision": "surefoot.metrics.classification:PRECISION",
        "recall": "surefoot.metrics.classification:RECALL",
        "f1_macro": "surefoot.metrics.classification:F1_MACRO",
        "f1_micro": "surefoot.metrics.classification:F1_MICRO",
        "roc_auc": "surefoot.metrics.classification:ROC_AUC",
        "pr_auc": "surefoot.metrics.classification:PR_AUC",
        "log_loss": "surefoot.metrics.classification:LOG_LOSS",
        "brier": "surefoot.metrics.classification:BRIER",
        "subset_accuracy": "surefoot.metrics.multilabel:SUBSET_ACCURACY",
        "hamming_accuracy": "surefoot.metrics.multilabel:HAMMING_ACCURACY",
        "map": "surefoot.metrics.multilabel:MAP",
        "rmse": "surefoot.metrics.regression:RMSE",
        "mae": "surefoot.metrics.regression:MAE",
        "median_ae": "surefoot.metrics.regression:MEDIAN_AE",
        "r2": "surefoot.metrics.regression:R2",
    },
    "sampler": {
        "random": "surefoot.search.samplers:random",
        "qmc": "surefoot.search.samplers:qmc",
        "tpe": "surefoot.search.samplers:tpe",
    },
}
