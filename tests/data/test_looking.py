"""Each picture is looked at once: in any number of processes with one result, again only what was not seen, and never at the cost of the walk."""

from __future__ import annotations

import errno
import io
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from surefoot.data import decoding, looking
from surefoot.data.decoding import Decoders, look_at
from surefoot.data.looking import CHUNK, look_at_all
from surefoot.types.source import ImageSource, ItemError


def encode(image: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    data = io.BytesIO()
    Image.fromarray(image).save(data, form, **options)
    return data.getvalue()


def make(num: int) -> ImageSource:
    """Files of growing brightness; every hundredth is torn."""
    files = [encode(np.full((6, 5), n % 200, np.uint8) + np.eye(6, 5, dtype=np.uint8) * 50) for n in range(num)]
    files = [file[:40] if n % 100 == 99 else file for n, file in enumerate(files)]

    def read(row: int) -> np.ndarray:
        raise AssertionError("files are decoded elsewhere")

    return ImageSource([f"{n}.png" for n in range(num)], ["a"] * num, [""] * num, read, fingerprint="f", fetch=files.__getitem__)


def test_any_number_of_processes_sees_the_same(tmp_path):
    source = make(2 * CHUNK + 10)
    results = [look_at_all(source, tmp_path / f"{num}", lambda done: None, num) for num in (1, 3)]
    assert results[0][0].tobytes() == results[1][0].tobytes()
    assert list(results[0][1]) == list(results[1][1]) == [99, 199, 299, 399, 499]


def test_what_was_seen_before_an_interruption_is_not_looked_at_again(tmp_path):
    source = make(3 * CHUNK)
    whole = look_at_all(source, tmp_path / "whole", lambda done: None, 1)
    journal, fetched = tmp_path / "journal", []

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        look_at_all(source, journal, stop, 1)
    journal.write_bytes(journal.read_bytes() + b'{"source": "torn')
    watched = replace(source, fetch=lambda row: fetched.append(row) or source.fetch(row))
    records, refused = look_at_all(watched, journal, lambda done: None, 1)
    assert min(fetched) == CHUNK
    assert records.tobytes() == whole[0].tobytes()
    assert refused.keys() == whole[1].keys()


def test_a_journal_of_another_source_is_not_believed(tmp_path):
    source = make(20)
    look_at_all(source, tmp_path / "j", lambda done: None, 1)
    files = [encode(np.full((4, 4), 7, np.uint8))] * 20
    records, _ = look_at_all(replace(source, fingerprint="g", fetch=files.__getitem__), tmp_path / "j", lambda done: None, 1)
    assert set(records["height"]) == {4}


def test_a_decoder_starts_without_the_libraries_that_decoding_does_not_need():
    heavy = "{'pandas', 'pyarrow', 'pydantic', 'sklearn', 'torch', 'surefoot.data.readers'}"
    told = subprocess.run([sys.executable, "-c", f"import sys, surefoot.data.decoding; print({heavy} & set(sys.modules))"], capture_output=True, text=True)
    assert told.stdout.strip() == "set()", told.stdout + told.stderr


def test_a_picture_that_breaks_its_decoder_is_refused_and_the_others_are_seen(monkeypatch):
    """The worst a decoder can do is to die: here it is told to, by a file of one special content."""
    code = (
        "import os, sys; from surefoot.data import decoding; from surefoot.data import pictures; whole = pictures.look; "
        "pictures.look = lambda data: os._exit(1) if data == b'die' else whole(data); decoding._serve(sys.stdin.buffer, sys.stdout.buffer)"
    )
    monkeypatch.setattr(decoding, "_COMMAND", ("-c", code))
    good = encode(np.eye(5, dtype=np.uint8))
    with Decoders(1) as decoders:
        records, errors = decoders.look([good, b"die", good])
    assert [error.reason if error else "" for error in errors] == ["", "decoding it broke the decoder", ""]
    assert records["height"].tolist() == [5, 0, 5]


def test_a_decoder_that_takes_too_much_memory_is_stopped_and_the_picture_refused(monkeypatch):
    pytest.importorskip("resource", reason="limits of memory are a matter of POSIX systems")
    code = (
        "import sys; import numpy; from surefoot.data import decoding; from surefoot.data import pictures\n"
        "from surefoot.types.source import ItemError\n"
        "def look(data):\n"
        "    try: return numpy.ones(6 * 2**30, numpy.uint8)\n"
        "    except MemoryError as error: raise ItemError('', 'data.corrupt_item') from error\n"
        "pictures.look = look; decoding._serve(sys.stdin.buffer, sys.stdout.buffer)"
    )
    monkeypatch.setattr(decoding, "_COMMAND", ("-c", code))
    with Decoders(1) as decoders:
        _, errors = decoders.look([b"bomb"])
    assert errors[0] is not None
    assert (errors[0].code, errors[0].reason) == ("data.too_large", "decoding it takes more than 4 GiB of memory")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="limits of time are a matter of POSIX systems")
def test_a_picture_that_takes_too_long_is_refused_and_the_others_are_seen(monkeypatch):
    """A decoder that never comes back, amid a batch."""
    code = (
        "import sys; from surefoot.data import decoding; from surefoot.data import pictures; whole = pictures.look\n"
        "def look(data):\n"
        "    while data == b'slow': pass\n"
        "    return whole(data)\n"
        "decoding.DECODE_S, pictures.look = 1, look; decoding._serve(sys.stdin.buffer, sys.stdout.buffer)"
    )
    monkeypatch.setattr(decoding, "_COMMAND", ("-c", code))
    good = encode(np.eye(5, dtype=np.uint8))
    with Decoders(1) as decoders:
        records, errors = decoders.look([good, b"slow", good])
    assert [error.reason if error else "" for error in errors] == ["", "decoding it takes more than 30 seconds", ""]
    assert records["height"].tolist() == [5, 0, 5]


def test_where_the_system_limits_nothing_the_cap_on_pixels_holds_before_decoding(monkeypatch):
    """As on Windows, where a broken pipe is an invalid argument, too."""
    code = (
        "import os, signal, sys; sys.modules['resource'] = None; del signal.setitimer; from surefoot.data import decoding, "
        "pictures; from PIL import ImageFile; load = ImageFile.ImageFile.load; whole = pictures.look\n"
        "ImageFile.ImageFile.load = lambda image: os._exit(1) if image.width > 99 else load(image)\n"
        "pictures.look = lambda data: os._exit(1) if data == b'die' else whole(data); decoding._serve(sys.stdin.buffer, sys.stdout.buffer)"
    )

    def send(pipe, message):
        try:
            whole(pipe, message)
        except BrokenPipeError as error:
            raise OSError(errno.EINVAL, "Invalid argument") from error

    whole = decoding._send
    monkeypatch.setattr(decoding, "_COMMAND", ("-c", code))
    monkeypatch.setattr(decoding, "_send", send)
    good, bomb = encode(np.eye(5, dtype=np.uint8)), encode(np.zeros((8_001, 8_000), np.uint8))
    with Decoders(1) as decoders:
        _, errors = decoders.look([good, bomb, b"die", *[bytes(2**20)] * 3])
    assert [error.code if error else "" for error in errors] == ["", "data.too_large", "data.corrupt_item", *["data.wrong_type"] * 3]


def test_what_a_file_says_of_itself_is_kept():
    image = np.random.default_rng(0).integers(0, 255, (8, 12, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x0132] = 6, "2024:05:06 07:08:09"
    records, errors = look_at([encode(image, "JPEG", exif=exif), encode(image[..., 0]), b""])
    assert records["mode"].tolist() == [b"RGB", b"L", b""]
    assert records["format"].tolist() == [b"JPEG", b"PNG", b""]
    assert records["turn"].tolist() == [6, 1, 0]
    assert records[0]["taken"] == 1714979289.0
    assert (records[0]["height"], records[0]["width"]) == (12, 8)  # upright
    assert isinstance(errors[2], ItemError)


def test_the_head_of_a_file_is_read_whatever_loading_it_changes():
    image = np.random.default_rng(0).integers(0, 255, (8, 12, 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0132] = "2024:05:06 07:08:09"
    exif.get_ifd(0x8769)[0x9003] = "2023:05:06 07:08:09"
    palette = io.BytesIO()
    Image.fromarray(image).convert("P", palette=Image.Palette.ADAPTIVE).save(palette, "GIF")
    records, errors = look_at([*(encode(image, form, exif=exif) for form in ("TIFF", "PNG", "WEBP", "JPEG")), palette.getvalue()])
    assert errors == [None] * 5
    assert records["format"].tolist() == [b"TIFF", b"PNG", b"WEBP", b"JPEG", b"GIF"]
    assert records["taken"].tolist() == [1714979289.0, *[1683356889.0] * 3, 0.0]  # Pillow writes no part about the shot into a TIFF
    assert records["mode"].tolist() == [b"RGB"] * 4 + [b"P"]
    assert (records["bytes"] > 0).all()


def test_a_mended_picture_is_measured_as_it_is_used(tmp_path):
    source = make(5)
    mended = replace(source, read=lambda row: np.full((3, 9), 200, np.uint8), changed=frozenset([2]))
    records, _ = look_at_all(mended, tmp_path / "j", lambda done: None)
    assert records["width"].tolist() == [5, 5, 9, 5, 5]
    assert records["format"].tolist() == [b"PNG"] * 5


def test_arrays_are_measured_without_a_process(tmp_path, monkeypatch):
    monkeypatch.setattr(looking.Decoders, "look", None)
    source = ImageSource(["a", "b"], [0, 1], ["", ""], lambda row: np.full((4, 4), 100 * row, np.uint8))
    records, refused = look_at_all(source, tmp_path / "j", lambda done: None)
    assert records["brightness"].round(3).tolist() == [0.0, np.float32(0.392)]
    assert not refused
