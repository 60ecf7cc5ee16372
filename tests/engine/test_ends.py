"""What is seen of a net before it is trained: its last layer, its loss, its gradients and its units, each with a planted fault and a healthy twin."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from surefoot.checks import training as checks
from surefoot.checks import trials
from surefoot.engine import gradients, head, layers, probe
from surefoot.engine.fit import Job
from surefoot.losses import get
from surefoot.models.network import Network

from .samples import make_desk, start_job


@pytest.fixture
def job(tmp_path) -> Job:
    return replace(start_job(make_desk(tmp_path)), loss_options={})


class Net(nn.Module):
    """Two layers, with something done to what comes out."""

    def __init__(self, after=lambda x: x, outputs: int = 3, bias: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.after, self.one, self.two = after, nn.Linear(64, 32), nn.Linear(32, outputs, bias=bias)

    def forward(self, x):
        return self.after(self.two(F.relu(self.one(x.flatten(1)))))


def around(job: Job, body: nn.Module, **changes) -> Job:
    return replace(job, network=Network(job.network.prepare, body), **changes)


def judge_head(job: Job, body: nn.Module, task: str = "multiclass"):
    return checks.last_layer(head.look_at_head(around(job, body), probe.random_inputs(job, 32, 0), 0), task)[1]


@pytest.mark.parametrize("after", [lambda x: x.softmax(1), torch.sigmoid, torch.tanh, F.relu], ids=["softmax", "sigmoid", "tanh", "relu"])
def test_what_squashes_or_cuts_the_last_layer_is_found_whatever_the_weights(job, after):
    finding = judge_head(job, Net(after))
    assert finding.code == "model.wrong_last_layer"


@pytest.mark.parametrize("after", [lambda x: x, lambda x: x.log_softmax(1), lambda x: 3 * x - 1], ids=["raw", "log-softmax", "scaled"])
def test_raw_outputs_are_left_in_peace(job, after):
    assert judge_head(job, Net(after)) is None


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_one_output_may_be_of_either_sign_or_is_cut(job, task):
    assert judge_head(job, Net(outputs=1), task) is None
    assert judge_head(job, Net(torch.sigmoid, 1), task).severity == "stop"
    assert judge_head(job, Net(F.softplus, 1), task).severity == "stop"


def test_a_last_layer_without_a_bias_is_named(job):
    inputs = probe.random_inputs(job, 8, 0)
    finding = checks.bias(head.look_at_head(around(job, Net(bias=False)), inputs, 0))[1]
    assert (finding.code, finding.where) == ("model.wrong_last_layer", "body.two")
    assert checks.bias(head.look_at_head(around(job, Net()), inputs, 0))[1] is None
    assert checks.bias(head.look_at_head(around(job, Net(lambda x: x + 1, bias=False)), inputs, 0))[1] is None  # something adds what a bias would


def judge_loss(job: Job, loss, **changes):
    return checks.own_loss(head.look_at_loss(around(job, Net(), loss=loss, **changes), job.train[:32]))[1]


LOSSES = {
    "wrong sign": (lambda z, t, weights=None: -F.cross_entropy(z, t), "model.init_loss", "sign"),
    "sum": (lambda z, t, weights=None: F.cross_entropy(z, t, reduction="sum"), "model.init_loss", "sum"),
    "probs": (lambda z, t, weights=None: F.nll_loss(z.clamp_min(1e-7).log(), t), "model.wrong_last_layer", "probs"),
    "not paired": (lambda z, t, weights=None: F.cross_entropy(z, t.sort()[0]), "model.init_loss", ""),
    "log-probs": (lambda z, t, weights=None: F.nll_loss(z, t), "model.wrong_last_layer", "log-probs"),
    "softmax twice": (lambda z, t, weights=None: F.cross_entropy(z.softmax(1), t), "model.wrong_last_layer", "squashes"),
    "the first item": (lambda z, t, weights=None: F.cross_entropy(z[:1], t[:1]), "model.init_loss", "of the items"),
    "no log": (lambda z, t, weights=None: F.nll_loss(z.softmax(1), t), "model.init_loss", "under 0"),
    "tiny": (lambda z, t, weights=None: 1e-6 * F.cross_entropy(z, t), "model.init_loss", "far from 1"),
    "infinite": (lambda z, t, weights=None: F.cross_entropy(z, t) / 0, "model.init_loss", "finite"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_that_is_none_is_told_why(job, name):
    loss, code, word = LOSSES[name]
    finding = judge_loss(job, loss)
    assert finding.code == code
    assert word in finding.what


def test_losses_that_differ_from_ours_and_are_sound_are_left_in_peace(job):
    assert judge_loss(job, get("cross_entropy")) is None
    assert judge_loss(job, lambda z, t, weights=None: ((1 - (-F.cross_entropy(z, t, reduction="none")).exp()) ** 2).mean()) is None
    assert judge_loss(job, lambda z, t, weights=None: F.multi_margin_loss(z, t)) is None
    assert judge_loss(job, lambda z, t, weights=None: F.cross_entropy(z, t, label_smoothing=0.2)) is None
    assert judge_loss(job, lambda z, t, weights=None: ((z.softmax(1) - F.one_hot(t, z.shape[1])) ** 2).sum(1).mean()) is None


@pytest.mark.parametrize("positives", [[], [7], range(16)])
def test_a_sound_loss_of_a_rare_class_is_left_in_peace(job, positives):
    """Where all sampled targets are alike, nothing changes when they are dealt to other items: nobody is to blame."""
    problem = job.problem.model_copy(update={"task": "binary", "classes": ("no", "yes"), "num_outputs": 1})
    targets = torch.zeros(len(job.targets), 1)
    targets[job.train[list(positives)]] = 1
    sound = lambda z, t, weights=None: F.binary_cross_entropy_with_logits(z, t, pos_weight=torch.tensor([19.0]))  # noqa: E731
    unpaired = lambda z, t, weights=None: F.binary_cross_entropy_with_logits(z.mean().expand_as(t), t)  # noqa: E731
    binary = around(job, Net(outputs=1), problem=problem, targets=targets)
    judge = lambda loss: checks.own_loss(head.look_at_loss(replace(binary, loss=loss), job.train[:32]))[1]  # noqa: E731
    assert judge(sound) is None
    assert (judge(unpaired) is None) == (not positives)


ORDERS = {"in turns": torch.arange(32) % 2, "twice": torch.arange(32) % 16, "one of all": torch.arange(32) == 30, "amounts": torch.arange(32).float()[:, None]}


@pytest.mark.parametrize("targets", ORDERS.values(), ids=ORDERS)
def test_dealing_gives_some_items_another_target_in_whatever_order_they_are(targets):
    deal = head._deal_apart(targets)
    assert sorted(deal.tolist()) == list(range(32))
    assert (targets[deal] != targets).any()


def test_a_net_that_gives_log_probs_suits_a_loss_that_takes_them(job):
    net = around(job, Net(lambda x: x.log_softmax(1)), loss=lambda z, t, weights=None: F.nll_loss(z, t))
    seen = head.look_at_head(net, probe.random_inputs(net, 32, 0), 0)
    assert seen.says == "log-probs"
    assert checks.own_loss(head.look_at_loss(net, net.train[:32], seen.says))[1] is None


@pytest.mark.parametrize("name", ["zeroed", "scaled to nothing"])
def test_an_input_that_never_reaches_the_outputs_is_told_whatever_the_weights_are(job, name):
    factor = {"zeroed": 0.0, "scaled to nothing": 1e-7}[name]

    class Lost(Net):
        def forward(self, x):
            return super().forward(factor * x)

    look = lambda net: checks.sees_input(*head.measure_reach(around(job, net), job.train[:32], 0))[1]  # noqa: E731
    assert look(Lost()).code == "model.input_ignored"
    assert look(Net()) is None


def test_a_signal_that_fades_on_its_way_is_no_input_that_never_arrives(job):
    layers = [layer for _ in range(16) for layer in (nn.Linear(32, 32), nn.Sigmoid())]
    deep = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Sigmoid(), *layers, nn.Linear(32, 3))
    moves, given = head.measure_reach(around(job, deep), job.train[:32], 0)
    assert moves < 1e-4
    assert checks.sees_input(moves, given)[1] is None


def test_outputs_that_autograd_can_not_follow_are_told(job):
    cut = around(job, Net(lambda x: F.one_hot(x.argmax(1), x.shape[1]).float()))
    assert checks.has_gradient(probe.has_gradient(cut, job.train[:4]))[1].code == "model.gradient_wrong"
    assert checks.has_gradient(probe.has_gradient(around(job, Net()), job.train[:4]))[1] is None


def test_layers_without_an_activation_between_them_are_told_to_be_one(job):
    class Bare(Net):
        def forward(self, x):
            return self.two(self.one(x.flatten(1)))

    rows = job.train[:8]
    assert probe.is_affine(around(job, Bare()), rows, 0)
    assert not probe.is_affine(around(job, Net()), rows, 0)
    assert checks.has_activation(True, 2)[1].code == "train.underfit"
    assert checks.has_activation(True, 1)[1] is None


def test_a_net_that_shrinks_its_input_is_not_called_linear(job):
    """No kink lies between items that are divided by 255 once more."""

    class Shrinking(Net):
        def forward(self, x):
            return super().forward(x / 255)

    assert not probe.is_affine(around(job, Shrinking()), job.train[:8], 0)


def test_a_net_of_one_output_that_leans_to_one_side_is_not_called_cut(job):
    """Inputs far out of their range, all positive after a ReLU: each draw of weights says one sign to all items, so it takes many draws to tell."""
    inputs = tuple(field * 0 + 255 for field in probe.random_inputs(job, 32, 0))
    assert checks.last_layer(head.look_at_head(around(job, Net(outputs=1)), inputs, 0), "regression")[1] is None


def test_amounts_of_one_axis_against_two_are_compared_with_every_other(job):
    values = torch.linspace(-1.5, 1.5, len(job.targets))[:, None]
    problem = job.problem.model_copy(update={"task": "regression", "classes": (), "num_outputs": 1})
    amounts = around(job, Net(outputs=1), problem=problem, targets=values)
    broadcast = replace(amounts, loss=lambda z, t, weights=None: ((z[:, 0] - t) ** 2).mean())
    assert checks.own_loss(head.look_at_loss(broadcast, job.train[:32]))[1].code == "model.init_loss"
    cancelling = replace(amounts, loss=lambda z, t, weights=None: (z - t).mean() + 1e-8)  # rounding leaves as much, of either sign
    assert checks.own_loss(head.look_at_loss(cancelling, job.train[:32]))[1].code == "model.init_loss"
    for name in ("mse", "mae", "huber"):
        assert checks.own_loss(head.look_at_loss(replace(amounts, loss=get(name)), job.train[:32]))[1] is None


class Detached(Net):
    def forward(self, x):
        return self.two(F.relu(self.one(x.flatten(1))).detach())


class Halved(torch.autograd.Function):
    """A loss whose backward is half of what it should be."""

    @staticmethod
    def forward(ctx, z, t):
        with torch.enable_grad():
            ctx.z = z.detach().requires_grad_()
            ctx.value = F.cross_entropy(ctx.z, t)
        return ctx.value.detach()

    @staticmethod
    def backward(ctx, grad):
        return 0.5 * grad * torch.autograd.grad(ctx.value, ctx.z)[0], None


def test_a_gradient_is_right_or_it_is_named_where_not(job):
    rows = job.train[:8]
    for body in (Net(), job.network.body, nn.Sequential(nn.Flatten(), nn.Linear(64, 3))):
        assert gradients.check_gradients(around(job, body), rows, 0).error < gradients.DOUBLE
    found = gradients.check_gradients(around(job, Detached()), rows, 0)
    assert found.error > gradients.DOUBLE
    assert "body.one.weight" in found.where
    assert "body.two" not in found.where
    assert gradients.check_gradients(around(job, Net(), loss=lambda z, t, weights=None: Halved.apply(z, t)), rows, 0).where == "the loss"


@pytest.mark.parametrize("size", [0.0, 1e-4, 30.0])
def test_a_right_gradient_is_right_at_any_start(job, size):
    """Zeros, faded signals and large weights: it is checked elsewhere."""
    body = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), *[m for _ in range(6) for m in (nn.Linear(32, 32), nn.ReLU())], nn.Linear(32, 3))
    for parameter in body.parameters():
        nn.init.normal_(parameter, std=size)
    assert gradients.check_gradients(around(job, body), job.train[:8], 0).error < gradients.DOUBLE


def test_a_net_that_holds_numbers_in_float32_is_checked_in_float32(job):
    body = Net(lambda x: x @ torch.eye(3))
    found = gradients.check_gradients(around(job, body), job.train[:8], 0)
    assert found.threshold == gradients.SINGLE
    assert found.error < gradients.SINGLE


def look(job: Job, body: nn.Module) -> list[layers.LayerEvidence]:
    return layers.look_at_layers(around(job, body), job.train[:64])


def test_units_that_start_alike_and_stay_so_are_named(job):
    def make(how):
        body = Net()
        for layer in (body.one, body.two):
            how(layer)
        return body

    alike = make(lambda layer: (nn.init.constant_(layer.weight, 0.05), nn.init.zeros_(layer.bias)))
    zero = make(lambda layer: (nn.init.zeros_(layer.weight), nn.init.zeros_(layer.bias)))
    assert [e.name for e in look(job, alike) if e.is_symmetric] == ["body.one.weight"]
    assert "body.one.weight" in [e.name for e in look(job, zero) if e.is_symmetric]
    last = Net()
    nn.init.zeros_(last.two.weight)
    assert not any(e.is_symmetric for e in [*look(job, Net()), *look(job, last)])


def test_activations_are_seen_where_functions_compute_them(job):
    body = Net()
    body.one.bias.data.fill_(-1e4)
    (dead,) = [e for e in look(job, body) if e.dead_frac is not None]
    assert (dead.name, dead.dead_frac) == ("body", 1.0)
    squashed = [e.saturated_frac for e in look(job, Net(lambda x: torch.tanh(100 * x))) if e.saturated_frac is not None]
    assert squashed[0] > 0.9
    assert max(e.dead_frac for e in look(job, Net()) if e.dead_frac is not None) < 0.5


def test_values_that_grow_from_layer_to_layer_are_measured(job):
    body = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
    for layer in (body[1], body[3]):
        nn.init.normal_(layer.weight, std=2.0)
    grown = [e.growth for e in look(job, body) if e.growth is not None]
    assert len(grown) == 2
    assert grown[0] == pytest.approx(2 * 8, rel=0.2)
    assert grown[1] > 10 * grown[0] / 2


def test_weights_that_start_at_zero_get_no_gradient_beyond_all_measure(job):
    last = Net()
    nn.init.zeros_(last.two.weight)
    assert 0 < max(e.grad_norm for e in look(job, last) if e.grad_norm is not None) < 10


def test_layers_in_a_list_are_weights_that_training_does_not_know(job):
    class Hidden(Net):
        def __init__(self):
            super().__init__()
            self.lost = [nn.Linear(64, 64)]

        def forward(self, x):
            return super().forward(self.lost[0](x.flatten(1)))

    assert sorted(layers.find_unknown_weights(around(job, Hidden()), job.train[:4])) == ["64", "64x64"]
    assert layers.find_unknown_weights(around(job, Net()), job.train[:4]) == []


@pytest.mark.parametrize("mix", [lambda x: x.softmax(0), lambda x: x.cumsum(0), lambda x: x - x.mean(0), lambda x: x + x[-1:], lambda x: x + x[:1]])
def test_items_that_leak_into_each_other_are_caught_in_any_direction(job, mix):
    class Leak(Net):
        def forward(self, x):
            return super().forward(mix(x))

    moved, size = probe.batch_leak(around(job, Leak()), job.train[:8])
    assert checks.batch_leak(moved, size)[1].code == "model.batch_leak"
    assert checks.batch_leak(*probe.batch_leak(around(job, Net()), job.train[:8]))[1] is None


def test_dropout_that_does_not_end_is_no_leak_and_gives_two_answers(job):
    always = around(job, Net(lambda x: F.dropout(x, 0.5)))
    assert not probe.says_the_same(always, job.train[:8])
    assert probe.says_the_same(around(job, Net()), job.train[:8])


def test_modes_differ_where_statistics_never_move_and_agree_where_only_dropout_does(job):
    norm = nn.BatchNorm1d(64, momentum=0.0)
    norm.running_mean.fill_(30.0)
    body = nn.Sequential(nn.Flatten(), norm, nn.Linear(64, 3))
    nn.init.normal_(body[2].weight)
    bad = probe.mode_losses(around(job, body), job.train[:64])
    assert trials.modes(*bad, math.log(3))[1].code == "model.modes_differ"
    good = probe.mode_losses(around(job, nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(64, 3))), job.train[:64])
    assert trials.modes(*good, math.log(3))[1] is None
    assert good[0] == pytest.approx(good[1])


def test_dropout_is_too_much_where_its_noise_drowns_what_tells_items_apart(job):
    torch.manual_seed(0)
    make = lambda rate: nn.Sequential(nn.Flatten(), nn.Dropout(rate), nn.Linear(64, 3))  # noqa: E731
    most, some, none = (probe.dropout_noise(around(job, body), job.train[:64], 0) for body in (make(0.99), make(0.1), Net()))
    assert trials.dropout(most)[1].code == "train.underfit"
    assert trials.dropout(some)[1] is None
    assert none is None


def test_the_chance_of_a_net_that_knows_is_small_and_of_one_that_does_not_is_any(job):
    knows = around(job, Net(), loss=lambda z, t, weights=None: (t - job.targets[job.val]).abs().float().mean())
    assert probe.chance_of(knows, job.val, 0) < 0.01
    assert probe.chance_of(around(job, Net()), job.val, 0) > 0.01
    assert trials.generalises(0.005, 50)[1] is None
    found = [trials.generalises(0.4, num)[1] for num in (50, 99, 100)]
    assert [(one.code, one.severity) for one in found] == [("model.memorises_noise_only", severity) for severity in ("info", "info", "warn")]


def test_an_lr_is_too_high_or_too_low_when_another_learns_far_more_in_the_same_steps():
    judge = lambda own, asked, others: trials.lr(own, asked, others, 2.3, is_given=True)[1]  # noqa: E731
    assert judge(1.0, 2.4, {0.01: 0.3}).code == "train.lr_too_high"
    assert judge(1.0, math.inf, {0.01: 0.3}).severity == "stop"
    assert judge(1e-7, 2.29, {0.01: 0.3}).code == "train.lr_too_low"
    assert judge(0.01, 0.3, {}) is None
    assert judge(0.01, 2.3, {0.1: 2.3, 0.001: math.inf}) is None  # none learns: the lr is not to blame
    assert trials.lr(1e-7, 2.29, {0.01: 0.3}, 2.3, is_given=False)[1].severity == "info"


def test_what_is_not_the_same_again_is_told():
    assert trials.reproducible(True, True, True)[1] is None
    for faults in ((False, True, True), (True, False, True), (True, True, False)):
        assert trials.reproducible(*faults)[1].code == "train.not_reproducible"


class Said(nn.Module):
    """Answers whatever it is asked with these outputs, (B, K)."""

    def __init__(self, outputs) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, x):
        return self.outputs


def test_rows_of_one_group_are_no_evidence_of_their_own(job):
    """Noise that all rows of a patient share fits the patients' targets by luck: dealt row by row it did so in 5 of 20 draws."""
    groups = np.arange(len(job.examples)) % 6
    job.examples.groups = groups
    apart = probe.pick_apart(job, job.val)
    assert sorted(groups[apart]) == list(range(6))
    assert set(apart) <= set(job.val)
    few, many = 0, 0
    for seed in range(20):
        draw = np.random.default_rng(seed)
        said, targets = (torch.from_numpy(draw.normal(size=6)[groups]).float()[:, None] for _ in range(2))
        noise = replace(job, targets=targets, loss=lambda z, t, weights=None: (z - t).square().mean(), network=Said(said[apart]))
        few += probe.chance_of(noise, apart, seed) <= trials.CHANCE
        many += probe.chance_of(replace(noise, network=Said(said[job.val])), job.val, seed) <= trials.CHANCE
    assert few <= 1
    assert many > 2
