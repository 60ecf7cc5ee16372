"""Folders of pictures: classes, given sets, wrapping folders, and everything that is no picture listed with its reason."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from surefoot.types.errors import DataError
from surefoot.types.source import ItemError

from .samples import colour, encode, photo, read, reasons, two_classes, write_files


def open_files(root, files, **config):
    write_files(root / "photos", files)
    return read(root, "photos", **config)


def test_class_folders_are_labels_and_items_come_in_the_order_of_their_paths(tmp_path):
    source = open_files(tmp_path, two_classes())
    assert source.places == ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"]
    assert source.labels == ["cat", "cat", "dog", "dog"]
    assert source.given_sets == [""] * 4
    assert source.refused == []
    assert np.array_equal(source.read(2), colour(200))


def test_single_wrapping_folders_are_skipped(tmp_path):
    source = open_files(tmp_path, two_classes("download/flowers/"))
    assert set(source.labels) == {"cat", "dog"}
    assert source.places[0] == "download/flowers/cat/0.png"


def test_a_picture_beside_the_wrapping_folder_is_listed_and_does_not_hide_the_classes(tmp_path):
    source = open_files(tmp_path, two_classes("flowers/") | {"cover.png": photo(), "flowers/title.png": photo()})
    assert set(source.labels) == {"cat", "dog"}
    assert reasons(source) == {"cover.png": "data.wrong_type", "flowers/title.png": "data.wrong_type"}
    assert "no class folder" in source.refused[0].reason


@pytest.mark.parametrize(("name", "given"), [("val", "val"), ("valid", "val"), ("validation", "val"), ("Test", "test"), ("testing", "test")])
def test_set_folders_are_given_sets(tmp_path, name, given):
    source = open_files(tmp_path, two_classes("train/") | two_classes(f"{name}/"))
    assert dict(zip(source.places, source.given_sets, strict=True))["train/dog/1.png"] == "train"
    assert dict(zip(source.places, source.given_sets, strict=True))[f"{name}/dog/1.png"] == given
    assert set(source.labels) == {"cat", "dog"}


def test_set_folders_are_found_below_a_wrapping_folder_and_above_one(tmp_path):
    source = open_files(tmp_path, two_classes("data/train/images/") | two_classes("data/test/images/"))
    assert set(source.labels) == {"cat", "dog"}
    assert sorted(set(source.given_sets)) == ["test", "train"]


def test_set_folders_inside_class_folders_are_given_sets_too(tmp_path):
    files = {f"{name}/{part}/0.png": photo() for name in ("cat", "dog") for part in ("train", "test")}
    source = open_files(tmp_path, files)
    assert source.labels == ["cat", "cat", "dog", "dog"]
    assert source.given_sets == ["test", "train", "test", "train"]


def test_a_class_called_train_among_other_classes_is_a_class(tmp_path):
    source = open_files(tmp_path, {f"{name}/0.png": photo() for name in ("bus", "train", "tram")})
    assert source.labels == ["bus", "train", "tram"]
    assert source.given_sets == ["", "", ""]


def test_unlabelled_pictures_of_a_given_test_set_are_refused(tmp_path):
    source = open_files(tmp_path, two_classes("train/") | {"test/1.png": photo()})
    assert reasons(source) == {"test/1.png": "data.wrong_type"}
    assert len(source) == 4


def test_folders_beside_the_set_folders_are_refused(tmp_path):
    source = open_files(tmp_path, two_classes("train/") | two_classes("test/") | {"extra/cat/0.png": photo()})
    assert reasons(source) == {"extra/cat/0.png": "data.wrong_type"}


def test_subfolders_of_a_class_belong_to_it_and_it_is_said(tmp_path):
    source = open_files(tmp_path, {"cat/old/0.png": photo(), "cat/1.png": photo(), "dog/0.png": photo()})
    assert source.labels == ["cat", "cat", "dog"]
    assert "cat/old" in source.notes[0]


def test_what_is_no_picture_is_refused_and_nothing_is_dropped_in_silence(tmp_path):
    junk = {
        ".DS_Store": b"\0\0\0\1Bud1",
        "cat/Thumbs.db": b"\xd0\xcf\x11\xe0",
        "cat/.hidden.png": photo(),
        "dog/notes.txt": b"bring food",
        "dog/clip.mp4": b"\0\0\0\x20ftypisom",
        "dog/nothing": b"",
        "readme.md": b"# Photos",
    }
    source = open_files(tmp_path, two_classes() | junk | {"__MACOSX/cat/._0.png": b"junk"})
    assert reasons(source) == dict.fromkeys([*junk, "__MACOSX"], "data.wrong_type")
    assert len(source) == 4


def test_an_empty_class_folder_is_listed(tmp_path):
    (tmp_path / "photos" / "bird").mkdir(parents=True)
    assert reasons(open_files(tmp_path, two_classes())) == {"bird/": "data.empty_item"}


def test_a_picture_without_suffix_is_known_by_its_content(tmp_path):
    source = open_files(tmp_path, two_classes() | {"cat/IMG_0007": photo(), "cat/IMG_0008.dat": encode(colour(), "JPEG")})
    assert source.places[2:4] == ["cat/IMG_0007", "cat/IMG_0008.dat"]
    assert source.read(2).shape == (4, 6, 3)


def test_sizes_and_modes_may_vary(tmp_path):
    source = open_files(tmp_path, two_classes() | {"cat/grey.png": encode(np.zeros((9, 5), np.uint8)), "dog/BIG.JPG": encode(colour(size=(50, 70)), "JPEG")})
    assert {source.read(row).shape for row in range(len(source))} == {(4, 6, 3), (9, 5), (50, 70, 3)}


def test_dirty_items_are_items_and_say_what_is_wrong_when_read(tmp_path):
    dirty = {
        "cat/a_empty.png": (b"", "data.empty_item"),
        "cat/b_text.png": (b"not a picture", "data.wrong_type"),
        "cat/c_torn.png": (photo()[:60], "data.corrupt_item"),
    }
    source = open_files(tmp_path, two_classes("") | {name: content for name, (content, _) in dirty.items()})
    for name, (_, code) in dirty.items():
        with pytest.raises(ItemError, match=r"\w") as caught:
            source.read(source.places.index(name))
        assert caught.value.code == code


def test_a_file_that_vanished_is_an_item_error(tmp_path):
    source = open_files(tmp_path, two_classes())
    (tmp_path / "photos/cat/0.png").unlink()
    with pytest.raises(ItemError, match="can't be read"):
        source.read(0)


def test_a_file_that_has_grown_since_it_was_listed_is_read_whole(tmp_path):
    source = open_files(tmp_path, two_classes())
    file = tmp_path / "photos" / source.places[0]
    file.write_bytes(file.read_bytes() + bytes(5_000))
    assert source.fetch(0) == file.read_bytes()


def test_a_huge_file_is_refused_without_being_read(tmp_path):
    write_files(tmp_path / "photos", two_classes())
    with open(tmp_path / "photos/cat/film.png", "wb") as file:
        file.truncate(300_000_000)
    source = read(tmp_path, "photos")
    with pytest.raises(ItemError, match="300,000,000 bytes") as caught:
        source.read(source.places.index("cat/film.png"))
    assert caught.value.code == "data.too_large"


def test_links_in_a_circle_do_not_hang_and_are_refused(tmp_path):
    folder = write_files(tmp_path / "photos", two_classes())
    (folder / "cat" / "again").symlink_to(folder)
    (folder / "cat" / "a.png").symlink_to(folder / "cat" / "b.png")
    (folder / "cat" / "b.png").symlink_to(folder / "cat" / "a.png")
    source = read(tmp_path, "photos")
    assert len(source) == 4
    assert reasons(source).keys() == {"cat/again", "cat/a.png", "cat/b.png"}


def test_links_out_of_the_folder_are_refused_and_links_inside_are_read(tmp_path):
    outside = write_files(tmp_path / "secret", {"key.png": photo(), "sub/x.png": photo()})
    folder = write_files(tmp_path / "photos", two_classes())
    (folder / "cat" / "file.png").symlink_to(outside / "key.png")
    (folder / "cat" / "folder").symlink_to(outside)
    (folder / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "cat" / "own.png").symlink_to(folder / "dog" / "0.png")
    source = read(tmp_path, "photos")
    assert {one.place: one.reason for one in source.refused if "gone" not in one.place} == dict.fromkeys(
        ["cat/file.png", "cat/folder"], "a link that leads out of the folder"
    )
    assert "cat/gone.png" in reasons(source)
    assert np.array_equal(source.read(source.places.index("cat/own.png")), colour(200))


def test_a_source_that_is_itself_a_link_is_read(tmp_path):
    write_files(tmp_path / "photos", two_classes())
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    assert len(read(tmp_path, "link")) == 4


def test_pipes_are_refused_and_never_opened(tmp_path):
    folder = write_files(tmp_path / "photos", two_classes())
    os.mkfifo(folder / "cat" / "pipe.png")
    assert reasons(read(tmp_path, "photos")) == {"cat/pipe.png": "data.wrong_type"}


def test_files_and_folders_without_permission_are_refused():
    """As root everything may be read, so the test acts as nobody for a while, in a folder that nobody may enter."""
    root = Path(tempfile.mkdtemp())
    try:
        folder = write_files(root / "photos", two_classes() | {"bird/0.png": photo()})
        for path, mode in ((root, 0o755), (folder / "cat" / "0.png", 0), (folder / "bird", 0)):
            path.chmod(mode)
        is_root = os.geteuid() == 0
        try:
            if is_root:
                os.seteuid(65534)
            source = read(root, "photos")
        finally:
            if is_root:
                os.seteuid(0)
        assert reasons(source).keys() == {"cat/0.png", "bird/"}
        assert all("ermission" in one.reason for one in source.refused)
    finally:
        (root / "photos" / "bird").chmod(0o755)
        shutil.rmtree(root)


def test_names_that_are_no_utf8_are_written_readably(tmp_path):
    folder = write_files(tmp_path / "photos", two_classes())
    with open(os.fsencode(folder / "cat") + b"/caf\xe9.png", "wb") as file:
        file.write(photo(77))
    source = read(tmp_path, "photos")
    row = next(row for row, place in enumerate(source.places) if "caf" in place)
    assert source.places[row].encode("utf-8") == rb"cat/caf\udce9.png"
    assert np.array_equal(source.read(row), colour(77))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"1.png": photo(), "2.png": photo()}, "no class folders"),
        ({"cat/1.png": photo(), "cat/2.png": photo()}, 'only one class folder, "cat"'),
        ({"train/1.png": photo(), "test/2.png": photo()}, "no class folders"),
        ({"train/cat/1.png": photo(), "test/cat/2.png": photo()}, 'only one class folder, "cat"'),
    ],
)
def test_missing_labels_are_an_error_in_three_parts(tmp_path, files, said):
    with pytest.raises(DataError, match="Labels are missing") as caught:
        open_files(tmp_path, files)
    assert said in caught.value.what
    assert caught.value.where == "photos/"
    assert "photos/cat/1.jpg" in caught.value.next


def test_an_empty_folder_says_what_was_looked_for_and_exits_with_3(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="it is empty") as caught:
        read(tmp_path, "photos")
    assert caught.value.exit_code == 3
    assert "JPEG" in caught.value.next
    assert "train.csv" in caught.value.next


def test_a_folder_without_pictures_names_what_it_saw(tmp_path):
    with pytest.raises(DataError, match=r"holds no pictures; of 1 things seen the first is cat/a\.pdf"):
        open_files(tmp_path, {"cat/a.pdf": b"%PDF-1.7"})


def test_pictures_of_a_format_that_is_not_read_are_to_be_saved_in_another(tmp_path):
    with pytest.raises(DataError, match=r"of 2 things seen the first is cat/1\.HEIC") as caught:
        open_files(tmp_path, {"cat/1.HEIC": b"\0\0\0\x18ftypheic", "dog/2.avif": b"\0\0\0\x18ftypavif"})
    assert caught.value.next.startswith("Save the .avif and .heic files as JPEG or PNG first.")


def test_the_fingerprint_changes_with_name_size_and_time_of_any_file_and_with_nothing_else(tmp_path):
    folder = write_files(tmp_path / "photos", two_classes() | {"notes.txt": b"x"})
    first = read(tmp_path, "photos").fingerprint
    assert first == read(tmp_path, str(folder)).fingerprint
    assert len(first) == 64
    seen = {first}
    os.utime(folder / "cat/0.png", ns=(1, 1))
    seen.add(read(tmp_path, "photos").fingerprint)
    (folder / "notes.txt").write_bytes(b"xy")
    seen.add(read(tmp_path, "photos").fingerprint)
    (folder / "dog/1.png").rename(folder / "dog/2.png")
    seen.add(read(tmp_path, "photos").fingerprint)
    assert len(seen) == 4


def test_a_test_set_given_apart_is_appended_as_test(tmp_path):
    write_files(tmp_path / "exam", {"cat/0.png": photo(50)})
    source = open_files(tmp_path, two_classes(), test="exam")
    assert source.given_sets == ["", "", "", "", "test"]
    assert source.places[4] == "exam/cat/0.png"
    assert source.labels[4] == "cat"
    assert np.array_equal(source.read(4), colour(50))
    assert np.array_equal(source.read(0), colour(10))
    assert source.fingerprint != read(tmp_path, "photos").fingerprint


def test_a_wild_set_may_hold_one_known_class_alone(tmp_path):
    write_files(tmp_path / "photos", two_classes())
    write_files(tmp_path / "phone", {"dog/0.png": photo(50), "dog/x.txt": b""})
    wild = read(tmp_path, "photos", wild="phone", which="wild")
    assert wild.labels == ["dog"]
    assert wild.places == ["dog/0.png"]
    assert wild.given_sets == [""]
    assert reasons(wild) == {"dog/x.txt": "data.wrong_type"}


def test_a_wild_set_that_shares_no_class_is_an_error(tmp_path):
    write_files(tmp_path / "photos", two_classes())
    write_files(tmp_path / "phone", {"Katze/0.png": photo(), "Hund/0.png": photo()})
    with pytest.raises(DataError, match=r'None of its classes \("Hund", "Katze"\)'):
        read(tmp_path, "photos", wild="phone", which="wild")


def test_numbered_folders_match_the_numbers_of_an_array(tmp_path):
    pixels = np.zeros((4, 3, 3), np.uint8)
    np.savez(tmp_path / "digits.npz", x=pixels, y=np.array([0, 1, 0, 1]))
    write_files(tmp_path / "scans", {"0/a.png": photo(), "1/b.png": photo()})
    assert read(tmp_path, "digits.npz", wild="scans", which="wild").labels == [0, 1]
    assert read(tmp_path, "scans", test="digits.npz").labels == ["0", "1", "0", "1", "0", "1"]
