"""The sanity checks as the step puts them together."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from benchmarks.planted import CASES, walk
from benchmarks.planted.case import Case
from benchmarks.planted.data import sales, weigh

from surefoot.engine import probe
from surefoot.engine.fit import Job
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


def amounts(draw):
    """Amounts whose logarithms spread by 3, less one: some are negative, so that they are not trained on a log scale; the largest are all of their variance."""

    def write(folder):
        x = draw.normal(size=(2000, 4))
        sold = np.exp(2.1 * (x[:, 0] + x[:, 1]) + 0.3 * draw.normal(size=2000)) - 1
        pd.DataFrame(x.round(4), columns=list("abcd")).assign(target=sold).to_csv(folder / "d.csv", index=False)
        return "d.csv"

    return write


MOSTLY_ZERO, WEIGHED = (next(case for case in CASES if case.name == name) for name in ("mostly zero, absolute errors", "a fifth of the rows weighs nothing"))


@pytest.mark.parametrize("case", [Case("a long tail", "healthy", amounts(np.random.default_rng(0))), MOSTLY_ZERO], ids=lambda case: case.name)
def test_a_sound_net_for_amounts_with_a_long_tail_gets_no_warning(monkeypatch, tmp_path, case):
    """The first stopped as `cannot_overfit` at R² 0.981; of the second, runs that saw other items at their ends made `input_ignored`."""
    monkeypatch.setattr(s06_sanity, "_try_export", lambda *_: "")
    found = walk(replace(case, to="sanity"), tmp_path)
    assert [one for one in found if one.severity != "info"] == []


@pytest.mark.parametrize("task", ["classes", "amounts"])
def test_rows_that_weigh_nothing_are_learnt_by_heart_like_any_other(monkeypatch, tmp_path, task):
    """Of 24 items some five weigh nothing, and what weighs nothing has no gradient."""
    monkeypatch.setattr(s06_sanity, "_try_export", lambda *_: "")
    data = WEIGHED.data if task == "amounts" else sales(noise=2.0, change=weigh)
    found = walk(replace(WEIGHED, to="sanity", data=data), tmp_path)
    assert [one for one in found if one.severity != "info"] == []


def test_amounts_to_be_learnt_by_heart_are_spread_as_normal_numbers_are():
    """Quantiles of the normal at 1/4, 1/2 and 3/4 for three; of two equal ones among three at 3/8, and at 3/4."""
    targets = torch.tensor([[5.0, 0.0], [1e6, 0.0], [-3.0, 7.0], [9.0, 9.0]])
    job = Job(None, SimpleNamespace(classes=()), None, targets, None, None, np.arange(3), np.zeros(0, int), np.zeros(0, int))
    spread = probe.even_out(job, np.arange(3)).targets
    assert spread[:3, 0].tolist() == pytest.approx([0.0, 0.6745, -0.6745], abs=1e-4)
    assert spread[:3, 1].tolist() == pytest.approx([-0.3186, -0.3186, 0.6745], abs=1e-4)
    assert spread[3].tolist() == [9.0, 9.0]
    assert targets[1, 0] == 1e6
