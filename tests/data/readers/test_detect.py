"""Names of sources: paths, what lies there, and what to say where nothing does."""

import pytest

from surefoot.data.readers import open_source
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DataError, UsageError

from .samples import photo, read, two_classes, write_files, write_zip


def test_paths_are_relative_to_the_project_or_absolute(tmp_path):
    write_files(tmp_path / "data" / "photos", two_classes())
    (tmp_path / "project").mkdir()
    assert len(read(tmp_path, "data/photos")) == 4
    assert len(read(tmp_path, "./data/photos/")) == 4
    assert len(read(tmp_path / "project", "../data/photos")) == 4
    assert len(read(tmp_path / "project", str(tmp_path / "data" / "photos"))) == 4


@pytest.mark.parametrize(("name", "near"), [("fotos", "photos"), ("Photos.TAR", "photos.tar"), ("phtos/cats", "photos")])
def test_an_absent_source_suggests_what_lies_beside_it(tmp_path, name, near):
    write_files(tmp_path / "photos", two_classes())
    write_files(tmp_path, {"photos.tar": b"x"} if "TAR" in name else {})
    with pytest.raises(DataError, match=f'There is no "{name}"') as caught:
        read(tmp_path, name)
    assert f'Did you mean "{near}"?' in caught.value.next
    assert caught.value.exit_code == 3
    assert caught.value.where == str(tmp_path / name)


def test_an_absent_source_with_nothing_alike_says_where_it_looked_and_for_what(tmp_path):
    with pytest.raises(DataError, match=r'There is no "x\.csv"') as caught:
        read(tmp_path, "x.csv")
    assert "Did you mean" not in caught.value.next
    assert str(tmp_path) in caught.value.next
    assert "class folders" in caught.value.next


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.tar", b"", "is empty"),
        ("train-images-idx3-ubyte", b"", "is empty"),
        ("a.jpg", photo(), "is one picture"),
        ("a.pkl", b"\x80\x04\x95\x00\x00", "of no format that can be read"),
        ("model.pt", b"PK\x03\x04", "of no format that can be read"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "of no format that can be read"),
        ("a.json", b'[{"x": 1}]', "of no format that can be read"),
        ("a.bin", bytes(range(256)), "of no format that can be read"),
    ],
)
def test_other_files_are_an_error(tmp_path, name, content, said):
    write_files(tmp_path, {name: content})
    with pytest.raises(DataError, match=said) as caught:
        read(tmp_path, name)
    assert ("pickle" in caught.value.next) == name.endswith((".pkl", ".pt"))
    assert ("as CSV" in caught.value.next) == name.endswith(".xls")


def test_a_name_that_no_file_can_have_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="can't be read: File name too long"):
        read(tmp_path, "x" * 5000)


def test_settings_that_name_nothing_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match=r"data\.source names no data"):
        open_source(DataConfig(), tmp_path)
    write_files(tmp_path, {"a.csv": "x,y\n1,2\n"})
    with pytest.raises(UsageError, match=r"data\.wild names no data"):
        open_source(DataConfig(source="a.csv"), tmp_path, which="wild")
    with pytest.raises(UsageError, match='There is no data "test"'):
        open_source(DataConfig(source="a.csv"), tmp_path, which="test")


def test_a_file_with_a_colon_in_its_name_is_a_file(tmp_path):
    write_files(tmp_path, {"run:1.csv": "x,y\n1,2\n"})
    assert len(read(tmp_path, "run:1.csv")) == 1


def test_what_a_mac_hides_in_an_archive_of_tables_makes_it_none_of_pictures(tmp_path):
    write_zip(tmp_path / "a.zip", {"t.csv": b"a,y\n" + b"1,u\n2,v\n" * 10, "__MACOSX/._x.jpg": b"no picture"})
    assert len(read(tmp_path, "a.zip", target="y")) == 20
