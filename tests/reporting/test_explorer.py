"""The explorer's section: what it draws of the data, and what it leaves out where items may not be shown."""

from __future__ import annotations

import re

import numpy as np
import pytest

from surefoot.reporting.grids import heat
from surefoot.reporting.page import set_scene
from surefoot.reporting.sections import show_report
from surefoot.reporting.sections.explorer import TONES, show_explorer
from surefoot.types import AuditReport, ErrorsReport, Explored, PreparedData, ShownItem
from surefoot.types.views import StepView

from .pieces import MemoryStore
from .samples import image_audit, image_split


def prepared(**changes) -> tuple[PreparedData, MemoryStore]:
    store = MemoryStore()
    report = image_split(store)[1]
    return report.model_copy(update={"explored": report.explored.model_copy(update=changes)}), store


def show(report, store=None, with_items=True) -> str:
    return str(show_report(report, set_scene([StepView("s00", report)], store, with_items)))


def test_the_map_has_a_dot_per_item_and_a_colour_per_class():
    report, store = prepared()
    shown = show(report, store)
    clouds = re.findall(r'<path d="([^"]*)" class="cloud t(\d+)"', shown) + re.findall(r'<circle [^>]*class="dot t(\d+)"', shown)
    assert len({cloud[1] for cloud in clouds if isinstance(cloud, tuple)} | {cloud for cloud in clouds if isinstance(cloud, str)}) == 10
    assert shown.count("h0M") + sum(isinstance(cloud, tuple) for cloud in clouds) + sum(isinstance(cloud, str) for cloud in clouds) == 300
    assert "first direction (15.0\u00a0% of all variance)" in shown


def test_more_classes_than_colours_share_the_grey():
    store = MemoryStore()
    report = prepared()[0]
    xy = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    explored = Explored(groups=tuple(f"kind {n}" for n in range(20)), arrays=store.put_arrays({"xy": xy, "group": np.arange(400) % 20}), spread=(0.5, 0.2))
    shown = show(report.model_copy(update={"explored": explored}), store)
    assert len(re.findall(r'<li><i class="t\d+"></i>kind \d+', shown)) == len(TONES)
    assert ">others</li>" in shown


def test_equal_items_under_two_labels_are_marked():
    report, store = prepared()
    shown = show(report, store)
    assert shown.count('class="tiles twins conflict"') == 1  # of two groups and a near pair
    assert shown.count("Nearly equal items") == 1
    assert "it is darker than 99 % of the others" in shown


def test_rows_of_a_table_that_are_equal_are_listed_by_place_and_label():
    twins = tuple(ShownItem(id=f"r{n}", place=f"sales.csv:{n}", label=label) for n, label in ((3, "yes"), (9, "no")))
    report = prepared()[0].model_copy(
        update={"explored": Explored(equal=(twins,), suspects=(twins[0].model_copy(update={"reasons": ("far out",)}),)), "pictures": ""}
    )
    shown = show(report)
    assert "sales.csv:3 = sales.csv:9" in shown
    assert "yes, no" in shown
    assert "far out" in shown


def test_without_items_only_counts_of_pixels_and_gaps_are_left():
    report, store = prepared(gaps=("size", "price"), together=((10, 5), (5, 20)), num_rows=100)
    shown = show(report, store, with_items=False)
    assert "Share of pixels per level" in shown
    assert "Missing together" in shown
    for gone in ("A map of the items", "Equal items", "Suspects", "img_00", "data:image", "The contact sheet"):
        assert gone not in shown


def test_what_is_missing_together_is_read_along_the_row():
    shown = str(heat("gaps", [[1.0, 0.5], [0.25, 1.0]], ("size", "price"), [["", "5 of 10"], ["5 of 20", ""]]))
    assert shown.index(">50%<") < shown.index(">25%<")
    assert "5 of 10" in shown


def test_a_report_without_an_explorer_shows_none():
    report = prepared()[0].model_copy(update={"explored": Explored()})
    assert show_explorer(report, set_scene([StepView("s00", report)], None)) == ""


def test_the_audit_shows_shapes_and_what_was_measured():
    shown = show(image_audit())
    assert "Aspect ratios" in shown
    assert re.search(r"<title>10 : 7 to 2 : 1: 3</title>", shown), "3 pictures of 32 x 64"
    assert "Histogram of brightness" in shown
    assert "P: 97" in shown
    assert "Turned by EXIF" in shown


@pytest.mark.parametrize(("size", "said"), [("10x10", "square"), ("30x10", "taller than 1 : 2"), ("10x30", "wider than 2 : 1"), ("20x10", "1 : 2 to 7 : 10")])
def test_height_by_width_is_told_as_width_to_height(size, said):
    report = AuditReport(fingerprint="", num_items=3, num_usable=3, index="", sizes={size: 2, "10x16": 1})
    assert f"<title>{said}: 2</title>" in show(report)


def test_texts_stand_side_by_side_with_their_words_and_suspects():
    twins = tuple(ShownItem(id=f"t{n}", place=f"mail.csv:{n}", label=label, cells={"text": "win a prize"}) for n, label in ((3, "ham"), (9, "spam")))
    seen = Explored(equal=(twins,), suspects=(twins[0].model_copy(update={"reasons": ("far too long",)}),), words={"spam": {"prize": 40}, "ham": {"home": 31}})
    report = prepared()[0].model_copy(update={"explored": seen, "pictures": ""})
    shown = show(report)
    assert shown.count("win a prize") == 3
    assert 'class="twins conflict"' in shown
    assert "prize (40)" in shown
    assert shown.index("far too long") < shown.rindex("win a prize")
    hidden = show(report, with_items=False)
    assert "prize" not in hidden


def test_once_a_net_is_trained_the_map_is_that_of_its_last_layer():
    report, store = prepared()
    embedding = store.put_arrays({"xy": np.random.default_rng(1).normal(size=(50, 2)).astype(np.float32), "group": np.arange(50) % 10})
    errors = ErrorsReport(num_wrong=0, num_val=50, rows=(), embedding=embedding, spread=(0.6, 0.2))
    shown = str(show_report(report, set_scene([StepView("s04", report), StepView("s10", errors)], store)))
    assert "A map of the items, as the net sees them" in shown
    assert "of train and val by the two directions in which what the last layer of the tuned net sees" in shown
    assert "first direction (60.0\u00a0% of all variance)" in shown
