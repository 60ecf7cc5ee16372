"""s10: wrong answers, looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from surefoot.reporting.axes import Axis
from surefoot.reporting.charts import Bar, bars
from surefoot.reporting.markup import EMPTY, card, cards, code, element, facts, figure, folded_if, join, table
from surefoot.reporting.pictures import load_arrays, picture_element, tile
from surefoot.reporting.views import Scene
from surefoot.reporting.words import count_of, measured, number, share, short, spaced
from surefoot.types.error_reports import ErrorRow, ErrorsReport, Mislabel
from surefoot.types.problem import Problem

MOST_WORST = 24
CELL_SIDE = 64


def show_errors(report: ErrorsReport, scene: Scene) -> Markup:
    """Tags and their ceilings, the worst errors as pictures, the sample of errors, and suspected mislabels."""
    pieces = [
        facts(
            [
                ("Wrong", count_wrong(report)),
                ("Looked at", f"{number(len(report.rows))}, drawn at random"),
                ("Suspected mislabels", None if report.is_amount else _count_suspects(report)),
                ("Most rewarding to fix", spaced(report.most_rewarding) if report.most_rewarding else None),
                ("The table to edit", code(report.csv) if report.csv else None),
            ]
        ),
        cards(_tags(report), _ceilings(report), _slices(report), _importance(report)),
    ]
    if scene.with_items:
        pieces.append(cards(_worst(report.worst, scene), _rows(report, scene), _saliency(report, scene), _neighbours(report, scene), _mislabels(report, scene)))
    return join(pieces)


def count_wrong(report: ErrorsReport) -> str:
    """How many val items are wrong; of amounts, which ones count as such."""
    if report.is_amount:
        return f"the {number(report.num_wrong)} of {number(report.num_val)} val items that are furthest off (a tenth)"
    rate = f" ({share(report.num_wrong / report.num_val)})" if report.num_val else ""
    return f"{number(report.num_wrong)} of {number(report.num_val)} val items wrong{rate}"


def _tags(report: ErrorsReport) -> Markup:
    if not report.tags:
        return EMPTY
    total = len(report.rows) or 1
    ranked = sorted(report.tags.items(), key=lambda item: -item[1])
    entries = [Bar(spaced(tag), count, text=f"{count} ({100 * count / total:.0f} %)") for tag, count in ranked]
    return figure(
        "What the errors have in common", bars("Errors per tag", entries, Axis("errors in the sample", is_whole=True)), "An error may carry several tags."
    )


def _ceilings(report: ErrorsReport) -> Markup:
    if not report.ceilings:
        return EMPTY
    ranked = sorted(report.ceilings.items(), key=lambda item: -item[1].value)
    entries = [Bar(spaced(tag), most.value, most.interval, 3, share(most.value)) for tag, most in ranked]
    if report.is_amount:
        axis, gain = "share of val's absolute error", "absolute error that would go if the worst tenth's errors with the tag were fixed"
    else:
        axis, gain = "share of val's items put right at most", "items that would be right if every error with the tag were fixed, whatever the metric"
    chart = bars("Ceiling per tag", entries, Axis(axis, is_share=True))
    note = f"The share of val's {gain}. They overlap, so they do not add up."
    return figure("What fixing each could bring", chart, note)


def _count_suspects(report: ErrorsReport) -> str:
    """How many, of how many, and what looking at them costs."""
    if not report.doubted:
        return "not sought: no model knows enough to doubt"
    return f"{number(report.num_suspects)} of {number(report.doubted)}: about {report.review_minutes:.0f} minutes to review"


def _slices(report: ErrorsReport) -> Markup:
    if not report.num_slices:
        return EMPTY
    note = f"{count_of(report.num_slices, 'slice')} of val tested; those told are beyond noise after correction for all of them (false discovery rate 5 %)."
    if not report.slices:
        return card("Where errors gather", element("p", "Nowhere: no slice does worse than the rest beyond noise."), note)
    is_share = not report.is_amount
    rows = [
        (one.name, measured(one.error, is_share), share(one.rest) if is_share else number(one.rest), number(one.error.n), number(one.q_value, 2))
        for one in report.slices
    ]
    return card("Where errors gather", table("Slices", ("slice", "error", "elsewhere", "items", "q"), rows, numeric=(1, 2, 3, 4)), note)


def _importance(report: ErrorsReport) -> Markup:
    if not report.importance:
        return EMPTY
    entries = [Bar(name, part.value, part.interval, 1, number(part.value, 3)) for name, part in list(report.importance.items())[:20]]
    chart = bars("Importance of columns", entries, Axis("what shuffling the column costs"))
    return figure(
        "What answers rest on", chart, "How much worse the metric gets on val when a column is shuffled. Columns that repeat each other look unimportant."
    )


def _saliency(report: ErrorsReport, scene: Scene) -> Markup:
    painted = load_arrays(scene.store, report.saliency)
    tiles = [
        tile(painted, row.id, f"{row.place}: {row.target} called {row.pred}", f"{short(row.target, 12)} called {short(row.pred, 12)}")
        for row in report.rows
        if row.id in painted
    ]
    colours = "raised the amount, blue lowered it" if report.is_amount else "spoke for what the model said, blue against it"
    note = f"Orange {colours}. It should lie on the thing itself, not on what stands around it."
    return card("What the model looked at", element("div", *tiles[:MOST_WORST], class_="tiles"), note, wide=True) if tiles else EMPTY


def _neighbours(report: ErrorsReport, scene: Scene) -> Markup:
    """Each error beside the train items that the model takes for most alike."""
    if not report.neighbours:
        return EMPTY
    rows = []
    for row in report.rows:
        near = report.neighbours.get(row.id, ())
        shown = join((join([_picture(one.id, scene), f" {one.target} ({one.place})"]) for one in near), element("br"))
        rows.append((row.place, _picture(row.id, scene), row.target, row.pred, shown))
    content = table("Neighbours", ("where", "picture", "target", "pred", "nearest train items"), rows)
    note = "The train items that the net takes for most alike. Of the wrong class and alike to the eye: the labels, or the classes, are hard to tell apart."
    return card("Nearest train items", folded_if(len(rows) > 5, count_of(len(rows), "error"), content), note, wide=True)


def _task(scene: Scene) -> str:
    problem = scene.find(Problem)
    return problem.task if problem else ""


def _worst(worst: Sequence[ErrorRow], scene: Scene) -> Markup:
    """The errors of which the model was surest: they are often mislabels. Only where there are pictures."""
    tiles = []
    for row in worst[:MOST_WORST]:
        if row.id in scene.pictures and row.target != row.pred:
            caption = join([element("b", short(row.target, 22)), element("br"), f"called {short(row.pred, 22)}"])
            tiles.append(tile(scene.pictures, row.id, f"{row.place}: {row.target} called {row.pred}", caption))
    note = "Those with the highest loss: sure, and wrong. They are often mislabels."
    return card("The worst errors", element("div", *tiles, class_="tiles large"), note, wide=True) if tiles else EMPTY


def _pictured(items: Sequence[ErrorRow | Mislabel], scene: Scene) -> tuple[str, ...]:
    """The header of the column of pictures, where any of the items has one."""
    return ("picture",) if any(item.id in scene.pictures for item in items) else ()


def _picture(id: str, scene: Scene) -> Markup:
    return picture_element(scene.pictures[id], f"item {id}", CELL_SIDE) if id in scene.pictures else EMPTY


def _written(items: Sequence[ErrorRow | Mislabel]) -> tuple[str, ...]:
    """The header of the column of texts, where any of the items has one."""
    return ("text",) if any(item.text for item in items) else ()


def _rows(report: ErrorsReport, scene: Scene) -> Markup:
    if not report.rows:
        return EMPTY
    task, pictured, written = _task(scene), _pictured(report.rows, scene), _written(report.rows)
    is_sure, is_number = task in ("binary", "multiclass"), "regression" in task
    rows = [
        (
            row.place,
            *(_picture(row.id, scene) for _ in pictured),
            *(row.text for _ in written),
            row.target,
            row.pred,
            share(row.confidence) if is_sure else number(row.loss, 3),
            join((element("span", spaced(tag), class_="tag") for tag in row.tags), " "),
            row.note,
        )
        for row in report.rows
    ]
    sureness = "how sure" if is_sure else "off by (standard deviations)" if is_number else "loss"
    headers = ("where", *pictured, *written, "truth", "predicted", sureness, "tags", "note")
    first = len(pictured) + len(written) + 1
    content = table("Sample of errors", headers, rows, numeric=(first, first + 1, first + 2) if is_number else (first + 2,))
    note = "Drawn at random from all wrong val items, not the worst ones: so the tags can be counted."
    return card("A sample of the errors", folded_if(len(rows) > 10, count_of(len(rows), "error"), content), note, wide=True)


def _mislabels(report: ErrorsReport, scene: Scene) -> Markup:
    if not report.mislabels:
        return EMPTY
    pictured, written = _pictured(report.mislabels, scene), _written(report.mislabels)
    rows = [
        (
            item.place or item.id,
            *(_picture(item.id, scene) for _ in pictured),
            *(item.text for _ in written),
            item.given,
            item.suggested,
            share(item.score),
        )
        for item in report.mislabels
    ]
    headers = ("where", *pictured, *written, "label given", "label suggested", "prob of the given label")
    content = table("Suspected mislabels", headers, rows, numeric=(len(headers) - 1,))
    note = "Items of train and val whose label the models doubt, the most doubtful first. A person decides."
    return card("Suspected mislabels", folded_if(len(rows) > 10, count_of(len(rows), "suspect"), content), note, wide=True)
