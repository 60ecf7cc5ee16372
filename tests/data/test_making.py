"""From sources to blocks: sizes that the budget affords, recipes from the columns that count, rows in the order asked for."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from surefoot.data.making import Items, choose_quality, choose_side, image_recipe, make_blocks, measure_room, table_recipe
from surefoot.data.packs import BLOCK, open_pack, write_pack
from surefoot.data.preprocess import fields
from surefoot.store.blobs import Blobs
from surefoot.types.configs import DataConfig, PrepareConfig
from surefoot.types.data_reports import AuditReport, ColumnProfile
from surefoot.types.source import ImageSource, TableSource


def audit(sizes=None, modes=None, columns=()) -> AuditReport:
    sides = np.sort([[int(side) for side in size.split("x")] for size, count in (sizes or {"0x0": 1}).items() for _ in range(count)])
    shorter, longer = np.median(sides, 0).astype(int).tolist()
    more = {"sizes": sizes or {}, "shorter_side": shorter, "longer_side": longer, "modes": modes or {}, "columns": columns}
    return AuditReport(fingerprint="", num_items=1, num_usable=1, index="", **more)


# pictures


@pytest.mark.parametrize(
    ("sizes", "budget_s", "side"),
    [
        ({"28x28": 10}, 0.0, 28),
        ({"28x28": 10}, 28_800.0, 28),
        ({"40x40": 10}, 300.0, 40),
        ({"500x400": 10}, 0.0, 32),
        ({"500x400": 10}, 60.0, 48),
        ({"500x400": 10}, 1_200.0, 64),
        ({"500x400": 10}, 28_800.0, 96),
        ({"100x50": 3, "20x90": 30}, 28_800.0, 20),
    ],
)
def test_the_side_is_the_pictures_own_or_what_the_budget_affords(sizes, budget_s, side):
    chosen, reason = choose_side(audit(sizes), DataConfig(), budget_s)
    assert chosen == side
    assert reason


def test_the_side_that_was_asked_for_is_taken():
    assert choose_side(audit({"500x400": 10}), DataConfig(side=123), 0.0) == (123, "as data.side says")


@pytest.mark.parametrize(
    ("sizes", "modes", "side", "shape"),
    [
        ({"28x28": 5}, {"grey": 5}, 28, (1, 28, 28)),
        ({"64x32": 5}, {"colour": 5}, 32, (3, 64, 32)),
        ({"100x200": 5}, {"grey": 4, "colour": 1}, 50, (3, 50, 100)),
        ({"100x200": 5, "90x90": 1}, {"grey": 6}, 32, (1, 32, 32)),
    ],
)
def test_pictures_of_one_size_keep_their_shape_and_others_become_square(sizes, modes, side, shape):
    assert fields(image_recipe(audit(sizes, modes), side, PrepareConfig()))[0].shape == shape


@pytest.mark.parametrize(
    ("settings", "recipe"),
    [
        ({"resize": "fit"}, {"resize": "fit"}),
        ({"short_side": 256}, {"short_side": 256}),
        ({"short_side": 20}, {"short_side": 32}),
        ({"colour": "grey"}, {"channels": 1}),
        ({"colour": "rgb"}, {"channels": 3}),
        ({}, {}),
    ],
)
def test_what_the_settings_say_of_pictures_is_in_the_recipe(settings, recipe):
    plain = {"kind": "image", "height": 32, "width": 32, "channels": 3}
    assert image_recipe(audit({"90x80": 5, "70x70": 5}, {"colour": 10}), 32, PrepareConfig(**settings)) == plain | recipe


@pytest.mark.parametrize(
    ("side", "num", "encode", "quality", "why"),
    [
        (224, 15_000, "auto", 0, "exact, and read fastest"),  # 2.1 of 10 GiB
        (224, 20_000, "auto", 95, "as pixels they would take 2.8 of the 10.0 GiB that the disk has for them; more than a quarter"),
        (96, 10**6, "auto", 0, "exact, and read fastest"),  # small ones are read from disk as they are
        (224, 10**6, "decoded", 0, "as prepare.encode says"),
        (28, 10, "jpeg", 95, "as prepare.encode says"),
    ],
)
def test_pictures_are_stored_as_pixels_where_the_disk_affords_it_and_the_reason_is_told(side, num, encode, quality, why):
    recipe = {"kind": "image", "height": side, "width": side, "channels": 3}
    assert choose_quality(recipe, num, 10 * 2**30, PrepareConfig(encode=encode)) == (quality, why)
    assert choose_quality({"kind": "table"}, num, 0, PrepareConfig(encode=encode)) == (0, "")


def test_the_room_is_that_of_the_disk_where_a_folder_will_be(tmp_path):
    assert measure_room(tmp_path / "not" / "yet") == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)


def test_pictures_are_packed_in_the_order_asked_for_whatever_the_number_of_blocks(tmp_path):
    shades = np.random.default_rng(0).integers(0, 256, 2_100, dtype=np.uint8)
    source = ImageSource([f"{n}.png" for n in range(2_100)], [0] * 2_100, [""] * 2_100, read=lambda row: np.full((2, 2), shades[row]))
    rows = np.random.default_rng(1).permutation(2_100)[: 2 * BLOCK + 7]
    recipe = {"kind": "image", "height": 2, "width": 2, "channels": 1}
    blocks = list(make_blocks(source, recipe, Items(rows, [f"id{row}" for row in rows], rows[:, None] * 1.0, np.ones(len(rows)))))
    assert [len(block.ids) for block in blocks] == [BLOCK, BLOCK, 7]
    store = Blobs(tmp_path)
    pack = open_pack(store, write_pack(store, fields(recipe), 1, blocks))
    assert (pack.gather(np.arange(len(rows)))[0] == shades[rows][:, None, None, None]).all()
    assert pack.places().tolist() == [f"{row}.png" for row in rows]
    assert pack.ids().tolist() == [f"id{row}" for row in rows]
    assert pack.targets[:, 0].tolist() == rows.tolist()


# tables


def sample() -> TableSource:
    columns = {"size": np.array([1.0, np.nan, 3.0]), "job": np.array(["nurse", None, "clerk"], object), "id": np.arange(3.0)}
    return TableSource(columns, ["t:2", "t:3", "t:4"], [""] * 3)


def profiles() -> tuple[ColumnProfile, ...]:
    roles = {"size": ("numeric", "input"), "job": ("category", "input"), "id": ("numeric", "id")}
    return tuple(ColumnProfile(name=name, kind=kind, role=role) for name, (kind, role) in roles.items())


def test_only_inputs_are_packed_and_categories_come_from_the_given_rows():
    recipe = table_recipe(sample(), audit(columns=profiles()), np.array([0, 1]), PrepareConfig())
    assert [column["name"] for column in recipe["columns"]] == ["size", "job"]
    assert recipe["columns"][1]["categories"] == ["nurse"]


def test_rows_of_a_table_keep_gaps_and_lose_unseen_categories():
    recipe = table_recipe(sample(), audit(columns=profiles()), np.array([0, 1]), PrepareConfig())
    (block,) = make_blocks(sample(), recipe, Items(np.array([2, 1, 0]), ["c", "b", "a"], np.zeros((3, 1)), np.array([1.0, 2.0, 3.0])))
    np.testing.assert_array_equal(block.inputs[0].flatten(), np.array([3, np.nan, 1], np.float32))
    assert block.inputs[1].to_pylist() == [[0], [0], [1]]
    assert block.places == ["t:4", "t:3", "t:2"]
    assert block.weights.dtype == np.float32


def test_no_rows_make_no_block():
    recipe = table_recipe(sample(), audit(columns=profiles()), np.array([0]), PrepareConfig())
    assert list(make_blocks(sample(), recipe, Items(np.arange(0), [], np.zeros((0, 1)), np.zeros(0)))) == []
