"""s11: the last training, phase by phase."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from surefoot.reporting.markup import EMPTY, card, cards, element, facts, join, table
from surefoot.reporting.pictures import load_arrays, paint_kernels, picture_element
from surefoot.reporting.sections.curves import show_health, show_history, show_schedule
from surefoot.reporting.views import Scene
from surefoot.reporting.words import number, spaced
from surefoot.types.reports import EpochRecord, FinalReport, TuneReport

STARTS = {"scratch": "anew, from random weights", "checkpoint": "on from the tuned model's weights"}


def show_final(report: FinalReport, scene: Scene) -> Markup:
    """The phases as they ran, the learning curves over all of them, and what the first layer looks for."""
    history, tune = join_phases(report), scene.find(TuneReport)
    return join(
        [
            facts(
                [
                    ("Model", "the net" if report.winner == "net" else f"{spaced(report.winner)}, a baseline"),
                    ("Trained on", f"{number(report.num_rows)} items: train and val together"),
                    ("Started", STARTS.get(report.start, report.start)),
                ]
            ),
            cards(_phases(report), show_history(history, scene.metric, tune=tune), show_schedule(history), show_health(history), _kernels(report, scene)),
        ]
    )


def join_phases(report: FinalReport) -> list[EpochRecord]:
    """All phases as one history: the epochs of a later phase are counted on from the one before, where they begin anew."""
    records: list[EpochRecord] = []
    for phase in report.phases:
        reached = records[-1].epoch if records else 0.0
        begins_anew = bool(phase.history) and phase.history[0].epoch <= reached
        records += [record.model_copy(update={"epoch": record.epoch + reached}) if begins_anew else record for record in phase.history]
    return records


def _phases(report: FinalReport) -> Markup:
    rows = [(p.name, number(p.epochs, 3), number(p.lr, 3), number(p.batch_size), p.optimizer, number(p.num_rows)) for p in report.phases]
    content = table("Phases", ("phase", "epochs", "peak lr", "batch size", "optimizer", "items"), rows, numeric=(1, 2, 3, 5))
    return card("The phases", content, "Fixed beforehand: nothing is chosen while the last training runs.", wide=True) if rows else EMPTY


def _kernels(report: FinalReport, scene: Scene) -> Markup:
    kernels = load_arrays(scene.store, report.kernels).get("kernels")
    if kernels is None or kernels.ndim != 4 or not np.size(kernels):
        return EMPTY
    tiles = [picture_element(pixels, f"kernel {i + 1} of the first layer") for i, pixels in enumerate(paint_kernels(kernels))]
    left_out = f" The first {len(tiles)} of {len(kernels)}." if len(tiles) < len(kernels) else ""
    note = f"Edges, blobs and colours are what a trained first layer shows; pure noise means that it learned little.{left_out}"
    return card("What the first layer looks for", element("div", *tiles, class_="tiles kernels"), note)
