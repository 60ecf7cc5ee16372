"""IDX files: pairs of pictures and labels, given sets by name, and headers that are checked against the bytes."""

import gzip
import struct

import numpy as np
import pytest

from surefoot.data.readers.idx import read_idx
from surefoot.types.errors import DataError

from .samples import read, write_idx

PIXELS = np.arange(5 * 3 * 4).reshape(5, 3, 4)
LABELS = np.array([3, 1, 4, 1, 5])


def write_pair(folder, prefix="train", suffix=".gz", pixels=PIXELS, labels=LABELS):
    folder.mkdir(exist_ok=True)
    write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", pixels)
    write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", labels)
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_folder_gives_train_and_test_in_this_order(tmp_path, suffix):
    write_pair(tmp_path / "mnist", "train", suffix)
    write_pair(tmp_path / "mnist", "t10k", suffix, PIXELS[:2] + 100, LABELS[:2])
    source = read(tmp_path, "mnist")
    assert source.given_sets == ["train"] * 5 + ["test"] * 2
    assert source.labels == [3, 1, 4, 1, 5, 3, 1]
    assert source.places[0] == f"train-images-idx3-ubyte{suffix}[0]"
    assert source.places[6] == f"t10k-images-idx3-ubyte{suffix}[1]"
    assert np.array_equal(source.read(4), PIXELS[4])
    assert np.array_equal(source.read(6), PIXELS[1] + 100)
    assert source.read(0).dtype == np.uint8


def test_an_item_may_be_changed_without_changing_the_source(tmp_path):
    source = read(write_pair(tmp_path / "mnist").parent, "mnist")
    source.read(1)[:] = 0
    assert np.array_equal(source.read(1), PIXELS[1])


def test_a_single_file_finds_its_labels_beside_it_and_is_no_given_set(tmp_path):
    write_pair(tmp_path, "train")
    write_pair(tmp_path, "t10k", "", PIXELS[:2], LABELS[:2])
    source = read(tmp_path, "train-images-idx3-ubyte.gz", test="t10k-images-idx3-ubyte")
    assert source.given_sets == [""] * 5 + ["test"] * 2
    assert source.labels[5:] == [3, 1]
    assert read(tmp_path, "train-images-idx3-ubyte.gz").places[0] == "train-images-idx3-ubyte.gz[0]"


def test_labels_may_be_unpacked_where_pictures_are_packed(tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", PIXELS)
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
    assert read(tmp_path, "train-images-idx3-ubyte.gz").labels == [3, 1, 4, 1, 5]


def test_packed_and_unpacked_copies_of_one_file_count_once(tmp_path):
    write_pair(tmp_path / "mnist", "train", "")
    write_pair(tmp_path / "mnist", "train", ".gz")
    assert len(read(tmp_path, "mnist")) == 5


def test_colour_pictures_have_four_axes(tmp_path):
    pixels = np.arange(2 * 3 * 4 * 3).reshape(2, 3, 4, 3)
    write_idx(tmp_path / "a-images-idx4-ubyte", pixels)
    write_idx(tmp_path / "a-labels-idx1-ubyte", LABELS[:2])
    assert np.array_equal(read(tmp_path, "a-images-idx4-ubyte").read(1), pixels[1])


def test_other_number_types_are_read_big_endian(tmp_path):
    for code, dtype in ((0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8"), (0x09, "i1")):
        numbers = np.array([1, -2, 100], dtype)
        (tmp_path / "a").write_bytes(bytes([0, 0, code, 1]) + struct.pack(">I", 3) + numbers.tobytes())
        found = read_idx(tmp_path / "a")
        assert found.tolist() == [1, -2, 100]
        assert found.dtype.isnative


def test_missing_labels_are_an_error(tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", PIXELS)
    with pytest.raises(DataError, match="Labels are missing: there is no train-labels-idx1-ubyte"):
        read(tmp_path, "train-images-idx3-ubyte.gz")


def test_a_file_of_labels_is_not_a_source(tmp_path):
    write_pair(tmp_path)
    with pytest.raises(DataError, match="is not named like a file of pictures"):
        read(tmp_path, "train-labels-idx1-ubyte.gz")


def test_two_files_for_one_set_are_an_error_that_names_both(tmp_path):
    write_pair(tmp_path / "emnist", "letters-train")
    write_pair(tmp_path / "emnist", "digits-train")
    with pytest.raises(DataError, match=r'"digits-train-images-idx3-ubyte\.gz" and "letters-train-images-idx3-ubyte\.gz"'):
        read(tmp_path, "emnist")


def test_a_folder_of_labels_alone_is_an_error(tmp_path):
    (tmp_path / "mnist").mkdir()
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte", LABELS)
    with pytest.raises(DataError, match="none named like pictures"):
        read(tmp_path, "mnist")


def test_other_numbers_of_pictures_and_labels_are_an_error(tmp_path):
    write_pair(tmp_path, labels=LABELS[:4])
    with pytest.raises(DataError, match=r"has shape \(5, 3, 4\), but its targets have shape \(4,\)"):
        read(tmp_path, "train-images-idx3-ubyte.gz")


def test_pictures_in_place_of_labels_are_an_error(tmp_path):
    write_pair(tmp_path, labels=PIXELS)
    with pytest.raises(DataError, match="3 axes and its labels have 3"):
        read(tmp_path, "train-images-idx3-ubyte.gz")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"\x01" + data[1:], "no IDX header"),
        (lambda data: data[:2] + b"\x07" + data[3:], "no IDX header"),
        (lambda data: data[:10], "is truncated"),
        (lambda data: data[:-1], "holds fewer bytes"),
        (lambda data: data + b"\0", "holds more bytes"),
        (lambda data: data[:4] + struct.pack(">I", 2**31) + data[8:], "is truncated"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_header_that_does_not_fit_its_bytes_is_an_error_in_three_parts(tmp_path, change, said, packed):
    data = change(bytes([0, 0, 8, 3]) + struct.pack(">3I", *PIXELS.shape) + PIXELS.astype(np.uint8).tobytes())
    path = tmp_path / ("train-images-idx3-ubyte" + (".gz" if packed else ""))
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(DataError, match=rf"{said}|holds fewer bytes" if packed else said) as caught:
        read(tmp_path, path.name)
    assert caught.value.where == str(path)
    assert "checksum" in caught.value.next


def test_a_torn_gzip_is_an_error(tmp_path):
    write_pair(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DataError, match="truncated or damaged"):
        read(tmp_path, path.name)
