"""A few planted diseases and a healthy twin of `python -m benchmarks planted`: the first finding names the disease, and the healthy are left in peace."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest
from benchmarks.planted import CASES, examine
from benchmarks.planted.healthy import HEALTHY
from benchmarks.planted.sick import SICK
from benchmarks.planted.strangers import STRANGERS

BY_NAME = {case.name: case for case in CASES}
FEW = (
    "sigmoid before softmax", "wrong sign, table", "a wrong backward of the loss", "sum along the batch", "equal rows, other answers", "lr too low, sgd",
    "zeros, whatever comes", "nll without the log", "a kind that train lacks", "two shops that differ")  # fmt: skip


@pytest.fixture(autouse=True)
def without_export(monkeypatch):
    """Exporting the untrained net takes half of the time, and has tests of its own."""
    from surefoot.steps import s06_sanity

    monkeypatch.setattr(s06_sanity, "_try_export", lambda *_: "")


def test_there_are_enough_cases_of_every_kind_on_both_halves():
    assert len(SICK) >= 40
    assert len(HEALTHY) >= 20
    for cases in (SICK, STRANGERS):
        assert {case.area for case in cases} == {"data", "split", "model", "loss", "optimisation", "regularisation"}
    for cases in (SICK, STRANGERS, HEALTHY):
        assert min(sum(case.half == half for case in cases) for half in ("set", "kept")) >= len(cases) // 4
    assert len(BY_NAME) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if case.own], ids=lambda case: case.name)
def test_the_code_of_a_case_is_short_and_python(case):
    assert len(case.own.splitlines()) <= 60
    assert ast.parse(case.own)


@pytest.mark.parametrize("name", FEW)
def test_the_first_finding_names_the_disease(name):
    case = BY_NAME[name]
    found = examine(replace(case, to="sanity") if case.to == "tune" else case)
    assert found["right"], found


@pytest.mark.parametrize("name", ["wine", "own net with tanh"])
def test_a_healthy_project_is_left_in_peace(name):
    found = examine(replace(BY_NAME[name], to="sanity"))
    assert found["right"], found
