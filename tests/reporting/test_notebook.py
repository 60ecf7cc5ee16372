"""Reports as they show themselves in a notebook."""

from __future__ import annotations

import pytest

from surefoot.reporting.notebook import to_html
from surefoot.types import Report

from .pieces import MemoryStore
from .samples import image_reports


@pytest.mark.parametrize(("name", "report"), list(image_reports(MemoryStore()).items()))
def test_every_report_shows_itself_without_a_store(name, report):
    shown = to_html(report)
    assert shown.startswith("<style>")
    assert "<script" not in shown
    assert "<h2>" in shown


def test_the_style_of_a_report_stays_within_it():
    style = to_html(Report()).partition("</style>")[0]
    outside = [line for line in style.splitlines() if line.startswith((".", "#", "[")) and not line.startswith(".surefoot")]
    assert not outside


def test_classes_have_numbers_where_their_names_are_not_known():
    assert "class 3" in to_html(image_reports(MemoryStore())["s09_diagnose"])
