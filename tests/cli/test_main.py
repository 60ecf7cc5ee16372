"""The command line as people type it, right and wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import surefoot
from surefoot.cli.main import main

COMMANDS = [
    "demo", "init", "run", "problem", "audit", "split", "prepare", "baseline", "sanity", "overfit", "tune", "diagnose", "errors", "final", "export", "test",
    "status", "report", "sheet", "runs", "compare", "human", "tag", "review", "predict", "serve", "pack", "layers", "schedule", "lesson", "check", "eject",
    "parts", "doctor", "clean", "version",
]  # fmt: skip


@pytest.mark.parametrize("words", [["--help"], []])
def test_help_lists_every_command_and_the_exit_codes(capsys, words):
    assert main(words) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.split("Commands:")[1].split("Exit codes")[0].strip().splitlines()] == COMMANDS
    assert "4 a gate stopped the road" in " ".join(out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(capsys, command):
    assert main([command, "--help"]) == 0
    assert f"Usage: surefoot {command}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_the_version_is_told(capsys, words):
    assert main(words) == 0
    assert capsys.readouterr().out.strip() == surefoot.__version__


def test_a_file_that_ends_too_early_is_no_press_of_ctrl_c(monkeypatch, capsys):
    def run_out(*rest):
        raise EOFError("No data left in file")

    monkeypatch.setattr("surefoot.cli.craft.parse_shape", run_out)
    assert main(["layers", "INPUT -> FC", "--input", "1x2x2"]) == 1
    err = capsys.readouterr().err
    assert "No data left in file" in err
    assert "Interrupted" not in err


def test_a_misspelt_command_is_answered_with_the_nearest(capsys):
    assert main(["aduit"]) == 2
    err = capsys.readouterr().err
    assert "Did you mean 'audit'" in err
    assert "  next:  `surefoot --help`" in err


def test_a_misspelt_option_is_answered_with_the_nearest(capsys):
    assert main(["run", "--buget", "20m"]) == 2
    assert "--budget" in capsys.readouterr().err


def test_a_wrong_command_line_is_json_too_where_json_is_asked_for(capsys):
    assert main(["status", "--jsn", "--json"]) == 2
    assert set(json.loads(capsys.readouterr().out)["error"]) == {"what", "where", "next"}


@pytest.mark.parametrize("words", [["status"], ["run"], ["report"], ["runs"], ["clean"], ["tune"], ["run", "--dry-run"], ["compare", "1", "2"]])
def test_where_there_is_no_project_nothing_is_made_and_init_is_named(capsys, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    err = capsys.readouterr().err
    assert "surefoot.toml" in err
    assert "  next:  " in err
    assert "surefoot init" in err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_with_130_and_names_the_command_that_goes_on(capsys, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("surefoot.cli.craft.parse_shape", interrupt)
    assert main(["layers", "INPUT -> FC", "--input", "3x8x8"]) == 130
    assert "surefoot layers 'INPUT -> FC' --input 3x8x8" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error():
    """`surefoot parts | head -1`."""
    process = subprocess.Popen([sys.executable, "-m", "surefoot", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read().decode()
    process.wait(timeout=60)
    process.stderr.close()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


def test_the_shell_completes_commands_and_steps():
    """As bash asks: https://typer.tiangolo.com documents the variables."""
    environment = {**os.environ, "_SUREFOOT_COMPLETE": "complete_bash", "COMP_WORDS": "surefoot eject di", "COMP_CWORD": "2"}
    done = subprocess.run([sys.executable, "-m", "surefoot"], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["diagnose"]


def test_letters_that_the_output_has_none_of_are_written_as_their_codes(tmp_path):
    """A file or pipe on Windows has 256 letters; `init` ended with a UnicodeEncodeError."""
    (tmp_path / "d.csv").write_text("a,b,class\n" + "".join(f"{n},{n * n % 7},{'xy'[n % 2]}\n" for n in range(40)), encoding="utf-8")
    words = ["-m", "surefoot", "init", "d.csv", "--out", "p", "--question", "Wo ist die 猫?"]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "cp1252"}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert rb"Wo ist die \u732b?" in done.stdout
    assert "猫" in (tmp_path / "p" / "surefoot.toml").read_text(encoding="utf-8")
