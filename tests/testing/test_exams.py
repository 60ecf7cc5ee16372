"""The exam: every part of ours passes it, and each disease fails the question that is about it."""

from __future__ import annotations

import pytest
import torch

from surefoot.metrics.metric import Metric
from surefoot.parts import PARTS
from surefoot.testing.augmenting import AUGMENTATION, TABLE_AUGMENTATION
from surefoot.testing.boxing import BOX_AUGMENTATION
from surefoot.testing.exams import examine
from surefoot.testing.judging import METRIC
from surefoot.testing.questions import take
from surefoot.testing.training import LOSS, OPTIMIZER, SCHEDULE
from surefoot.types.errors import UsageError

MY_CODE = """
import numpy as np
from torch import nn


class TinyNet(nn.Module):
    def __init__(self, input_shape, num_outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.LazyLinear(32), nn.ReLU(), nn.Linear(32, num_outputs))

    def forward(self, x):
        return self.body(x)


class Frogs:
    def __len__(self):
        return 12

    def __getitem__(self, index):
        return np.full((8, 8, 3), 20 * index, np.uint8), "green" if index % 2 else "brown"


def half_life(num_steps):
    return lambda step: 0.5 ** (step / num_steps)


def surprising_metric(targets, outputs):
    raise RuntimeError("never asked for")


def mystery(a, b):
    return a
"""


def _failed(exam, part):
    return [result.claim for result in take(exam, part) if not result.ok]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, parts in PARTS.items() for name in parts])
def test_every_part_of_ours_passes(kind, name):
    told, results = examine(name, kind=kind)
    assert told == kind
    assert results
    assert not [result for result in results if not result.ok]


@pytest.mark.parametrize("name", ["sklearn:digits", "sklearn:iris"])
def test_bundled_data_passes(name):
    kind, results = examine(name)
    assert kind == "dataset"
    assert not [result for result in results if not result.ok]


@pytest.mark.parametrize(("name", "kind"), [("TinyNet", "model"), ("Frogs", "dataset"), ("half_life", "schedule")])
def test_the_users_own_is_known_by_what_it_is_and_passes(tmp_path, name, kind):
    (tmp_path / "my_code.py").write_text(MY_CODE)
    told, results = examine(f"my_code:{name}", folder=tmp_path)
    assert told == kind
    assert not [result for result in results if not result.ok]


def test_what_the_users_code_raises_is_told_with_its_line(tmp_path):
    (tmp_path / "my_code.py").write_text(MY_CODE)
    _, results = examine("my_code:surprising_metric", folder=tmp_path)
    line = MY_CODE.splitlines().index('    raise RuntimeError("never asked for")') + 1
    assert [result.ok for result in results] == [False]
    assert results[0].saw == f"RuntimeError: never asked for ({tmp_path / 'my_code.py'}:{line})"


def test_a_part_whose_kind_can_not_be_told_is_asked_about(tmp_path):
    (tmp_path / "my_code.py").write_text(MY_CODE)
    with pytest.raises(UsageError, match="can't be told from its signature"):
        examine("my_code:mystery", folder=tmp_path)


def test_a_name_of_two_kinds_is_asked_about():
    with pytest.raises(UsageError, match="is a loss and a metric"):
        examine("mae")


def test_a_misspelt_name_or_kind_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"(?s)no part named 'adamv'.*Did you mean adam"):
        examine("adamv")
    with pytest.raises(UsageError, match=r"(?s)kind 'metrik'.*Did you mean metric"):
        examine("mae", kind="metrik")


# losses


def _mse(logits, targets, weights=None):
    losses = ((logits - targets) ** 2).mean(1)
    return losses.mean() if weights is None else (weights * losses).sum() / weights.sum()


def test_a_healthy_loss_of_a_users_passes():
    assert not _failed(LOSS, _mse)


def test_a_loss_with_the_wrong_sign_fails():
    assert _failed(LOSS, lambda logits, targets, weights=None: -_mse(logits, targets, weights)) == ["is smallest where logits (B, K) say what the targets are"]


def test_a_loss_that_forgets_the_weights_fails():
    assert _failed(LOSS, lambda logits, targets, weights=None: _mse(logits, targets)) == ["weighs items"]


def test_a_loss_that_is_not_averaged_fails():
    assert "returns a scalar" in _failed(LOSS, lambda logits, targets, weights=None: ((logits - targets) ** 2).mean(1))


def test_a_loss_that_takes_the_log_of_a_softmax_fails_at_large_logits():
    def loss(logits, targets, weights=None):
        losses = -torch.log(logits.softmax(1)).gather(1, targets[:, None])[:, 0]
        return losses.mean() if weights is None else (weights * losses).sum() / weights.sum()

    assert _failed(LOSS, loss) == ["bears large logits"]


def test_a_loss_with_a_wrong_gradient_fails():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x.clone()

        @staticmethod
        def backward(context, grad):
            return 2 * grad

    assert _failed(LOSS, lambda logits, targets, weights=None: _mse(Wrong.apply(logits), targets, weights)) == ["has the gradient that differences give"]


# optimizers


class _Plain(torch.optim.Optimizer):
    """Gradient descent with a momentum that is kept outside the state, as a beginner might."""

    def __init__(self, parameters, lr, forgets):
        super().__init__(parameters, {"lr": lr, "weight_decay": 0.0})
        self.lr, self.forgets, self.memory = lr, forgets, {}

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                before = self.memory.get(parameter, torch.zeros_like(parameter))
                self.memory[parameter] = 0.9 * before + parameter.grad if self.forgets else parameter.grad
                parameter.data -= (group["lr"] if self.forgets else self.lr) * self.memory[parameter]


def test_an_optimizer_that_keeps_its_memory_outside_the_state_fails():
    failed = _failed(OPTIMIZER, lambda parameters, *, lr, weight_decay, momentum: _Plain(parameters, lr, forgets=True))
    assert failed == ["goes on from its saved state, bit by bit"]


class _Counting(torch.optim.SGD):
    """Gradient descent whose steps shrink by a number in its group."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["taken"] = group.get("taken", 0) + 1
            for parameter in group["params"]:
                parameter.data -= group["lr"] / group["taken"] ** 0.1 * parameter.grad


def test_an_optimizer_that_counts_in_its_groups_passes():
    assert not _failed(OPTIMIZER, lambda parameters, *, lr, weight_decay, momentum: _Counting(parameters, lr=lr))


def test_an_optimizer_that_keeps_what_no_checkpoint_keeps_fails():
    def hoarder(parameters, *, lr, weight_decay, momentum):
        made = torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay)
        made.register_step_post_hook(lambda optimizer, *_: [optimizer.state[p].update(kept=["a list"]) for p in optimizer.param_groups[0]["params"]])
        return made

    assert _failed(OPTIMIZER, hoarder) == ["goes on from its saved state, bit by bit"]


def test_an_optimizer_that_ignores_the_schedule_fails():
    failed = _failed(OPTIMIZER, lambda parameters, *, lr, weight_decay, momentum: _Plain(parameters, lr, forgets=False))
    assert failed == ["obeys the lr of its groups"]


def test_an_optimizer_that_goes_uphill_fails():
    def uphill(parameters, *, lr, weight_decay, momentum):
        return torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay, momentum=momentum, maximize=True)

    assert _failed(OPTIMIZER, uphill) == ["lowers the loss of a bowl"]


# schedules


def test_a_schedule_in_absolute_lr_fails():
    assert _failed(SCHEDULE, lambda num_steps: lambda step: 0.001) == ["reaches the peak"]


def test_a_schedule_that_counts_its_calls_fails():
    def counting(num_steps):
        calls = iter(range(10**6))
        return lambda step: max(0.0, 1 - next(calls) / num_steps)

    assert _failed(SCHEDULE, counting) == ["is a function of the step alone"]


def test_a_schedule_that_goes_below_zero_after_its_end_fails():
    assert _failed(SCHEDULE, lambda num_steps: lambda step: 1 - step / num_steps) == ["is defined after the last step"]


# augmentations


def test_an_augmentation_that_draws_from_the_global_generator_fails():
    def flip(images, generator):
        return torch.where(torch.rand(len(images))[:, None, None, None] < 0.5, images.flip(3), images)

    assert "draws from the generator it is given" in _failed(AUGMENTATION, flip)


def test_an_augmentation_that_mixes_pictures_fails():
    def mixup(images, generator):
        return (0.5 * images + 0.5 * images.roll(1, 0)).to(torch.uint8)

    assert _failed(AUGMENTATION, mixup) == ["does not mix pictures"]


def test_an_augmentation_that_changes_what_it_is_given_fails():
    assert _failed(AUGMENTATION, lambda images, generator: images.bitwise_not_()) == ["leaves the pictures it was given as they are"]


def test_an_augmentation_that_returns_floats_fails():
    assert _failed(AUGMENTATION, lambda images, generator: images / 255) == ["returns uint8 pictures of the same shape"]


def test_an_augmentation_whose_strength_is_not_heeded_fails():
    def invert(images, generator, strength=1.0):
        return 255 - images

    assert _failed(AUGMENTATION, invert) == ["changes nothing at strength 0"]


@pytest.mark.parametrize(
    ("part", "claim"),
    [
        (lambda numbers, generator: numbers.nan_to_num(), "leaves missing what is missing"),
        (lambda numbers, generator: numbers + torch.rand(numbers.shape), "draws from the generator it is given"),
        (lambda numbers, generator: numbers.mul_(2), "leaves the rows it was given as they are"),
        (lambda numbers, generator: numbers[:, :-1], "returns rows of the same shape"),
    ],
)
def test_an_augmentation_of_tables_with_a_fault_fails(part, claim):
    assert _failed(TABLE_AUGMENTATION, part)[0] == claim


# metrics


def test_a_metric_whose_direction_is_wrong_fails():
    def error_rate(targets, outputs):
        return float((outputs.argmax(1) != targets).mean())

    assert _failed(METRIC, error_rate) == ["is better for perfect outputs than for random ones"]
    error_rate.greater_is_better = False
    assert not _failed(METRIC, error_rate)


def test_a_metric_that_claims_bounds_it_leaves_fails():
    def percent(targets, outputs):
        return 100 * float((outputs.argmax(1) == targets).mean())

    percent.bounded = True
    assert _failed(METRIC, percent) == ["lies in the bounds it claims"]


def test_a_metric_that_disagrees_with_its_items_fails():
    broken = Metric(
        name="broken", title="Broken", greater_is_better=True, tasks=("multiclass",), bounded=True,
        score=lambda targets, outputs: float((outputs.argmax(1) == targets).mean()),
        per_item=lambda targets, outputs: (outputs.argmax(1) == targets) * 0.5,
    )  # fmt: skip
    assert _failed(METRIC, broken) == ["agrees with its values per item"]


# models


SICK = """
import torch
from torch import nn
from torch.nn import functional as F


class Leaking(nn.Module):
    def __init__(self, input_shape, num_outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.LazyLinear(num_outputs))

    def forward(self, x):
        out = self.body(x)
        return out - out.mean(0)


class Unsteady(Leaking):
    def forward(self, x):
        return F.dropout(self.body(x), 0.5)


class Idle(Leaking):
    def __init__(self, input_shape, num_outputs):
        super().__init__(input_shape, num_outputs)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        return self.body(x)


class Wide(Leaking):
    def forward(self, x):
        return self.body(x)[:, :-1]
"""


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("Leaking", "keeps the items of a batch apart"),
        ("Unsteady", "is steady in eval mode"),
        ("Idle", "sends a gradient to each parameter"),
        ("Wide", "gives raw outputs (B, K)"),
    ],
)
def test_a_sick_net_fails_the_question_about_its_disease(tmp_path, name, claim):
    (tmp_path / "sick.py").write_text(SICK)
    _, results = examine(f"sick:{name}", folder=tmp_path)
    assert claim in [result.claim for result in results if not result.ok]


def _mirror_pixels_alone(images, corners, items, generator):
    return images.flip(3), corners, torch.arange(len(corners))


def _keep_what_left(images, corners, items, generator):
    return torch.roll(images, 60, 3), corners + torch.tensor([60.0, 0, 60, 0]), torch.arange(len(corners))


def _lose_count(images, corners, items, generator):
    return images, corners, torch.zeros(len(corners), dtype=torch.int64)


def _throw_dice_beside(images, corners, items, generator):
    return torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images, images // 2), corners, torch.arange(len(corners))


@pytest.mark.parametrize(
    ("sick", "claim"),
    [
        (_mirror_pixels_alone, "moves each box with what it is drawn around"),
        (_keep_what_left, "keeps boxes inside their pictures"),
        (_lose_count, "says which boxes are left"),
        (_throw_dice_beside, "draws from the generator it is given"),
        (lambda images, generator: images, "returns pictures, the corners that are left, and which these are"),
    ],
)
def test_each_disease_of_a_box_augmentation_fails_its_question(sick, claim):
    assert claim in _failed(BOX_AUGMENTATION, sick)


def test_the_name_of_both_kinds_is_that_of_pictures_unless_boxes_are_asked_for():
    assert examine("flip")[0] == "augmentation"
    assert examine("flip", kind="box_augmentation")[0] == "box_augmentation"


def test_a_users_box_augmentation_is_known_by_its_parameters(tmp_path):
    (tmp_path / "mine.py").write_text("import torch\ndef keep(images, corners, items, generator):\n    return images, corners, torch.arange(len(corners))\n")
    kind, results = examine("mine:keep", folder=tmp_path)
    assert kind == "box_augmentation"
    assert all(result.ok for result in results)
