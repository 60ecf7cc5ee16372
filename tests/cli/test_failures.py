"""The one renderer of errors: three parts, their exit code, and nothing hidden."""

from __future__ import annotations

import errno
import json

import pytest

from surefoot import refs
from surefoot.cli import failures
from surefoot.types.errors import (
    BusyError,
    ConfigError,
    DamagedError,
    DataError,
    GateStop,
    ResourceError,
    SealedError,
    SplitLeakError,
    SurefootError,
    UsageError,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (SurefootError, 1), (SealedError, 1), (BusyError, 1), (DamagedError, 1), (UsageError, 2), (ConfigError, 2), (DataError, 3), (SplitLeakError, 3),
        (GateStop, 4), (ResourceError, 5),
    ],
)  # fmt: skip
def test_an_error_is_told_in_three_parts_with_its_exit_code(capsys, kind, code):
    assert failures.report(kind("Something happened.", where="here", next="Do this.")) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"{kind.__name__}: Something happened.\n  where: here\n  next:  Do this.\n"


def test_parts_that_are_empty_are_left_out(capsys):
    failures.report(DataError("Something happened."))
    assert capsys.readouterr().err == "DataError: Something happened.\n"


def test_as_json_the_parts_go_to_stdout_and_nothing_to_stderr(capsys):
    assert failures.report(DataError("Something happened.", where="here", next="Do this."), as_json=True) == 3
    out, err = capsys.readouterr()
    assert json.loads(out) == {"error": {"what": "Something happened.", "where": "here", "next": "Do this."}}
    assert err == ""


def test_the_users_own_error_keeps_its_traceback_and_blames_nobody_else(tmp_path, capsys):
    (tmp_path / "mine.py").write_text("def broken():\n    raise KeyError('petals')\n")
    broken = refs.resolve("mine:broken", kind="loss", folder=tmp_path)
    try:
        broken()
    except KeyError as error:
        error.add_note("while: s08_tune, trial 7")
        code = failures.report(error)
    err = capsys.readouterr().err
    assert code == 1
    assert "Traceback (most recent call last)" in err
    assert "while: s08_tune, trial 7" in err
    assert f"{tmp_path / 'mine.py'}:2" in err
    assert "in your own code" in err
    assert "defect of Surefoot" not in err


def test_an_error_of_ours_is_shown_whole_and_called_a_defect(capsys):
    try:
        raise ZeroDivisionError("never")
    except ZeroDivisionError as error:
        code = failures.report(error)
    err = capsys.readouterr().err
    assert code == 1
    assert "Traceback (most recent call last)" in err
    assert "Unexpected: ZeroDivisionError: never" in err
    assert "defect of Surefoot" in err


def test_memory_that_is_used_up_is_a_resource(capsys):
    assert failures.report(MemoryError()) == 5
    assert "batch_size" in capsys.readouterr().err


def test_colour_is_for_terminals_that_want_it(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    failures.report(DataError("Something happened."))
    assert "\033[31" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    failures.report(DataError("Something happened."))
    assert "\033" not in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code", "told"), [(errno.EROFS, 1, "Check the permissions"), (errno.ENOSPC, 5, "Free some space")])
def test_what_the_machine_refuses_is_no_defect_of_ours(capsys, number, code, told):
    assert failures.report(OSError(number, "No.", "/some/folder")) == code
    err = capsys.readouterr().err
    assert "where: /some/folder" in err
    assert told in err
    assert "defect" not in err


def test_a_file_of_the_users_that_python_can_not_parse_is_named_by_its_line(tmp_path, capsys):
    (tmp_path / "mine.py").write_text("x = 1\nclass Net(:\n")
    with pytest.raises(SyntaxError, match="invalid syntax") as caught:
        refs.resolve("mine:Net", kind="model", folder=tmp_path)
    assert failures.report(caught.value) == 1
    err = capsys.readouterr().err
    assert f"where: {tmp_path / 'mine.py'}:2" in err
    assert "in your own code" in err


def test_memory_that_pytorch_asks_for_in_vain_is_a_resource(capsys):
    assert failures.report(RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes.")) == 5
    assert "defect" not in capsys.readouterr().err
