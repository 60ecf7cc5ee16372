"""Probs of models that give no logits are brought to another temperature all the same."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.engine.predict import activate, reheat, to_logits


@pytest.mark.parametrize(("task", "width"), [("binary", 1), ("multiclass", 4), ("multilabel", 3)])
def test_probs_become_logits_that_give_them_again_at_any_temperature(task, width):
    problem = SimpleNamespace(task=task, classes=("a", "b"))
    logits = np.random.default_rng(0).normal(size=(50, width)) * 3
    probs = activate(problem, logits)
    assert activate(problem, to_logits(problem, probs)) == pytest.approx(probs, abs=1e-6)
    assert reheat(problem, probs, 2.5) == pytest.approx(activate(problem, logits, 2.5), abs=1e-6)
    assert reheat(problem, probs, 1.0) is probs


def test_probs_of_nought_and_one_have_logits_and_amounts_stay():
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    for task in ("binary", "multiclass", "multilabel"):
        assert np.isfinite(to_logits(SimpleNamespace(task=task, classes=("a", "b")), sure)).all()
    amounts = np.array([[3.0], [-1.0]])
    assert reheat(SimpleNamespace(task="regression", classes=()), amounts, 2.0) is amounts
