"""Commands for those who build parts."""

from __future__ import annotations

import json

import pytest

from surefoot.cli.craft import parse_shape
from surefoot.cli.main import main
from surefoot.parts import PARTS
from surefoot.types.errors import UsageError


def test_layers_count_what_a_small_net_holds(capsys):
    """CS231n's arithmetic: a 3x3 kernel over 3 channels with 32 filters has 3·3·3·32 + 32 = 896 numbers."""
    assert main(["layers", "INPUT -> CONV3-32 -> RELU -> POOL -> FC", "--input", "3x32x32", "--outputs", "10", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [layer["parameters"] for layer in data["layers"]] == [0, 896, 0, 0, 32 * 16 * 16 * 10 + 10]
    assert data["layers"][1]["volume"] == [32, 32, 32]
    assert data["parameters"] == 896 + 81930


def test_layers_are_shown_as_an_aligned_table(capsys):
    assert main(["layers", "INPUT -> FC", "--input", "14"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "volume", "parameters", "FLOPs", "sees", "note"]
    assert lines[-1].split()[:2] == ["total", "150"]


@pytest.mark.parametrize(("text", "shape"), [("3x32x32", (3, 32, 32)), ("28x28", (1, 28, 28)), ("14", (14,))])
def test_a_shape_is_read_as_people_write_it(text, shape):
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["3x32x", "0x3x3", "three", "1x2x3x4", "-3"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(UsageError, match="is no shape"):
        parse_shape(text)


def test_a_notation_that_can_not_be_read_ends_with_2(capsys):
    assert main(["layers", "INPUT -> CONVV -> FC", "--input", "3x8x8"]) == 2
    assert "Did you mean `CONV`" in capsys.readouterr().err


def test_parts_are_those_of_the_registry(capsys):
    assert main(["parts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == PARTS


def test_parts_of_a_kind_are_explained(capsys):
    assert main(["parts", "schedule"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == list(PARTS["schedule"])
    assert "Half a cosine" in out


def test_a_misspelt_kind_is_answered_with_the_nearest(capsys):
    assert main(["parts", "schedul"]) == 2
    assert "Did you mean 'schedule'" in capsys.readouterr().err


def test_check_says_which_claims_hold(capsys):
    assert main(["check", "cosine"]) == 0
    out = capsys.readouterr().out
    assert "cosine (schedule):" in out
    assert out.splitlines()[-1] == "4 of 4 claims hold."


def test_check_ends_with_1_where_a_claim_fails(capsys, tmp_path):
    (tmp_path / "mine.py").write_text("def negative(num_steps):\n    return lambda step: -1.0\n")
    assert main(["check", "mine:negative", str(tmp_path), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["kind"] == "schedule"
    assert not data["ok"]
    assert data["claims"][0]["saw"] == "-1.0 at step 0 of 1"


def test_eject_copies_a_step_and_never_overwrites(capsys, tmp_path):
    assert main(["eject", "tune", str(tmp_path)]) == 0
    assert "def tune(" in (tmp_path / "s08_tune.py").read_text(encoding="utf-8")
    (tmp_path / "s08_tune.py").write_text("# mine")
    assert main(["eject", "s08_tune", str(tmp_path)]) == 2
    assert (tmp_path / "s08_tune.py").read_text(encoding="utf-8") == "# mine"


def test_a_misspelt_step_is_answered_with_the_nearest(capsys, tmp_path):
    assert main(["eject", "tuna", str(tmp_path)]) == 2
    assert "Did you mean tune" in capsys.readouterr().err
