"""JPEG inside packs: whoever decodes, the pixels are the same; files that need no change are kept as they are, without what is no picture in them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from surefoot.data import jpeg
from surefoot.data.pack_folder import pack_folder
from surefoot.types.configs import DataConfig, PrepareConfig


def paint(number: int, height: int = 40, width: int = 56) -> np.ndarray:
    """uint8 (height, width, 3): smooth, and another for each number."""
    small = np.random.default_rng(number).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def save(pixels: np.ndarray | Image.Image, **options) -> bytes:
    file = io.BytesIO()
    (Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels).save(file, "JPEG", **options)
    return file.getvalue()


def decode(file: bytes) -> np.ndarray:
    """uint8 (C, H, W), by Pillow alone."""
    with Image.open(io.BytesIO(file)) as image:
        pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def read_all(files: list[bytes], shape: tuple[int, ...]) -> np.ndarray:
    out = jpeg.allocate(len(files), shape)
    jpeg.decode_into(files, out)
    return out


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "grey"])
def test_both_decoders_give_the_same_pixels(monkeypatch, subsampling):
    fast = pytest.importorskip("simplejpeg", reason="the extra [jpeg] is not installed")
    for height, width in ((40, 56), (33, 17), (1, 1)):
        pixels = [paint(number, height, width) for number in range(9)]
        files = [save(one[..., 0], quality=80) if subsampling == "grey" else save(one, quality=80, subsampling=subsampling) for one in pixels]
        shape, made = decode(files[0]).shape, []
        for module in (fast, None):
            monkeypatch.setattr(jpeg, "_find_fast", lambda module=module: module)
            made.append(read_all(files, shape))
        np.testing.assert_array_equal(made[0], made[1])
        np.testing.assert_array_equal(made[1], [decode(file) for file in files])


@pytest.mark.parametrize("grey", [False, True])
def test_a_pack_decodes_as_pillow_opens_whatever_stands_before_the_pixels(monkeypatch, grey):
    monkeypatch.setattr(jpeg, "_find_fast", lambda: None)
    for height, width in ((40, 56), (33, 17), (1, 1)):
        pixels = paint(3, height, width)
        plain = save(pixels[..., 0] if grey else pixels, quality=90)
        files = [plain, save(Image.open(io.BytesIO(plain)), comment=b"said by a camera"), save(Image.open(io.BytesIO(plain)), progressive=True)]
        np.testing.assert_array_equal(read_all(files, decode(plain).shape), [decode(file) for file in files])


def test_a_file_larger_than_its_pack_says_is_an_error_and_writes_nothing_beyond(monkeypatch):
    monkeypatch.setattr(jpeg, "_find_fast", lambda: None)
    for height, width in ((900, 900), (8, 900), (900, 8), (4, 4)):
        with pytest.raises(ValueError, match="reshape"):
            read_all([save(paint(4, height, width))], (3, 8, 8))


@pytest.mark.parametrize("grey", [False, True])
def test_a_file_of_the_wanted_pixels_is_kept_and_says_nothing_of_where_it_was_taken(grey):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8825)[1] = "N"
    pixels = paint(1)[..., 0] if grey else paint(1)
    file = save(pixels, quality=88, exif=exif, icc_profile=b"profile" * 9, comment=b"hello") + b"what follows the end"
    kept = jpeg.keep(file, decode(file))
    np.testing.assert_array_equal(decode(kept), decode(file))
    np.testing.assert_array_equal(read_all([kept], decode(file).shape)[0], decode(file))
    assert len(kept) < len(file) - 120
    assert not any(told in kept for told in (b"Exif", b"camera", b"profile", b"hello", b"follows"))


def test_what_would_give_other_pixels_or_takes_long_is_not_kept():
    file = save(paint(1), quality=88)
    picture = decode(file)
    assert jpeg.keep(file, picture)
    turned = Image.Exif()
    turned[0x0112] = 3
    assert not jpeg.keep(save(paint(1), quality=88, exif=turned), picture[:, ::-1, ::-1])  # upright pixels, a file that lies on its head
    assert not jpeg.keep(file, picture[:1])
    assert not jpeg.keep(file, picture[:, :-1])
    assert not jpeg.keep(file, picture ^ 1)
    assert not jpeg.keep(save(paint(1), quality=88, progressive=True), picture)
    assert not jpeg.keep(b"\x89PNG\r\n\x1a\n" + bytes(99), picture)
    for cut in (0, 2, 3, 5, 21, len(file) // 2):
        assert not jpeg.keep(file[:cut], picture)


def test_a_pack_of_jpeg_loses_nothing_of_files_that_have_the_wanted_size(tmp_path):
    for number in range(12):
        place = tmp_path / "photos" / "ab"[number % 2] / f"{number:02}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(save(paint(number), quality=70))
    data = DataConfig(source=str(tmp_path / "photos"), side=40)
    exact, small = (pack_folder(data, PrepareConfig(encode=encode), tmp_path / encode) for encode in ("decoded", "jpeg"))
    np.testing.assert_array_equal(small.read_all()[0], exact.read_all()[0])
    with_loss = pack_folder(data.model_copy(update={"side": 20}), PrepareConfig(encode="jpeg"), tmp_path / "halves")
    exact = pack_folder(data.model_copy(update={"side": 20}), PrepareConfig(encode="decoded"), tmp_path / "exact halves")
    assert 0 < np.abs(with_loss.read_all()[0].astype(int) - exact.read_all()[0]).mean() < 12
