"""Shuffled labels keep nothing of the true ones, by luck neither."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from surefoot.checks import trials as checks
from surefoot.engine.build import build_network
from surefoot.engine.fit import fit
from surefoot.engine.jobs import make_job
from surefoot.engine.layers import look_at_layers
from surefoot.engine.probe import find_stale_norms, prior_loss, shuffle_labels
from surefoot.models.network import Network
from surefoot.types import ModelConfig, TrainConfig

from .samples import FULL, make_desk, start_job


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
