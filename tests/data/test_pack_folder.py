"""Packs without a project: made from a folder, read from Python, written out again; nothing is lost on the way."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import surefoot as sf
from surefoot.cli.main import main
from surefoot.data import packs
from surefoot.data.pack_folder import open_pack, pack_folder
from surefoot.types.configs import DataConfig, PrepareConfig
from surefoot.types.errors import DamagedError, DataError, UsageError


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """60 pictures of one shade each, in three classes, one of which has an odd name; one file is torn."""
    folder = tmp_path_factory.mktemp("folder") / "photos"
    for number in range(60):
        place = folder / ("ants", "bees", "a b: c?")[number % 3] / f"{number:02}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), 4 * number, np.uint8)).save(place)
    (folder / "bees" / "04.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    return folder


def shades(pack) -> dict[str, int]:
    return {Path(place).stem: int(picture[0, 0, 0]) for place, picture in zip(pack.places(), pack.read_all()[0])}


def test_a_folder_becomes_a_pack_that_is_read_back(photos, tmp_path, capsys):
    assert main(["pack", str(photos), "--out", str(tmp_path / "p"), "--side", "16", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "path": str(tmp_path / "p"),
        "items": 59,
        "files": 1,
        "bytes": (tmp_path / "p" / "shard-00000.arrow").stat().st_size,
        "refused": 1,
    }
    assert "left out: bees/04.png" in err
    pack = sf.open_pack(tmp_path / "p")
    assert pack.fields[0].shape == (3, 16, 24)  # all of one shape keep it
    assert pack.manifest.classes == ("a b: c?", "ants", "bees")
    assert shades(pack) == {f"{n:02}": 4 * n for n in range(60) if n != 4}
    for place, label in zip(pack.places(), pack.targets[:, 0]):
        assert pack.manifest.classes[int(label)] == place.split("/")[0]
    assert [one.code for one in pack.manifest.refused] == ["data.corrupt_item"]


def test_settings_of_preparing_hold_here_too(photos, tmp_path, capsys):
    words = ["--side", "16", "--set", "colour=grey", "--set", "prepare.encode=jpeg", "--set", "resize=stretch"]
    assert main(["pack", str(photos), "--out", str(tmp_path / "p"), *words]) == 0
    pack = open_pack(tmp_path / "p")
    assert pack.fields[0].shape == (1, 16, 24)
    assert pack.manifest.forms == {"image": "jpeg"}
    assert pack.files(np.array([3]))[0].startswith(b"\xff\xd8")
    assert all(abs(shade - 4 * int(name)) <= 1 for name, shade in shades(pack).items())
    assert main(["pack", str(photos), "--out", str(tmp_path / "q"), "--set", "colr=grey"]) == 2
    assert "did you mean prepare.colour" in capsys.readouterr().err


@pytest.mark.parametrize("encode", ["decoded", "jpeg"])
def test_webdataset_shards_hold_every_item_with_its_class(photos, tmp_path, encode, monkeypatch):
    pack = pack_folder(DataConfig(source=str(photos)), PrepareConfig(encode=encode), tmp_path / "p")
    monkeypatch.setattr("surefoot.data.pack_export._SHARD_BYTES", 60_000)
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "w"), "--as", "webdataset"]) == 0
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "again"), "--as", "webdataset"]) == 0
    found, files = {}, sorted((tmp_path / "w").glob("*.tar"))
    assert len(files) > 1
    for file in files:
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()
        with tarfile.open(file) as tar:
            members = {member.name: tar.extractfile(member).read() for member in tar}
        for name in [name for name in members if name.endswith(".json")]:
            facts = json.loads(members[name])
            picture = members[name.replace(".json", ".jpg" if encode == "jpeg" else ".png")]
            found[facts["id"]] = np.asarray(Image.open(io.BytesIO(picture)))[0, 0, 0]
            assert pack.manifest.classes[int(members[name.replace(".json", ".cls")])] == facts["class"] == facts["id"].split("/")[0]
    assert {Path(place).stem: int(shade) for place, shade in found.items()} == shades(pack)


def test_a_pack_written_out_as_a_folder_can_be_packed_again_to_the_same(photos, tmp_path):
    first = pack_folder(DataConfig(source=str(photos)), PrepareConfig(), tmp_path / "p")
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "d"), "--as", "folder"]) == 0
    assert sorted(place.name for place in (tmp_path / "d").iterdir()) == ["a b_ c_", "ants", "bees", "items.jsonl"]
    second = pack_folder(DataConfig(source=str(tmp_path / "d")), PrepareConfig(), tmp_path / "q")
    assert (first.read_all()[0] == second.read_all()[0]).all()
    assert (first.targets == second.targets).all()


@pytest.mark.parametrize("encode", ["decoded", "jpeg"])
def test_a_pack_written_out_as_shards_can_be_packed_again_to_the_same(photos, tmp_path, encode, monkeypatch):
    first = pack_folder(DataConfig(source=str(photos)), PrepareConfig(encode=encode), tmp_path / "p")
    monkeypatch.setattr("surefoot.data.pack_export._SHARD_BYTES", 60_000)
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "w"), "--as", "webdataset"]) == 0
    assert main(["pack", str(tmp_path / "w"), "--out", str(tmp_path / "q"), "--set", f"prepare.encode={encode}"]) == 0
    second = open_pack(tmp_path / "q")
    assert second.manifest.classes == first.manifest.classes
    number = [int(Path(place).stem) for place in second.places()]  # shards are shuffled; the number of an item is its row
    assert sorted(number) == list(range(len(first)))
    np.testing.assert_array_equal(second.targets, first.targets[number])
    np.testing.assert_array_equal(second.read_all()[0], first.read_all()[0][number])


def small_photos(folder: Path, num: int = 12) -> Path:
    folder.mkdir(parents=True)
    for n in range(num):
        Image.fromarray(np.full((8, 8), 20 * n, np.uint8)).save(folder / f"{n:02}.png")
    return folder


@pytest.mark.parametrize("form", ["webdataset", "folder"])
@pytest.mark.parametrize("kind", ["several labels", "classes", "amounts"])
def test_items_without_a_label_are_kept_without_one(tmp_path, form, kind):
    told = {"several labels": ("a,b,c", ["1,0,1", "0,1,1", "0,1,"]), "classes": ("label", ["cat", "dog", ""]), "amounts": ("weight", ["0.5", "2.5", ""])}
    header, labels = told[kind]
    small_photos(tmp_path / "d")
    rows = [f"{n:02}.png,{labels[n % len(labels)]}" for n in range(12)]
    (tmp_path / "d" / "list.csv").write_text("\n".join([f"file,{header}", *rows]))
    first = pack_folder(DataConfig(source=str(tmp_path / "d")), PrepareConfig(), tmp_path / "p")
    assert np.isnan(first.targets).any()
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "w"), "--as", form]) == 0
    second = pack_folder(DataConfig(source=str(tmp_path / "w")), PrepareConfig(), tmp_path / "q")
    assert len(second) == len(first)
    number = [int(Path(place).stem) for place in second.places()]
    np.testing.assert_array_equal(second.targets, first.targets[number])


@pytest.mark.parametrize("form", ["webdataset", "folder"])
def test_classes_that_are_called_by_numbers_come_back_by_these(tmp_path, form):
    for name in ("3", "7"):
        small_photos(tmp_path / "d" / name)
    first = pack_folder(DataConfig(source=str(tmp_path / "d")), PrepareConfig(), tmp_path / "p")
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "w"), "--as", form]) == 0
    second = pack_folder(DataConfig(source=str(tmp_path / "w")), PrepareConfig(), tmp_path / "q")
    assert second.manifest.classes == first.manifest.classes == ("3", "7")
    number = [int(Path(place).stem) for place in second.places()]
    np.testing.assert_array_equal(second.targets, first.targets[number])


@pytest.mark.parametrize(("form", "columns"), [("webdataset", 1), ("webdataset", 2), ("folder", 1), ("folder", 2)])
def test_amounts_come_back_as_they_were(tmp_path, form, columns):
    small_photos(tmp_path / "d")
    names = ["weight", "height"][:columns]
    rows = [f"{n:02}.png,{','.join(str(n / 4 + 3 * k) for k in range(columns))}" for n in range(12)]
    (tmp_path / "d" / "labels.csv").write_text("\n".join([f"path,{','.join(names)}", *rows]) + "\n")
    first = pack_folder(DataConfig(source=str(tmp_path / "d")), PrepareConfig(), tmp_path / "p")
    assert (first.manifest.classes, first.targets.shape) == ((), (12, columns))
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "w"), "--as", form]) == 0
    second = pack_folder(DataConfig(source=str(tmp_path / "w")), PrepareConfig(), tmp_path / "q")
    number = [int(Path(place).stem) for place in second.places()]
    np.testing.assert_array_equal(second.targets, first.targets[number])


def test_a_folder_of_pictures_with_several_amounts_each_becomes_a_project_also_where_some_lack_them(tmp_path, capsys):
    """A list of numbers was left out of the list when it was read, and a missing one ended `init` with a traceback."""
    small_photos(tmp_path / "d")
    lines = [json.dumps({"file": f"{n:02}.png", "target": [n / 4, 3.0 * n] if n != 5 else [None, None]}) for n in range(12)]
    (tmp_path / "d" / "items.jsonl").write_text("\n".join(lines))
    pack_folder(DataConfig(source=str(tmp_path / "d")), PrepareConfig(), tmp_path / "p")
    assert main(["pack", str(tmp_path / "p"), "--out", str(tmp_path / "w"), "--as", "folder"]) == 0
    assert main(["init", str(tmp_path / "w"), "--out", str(tmp_path / "project")]) == 0
    assert 'task   = "vector_regression"        # 2 targets that are amounts' in capsys.readouterr().out
    assert main(["run", str(tmp_path / "project"), "--to", "problem"]) == 0
    assert "1 of 12 items have no target" in capsys.readouterr().err


def test_an_item_without_a_label_is_of_no_class(tmp_path):
    small_photos(tmp_path / "d")
    rows = [f"{n:02}.png,{('cat', 'dog', '')[n % 3]}" for n in range(12)]
    (tmp_path / "d" / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    pack = pack_folder(DataConfig(source=str(tmp_path / "d")), PrepareConfig(), tmp_path / "p")
    assert [target for _, target in pack.__getitems__([0, 1, 2, 3])] == [0, 1, -1, 0]


def test_a_packing_that_was_killed_goes_on_and_ends_the_same(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(packs, "BLOCK", 16)
    monkeypatch.setattr(packs, "_SHARD_BLOCKS", 1)
    data, config = DataConfig(source=str(photos)), PrepareConfig()
    pack_folder(data, config, tmp_path / "whole")
    begun = []

    def die(done: float, total: float) -> None:
        if done > 40:
            raise KeyboardInterrupt("killed")

    with pytest.raises(KeyboardInterrupt, match="killed"):
        pack_folder(data, config, tmp_path / "cut", die)
    (tmp_path / "cut" / "shard-00002.arrow").write_bytes(b"a shard that was written and not noted")
    pack_folder(data, config, tmp_path / "cut", lambda done, total: begun.append(done))
    assert begun[0] > 40
    names = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert names == ["manifest.json", *(f"shard-{n:05}.arrow" for n in range(4))]
    assert [(tmp_path / "cut" / name).read_bytes() for name in names] == [(tmp_path / "whole" / name).read_bytes() for name in names]
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == names


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """240 JPEG files of two classes, half of them of the size that is packed, so that some are kept and some are made anew."""
    folder = tmp_path_factory.mktemp("many") / "photos"
    for number in range(240):
        place = folder / "ab"[number % 2] / f"{number:03}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        side = 120 if number % 4 < 2 else 150
        Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC).save(place, quality=80)
    return folder


def read_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_pack_is_the_same_for_any_number_of_workers_and_after_any_kill(many, tmp_path):
    """The command as it is given, killed as the system kills it; each time another number of workers goes on."""
    command = [sys.executable, "-c", SMALL_BLOCKS, "pack", str(many), "--side", "120", "--set", "prepare.encode=jpeg", "--out"]
    assert subprocess.run([*command, str(tmp_path / "whole"), "--set", "prepare.workers=1"], check=False).returncode == 0
    kills = 0
    for number in range(9):
        workers = ["--set", f"prepare.workers={2 + number % 2}"]
        process = subprocess.Popen([*command, str(tmp_path / "cut"), *workers], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shards = len(list((tmp_path / "cut").glob("shard-*.arrow")))
        while process.poll() is None:
            if number < 2 and len(list((tmp_path / "cut").glob("shard-*.arrow"))) >= min(shards + 2, 10):
                process.kill()
                kills += process.wait() == -signal.SIGKILL
            time.sleep(0.002)
        if process.returncode == 0:
            break
    assert kills
    assert process.returncode == 0
    whole, cut = read_files(tmp_path / "whole"), {name: data for name, data in read_files(tmp_path / "cut").items() if not name.endswith(".part")}
    assert len(whole) == 16
    assert cut == whole


SMALL_BLOCKS = """
import sys
from surefoot.cli.main import main
from surefoot.data import packs
packs.BLOCK, packs._SHARD_BLOCKS = 16, 1
sys.exit(main(sys.argv[1:]))
"""


def test_what_is_no_pack_or_can_be_none_is_refused_with_what_to_do(photos, tmp_path, capsys):
    with pytest.raises(UsageError, match="There is no pack in"):
        sf.open_pack(photos)
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(UsageError, match="Only pictures are packed"):
        pack_folder(DataConfig(source=str(tmp_path / "table.csv")), PrepareConfig(), tmp_path / "p")
    with pytest.raises(UsageError, match="holds something that is no pack"):
        pack_folder(DataConfig(source=str(photos)), PrepareConfig(), tmp_path)
    for words, told in ((["--as", "zip"], "There is no form"), (["--as", "folder"], "is no pack")):
        assert main(["pack", str(photos), "--out", str(tmp_path / "x"), *words]) == 2
        assert told in capsys.readouterr().err
    for label in "ab":
        (tmp_path / "torn" / label).mkdir(parents=True)
        (tmp_path / "torn" / label / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    with pytest.raises(DataError, match="None of 2 pictures can be read"):
        pack_folder(DataConfig(source=str(tmp_path / "torn")), PrepareConfig(), tmp_path / "p")


def test_a_missing_shard_and_a_torn_manifest_are_named(photos, tmp_path):
    pack_folder(DataConfig(source=str(photos)), PrepareConfig(), tmp_path / "p")
    manifest = tmp_path / "p" / "manifest.json"
    (tmp_path / "p" / "shard-00000.arrow").rename(tmp_path / "elsewhere")
    with pytest.raises(DamagedError, match=re.escape("shard-00000.arrow is missing")):
        open_pack(tmp_path / "p")
    manifest.write_bytes(manifest.read_bytes()[:-200])
    with pytest.raises(DamagedError, match="The manifest of p can't be read"):
        open_pack(tmp_path / "p")


def test_the_example_of_the_docs_runs(tmp_path, monkeypatch):
    page = (Path(__file__).resolve().parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(example, "packs.md", "exec"), names)
    assert names["name"] == "bright"
    assert names["pixels"].shape[1:] == (3, 32, 40)


def test_what_the_reader_took_for_no_item_is_listed_too_once_and_after_a_kill(tmp_path, capsys, monkeypatch):
    """Forty lines of a list, four of which named no picture, became 36 items and not a word."""
    monkeypatch.setattr(packs, "BLOCK", 4)
    monkeypatch.setattr(packs, "_SHARD_BLOCKS", 1)
    small_photos(tmp_path / "d")
    rows = [f"{n:02}.png,{('cat', 'dog')[n % 2]}" for n in range(2, 14)]
    (tmp_path / "d" / "labels.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    left_out = ["00.png", "01.png", "labels.csv:11", "labels.csv:12"]

    def die(done: float, total: float) -> None:
        if done > 8:
            raise KeyboardInterrupt("killed")

    with pytest.raises(KeyboardInterrupt, match="killed"):
        pack_folder(DataConfig(source=str(tmp_path / "d")), PrepareConfig(), tmp_path / "p", die)
    assert main(["pack", str(tmp_path / "d"), "--out", str(tmp_path / "p"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["items"], json.loads(out)["refused"]) == (10, 4)
    assert [one.place for one in open_pack(tmp_path / "p").manifest.refused] == left_out
    assert all(f"left out: {place}: " in err for place in left_out)
