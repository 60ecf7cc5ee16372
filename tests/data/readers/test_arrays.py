"""NumPy archives: keys, shapes, ranges of pixels, and no pickle."""

import zipfile

import numpy as np
import pytest

from surefoot.data.readers.blocks import choose_scale
from surefoot.types.errors import DataError
from surefoot.types.source import ItemError

from .samples import read

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 4, 5), dtype=np.uint8)
PIXELS[0, 0, :2] = 0, 255
CLASSES = np.array([0, 1, 2, 0, 1, 2])


def open_arrays(root, **arrays):
    np.savez(root / "a.npz", **arrays)
    return read(root, "a.npz")


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("X", "Y"), ("X", "y"), ("images", "labels"), ("data", "target"), ("data", "labels")])
def test_usual_names_of_keys_are_known(tmp_path, x, y):
    source = open_arrays(tmp_path, **{x: PIXELS, y: CLASSES})
    assert source.labels == [0, 1, 2, 0, 1, 2]
    assert source.places[2] == f"{x}[2]"
    assert np.array_equal(source.read(2), PIXELS[2])


@pytest.mark.parametrize("names", [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")])
def test_keys_with_set_names_are_given_sets(tmp_path, names):
    source = open_arrays(tmp_path, **dict(zip(names, (PIXELS[:4], CLASSES[:4], PIXELS[4:], CLASSES[4:]), strict=True)))
    assert source.given_sets == ["train"] * 4 + ["test"] * 2
    assert source.places[4] == f"{names[2]}[0]"
    assert np.array_equal(source.read(5), PIXELS[5])


def test_other_keys_are_named_and_not_read(tmp_path):
    assert open_arrays(tmp_path, x=PIXELS, y=CLASSES, names=np.array(["a", "b", "c"])).notes == ['a.npz also holds "names", which was not read.']


@pytest.mark.parametrize(
    "arrays",
    [{"train": PIXELS, "classes": CLASSES}, {"x_all": PIXELS, "y": CLASSES}, {"x": PIXELS}, {"x_train": PIXELS, "y_test": CLASSES}, {"y": CLASSES}, {}],
)
def test_missing_keys_are_an_error_that_lists_what_is_there(tmp_path, arrays):
    with pytest.raises(DataError, match="which are not inputs with targets") as caught:
        open_arrays(tmp_path, **arrays)
    assert all(f'"{key}"' in caught.value.what for key in arrays)
    assert "x_train" in caught.value.next


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (PIXELS / 255, "0..1"),
        (PIXELS.astype(np.float32), "0..255"),
        (PIXELS / 127.5 - 1, "-1..1"),
        (PIXELS.astype(np.uint16) * 257, "0..65535"),
        (PIXELS.astype(np.uint16) * 16, "0..4080"),
        (PIXELS * 3.0 - 100, "no customary range"),
    ],
)
def test_pixels_of_other_ranges_are_scaled_to_bytes_and_it_is_said(tmp_path, pixels, said):
    source = open_arrays(tmp_path, x=pixels, y=CLASSES)
    assert said in source.notes[0]
    for row in range(6):
        assert source.read(row).dtype == np.uint8
        assert np.abs(source.read(row).astype(int) - PIXELS[row]).max() <= 1


def test_bytes_and_whole_numbers_up_to_255_are_taken_as_they_are(tmp_path):
    for dtype in (np.uint8, np.int64):
        source = open_arrays(tmp_path, x=PIXELS.astype(dtype), y=CLASSES)
        assert source.notes == []
        assert np.array_equal(source.read(3), PIXELS[3])


def test_black_and_white_as_false_and_true_becomes_0_and_255(tmp_path):
    assert np.array_equal(open_arrays(tmp_path, x=PIXELS > 99, y=CLASSES).read(1), np.where(PIXELS[1] > 99, 255, 0))


def test_small_numbers_are_a_range_of_their_own():
    assert choose_scale(0, 16, np.dtype(float)).factor == 255 / 16
    assert choose_scale(3.0, 3.0, np.dtype(float)).factor == 0


def test_train_and_test_share_one_scale(tmp_path):
    source = open_arrays(tmp_path, x_train=np.full((2, 2, 2), 1000.0), y_train=[0, 1], x_test=np.zeros((2, 2, 2)), y_test=[0, 1])
    assert (source.read(0) == 255).all()
    assert (source.read(2) == 0).all()


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_a_set_that_alone_was_divided_by_255_is_brought_to_the_range_of_the_others_and_it_is_said(tmp_path, kind):
    source = open_arrays(tmp_path, x_train=PIXELS.astype(kind), y_train=CLASSES, x_test=PIXELS / 255, y_test=CLASSES)
    assert all((source.read(row) == source.read(row + 6)).all() for row in range(6))
    assert source.notes == ['Pixels are in 0..1 in "x_test" and in 0..255 in "x_train"; the former were scaled to 0..255.']


@pytest.mark.parametrize("dark", [np.zeros((2, 2, 2)), np.eye(2)[None].repeat(2, 0)])
def test_a_set_that_is_merely_dark_keeps_the_scale_of_the_others(tmp_path, dark):
    source = open_arrays(tmp_path, x_train=np.full((2, 2, 2), 200.0), y_train=[0, 1], x_test=dark, y_test=[0, 1])
    assert (source.read(2) == dark[0]).all()


def test_items_with_pixels_that_are_no_numbers_are_item_errors(tmp_path):
    pixels = PIXELS / 255
    pixels[3, 1, 1] = np.nan
    source = open_arrays(tmp_path, x=pixels, y=CLASSES)
    with pytest.raises(ItemError, match="NaN") as caught:
        source.read(3)
    assert caught.value.code == "data.corrupt_item"
    assert np.abs(source.read(2).astype(int) - PIXELS[2]).max() <= 1


@pytest.mark.parametrize(("shape", "read_as"), [((6, 4, 5, 1), (4, 5)), ((6, 4, 5, 3), (4, 5, 3)), ((6, 3, 4, 5), (4, 5, 3)), ((6, 1, 4, 5), (4, 5))])
def test_channels_may_be_last_or_first(tmp_path, shape, read_as):
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    source = open_arrays(tmp_path, x=pixels, y=CLASSES)
    assert source.read(0).shape == read_as
    assert bool(source.notes) == (shape[1] in (1, 3))
    if shape == (6, 3, 4, 5):
        assert np.array_equal(source.read(2), pixels[2].transpose(1, 2, 0))


def test_a_fourth_channel_is_alpha_on_white(tmp_path):
    pixels = np.zeros((6, 4, 5, 4), np.uint8)
    assert (open_arrays(tmp_path, x=pixels, y=CLASSES).read(0) == 255).all()


@pytest.mark.parametrize("shape", [(6, 4, 5, 2), (6,), (6, 2, 2, 2, 3), (6, 0, 5)])
def test_other_shapes_are_an_error(tmp_path, shape):
    with pytest.raises(DataError, match=r"shape"):
        open_arrays(tmp_path, x=np.zeros(shape, np.uint8), y=CLASSES)


@pytest.mark.parametrize("targets", [CLASSES[:5], np.float64(3), np.array(CLASSES, complex)])
def test_targets_that_do_not_fit_are_an_error(tmp_path, targets):
    with pytest.raises(DataError, match="targets"):
        open_arrays(tmp_path, x=PIXELS, y=targets)


@pytest.mark.parametrize(
    ("targets", "labels", "said"),
    [
        (np.array(list("abcabc")), list("abcabc"), ""),
        (np.array(list("abcabc")).astype("S"), list("abcabc"), ""),
        (CLASSES[:, None].astype(np.uint8), [0, 1, 2, 0, 1, 2], ""),
        (CLASSES.astype(float), [0, 1, 2, 0, 1, 2], "whole numbers"),
        (np.eye(3)[CLASSES], [0, 1, 2, 0, 1, 2], "one-hot"),
        (CLASSES > 0, [0, 1, 1, 0, 1, 1], ""),
        (np.array([0, 1, np.nan, 0, 1, 2]), [0, 1, None, 0, 1, 2], "whole numbers"),
    ],
)
def test_class_targets_of_every_form_become_words_or_ints(tmp_path, targets, labels, said):
    source = open_arrays(tmp_path, x=PIXELS, y=targets)
    assert source.labels == labels
    assert all(label is None or type(label) in (int, str) for label in source.labels)
    assert (said in source.notes[0]) if said else source.notes == []


@pytest.mark.parametrize("inputs", [PIXELS, np.ones((6, 3))], ids=["pictures", "rows"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_byte_strings_in_an_older_encoding_stay_apart_and_it_is_said(tmp_path, inputs, encoding):
    words = ["Bär", "Bör", "a"] * 2
    source = open_arrays(tmp_path, x=inputs, y=np.array([word.encode(encoding) for word in words]))
    labels = source.labels if source.kind == "image" else source.columns["target"].tolist()
    assert labels == words
    assert ["is not UTF-8; it was read as Windows-1252" in note for note in source.notes] == [True] * (encoding == "cp1252")


def test_several_labels_and_numbers_become_vectors(tmp_path):
    several = np.array([[1, 1, 0], [0, 0, 0], [0, 1, 1]] * 2)
    assert np.array_equal(open_arrays(tmp_path, x=PIXELS, y=several).labels, several)
    numbers = np.array([0.5, 1.5, 2.25, 3.0, 4.0, 5.0])
    labels = open_arrays(tmp_path, x=PIXELS, y=numbers).labels
    assert np.array_equal(np.stack(labels)[:, 0], numbers)
    assert labels[0].dtype == np.float64


def test_rows_of_numbers_become_a_table(tmp_path):
    source = open_arrays(tmp_path, x=np.arange(12).reshape(6, 2), y=CLASSES)
    assert source.kind == "table"
    assert list(source.columns) == ["x0", "x1", "target"]
    assert source.columns["x1"].tolist() == [1, 3, 5, 7, 9, 11]
    assert source.columns["target"].tolist() == [0, 1, 2, 0, 1, 2]
    assert source.suggested_target == ("target",)
    assert source.places[3] == "x[3]"


def test_rows_with_words_or_vectors_as_targets(tmp_path):
    assert open_arrays(tmp_path, x=np.ones((2, 3)), y=np.array(["yes", "no"])).columns["target"].tolist() == ["yes", "no"]
    source = open_arrays(tmp_path, x=np.ones((2, 3)), y=np.array([[1.0, 2], [3, 4]]))
    assert source.suggested_target == ("target_0", "target_1")
    assert source.columns["target_1"].tolist() == [2, 4]


def test_rows_with_given_sets_and_unused_keys(tmp_path):
    source = open_arrays(tmp_path, x_train=np.ones((2, 3)), y_train=[0, 1], x_val=np.zeros((1, 3)), y_val=[1], info=np.ones(3))
    assert source.given_sets == ["train", "train", "val"]
    assert '"info"' in source.notes[0]


def test_a_pickle_is_never_loaded(tmp_path):
    with pytest.raises(DataError, match="pickled objects, which are never loaded") as caught:
        open_arrays(tmp_path, x=PIXELS, y=np.array([{}, [], 1, 2, 3, 4], dtype=object))
    assert "dtype object" in caught.value.next


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_torn_file_is_an_error(tmp_path, share):
    np.savez(tmp_path / "a.npz", x=PIXELS, y=CLASSES)
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match="torn or no NumPy archive"):
        read(tmp_path, "a.npz")


def test_other_content_named_like_an_archive_is_an_error(tmp_path):
    np.save(tmp_path / "b.npy", PIXELS)
    for content in (b"junk", (tmp_path / "b.npy").read_bytes()):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(DataError, match="torn or no NumPy archive: its content is something else"):
            read(tmp_path, "a.npz")


def test_an_encrypted_member_is_an_error(tmp_path):
    np.savez(tmp_path / "a.npz", x=PIXELS, y=CLASSES)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(mark) + offset] |= 1
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"torn or no NumPy archive.*encrypted"):
        read(tmp_path, "a.npz")


def test_members_that_are_no_arrays_are_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("x.npy", b"\x93NUMPY junk")
        file.writestr("y.npy", b"junk")
    with pytest.raises(DataError, match="torn or no NumPy archive"):
        read(tmp_path, "a.npz")


def test_long_whole_numbers_as_targets_stay_apart(tmp_path):
    np.savez(tmp_path / "t.npz", x=np.arange(6.0).reshape(3, 2), y=np.array([2**53, 2**53 + 1, 2**53]))
    assert read(tmp_path, "t.npz").columns["target"].tolist() == ["9007199254740992", "9007199254740993", "9007199254740992"]
