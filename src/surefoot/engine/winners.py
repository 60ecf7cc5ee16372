"""The winner of the search, whatever it is: a net with stored weights, or a simple model that is fitted again in a moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from surefoot.engine.build import Desk, build_network
from surefoot.engine.predict import activate, predict, reheat, to_outputs
from surefoot.engine.weights import load_weights
from surefoot.engine.yardsticks import LINEAR_KINDS, Yardstick, boosting_outputs, fit_yardstick
from surefoot.models.boosting import Rounds
from surefoot.models.network import Network
from surefoot.randomness import stream
from surefoot.types.context import Context
from surefoot.types.reports import BaselineReport, TuneReport

_ASKED = 512


def tuned_network(ctx: Context, desk: Desk, tune: TuneReport, fold: int) -> Network:
    """The tuned net of a fold, in eval mode, where the examples are."""
    network = build_network(desk, tune.model, desk.folds[fold])
    load_weights(ctx.store, tune.weights[fold], network)
    return network.to(desk.examples.device).eval()


def tuned_yardstick(desk: Desk, name: str, baseline: BaselineReport, fold: int, rows: np.ndarray) -> Yardstick:
    """The simple model of a fold, fitted on the same train rows as in s05, asked about `rows`."""
    part, score = desk.folds[fold], baseline.models[name]
    return fit_yardstick(name, desk, part.on(sample_rows(desk.seed, part.train, score.rows)), rows, Rounds(score.rounds))


def sample_rows(seed: int, rows: np.ndarray, num: int) -> np.ndarray:
    """The rows that simple models are fitted on: all of them, or a seeded sample of `num`."""
    picked = stream(seed, "baseline rows").permutation(len(rows))[:num]
    return rows[np.sort(picked)]


def winner_outputs(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport, fold: int, rows: np.ndarray) -> np.ndarray:
    """What the winner of this fold, trained on its train rows only, says about any rows of the pack."""
    if tune.winner != "net":
        return reheat(desk.problem, tuned_yardstick(desk, tune.winner, baseline, fold, rows).outputs, tune.temperature)
    network = tuned_network(ctx, desk, tune, fold)
    logits = predict(network, desk.examples, rows)
    return activate(desk.problem, logits, tune.temperature) if desk.problem.classes else to_outputs(desk.problem, network, logits)


def make_answer(ctx: Context, desk: Desk, tune: TuneReport, baseline: BaselineReport, fold: int = 0) -> Callable[[tuple[np.ndarray, ...]], np.ndarray] | None:
    """The winner of a fold as a function of raw fields, (B, ...) each, to outputs; None for one that answers for rows of the pack only (k-NN)."""
    if tune.winner != "net":
        yardstick = tuned_yardstick(desk, tune.winner, baseline, fold, desk.folds[fold].val[:1])
        if yardstick.text:
            return lambda fields: reheat(desk.problem, boosting_outputs(desk.problem, yardstick.text, fields), tune.temperature)
        network = yardstick.network
    else:
        network = tuned_network(ctx, desk, tune, fold)
    return None if network is None else partial(_ask_network, desk, network, tune.temperature)


def _ask_network(desk: Desk, network: Network, temperature: float, fields: tuple[np.ndarray, ...]) -> np.ndarray:
    parts = []
    with torch.inference_mode():
        for start in range(0, len(fields[0]), _ASKED):
            some = (torch.from_numpy(field[start : start + _ASKED]).to(desk.examples.device) for field in fields)
            parts.append(network(*some).float().cpu().numpy())
    return to_outputs(desk.problem, network, np.concatenate(parts), temperature)


def kind_of(winner: str) -> str:
    """How it ships: `net`, `linear`, `constant` or `boosting`."""
    if winner in ("net", "boosting"):
        return winner
    return "linear" if winner == "linear" or winner not in LINEAR_KINDS else "constant"
