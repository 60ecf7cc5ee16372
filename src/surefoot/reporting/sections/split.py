"""s03 and s04: who is learned from, who judges, and what the net is fed."""

from __future__ import annotations

import json

from markupsafe import Markup

from surefoot.reporting.grids import stacked
from surefoot.reporting.markup import EMPTY, card, cards, element, facts, figure, folded, folded_if, join, paragraph, table
from surefoot.reporting.pictures import tile
from surefoot.reporting.sections.audit import show_refused
from surefoot.reporting.sections.boxes import show_drawn
from surefoot.reporting.sections.explorer import show_explorer
from surefoot.reporting.sections.sheet import show_sheet
from surefoot.reporting.views import Scene
from surefoot.reporting.words import in_order, number, share, size_bytes, spaced
from surefoot.types.data_reports import PreparedData, Split

PROTOCOLS = {
    "holdout": "hold-out: one val set",
    "kfold": "K-fold: each item is val once",
    "iterated_kfold": "iterated K-fold: shuffled and folded anew several times",
}
MANNERS = {
    "stratified": "each class, or each tenth of the amounts, in the same share in every set",
    "group": "items that belong together stay in one set",
    "time": "train on the past, test on the last",
    "given": "as the data came",
}
LONGEST_RECIPE = 6000


def show_split(report: Split, scene: Scene) -> Markup:
    """The sets, their classes, and how small a difference val can see."""
    sets = figure(
        "The sets",
        stacked("Items per set", [(name, report.counts[name]) for name in in_order(report.counts)]),
        "Test stays sealed until the test step opens it, once.",
    )
    return join(
        [
            facts(
                [
                    ("Protocol", f"{PROTOCOLS.get(report.protocol, report.protocol)}" + (f" ({report.folds} folds)" if report.folds > 1 else "")),
                    ("Split by", f"{report.by}: {MANNERS[report.by]}" if report.by in MANNERS else report.by),
                    ("Val can tell apart", tell_apart(report) if report.resolves else None),
                    ("Not measured", ", ".join(report.unmeasured)),
                    ("Newcomers", number(report.newcomers) if report.newcomers else None),
                ]
            ),
            cards(sets, _classes(report)),
            show_refused(report.refused, scene),
        ]
    )


def tell_apart(report: Split) -> str:
    """The smallest difference that val can tell from noise, in words."""
    return f"errors of which one is {share(report.resolves)} smaller" if report.is_amount else f"differences above {report.resolves * 100:.1f} points"


def _classes(report: Split) -> Markup:
    if not report.class_counts:
        return EMPTY
    sets = in_order(report.class_counts)
    names = list(dict.fromkeys(name for counts in report.class_counts.values() for name in counts))
    rows = [(name, *(number(report.class_counts[which].get(name, 0)) for which in sets)) for name in names]
    content = table("Items per class and set", ("class", *map(spaced, sets)), rows, numeric=range(1, len(sets) + 1))
    return card("Classes in each set", folded_if(len(rows) > 15, f"{len(rows)} classes", content))


def show_prepared(report: PreparedData, scene: Scene) -> Markup:
    """The fields of the pack, their ranges, the recipe, and a look at the pictures."""
    fields = [(field.name, " × ".join(map(str, field.shape)), field.dtype, number(len(field.names)) if field.names else "") for field in report.fields]
    ranges = [(name, number(low), number(high)) for name, (low, high) in report.ranges.items()]
    folds = [(number(fold.fold + 1), number(fold.num_train), number(fold.num_val)) for fold in report.folds]
    return join(
        [
            facts(
                [
                    ("Items packed", number(report.num_rows)),
                    ("Sealed test items", number(report.num_test)),
                    ("Wild items", number(report.num_wild) if report.num_wild else None),
                    ("Size", size_bytes(report.pack_bytes) if report.pack_bytes else None),
                    ("Read from", "memory" if report.in_memory else "disk, in batches"),
                    ("Stored", report.stored or None),
                ]
            ),
            cards(
                card("What the net is fed", table("Fields", ("field", "shape of one item", "type", "columns"), fields, numeric=(3,))),
                card("Ranges after preparing", table("Ranges", ("field", "lowest", "highest"), ranges, numeric=(1, 2))) if ranges else EMPTY,
                card("How texts are read", element("ul", *(element("li", choice) for choice in report.choices))) if report.choices else EMPTY,
                card("Folds", table("Folds", ("fold", "train items", "val items"), folds, numeric=(1, 2))) if len(folds) > 1 else EMPTY,
                _recipe(report, scene),
                show_drawn(report, scene) if report.drawn else _sample(report, scene),
                _sample_texts(report, scene),
                EMPTY if report.drawn else show_sheet(report, scene),
            ),
            show_explorer(report, scene),
        ]
    )


def _sample(report: PreparedData, scene: Scene) -> Markup:
    if not report.sample or not report.pictures or not scene.with_items:
        return EMPTY
    rows = []
    for name, ids in report.sample.items():
        tiles = [tile(scene.pictures, id, f"an item of {name}") for id in ids if id in scene.pictures]
        if tiles:
            rows.append(element("div", element("h4", name), element("div", *tiles, class_="tiles")))
    if not rows:
        return card("A look at the items", paragraph("The pictures are no longer in the store."), wide=True)
    return card(
        "A look at the items", element("div", *rows, class_="sample"), "Train pictures as the net sees them. Would you give them the same labels?", wide=True
    )


def _sample_texts(report: PreparedData, scene: Scene) -> Markup:
    if not report.sample_texts or not scene.with_items:
        return EMPTY
    rows = [(name, text) for name, texts in report.sample_texts.items() for text in texts]
    content = table("Sample of texts", ("class", "text"), rows)
    return card("A look at the texts", folded_if(len(rows) > 20, f"{len(rows)} texts", content), "From train. Would you give them the same labels?", wide=True)


def _recipe(report: PreparedData, scene: Scene) -> Markup:
    if not report.recipe or not scene.with_items:
        return EMPTY
    written = json.dumps(report.recipe, indent=2, ensure_ascii=False, default=str)
    cut = paragraph(f"The first {LONGEST_RECIPE:,} of {len(written):,} characters.", "note") if len(written) > LONGEST_RECIPE else None
    shown = join(piece for piece in (element("pre", written[:LONGEST_RECIPE], tabindex="0"), cut) if piece)
    return card("The recipe", folded("preprocess.json", shown), "How a raw item becomes these fields; the same file goes into the bundle.")
