"""Task -> its head, loss, metrics and trivial predictors. Names only; `parts.py` says where they live."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskSpec:
    """What follows from a task.

    Attributes:
        head: what the last layer's numbers mean: `sigmoid` (1 logit), `softmax` (K logits), `sigmoids` (K logits), `identity` (T values);
            `boxes` where no net here has one yet.
        loss: short name of the loss; empty where there is none yet.
        metric: the default metric; metrics: those that users expect beside it.
        trivial: names of the predictors that look at no input.
        source: where the choice comes from.
    """

    head: str
    loss: str
    metric: str
    metrics: tuple[str, ...]
    trivial: tuple[str, ...]
    is_classification: bool
    source: str = "Chollet, Deep Learning with Python, 2nd ed., ch. 6: last layer and loss by task"


TASKS: dict[str, TaskSpec] = {
    "binary": TaskSpec(
        "sigmoid", "binary_cross_entropy", "accuracy", ("roc_auc", "pr_auc", "f1", "precision", "recall", "log_loss", "brier"), ("majority",), True
    ),
    "multiclass": TaskSpec("softmax", "cross_entropy", "accuracy", ("balanced_accuracy", "f1_macro", "top2_accuracy", "log_loss"), ("majority",), True),
    "multilabel": TaskSpec("sigmoids", "binary_cross_entropy", "f1_micro", ("f1_macro", "subset_accuracy", "hamming_accuracy", "map"), ("majority",), True),
    "regression": TaskSpec("identity", "mse", "rmse", ("mae", "r2", "median_ae"), ("mean", "median"), False),
    "vector_regression": TaskSpec("identity", "mse", "rmse", ("mae", "r2"), ("mean",), False),
    "detection": TaskSpec("boxes", "", "map_50_95", ("map_50",), (), False, "Lin et al. 2014, Microsoft COCO: the metric of its detection challenge"),
}
