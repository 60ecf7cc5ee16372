"""Archives of pictures are read in place; hostile members are refused, torn archives are errors."""

import io
import tarfile
import time
import zipfile

import numpy as np
import pytest

from surefoot.data.readers import archive
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ItemError

from .samples import colour, encode, photo, read, reasons, two_classes, write_tar, write_zip

KINDS = ["tar", "tar.gz", "tar.xz", "tar.bz2", "tgz", "zip"]


def pack(root, files, kind):
    path = root / f"flowers.{kind}"
    if kind == "zip":
        return write_zip(path, files)
    return write_tar(path, files, {"tar": "w", "tgz": "w:gz"}.get(kind, "w:" + kind[4:]))


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_read_from_every_kind_of_archive_and_nothing_is_unpacked_to_the_disk(tmp_path, kind):
    files = two_classes("flowers/") | {"flowers/.DS_Store": b"x", "__MACOSX/flowers/cat/._0.png": b"x", "flowers/cat/note.txt": b"x" * 40}
    pack(tmp_path, files, kind)
    source = read(tmp_path, f"flowers.{kind}")
    assert source.places == [f"flowers/{name}/{k}.png" for name in ("cat", "dog") for k in (0, 1)]
    assert source.labels == ["cat", "cat", "dog", "dog"]
    assert np.array_equal(source.read(3), colour(201))
    assert np.array_equal(source.read(0), colour(10))
    assert reasons(source) == dict.fromkeys(["flowers/.DS_Store", "__MACOSX/flowers/cat/._0.png", "flowers/cat/note.txt"], "data.wrong_type")
    assert [path.name for path in tmp_path.iterdir()] == [f"flowers.{kind}"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_is_known_by_its_content_whatever_its_name(tmp_path, kind):
    pack(tmp_path, two_classes(), kind).rename(tmp_path / "download")
    assert len(read(tmp_path, "download")) == 4


def test_given_sets_and_long_names_survive_in_an_archive(tmp_path):
    long = "x" * 150
    write_tar(tmp_path / "a.tar", two_classes("data/train/") | {f"data/val/cat/{long}.png": photo()})
    source = read(tmp_path, "a.tar")
    assert source.given_sets.count("val") == 1
    assert any(long in place for place in source.places)


def test_hostile_members_of_a_tar_are_refused_and_the_rest_is_read(tmp_path):
    extra = [
        link("cat/soft.png", "/etc/passwd"),
        link("cat/hard.png", "cat/0.png", tarfile.LNKTYPE),
        link("cat/device.png", "", tarfile.CHRTYPE),
        link("cat/pipe.png", "", tarfile.FIFOTYPE),
    ]
    files = two_classes() | {"/cat/absolute.png": photo(), "../cat/up.png": photo(), "cat/../../up.png": photo(), "C:\\cat\\drive.png": photo()}
    write_tar(tmp_path / "a.tar", files, extra=extra)
    source = read(tmp_path, "a.tar")
    assert len(source) == 4
    found = {one.place: one.reason for one in source.refused}
    assert "absolute" in found["/cat/absolute.png"]
    assert "absolute" in found["C:/cat/drive.png"]
    assert "leads out" in found["../cat/up.png"]
    assert "leads out" in found["cat/../../up.png"]
    assert "link" in found["cat/soft.png"]
    assert "link" in found["cat/hard.png"]
    assert "special" in found["cat/device.png"]
    assert "special" in found["cat/pipe.png"]
    assert len(found) == 8


def test_hostile_members_of_a_zip_are_refused_and_the_rest_is_read(tmp_path):
    soft = zipfile.ZipInfo("cat/soft.png")
    soft.external_attr = 0o120777 << 16
    files = two_classes() | {"/cat/absolute.png": photo(), "..\\cat\\up.png": photo(), soft: b"/etc/passwd", "cat/bomb.png": bytes(40_000_000)}
    write_zip(tmp_path / "a.zip", files)
    source = read(tmp_path, "a.zip")
    assert len(source) == 4
    found = {one.place: one.reason for one in source.refused}
    assert "absolute" in found["/cat/absolute.png"]
    assert "leads out" in found["../cat/up.png"]
    assert "link" in found["cat/soft.png"]
    assert "40,000,000" in found["cat/bomb.png"]
    assert reasons(source)["cat/bomb.png"] == "data.too_large"


def test_a_white_bitmap_shrinks_far_and_is_no_bomb(tmp_path):
    white = np.full((600, 600, 3), 255, np.uint8)
    write_zip(tmp_path / "a.zip", two_classes() | {"cat/white.bmp": encode(white, "BMP")})
    source = read(tmp_path, "a.zip")
    assert np.array_equal(source.read(source.places.index("cat/white.bmp")), white)


def test_encrypted_and_strangely_packed_zip_members_are_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", two_classes(), zipfile.ZIP_STORED)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("cat/odd.png", photo(), zipfile.ZIP_LZMA)
    data = bytearray(path.read_bytes())
    first = data.find(b"PK\1\2")
    data[first + 8] |= 1  # the flag of encryption in the central directory
    path.write_bytes(data)
    found = {one.place: one.reason for one in read(tmp_path, "a.zip").refused}
    assert found["cat/0.png"] == "encrypted"
    assert "method 14" in found["cat/odd.png"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_altered_zip_member_is_corrupt_when_read(tmp_path, method):
    path = write_zip(tmp_path / "a.zip", two_classes(), method)
    data = bytearray(path.read_bytes())
    data[data.find(b"cat/0.png") + 40] ^= 0xFF
    path.write_bytes(data)
    source = read(tmp_path, "a.zip")
    with pytest.raises(ItemError, match="taken out of the archive") as caught:
        source.read(0)
    assert caught.value.code == "data.corrupt_item"
    assert source.read(1).shape == (4, 6, 3)


def test_of_two_members_with_one_name_the_later_counts_and_the_earlier_is_listed(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for name, content in [*two_classes().items(), ("cat/0.png", photo(99))]:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    source = read(tmp_path, "a.tar")
    assert np.array_equal(source.read(0), colour(99))
    assert reasons(source) == {"cat/0.png": "data.wrong_type"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_torn_archive_is_an_error_in_three_parts(tmp_path, kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    path = pack(tmp_path, two_classes() | {"dog/noise.png": encode(noise)}, kind)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data.rstrip(b"\0")) * share)])
    with pytest.raises(DataError, match=r"is torn or no archive") as caught:
        read(tmp_path, path.name)
    assert caught.value.where == str(path)
    assert "again" in caught.value.next


def test_a_broken_header_in_the_middle_of_a_tar_does_not_end_it_in_silence(tmp_path):
    path = write_tar(tmp_path / "a.tar", two_classes())
    data = bytearray(path.read_bytes())
    data[data.find(b"dog/0.png") + 150] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"header at byte [\d,]+ is broken"):
        read(tmp_path, "a.tar")


def test_a_tar_header_that_leads_backwards_does_not_hang(tmp_path):
    path = write_tar(tmp_path / "a.tar", two_classes())
    data = bytearray(path.read_bytes())
    at = data.find(b"dog/0.png")
    data[at + 124 : at + 136] = b"\xff" * 8 + (-2048).to_bytes(4, "big", signed=True)  # base 256: a size below zero
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    path.write_bytes(data)
    with pytest.raises(DataError, match="torn or no archive"):
        read(tmp_path, "a.tar")


def test_a_packed_tar_that_is_too_large_for_memory_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_HELD_BYTES", 2**20)
    write_tar(tmp_path / "a.tar.gz", two_classes() | {"cat/zeros.bin": bytes(2**21)}, "w:gz")
    with pytest.raises(UsageError, match="more than 1 MiB") as caught:
        read(tmp_path, "a.tar.gz")
    assert "plain .tar or a .zip" in caught.value.next
    write_tar(tmp_path / "a.tar", two_classes() | {"cat/zeros.bin": bytes(2**21)})
    assert len(read(tmp_path, "a.tar")) == 4


def test_an_archive_without_pictures_or_labels_is_an_error(tmp_path):
    with pytest.raises(DataError, match="holds no pictures"):
        read(tmp_path, write_zip(tmp_path / "a.zip", {"a.dat": b"x,y\n1,2"}).name)
    with pytest.raises(DataError, match="Labels are missing"):
        read(tmp_path, write_tar(tmp_path / "b.tar", {"1.png": photo()}).name)


def test_the_fingerprint_is_that_of_the_archive_file(tmp_path):
    first = read(tmp_path, write_tar(tmp_path / "a.tar", two_classes()).name).fingerprint
    assert first == read(tmp_path, "a.tar").fingerprint
    write_tar(tmp_path / "a.tar", two_classes() | {"cat/2.png": photo()})
    assert first != read(tmp_path, "a.tar").fingerprint


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_items_are_found_wherever_they_lie_without_reading_what_comes_before(tmp_path, kind):
    """The last item costs no more than the first: 6,000 items read backwards take seconds at most, not minutes."""
    tiny = encode(np.zeros((1, 1), np.uint8))
    pack(tmp_path, {f"{k % 2}/{k:05}.png": tiny for k in range(6000)}, kind)
    began = time.perf_counter()
    source = read(tmp_path, f"flowers.{kind}")
    for row in reversed(range(len(source))):
        assert source.read(row).shape == (1, 1)
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_header_is_read_as_tarfile_reads_it(tmp_path, kind):
    names = ["a.txt", f"{'folder/' * 15}deep.txt", "Å.txt", "x" * (99 if kind == tarfile.USTAR_FORMAT else 120), "folder", "link", "y" * 100]
    path = tmp_path / "names.tar"
    with tarfile.open(path, "w", format=kind) as tar:
        for number, name in enumerate(names):
            member = tarfile.TarInfo(name)
            member.type, member.size = {"folder": (tarfile.DIRTYPE, 0), "link": (tarfile.SYMTYPE, 0)}.get(name, (tarfile.REGTYPE, 700 * number))
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    with tarfile.open(path) as slow, tarfile.open(path, tarinfo=archive._Header) as fast:
        told = [[(one.name, one.size, one.type, one.offset_data) for one in tar] for tar in (slow, fast)]
    assert told[0] == told[1]
    assert len(told[0]) == len(names)
