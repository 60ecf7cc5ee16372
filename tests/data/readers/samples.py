"""What the tests of the readers read: small pictures, folders, archives and tables made on the spot."""

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from surefoot.data.readers import open_source
from surefoot.types.configs import DataConfig

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def encode(pixels, fmt="PNG", mode=None, **options):
    """Pixels as the bytes of a file."""
    image = Image.fromarray(np.asarray(pixels))
    out = io.BytesIO()
    (image if mode is None else image.convert(mode)).save(out, fmt, **options)
    return out.getvalue()


def colour(shade=100, size=(4, 6)):
    """uint8 (H, W, 3), no two rows or columns alike."""
    height, width = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = shade
    picture[..., 1] = np.arange(height)[:, None] * 10
    picture[..., 2] = np.arange(width)[None] * 10
    return picture


def photo(shade=100):
    """A small PNG."""
    return encode(colour(shade))


def two_classes(prefix=""):
    """Four files in two class folders: path -> bytes."""
    return {f"{prefix}{name}/{k}.png": photo(shade + k) for name, shade in (("cat", 10), ("dog", 200)) for k in range(2)}


def write_files(folder, files):
    """Writes path -> bytes (or text) below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def write_tar(path, files, mode="w", extra=()):
    """Writes a tar of path -> bytes, and then members as they are given."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in extra:
            archive.addfile(member)
    return path


def write_zip(path, files, method=zipfile.ZIP_DEFLATED):
    """Writes a zip of path (or ZipInfo) -> bytes."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content, compress_type=method)
    return path


def write_idx(path, array):
    """Writes an IDX file of bytes (gzip by its suffix)."""
    array = np.asarray(array, np.uint8)
    data = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read(root, source, *, which="source", **config):
    """Opens a source by its name below a folder."""
    return open_source(DataConfig(source=source, **config), root, which=which)


def read_text(root, text, name="table.csv", **config):
    """Opens a table of text that is written first."""
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return read(root, name, **config)


def reasons(source):
    """place -> code of what was refused."""
    return {one.place: one.code for one in source.refused}
