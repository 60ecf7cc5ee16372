"""Pictures of every mode and every kind of dirt become uint8 pixels, or are refused by name."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.data.readers.samples import colour, encode, photo

from surefoot.data.pictures import MAX_PIXELS, decode, is_picture
from surefoot.types.source import ItemError

GREY = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def refuse(data):
    with pytest.raises(ItemError, match=r"\w") as caught:
        decode(data)
    return caught.value


@pytest.mark.parametrize("fmt", ["PNG", "BMP", "WEBP", "TIFF", "PPM"])
def test_lossless_formats_keep_every_pixel(fmt):
    options = {"lossless": True} if fmt == "WEBP" else {}
    assert np.array_equal(decode(encode(colour(), fmt, **options)), colour())


def test_jpeg_and_gif_keep_size_and_roughly_the_colours():
    assert np.abs(decode(encode(colour(), "JPEG", quality=95)).astype(int) - colour()).mean() < 20
    assert decode(encode(colour(), "GIF")).shape == (4, 6, 3)


def test_grey_stays_one_channel():
    assert np.array_equal(decode(encode(GREY)), GREY)


def test_one_bit_becomes_black_and_white():
    pixels = decode(encode(GREY > 100))
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, np.where(GREY > 100, 255, 0))


@pytest.mark.parametrize("fmt", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_so_that_white_stays_white(fmt):
    wide = np.array([[0, 257, 32896], [65535, 300, 65400]], np.uint16)
    assert np.array_equal(decode(encode(wide, fmt)), [[0, 1, 128], [255, 1, 254]])


def test_thirty_two_bit_and_float_pixels_are_refused_because_their_range_is_unknown():
    assert refuse(encode(np.array([[0, 70000]], np.int32), "TIFF")).code == "data.wrong_type"
    assert refuse(encode(np.array([[0.0, 1.0]], np.float32), "TIFF")).code == "data.wrong_type"


def test_a_palette_gives_its_colours():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    out = BytesIO()
    image.save(out, "PNG")
    assert decode(out.getvalue()).tolist() == [[[255, 0, 0], [0, 255, 0]]]
    out = BytesIO()
    image.save(out, "PNG", transparency=1)
    assert decode(out.getvalue()).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_alpha_is_laid_on_white():
    clear = np.dstack([colour(0), np.zeros((4, 6), np.uint8)])
    half = np.dstack([np.zeros((4, 6, 3), np.uint8), np.full((4, 6), 128, np.uint8)])
    assert (decode(encode(clear)) == 255).all()
    assert (decode(encode(half)) == 127).all()


def test_grey_with_alpha_stays_grey():
    image = Image.fromarray(GREY).convert("LA")
    image.putalpha(Image.fromarray(np.where(GREY > 100, 255, 0).astype(np.uint8)))
    out = BytesIO()
    image.save(out, "PNG")
    assert np.array_equal(decode(out.getvalue()), np.where(GREY > 100, GREY, 255))


def test_a_transparent_colour_of_a_picture_without_alpha_becomes_white():
    out = BytesIO()
    Image.fromarray(GREY).save(out, "PNG", transparency=50)
    assert np.array_equal(decode(out.getvalue()), np.where(GREY == 50, 255, GREY))
    out = BytesIO()
    Image.fromarray(colour()).save(out, "PNG", transparency=(100, 0, 0))
    assert decode(out.getvalue())[0, 0].tolist() == [255, 255, 255]
    assert decode(out.getvalue())[1, 1].tolist() == [100, 10, 10]


def test_cmyk_becomes_rgb():
    out = BytesIO()
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(out, "JPEG", quality=100)
    red = decode(out.getvalue())[4, 4].astype(int)
    assert red[0] > 240
    assert red[1:].max() < 15


@pytest.mark.parametrize("fmt", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_counts(fmt):
    frames = [Image.fromarray(np.full((4, 4, 3), shade, np.uint8)) for shade in (0, 255)]
    out = BytesIO()
    frames[0].save(out, fmt, save_all=True, append_images=frames[1:])
    assert decode(out.getvalue()).max() < 10


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["PNG", "TIFF"])
def test_exif_orientation_is_undone(fmt, orientation):
    upright = colour()
    # What a camera stores for each orientation (CIPA DC-008): the inverse of what a viewer does.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode(encode(np.ascontiguousarray(stored), fmt, exif=exif))
    assert np.array_equal(pixels, upright)
    assert pixels.flags.c_contiguous


def test_an_empty_file_is_an_empty_item():
    assert refuse(b"").code == "data.empty_item"


def test_text_named_like_a_picture_is_of_the_wrong_type():
    assert refuse(b"Meeting at noon, bring the photos.").code == "data.wrong_type"


@pytest.mark.parametrize("fmt", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_a_truncated_picture_is_corrupt(fmt):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    whole = encode(noise, fmt)
    assert refuse(whole[: len(whole) // 2]).code == "data.corrupt_item"


def test_a_picture_of_which_only_the_mark_is_left_is_corrupt_and_its_reason_is_the_same_each_time():
    error = refuse(photo()[:20])
    assert error.code == "data.corrupt_item"
    assert error.reason == refuse(photo()[:20]).reason


def test_a_flipped_byte_in_a_png_is_noticed():
    data = bytearray(photo())
    data[len(data) // 2] ^= 0xFF
    assert refuse(bytes(data)).code == "data.corrupt_item"


@pytest.mark.parametrize("side", [8001, 10_000, 60_000])
def test_a_huge_picture_is_refused_by_its_header_before_it_is_decoded(side):
    header = struct.pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    chunks = b""
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")):
        chunks += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    error = refuse(b"\x89PNG\r\n\x1a\n" + chunks)
    assert error.code == "data.too_large"
    assert f"{MAX_PIXELS:,}" in error.reason


@pytest.mark.parametrize("fmt", ["ICO", "TGA", "PCX", "EPS"])
def test_formats_that_are_not_on_the_list_are_refused(fmt):
    assert refuse(encode(colour(size=(32, 32)), fmt)).code == "data.wrong_type"


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    start=st.sampled_from([encode(colour(), fmt) for fmt in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")]),
    at=st.integers(0, 400),
    junk=st.binary(max_size=30),
)
def test_whatever_the_bytes_are_the_answer_is_pixels_or_an_item_error(start, at, junk):
    data = start[:at] + junk + start[at + len(junk) :]
    try:
        pixels = decode(data)
    except ItemError as error:
        code, pixels = error.code, np.zeros((1, 1), np.uint8)
    else:
        code = ""
    assert code in {"", "data.corrupt_item", "data.wrong_type", "data.too_large", "data.empty_item"}
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 2 or pixels.shape[2] == 3


def test_pictures_are_known_by_their_first_sixteen_bytes():
    assert all(is_picture(encode(colour(), fmt)[:16]) for fmt in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM"))
    assert not any(is_picture(head) for head in (b"", b"P", b"BMW is a maker of cars", b"RIFFxxxxWAVE", b"%PDF-1.7", b"P5"))
