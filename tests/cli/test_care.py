"""Commands that look after things."""

from __future__ import annotations

import json
import signal
import sys

from surefoot.cli import care
from surefoot.cli.main import main


def test_doctor_tells_versions_and_measures(capsys, tmp_path):
    assert main(["doctor", str(tmp_path / "not" / "there"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["cores"] >= 1
    assert facts["disk_free_bytes"] > 0
    assert facts["fp32_gflops"] > 0
    assert facts["libraries"]["torch"]
    assert "cpu" in facts["devices"]


def test_doctor_names_the_command_that_installs_what_is_missing(capsys, monkeypatch):
    monkeypatch.setattr(care, "_find_missing", lambda: {"cluster": ["ray"]})
    monkeypatch.setattr(care, "_look_at_torch", dict)
    assert main(["doctor"]) == 0
    assert "pip install 'surefoot[cluster]'" in capsys.readouterr().out


def test_what_is_installed_is_not_missing():
    assert "dev" not in care._find_missing()


def test_doctor_says_once_what_limits_hold_while_a_picture_is_decoded(capsys, monkeypatch):
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["decoding"]["pixels"] == "64,000,000"
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    monkeypatch.delattr(signal, "setitimer", raising=False)
    assert main(["doctor"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "not limited" in line]
    assert [line.split(maxsplit=1)[1] for line in lines] == [
        "pixels 64,000,000, memory not limited: this system has no means, time not limited: this system has no means"
    ]
