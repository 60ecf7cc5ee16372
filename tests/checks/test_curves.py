"""Curves of known shape, and what is said of them; their healthy twins are left in peace."""

from __future__ import annotations

import math

import numpy as np
import pytest

from surefoot.checks import curves
from surefoot.checks.curves import FEWEST, judge_run, periodic, speeds, underfit
from surefoot.metrics import get
from surefoot.types import EpochRecord, ModelConfig, OverfitReport, TrainConfig
from surefoot.types.reports import ModelSize

LOOKS = 40


def run(loss, *, val=None, lr=None, update=1e-3, train_metric=0.9, val_metric=0.88):
    """Looks at a run whose curves are functions of the share of it that is done, in (0, 1]."""
    shares = [(n + 1) / LOOKS for n in range(LOOKS)]
    return [
        EpochRecord(
            epoch=10 * share, step=n, loss=loss(share), val_loss=(val or loss)(share), lr=(lr or (lambda s: 0.01 * (1 - s)))(share), update_ratio=update,
            train_metric=train_metric, val_metric=val_metric,
        )
        for n, share in enumerate(shares)
    ]  # fmt: skip


def codes(history, **options):
    return [finding.code for finding in judge_run(history, is_asked=True, **options)]


def fall(share):
    return 0.05 + 2.2 * math.exp(-15 * share)


def test_a_loss_that_falls_and_settles_is_left_in_peace():
    assert codes(run(fall)) == []
    assert codes(run(fall, lr=lambda share: 0.01)) == []


def test_noise_alone_is_no_disease():
    noise = np.random.default_rng(0).normal(0, 0.02, 10 * LOOKS)
    assert codes(run(lambda s: fall(s) + 0.01 * noise[round(s * LOOKS)], val=lambda s: fall(s) + 0.2 + noise[round(s * LOOKS)])) == []


def test_lr_that_is_gone_while_the_loss_still_fell_decayed_too_soon():
    gone = lambda s: 0.01 if s < 0.2 else 1e-5  # noqa: E731
    assert codes(run(lambda s: 2.3 - 4 * min(s, 0.2), lr=gone)) == ["train.lr_decayed_too_soon"]
    assert codes(run(lambda s: 2.3 * math.exp(-40 * min(s, 0.2)), lr=gone)) == []  # the loss had come to its end
    assert codes(run(lambda s: 2.3 - 2.2 * s, lr=gone)) == []  # and here it goes on falling


def test_an_lr_that_is_gone_before_the_first_look_decayed_too_soon_and_one_that_warms_up_did_not():
    still = run(lambda s: 2.3 - 0.01 * s, lr=lambda s: 1e-7, update=1e-7)
    assert codes(still, peak_lr=1e-3) == ["train.lr_decayed_too_soon"]
    assert codes(still, peak_lr=1e-7) == ["train.lr_too_low"]
    assert codes(run(lambda s: 2.3 - 0.01 * s, lr=lambda s: 1e-3 * s, update=1e-7), peak_lr=1e-3) == ["train.lr_too_low"]


def test_weights_that_hardly_move_have_too_low_an_lr_and_weights_that_are_shaken_too_high_a_one():
    flat = lambda s: 2.3 - 0.02 * s  # noqa: E731
    assert codes(run(flat, update=1e-7)) == ["train.lr_too_low"]
    assert codes(run(flat, update=0.5)) == ["train.lr_too_high"]
    assert codes(run(fall, update=1e-7)) == []
    assert codes(run(fall, update=0.5)) == []


def test_a_val_loss_that_falls_to_the_end_at_full_lr_is_still_improving():
    assert codes(run(lambda s: 2.3 - 2 * s, lr=lambda s: 0.01)) == ["train.still_improving"]
    assert codes(run(lambda s: 2.3 - 2 * s)) == []  # lr went to 0: the end of the fall is its work


def test_val_that_turned_early_was_trained_too_long_and_with_a_gap_overfitted():
    turned = lambda s: 0.5 + abs(s - 0.2)  # noqa: E731
    assert codes(run(fall, val=turned)) == ["train.stopped_late"]
    assert codes(run(fall, val=turned, train_metric=1.0, val_metric=0.7)) == ["train.overfit", "train.stopped_late"]
    assert codes(run(fall, val=lambda s: 0.5 + abs(s - 0.7), train_metric=1.0, val_metric=0.7)) == ["train.overfit"]


def test_the_bend_of_a_short_fall_is_no_noise():
    """As measured on a made table, six epochs at a fixed lr."""
    measured = [0.7075, 0.4174, 0.2339, 0.1783, 0.1455, 0.1239]
    history = [EpochRecord(epoch=n + 1, step=29 * n, loss=1.2 * loss, val_loss=loss, lr=0.002, update_ratio=3e-3) for n, loss in enumerate(measured)]
    assert codes(history) == ["train.still_improving"]
    bumpy = [loss * factor for loss, factor in zip([0.5, 0.49, 0.485, 0.48, 0.478, 0.476], [1, 1.1, 0.9, 1.1, 1, 0.9])]
    assert codes([record.model_copy(update={"val_loss": loss}) for record, loss in zip(history, bumpy)]) == []


def test_of_a_net_that_learnt_by_heart_the_gap_where_val_was_best_says_whether_its_length_is_to_blame():
    turned = run(fall, val=lambda s: 0.5 + abs(s - 0.2), train_metric=1.0, val_metric=0.7)
    found = judge_run(turned)
    assert [(f.code, f.because) for f in found] == [("train.overfit", ""), ("train.stopped_late", "train.overfit")]
    level = [record.model_copy(update={"train_metric": 0.85, "val_metric": 0.8}) if n < 15 else record for n, record in enumerate(turned)]
    assert [(f.code, f.because) for f in judge_run(level)] == [("train.stopped_late", ""), ("train.overfit", "train.stopped_late")]


def test_amounts_learnt_by_heart_are_known_by_their_losses():
    by_heart = lambda s: 1.0 - 0.9 * s  # noqa: E731
    assert codes(run(by_heart, val=lambda s: 1.0 - 0.4 * min(s, 0.6) + max(0.0, s - 0.6)), is_share=False) == ["train.overfit"]
    assert codes(run(fall, val=lambda s: fall(s) * (1 + 0.3 * max(0.0, s - 0.6))), is_share=False) == []


def test_a_net_that_was_trained_for_half_as_long_is_not_called_held_down():
    longer = {"epochs": (1.0, 4.0)}
    assert [f.code for f in underfit((0.5, 0.5), (0.9, 0.9), "weight decay", True, **longer)] == ["train.still_improving"]
    assert [f.code for f in underfit((0.5, 0.5), (0.9, 0.9), "weight decay", True, epochs=(20.0, 4.0))] == ["train.underfit"]


def test_a_val_loss_that_jumps_is_noisy():
    jumps = np.random.default_rng(1).normal(0, 0.5, LOOKS + 1)
    assert "train.noisy_val" in codes(run(fall, val=lambda s: 1.2 + abs(jumps[round(s * LOOKS)])))


def test_a_pattern_that_repeats_itself_is_told_with_its_period():
    (finding,) = periodic(run(lambda s: 1.0 + 0.3 * math.sin(2 * math.pi * s * 8)), "here")
    assert finding.code == "train.periodic"
    assert finding.evidence["period"] == pytest.approx(10 / 8, rel=0.15)
    assert periodic(run(fall), "here") == []
    noise = np.random.default_rng(2).normal(0, 0.2, LOOKS + 1)
    assert periodic(run(lambda s: 1.0 + noise[round(s * LOOKS)]), "here") == []


def test_what_nobody_asked_for_is_a_note():
    flat = run(lambda s: 2.3 - 0.02 * s, update=1e-7)
    assert judge_run(flat)[0].severity == "info"
    assert judge_run(flat, is_asked=True)[0].severity == "warn"


def test_a_short_or_broken_run_has_no_shape():
    assert judge_run(run(fall, update=0.5)[: FEWEST - 1]) == []
    assert judge_run(run(lambda s: math.nan)) == []


def test_speed_is_the_share_of_the_loss_that_a_tenth_of_the_run_takes():
    before, after = speeds(np.linspace(2, 1, 11), 5)
    assert before == pytest.approx(0.1 * 11 / 10 / 1.8, rel=1e-6)
    assert after == pytest.approx(0.1 * 11 / 10 / 1.5, rel=1e-6)


def test_regularisation_is_too_strong_where_train_and_val_both_suffer():
    assert [f.code for f in underfit((0.5, 0.5), (1.0, 0.9), "dropout", True)] == ["train.underfit"]
    assert underfit((0.7, 0.9), (1.0, 0.85), "dropout", True) == []  # that is what regularisation is for
    assert [f.code for f in underfit((9.0, 9.0), (3.0, 4.0), "dropout", False)] == ["train.underfit"]
    assert underfit((3.1, 3.9), (3.0, 4.0), "dropout", False) == []


@pytest.mark.parametrize(("name", "is_share"), [("accuracy", True), ("r2", False), ("rmse", False)])
def test_only_what_lies_between_0_and_1_is_judged_as_a_share(monkeypatch, name, is_share):
    """R² is better when greater, and below 0 where a net is worse than the mean: a tenth of it is no tenth of the items."""
    asked = {}
    monkeypatch.setattr(curves, "judge_run", lambda history, **told: asked.update(told) or [])
    model, train = ModelConfig(), TrainConfig()
    rung = ModelSize(model=model, parameters=1, flops=1, epochs=1, train_value=0.5, val_value=0.4)
    overfit = OverfitReport(ladder=(rung,), chosen=0, model=model, train=train, goal=0.5, turned=True)
    curves.judge_tuned((), train, (model, train), overfit, get(name))
    assert asked["is_share"] == is_share
