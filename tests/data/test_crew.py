"""Crews: whoever decodes, and however many, a pack is the same byte for byte; what goes wrong in another process is told in this one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surefoot.data import crew, making, packs
from surefoot.data.crew import Work, choose_decode, decode_elsewhere
from surefoot.data.packs import Manner, open_pack, read_manifest, write_pack
from surefoot.data.preprocess import fields
from surefoot.data.readers import open_source
from surefoot.store.blobs import Blobs
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DataError, ResourceError

RECIPE = {"kind": "image", "height": 12, "width": 12, "channels": 3}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """120 pictures of two classes; one is torn."""
    folder = tmp_path_factory.mktemp("crew") / "photos"
    generator = np.random.default_rng(0)
    for number in range(120):
        place = folder / "ab"[number % 2] / f"{number:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (16 + number % 5, 20, 3), dtype=np.uint8)).save(place)
    (folder / "a" / "040.png").write_bytes((folder / "a" / "040.png").read_bytes()[:200])
    return folder


def pack(photos: Path, store: Blobs, *, workers: int, quality: int = 0) -> str:
    work = Work(DataConfig(source=str(photos)), photos.parent, RECIPE, quality, workers=workers)
    source = open_source(work.data, work.root)
    rows = np.random.default_rng(1).permutation(len(source))
    items = making.Items(rows, [f"id{row}" for row in rows], rows[:, None] % 2 * 1.0, np.ones(len(rows)))
    decode = choose_decode(work, source, 3)
    forms = {"image": "jpeg"} if quality else {}
    return write_pack(store, fields(RECIPE), 1, making.make_blocks(source, RECIPE, items, decode), manner=Manner(RECIPE, ("a", "b"), forms))


@pytest.mark.parametrize("quality", [0, 90])
def test_a_pack_is_the_same_byte_for_byte_for_any_number_of_workers(photos, tmp_path, monkeypatch, quality):
    monkeypatch.setattr(packs, "BLOCK", 32)  # four parts
    refs = [pack(photos, Blobs(tmp_path / f"{workers}"), workers=workers, quality=quality) for workers in (1, 2, 3)]
    assert refs[0] == refs[1] == refs[2]
    manifest = read_manifest(Blobs(tmp_path / "3"), refs[0])
    assert [(one.place, one.code) for one in manifest.refused] == [("a/040.png", "data.corrupt_item")]
    opened = open_pack(Blobs(tmp_path / "3"), refs[0])
    assert len(opened) == 119
    assert "id20" not in opened.ids().tolist()  # the torn one, the twentieth of its class
    source = open_source(DataConfig(source=str(photos)), photos.parent)
    first = source.places.index(opened.places()[0])
    expected = making.preprocess.decode_image(source.read(first), RECIPE).astype(int)
    assert np.abs(opened[0][0].astype(int) - expected).mean() < (40 if quality else 1e-9)  # noise is what JPEG keeps worst; another picture is off by 85


def test_a_crew_is_hired_only_where_much_is_left(photos, monkeypatch):
    hired = []
    monkeypatch.setattr(crew, "decode_elsewhere", lambda work, source, parts, num: hired.append(num) or iter(()))
    work = Work(DataConfig(source=str(photos)), photos.parent, RECIPE)
    source = open_source(work.data, work.root)
    for num_parts in (2, 10**9):
        list(choose_decode(work, source, num_parts)(iter([np.arange(3), np.arange(3)])))
    assert len(hired) == (1 if (making.os.cpu_count() or 1) > 1 else 0)


def test_a_member_that_ends_is_told_with_what_to_do(photos, monkeypatch):
    monkeypatch.setattr(crew._Member, "_write", lambda self, line: self._process.kill())
    work = Work(DataConfig(source=str(photos)), photos.parent, RECIPE)
    with pytest.raises(ResourceError, match="ended by itself, with code -9") as caught:
        list(decode_elsewhere(work, open_source(work.data, work.root), [np.arange(3)], 1))
    assert "prepare.workers = 1" in caught.value.next


def test_data_that_changed_under_a_crew_is_refused(photos, tmp_path):
    source = open_source(DataConfig(source=str(photos)), photos.parent)
    other = tmp_path / "photos"
    for label in "ab":
        (other / label).mkdir(parents=True)
        Image.new("RGB", (9, 9)).save(other / label / "1.png")
    work = Work(DataConfig(source=str(other)), tmp_path, RECIPE)
    with pytest.raises(DataError, match="The data changed while it was packed"):
        list(decode_elsewhere(work, source, [np.arange(2)], 1))


def test_what_fails_in_a_member_is_told_here(tmp_path, photos):
    source = open_source(DataConfig(source=str(photos)), photos.parent)
    work = Work(DataConfig(source=str(tmp_path / "nowhere")), tmp_path, RECIPE)
    with pytest.raises(DataError, match='failed: DataError: There is no "'):
        list(decode_elsewhere(work, source, [np.arange(2)], 1))
