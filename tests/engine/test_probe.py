"""Shuffled labels keep nothing of the true ones, by luck neither."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from surefoot.checks import trials as checks
from surefoot.engine.build import build_network, set_prior
from surefoot.engine.fit import count_steps, fit
from surefoot.engine.health import pick_shown
from surefoot.engine.jobs import make_job
from surefoot.engine.layers import look_at_layers
from surefoot.engine.probe import find_stale_norms, is_affine, prior_loss, shuffle_labels
from surefoot.engine.trials import set_up
from surefoot.losses import get, prior_bias
from surefoot.models.network import Network
from surefoot.types import ModelConfig, TrainConfig

from .samples import FULL, make_desk, make_table_desk, start_job


@pytest.mark.parametrize("seed", range(10))
def test_labels_dealt_anew_have_the_shares_of_the_whole_within_each_true_class(tmp_path, seed):
    """A plain permutation of fifty labels of two classes is right about two thirds of them now and then, and a net learns the truth from that."""
    job = start_job(make_desk(tmp_path))
    true = job.targets[job.train].numpy()
    dealt = shuffle_labels(job, seed).targets[job.train].numpy()
    table = np.zeros((3, 3))
    np.add.at(table, (true, dealt), 1)
    counts = np.bincount(true)
    np.testing.assert_array_equal(np.bincount(dealt), counts)
    assert np.abs(table - np.outer(counts, counts) / len(true)).max() <= 1.5


def test_each_deal_is_another_and_val_keeps_its_own(tmp_path):
    job = start_job(make_desk(tmp_path))
    one, other = shuffle_labels(job, 0, 0), shuffle_labels(job, 0, 1)
    assert (one.targets[job.train] != other.targets[job.train]).any()
    assert (one.targets[job.val] == job.targets[job.val]).all()


def test_a_net_that_knows_val_by_heart_beats_the_prior_under_every_deal(tmp_path):
    """A planted leak: val's rows are among those trained on, so the labels dealt to them are learnt too."""
    job = start_job(make_desk(tmp_path), dropout=0.0)
    job = replace(job, val=job.train[:40], loss_options={})
    plain = TrainConfig(epochs=60.0, batch_size=50, lr=1e-2, augment="none", averaging=0.0, weight_decay=0.0, optimizer="adam", schedule="fixed")
    for deal in range(3):
        dealt = shuffle_labels(job, 0, deal)
        fitted = fit(dealt, plain, seed=0, name=f"deal {deal}")
        assert not checks.shuffled_labels(fitted.records[-1].val_loss, prior_loss(job))[0].ok


def _weighted(logits, targets, weights=None):
    return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=torch.tensor([19.0]))


def _pinball(outputs, targets, weights=None):
    return torch.maximum(0.9 * (targets - outputs), -0.1 * (targets - outputs)).mean()


def _few_in_a_hundred(task: str, zeros: float) -> np.ndarray:
    draw = np.random.default_rng(0)
    is_some = draw.random((1_000, 1)) > zeros
    return is_some * (draw.gamma(2.0, 3.0, is_some.shape) if task == "regression" else 1.0)


HEALTHY = {
    "one in twenty, which weighs 19": ("binary", 0.95, _weighted),
    "nine tenths lie below": ("regression", 0.0, _pinball),
    "mostly zero": ("regression", 0.9, get("mae")),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_loss_whose_best_constant_is_not_the_prior_is_no_leak(tmp_path, name):
    """On shuffled labels a net learns that constant, and is far better than the prior then."""
    task, zeros, loss = HEALTHY[name]
    desk = make_table_desk(tmp_path, task, _few_in_a_hundred(task, zeros), 700)
    part = desk.folds[0]
    plain = TrainConfig(epochs=8.0, batch_size=64, lr=1e-2, augment="none", averaging=0.0, weight_decay=0.0, optimizer="adam", schedule="onecycle")
    network = build_network(desk, ModelConfig(width=16, depth=1), part)
    job = replace(make_job(desk, network, part, plain), loss=loss)
    set_prior(job.network, desk.problem, desk.examples.plain_targets(job.train))
    fitted = fit(shuffle_labels(job, 0), plain, seed=0, name="shuffled")
    reached, targets = fitted.records[-1].val_loss, job.targets[job.val]
    bias = torch.from_numpy(prior_bias(task, desk.examples.plain_targets(job.train), 1)).float() if task == "binary" else torch.zeros(1)
    assert not checks.shuffled_labels(reached, float(loss(bias.expand_as(targets), targets)))[0].ok
    assert checks.shuffled_labels(reached, prior_loss(job))[0].ok
    known = job.targets[job.train]
    tried = [float(loss(torch.full_like(known, one), known)) for one in np.linspace(-4, 4, 801)]
    assert 0.98 * min(tried) < prior_loss(job, job.train) <= 1.001 * min(tried)  # the grid is no finer


def test_the_prior_stands_for_the_loss_of_the_task_and_where_another_can_not_be_searched(tmp_path):
    desk = make_table_desk(tmp_path, "binary", _few_in_a_hundred("binary", 0.95), 700)
    job = start_job(desk)
    shares, own = desk.examples.plain_targets(job.train).mean(), desk.examples.plain_targets(job.val).mean()
    assert prior_loss(job) == pytest.approx(-own * np.log(shares) - (1 - own) * np.log(1 - shares))

    def rounded(logits, targets, weights=None):
        return ((logits > 0).float() - targets).abs().mean()

    def picky(logits, targets, weights=None):
        if logits.requires_grad:
            raise ValueError("nothing but numbers")
        return rounded(logits, targets)

    for loss in (rounded, picky):
        assert prior_loss(replace(job, loss=loss)) == pytest.approx(own)


@pytest.mark.parametrize(("shuffled", "is_ok"), [(-0.1, True), (-0.11, True), (-0.2, False)])
def test_of_a_loss_below_zero_less_is_better_too(shuffled, is_ok):
    assert checks.shuffled_labels(shuffled, -0.1)[0].ok == is_ok


def test_a_net_with_a_parameter_of_no_axes_is_asked_whether_it_is_linear(tmp_path):
    job = start_job(make_table_desk(tmp_path, "binary", _few_in_a_hundred("binary", 0.5), 700))

    class Scaled(nn.Module):
        def __init__(self, after):
            super().__init__()
            self.layer, self.scale, self.after = nn.Linear(5, 1), nn.Parameter(torch.tensor(1.0)), after

        def forward(self, x):
            return self.after(self.scale * self.layer(x))

    asked = [is_affine(replace(job, network=Network(job.network.prepare, Scaled(after))), job.train[:8], 0) for after in (nn.Identity(), nn.Tanh())]
    assert asked == [True, False]


def test_short_runs_start_at_the_constant_that_their_loss_likes_best(tmp_path):
    desk = make_table_desk(tmp_path, "regression", _few_in_a_hundred("regression", 0.9), 700)
    ctx = SimpleNamespace(seed=0, events=SimpleNamespace(progress=lambda *_: None))
    starts = [set_up(ctx, desk, ModelConfig(width=4, depth=1), FULL.model_copy(update={"loss": loss, "label_smoothing": 0.0})).base for loss in ("", "mae")]
    zero = -desk.folds[0].statistics["target.mean"] / desk.folds[0].statistics["target.sd"]
    assert [base.network.body.final.bias.item() for base in starts] == pytest.approx([0.0, zero.item()], abs=0.01)


def test_what_short_runs_ask_of_val_holds_every_class(tmp_path):
    """Packs keep the source's order, class by class for folders: the first 2,000 of 3,000 sorted rows would hold two of three."""
    desk = make_table_desk(tmp_path, "multiclass", np.r_[np.arange(200) % 3, np.repeat([0, 1, 2], 1_000)][:, None], 200)
    ctx = SimpleNamespace(seed=0, events=SimpleNamespace(progress=lambda *_: None))
    base = set_up(ctx, desk, ModelConfig(width=4, depth=1), FULL.model_copy(update={"batch_size": 64})).base
    assert base.network.body.final.bias.tolist() == pytest.approx([0, 0, 0], abs=0.02)  # the prior, centred: three kinds of 66 or 67
    counts = np.bincount(desk.examples.plain_targets(base.val))
    assert len(counts) == 3
    assert counts.min() > 600
    shown = pick_shown(desk.folds[0].val)
    assert len(np.unique(desk.examples.plain_targets(shown))) == 3


def test_a_frozen_layer_is_not_said_to_get_no_gradient(tmp_path):
    desk = make_desk(tmp_path)
    model = ModelConfig(layers="WHITEN3-8 -> RELU -> CONV3-8 -> RELU -> GMP -> FC")
    job = make_job(desk, build_network(desk, model, desk.folds[0]), desk.folds[0], FULL)
    gradients = {one.name: one.grad_norm for one in look_at_layers(job, desk.folds[0].train[:32]) if one.grad_norm is not None}
    assert sorted(gradients) == ["body.body.2_conv.weight", "body.body.6_fc.weight"]
    assert min(gradients.values()) > 1e-4


def test_a_batch_norm_that_stays_in_eval_mode_keeps_the_statistics_it_began_with(tmp_path):
    job = start_job(make_desk(tmp_path))

    def norms(is_held: bool) -> list[str]:
        body = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 3))
        if is_held:
            body[1].register_forward_pre_hook(lambda module, _: (module.eval(), None)[1])
        network = Network(job.network.prepare, body).train()
        network(*job.examples.inputs(torch.from_numpy(job.train[:16])))
        return find_stale_norms(replace(job, network=network))

    assert norms(is_held=True) == ["body.1"]
    assert norms(is_held=False) == []


@pytest.mark.parametrize("bearable", [0, 1, 400 * 20, 400 * 63])
def test_short_runs_tell_their_losses_over_whole_epochs_however_few_items_they_may_learn_from(tmp_path, bearable):
    """With batches of 16 an epoch of a thousand items had 63 steps, and the last loss, of 256 of them, was compared with the prior's of all."""
    desk = make_table_desk(tmp_path, "binary", _few_in_a_hundred("binary", 0.5), 1_000)
    ctx = SimpleNamespace(seed=0, events=SimpleNamespace(progress=lambda *_: None))
    runs = set_up(ctx, desk, ModelConfig(width=4, depth=1), FULL, bearable=bearable)
    epoch = count_steps(len(runs.base.train), runs.train.batch_size)
    assert epoch <= 16
    assert runs.train.val_steps % epoch == 0
    assert runs.train.epochs * epoch % runs.train.val_steps == pytest.approx(0)
