"""Bytes -> uint8 pixels: an allow-list of formats, a pixel cap before decoding, and one meaning for every colour mode."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from surefoot.types.source import ItemError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
SUFFIXES = frozenset([".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"])
MAX_PIXELS = 64_000_000
MAX_BYTES = 4 * MAX_PIXELS
"""A larger file can't be an 8-bit picture under the pixel cap, not even an unpacked one."""

WRONG_TYPE, TOO_LARGE, EMPTY, CORRUPT = "data.wrong_type", "data.too_large", "data.empty_item", "data.corrupt_item"

_EXIF, _TAKEN, _WRITTEN = 0x8769, 0x9003, 0x0132
"""The part of EXIF about the shot, and the tags DateTimeOriginal and DateTime (CIPA DC-008)."""

# Our cap is lower than Pillow's and is checked on every picture; what it grumbles about odd metadata is no news to anybody.
warnings.filterwarnings("ignore", module=r"PIL\.")


class Head(NamedTuple):
    """What a file says of itself: mode and format as Pillow calls them, EXIF orientation, 1 to 8, and when the shutter opened, as seconds since 1970."""

    mode: str = ""
    format: str = ""
    turn: int = 0
    taken: float = 0.0


def decode(data: bytes) -> np.ndarray:
    """The pixels of `look` alone."""
    return look(data)[0]


def look(data: bytes) -> tuple[np.ndarray, Head]:
    """Decodes the first frame of a picture, and reads what its file says of itself; opened once for both, which is a third of the time of a small one.

    Args:
        data: a whole file.

    Returns:
        uint8 (H, W) for grey pictures, else (H, W, 3): 16 bits scaled to 8, transparency laid on white, upright by its EXIF orientation; and the head.

    Raises:
        ItemError: empty, no picture of an allowed format, more than 64 megapixels, or corrupt.
    """
    if not data:
        raise ItemError("the file is empty", EMPTY)
    try:
        # Pillow grumbles above 89 and refuses above 179 megapixels while it opens; both are beyond our cap.
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ItemError(f"{image.width} x {image.height} pixels are more than {MAX_PIXELS:,}", TOO_LARGE)
            mode = image.mode  # loading changes that of a palette
            taken = _read_time(image) if image.format == "TIFF" else 0.0  # which lets go of its file when it is loaded
            image.load()
            turn = read_orientation(image)
            return to_pixels(image), Head(mode, image.format or "", turn if 1 <= turn <= 8 else 1, taken or _read_time(image))
    except ItemError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ItemError(f"more than {MAX_PIXELS:,} pixels", TOO_LARGE) from error
    except Exception as error:  # decoders raise whatever the bytes provoke: OSError, SyntaxError, IndexError, struct.error, ...
        if is_picture(data):
            why = "its header is broken" if isinstance(error, UnidentifiedImageError) else str(error)
            raise ItemError(f"the picture can't be decoded: {why}", CORRUPT) from error
        raise ItemError(f"the content is no picture of a known format ({', '.join(FORMATS)})", WRONG_TYPE) from error


def _read_time(image: Image.Image) -> float:
    """When the shutter opened, by the camera's clock, in seconds since 1970; 0 where the file does not say."""
    try:
        exif = image.getexif()
        told = exif.get_ifd(_EXIF).get(_TAKEN) or exif.get(_WRITTEN) if exif else None
        return datetime.strptime(str(told), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC).timestamp() if told else 0.0
    except Exception:  # a broken EXIF block tells no time
        return 0.0


def is_picture(head: bytes) -> bool:
    """Whether the first bytes (16 suffice) are those of an allowed format."""
    if head[:1] == b"P":
        return head[1:2] in b"123456" and head[2:3].isspace()
    if head[:2] == b"BM":
        return head[6:10] == bytes(4)
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"))


def to_pixels(image: Image.Image) -> np.ndarray:
    """A loaded Pillow image of any mode as uint8 (H, W) or (H, W, 3), upright."""
    if image.mode in ("L", "1") and "transparency" not in image.info:
        pixels = np.asarray(image if image.mode == "L" else image.convert("L"))
    elif image.mode.startswith("I"):
        pixels = _scale_16_bits(np.asarray(image))
    elif image.mode == "F":
        raise ItemError("pixels are floating-point numbers, whose range is not agreed on", WRONG_TYPE)
    elif image.mode in ("LA", "La") or (image.mode in ("L", "1")):
        pixels = lay_on_white(np.asarray(image.convert("LA")))[..., 0]
    elif image.mode in ("PA", "RGBA", "RGBa") or "transparency" in image.info:
        pixels = lay_on_white(np.asarray(image.convert("RGBA")))
    else:
        pixels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    return np.ascontiguousarray(_turn_upright(pixels, read_orientation(image)))


def lay_on_white(pixels: np.ndarray) -> np.ndarray:
    """Composites uint8 (..., C + alpha) on white: uint8 (..., C), rounded."""
    colour, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _scale_16_bits(pixels: np.ndarray) -> np.ndarray:
    """0..65535 -> 0..255, rounded: 257 is 65535 / 255, so white stays white."""
    if pixels.size and (pixels.min() < 0 or pixels.max() > 65535):
        raise ItemError("pixels have 32 bits, whose range is not agreed on", WRONG_TYPE)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def read_orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8 in a sound file; 1 where there is none."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # a broken EXIF block says nothing about how the pixels lie
        return 1


def _turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes an EXIF orientation, 1 to 8 (CIPA DC-008, tag 274); anything else means upright."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def to_picture(image: np.ndarray) -> np.ndarray:
    """uint8 (C, H, W), as the net takes it -> (H, W), or (H, W, 3), as pages show it."""
    return image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0)
