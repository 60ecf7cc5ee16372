"""The page as a whole: whole, safe, light, quick, and readable by everyone."""

from __future__ import annotations

import re
import time
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from surefoot.reporting.page import load_style, render
from surefoot.types import ErrorRow, ErrorsReport, Finding, Mislabel, Plain, PreparedData, Report, Section
from surefoot.types.views import RoundView, StepView

from .pieces import MemoryStore, trials
from .samples import image_project, image_reports, stopped_project
from .table_samples import bikes_project, income_project

HOSTILE = "\"'><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>"
VOID = {"meta", "br", "img"}
FIXED = {"kind", "task", "severity", "pictures", "kernels"}


class Outline(HTMLParser):
    """What a page is made of: its tags, attributes, text, and whether each tag is closed."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.crossed: list[str] = []
        self.text: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def values(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [value or "" for _, attributes in self.tags for key, value in attributes.items() if key == name]


PROJECTS = {
    "digits": image_project,
    "stopped": stopped_project,
    "income": lambda store: income_project(),
    "bikes": lambda store: bikes_project(),
    "empty": lambda store: [],
    "begun": lambda store: [RoundView(1, None, [])],
}


@pytest.fixture(params=PROJECTS)
def page(request) -> bytes:
    store = MemoryStore()
    return render(request.param, PROJECTS[request.param](store), store=store)


def test_every_tag_is_closed_where_it_was_opened(page):
    outline = Outline(page)
    assert not outline.crossed
    assert not outline.open


def test_nothing_is_loaded_from_anywhere(page):
    outline = Outline(page)
    addresses = outline.values("src") + outline.values("href")
    assert not [address for address in addresses if not address.startswith(("#", "data:image/"))]
    assert not {"script", "link", "iframe", "object", "embed", "form"} & {tag for tag, _ in outline.tags}
    assert "url(" not in load_style()
    assert "@import" not in load_style()
    assert "default-src 'none'" in page.decode()


def test_every_link_leads_somewhere_and_no_place_has_two_names(page):
    outline = Outline(page)
    places = Counter(outline.values("id"))
    assert not [place for place, count in places.items() if count > 1]
    assert not [link for link in outline.values("href") if link[1:] not in places]


def test_headings_descend_without_a_gap(page):
    levels = [int(tag[1]) for tag, _ in Outline(page).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_every_picture_has_words_for_it(page):
    for tag, attributes in Outline(page).tags:
        if tag == "img":
            assert attributes.get("alt")
        if tag == "svg":
            assert attributes.get("aria-label")


def test_no_python_word_slips_into_the_text(page):
    text = " ".join(Outline(page).text)
    assert not re.findall(r"\bNone\b|\bnan\b|\bTrue\b|\bFalse\b|Markup\(|\{\{|\bundefined\b", text)


def test_the_road_shows_what_was_walked_passed_and_stopped():
    store = MemoryStore()
    text = re.sub(r"\s+", " ", " ".join(Outline(render("x", stopped_project(store), store=store)).text))
    for told in ("Problem : ✓ passed", "Audit : ! passed with warnings", "Sanity : ✕ stopped", "Overfit : not walked"):
        assert told in text
    assert "The road stopped at sanity, after 6 of 14 steps" in text


def test_notes_that_are_folded_away_are_counted_at_the_top_and_linked():
    quiet = Finding(code="data.odd_size", severity="info", what="3 pictures are wide.")
    steps = [StepView("s01_problem", Report(findings=(quiet,))), StepView("s02_audit", Report(findings=(quiet, quiet)))]
    page = Outline(render("x", [RoundView(1, None, steps)], store=None))
    assert "3\u00a0notes are folded away: Problem (1) , Audit (2) ." in re.sub(r"[ \n]+", " ", " ".join(page.text))
    assert {"#s01_problem-notes", "#s02_audit-notes"} <= set(page.values("href"))
    assert {"s01_problem-notes", "s02_audit-notes"} <= set(page.values("id"))


def test_a_gate_that_was_gone_past_says_so_for_ever():
    text = " ".join(Outline(render("x", income_project(), store=None)).text)
    assert "This gate was gone past." in text
    assert "the units come from my own layer, and it is meant so" in text


def test_results_of_another_version_are_shown_as_such():
    store = MemoryStore()
    text = " ".join(Outline(render("x", image_project(store), store=store)).text)
    assert "out of date" in text
    assert "The results of serve belong to earlier settings, data or code." in text


def test_a_step_of_ones_own_has_its_place():
    text = " ".join(Outline(render("x", [RoundView(1, None, [StepView("fairness_check", Report())])], store=None)).text)
    assert "Fairness check" in text
    assert "A step of your own." in text


def test_without_items_no_item_is_named_or_shown():
    store = MemoryStore()
    page = render("x", image_project(store), store=store, with_items=False).decode()
    assert not re.findall(r"item0\d+|photos/|img_\d+", page)
    kernels = page.count('alt="kernel')
    assert page.count("data:image/") == kernels == 16
    assert "Pictures and rows of the data were left out." in page
    assert "adult.csv:" not in render("x", income_project(), store=None, with_items=False).decode()


def poison(value: Any) -> Any:
    """The same data with something hostile behind every name and word."""
    if isinstance(value, Plain | Section):
        return value.model_copy(update={name: poison(item) for name, item in value if name not in FIXED})
    if isinstance(value, dict):
        return {name + HOSTILE: poison(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(poison(item) for item in value)
    return value + HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("project", ["digits", "stopped", "income", "bikes"])
@pytest.mark.parametrize("with_items", [True, False])
def test_nothing_from_the_data_becomes_code(project, with_items):
    store = MemoryStore()
    rounds = [
        RoundView(one.number, one.parent, [StepView(step.name, poison(step.report), step.seconds, HOSTILE) for step in one.steps], HOSTILE)
        for one in PROJECTS[project](store)
    ]
    for arrays in store.arrays.values():
        arrays.update({name + HOSTILE: array for name, array in arrays.items()})
    poisoned = render(HOSTILE, rounds, store=store, with_items=with_items)
    outline = Outline(poisoned)
    assert "alert(1)" in "".join(outline.text), "it is still there, as text"
    assert "script" not in {tag for tag, _ in outline.tags}
    assert not [name for _, attributes in outline.tags for name in attributes if name.startswith("on")]
    assert not [address for address in outline.values("src") + outline.values("href") if not re.fullmatch(r"#[\w.-]+|data:image/[\w;,+/=]+", address)]
    assert not outline.crossed


def heavy_project(store: MemoryStore) -> list[RoundView]:
    """As much as the reports may hold: photos, a hundred classes, two thousand trials, long histories."""
    random = np.random.default_rng(0)
    photos = {f"item{i:06d}": random.integers(0, 256, (12, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1) for i in range(300)}
    ids, classes = list(photos), tuple(f"class {i}" for i in range(100))
    reports = dict(image_reports(store))
    reports["s01_problem"] = reports["s01_problem"].model_copy(update={"classes": classes})
    prepared = reports["s04_prepare"]
    assert isinstance(prepared, PreparedData)
    sample = {name: tuple(ids[i : i + 1]) for i, name in enumerate(classes)}
    reports["s04_prepare"] = prepared.model_copy(update={"sample": sample, "pictures": store.put_arrays(photos)})
    reports["s08_tune"] = reports["s08_tune"].model_copy(update={"trials": trials(2_000, 0.9, 0.1)})
    counts = tuple(tuple(int(count) for count in row) for row in random.integers(0, 9, (100, 100)))
    reports["s09_diagnose"] = reports["s09_diagnose"].model_copy(
        update={"confusion": counts, "residuals": tuple(map(tuple, random.random((20_000, 2)).tolist()))}
    )
    rows = tuple(ErrorRow(id=id, place=f"{id}.png", target="class 1", pred="class 2") for id in ids[100:200])
    suspects = tuple(Mislabel(id=id, given="class 1", suggested="class 2", score=0.1) for id in ids[200:300])
    reports["s10_errors"] = ErrorsReport(num_wrong=900, num_val=2_000, rows=rows, mislabels=suspects, worst=rows[:24], pictures=store.put_arrays(photos))
    return [RoundView(1, None, [StepView(name, report) for name, report in reports.items()])]


def test_a_large_project_is_drawn_in_two_seconds_and_two_megabytes():
    store = MemoryStore()
    rounds = heavy_project(store)
    times = []
    for _ in range(2):
        started = time.process_time()
        page = render("large", rounds, store=store)
        times.append(time.process_time() - started)
    assert min(times) < 2
    assert len(page) < 2_000_000


def test_the_same_reports_give_the_same_page():
    store = MemoryStore()
    rounds = image_project(store)
    assert render("x", rounds, store=store) == render("x", rounds, store=store)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.1)."""
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.1)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_what_is_behind_them(theme):
    block = re.findall(r"\.surefoot \{\s*(--bg.*?)\}", str(load_style()), re.DOTALL)[theme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    for ground in ("bg", "surface", "sunk"):
        for ink in ("ink", "muted", "accent"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for kind in ("pass", "warn", "stop", "note"):
        assert contrast(colours[kind], colours[f"{kind}-bg"]) >= 4.5, kind
    for tone in range(1, 7):
        assert contrast(colours[f"c{tone}"], colours["surface"]) >= 3, tone
