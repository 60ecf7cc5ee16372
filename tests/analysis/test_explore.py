"""What the page shows of the data: gathered from what lies outside the test set, and from nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from surefoot.analysis.explore import find_groups, map_seen, tell_label
from surefoot.analysis.landscape import count_gaps, count_pixels, draw_map
from surefoot.analysis.texts import count_words
from surefoot.data.packs import Block, open_pack, write_pack
from surefoot.project import Project
from surefoot.store.blobs import Blobs
from surefoot.types import FieldSpec, Problem

PROBLEM = Problem(
    question="?",
    kind="image",
    task="multiclass",
    target=("label",),
    classes=("cat", "dog"),
    metric="accuracy",
    head="softmax",
    loss="cross_entropy",
    num_outputs=2,
)


def test_groups_are_classes_labels_or_four_ranges_with_as_many_items_each():
    names, groups = find_groups(PROBLEM, np.array([[0.0], [1.0], [1.0]]))
    assert (names, groups.tolist()) == (["cat", "dog"], [[True, False], [False, True], [False, True]])
    names, groups = find_groups(PROBLEM.model_copy(update={"task": "multilabel"}), np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert groups.tolist() == [[True, True], [False, False]]
    amounts = PROBLEM.model_copy(update={"task": "regression", "classes": ()})
    names, groups = find_groups(amounts, np.arange(100.0)[:, None])
    assert groups.sum(0).tolist() == [25, 25, 25, 25]
    assert names[0] == "0 to 24.75"
    assert find_groups(amounts, np.full((5, 1), 3.0))[0] == ["3"]


def test_a_label_is_told_in_words():
    assert tell_label(PROBLEM, np.array([1.0])) == "dog"
    labels = PROBLEM.model_copy(update={"task": "multilabel"})
    assert (tell_label(labels, np.array([1.0, 1.0])), tell_label(labels, np.array([0.0, 0.0]))) == ("cat, dog", "none")


def pack_of(folder: Path, fields: tuple[FieldSpec, ...], *inputs: np.ndarray):
    store, num = Blobs(folder / "store"), len(inputs[0])
    block = Block([f"item-{n}" for n in range(num)], ["made"] * num, inputs, np.zeros((num, 1)), np.ones(num, np.float32))
    return open_pack(store, write_pack(store, fields, 1, [block]))


def test_two_kinds_of_pictures_lie_apart_on_the_map_and_the_same_seed_draws_the_same_map(tmp_path):
    random = np.random.default_rng(0)
    images = random.integers(0, 60, (200, 1, 20, 20)).astype(np.uint8)
    images[100:, :, :10] += 150
    pack = pack_of(tmp_path, (FieldSpec(name="image", shape=(1, 20, 20), dtype="uint8"),), images)
    xy, rows, spread = draw_map(pack, {}, np.random.default_rng(1))
    assert rows.tolist() == list(range(200))
    assert abs(xy[:100, 0].mean() - xy[100:, 0].mean()) > 10 * xy[:100, 0].std()
    assert spread[0] > 0.9 > 10 * spread[1]
    assert np.array_equal(xy, draw_map(pack, {}, np.random.default_rng(1))[0])


def test_items_that_are_all_equal_have_no_map(tmp_path):
    pack = pack_of(tmp_path, (FieldSpec(name="image", shape=(1, 4, 4), dtype="uint8"),), np.full((9, 1, 4, 4), 7, np.uint8))
    assert len(draw_map(pack, {}, np.random.default_rng(0))[0]) == 0


def test_pixels_are_counted_per_channel_of_the_given_rows_alone(tmp_path):
    images = np.zeros((4, 3, 2, 2), np.uint8)
    images[1, 0], images[2] = 255, 128
    counts = count_pixels(pack_of(tmp_path, (FieldSpec(name="image", shape=(3, 2, 2), dtype="uint8"),), images), np.array([0, 1]))
    assert set(counts) == {"red", "green", "blue"}
    assert (counts["red"][0], counts["red"][31], sum(counts["red"])) == (4, 4, 8)
    assert counts["green"][0] == 8


def test_gaps_are_counted_alone_and_together(tmp_path):
    numbers = np.array([[1, np.nan, 2], [np.nan, np.nan, 2], [1, 1, 2], [np.nan, 1, 2]], np.float32)
    codes = np.array([[1], [0], [2], [1]], np.int32)
    fields = (
        FieldSpec(name="numeric", shape=(3,), dtype="float32", names=("a", "b", "whole")),
        FieldSpec(name="category", shape=(1,), dtype="int32", names=("c",), cardinalities=(3,)),
    )
    names, together = count_gaps(pack_of(tmp_path, fields, numbers, codes), np.arange(4))
    assert names == ("a", "b", "c")
    assert together == ((2, 1, 1), (1, 2, 1), (1, 1, 1))


def pack_texts(folder: Path):
    """Two hundred texts of eight words: of the second hundred each holds words 20 to 24, all hold words 1 and 2 and some others."""
    random = np.random.default_rng(0)
    codes = np.concatenate([np.tile([2, 3], (200, 1)), random.integers(4, 20, (200, 5)), np.zeros((200, 1), int)], 1)
    codes[100:, 2:4] = random.integers(20, 25, (100, 2))
    return pack_of(folder, (FieldSpec(name="text", shape=(8,), dtype="int32", names=("text",), cardinalities=(40,)),), codes.astype(np.int32))


def test_texts_that_say_different_things_lie_apart_on_the_map(tmp_path):
    xy, rows, spread = draw_map(pack_texts(tmp_path), {}, np.random.default_rng(1))
    is_right = xy[:, 0] > 0
    assert max((is_right == (rows < 100)).mean(), (is_right == (rows >= 100)).mean()) > 0.75
    assert spread[0] > spread[1] > 0


def test_frequent_words_of_a_group_are_those_that_set_it_apart(tmp_path):
    recipe = {"kind": "table", "columns": [{"name": "text", "kind": "text", "field": "text", "words": [f"word{chr(97 + n)}" for n in range(30)]}]}
    groups = np.repeat([[True, False], [False, True]], 100, axis=0)
    found = count_words(pack_texts(tmp_path), recipe, np.arange(200), ["ham", "spam"], groups)
    assert set(list(found["spam"])[:5]) == {f"word{chr(97 + n)}" for n in range(18, 23)}
    assert sum(list(found["spam"].values())[:5]) > 150
    assert not {"worda", "wordb"} & {*found["ham"], *found["spam"]}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Sixty pictures, a dozen of them twice, two of these under another label; each has a colour of its own by which it is known."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(60):
        name = ("cat", "dog")[number % 2]
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "data" / name / f"{number}.png")
        if number < 12:
            other = ("cat", "dog")[(number + (number < 2)) % 2]
            (folder / "data" / other).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / "data" / other / f"copy{number}.png")
    project = Project.init(str(folder / "data"), out=str(folder / "p"), budget="smoke")
    project.run(to="prepare")
    return project


def test_nothing_of_the_test_set_is_shown(photos):
    sets = photos.store.get_table(photos.report("split").sets).to_pydict()
    sealed = {id for id, which in zip(sets["id"], sets["set"]) if which == "test"}
    data = photos.report("prepare")
    seen = data.explored
    shown = {item.id for group in (*seen.equal, *seen.near, seen.suspects, seen.sheet) for item in group}
    pictures = {name.removeprefix("raw ") for name in photos.store.get_arrays(data.pictures)}
    assert sealed
    assert shown
    assert not sealed & (shown | pictures)
    assert len(photos.store.get_arrays(seen.arrays)["xy"]) == data.num_rows


def test_equal_items_stand_side_by_side_those_with_two_labels_first(photos):
    groups = photos.report("prepare").explored.equal
    differ = [len({item.label for item in group}) > 1 for group in groups]
    assert groups
    assert differ == sorted(differ, reverse=True)
    for group in groups:
        assert {item.place.rpartition("/")[2].removeprefix("copy") for item in group} == {group[0].place.rpartition("/")[2].removeprefix("copy")}


def test_the_sheet_holds_items_of_every_class_as_they_came(photos):
    data = photos.report("prepare")
    pictures = photos.store.get_arrays(data.pictures)
    assert {item.label for item in data.explored.sheet} == {"cat", "dog"}
    for item in data.explored.sheet:
        number = item.place.rpartition("/")[2].removeprefix("copy").removesuffix(".png")
        assert np.array_equal(pictures[f"raw {item.id}"], np.random.default_rng(int(number)).integers(0, 256, (12, 12, 3)))


def test_the_report_shows_the_explorer_and_nothing_of_it_without_items(photos):
    page = photos.render().read_text(encoding="utf-8")
    assert "A map of the items" in page
    assert "Equal items" in page
    assert "The contact sheet" in page
    assert len(page) < 5_000_000
    hidden = photos.render(with_items=False).read_text(encoding="utf-8")
    assert "data:image" not in hidden
    assert "A map of the items" not in hidden
    assert "copy0.png" not in hidden
    assert "Share of pixels per level" in hidden


def test_the_map_of_a_net_shows_what_its_last_layer_sees(tmp_path):
    pack = pack_of(tmp_path, (FieldSpec(name="image", shape=(1, 4, 4), dtype="uint8"),), np.zeros((40, 1, 4, 4), np.uint8))
    ctx = SimpleNamespace(seed=0, store=Blobs(tmp_path / "store"))
    found = map_seen(ctx, PROBLEM, pack, lambda rows: np.stack([rows * 3.0, rows % 2, np.ones(len(rows))], 1).astype(np.float32))
    arrays = ctx.store.get_arrays(found["embedding"])
    assert abs(np.corrcoef(arrays["xy"][:, 0], np.arange(40))[0, 1]) > 0.999
    assert arrays["group"].tolist() == [0] * 40
    assert found["spread"][0] > 0.9
    assert map_seen(ctx, PROBLEM, pack, lambda rows: np.ones((len(rows), 3), np.float32)) == {}
