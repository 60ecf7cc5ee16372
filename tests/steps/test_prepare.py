"""The prepare step at its doors: what the settings ask for happens, on train rows alone, and what was interrupted or damaged comes out the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surefoot import Project
from surefoot.cli.main import main
from surefoot.data import making, packs
from surefoot.data.packs import open_pack, read_manifest
from surefoot.store import seal
from surefoot.types.errors import SealedError


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """200 rows with gaps in two columns, of twenty people, walked as far as the split."""
    folder = tmp_path_factory.mktemp("prepare")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(200):
        a, b, job = rng.normal(), rng.normal(), rng.choice(["nurse", "clerk", "cook"])
        label = "yes" if a > 0 else "no"
        rows.append(f"{'' if number % 10 == 3 else round(a, 3)},{round(b, 3)},{'' if number % 20 == 7 else job},p{number % 20},{label}")
    (folder / "table.csv").write_text("\n".join(["a,b,job,person,y", *rows]) + "\n")
    assert main(["init", str(folder / "table.csv"), "--target", "y", "--out", str(folder / "project"), "--budget", "smoke"]) == 0
    assert main(["run", str(folder / "project"), "--to", "split", "--set", "split.group=person"]) == 0
    return folder


@pytest.fixture
def project(table, tmp_path) -> Path:
    shutil.copytree(table, tmp_path / "copy")
    return tmp_path / "copy" / "project"


def prepare(project: Path, *settings: str) -> int:
    return main(["run", str(project), "--to", "prepare", "--set", "split.group=person", *(word for one in settings for word in ("--set", one))])


def read(project: Path):
    opened = Project(project)
    data = opened.report("prepare")
    return data, opened.store.get_arrays(data.rows), open_pack(opened.store, data.pack), [opened.store.get_arrays(fold.fitted) for fold in data.folds]


def test_rows_with_gaps_are_dropped_from_training_and_from_nothing_else(project):
    assert prepare(project) == 0
    _, before, _, _ = read(project)
    assert prepare(project, "prepare.missing=drop") == 0
    data, rows, pack, _ = read(project)
    numbers, codes = pack.read_all()
    has_gap = np.isnan(numbers).any(1) | (codes == 0).any(1)
    assert has_gap.sum() > 10
    for fold in range(len(data.folds)):
        assert rows[f"fold{fold}.train"].tolist() == [row for row in before[f"fold{fold}.train"] if not has_gap[row]]
        assert rows[f"fold{fold}.val"].tolist() == before[f"fold{fold}.val"].tolist()
    assert rows["whole"].tolist() == np.flatnonzero(~has_gap).tolist()
    assert prepare(project, 'prepare.columns.a.missing="drop"') == 0
    assert (np.isnan(pack.read_all()[0]).any(1).sum() + len(read(project)[1]["whole"])) == len(pack)


def test_masses_of_stars_in_kilograms_go_the_road_in_a_unit_of_their_own(tmp_path):
    rng = np.random.default_rng(0)
    masses = rng.uniform(0.1, 30, 200) * 2e30
    rows = [f"{mass:.6g},{rng.normal():.3f},{'blue' if mass > 2e31 else 'red'}" for mass in masses]
    (tmp_path / "stars.csv").write_text("\n".join(["mass,metal,colour", *rows]) + "\n")
    project = Project.init(str(tmp_path / "stars.csv"), target="colour", out=str(tmp_path / "project"), budget="smoke")
    project.run(to="prepare")
    told = [one for step in ("audit", "split", "prepare") for one in project.report(step).findings]
    assert not [one.code for one in told if "wrong_type" in one.code or "not_finite" in one.code or one.severity == "stop"]


def test_whatever_is_measured_comes_from_the_train_rows_of_its_fold(project):
    assert prepare(project, "prepare.scale=minmax", "prepare.missing=model", "prepare.encoding=frequency") == 0
    _, rows, pack, fitted = read(project)
    numbers, codes = pack.read_all()
    for fold, found in enumerate(fitted):
        train = rows[f"fold{fold}.train"]
        np.testing.assert_allclose(found["numeric.center"], np.nanmin(numbers[train], 0), rtol=1e-6)
        np.testing.assert_allclose(found["category.share0"], np.bincount(codes[train, 0], minlength=4) / len(train))
    assert len({found["impute.weights"].tobytes() for found in fitted}) == len(fitted)


def test_items_know_their_group(project):
    assert prepare(project) == 0
    _, rows, pack, _ = read(project)
    people = [int(place.rpartition(":")[2]) % 20 for place in pack.places()]
    assert len(set(zip(people, rows["groups"].tolist()))) == len(set(people)) == len(set(rows["groups"].tolist()))


def test_a_column_that_is_no_input_is_told_with_the_nearest(project, capsys):
    assert prepare(project, "prepare.columns.jobb.missing=drop") == 2
    err = capsys.readouterr().err
    assert '"jobb" is no input column' in err
    assert 'Did you mean "job"?' in err


def test_settings_for_pictures_are_refused_for_a_table(project, capsys):
    assert prepare(project, "prepare.resize=fit") == 2
    assert "prepare.resize: it is for pictures, and the data is a table" in capsys.readouterr().err


# pictures


@pytest.fixture
def photos(tmp_path) -> Path:
    """90 pictures of two classes, walked as far as the split."""
    rng = np.random.default_rng(0)
    for number in range(90):
        place = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (24, 20 + number % 3, 3), dtype=np.uint8)).save(place)
    assert main(["init", str(tmp_path / "photos"), "--out", str(tmp_path / "project"), "--budget", "smoke"]) == 0
    assert main(["run", str(tmp_path / "project"), "--to", "split"]) == 0
    return tmp_path / "project"


def walk(project: Path, *settings: str, again: bool = False) -> int:
    return main(["run", str(project), "--to", "prepare", *(["--from", "prepare"] if again else []), *(word for one in settings for word in ("--set", one))])


def test_pictures_are_packed_as_the_settings_say_and_the_test_set_is_sealed(photos):
    assert walk(photos, "data.side=16", "prepare.encode=jpeg", "prepare.colour=grey", "prepare.resize=fit") == 0
    data, _, pack, _ = read(photos)
    assert data.recipe == {"kind": "image", "height": 16, "width": 16, "channels": 1, "resize": "fit"}
    assert pack.manifest.forms == {"image": "jpeg"}
    assert pack.manifest.recipe == data.recipe
    store = Project(photos).store
    with pytest.raises(SealedError, match="sealed"):
        open_pack(store, data.test_pack)
    assert len(open_pack(store, data.test_pack, seal.Key(1))) == data.num_test
    assert set(data.shards) == {shard.file for ref in (data.pack, data.test_pack) for shard in read_manifest(store, ref).shards}


def test_photos_are_stored_as_pixels_until_they_would_crowd_the_disk_and_the_choice_is_kept(photos, monkeypatch, capsys):
    room = 4 * 70 * 100 * 100 * 3
    monkeypatch.setattr(making, "measure_room", lambda folder: room)
    assert walk(photos, "data.side=100") == 0  # 90 pictures, which take more than a quarter
    data, _, pack, _ = read(photos)
    assert pack.manifest.forms == {"image": "jpeg"}
    assert "more than a quarter" in data.stored
    assert "stored as JPEG of quality 95" in "".join(capsys.readouterr())
    room = 4 * 91 * 100 * 100 * 3
    assert walk(photos, "data.side=100", again=True) == 0
    data, _, pack, _ = read(photos)
    assert pack.manifest.forms == {}
    assert data.stored == "as pixels: exact, and read fastest"
    room -= 90 * 100 * 100 * 3
    assert walk(photos, "data.side=100", again=True) == 0  # the same packs again take no room
    assert read(photos)[2].manifest.forms == {}


@pytest.mark.parametrize("damage", ["lost", "altered"])
def test_a_shard_that_is_lost_or_altered_is_made_again(photos, damage):
    assert walk(photos) == 0
    data, _, pack, _ = read(photos)
    whole, place = pack.read_all()[0], Project(photos).store.path(data.shards[0])
    if damage == "lost":
        place.unlink()
    else:
        content = bytearray(place.read_bytes())
        content[len(content) // 2] ^= 1
        place.write_bytes(content)
    assert walk(photos, again=damage == "altered") == 0
    np.testing.assert_array_equal(read(photos)[2].read_all()[0], whole)


def test_a_packing_that_was_killed_goes_on_where_it_was_and_ends_the_same(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "BLOCK", 16)
    monkeypatch.setattr(packs, "_SHARD_BLOCKS", 1)
    other = Path(shutil.copytree(photos, tmp_path / "other"))
    (other / "surefoot.toml").write_text((photos / "surefoot.toml").read_text())
    assert walk(photos) == 0
    decoded, decode = [], making._decode_pictures

    def decode_and_die(source, recipe, rows, quality, pool):
        decoded.append(len(rows))
        if len(decoded) == 3:
            raise KeyboardInterrupt("killed")
        return decode(source, recipe, rows, quality, pool)

    monkeypatch.setattr(making, "_decode_pictures", decode_and_die)
    assert walk(other) == 130
    assert walk(other) == 0
    assert sum(decoded) == 90 + decoded[2]  # what was decoded before is not decoded again
    assert read(other)[0].shards == read(photos)[0].shards
    assert read(other)[0].pack == read(photos)[0].pack
