"""The explorer: what lies outside the test set, for a person to look through before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Series, lines, scatter
from surefoot.reporting.grids import heat
from surefoot.reporting.markup import EMPTY, card, cards, element, figure, folded_if, join, table
from surefoot.reporting.pictures import load_arrays, tile
from surefoot.reporting.views import Scene
from surefoot.reporting.words import count_of, number, share, short
from surefoot.types.data_reports import Explored, PreparedData, ShownItem
from surefoot.types.error_reports import ErrorsReport

TONES = (1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 5)
"""Of the groups of a map, neighbours as unlike as can be."""
OTHERS = 6
"""The grey tone, for what is in no group that has a colour of its own."""
CHANNELS = {"red": 2, "green": 3, "blue": 1, "grey": 6}
EQUAL = "The same content more than once. All of a group are kept in one set; under different labels one of them must be wrong."
NEAR = "Pairs that look alike to the audit. They are kept in one set, so that val is no memory test."
OPEN = 4
"""Groups of equal items that are shown unfolded."""


def show_explorer(report: PreparedData, scene: Scene) -> Markup:
    """Charts of the items; where items may be shown, also a map of them, duplicates side by side, and suspects."""
    seen = report.explored
    pieces = [_pixels(seen), _gaps(seen)]
    if scene.with_items:
        pieces += [
            _words(seen),
            _map(seen, scene),
            _groups("Equal items", seen.equal, scene, EQUAL),
            _groups("Nearly equal items", seen.near, scene, NEAR),
            _suspects(seen, scene),
        ]
    return cards(*pieces)


def _pixels(seen: Explored) -> Markup:
    if not seen.pixels:
        return EMPTY
    runs = []
    for name, counts in seen.pixels.items():
        total, width = sum(counts) or 1, 256 / len(counts)
        points = [((level + 0.5) * width, count / total) for level, count in enumerate(counts)]
        runs.append(Series(name, points, CHANNELS.get(name, 1), has_dots=False))
    chart = lines("Share of pixels per level", runs, Axis("level, 0 is black", 0.0, 255.0), Axis("share of pixels", low=0.0, is_share=True))
    return figure("Pixels", chart, "Levels in train pictures. A spike at either end is a frame, a plain ground, or light that was cut off.")


def _gaps(seen: Explored) -> Markup:
    if len(seen.gaps) < 2:
        return EMPTY
    shares = [[both / row[i] for both in row] for i, row in enumerate(seen.together)]
    told = [[f"{both:,} of {row[i]:,} rows without {seen.gaps[i]}" for both in row] for i, row in enumerate(seen.together)]
    chart = heat("Missing together", shares, seen.gaps, told)
    missing = ", ".join(f"{short(name, 24)} {share(seen.together[i][i] / max(seen.num_rows, 1))}" for i, name in enumerate(seen.gaps[:3]))
    note = f"Where a row's column is missing, how often the column below is too. Most often missing in train: {missing}."
    return figure("Missing together", chart, note)


def _map(seen: Explored, scene: Scene) -> Markup:
    net = scene.find(ErrorsReport)
    learned = net if net and net.embedding else None
    arrays = load_arrays(scene.store, learned.embedding if learned else seen.arrays)
    places, groups = arrays.get("xy"), arrays.get("group")
    if places is None or groups is None or not len(places):
        return EMPTY
    sizes = [(int((groups == number).sum()), number) for number in range(len(seen.groups))]
    coloured = [number for size, number in sorted(sizes, key=lambda pair: (-pair[0], pair[1]))[: len(TONES)] if size]
    runs = [
        Series(short(seen.groups[number], 24), [(float(x), float(y)) for x, y in places[groups == number]], TONES[place])
        for place, number in enumerate(sorted(coloured))
    ]
    rest = places[[int(group) not in coloured for group in groups]]
    if len(rest):
        runs.append(Series("others", [(float(x), float(y)) for x, y in rest], OTHERS))
    first, second = (f"{name} direction ({share(part)} of all variance)" for name, part in zip(("first", "second"), learned.spread if learned else seen.spread))
    chart = scatter("Map of the items", runs, Axis(first), Axis(second))
    what = "what the last layer of the tuned net sees of them differs" if learned else "they differ"
    told = f"{count_of(len(places), 'item')} of train and val by the two directions in which {what} most."
    note = f"{told} Far-off dots are worth a look; classes that overlap here may still be told apart."
    return figure("A map of the items, as the net sees them" if learned else "A map of the items", chart, note)


def _groups(title: str, groups: Sequence[Sequence[ShownItem]], scene: Scene, note: str) -> Markup:
    if not groups:
        return EMPTY
    if any(item.cells for group in groups for item in group):
        told = element("div", *(element("div", *map(_text, group), class_=f"twins{' conflict' if _differ(group) else ''}") for group in groups), class_="pairs")
        return card(title, folded_if(len(groups) > OPEN, count_of(len(groups), "group"), told), note, wide=True)
    if not any(item.id in scene.pictures for group in groups for item in group):
        rows = [(" = ".join(item.place for item in group), ", ".join(dict.fromkeys(item.label for item in group))) for group in groups]
        return card(title, folded_if(len(rows) > 2 * OPEN, count_of(len(rows), "group"), table(title, ("places", "labels"), rows)), note, wide=True)
    shown = [element("div", *(_tile(item, scene) for item in group), class_=f"tiles twins{' conflict' if _differ(group) else ''}") for group in groups]
    more = folded_if(True, f"{count_of(len(shown) - OPEN, 'more group')}", element("div", *shown[OPEN:], class_="pairs")) if len(shown) > OPEN else EMPTY
    return card(title, join([element("div", *shown[:OPEN], class_="pairs"), more]), note, wide=True)


def _differ(group: Sequence[ShownItem]) -> bool:
    return len({item.label for item in group}) > 1


def _tile(item: ShownItem, scene: Scene) -> Markup:
    caption = join([element("b", short(item.label, 24)), element("span", short(item.place.rpartition("/")[2], 20), title=item.place)], element("br"))
    return tile(scene.pictures, item.id, f"{item.label}: {item.place}", caption)


def _text(item: ShownItem) -> Markup:
    """What a text says, under its label and place."""
    return element("p", join([element("b", short(item.label, 24)), element("span", item.place, class_="small"), *item.cells.values()], element("br")))


def _words(seen: Explored) -> Markup:
    if not seen.words:
        return EMPTY
    rows = [(short(name, 24), ", ".join(f"{short(word, 24)} ({number(count)})" for word, count in told.items())) for name, told in seen.words.items()]
    note = "In how many train texts of the class each stands; first those that most set it apart. A word that gives the class away, and should not, is a leak."
    return card("Frequent words", table("Frequent words", ("class", "words"), rows), note, wide=True)


def _suspects(seen: Explored, scene: Scene) -> Markup:
    if not seen.suspects:
        return EMPTY
    note = "Items that a check of the audit names. They are used; look whether they belong here."
    if not any(item.id in scene.pictures for item in seen.suspects):
        rows = [(item.place, item.label, " ".join(item.reasons), " · ".join(item.cells.values())) for item in seen.suspects]
        headers = ("place", "label", "why", "text")[: 4 if any(item.cells for item in seen.suspects) else 3]
        told = table("Suspects", headers, [row[: len(headers)] for row in rows])
        return card("Suspects", folded_if(len(rows) > 8, count_of(len(rows), "suspect"), told), note, wide=True)
    tiles = [
        tile(scene.pictures, item.id, f"{item.label}: {item.place}", join([element("b", short(item.label, 24)), *map(_reason, item.reasons)]))
        for item in seen.suspects
    ]
    return card("Suspects", element("div", *tiles, class_="tiles large"), note, wide=True)


def _reason(text: str) -> Markup:
    return element("span", short(text, 80), class_="why", title=text)
