"""From settings to a net: which one is chosen, what a user's own may ask for, and how mistakes are answered."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from surefoot.models.build import build, sizes
from surefoot.models.convnet import ConvNet
from surefoot.models.cost import count_parameters
from surefoot.models.mlp import MLP
from surefoot.models.tabular import TabularNet
from surefoot.types.configs import ModelConfig
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import ConfigError, UsageError

IMAGE = (FieldSpec(name="image", shape=(3, 32, 32), dtype="float32"),)
TINY = (FieldSpec(name="image", shape=(1, 8, 8), dtype="float32"),)
NUMERIC = (FieldSpec(name="numeric", shape=(6,), dtype="float32"),)
CATEGORY = (FieldSpec(name="category", shape=(2,), dtype="int64", cardinalities=(5, 9)),)
KINDS = [IMAGE, TINY, NUMERIC, CATEGORY, NUMERIC + CATEGORY]

OWN = """
from torch import nn


class Tiny(nn.Module):
    def __init__(self, in_channels, num_classes, width=7, dropout=0.5):
        super().__init__()
        self.seen = (in_channels, num_classes, width, dropout)


class Asking(Tiny):
    def __init__(self, width, depth):
        nn.Module.__init__(self)
        self.seen = (width, depth)


class Rows(Tiny):
    def __init__(self, num_numeric, cardinalities, num_outputs):
        nn.Module.__init__(self)
        self.seen = (num_numeric, cardinalities, num_outputs)


class Greedy(Tiny):
    def __init__(self, num_outputs, wings):
        nn.Module.__init__(self)


def number(num_outputs):
    return 3.0


built = nn.Linear(2, 2)
constant = 5
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my_code.py").write_text(OWN)
    return tmp_path


def own(folder, name, fields=IMAGE, **settings):
    return build(ModelConfig(use=f"my_code:{name}", **settings), fields, 4, folder)


@pytest.mark.parametrize(("fields", "kind"), [(IMAGE, ConvNet), (NUMERIC, TabularNet), (CATEGORY, TabularNet), (NUMERIC + CATEGORY, TabularNet)])
def test_the_data_chooses_the_default(fields, kind):
    assert type(build(ModelConfig(), fields, 3)) is kind


def test_layers_of_the_settings_are_built_for_pictures():
    net = build(ModelConfig(layers="CONV -> RELU -> GAP -> FC", width=5, dropout=0.25), IMAGE, 3)
    assert net.layers == "INPUT -> CONV3-5 -> RELU -> GAP -> DROP0.25 -> FC3"


def test_layers_of_the_settings_are_built_for_numbers():
    net = build(ModelConfig(layers="[FC16 -> RELU]*2 -> FC"), NUMERIC, 3)
    assert net(torch.randn(2, 6)).shape == (2, 3)


def test_layers_for_a_table_with_categories_are_refused():
    with pytest.raises(ConfigError, match="this table has 2 category columns") as caught:
        build(ModelConfig(layers="FC -> RELU -> FC"), NUMERIC + CATEGORY, 3)
    assert caught.value.where == "model.layers"
    assert "model.use" in caught.value.next


def test_convolutions_for_a_table_are_refused():
    with pytest.raises(ConfigError, match="CONV3 needs a picture, and an item here is 6 numbers"):
        build(ModelConfig(layers="CONV -> FC"), NUMERIC, 3)


def test_width_depth_and_dropout_reach_the_default_nets():
    assert build(ModelConfig(width=12, depth=1, dropout=0.5), TINY, 3).layers.startswith("INPUT -> CONV3-12 -> BN -> RELU -> MAXPOOL2 -> CONV3-24")
    assert build(ModelConfig(width=12, depth=1, dropout=0.5), IMAGE, 3).layers.startswith("INPUT -> WHITEN4-12/2 -> RELU -> CONV3-12 -> BN -> RELU -> MAXPOOL2")
    assert build(ModelConfig(width=12, depth=1), NUMERIC, 3).final.in_features == 12


@pytest.mark.parametrize(("name", "kind"), [("mlp", MLP), ("convnet", ConvNet)])
def test_a_part_is_built_by_its_short_name(name, kind):
    assert type(build(ModelConfig(use=name), IMAGE, 3)) is kind


def test_layers_reach_a_part_that_takes_them():
    assert build(ModelConfig(use="convnet", layers="GAP -> FC"), IMAGE, 3).layers == "INPUT -> GAP -> FC3"


@pytest.mark.parametrize(("name", "kind"), [("mlp", MLP), ("tabular", TabularNet)])
def test_a_part_is_built_for_numbers_by_its_short_name(name, kind):
    assert type(build(ModelConfig(use=name), NUMERIC, 3)) is kind


def test_a_users_net_gets_what_it_names_and_keeps_its_own_width(folder):
    assert own(folder, "Tiny").seen == (3, 4, 7, 0.0)
    assert own(folder, "Tiny", width=50, dropout=0.2).seen == (3, 4, 50, 0.2)


def test_a_users_net_without_a_width_of_its_own_gets_a_small_one(folder):
    assert own(folder, "Asking").seen == sizes(IMAGE, 4)[1]
    assert own(folder, "Asking", depth=9).seen == (sizes(IMAGE, 4)[1][0], 9)


def test_a_users_net_for_tables_gets_the_columns(folder):
    assert own(folder, "Rows", NUMERIC + CATEGORY).seen == (6, (5, 9), 4)
    assert own(folder, "Rows", CATEGORY).seen == (0, (5, 9), 4)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("number", "made an object of type float, no torch.nn.Module"),
        ("built", "is a module that is built already"),
        ("constant", "is an object of type int"),
    ],
)
def test_what_makes_no_fresh_net_is_refused_in_three_parts(folder, name, what):
    with pytest.raises(UsageError, match=what) as caught:
        own(folder, name)
    assert caught.value.where == f"model.use = 'my_code:{name}'"
    assert "torch.nn.Module" in caught.value.next


def test_a_net_that_asks_for_what_is_not_there_is_refused(folder):
    with pytest.raises(UsageError, match="asks for wings"):
        own(folder, "Greedy")


@pytest.mark.parametrize("fields", KINDS)
def test_the_ladder_grows_in_even_steps(fields):
    costs = [count_parameters(build(ModelConfig(width=width, depth=depth), fields, 10)) for width, depth in sizes(fields, 10)]
    assert len(costs) == 4
    assert all(2.5 < larger / smaller < 6.5 for smaller, larger in pairwise(costs))


@pytest.mark.parametrize("fields", KINDS)
def test_what_is_left_open_is_the_second_rung(fields):
    width, depth = sizes(fields, 10)[1]
    assert count_parameters(build(ModelConfig(), fields, 10)) == count_parameters(build(ModelConfig(width=width, depth=depth), fields, 10))
