"""The contact sheet as a page of its own: one file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from surefoot.reporting.markup import element, join
from surefoot.reporting.page import load_style, set_scene
from surefoot.reporting.sections.sheet import find_augmentation, show_sheet
from surefoot.types.context import Store
from surefoot.types.data_reports import PreparedData
from surefoot.types.views import StepView

_HEAD = Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">')


def render_sheet(project_name: str, steps: Sequence[StepView], *, store: Store, augment: str, folder: Path, draws: int) -> tuple[bytes, str]:
    """The page (HTML, UTF-8), and the augmentation that it shows.

    Args:
        steps: of the last round; s04 among them. augment: as `train.augment` is written; empty: what the search chose, or would begin with.
    """
    scene = set_scene(steps, store, augment=augment, folder=folder)
    report = scene.find(PreparedData)
    assert report is not None
    head = join([_HEAD, element("title", f"Contact sheet of {project_name}"), element("style", load_style())])
    body = element("main", element("h1", f"Contact sheet of {project_name}"), element("div", show_sheet(report, scene, draws), class_="cards"))
    page = join([element("head", head), element("body", body, class_="surefoot page")])
    return f'<!doctype html>\n<html lang="en">{page}</html>\n'.encode(), find_augmentation(report, scene)
