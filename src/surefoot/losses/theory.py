"""What a loss must be before the first step, and the bias that makes it so. NumPy only; `N` items, `K` outputs.

Source: Karpathy, A Recipe for Training Neural Networks (2019): verify the loss at init, init well.
"""

from __future__ import annotations

import numpy as np

SIGMOIDS = ("binary", "multilabel")
REGRESSION = ("regression", "vector_regression")


def class_shares(task: str, targets: np.ndarray, num_outputs: int) -> np.ndarray:
    """The share of each class (K,), or of 1s under each sigmoid (K,), float64.

    Args:
        targets: multiclass int (N,) class indices; binary and multilabel 0s and 1s, (N,) or (N, K).
    """
    if task in SIGMOIDS:
        return np.asarray(targets, np.float64).reshape(len(targets), num_outputs).mean(axis=0)
    return np.bincount(np.asarray(targets, np.int64), minlength=num_outputs) / len(targets)


def prior_bias(task: str, targets: np.ndarray, num_outputs: int) -> np.ndarray:
    """The bias of the last layer under which zero features already predict the train set's shares, float64 (K,).

    Softmax: log shares, centred. Sigmoids: the logit of each share. Regression: the mean of each target, in the units of
    `targets`. A class that never occurs counts as half an item, so that nothing is infinite.
    """
    if task in REGRESSION:
        return np.asarray(targets, np.float64).reshape(len(targets), num_outputs).mean(axis=0)
    least = 0.5 / len(targets)
    shares = class_shares(task, targets, num_outputs).clip(least, 1.0 - least)
    if task in SIGMOIDS:
        return np.log(shares) - np.log1p(-shares)
    return np.log(shares) - np.log(shares).mean()


def balanced_weights(task: str, targets: np.ndarray, num_outputs: int) -> np.ndarray:
    """Class weights that give each class the same say, mean 1 over the items; a class that never occurs weighs 0.

    Returns:
        Softmax: float64 (K,), N / (K · count). Sigmoids: float64 (K, 2), for the 0s and 1s of each output. The losses take both.
    """
    shares = class_shares(task, targets, num_outputs)
    if task in SIGMOIDS:
        shares = np.stack([1.0 - shares, shares], axis=1)
    weights = np.zeros_like(shares)
    present = np.count_nonzero(shares, axis=-1, keepdims=True)
    return np.divide(1.0, shares * present, out=weights, where=shares > 0)


def prior_shift(task: str, targets: np.ndarray, num_outputs: int, *, is_weighted: bool, is_drawn_evenly: bool) -> np.ndarray:
    """How far training can move logits off those of the classes' own shares, float64 (K,): subtracted from them, it gives chances again.

    Under a loss in which class k counts w_k times the best probs are those of a world in which it is w_k times as frequent; so are they where it is drawn
    w_k times as often. 0 for a class that never occurs. So far they move where a loss divides by the weights of all items; ours divide by those of a batch, of
    which one with a rare item has more: 3.80 instead of ln 99 = 4.60 for 1 % in batches of 64.

    Args:
        is_weighted: classes weigh as `balanced_weights` has them. is_drawn_evenly: each class is drawn as often as any other.

    Source: Elkan 2001, "The Foundations of Cost-Sensitive Learning", theorem 2; Saerens, Latinne and Decaestecker 2002.
    """
    weights = balanced_weights(task, targets, num_outputs)
    logs = (int(is_weighted) + int(is_drawn_evenly)) * np.log(weights, out=np.zeros_like(weights), where=weights > 0)
    return np.asarray(logs[:, 1] - logs[:, 0] if task in SIGMOIDS else logs)


def expected_at_init(
    task: str, prior: np.ndarray | None, num_outputs: int, *, label_smoothing: float = 0.0, class_weights: np.ndarray | None = None
) -> tuple[float, str]:
    """The mean loss of a net whose last layer says nothing yet, and why it is that.

    Args:
        prior: None for zero logits (or standardised regression targets). With a prior bias: the class shares (K,), or the
            shares of 1s (K,) for sigmoids, as `class_shares` gives them. Regression: the train targets (N, T), predicted by 0.
        num_outputs: size of the last layer.
        label_smoothing, class_weights: as the loss is given them.

    Returns:
        The loss in nats (regression: mean squared error), and the theory in words.
    """
    if task in REGRESSION:
        if prior is None:
            return 1.0, "mean squared error of predicting 0 for standardised targets: their variance, 1"
        return float(np.square(prior).mean()), "mean squared error of predicting 0: the mean square of the targets"
    if task in SIGMOIDS:
        if prior is None:
            return float(np.log(2)), "cross-entropy of zero logits: ln 2 per sigmoid"
        shares = np.stack([1.0 - prior, prior], axis=1)
        return _entropy(shares, label_smoothing, class_weights), "entropy of the shares of 1s, mean over the sigmoids, said by the prior bias"
    if prior is None:
        return float(np.log(num_outputs)), f"cross-entropy of zero logits: ln {num_outputs}"
    return _entropy(prior[None], label_smoothing, class_weights), "entropy of the class shares, said by the prior bias"


def _entropy(shares: np.ndarray, label_smoothing: float, class_weights: np.ndarray | None) -> float:
    """Weighted cross-entropy of (rows, K) shares against themselves, the targets smoothed as in the loss."""
    weight = shares if class_weights is None else shares * class_weights
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    surprise = -(1 - label_smoothing) * logs - label_smoothing * logs.mean(axis=1, keepdims=True)
    return float((weight * surprise).sum() / weight.sum())
