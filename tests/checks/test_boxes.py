"""Findings on boxes: each disease by its code, and silence on healthy ones."""

import pytest

from surefoot.checks import boxes
from surefoot.types.source import Refused

HEALTHY = {"refused": [], "clipped": 0, "overshoot": 0.0, "repeated": 0, "listed_twice": 0, "turns": {}}
CLASSES = {"cat": (60, 40), "dog": (50, 45)}


def test_healthy_boxes_raise_nothing():
    assert boxes.judge(HEALTHY, CLASSES) == []
    assert boxes.lost(0, 0, 100, (64, 64)) == []


@pytest.mark.parametrize(
    ("flaw", "code", "severity", "told"),
    [
        ({"refused": [Refused("a.png, box 1 (cat)", "its size is 0 x 3")]}, "data.corrupt_item", "warn", "1 box(es) are refused: its size is 0 x 3"),
        ({"refused": [Refused("a.txt:1", "its class is 7", "data.wrong_type")]}, "data.wrong_type", "warn", "its class is 7"),
        ({"clipped": 4, "overshoot": 0.6}, "data.clipped_boxes", "info", "by 0.6 pixels at most"),
        ({"clipped": 4, "overshoot": 12.0}, "data.clipped_boxes", "warn", "by 12.0 pixels at most"),
        ({"repeated": 2}, "data.duplicates", "info", "2 box(es) repeat another one"),
        ({"listed_twice": 3}, "data.duplicates", "info", "3 picture(s) are listed several times"),
        ({"turns": {"turned": 2}}, "data.exif_rotated", "info", "are turned with it"),
        ({"turns": {"turned": 2, "unclear": 1}}, "data.exif_rotated", "warn", "3 picture(s) are stored turned"),
    ],
)
def test_each_flaw_is_one_finding_with_its_numbers(flaw, code, severity, told):
    (finding,) = boxes.judge(HEALTHY | flaw, CLASSES)
    assert (finding.code, finding.severity) == (code, severity)
    assert told in finding.what
    assert finding.next


def test_rare_and_unequal_classes_are_told():
    rare, unequal = boxes.judge(HEALTHY, {"cat": (300, 90), "dog": (20, 20), "newt": (40, 4), "owl": (0, 0)})
    assert rare.code == "data.rare_class"
    assert "newt (4), owl (0)" in rare.what
    assert unequal.code == "data.imbalance"
    assert "15.0 times" in unequal.what


@pytest.mark.parametrize(("lost", "small", "severity"), [(1, 2, "info"), (4, 4, "warn")])
def test_lost_boxes_are_a_warning_above_a_twentieth(lost, small, severity):
    (finding,) = boxes.lost(lost, small, 100, (48, 64))
    assert (finding.code, finding.severity) == ("prepare.lost_boxes", severity)
    assert f"{lost} are cropped away and {small} are smaller than 4 pixels" in finding.what
