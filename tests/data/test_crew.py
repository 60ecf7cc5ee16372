"""Crews: whoever decodes, and however many, a pack is the same byte for byte; what goes wrong in another process is told in this one, and costs one picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surefoot.data import crew, decoding, making, packs
from surefoot.data.crew import Work, choose_decode, decode_elsewhere
from surefoot.data.packs import Manner, open_pack, read_manifest, write_pack
from surefoot.data.preprocess import fields
from surefoot.data.readers import open_source
from surefoot.store.blobs import Blobs
from surefoot.types.configs import DataConfig

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
    work = Work(RECIPE, quality, workers)
    source = open_source(DataConfig(source=str(photos)), photos.parent)
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
    work = Work(RECIPE)
    source = open_source(DataConfig(source=str(photos)), photos.parent)
    for num_parts in (2, 10**9):
        list(choose_decode(work, source, num_parts)(iter([np.arange(3), np.arange(3)])))
    assert len(hired) == (1 if (making.os.cpu_count() or 1) > 1 else 0)


def test_what_nobody_has_seen_is_decoded_elsewhere_and_one_that_breaks_its_decoder_loses_no_neighbour(photos, monkeypatch):
    """The worst decoders can do is to die: here they are told to, by a file of one special content."""
    code = (
        "import os, sys; from surefoot.data import decoding; from surefoot.data import pictures; whole = pictures.look; "
        "pictures.look = lambda data: os._exit(1) if data == b'die' else whole(data); decoding._serve(sys.stdin.buffer, sys.stdout.buffer)"
    )
    monkeypatch.setattr(decoding, "_COMMAND", ("-c", code))
    source = open_source(DataConfig(source=str(photos)), photos.parent)
    rows = np.arange(6)

    def never(row):
        raise AssertionError("decoded in this process")

    unseen = replace(source, read=never, fetch=lambda row: b"die" if row == 2 else source.fetch(row))
    (made,) = choose_decode(Work(RECIPE, is_seen=False, workers=1), unseen, 1)([rows])
    assert made.kept == [0, 1, 3, 4, 5]
    assert [(one.place, one.reason) for one in made.refused] == [(source.places[2], "decoding it broke the decoder")]
    (here,) = making.decode_here(source, RECIPE, [rows[made.kept]])
    assert made.columns[0].equals(here.columns[0])


def test_a_repaired_picture_is_packed_as_it_was_mended(photos):
    source = open_source(DataConfig(source=str(photos)), photos.parent)
    turned = replace(source, read=lambda row: np.ascontiguousarray(np.rot90(source.read(row))), changed=frozenset([1]))
    (made,) = decode_elsewhere(Work(RECIPE), turned, [np.arange(3)], 1)
    (here,) = making.decode_here(turned, RECIPE, [np.arange(2)])
    assert made.columns[0].slice(0, 2).equals(here.columns[0].slice(0, 2)) is False  # the others come from their files
    assert made.columns[0][1].equals(here.columns[0][1])
