"""Several sources of one project: names, roles, raw ones; archives of tables, addresses, CIFAR, Excel, saved sets and arrays."""

import datetime
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from surefoot.data.readers import count_raw, list_sources, open_source
from surefoot.data.readers.excel import _tabulate
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DamagedError, DataError, UsageError

from .samples import photo, read, two_classes, write_files, write_tar, write_zip

TABLE = "x,y\n1,a\n2,b\n3,a\n"


def several(root, *sources, **config):
    return open_source(DataConfig(sources=list(sources), **config), root)


def test_two_tables_are_one_and_every_row_knows_its_source(tmp_path):
    write_files(tmp_path, {"near.csv": TABLE, "far/data.csv": "y,x\nb,9\n"})
    source = several(tmp_path, {"path": "near.csv"}, {"path": "far/data.csv", "name": "far", "role": "general"})
    assert source.sources == ["near", "near", "near", "far"]
    assert source.columns["x"].tolist() == [1, 2, 3, 9]
    assert source.places[-1] == "far/data.csv:2"


def test_the_short_form_is_the_first_source(tmp_path):
    write_files(tmp_path, {"near.csv": TABLE, "far.csv": TABLE})
    names = [one.name for one in list_sources(DataConfig(source="near.csv", sources=[{"path": "far.csv"}]))]
    assert names == ["near", "far"]
    assert read(tmp_path, "near.csv").sources == ["", "", ""]


def test_two_folders_of_pictures_are_one_with_labels_of_one_form(tmp_path):
    write_files(tmp_path / "one", {f"{k}/{n}.png": photo(k) for k in (3, 4) for n in range(2)})
    np.savez(tmp_path / "two.npz", x=np.full((2, 4, 6, 3), 7, np.uint8), y=np.array([3, 4]))
    source = several(tmp_path, {"path": "one"}, {"path": "two.npz", "name": "lab"})
    assert source.sources == ["one"] * 4 + ["lab"] * 2
    assert source.labels == ["3", "3", "4", "4", "3", "4"]
    assert source.places[0] == "one/3/0.png"
    assert int(source.read(5)[0, 0, 0]) == 7


def test_raw_sources_are_counted_and_never_read_as_items(tmp_path):
    write_files(tmp_path / "photos", two_classes())
    write_files(tmp_path / "unlabelled", {"a.png": photo(1), "b.png": photo(2), "notes.md": "# none"})
    data = DataConfig(source="photos", sources=[{"path": "unlabelled", "labels": "raw"}])
    assert len(open_source(data, tmp_path)) == 4
    (raw,) = count_raw(data, tmp_path)
    assert (raw.name, raw.items, raw.refused) == ("unlabelled", 2, 1)


def test_sources_that_cannot_be_together_are_an_error(tmp_path):
    write_files(tmp_path, {"a.csv": TABLE, "b/a.csv": TABLE})
    write_files(tmp_path / "photos", two_classes())
    with pytest.raises(UsageError, match='name stands for several sources: "a"'):
        several(tmp_path, {"path": "a.csv"}, {"path": "b/a.csv"})
    with pytest.raises(UsageError, match="No source is labelled and practical"):
        several(tmp_path, {"path": "a.csv", "role": "general"})
    with pytest.raises(DataError, match='The source is a table, but "photos" is pictures'):
        several(tmp_path, {"path": "a.csv"}, {"path": "photos"})


# archives of tables


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_tables_in_an_archive_are_read_in_place(tmp_path, name):
    files = {"train.csv": TABLE.encode(), "test.csv": b"x,y\n7,b\n"}
    write_zip(tmp_path / name, files) if name.endswith("zip") else write_tar(tmp_path / name, files, "w:gz" if name.endswith("gz") else "w")
    source = read(tmp_path, name)
    assert source.given_sets == ["train"] * 3 + ["test"]
    assert source.columns["x"].tolist() == [1, 2, 3, 7]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_hostile_members_among_tables_are_not_read(tmp_path):
    write_tar(tmp_path / "a.tar", {"../train.csv": TABLE.encode(), "rows.csv": TABLE.encode()})
    assert len(read(tmp_path, "a.tar")) == 3


def test_two_formats_of_one_set_are_an_error_and_numbered_parts_are_not(tmp_path):
    write_files(tmp_path / "both", {"train.csv": TABLE, "train.jsonl": '{"x": 1, "y": "a"}\n'})
    with pytest.raises(DataError, match=r'two tables for the same set: "train\.csv", "train\.jsonl"'):
        read(tmp_path, "both")
    write_files(tmp_path / "pair", {"a.csv": TABLE, "a.jsonl": '{"x": 1, "y": "a"}\n'})
    with pytest.raises(DataError, match=r'holds 2 tables: "a\.csv", "a\.jsonl"'):
        read(tmp_path, "pair")
    write_files(tmp_path / "parts", {"train-00000-of-00002.csv": TABLE, "train-00001-of-00002.csv": TABLE, "test.csv": TABLE})
    assert read(tmp_path, "parts").given_sets == ["train"] * 6 + ["test"] * 3


# addresses


@pytest.fixture
def remote():
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install surefoot[remote]")
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def test_data_at_an_address_is_downloaded_once_and_checked(tmp_path, remote):
    remote.pipe("/bucket/rows.csv", TABLE.encode())
    assert read(tmp_path, "memory://bucket/rows.csv").columns["x"].tolist() == [1, 2, 3]
    remote.pipe("/bucket/rows.csv", b"x,y\n9,z\n")
    assert len(read(tmp_path, "memory://bucket/rows.csv")) == 3  # the copy is what was audited
    (copy,) = (tmp_path / "store" / "downloads").rglob("rows.csv")
    copy.write_text("x,y\n5,e\n6,f\n")
    with pytest.raises(DamagedError, match=r"The copy of memory://bucket/rows\.csv was altered") as caught:
        read(tmp_path, "memory://bucket/rows.csv")
    assert "Delete" in caught.value.next


@pytest.mark.parametrize("content", ["{", "[]", '{"files": 3}', '{"files": {}}'])
def test_a_manifest_of_a_copy_that_was_altered_is_told(tmp_path, remote, content):
    remote.pipe("/bucket/rows.csv", TABLE.encode())
    read(tmp_path, "memory://bucket/rows.csv")
    (manifest,) = (tmp_path / "store" / "downloads").rglob("manifest.json")
    manifest.write_text(content)
    with pytest.raises(DamagedError, match=r"was altered: manifest\.json"):
        read(tmp_path, "memory://bucket/rows.csv")


def test_a_folder_at_an_address_is_a_folder(tmp_path, remote):
    for name, content in two_classes().items():
        remote.pipe(f"/bucket/photos/{name}", content)
    assert sorted(read(tmp_path, "memory://bucket/photos").labels) == ["cat", "cat", "dog", "dog"]


def test_an_address_with_nothing_behind_it_is_an_error_in_three_parts(tmp_path, remote):
    with pytest.raises(DataError, match="can't be had: FileNotFoundError") as caught:
        read(tmp_path, "memory://bucket/nothing.csv")
    assert caught.value.where == "memory://bucket/nothing.csv"
    with pytest.raises(UsageError, match="is no address that can be read"):
        read(tmp_path, "gopher://bucket/nothing.csv")
    assert not list((tmp_path / "store").rglob("manifest.json")) if (tmp_path / "store").exists() else True


# CIFAR


def batch(labels, width=1):
    """Records of CIFAR: label bytes, then three planes of 32 x 32."""
    planes = np.repeat(np.array([10, 20, 30], np.uint8), 1024)
    return b"".join(bytes([5] * (width - 1) + [label]) + bytes(planes + k) for k, label in enumerate(labels))


def test_cifar_s_binary_batches_are_mapped_with_their_names_and_sets(tmp_path):
    names = "\n".join(["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"])
    write_files(tmp_path / "c", {"data_batch_1.bin": batch([3, 9]), "data_batch_2.bin": batch([0]), "test_batch.bin": batch([3]), "batches.meta.txt": names})
    source = read(tmp_path, "c")
    assert source.labels == ["cat", "truck", "plane", "cat"]
    assert source.given_sets == ["", "", "", "test"]
    assert source.read(1).shape == (32, 32, 3)
    assert source.read(1)[5, 7].tolist() == [11, 21, 31]
    assert read(tmp_path, "c/data_batch_1.bin").labels == ["cat", "truck"]


def test_names_of_cifar_s_classes_in_an_older_encoding_stay_apart_and_it_is_said(tmp_path):
    names = "\n".join(["Bär", "Bör", *"cdefghij"]).encode("cp1252")
    write_files(tmp_path / "c", {"data_batch_1.bin": batch([0, 1]), "batches.meta.txt": names})
    source = read(tmp_path, "c")
    assert source.labels == ["Bär", "Bör"]
    assert "batches.meta.txt is not UTF-8; it was read as Windows-1252" in source.notes[0]


def test_cifar_100_has_two_label_bytes_of_which_the_fine_one_counts(tmp_path):
    write_files(tmp_path / "c", {"train.bin": batch([99, 42], 2), "test.bin": batch([7], 2)})
    assert read(tmp_path, "c").labels == [7, 99, 42]


CIFAR = {
    "cifar-10-batches-bin/data_batch_1.bin": batch([3, 9]),
    "cifar-10-batches-bin/test_batch.bin": batch([3]),
    "cifar-10-batches-bin/batches.meta.txt": b"plane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n",
    "cifar-10-batches-bin/readme.html": b"<html></html>",
}
"""As the original is shipped, but for the number of pictures."""


@pytest.mark.parametrize(
    ("name", "write"),
    [("c.tar.gz", lambda path: write_tar(path, CIFAR, "w:gz")), ("c.tar", lambda path: write_tar(path, CIFAR)), ("c.zip", lambda path: write_zip(path, CIFAR))],
)
def test_cifar_s_batches_are_read_inside_the_archive_they_come_in(tmp_path, name, write):
    write(tmp_path / name)
    source = read(tmp_path, name)
    assert source.labels == ["cat", "truck", "cat"]
    assert source.given_sets == ["", "", "test"]
    assert source.places == ["data_batch_1.bin[0]", "data_batch_1.bin[1]", "test_batch.bin[0]"]
    assert source.read(1)[5, 7].tolist() == [11, 21, 31]


def test_a_torn_batch_is_told_with_what_was_due(tmp_path):
    """Alone, beside whole ones that would have been read without it, and in an archive."""
    files = {"data_batch_1.bin": batch([3, 9])[:5_000], "data_batch_2.bin": batch([0])}
    write_files(tmp_path / "c", files)
    write_tar(tmp_path / "c.tar", files)
    for name in ("c", "c/data_batch_1.bin", "c.tar"):
        with pytest.raises(DataError, match=r"is torn: it has 5,000 bytes, 1 × 3,073 and 1,927 more\.") as caught:
            read(tmp_path, name)
        assert "30,730,000 bytes" in caught.value.next
    write_files(tmp_path / "d", {"train.bin": batch([99, 42], 2)[:-1], "fine_label_names.txt": "a\nb\n"})
    with pytest.raises(DataError, match=r"train\.bin is torn") as caught:
        read(tmp_path, "d")
    assert "CIFAR-100's own has 153,700,000 bytes" in caught.value.next


def test_a_batch_with_labels_out_of_range_is_told_and_not_passed_over(tmp_path):
    """Beside good ones it was left out in silence."""
    files = {"data_batch_1.bin": batch([3, 9]), "data_batch_2.bin": batch([0, 10, 255])}
    write_files(tmp_path / "c", files)
    write_tar(tmp_path / "c.tar", files)
    for name in ("c", "c/data_batch_2.bin", "c.tar"):
        with pytest.raises(DataError, match=r"data_batch_2\.bin has 2 of 3 labels out of range: record 1 has 10, and CIFAR-10's are 0 to 9") as caught:
            read(tmp_path, name)
        assert "data_batch_2.bin" in caught.value.where
    write_files(tmp_path / "d", {"train.bin": batch([99, 100], 2), "fine_label_names.txt": "a\nb\n"})
    with pytest.raises(DataError, match=r"train\.bin has 1 of 2 labels out of range"):
        read(tmp_path, "d")
    write_files(tmp_path / "e", {"data_batch_1.bin": batch([3, 9]), "weights.bin": batch([77])})  # of another name, and of another kind
    assert read(tmp_path, "e").labels == [3, 9]


def test_the_pickled_version_in_its_archive_is_refused_too(tmp_path):
    write_tar(tmp_path / "py.tar.gz", {"cifar-10-batches-py/data_batch_1": b"\x80\x02}q\x01.", "cifar-10-batches-py/readme.html": b"<html>"}, "w:gz")
    with pytest.raises(DataError, match="is a Python pickle: loading one runs whatever code it holds") as caught:
        read(tmp_path, "py.tar.gz")
    assert "cifar-10-binary" in caught.value.next


def test_other_bin_files_in_an_archive_are_no_batches(tmp_path):
    write_tar(tmp_path / "d.tar", two_classes() | {"cat/notes.bin": b"123"})
    assert len(read(tmp_path, "d.tar")) == 4


def test_pickled_batches_are_refused_with_the_reason(tmp_path):
    write_files(tmp_path / "c", {"data_batch_1": b"\x80\x02}q\x01.", "test_batch": b"\x80\x02}q\x01.", "batches.meta": b"\x80\x02}q\x01."})
    with pytest.raises(DataError, match="are Python pickles: loading one runs whatever code it holds") as caught:
        read(tmp_path, "c")
    assert "cifar-10-binary" in caught.value.next
    with pytest.raises(DataError, match="is a Python pickle"):
        read(tmp_path, "c/test_batch")


# arrays in files of their own


def test_npy_files_are_mapped_and_paired_by_name(tmp_path):
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "x_train.npy", np.arange(4 * 12, dtype=np.uint8).reshape(4, 4, 3))
    np.save(tmp_path / "a" / "y_train.npy", np.array([0, 1, 0, 1]))
    np.save(tmp_path / "a" / "x_test.npy", np.zeros((2, 4, 3), np.uint8))
    np.save(tmp_path / "a" / "y_test.npy", np.array([1, 0]))
    source = read(tmp_path, "a")
    assert source.given_sets == ["train"] * 4 + ["test"] * 2
    assert source.read(1)[0].tolist() == [12, 13, 14]
    np.save(tmp_path / "a" / "y_test.npy", np.array([{}, 1], object), allow_pickle=True)
    with pytest.raises(DataError, match="pickled objects, which are never loaded"):
        read(tmp_path, "a")


# Excel


def test_the_first_sheet_of_a_workbook_is_a_table(tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed: pip install surefoot[excel]")
    book = openpyxl.Workbook()
    for row in [("size", "day", "colour", "sold"), (1.5, datetime.datetime(2024, 1, 2), "red", True), (None, datetime.datetime(2024, 1, 3), None, False)]:
        book.active.append(row)
    book.create_sheet("notes").append(["nothing"])
    book.save(tmp_path / "a.xlsx")
    source = read(tmp_path, "a.xlsx")
    assert source.columns["size"].tolist()[0] == 1.5
    assert source.columns["day"].dtype.kind == "M"
    assert source.columns["colour"].tolist() == ["red", None]
    assert source.places == ["a.xlsx:2", "a.xlsx:3"]
    assert '"notes" were not' in source.notes[0]


def test_a_column_without_a_name_is_called_by_its_place_and_an_empty_one_is_left_out(tmp_path):
    """As pandas writes its index: numbers below a cell that is empty."""
    (tmp_path / "a.xlsx").write_bytes(b"")
    rows = [(1, [None, "a", None, "y"]), *((row + 2, [row, 0.5 * row, None, "no"]) for row in range(3))]
    table = _tabulate(tmp_path / "a.xlsx", rows, [])
    assert list(table.columns) == ["column_1", "a", "y"]
    assert table.columns["column_1"].to_pylist() == [0, 1, 2]
    assert any("Column 3" in note and "left out" in note for note in table.notes)


def test_a_torn_workbook_is_an_error_or_the_command_that_installs_the_reader(tmp_path):
    write_files(tmp_path, {"a.xlsx": b"PK\x03\x04torn"})
    with pytest.raises((DataError, UsageError), match=r"torn or no Excel workbook|need openpyxl") as caught:
        read(tmp_path, "a.xlsx")
    assert "CSV" in caught.value.next


# Hugging Face


FEATURES = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}


def save_to_disk(folder, labels, features=FEATURES):
    """A set as the library writes it."""
    folder.mkdir(parents=True)
    table = pa.table({"image": [{"bytes": photo(10 * k), "path": None} for k in range(len(labels))], "label": labels})
    with pa.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    write_files(folder, {"state.json": json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]})})
    write_files(folder, {"dataset_info.json": json.dumps({"features": features})})


def test_a_saved_set_is_read_without_the_library(tmp_path):
    save_to_disk(tmp_path / "set" / "train", [0, 1, 1])
    save_to_disk(tmp_path / "set" / "test", [1, 0])
    write_files(tmp_path / "set", {"dataset_dict.json": json.dumps({"splits": ["train", "test"]})})
    source = read(tmp_path, "set")
    assert source.labels == ["cat", "dog", "dog", "dog", "cat"]
    assert source.given_sets == ["train"] * 3 + ["test"] * 2
    assert int(source.read(2)[0, 0, 0]) == 20
    assert read(tmp_path, "set/train").given_sets == [""] * 3


def test_pictures_in_parquet_files_are_pictures(tmp_path):
    metadata = {b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode()}
    for name, labels in (("train-00000-of-00002", [0, 1]), ("train-00001-of-00002", [1]), ("test-00000-of-00001", [0])):
        table = pa.table({"image": [{"bytes": photo(10 * k), "path": "x.png"} for k in range(len(labels))], "label": labels})
        (tmp_path / "set").mkdir(exist_ok=True)
        pa.parquet.write_table(table.replace_schema_metadata(metadata), tmp_path / "set" / f"{name}.parquet", row_group_size=1)
    source = read(tmp_path, "set")
    assert sorted(zip(source.given_sets, source.labels)) == [("test", "cat"), ("train", "cat"), ("train", "dog"), ("train", "dog")]
    assert int(source.read(source.places.index("train-00000-of-00002.parquet[1]"))[0, 0, 0]) == 10


def write_parquet(path, labels, **columns):
    table = pa.table({"image": [{"bytes": photo(10 * k), "path": "x.png"} for k in range(len(labels))], "label": pa.array(labels, pa.string())} | columns)
    path.parent.mkdir(exist_ok=True)
    pa.parquet.write_table(table, path)


def test_a_torn_part_of_a_set_of_pictures_is_named(tmp_path):
    write_parquet(tmp_path / "set" / "a.parquet", ["cat", "dog"])
    write_files(tmp_path, {"set/b.parquet": b"PAR1" + bytes(40)})
    with pytest.raises(DataError, match=r"b\.parquet is torn or no Parquet file"):
        read(tmp_path, "set")


def test_a_part_of_a_set_of_pictures_that_lacks_the_labels_is_named(tmp_path):
    write_parquet(tmp_path / "set" / "a.parquet", ["cat", "dog"])
    pa.parquet.write_table(pa.table({"image": [{"bytes": photo(1), "path": "x"}]}), tmp_path / "set" / "b.parquet")
    with pytest.raises(DataError, match=r'b\.parquet has no column "label", which a\.parquet has'):
        read(tmp_path, "set")


def test_a_set_beside_an_empty_one_is_no_split(tmp_path):
    write_parquet(tmp_path / "set" / "train.parquet", ["cat", "dog", "cat"])
    write_parquet(tmp_path / "set" / "test.parquet", [])
    assert read(tmp_path, "set").given_sets == ["", "", ""]


def test_the_hub_is_asked_through_its_library(tmp_path, monkeypatch):
    """The library itself needs a network: what it hands over is stood in for, its call is not."""
    import sys
    from types import SimpleNamespace

    asked = []
    table = pa.table({"size": [1.0, 2.0], "label": [0, 1]})
    features = SimpleNamespace(to_dict=lambda: {"label": FEATURES["label"]})

    def load_dataset(name, config, revision):
        asked.append((name, config, revision))
        return {"train": SimpleNamespace(data=SimpleNamespace(table=table), features=features, _indices=None, _fingerprint="f")}

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    source = read(tmp_path, "hub:me/frogs:small@abc")
    assert asked == [("me/frogs", "small", "abc")]
    assert source.columns["label"].tolist() == ["cat", "dog"]
    assert source.suggested_target == ("label",)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match="need the library datasets") as caught:
        read(tmp_path, "hub:me/frogs")
    assert 'pip install "surefoot[hub]"' in caught.value.next


# the user's own


def test_a_third_element_or_an_attribute_names_the_user_s_items(tmp_path):
    body = "class {name}:\n    def __len__(self):\n        return 2\n    def __getitem__(self, i):\n        return [i, 1.5], 'ab'[i]{third}\n"
    write_files(tmp_path, {"my_code.py": body.format(name="A", third=", f'frog-{i}'") + body.format(name="B", third="") + "    ids = ('x', 'z')\n"})
    assert read(tmp_path, "my_code:A").places == ["my_code:A[frog-0]", "my_code:A[frog-1]"]
    assert read(tmp_path, "my_code:B").places == ["my_code:B[x]", "my_code:B[z]"]
