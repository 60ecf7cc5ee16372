"""What is wrong with a split is said with its numbers, and a sound one is left in peace."""

from __future__ import annotations

from surefoot.checks import split as checks
from surefoot.types.data_reports import RefusedItem


def test_contents_in_two_sets_stop_the_road():
    (found,) = checks.leaks([], 2)
    assert (found.code, found.severity, found.evidence) == ("split.leak", "stop", {"contents": 2})
    assert "split.group_by = 'content'" in found.next


def test_items_left_out_for_honesty_are_listed():
    items = [RefusedItem(place=f"id-{n}", reason="equal to an item of the given test set", code="split.leak") for n in range(150)]
    (found,) = checks.leaks(items, 0)
    assert (found.code, found.severity, found.evidence) == ("split.leak", "warn", {"refused": 150})
    assert "equal to an item of the given test set" in found.what
    assert len(found.ids) == 100


def test_a_val_set_that_tells_nothing_apart_is_too_small():
    (found,) = checks.val_size(40, 0.13)
    assert (found.code, found.severity) == ("split.val_too_small", "warn")
    assert found.evidence == {"items": 40, "resolves": 0.13, "threshold": 0.05}
    assert "kfold" in found.next
    assert [one.severity for one in checks.val_size(240, 0.06)] == ["info"]
    assert checks.val_size(1_000, 0.05) == []


def test_classes_without_an_item_in_val_or_test_are_named():
    counts = {"train": {"a": 9, "b": 4, "c": 3}, "val": {"a": 3, "b": 0, "c": 1}, "test": {"a": 3, "b": 0, "c": 0}}
    (found,) = checks.missing_classes(counts)
    assert (found.code, found.severity) == ("split.class_missing", "warn")
    assert found.what == "2 class(es) have no item in val (b) or test (b, c) and are not measured there."
    assert found.evidence == {"train": 4, "val": 0, "test": 0}


def test_a_class_that_val_measures_is_missed_in_test_alone():
    counts = {"train": {"oak": 90, "fir": 3}, "val": {"oak": 90, "fir": 3}, "test": {"oak": 22, "fir": 0}}  # K-fold: each item is val once
    (found,) = checks.missing_classes(counts)
    assert (found.what, found.where) == ("1 class(es) have no item in test (fir) and are not measured there.", "test")


def test_a_class_that_train_lacks_can_not_be_learnt():
    (found,) = checks.missing_classes({"train": {"a": 9, "b": 0}, "val": {"a": 3, "b": 3}, "test": {"a": 3, "b": 0}})
    assert (found.code, found.where) == ("split.class_missing", "train")
    assert "can't be learnt: b" in found.what


def test_a_sound_split_is_left_in_peace():
    counts = {"train": {"a": 9, "b": 9}, "val": {"a": 3, "b": 3}, "test": {"a": 3, "b": 3}}
    assert checks.leaks([], 0) == checks.missing_classes(counts) == checks.missing_classes({}) == []


def test_few_amounts_say_how_different_errors_must_be():
    (found,) = checks.val_size(40, 0.31, is_amount=True)
    assert "errors that differ by less than 31.0% of their size are noise" in found.what
    assert checks.val_size(200, 0.14, is_amount=True) == []


def test_copies_at_another_time_are_told_and_named():
    (found,) = checks.parted_copies([f"id-{n}" for n in range(150)], 1_000)
    assert (found.code, found.severity, found.evidence) == ("split.time_leak", "warn", {"items": 150, "share": 0.15})
    assert len(found.ids) == 100
    assert checks.parted_copies([], 1_000) == []
