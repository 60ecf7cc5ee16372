"""The contact sheet: a row per item, from what it was to what a training is given: as it came, as it is packed, and some draws of the augmentation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from markupsafe import Markup

from surefoot.analysis.views import draw_numbers, draw_pictures, draw_texts
from surefoot.data.text import tell_codes
from surefoot.engine.recipes import follow_recipe
from surefoot.reporting.markup import EMPTY, card, code, element, folded, join, paragraph
from surefoot.reporting.pictures import load_arrays, picture_element
from surefoot.reporting.views import Scene
from surefoot.reporting.words import DASH, number, short
from surefoot.types.configs import TrainConfig
from surefoot.types.data_reports import FieldSpec, PreparedData, ShownItem
from surefoot.types.problem import Problem
from surefoot.types.reports import TuneReport

DRAWS = 5
MOST_COLUMNS = 40
LONGEST = 22
LONG_TEXT = 120

Drawing = Callable[[np.ndarray, str, int, Path | None], np.ndarray]
"""Values of some items (N, F), an augmentation, the number of draws D and the project's folder -> (D, N, F)."""


def find_augmentation(report: PreparedData, scene: Scene) -> str:
    """What trainings see: as the search chose, else as the settings say, else as the recipe begins."""
    tune, problem = scene.find(TuneReport), scene.find(Problem)
    if scene.augment or (tune and tune.train.augment):
        return scene.augment or (tune.train.augment if tune else "")
    channels = report.fields[0].shape[0] if report.fields[0].name == "image" else 0
    return (follow_recipe(TrainConfig(), problem, channels).augment if problem else "") or "none"


def show_sheet(report: PreparedData, scene: Scene, draws: int = DRAWS) -> Markup:
    """The sheet on its card; nothing where no items may be shown, or none are known."""
    items = report.explored.sheet
    if not items or not scene.with_items:
        return EMPTY
    text = find_augmentation(report, scene)
    draws = 0 if text == "none" else draws
    try:
        content = _show_pictures(items, scene, text, draws) if report.pictures else _show_rows(report, items, scene, text, draws)
    except Exception as error:  # an augmentation of the user's own may raise anything, and the page has more to tell
        content = join([paragraph(join([code(text), f" could not be drawn: {type(error).__name__}: {error}"]), "notice"), _without(report, items, scene)])
    setting = code(f'train.augment = "{text}"')
    told = join(["As it came, as it is packed, and as trainings with ", setting, " are given it, each time another draw."])
    if not draws:
        told = join(["As it came, and as it is packed; with ", setting, " trainings are given it so."])
    return card("The contact sheet", join([element("p", told, class_="note"), content]), wide=True) if content else EMPTY


def _without(report: PreparedData, items: Sequence[ShownItem], scene: Scene) -> Markup:
    return _show_pictures(items, scene, "none", 0) if report.pictures else _show_rows(report, items, scene, "none", 0)


def _show_pictures(items: Sequence[ShownItem], scene: Scene, text: str, draws: int) -> Markup:
    known = [item for item in items if item.id in scene.pictures]
    if not known:
        return EMPTY
    drawn = draw_pictures([scene.pictures[item.id] for item in known], text, draws, scene.folder) if draws else [[] for _ in known]
    headers = ("item", "as it came", "packed", *(f"draw {n + 1}" for n in range(draws)))
    rows = []
    for item, views in zip(known, drawn):
        raw, packed = scene.pictures.get(f"raw {item.id}"), scene.pictures[item.id]
        sizes = [_sized(raw, item, "as it came") if raw is not None else DASH, _sized(packed, item, "packed")]
        rows.append((_name(item), *sizes, *(picture_element(view, f"{item.label or item.id}, draw {n + 1}") for n, view in enumerate(views))))
    return _grid("Items of the contact sheet", headers, rows)


def _sized(pixels: np.ndarray, item: ShownItem, stage: str) -> Markup:
    return picture_element(pixels, f"{item.label or item.id}, {stage}")


def _name(item: ShownItem) -> Markup:
    return join([element("b", short(item.label, 24)), element("span", _tail(item.place.rpartition("/")[2]), class_="small", title=item.place)])


def _tail(text: str) -> str:
    """The end of a long name: what comes first is the same for many."""
    return text if len(text) <= LONGEST else f"…{text[1 - LONGEST :]}"


def _grid(caption: str, headers: Sequence[str], rows: Sequence[Sequence[Markup | str]]) -> Markup:
    head = element("tr", *(element("th", header, scope="col") for header in headers))
    body = [element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows]
    whole = element("table", element("caption", caption, class_="unseen"), element("thead", head), element("tbody", *body), class_="sheet")
    return element("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _show_rows(report: PreparedData, items: Sequence[ShownItem], scene: Scene, text: str, draws: int) -> Markup:
    """A small table per row of the data, the first one open."""
    arrays = load_arrays(scene.store, report.explored.arrays)
    if not any(item.cells for item in items) or not arrays:
        return EMPTY
    headers = ("column", "as it came", "packed", "in standard units", *(f"draw {n + 1}" for n in range(draws)))
    told = {field.name: _tell_field(report, field, arrays, partial(_draw, scene, text, draws)) for field in report.fields}
    shown = []
    for place, item in enumerate(items):
        rows: list[Sequence[Markup | str]] = []
        for field in report.fields:
            for column, name in enumerate(field.names):
                cells = told[field.name][place][column]
                raw = short(_raw(item, name), LONG_TEXT if field.is_text else 24)
                rows.append((short(name, 30), raw or DASH, *cells, *[DASH] * (len(headers) - 2 - len(cells))))
        title = f"{item.place}, {scene.target} {item.label}"
        content = _grid(f"Row {item.place}", headers, rows[:MOST_COLUMNS])
        shown.append(folded(title, content) if place else join([element("h4", title), content]))
    return join(shown)


def _draw(scene: Scene, text: str, draws: int, drawing: Drawing, values: np.ndarray) -> np.ndarray:
    """(N, F) -> (D, N, F)."""
    return drawing(values, text, draws, scene.folder) if draws else values[None][:0]


def _tell_field(
    report: PreparedData, field: FieldSpec, arrays: Mapping[str, np.ndarray], draw: Callable[[Drawing, np.ndarray], np.ndarray]
) -> list[list[list[str]]]:
    """For each item and each column of a field: as it is packed, in standard units, and each draw."""
    if field.is_text:
        recipe = next(column for column in report.recipe["columns"] if column.get("field") == field.name)
        views = [arrays[field.name], *draw(draw_texts, arrays[field.name])]
        told = [[short(tell_codes(view[place], recipe), LONG_TEXT) or DASH for view in views] for place in range(len(views[0]))]
        return [[[packed, DASH, *drawn]] for packed, *drawn in told]
    if field.name == "numeric":
        numbers = np.stack([arrays["numbers"], arrays["standard"], *draw(draw_numbers, arrays["standard"])])
        return [[[_figure(value) for value in column] for column in item.T] for item in numbers.transpose(1, 0, 2)]
    return [[[_figure(value)] for value in item] for item in arrays["codes"]]


def _raw(item: ShownItem, name: str) -> str:
    """The cell that a column of the pack was made from: several are made from one date."""
    return item.cells.get(name) or item.cells.get(name.rpartition(".")[0], "")


def _figure(value: float) -> str:
    return "missing" if math.isnan(value) else number(float(value))
