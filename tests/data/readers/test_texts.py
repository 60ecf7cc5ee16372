"""A folder of texts becomes a table of text and label, and nothing damaged comes in unseen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from surefoot.data.readers import open_source
from surefoot.types import DataConfig, DataError, ImageSource, TableSource


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(folder: Path, files: dict[str, str | bytes], **more: str) -> TableSource:
    write(folder / "texts", files)
    source = open_source(DataConfig(source="texts", **more), folder)
    assert isinstance(source, TableSource)
    return source


PLAIN = {"ham/1.txt": "See you\nat five", "ham/2.txt": "Yes", "spam/1.txt": "WIN now", "spam/2.txt": "Yes"}


def test_a_text_per_file_with_the_label_of_its_folder(tmp_path):
    source = read(tmp_path, PLAIN)
    assert source.columns["text"].tolist() == ["See you\nat five", "Yes", "WIN now", "Yes"]
    assert source.columns["label"].tolist() == ["ham", "ham", "spam", "spam"]
    assert source.places == ["ham/1.txt", "ham/2.txt", "spam/1.txt", "spam/2.txt"]
    assert source.suggested_target == ("label",)
    assert source.texts == ("text",)
    assert not source.refused
    assert source.fingerprint


def test_train_and_test_folders_are_a_split(tmp_path):
    source = read(tmp_path, {f"{part}/{name}": text for part in ("train", "test") for name, text in PLAIN.items()})
    assert source.given_sets == ["train"] * 4 + ["test"] * 4
    assert set(source.columns["label"]) == {"ham", "spam"}


def test_archives_of_texts_are_read_in_place(tmp_path):
    write(tmp_path / "texts", PLAIN)
    for format, name in (("zip", "texts.zip"), ("gztar", "texts.tar.gz")):
        shutil.make_archive(str(tmp_path / "texts"), format, tmp_path, "texts")
        source = open_source(DataConfig(source=name), tmp_path)
        assert isinstance(source, TableSource)
        assert source.columns["label"].tolist() == ["ham", "ham", "spam", "spam"]
        assert "WIN now" in source.columns["text"].tolist()


def test_texts_that_look_like_numbers_or_truths_stay_texts(tmp_path):
    source = read(tmp_path, {"a/1.txt": "1", "a/2.txt": "2", "b/1.txt": "3", "b/2.txt": "4"})
    assert source.columns["text"].tolist() == ["1", "2", "3", "4"]


def test_what_is_damaged_is_refused_with_path_and_reason_and_the_rest_is_read(tmp_path):
    damaged = {
        "ham/empty.txt": b"",
        "ham/spaces.txt": " \n\t\u200b ",
        "ham/zeros.txt": b"abc\0\0def",
        "ham/late_zero.txt": b"a" * 5000 + b"\0",
        "ham/noise.txt": bytes(range(1, 32)) * 4 + b"\xff\xfe\x81\x9d",
        "ham/notes.md": "# notes",
        ".DS_Store": b"x",
        "loose.txt": "in no folder",
    }
    source = read(tmp_path, PLAIN | damaged)
    found = {one.place: (one.code, one.reason) for one in source.refused}
    assert {place: code for place, (code, _) in found.items()} == {
        "ham/empty.txt": "data.empty_item",
        "ham/spaces.txt": "data.empty_item",
        "ham/zeros.txt": "data.corrupt_item",
        "ham/late_zero.txt": "data.corrupt_item",
        "ham/noise.txt": "data.corrupt_item",
        "ham/notes.md": "data.wrong_type",
        ".DS_Store": "data.wrong_type",
        "loose.txt": "data.wrong_type",
    }
    assert "no class folder" in found["loose.txt"][1]
    assert len(source) == len(PLAIN)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_are_found(tmp_path, encoding):
    text = "Das Mädchen kostet 5 Euro, sagte es"
    source = read(tmp_path, PLAIN | {"ham/3.txt": text.encode(encoding)})
    assert text in source.columns["text"].tolist()
    assert bool([note for note in source.notes if "ham/3.txt" in note]) == (encoding in ("utf-16-le", "cp1252"))


def test_a_text_of_megabytes_is_read_and_a_larger_one_refused(tmp_path):
    source = read(tmp_path, PLAIN | {"ham/long.txt": "word " * 500_000, "ham/huge.txt": b"a" * (16 * 2**20 + 1)})
    assert max(map(len, source.columns["text"])) == 5 * 500_000 - 1
    assert [(one.place, one.code) for one in source.refused] == [("ham/huge.txt", "data.too_large")]


def test_one_class_folder_is_no_question(tmp_path):
    with pytest.raises(DataError, match="holds texts but only one class folder"):
        read(tmp_path, {"ham/1.txt": "a", "ham/2.txt": "b"})
    with pytest.raises(DataError, match="holds no text that can be read"):
        read(tmp_path / "empty", {"ham/1.txt": "", "spam/1.txt": ""})


def test_a_wild_folder_may_hold_one_class_only(tmp_path):
    write(tmp_path / "texts", PLAIN)
    write(tmp_path / "wild", {"spam/1.txt": "WIN again"})
    wild = open_source(DataConfig(source="texts", wild="wild"), tmp_path, which="wild")
    assert isinstance(wild, TableSource)
    assert wild.columns["label"].tolist() == ["spam"]


def test_tables_and_pictures_beside_texts_are_still_tables_and_pictures(tmp_path):
    write(tmp_path / "texts", PLAIN | {"train.csv": "a,b\n1,2\n3,4\n"})
    source = open_source(DataConfig(source="texts"), tmp_path)
    assert set(source.columns) == {"a", "b"}
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / "photos" / name / "1.png")
        (tmp_path / "photos" / name / "caption.txt").write_text("a photo")
    assert isinstance(open_source(DataConfig(source="photos"), tmp_path), ImageSource)


# columns of tables


def rows(num: int = 40) -> str:
    lines = [f'"the {n}th guest said that the room {n % 7} was fine",{n % 2},{"good" if n % 3 else "bad"}' for n in range(num)]
    return "review,stars,mood\n" + "\n".join(lines) + "\n"


def test_a_column_of_sentences_is_never_the_suggested_target(tmp_path):
    (tmp_path / "a.csv").write_text(
        "mood,review\n" + "\n".join(f"{'good' if n % 3 else 'bad'},the {n}th guest said the room was fine" for n in range(40)) + "\n"
    )
    source = open_source(DataConfig(source="a.csv"), tmp_path)
    assert source.suggested_target == ("mood",)


def test_a_named_column_is_text_whatever_it_looks_like(tmp_path):
    (tmp_path / "a.csv").write_text(rows())
    source = open_source(DataConfig(source="a.csv", text=["stars"]), tmp_path)
    assert source.texts == ("stars",)
    assert source.columns["stars"].tolist()[:2] == ["0", "1"]


def test_lone_halves_of_signs_in_json_lines_are_read(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"said": "broken \\ud83d sign", "label": "a"}\n{"said": "whole", "label": "b"}\n')
    source = open_source(DataConfig(source="a.jsonl"), tmp_path)
    assert isinstance(source, TableSource)
    assert len(source) == 2
