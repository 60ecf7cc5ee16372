"""The ledger: what was done and decided is written down before it is used, and read back the same by whoever comes next."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from surefoot.store import ledger as ledger_file
from surefoot.store.ledger import ProjectLedger, StepRow
from surefoot.types.errors import BusyError, DamagedError, ResourceError, SurefootError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "surefoot.db"


@pytest.fixture
def ledger(path):
    opened = ProjectLedger(path)
    yield opened
    opened.close()


@pytest.fixture
def reopen(path):
    """Opens the same ledger as another process would."""
    opened = []

    def open_again() -> ProjectLedger:
        opened.append(ProjectLedger(path))
        return opened[-1]

    yield open_again
    for one in opened:
        one.close()


def row(step: str = "s02_audit", key: str = "k", round_number: int = 1, folder: str = "1-audit-1", report: str = "r", at: str = "") -> StepRow:
    return StepRow(round_number, step, key, report, "pass", 1.5, folder, "0.1.0", at)


def finish(ledger: ProjectLedger, done: StepRow) -> None:
    ledger.finish_step(done.round, done, {})


# rounds


def test_a_round_is_walked_in_several_goes_and_keeps_the_settings_of_the_last(ledger, reopen):
    ledger.start_round(None, {"budget": "20m"}, [row()])
    ledger.finish_step(1, row("s04_prepare"), {"budget": "8h"})
    assert reopen().rounds()[0].settings == {"budget": "8h"}


def test_why_a_gate_was_gone_past_goes_where_its_result_goes(ledger, reopen):
    for gate, reason in (("s02_audit", "known"), ("data.too_few", "so be it"), ("s08_tune", "for another")):
        ledger.override(1, gate, reason)
    ledger.start_round(None, {}, [row()])
    ledger.start_round(1, {}, [row(), row("s04_prepare", round_number=2)])
    assert reopen().overrides(2) == {"s02_audit": "known", "data.too_few": "so be it"}
    ledger.override(2, "s02_audit", "better known")
    ledger.finish_step(2, row("s08_tune"), {})
    assert reopen().overrides(2) == {"s02_audit": "better known", "data.too_few": "so be it", "s08_tune": "for another"}


def test_rounds_are_numbered_from_one_and_know_their_parent(ledger, reopen):
    assert ledger.rounds() == []
    assert ledger.start_round(None, {"seed": 0, "question": "Ä?"}) == 1
    assert ledger.start_round(1, {"seed": 1}) == 2
    first, second = reopen().rounds()
    assert (first.number, first.parent, first.settings) == (1, None, {"seed": 0, "question": "Ä?"})
    assert (second.number, second.parent, second.settings) == (2, 1, {"seed": 1})
    assert first.at <= second.at


# steps


def test_a_step_without_a_row_does_not_exist(ledger):
    ledger.open_run(1, "audit", "k")
    assert ledger.steps(1) == {}
    assert ledger.find_step("s02_audit", "k") is None
    assert list(ledger.all_steps()) == []


def test_a_finished_step_is_found_by_its_key_in_any_round(ledger, reopen):
    finish(ledger, row(key="one", report="first"))
    finish(ledger, row(key="two", report="second", round_number=2))
    again = reopen()
    found = again.find_step("s02_audit", "one")
    assert (found.round, found.report, found.gate, found.seconds, found.folder, found.version) == (1, "first", "pass", 1.5, "1-audit-1", "0.1.0")
    assert found.at
    assert again.find_step("s02_audit", "two").round == 2
    assert again.find_step("s02_audit", "three") is None
    assert again.find_step("s03_split", "one") is None


def test_the_latest_row_of_a_step_counts(ledger):
    for report in ("first", "second"):
        finish(ledger, row(report=report))
    assert ledger.find_step("s02_audit", "k").report == "second"
    assert ledger.steps(1)["s02_audit"].report == "second"
    assert [one.report for one in ledger.all_steps()] == ["first", "second"]


def test_a_round_holds_its_own_steps(ledger):
    finish(ledger, row())
    finish(ledger, row("s03_split"))
    finish(ledger, row("s03_split", round_number=2))
    assert list(ledger.steps(1)) == ["s02_audit", "s03_split"]
    assert list(ledger.steps(2)) == ["s03_split"]
    assert ledger.steps(3) == {}


def test_a_row_that_is_taken_over_keeps_its_time(ledger):
    finish(ledger, row(at="2026-01-01T00:00:00+00:00"))
    assert ledger.find_step("s02_audit", "k").at == "2026-01-01T00:00:00+00:00"


# runs


def test_an_interrupted_run_goes_on_in_its_folder(ledger, reopen):
    assert ledger.open_run(1, "tune", "k") == "1-tune-1"
    assert reopen().open_run(1, "tune", "k") == "1-tune-1"
    assert reopen().open_run(2, "tune", "k") == "1-tune-1"


def test_a_changed_run_begins_a_new_folder_and_the_interrupted_one_is_found_again(ledger):
    assert ledger.open_run(1, "tune", "one") == "1-tune-1"
    assert ledger.open_run(1, "tune", "two") == "1-tune-2"
    assert ledger.open_run(1, "split", "one") == "1-split-1"
    assert ledger.open_run(1, "tune", "one") == "1-tune-1"


def test_a_finished_run_is_never_reopened(ledger):
    folder = ledger.open_run(1, "tune", "k")
    finish(ledger, row("s08_tune", folder=folder))
    assert ledger.open_run(1, "tune", "k") == "1-tune-2"
    assert ledger.open_run(1, "tune", "k") == "1-tune-2"
    assert ledger.open_run(2, "tune", "other") == "2-tune-1"


# decisions


def test_what_was_measured_once_is_replayed_for_ever(ledger, reopen):
    measured = []

    def measure() -> float:
        measured.append(len(measured) + 0.1)
        return measured[-1]

    assert [ledger.decide("run", "rate", measure), reopen().decide("run", "rate", measure), ledger.decide("run", "rate", measure)] == [0.1, 0.1, 0.1]
    assert measured == [0.1]
    assert ledger.decide("another run", "rate", measure) == 1.1
    assert ledger.decide("run", "another rate", measure) == 2.1


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}, 0.1 + 0.2, float("inf"), {"a": [1, None, "Ä"]}, 2**60])
def test_any_plain_value_can_be_decided_even_none(ledger, reopen, value):
    assert ledger.decide("run", "value", lambda: value) == value
    assert reopen().decide("run", "value", lambda: pytest.fail("measured twice")) == value


def test_the_first_answer_is_the_one_that_a_resumed_run_reads(ledger, reopen):
    first = ledger.decide("run", "shape", lambda: (1, 2))
    assert first == reopen().decide("run", "shape", lambda: (3, 4)) == [1, 2]


def test_a_measurement_that_fails_decides_nothing(ledger):
    with pytest.raises(ValueError, match="no clock"):
        ledger.decide("run", "rate", lambda: (_ for _ in ()).throw(ValueError("no clock")))
    assert ledger.decided("run", "rate") is None
    assert ledger.decide("run", "rate", lambda: 3) == 3
    assert ledger.decided("run", "rate") == 3


# looks, openings, overrides, tags


def test_a_look_counts_once_however_often_it_is_repeated(ledger, reopen):
    assert ledger.count_look("run", "trial 1") == 1
    assert ledger.count_look("run", "trial 2") == 2
    assert reopen().count_look("run", "trial 1") == 2
    assert ledger.count_look("another run", "trial 1") == 3


def test_openings_stay_in_order(ledger, reopen):
    assert ledger.openings() == []
    ledger.note_opening(1, "a", "first opening")
    ledger.note_opening(2, "b", "a defect")
    assert [(o.number, o.round, o.scope, o.why) for o in reopen().openings()] == [(1, 1, "a", "first opening"), (2, 2, "b", "a defect")]


def test_the_reason_for_passing_a_gate_is_kept_with_its_round(ledger, reopen):
    ledger.override(1, "audit", "known")
    ledger.override(1, "audit", "better known")
    ledger.override(2, "split", "other")
    assert reopen().overrides(1) == {"audit": "better known"}
    assert reopen().overrides(3) == {}


def test_tags_of_an_item_are_replaced_as_a_whole(ledger, reopen):
    ledger.tag("x-0", ["blurry", "mislabel"], "an Ä")
    ledger.tag("y-0", [], "")
    ledger.tag("x-0", ["dark"], "")
    assert reopen().tags() == {"x-0": (["dark"], ""), "y-0": ([], "")}


# the file


@pytest.mark.parametrize("name", ["what?", "100%", "a#b", "q&a=1", "Ä ö", "%20"])
def test_a_project_may_lie_in_a_folder_of_any_name(tmp_path, name):
    for _ in range(2):
        ledger = ProjectLedger(tmp_path / name / "surefoot.db")
        number = ledger.start_round(None, {})
        ledger.close()
    assert number == 2
    assert (tmp_path / name / "surefoot.db").is_file()


def test_a_newer_ledger_is_refused_and_left_alone(ledger, path):
    ledger.start_round(None, {})
    ledger.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SurefootError, match="of version 99") as caught:
        ProjectLedger(path)
    assert caught.value.where == str(path)
    assert "newer Surefoot" in caught.value.next
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


@pytest.mark.parametrize("damage", [b"no database at all, and long enough to be looked at" * 20, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_ledger_is_named(path, damage):
    path.write_bytes(damage)
    with pytest.raises(DamagedError, match="The ledger can't be read") as caught:
        ProjectLedger(path)
    assert caught.value.where == str(path)
    assert "Restore it" in caught.value.next
    assert path.read_bytes() == damage


def test_damage_within_a_ledger_is_named_too(ledger, path):
    for number in range(200):
        ledger.tag(f"item {number}", ["tag"] * 50, "note")
    ledger.close()
    content = bytearray(path.read_bytes())
    content[8192 : len(content)] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    for name in ("surefoot.db-wal", "surefoot.db-shm"):
        (path.parent / name).unlink(missing_ok=True)
    again = ProjectLedger(path)
    with pytest.raises(DamagedError, match="The ledger can't be read"):
        again.tags()
    again.close()


def test_a_full_disk_is_said_with_its_exit_code_and_nothing_is_lost(ledger):
    ledger.decide("run", "rate", lambda: 3)
    with ledger.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    ledger.close()
    sa.event.listen(ledger.engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(ResourceError, match="disk is full") as caught:
        ledger.decide("run", "large", lambda: "x" * 100_000)
    assert caught.value.exit_code == 5
    assert caught.value.where == str(ledger.path)
    assert ledger.decided("run", "rate") == 3
    assert ledger.decided("run", "large") is None


def test_opening_a_ledger_writes_nothing_to_it(ledger, path):
    ledger.start_round(None, {})
    before = path.stat().st_mtime_ns
    again = ProjectLedger(path)
    assert len(again.rounds()) == 1
    again.close()
    assert path.stat().st_mtime_ns == before


def test_a_ledger_that_another_holds_is_said(ledger, path):
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with pytest.raises(BusyError, match="Another process"):
        ledger.start_round(None, {})
    holder.rollback()
    holder.close()
    assert ledger.start_round(None, {}) == 1


def test_threads_share_one_ledger(ledger):
    threads = [threading.Thread(target=lambda n=n: [ledger.count_look(f"{n}", f"{i}") for i in range(10)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.count_look("0", "0") == 40


def test_a_ledger_that_finds_no_room_on_a_full_disk_is_a_resource(tmp_path, monkeypatch):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
    context = SimpleNamespace(original_exception=error, engine=SimpleNamespace(url=SimpleNamespace(database=str(tmp_path / "surefoot.db"))))
    monkeypatch.setattr(ledger_file.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    with pytest.raises(ResourceError, match="disk is full"):
        ledger_file._explain(context)


def test_a_limit_on_the_size_of_a_file_is_a_resource_and_not_a_permission(tmp_path):
    """In a process of its own: a limit once lowered stays so."""
    code = f"""
import resource
from pathlib import Path
from surefoot.store.ledger import ProjectLedger
from surefoot.types.errors import ResourceError
ledger = ProjectLedger(Path({str(tmp_path / "surefoot.db")!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    ledger.decide("run", "large", lambda: "x" * 1_000_000)
except ResourceError as error:
    print(error.what, error.next)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "largest size that a file may have" in done.stdout, done.stderr
    assert "ulimit -f" in done.stdout


def test_a_round_and_its_first_results_are_written_together(ledger):
    row = StepRow(1, "s01_problem", "key", "ref", "pass", 1.0, "1-problem-1", "v", "")
    assert ledger.is_empty()
    assert ledger.start_round(None, {}, [row]) == 1
    assert ledger.start_round(1, {}, [row]) == 2
    assert ledger.steps(2)["s01_problem"].round == 2
    with pytest.raises(sa.exc.IntegrityError, match="NOT NULL"):
        ledger.start_round(2, {}, [replace(row, report=None)])
    assert len(ledger.rounds()) == 2
    assert not ledger.is_empty()
