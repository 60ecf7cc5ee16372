"""The user's own data set: any object with a length and items (input, target)."""

import numpy as np
import pytest

from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ItemError

from .samples import read, write_files

HEAD = "import numpy as np\nfrom PIL import Image\n"


def open_code(root, body, name="Frogs"):
    write_files(root, {"my_code.py": HEAD + body})
    return read(root, f"my_code:{name}")


def make(item, length=4):
    """The source of a class whose items are `item`, an expression in i."""
    return f"class Frogs:\n    def __len__(self):\n        return {length}\n    def __getitem__(self, i):\n        return {item}\n"


def test_fifteen_lines_of_the_user_s_are_a_data_set_of_pictures(tmp_path):
    source = open_code(tmp_path, make("np.full((3, 5, 3), 10 * i, np.uint8), 'ab'[i % 2]"))
    assert source.kind == "image"
    assert source.labels == ["a", "b", "a", "b"]
    assert source.places == [f"my_code:Frogs[{k}]" for k in range(4)]
    assert (source.read(2) == 20).all()
    assert source.read(2).shape == (3, 5, 3)
    assert source.given_sets == [""] * 4


def test_pillow_images_and_channels_first_are_pictures_too(tmp_path):
    assert open_code(tmp_path, make("Image.new('RGBA', (5, 3)), i")).read(0).shape == (3, 5, 3)
    source = open_code(tmp_path, make("np.arange(3 * 5 * 7).reshape(3, 5, 7) / 104.0, np.int64(i)"))
    assert source.read(0).shape == (5, 7, 3)
    assert source.labels == [0, 1, 2, 3]
    assert "0..1" in source.notes[0]


def test_tensors_are_taken_without_asking_what_they_are(tmp_path):
    torch = pytest.importorskip("torch")
    source = open_code(tmp_path, "import torch\n" + make("torch.full((1, 5, 7), i / 3), torch.tensor(i)"))
    assert source.labels == [0, 1, 2, 3]
    assert np.array_equal(source.read(3), np.full((5, 7), 255))
    assert torch.is_tensor(torch.zeros(1))


def test_vectors_are_targets_of_several_numbers(tmp_path):
    labels = open_code(tmp_path, make("np.zeros((3, 3), np.uint8), [i / 2, 1.0]")).labels
    assert np.array_equal(labels, [[0, 1], [0.5, 1], [1, 1], [1.5, 1]])


def test_rows_and_mappings_become_tables(tmp_path):
    source = open_code(tmp_path, make("np.array([i, 2.5 * i]), i % 2"))
    assert list(source.columns) == ["x0", "x1", "target"]
    assert source.columns["x1"].tolist() == [0, 2.5, 5, 7.5]
    source = open_code(tmp_path, make("{'size': np.float32(i), 'colour': 'red' if i else None}, ('yes', 'no')[i % 2]"))
    assert source.columns["size"].tolist() == [0, 1, 2, 3]
    assert source.columns["colour"].tolist() == [None, "red", "red", "red"]
    assert source.columns["target"].tolist() == ["yes", "no", "yes", "no"]
    assert source.suggested_target == ("target",)


def test_a_picture_without_one_usable_pixel_is_an_item_error_and_spoils_no_scale(tmp_path):
    source = open_code(tmp_path, make("np.full((3, 3), [0.0, 1.0, 0.5, np.nan][i]), i"))
    assert [int(source.read(row)[0, 0]) for row in range(3)] == [0, 255, 128]
    with pytest.raises(ItemError, match="NaN"):
        source.read(3)


def test_the_fingerprint_follows_the_content(tmp_path):
    first = open_code(tmp_path, make("np.full((3, 3), i, np.uint8), i")).fingerprint
    assert first == open_code(tmp_path, "\n" + make("np.full((3, 3), i, np.uint8), i")).fingerprint
    assert first != open_code(tmp_path, make("np.full((3, 3), i + 1, np.uint8), i")).fingerprint
    assert first != open_code(tmp_path, make("np.full((3, 3), i, np.uint8), i + 1")).fingerprint
    rows = open_code(tmp_path, make("[i, 1.0], i")).fingerprint
    assert rows != open_code(tmp_path, make("[i, 2.0], i")).fingerprint


def test_what_the_user_s_code_raises_is_passed_on_with_a_note(tmp_path):
    with pytest.raises(ZeroDivisionError, match="division by zero") as caught:
        open_code(tmp_path, make("np.zeros((3, 3)), 1 / (i - 2)"))
    assert caught.value.__notes__ == ["while: reading item 2 of my_code:Frogs"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (make("np.zeros((3, 3))"), "gives a ndarray as item 0"),
        (make("np.zeros((3, 3)), 1, 2, 3"), "gives a tuple as item 0"),
        (make("np.zeros((3, 3)), 1, 2"), "gives 4 ids, 1 of them different, for 4 items"),
        (make("i, i", 0), "is empty"),
        (make("np.zeros((3, 3, 3, 3)), 1"), r"shape \(3, 3, 3, 3\)"),
        (make("np.zeros(2 + i), 1"), "different shapes"),
        (make("{'a': object()}, 1"), "neither words nor numbers"),
        (make("np.zeros((3, 3)), [0] * (i + 1)"), "targets of different shapes"),
        ("def Frogs():\n    return 3\n", "makes a int"),
    ],
)
def test_other_objects_are_an_error_that_says_what_came_instead(tmp_path, body, said):
    with pytest.raises(DataError, match=said) as caught:
        open_code(tmp_path, body)
    assert "my_code:Frogs" in caught.value.where
    assert "(input, target)" in caught.value.next


def test_a_wrong_name_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="has no 'Frog'") as caught:
        open_code(tmp_path, make("i, i"), "Frog")
    assert "Frogs" in caught.value.next
