"""What is drawn on pictures, on its way into packs: brought into the packed size, shown to a person, counted where it is lost, written for other detectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from surefoot import durable, randomness, refs
from surefoot.checks import boxes as checks
from surefoot.data.box_profile import read_table
from surefoot.data.box_samples import Drawn as Listed
from surefoot.data.box_samples import pick_rows, show_moved, show_packed
from surefoot.data.boxes import Settled, count_classes, settle_all
from surefoot.data.coco_writer import write_coco
from surefoot.data.framing import frame_boxes
from surefoot.data.looking import look_at_all
from surefoot.data.packs import Pack
from surefoot.parts import PARTS
from surefoot.types.context import Context, Store
from surefoot.types.data_reports import AuditReport
from surefoot.types.findings import Finding
from surefoot.types.problem import Problem
from surefoot.types.source import Boxes, ImageSource, TableSource


@dataclass(frozen=True)
class Drawn:
    """The boxes of one picture as the audit left them, and as they lie in the packed picture."""

    settled: Settled
    framed: Boxes


@dataclass(frozen=True)
class Shown:
    """Fields of `PreparedData`, under their names there."""

    sample: dict[str, tuple[str, ...]]
    pictures: str
    drawn: dict[str, Listed] = field(default_factory=dict)


def read_drawn(store: Store, audit: AuditReport, recipe: dict[str, Any]) -> dict[str, Drawn]:
    """Id -> what is drawn on the picture; empty where nothing is drawn on any."""
    settled = read_table(store.get_table(audit.boxes.table)) if audit.boxes else {}
    return {id: Drawn(one, frame_boxes(one.boxes, one.size, recipe)) for id, one in settled.items()}


def settle_wild(source: ImageSource | TableSource, targets: np.ndarray, recipe: dict[str, Any], journal: Path) -> dict[int, Boxes] | None:
    """Row -> boxes in the packed picture, of a wild set's pictures that can be used, and none for those that can't be read, which the pack lists; None
    where the set has no boxes.

    Args:
        targets: float64 (N, K), gets the boxes of each class that are used. journal: as `look_at_all` keeps it.
    """
    if not isinstance(source, ImageSource) or source.annotations is None:
        return None
    records, refused = look_at_all(source, journal, lambda done: None)
    sizes = zip(records["width"].tolist(), records["height"].tolist(), np.maximum(records["turn"], 1).tolist())
    pile = settle_all(source, {row: seen for row, seen in enumerate(sizes) if row not in refused})
    for row, one in pile.settled.items():
        targets[row] = count_classes(one.boxes, targets.shape[1])
    none = Boxes(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, bool))
    return dict.fromkeys(refused, none) | {row: frame_boxes(one.boxes, one.size, recipe) for row, one in pile.settled.items()}


def show(ctx: Context, pack: Pack, rows: np.ndarray, pictures: str) -> Shown:
    """Pictures with their boxes as packed, and one of them after each augmentation.

    Args:
        rows: of train. pictures: stored ones, to which these are added.
    """
    picked = pick_rows(pack.targets, randomness.stream(ctx.seed, "sample boxes").permutation(rows))
    packed, drawn = show_packed(pack, picked)
    moves = {name: refs.resolve(name, kind="box_augmentation") for name in PARTS["box_augmentation"]}
    moved, moved_boxes = show_moved(pack, int(picked[0]), moves, ctx.seed) if len(picked) else ({}, {})
    sample = {"as packed": tuple(packed), "after each augmentation": tuple(moved)}
    return Shown(sample, ctx.store.put_arrays(ctx.store.get_arrays(pictures) | packed | moved), drawn | moved_boxes)


def find_lost(drawn: dict[str, Drawn], ids: list[str], recipe: dict[str, Any]) -> list[Finding]:
    """Boxes of these items that packed pictures no longer show."""
    if not drawn:
        return []
    total, left = sum(len(drawn[id].settled.boxes) for id in ids), sum(len(drawn[id].framed) for id in ids)
    sides = np.concatenate([drawn[id].framed.corners[:, 2:] - drawn[id].framed.corners[:, :2] for id in ids])
    return checks.lost(total - left, int((sides.min(1, initial=np.inf) < checks.SMALL).sum()), total, (recipe["height"], recipe["width"]))


def write_sets(ctx: Context, problem: Problem, table: pa.Table, drawn: dict[str, Drawn], rows: dict[str, np.ndarray]) -> None:
    """The sets as COCO files in this run's folder, for detectors that are trained elsewhere. The boxes of the test set stay sealed.

    Args:
        table: `id`, `place` and `set` of all items. rows: `fold{k}.train`, `fold{k}.val`, positions among those outside the test set.
    """
    if not drawn:
        return
    ids, places, sets = (table.column(name).to_pylist() for name in ("id", "place", "set"))
    inside = [n for n, name in enumerate(sets) if name != "test"]
    dealt = {name: at for name, at in rows.items() if name.endswith((".train", ".val")) or (name == "train_dev" and len(at))}
    wanted = {name.replace("fold0.", "") if "fold1.val" not in rows else name: [inside[row] for row in at] for name, at in dealt.items()}
    for name, items in (wanted | {"test": [n for n, name in enumerate(sets) if name == "test"]}).items():
        settled = [drawn[ids[n]].settled for n in items]
        content = write_coco([places[n] for n in items], None if name == "test" else settled, [one.size for one in settled], problem.classes)
        durable.replace(ctx.run_dir / "coco" / f"{name}.json", content)
    ctx.events.say(f"  the sets as COCO files: {ctx.run_dir / 'coco'}")
