"""What is wrong with boxes: evidence in, findings out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from surefoot.checks.data import balance, name_reasons
from surefoot.types.findings import Finding
from surefoot.types.source import Refused

_ROUNDING = 1.0
"""Pixels by which rounding alone makes boxes stick out."""
SMALL = 4.0
"""Pixels a side under which a packed box shows nothing: COCO's smallest tenth has ten."""


def judge(flaws: Mapping[str, Any], classes: Mapping[str, tuple[int, int]]) -> list[Finding]:
    """All that the audit finds.

    Args:
        flaws: as `box_profile.measure_flaws` gives them.
        classes: class -> (boxes, pictures that hold one).
    """
    boxes, pictures = ({name: counted[place] for name, counted in classes.items()} for place in (0, 1))
    return [*_refused(flaws["refused"]), *_clipped(flaws), *_repeated(flaws), *_turned(flaws["turns"]), *balance(boxes, pictures)]


def lost(num_lost: int, num_small: int, num_boxes: int, size: tuple[int, int]) -> list[Finding]:
    """Boxes that packed pictures no longer show.

    Args:
        num_lost: boxes that cropping left no quarter of; num_small: boxes under four pixels a side. Of train and val.
        size: height and width of the packed pictures.
    """
    found = []
    if num_lost or num_small:
        parts = [f"{num_lost:,} are cropped away"] if num_lost else []
        parts += [f"{num_small:,} are smaller than {SMALL:g} pixels on one side"] if num_small else []
        found.append(
            Finding(
                code="prepare.lost_boxes",
                severity="warn" if num_lost + num_small > 0.05 * num_boxes else "info",
                what=f"Of {num_boxes:,} boxes {' and '.join(parts)} in pictures of {size[0]} x {size[1]} pixels.",
                where="s04_prepare",
                next="Set a larger data.side" + (", or prepare.resize = 'fit', which crops nothing." if num_lost else "."),
                evidence={"boxes": num_boxes, "cropped": num_lost, "small": num_small, "threshold_pixels": SMALL},
            )
        )
    return found


def _refused(items: Sequence[Refused]) -> list[Finding]:
    by_code: dict[str, list[Refused]] = defaultdict(list)
    for item in items:
        by_code[item.code].append(item)
    return [
        Finding(
            code=code,
            severity="warn",
            what=f"{len(group):,} box(es) are refused: {name_reasons(group)}.",
            where=", ".join(item.place for item in group[:5]),
            next="Mend them: their pictures are used, so that what a refused box was drawn around counts as background.",
            evidence={"refused": len(group)},
        )
        for code, group in sorted(by_code.items())
    ]


def _clipped(flaws: Mapping[str, Any]) -> list[Finding]:
    if not flaws["clipped"]:
        return []
    return [
        Finding(
            code="data.clipped_boxes",
            severity="info" if flaws["overshoot"] <= _ROUNDING else "warn",
            what=f"{flaws['clipped']:,} box(es) reach beyond their picture, by {flaws['overshoot']:.1f} pixels at most; they are clipped to it.",
            where="boxes",
            next="Nothing, where it is rounding; else look whether the annotations were made on pictures of another size.",
            evidence={"clipped": flaws["clipped"], "overshoot": flaws["overshoot"], "threshold": _ROUNDING},
        )
    ]


def _repeated(flaws: Mapping[str, Any]) -> list[Finding]:
    repeated, twice = flaws["repeated"], flaws["listed_twice"]
    if not repeated and not twice:
        return []
    parts = [f"{repeated:,} box(es) repeat another one of the same picture and class, and are dropped"] if repeated else []
    parts += [f"{twice:,} picture(s) are listed several times in the annotations, and have the boxes of all"] if twice else []
    return [
        Finding(
            code="data.duplicates",
            severity="info",
            what=f"{'; '.join(parts)}.",
            where="annotations",
            next="Nothing: each box counts once. Remove what is listed twice if it is a mistake.",
            evidence={"repeated": repeated, "listed_twice": twice},
        )
    ]


def _turned(turns: Mapping[str, int]) -> list[Finding]:
    if not turns:
        return []
    total, unclear = sum(turns.values()), turns.get("unclear", 0)
    parts = [f"the boxes of {count:,} {how}" for how, count in ((_TURNS[turn], count) for turn, count in sorted(turns.items()))]
    return [
        Finding(
            code="data.exif_rotated",
            severity="warn" if unclear else "info",
            what=f"{total:,} picture(s) are stored turned and are read upright: {'; '.join(parts)}.",
            where="boxes",
            next="Look at these in the report: are their boxes where the things are?" if unclear else "Nothing: the annotations say which way they were drawn.",
            evidence=dict(turns),
        )
    ]


_TURNS = {
    "turned": "were drawn on the stored picture, as the stated size says, and are turned with it",
    "drawn upright": "were drawn upright, as the stated size says",
    "unclear": "are taken as drawn upright, which nothing in the annotations proves",
}
