"""What is searched: all that the user left open, on the scale it matters on, and nothing that a setting can't be."""

from __future__ import annotations

import optuna
import pytest

from surefoot.optim.usual import find_usual
from surefoot.parts import PARTS
from surefoot.search.space import apply, default_space, distributions, merge, round_whole
from surefoot.types.configs import ModelConfig, Space, TrainConfig
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import UsageError
from surefoot.types.problem import Problem

GREY = (FieldSpec(name="image", shape=(1, 28, 28), dtype="uint8"),)
COLOUR = (FieldSpec(name="image", shape=(3, 28, 28), dtype="uint8"),)
TABLE = (FieldSpec(name="numeric", shape=(2,), dtype="float32", names=("a", "b")),)
SIZES = {"16x1": (16, 1), "24x2": (24, 2)}


def problem(task: str = "multiclass") -> Problem:
    return Problem(question="", kind="image", task=task, target=("t",), classes=("a", "b", "c"), metric="accuracy", head="", loss="", num_outputs=3)


def defaults(fields=GREY, model=None, train=None, task: str = "multiclass", sizes=tuple(SIZES)) -> dict[str, Space]:
    return default_space(problem(task), fields, model or ModelConfig(), train or TrainConfig(), list(sizes))


# defaults


def test_all_that_was_left_open_is_searched():
    assert set(defaults()) == {"train.lr", "train.weight_decay", "model.dropout", "train.label_smoothing", "train.augment", "model.size"}


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"train": TrainConfig(lr=0.1)}, "train.lr"),
        ({"train": TrainConfig(weight_decay=0.0)}, "train.weight_decay"),
        ({"train": TrainConfig(label_smoothing=0.0)}, "train.label_smoothing"),
        ({"train": TrainConfig(loss="mse")}, "train.label_smoothing"),
        ({"train": TrainConfig(augment="none")}, "train.augment"),
        ({"model": ModelConfig(dropout=0.0)}, "model.dropout"),
        ({"model": ModelConfig(use="my_code:Net")}, "model.dropout"),
        ({"task": "binary"}, "train.label_smoothing"),
        ({"fields": TABLE}, "train.augment"),
        ({"sizes": ["16x1"]}, "model.size"),
    ],
)
def test_what_the_user_said_is_held(changes, held):
    assert set(defaults()) - set(defaults(**changes)) == {held}


def test_pictures_are_mirrored_only_where_they_have_colours():
    assert not [name for name in defaults(GREY)["train.augment"].choice if "flip" in name]  # a mirrored digit is another digit
    assert [name for name in defaults(COLOUR)["train.augment"].choice if "flip" in name]


@pytest.mark.parametrize("name", PARTS["optimizer"])
def test_lr_and_decay_are_searched_where_the_optimizer_bears_them(name):
    space, usual = defaults(train=TrainConfig(optimizer=name)), find_usual(name)
    low, high = space["train.lr"].log_uniform
    assert all(low <= peak <= high for peak in (usual.image, usual.table))
    assert space["train.weight_decay"].log_uniform[1] == (0.3 if name in ("adamw", "muon") else 0.003)  # decoupled, or added to the gradient


def test_an_lr_that_was_found_is_the_middle_of_its_range():
    space = default_space(problem(), GREY, ModelConfig(), TrainConfig(), [], 0.03)
    low, high = space["train.lr"].log_uniform
    assert (low * high) ** 0.5 == pytest.approx(0.03)
    assert low < 0.01 < 0.1 < high


def test_every_default_can_be_drawn_and_applied():
    space = defaults(COLOUR)
    for name, value in {name: value for name, one in space.items() for value in (one.log_uniform or one.choice)}.items():
        assert apply({name: value}, ModelConfig(), TrainConfig(), SIZES)
    assert set(distributions(space)) == set(space)


# merging


def test_the_users_ranges_go_over_the_defaults():
    mine = Space(uniform=(0.1, 0.2))
    merged = merge(defaults(), {"train.lr": mine, "train.momentum": mine})
    assert merged["train.lr"] == merged["train.momentum"] == mine
    assert merged["train.weight_decay"] == defaults()["train.weight_decay"]


@pytest.mark.parametrize("space", [Space(role="fixed"), Space(uniform=(0.1, 0.2), role="fixed")])
def test_fixed_settings_are_not_searched(space):
    assert "train.lr" not in merge(defaults(), {"train.lr": space})


@pytest.mark.parametrize(
    ("name", "space", "what"),
    [
        ("train.lr", Space(), "train.lr has 0 ranges"),
        ("train.lr", Space(uniform=(0.1, 0.2), choice=[1]), "train.lr has 2 ranges"),
        ("train.lr", Space(choice=[]), "train.lr has no choices"),
        ("train.lr", Space(uniform=(0.2, 0.1)), "train.lr goes from 0.2 to 0.1"),
        ("train.lr", Space(uniform=(0.2, 0.2)), "train.lr goes from 0.2 to 0.2"),
        ("train.lr", Space(log_uniform=(0.0, 0.1)), "train.lr goes from 0 to 0.1"),
        ("train.lr", Space(uniform=(-1.0, 0.1)), "train.lr can't be -1.0"),
        ("train.lr", Space(uniform=(0.0, 0.1)), "train.lr can't be 0: nothing would be trained"),
        ("train.lr", Space(choice=[0.0, 0.1]), "train.lr can't be 0: nothing would be trained"),
        ("model.dropout", Space(uniform=(0.0, 1.0)), "model.dropout can't be 1.0"),
        ("model.dropout", Space(choice=[0.1, "much"]), "model.dropout can't be 'much'"),
        ("train.milestones", Space(choice=[[0.3, 0.6], [0.5]]), "train.milestones is searched over numbers or words, and no lists"),
        ("train.batch_size", Space(uniform=(8.5, 64)), "train.batch_size can't be 8.5"),
        ("train.lrr", Space(uniform=(0.1, 0.2)), "no setting 'train.lrr' to search"),
        ("lr", Space(uniform=(0.1, 0.2)), "no setting 'lr' to search"),
        ("data.side", Space(uniform=(16, 32)), "no setting 'data.side' to search"),
    ],
)
def test_a_wrong_range_is_refused_in_three_parts_before_anything_is_trained(name, space, what):
    with pytest.raises(UsageError, match=what) as caught:
        merge(defaults(), {name: space})
    assert caught.value.where == f"[search.space] {name}"
    assert caught.value.next
    assert caught.value.exit_code == 2


def test_a_misspelt_setting_comes_with_the_right_one():
    with pytest.raises(UsageError, match="wieght_decay") as caught:
        merge({}, {"train.wieght_decay": Space(uniform=(0.1, 0.2))})
    assert caught.value.next == "Did you mean 'train.weight_decay'?"


# ranges in Optuna's words


def test_whole_settings_are_drawn_as_whole_numbers():
    made = distributions({"train.batch_size": Space(log_uniform=(8, 256)), "model.width": Space(uniform=(4, 9)), "train.lr": Space(log_uniform=(1e-3, 1))})
    assert made["train.batch_size"] == optuna.distributions.IntDistribution(8, 256, log=True)
    assert made["model.width"] == optuna.distributions.IntDistribution(4, 9)
    assert made["train.lr"] == optuna.distributions.FloatDistribution(1e-3, 1, log=True)


def test_whole_settings_are_rounded_and_others_are_not():
    assert round_whole({"train.batch_size": 44.7, "train.lr": 0.7, "model.size": "16x1"}) == {"train.batch_size": 45, "train.lr": 0.7, "model.size": "16x1"}


# applying


def test_a_setting_is_put_over_the_configs():
    setting = {"train.lr": 0.5, "model.dropout": 0.25, "train.batch_size": 16, "train.augment": "flip"}
    model, train = apply(setting, ModelConfig(width=7), TrainConfig(momentum=0.5), SIZES)
    assert (model.dropout, model.width) == (0.25, 7)
    assert (train.lr, train.batch_size, train.augment, train.momentum) == (0.5, 16, "flip", 0.5)


def test_a_size_is_a_width_and_a_depth():
    model, _ = apply({"model.size": "24x2"}, ModelConfig(width=7, depth=7), TrainConfig(), SIZES)
    assert (model.width, model.depth) == (24, 2)


def test_nothing_drawn_changes_nothing():
    assert apply({}, ModelConfig(width=7), TrainConfig(lr=0.5), {}) == (ModelConfig(width=7), TrainConfig(lr=0.5))


@pytest.mark.parametrize(
    ("setting", "what"), [({"train.lr": -1.0}, "out of range"), ({"train.batch_size": 8.5}, "out of range"), ({"model.size": "99x9"}, "no model size '99x9'")]
)
def test_a_setting_that_can_not_be_is_refused_in_three_parts(setting, what):
    with pytest.raises(UsageError, match=what) as caught:
        apply(setting, ModelConfig(), TrainConfig(), SIZES)
    assert caught.value.where.startswith("[search.space]")
    assert caught.value.next
