"""s02: what there is: classes, columns, sizes, and everything that was refused."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from surefoot.data.readers.schema import TEXT_RULE
from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, bars, histogram, mini_histogram
from surefoot.reporting.markup import EMPTY, card, cards, code, element, facts, figure, folded_if, join, table
from surefoot.reporting.sections.boxes import show_boxes
from surefoot.reporting.views import Scene
from surefoot.reporting.words import DASH, number, share, short
from surefoot.types.data_reports import AuditReport, ColumnProfile, RefusedItem
from surefoot.types.findings import Measured

MOST_BARS = 24
MOST_REFUSED = 200
MOST_SIZES = 50
ASPECTS = (
    (0.5, "taller than 1 : 2"),
    (0.7, "1 : 2 to 7 : 10"),
    (0.95, "7 : 10 to square"),
    (1.05, "square"),
    (1.43, "square to 10 : 7"),
    (2.01, "10 : 7 to 2 : 1"),
)
"""Upper edges of width over height, and what lies below each."""


def show_audit(report: AuditReport, scene: Scene) -> Markup:
    """Counts, balance, columns, and what was refused."""
    return join(
        [
            facts(
                [
                    ("Items found", number(report.num_items)),
                    ("Usable", f"{number(report.num_usable)} ({share(report.num_usable / report.num_items)})" if report.num_items else number(0)),
                    ("Refused", number(report.num_refused)),
                    ("Without a target", number(report.num_untargeted) if report.num_untargeted else None),
                    ("Wild items", number(report.num_wild) if report.num_wild else None),
                    ("Picture kinds", _counted(report.modes)),
                    ("Modes of the files", _counted(report.file_modes) if len(report.file_modes) > 1 else None),
                    ("Turned by EXIF", number(sum(report.turned.values())) if report.turned else None),
                    ("With a near duplicate", number(report.num_near) if report.num_near else None),
                ]
            ),
            show_boxes(report.boxes) if report.boxes else EMPTY,
            cards(
                EMPTY if report.boxes else _balance(report, scene),
                _sizes(report),
                _aspects(report),
                *_measures(report),
                _missing(report),
                _sources(report),
                _columns(report.columns, scene),
            ),
            show_refused(report.refused, scene),
            show_refused(report.boxes.refused, scene, "box") if report.boxes else EMPTY,
        ]
    )


def _balance(report: AuditReport, scene: Scene) -> Markup:
    if not report.balance:
        return EMPTY
    if report.balance_edges:
        chart = histogram(f"Histogram of {scene.target}", list(report.balance.values()), report.balance_edges, Axis(scene.target))
        return figure(f"The target: {scene.target}", chart, "How many items have which value. A long tail to one side is harder to predict.")
    total, entries = sum(report.balance.values()) or 1, list(report.balance.items())
    entries.sort(key=lambda entry: -entry[1])
    rows = [Bar(name, count, text=f"{count:,} ({100 * count / total:.0f} %)") for name, count in entries[:MOST_BARS]]
    left_out = f" The {MOST_BARS} largest of {len(entries)} classes." if len(entries) > MOST_BARS else ""
    note = f"Items per class. A class with few items is learned badly and measured badly.{left_out}"
    return figure("Class balance", bars("Items per class", rows, Axis("items", is_whole=True)), note)


def _sizes(report: AuditReport) -> Markup:
    if not report.sizes:
        return EMPTY
    rows = [Bar(size.replace("x", " × "), count) for size, count in list(report.sizes.items())[:10]]
    return figure("Picture sizes", bars("Pictures per size", rows, Axis("pictures", is_whole=True)), "Height × width in pixels, the most frequent first.")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {number(count)}" for name, count in counts.items())


def _aspects(report: AuditReport) -> Markup:
    """How wide pictures are for their height; nothing where all are alike."""
    known = [(re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", size), count) for size, count in report.sizes.items()]
    shapes = [(int(size[1]), int(size[2]), count) for size, count in known if size]
    if len({height / width for height, width, _ in shapes}) < 2:
        return EMPTY
    counts = [0] * (len(ASPECTS) + 1)
    for height, width, count in shapes:
        counts[bisect_right([edge for edge, _ in ASPECTS], width / height)] += count
    names = [*(name for _, name in ASPECTS), "wider than 2 : 1"]
    rows = [Bar(name, count) for name, count in zip(names, counts) if count]
    left_out = " Of the 50 most frequent sizes." if len(shapes) == MOST_SIZES else ""
    note = f"Width to height. All are brought to one shape: the more they differ, the more is cut off or squeezed.{left_out}"
    return figure("Aspect ratios", bars("Pictures per aspect ratio", rows, Axis("pictures", is_whole=True)), note)


def _measures(report: AuditReport) -> list[Markup]:
    """What was measured on each picture or text, a histogram each."""
    return [
        figure(
            name.capitalize(),
            histogram(f"Histogram of {name}", list(spread.histogram), list(spread.edges), Axis(name)),
            f"Half of the items lie below {number(spread.median)}, one in a hundred below {number(spread.low)} or above {number(spread.high)} each.",
        )
        for name, spread in report.measures.items()
        if spread.histogram
    ]


def _sources(report: AuditReport) -> Markup:
    """Each source with its role, its items, and how far its labels can be relied on; nothing where there is one."""
    if len(report.sources) < 2:
        return EMPTY
    rows = [
        (
            one.name,
            f"{one.role}, {one.labels}",
            number(one.items),
            number(one.usable),
            _rely(one.agreement),
            f"{_rely(one.conflict)} of {number(one.shared)}" if one.conflict else DASH,
            number(report.drift[one.name].auc, 2) if one.name in report.drift else DASH,
        )
        for one in report.sources
    ]
    headers = (
        "source",
        "role",
        "items",
        "usable",
        "labels that a simple model gives too",
        "labels that its duplicates elsewhere deny",
        "AUC against the others",
    )
    note = "Raw items are counted, never trained on. An AUC near 0.5: the source is like the others; near 1: every item gives away where it is from."
    return card("Sources", table("Sources", headers, rows, numeric=(2, 3, 4, 5, 6)), note, wide=True)


def _rely(measured: Measured | None) -> str:
    if measured is None:
        return DASH
    ends = f" ({share(measured.interval[0])} to {share(measured.interval[1])})" if measured.interval else ""
    return share(measured.value) + ends


def _missing(report: AuditReport) -> Markup:
    """Columns with gaps, those with the most first."""
    gaps = sorted((column for column in report.columns if column.missing), key=lambda column: -column.missing)
    if not gaps:
        return EMPTY
    total = max(report.num_usable, gaps[0].missing)
    rows = [Bar(column.name, column.missing / total, tone=2, text=share(column.missing / total)) for column in gaps[:MOST_BARS]]
    chart = bars("Missing values per column", rows, Axis("share of rows without a value", is_share=True))
    return figure("Missing values", chart, "They are filled in by the prepare step, with what it saw in train alone.")


def _columns(columns: Sequence[ColumnProfile], scene: Scene) -> Markup:
    if not columns:
        return EMPTY
    rows = [
        (
            element("span", short(column.name, 40), title=column.name),
            column.role,
            column.kind,
            number(column.missing) if column.missing else DASH,
            number(column.distinct),
            number(column.low),
            number(column.mean),
            number(column.high),
            mini_histogram(f"distribution of {column.name}", column.histogram) or _top(column, scene),
        )
        for column in columns
    ]
    headers = ("column", "role", "kind", "missing", "distinct", "lowest", "mean", "highest", "values")
    content = table("Column profile", headers, rows, numeric=(3, 4, 5, 6, 7))
    rule = f" A column of words is text where {TEXT_RULE}, or where data.text names it." if any(column.kind == "text" for column in columns) else ""
    return card("Columns", folded_if(len(rows) > 40, f"{len(rows)} columns", content), f"What each column holds.{rule}", wide=True)


def _top(column: ColumnProfile, scene: Scene) -> Markup | str:
    if not column.top or not scene.with_items:
        return DASH
    return element("span", ", ".join(f"{short(name, 18)} ({number(count)})" for name, count in list(column.top.items())[:3]), class_="small")


def show_refused(refused: Sequence[RefusedItem], scene: Scene, noun: str = "item") -> Markup:
    """Every refused item (or box) with place and reason; only their number per code where items may not be shown."""
    if not refused:
        return EMPTY
    title = f"Refused {noun}{'es' if noun == 'box' else 's'}"
    if not scene.with_items:
        counts = [(code(name), number(count)) for name, count in Counter(item.code for item in refused).most_common()]
        return cards(card(title, table(f"{title} per reason", ("reason", noun), counts, numeric=(1,))))
    rows = [(item.place, item.reason, code(item.code)) for item in refused[:MOST_REFUSED]]
    content = table(title, ("place", "reason", "code"), rows)
    left_out = f" The first {MOST_REFUSED}; the report of the step lists them all." if len(refused) > MOST_REFUSED else ""
    note = f"These are not used. Nothing is dropped in silence.{left_out}"
    return cards(card(title, folded_if(len(rows) > 12, f"{number(len(refused))} {title.lower()}", content), note, wide=True))
