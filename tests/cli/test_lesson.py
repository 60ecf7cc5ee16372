"""`surefoot lesson backprop`: the four equations on the user's own net, at the command line and in Python."""

from __future__ import annotations

import json

import pytest

from surefoot.cli.main import main
from surefoot.project import Project
from surefoot.types.errors import UsageError

NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, input_shape, num_outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(input_shape[0], 8), nn.Tanh(), nn.Linear(8, num_outputs))

    def forward(self, x):
        return self.body(x)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lesson")
    (folder / "my_code.py").write_text(NET, encoding="utf-8")
    (folder / "surefoot.toml").write_text('budget = "smoke"\n[data]\nsource = "sklearn:wine"\n[model]\nuse = "my_code:Net"\n', encoding="utf-8")
    return folder


def test_the_equations_are_printed_from_the_loss_back_to_the_first_layer(project, capsys):
    assert main(["lesson", "backprop", str(project)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[0] == "layer"
    assert lines[1].startswith("the loss")
    assert lines[-2].startswith("body.body.0")
    assert lines[-1].startswith("7 equations")


def test_as_json_they_are_numbers_that_agree(project, capsys):
    assert main(["lesson", "backprop", str(project), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["largest_difference"] < 1e-12
    last, bias, weight, back = "δ of the last layer", "∂C/∂b", "∂C/∂w", "δ back through it"
    assert [one["equation"] for one in told["equations"]] == [last, bias, weight, back, back, bias, weight]
    assert all(abs(one["by_hand"] - one["by_autograd"]) < 1e-9 for one in told["equations"])


def test_a_setting_can_be_tried_and_an_unknown_lesson_is_refused(project):
    rows = Project(project).lesson("backprop", set=["seed=3"])
    assert {row.kind for row in rows} == {"", "Linear", "Tanh"}
    with pytest.raises(UsageError, match="no lesson 'backprob'"):
        Project(project).lesson("backprob")
