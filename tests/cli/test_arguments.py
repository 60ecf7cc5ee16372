"""The command line, put in order before Typer reads it."""

from __future__ import annotations

import pytest

from surefoot.cli.arguments import STEPS, arrange, complete_step, parse_past
from surefoot.types.errors import UsageError


def test_a_gate_and_its_reason_become_one_word():
    assert arrange(["run", "--past", "audit", "they are meant", "--past", "split", "so be it"]) == [
        "run", "--past", "audit=they are meant", "--past", "split=so be it",
    ]  # fmt: skip


def test_a_gate_with_its_reason_in_one_word_is_left_alone():
    again = arrange(["run", "--past", "data.leaking_column", "it is known then", "flowers"])
    assert arrange(again) == again  # what is printed after Ctrl-C can be given again
    assert arrange(["run", "--past", "audit=they are meant", "flowers"]) == ["run", "--past", "audit=they are meant", "flowers"]


def test_no_input_may_stand_anywhere_but_after_a_double_dash():
    assert arrange(["clean", "flowers", "--no-input"]) == ["--no-input", "clean", "flowers"]
    assert arrange(["predict", "export", "--", "--no-input"]) == ["predict", "export", "--", "--no-input"]


def test_reasons_are_kept_whole():
    assert parse_past(["audit=a = b, they are meant", "split=so be it"]) == {"audit": "a = b, they are meant", "split": "so be it"}


@pytest.mark.parametrize("words", [["--past", "audit", "--json"], ["--past", "audit"], ["--past", "audit", "  "]])
def test_a_gate_is_not_passed_without_a_reason(words):
    pairs = [word for word in arrange(words) if not word.startswith("--")]
    with pytest.raises(UsageError, match="--past audit names no reason"):
        parse_past(pairs)


def test_the_shell_completes_steps():
    assert [name for name, _ in complete_step("s")] == ["split", "sanity", "serve"]
    assert len(STEPS) == 14
