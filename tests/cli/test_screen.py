"""What people see while the road is walked."""

from __future__ import annotations

import inspect
import json

import pytest

from surefoot.cli import screen
from surefoot.cli.main import FIRST, LAST, WALKED
from surefoot.cli.screen import Paced, Watcher, aim, aimed, aiming, list_findings, show, show_json, tabulate, tell
from surefoot.events import Announcer
from surefoot.types.data_reports import AuditReport
from surefoot.types.errors import UsageError
from surefoot.types.findings import Finding
from surefoot.types.views import StepView


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(screen.time, "monotonic", lambda: now[0])
    return now


def _watch():
    lines: list[str] = []
    return lines, Announcer((Watcher(lines.append, Paced()),))


def test_columns_are_aligned_and_numbers_end_in_line():
    assert tabulate([("a", 5), ("bbb", 1234)], ("name", "n"), right=(1,)) == "name     n\na        5\nbbb   1234"


def test_what_is_not_finite_is_null_in_json(capsys):
    screen.show_json({"a": [float("nan"), 1.5], "b": {"c": float("-inf")}})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {"a": [None, 1.5], "b": {"c": None}}


def test_a_name_from_the_data_can_not_steer_the_terminal():
    finding = {"severity": "warn", "code": "data.corrupt_item", "what": "\x1b[2Jgone.png can't be read.", "next": "Remove\x07 it."}
    assert list_findings([finding]) == ["warn data.corrupt_item: [2Jgone.png can't be read.", "  next: Remove it."]


def test_a_step_says_what_it_does_and_what_it_found():
    lines, events = _watch()
    report = AuditReport(
        fingerprint="f", num_items=12, num_usable=10, index="i",
        findings=(Finding(code="data.wrong_type", severity="warn", what="2 files are no pictures.", next="Remove them."),),
    )  # fmt: skip
    events.emit("step_start", name="s02_audit", index=2, of=14)
    events.say("reading photos/")
    events.emit("step_end", name="s02_audit", view=StepView("s02_audit", report, seconds=3.21), cached=False)
    assert lines[0].startswith("[ 2/14] Audit: Reads every item once")
    assert lines[1] == "        reading photos/"
    assert "10 of 12 items usable" in lines[2]
    assert lines[2].endswith("(3.2 s)")
    assert "data.wrong_type" in lines[3]


def test_a_step_that_is_kept_says_so():
    lines, events = _watch()
    events.emit("step_end", name="s02_audit", view=StepView("s02_audit", AuditReport(fingerprint="f", num_items=1, num_usable=1, index="i")), cached=True)
    assert lines == ["[ 2/14] Audit: nothing it depends on changed."]


def test_progress_is_told_now_and_then_with_what_is_left(clock):
    lines, events = _watch()
    for done in range(100):
        clock[0] += 1.0
        events.progress("training", done, 100)
    assert len(lines) == 9
    assert lines[0] == "        training: 10%, about 1 min 30 s left"


def test_what_is_done_in_a_moment_says_nothing(clock):
    lines, events = _watch()
    for what in ("reading", "packing"):
        for done in range(100):
            clock[0] += 0.01
            events.progress(what, done, 100)
    assert lines == []


def test_each_thing_that_goes_on_has_its_own_clock(clock):
    lines, events = _watch()
    events.progress("reading", 1, 2)
    clock[0] += 100
    events.progress("training", 1, 4)
    clock[0] += 10
    events.progress("training", 2, 4)
    assert lines == ["        training: 50%, about 10 s left"]


def test_without_a_terminal_no_bar_is_drawn(capsys):
    with screen.watching() as sink:
        Announcer((sink,)).say("reading")
    assert capsys.readouterr().err == "        reading\n"


def test_on_a_terminal_the_same_lines_stand_above_the_bar(capsys, monkeypatch):
    monkeypatch.setattr(screen, "is_terminal", lambda: True)
    with screen.watching() as sink:
        events = Announcer((sink,))
        events.emit("step_start", name="s08_tune", index=8, of=14)
        events.progress("trial 3", 1, 4)
        events.say("[bold]not markup[/bold]")
    err = capsys.readouterr().err
    assert "[ 8/14] Tune: Searches for the settings" in err
    assert "[bold]not markup[/bold]" in err


def test_notes_are_left_out_of_the_short_list():
    findings = [
        {"severity": "info", "code": "data.duplicates", "what": "3 items repeat.", "next": ""},
        {"severity": "warn", "code": "data.rare_class", "what": "1 class is rare.", "next": "Gather more."},
    ]
    assert list_findings(findings) == ["warn data.rare_class: 1 class is rare.", "  next: Gather more."]


def test_commands_are_aimed_at_the_folder_they_are_for():
    text = "Ship it. Then surefoot serve export, or `surefoot run --from split`"
    assert aim(text) == text
    with aiming("my photos"):
        assert aim(text) == "Ship it. Then surefoot serve 'my photos/export', or `surefoot run 'my photos' --from split`"
    with aiming("photos"):
        for same in ("surefoot run photos --from split; surefoot init DATA", "Report: /home/me/surefoot runs/report.html"):
            assert aim(same) == same
        assert aim("`surefoot review`, `surefoot lesson backprop`") == "`surefoot review photos`, `surefoot lesson backprop photos`"
    assert aim(text) == text


def test_what_is_told_for_people_is_aimed_and_what_is_printed_for_programs_is_not(capsys):
    def look(folder: str, as_json: bool) -> None:
        tell("next: surefoot run --from audit")
        (show_json if as_json else show)("surefoot review")
        raise UsageError("No.", next="surefoot run --to tune")

    for as_json, shown, advised in ((False, "surefoot review wards", "surefoot run wards --to tune"), (True, '"surefoot review"', "surefoot run --to tune")):
        with pytest.raises(UsageError, match="No") as caught:
            aimed(look)(folder="wards", as_json=as_json)
        told = capsys.readouterr()
        assert (told.err, told.out) == ("next: surefoot run wards --from audit\n", f"{shown}\n")
        assert caught.value.next == advised


def test_every_command_that_takes_a_folder_is_aimed():
    """But those of two rounds or of names, whose folder comes last, and the bundle's."""
    taking = [name for name, command in (FIRST | WALKED | LAST).items() if "folder" in inspect.signature(command).parameters]
    with aiming("photos"):
        left = [name for name in taking if aim(f"surefoot {name} x") == f"surefoot {name} x"]
    assert set(left) <= {"compare", "check", "eject", "parts", "doctor"}
