"""What is wrong with single pictures, and what is nearly equal: evidence in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from surefoot.types.data_reports import NearPair
from surefoot.types.findings import Finding

_LIST = 100
_NAMED = 5
_WORDS: dict[str, tuple[str, str]] = {
    "data.dark": ("hardly any light", "Look at them: underexposed pictures teach little. Drop them if nobody could tell what they show."),
    "data.low_contrast": ("hardly any contrast", "Look whether they show anything: blank pages and covered lenses belong in no set."),
    "data.blurry": ("far less detail than the others", "Look whether the model will meet such pictures: if so they stay, else drop them."),
    "data.inverted": (
        "black and white swapped",
        "surefoot audit --fix writes `convert, invert` for each; if both kinds are meant, train with the augmentation `invert`.",
    ),
    "data.outliers": ("no likeness to the others", "Look whether they belong to this set at all."),
    "data.odd_size": ("an unusual size or shape", "All are brought to one size: thumbnails and scans often don't belong to the rest."),
}
_WARNS = ("data.inverted",)
"""A negative is a slip whatever its share; of the others, people judge by looking."""


def suspects(found: Mapping[str, Mapping[int, str]], ids: Sequence[str], places: Sequence[str]) -> list[Finding]:
    """One finding per kind of odd picture. `found`: code -> position of the picture -> why."""
    return [
        Finding(
            code=code,
            severity="warn" if code in _WARNS else "info",
            what=f"{len(told):,} of {len(ids):,} pictures have {_WORDS[code][0]}: {_name(told, places)}.",
            where=", ".join(places[row] for row in list(told)[:_NAMED]),
            next=_WORDS[code][1],
            evidence={"items": len(told), "share": len(told) / len(ids)},
            ids=tuple(ids[row] for row in list(told)[:_LIST]),
        )
        for code, told in sorted(found.items())
        if told
    ]


def _name(told: Mapping[int, str], places: Sequence[str]) -> str:
    row, why = next(iter(told.items()))
    return f"{'of ' if len(told) > 1 else ''}{places[row]}, {why}"


def modes(counts: Mapping[str, int]) -> list[Finding]:
    """Pictures of several colour modes. `counts`: mode as in the file -> pictures."""
    if len(counts) < 2:
        return []
    listed = ", ".join(f"{mode} ({count:,})" for mode, count in sorted(counts.items(), key=lambda one: -one[1]))
    return [
        Finding(
            code="data.mixed_modes",
            severity="info",
            what=f"Pictures have {len(counts)} colour modes: {listed}.",
            where="pictures",
            next="All are brought to one: 16 bits to 8, transparency on white. Look whether a mode goes with a class: then it tells the class.",
            evidence=dict(counts),
        )
    ]


def narrow(places: Sequence[str], ids: Sequence[str], total: int, greys: int) -> list[Finding]:
    """Pictures of 16 bits that were brought to 8 and keep a few greys.

    Args:
        places: of those that use at most a quarter of the range. total: pictures of 16 bits. greys: of 256, in which 98 % of the pixels of each lie.
    """
    if 2 * len(places) <= total:  # single dark ones are told as such
        return []
    return [
        Finding(
            code="data.dark",
            severity="warn",
            what=f"{len(places):,} of {total:,} 16-bit pictures use at most a quarter of their range: 98 % of their pixels fall into {greys} of 256 greys.",
            where=", ".join(places[:_NAMED]),
            next="If they hold 10, 12 or 14 bits, save them multiplied by 64, 16 or 4, and those to be predicted too.",
            evidence={"items": len(places), "share": len(places) / total, "greys": greys},
            ids=tuple(ids[:_LIST]),
        )
    ]


def turned(counts: Mapping[str, int], ids: Sequence[str]) -> list[Finding]:
    """Pictures stored turned. `counts`: EXIF orientation -> pictures."""
    total = sum(counts.values())
    if not total:
        return []
    return [
        Finding(
            code="data.exif_rotated",
            severity="info",
            what=f"{total:,} pictures are stored turned or mirrored; they are set upright as their EXIF orientation says.",
            where="pictures",
            next="Nothing, if they stand upright in the sample grid; other programs may not turn them.",
            evidence={f"orientation {name}": count for name, count in counts.items()},
            ids=tuple(ids[:_LIST]),
        )
    ]


def misnamed(places: Sequence[str], ids: Sequence[str]) -> list[Finding]:
    """Pictures whose name promises another format than they have."""
    if not places:
        return []
    return [
        Finding(
            code="data.wrong_type",
            severity="info",
            what=f"{len(places):,} pictures are named like another format than theirs; they are read by their content.",
            where=", ".join(places[:_NAMED]),
            next="Rename them: other programs may refuse them.",
            evidence={"items": len(places)},
            ids=tuple(ids[:_LIST]),
        )
    ]


def near(pairs: Sequence[NearPair], num_items: int, total: int, largest: int) -> list[Finding]:
    """Near duplicates, and those of them that contradict each other.

    Args:
        pairs: all of them. num_items: items that have one. total: items in all. largest: items of the largest group.
    """
    if not pairs:
        return []
    found = [
        Finding(
            code="data.near_duplicates",
            severity="info",
            what=f"{num_items:,} of {total:,} items are nearly equal to another one ({len(pairs):,} pairs), e.g. {pairs[0].place_a} and {pairs[0].place_b}.",
            where="content",
            next="They are kept on one side of the split; drop the copies if they are mistakes.",
            evidence={"items": num_items, "pairs": len(pairs), "largest_group": largest},
            ids=tuple(dict.fromkeys(i for pair in pairs for i in (pair.a, pair.b)))[:_LIST],
        )
    ]
    conflicts = [pair for pair in pairs if pair.is_conflicting]
    if conflicts:
        first = conflicts[0]
        found.append(
            Finding(
                code="data.conflicting_labels",
                severity="warn",
                what=f"{len(conflicts):,} pairs of near duplicates have different targets, e.g. {first.place_a} and {first.place_b}.",
                where="targets of near duplicates",
                next="Look at them and mend the labels: one of each pair is likely wrong.",
                evidence={"pairs": len(conflicts)},
                ids=tuple(dict.fromkeys(i for pair in conflicts for i in (pair.a, pair.b)))[:_LIST],
            )
        )
    return found


def across_sets(places: Sequence[str], ids: Sequence[str]) -> list[Finding]:
    """Items that repeat one of a given set that is not to be learned from."""
    if not places:
        return []
    return [
        Finding(
            code="data.duplicates",
            severity="warn",
            what=f"{len(places):,} items repeat one of a given val or test set: learned by heart they would make the score flatter.",
            where=", ".join(places[:_NAMED]),
            next="The split leaves them out of training; surefoot audit --fix lists them to be dropped for good.",
            evidence={"items": len(places)},
            ids=tuple(ids[:_LIST]),
        )
    ]


def file_leaks(scores: Mapping[str, float], threshold: float, gathered: str = "pictures") -> list[Finding]:
    """What a file says beside its pixels or words that predicts the target. `scores`: feature -> share of the way from the trivial to the perfect predictor."""
    return [
        Finding(
            code="data.leaking_column",
            severity="info" if feature.startswith("file name") else "warn",
            what=f"The {feature} alone predicts the target ({score:.1%} of the way from guessing to perfect).",
            where=feature,
            next=f"Ask how the {gathered} were gathered: classes that come from different cameras, days or programs differ in more than what they show. "
            + (
                "Gather them alike, or name the camera, day or program of each in a list beside them (labels.csv) and split by it (split.group)."
                if gathered == "pictures"
                else "Gather them alike, or give what comes from one place wholly to one set: folders train, val and test around the classes."
            ),
            evidence={"score": score, "threshold": threshold},
        )
        for feature, score in scores.items()
        if score >= threshold
    ]


def apart(found: Mapping[str, tuple[Sequence[int], Sequence[float]]], ids: Mapping[int, str], places: Sequence[str]) -> list[Finding]:
    """Numbers that stand apart. `found`: column -> its rows and their values; `ids`: row -> id of those that are used."""
    return [
        Finding(
            code="data.outliers",
            severity="info",
            what=f"{name}: {len(rows):,} numbers stand apart from all others, farther than those span.",
            where=name,
            next="Look whether they are slips of the pen, codes for missing values, or true; drop or mend what is false.",
            evidence={"rows": len(rows), "least": float(min(values)), "most": float(max(values)), "example": f"{values[0]:g} in {places[rows[0]]}"},
            ids=tuple(ids[row] for row in rows if row in ids)[:_LIST],
        )
        for name, (rows, values) in found.items()
        if len(rows)
    ]
