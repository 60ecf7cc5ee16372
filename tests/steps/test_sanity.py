"""The sanity checks as the step puts them together."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from surefoot.steps import s06_sanity


@pytest.mark.parametrize(("added", "ok"), [(0.36, True), (0.5, False)])
def test_amounts_whose_extremes_the_sample_missed_allow_as_much_at_init_as_any(monkeypatch, added, ok):
    """Three sales of a thousand make the spread that the others are standardised by: the mean square of a sample without them is 0.3, and not 1."""
    targets = torch.full((1500, 1), 0.3**0.5)
    desk = SimpleNamespace(problem=SimpleNamespace(task="regression", classes=(), num_outputs=1), folds=[SimpleNamespace(train=np.arange(1500))])
    for name in ("last_layer", "bias"):
        monkeypatch.setattr(s06_sanity.checks, name, lambda *_, **__: None)
    monkeypatch.setattr(s06_sanity.probe, "loss_at_init", lambda *_: 0.3 + added)
    *_, (check, finding) = s06_sanity._look_at_ends(SimpleNamespace(seed=0), desk, SimpleNamespace(targets=targets), SimpleNamespace(loss=""), None)
    assert check.expected == "0.300"
    assert check.ok == (finding is None) == ok
