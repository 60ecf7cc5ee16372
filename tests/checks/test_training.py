"""Can this net learn at all: each check holds for a sound net, and names the disease of another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from surefoot.checks import training as checks
from surefoot.checks import trials
from surefoot.checks.verdict import Verdict


@dataclass(frozen=True)
class Layer:
    name: str = "body.0"
    dead_frac: float | None = 0.1
    saturated_frac: float | None = 0.1
    grad_norm: float | None = 0.01
    growth: float | None = 1.0
    is_symmetric: bool = False


def failed(verdict: Verdict, code: str, severity: str) -> None:
    check, finding = verdict
    assert not check.ok
    assert finding is not None
    assert (finding.code, finding.severity) == (code, severity)
    assert finding.next
    assert finding.where
    assert finding.what.lower().startswith(check.what.lower()[:20])


def held(verdict: Verdict) -> None:
    check, finding = verdict
    assert check.ok
    assert check.name
    assert check.what
    assert finding is None


def test_outputs_have_one_finite_number_per_class():
    held(checks.output_shape((4, 3), 4, 3, True))
    failed(checks.output_shape((4, 3), 4, 3, False), "model.output_shape", "stop")
    failed(checks.output_shape((4, 2), 4, 3, True), "model.output_shape", "stop")
    failed(checks.output_shape((3,), 4, 3, True), "model.output_shape", "stop")


@pytest.mark.parametrize("measured", [2.303, 2.0, 2.6])
def test_a_loss_at_init_near_theory_holds(measured):
    held(checks.init_loss(measured, math.log(10), "ln K"))


@pytest.mark.parametrize(("measured", "severity"), [(1.8, "warn"), (2.8, "warn"), (50.0, "warn"), (float("nan"), "stop"), (float("inf"), "stop")])
def test_a_loss_at_init_far_from_theory_is_told_and_none_at_all_stops(measured, severity):
    failed(checks.init_loss(measured, math.log(10), "ln K"), "model.init_loss", severity)


def test_a_loss_that_should_be_near_zero_may_miss_it_by_a_little():
    held(checks.init_loss(0.01, 0.0, "one class"))
    failed(checks.init_loss(0.5, 0.0, "one class"), "model.init_loss", "warn")


def test_a_gradient_agrees_or_stops_the_road():
    held(checks.gradient(1e-7))
    failed(checks.gradient(1e-2), "model.gradient_wrong", "stop")
    failed(checks.gradient(float("nan")), "model.gradient_wrong", "stop")


def test_items_that_leak_into_each_other_stop_the_road():
    held(checks.batch_leak(0.0))
    failed(checks.batch_leak(0.3), "model.batch_leak", "stop")
    failed(checks.batch_leak(float("nan")), "model.batch_leak", "stop")


def test_sound_layers_are_left_in_peace_and_so_is_what_was_not_measured():
    for verdict in checks.layers([Layer(), Layer("body.1", None, None, None, None)], before=[Layer()]):
        held(verdict)


@pytest.mark.parametrize(
    ("layer", "position", "code"),
    [
        (Layer(dead_frac=0.95), 0, "model.dead_units"),
        (Layer(saturated_frac=0.6), 1, "model.saturated"),
        (Layer(grad_norm=1e5), 3, "model.exploding_gradient"),
        (Layer(grad_norm=float("nan")), 3, "model.exploding_gradient"),
        (Layer(growth=1e4), 4, "model.exploding_gradient"),
    ],
)
def test_a_sick_layer_is_named_and_nothing_else(layer, position, code):
    verdicts = checks.layers([Layer("healthy"), layer])
    failed(verdicts[position], code, "warn")
    assert "body.0" in verdicts[position][1].what
    for other in (v for n, v in enumerate(verdicts) if n != position):
        held(other)


def test_a_gradient_has_vanished_when_it_is_gone_at_first_and_later():
    """Behind a last layer that starts at zero no gradient arrives at the first step, and from the second on all of it does."""
    gone, there = [Layer("a", grad_norm=1e-9), Layer("b")], [Layer("a"), Layer("b")]
    failed(checks.layers(gone, "later", gone)[2], "model.vanishing_gradient", "warn")
    held(checks.layers(there, "later", gone)[2])
    held(checks.layers(gone, "later", there)[2])
    held(checks.layers(gone)[2])


def test_what_was_sick_at_first_is_told_once_and_what_no_gradient_reaches_is_not_called_dead():
    dead, gone = [Layer(dead_frac=1.0)], [Layer("a", grad_norm=1e-9), Layer("b")]
    held(checks.layers(dead, "later", dead)[0])
    failed(checks.layers(dead, "later", [Layer()])[0], "model.dead_units", "warn")
    held(checks.layers([*dead, *gone], "later", gone)[0])


def test_real_inputs_do_better_than_none():
    held(trials.looks_at_input(0.1, 0.5, 2.0, 0.5))
    failed(trials.looks_at_input(0.1, 1.99, 2.0, 0.5), "model.input_ignored", "warn")
    failed(trials.looks_at_input(0.0, 0.5, 2.0, 0.5), "model.input_ignored", "stop")


def test_a_net_whose_answers_belong_to_val_has_hardly_begun_unless_its_input_is_drowned():
    """The permutation test asks for the order of the outputs alone: those of a net that gets a thousandth of its input belong to val too."""
    failed(trials.looks_at_input(0.1, 1.99, 2.0, 0.005), "model.input_ignored", "info")
    failed(trials.looks_at_input(0.1, 1.99, 2.0, 0.005, given=1e-3), "model.input_ignored", "warn")
    held(trials.looks_at_input(0.1, 0.5, 2.0, 0.005, given=1e-3))
    failed(trials.looks_at_input(0.0, 1.99, 2.0, 0.005), "model.input_ignored", "stop")


def test_an_lr_at_which_the_loss_climbs_is_not_too_low():
    """A long tail of amounts: 5.1 from 1.2 at the lr asked for, and by luck 0.8 at ten times as much."""
    held(trials.lr(0.005, 5.1, {0.05: 0.8}, 1.2, is_given=True))
    failed(trials.lr(0.005, 1.2, {0.05: 0.8}, 1.2, is_given=True), "train.lr_too_low", "warn")


@pytest.mark.parametrize(("shuffled", "ok"), [(2.31, True), (2.9, True), (2.2, True), (1.5, False)])
def test_shuffled_labels_teach_nothing(shuffled, ok):
    verdict = trials.shuffled_labels(shuffled, 2.30)
    assert verdict[0].ok is ok
    assert (verdict[1] is None) is ok


@pytest.mark.parametrize(("share", "is_classification", "ok"), [(1.0, True, True), (0.99, True, False), (0.99, False, True), (0.98, False, False)])
def test_a_tiny_batch_is_learnt_by_heart(share, is_classification, ok):
    verdict = trials.memorised(share, is_classification, 200, 16)
    held(verdict) if ok else failed(verdict, "model.cannot_overfit", "stop")


def test_a_net_that_cant_be_exported_warns():
    held(checks.exportable(""))
    failed(checks.exportable("the operation aten::nonzero"), "export.unsupported", "warn")


def test_a_gradient_that_is_clipped_to_nothing_is_told_by_the_run_without():
    failed(trials.clipping(1e-6, 2.3, 0.4), "train.lr_too_low", "warn")
    held(trials.clipping(1.0, 0.42, 0.4))


def test_a_batch_norm_whose_statistics_never_move_differs_even_where_the_losses_agree():
    held(trials.modes(0.3, 0.31, 2.3))
    failed(trials.modes(0.3, 0.31, 2.3, ["body.1"]), "model.modes_differ", "warn")


def test_an_input_that_helps_nothing_is_explained_by_a_net_that_can_not_learn():
    helpless = trials.looks_at_input(0.1, 1.99, 2.0, 0.5)[1]
    unable = trials.memorised(0.5, True, 400, 24)[1]
    assert [f.because for f in trials.name_nearer([helpless, unable])] == ["model.cannot_overfit", ""]
    assert [f.because for f in trials.name_nearer([helpless])] == [""]
    blind = trials.looks_at_input(0.0, 1.99, 2.0, 0.5)[1]
    assert [f.because for f in trials.name_nearer([blind, unable])] == ["", ""]
    drowned = trials.looks_at_input(0.1, 1.99, 2.0, 0.005)[1]
    assert [f.because for f in trials.name_nearer([drowned, unable])] == ["model.cannot_overfit", ""]


def test_a_share_of_a_loss_below_zero_lies_below_it():
    """A user's own loss may be minus R²: 98 % of -9 is -8.82, and a net that did no better than a blind one passed."""
    failed(trials.looks_at_input(0.1, -9.0, -9.0, 0.5), "model.input_ignored", "warn")
    held(trials.looks_at_input(0.1, -9.3, -9.0, 0.5))
    assert [trials.has_learnt(loss, -1.0) for loss in (-0.95, -1.05, -1.2)] == [False, False, True]
    held(trials.clipping(1.0, -1.0, -1.1))
    failed(trials.clipping(1e-6, -0.5, -1.0), "train.lr_too_low", "warn")
    held(trials.lr(0.005, -1.0, {0.05: -1.05}, -1.0, is_given=True))
    failed(trials.lr(0.005, -1.0, {0.05: -2.0}, -1.0, is_given=True), "train.lr_too_low", "warn")
    held(trials.dropout(0.1, -1.0, -1.1))


def test_a_run_that_diverged_is_worse_than_any_other():
    assert trials.learns_more(0.3, float("inf"), 2.3)
    assert not trials.learns_more(float("inf"), float("inf"), 2.3)
    assert not trials.has_learnt(float("inf"), 2.3)
