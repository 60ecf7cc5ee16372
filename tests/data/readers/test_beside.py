"""Labels beside the pictures: list files of many forms, and WebDataset's companions."""

import json

import numpy as np
import pytest

from surefoot.types.errors import DataError

from .samples import photo, read, two_classes, write_files, write_tar, write_zip

PICTURES = {f"photos/{k}.png": photo(10 * k) for k in range(6)}
CLASSES = ["cat", "dog", "cat", "dog", "cat", "dog"]


def lines(form, header=""):
    return header + "".join(form.format(k=k, label=CLASSES[k]) + "\n" for k in range(6))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", lines("photos/{k}.png,{label}", "path,label\n")),
        ("labels.csv", lines("{label},{k}.png,7", "label,file,size\n")),
        ("labels.csv", lines("{k},{label}", "image_id,species\n")),
        ("list.txt", lines("./photos/{k}.png {label}")),
        ("list.tsv", lines("photos/{k}.png\t{label}")),
        ("photos.lst", lines("{k}\t{label}\tphotos/{k}.png")),
        ("photos/metadata.jsonl", "".join(json.dumps({"file_name": f"{k}.png", "label": CLASSES[k]}) + "\n" for k in range(6))),
    ],
)
def test_a_list_beside_the_pictures_says_their_labels(tmp_path, name, text):
    write_files(tmp_path / "data", PICTURES | {name: text})
    source = read(tmp_path, "data")
    assert dict(zip(source.places, source.labels)) == {f"photos/{k}.png": CLASSES[k] for k in range(6)}
    assert int(source.read(3)[0, 0, 0]) == 30
    assert not source.refused


def test_a_file_with_a_cell_too_large_for_a_list_is_none(tmp_path):
    notes = "picture,note\n" + "".join(f'photos/{k}.png,"{"x" * 150_000}"\n' for k in range(6))
    write_files(tmp_path / "data", PICTURES | {"labels.csv": lines("photos/{k}.png,{label}", "path,label\n"), "notes.csv": notes})
    assert read(tmp_path, "data").labels == CLASSES


def test_lists_called_train_and_test_are_given_sets_and_labels_may_be_numbers(tmp_path):
    write_files(tmp_path / "data", PICTURES | {"train.txt": "0.png 3\n1.png 4\n2.png 3\n3.png 4\n", "test.txt": "4.png 3\n5.png 4\n"})
    source = read(tmp_path, "data")
    assert source.labels == [3, 4, 3, 4, 3, 4]
    assert source.given_sets == ["train"] * 4 + ["test"] * 2


@pytest.mark.parametrize("name", ["labels.csv", "all.csv", "z.csv"])
def test_one_list_may_say_the_labels_and_others_the_sets(tmp_path, name):
    sets = {"train.txt": "photos/0.png\nphotos/1.png\nphotos/2.png\nphotos/3.png\n", "test.txt": "photos/4.png\nphotos/5.png\n"}
    write_files(tmp_path / "data", PICTURES | {name: lines("photos/{k}.png,{label}", "path,label\n")} | sets)
    source = read(tmp_path, "data")
    assert source.labels == CLASSES
    assert source.given_sets == ["train"] * 4 + ["test"] * 2
    assert source.refused == []


def test_lists_that_contradict_each_other_are_refused_by_the_line_and_the_first_by_name_counts(tmp_path):
    lists = {"test.txt": "4.png\n5.png\n", "train.txt": "".join(f"{k}.png\n" for k in range(5)), "labels.csv": lines("{k}.png,{label}", "path,label\n")}
    write_files(tmp_path / "data", PICTURES | lists | {"more.csv": "path,label\n0.png,dog\n1.png,dog\n"})
    source = read(tmp_path, "data")
    assert source.labels == CLASSES
    assert source.given_sets == ["train"] * 4 + ["test"] * 2
    assert [one.place for one in source.refused] == ["more.csv:1", "train.txt:5"]


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        (["001", "002", "010"], ["001", "002", "010"]),
        (["-1", "1", "-1"], [-1, 1, -1]),
        (["+1", "-1", "0"], [1, -1, 0]),
        (["3", "10", "3"], [3, 10, 3]),
    ],
)
def test_codes_of_classes_in_a_list_are_no_amounts(tmp_path, written, labels):
    write_files(tmp_path / "data", PICTURES | {"labels.csv": "path,label\n" + "".join(f"{k}.png,{written[k % 3]}\n" for k in range(6))})
    assert read(tmp_path, "data").labels == labels * 2


def test_numbers_with_a_fraction_in_a_list_are_amounts(tmp_path):
    write_files(tmp_path / "data", PICTURES | {"labels.csv": "path,label\n" + "".join(f"{k}.png,{['-1', '0.5', '2'][k % 3]}\n" for k in range(6))})
    assert np.array_equal(read(tmp_path, "data").labels, [[-1], [0.5], [2]] * 2)


def test_a_column_called_split_is_the_given_set(tmp_path):
    rows = "".join(f"photos/{k}.png,{CLASSES[k]},{('train', 'val', 'test')[k // 2]}\n" for k in range(6))
    write_files(tmp_path / "data", PICTURES | {"all.csv": "path,label,split\n" + rows})
    assert read(tmp_path, "data").given_sets == ["train", "train", "val", "val", "test", "test"]


def test_lists_without_labels_only_say_the_sets_of_class_folders(tmp_path):
    pictures = {f"{name}/{k}.png": photo(k) for name in ("cat", "dog") for k in range(3)}
    write_files(tmp_path / "data", pictures | {"train.txt": "cat/0\ncat/1\ndog/0\ndog/1\n", "test.txt": "cat/2\ndog/2\n"})
    source = read(tmp_path, "data")
    assert source.labels == ["cat"] * 3 + ["dog"] * 3
    assert source.given_sets == ["train", "train", "test"] * 2


def test_several_columns_of_numbers_are_vectors_and_several_of_words_an_error(tmp_path):
    write_files(tmp_path / "data", PICTURES | {"points.csv": "path,x,z\n" + "".join(f"{k}.png,{k}.5,1\n" for k in range(6))})
    assert np.allclose(np.stack(read(tmp_path, "data").labels)[:, 0], np.arange(6) + 0.5)
    write_files(tmp_path / "data", {"points.csv": "path,colour,shape\n" + "".join(f"{k}.png,red,round\n" for k in range(6))})
    with pytest.raises(DataError, match='several columns that could be the label: "colour", "shape"') as caught:
        read(tmp_path, "data")
    assert '"label"' in caught.value.next


PATIENTS = "path,label,patient,seen\n" + "".join(f"{k}.png,{CLASSES[k]},p{k // 2},2024-01-0{6 - k}\n" for k in range(6))


def test_what_else_a_list_says_of_the_pictures_are_their_columns(tmp_path):
    write_files(tmp_path / "data", PICTURES | {"labels.csv": PATIENTS})
    source = read(tmp_path, "data")
    assert source.labels == CLASSES
    assert source.columns["patient"].tolist() == ["p0", "p0", "p1", "p1", "p2", "p2"]
    write_files(tmp_path / "exam", {"9.png": photo(90), "8.png": photo(80), "labels.csv": "path,label,site\n9.png,dog,b\n8.png,cat,\n"})
    (tmp_path / "repairs.csv").write_text("place,action\nphotos/1.png,drop\n")
    both = read(tmp_path, "data", test="exam")
    assert both.columns["patient"].tolist() == ["p0", "p1", "p1", "p2", "p2", None, None]
    assert both.columns["site"].tolist() == [None] * 6 + ["b"]


def test_the_settings_say_which_column_of_a_list_is_the_label(tmp_path):
    text = PATIENTS.replace("label", "diagnosis")
    write_files(tmp_path / "data", PICTURES | {"labels.csv": text})
    with pytest.raises(DataError, match='several columns that could be the label: "diagnosis", "patient", "seen"') as caught:
        read(tmp_path, "data")
    assert 'data.target = "diagnosis"' in caught.value.next
    assert read(tmp_path, "data", target="diagnosis").labels == CLASSES
    assert read(tmp_path, "data", target="patient").labels == ["p0", "p0", "p1", "p1", "p2", "p2"]
    with pytest.raises(DataError, match="There is no column 'diagnose' in the data") as caught:
        read(tmp_path, "data", target="diagnose")
    assert (caught.value.where, caught.value.next) == ("data.target = 'diagnose'", 'Did you mean "diagnosis"?')
    write_files(tmp_path / "plain", two_classes())
    with pytest.raises(DataError, match="There is no column 'diagnosis'") as caught:
        read(tmp_path, "plain", target="diagnosis")
    assert "a list beside them" in caught.value.next


def test_several_named_columns_of_numbers_are_vectors(tmp_path):
    write_files(tmp_path / "data", PICTURES | {"points.csv": "path,x,z,n\n" + "".join(f"{k}.png,{k}.5,1,{k}\n" for k in range(6))})
    assert np.array_equal(read(tmp_path, "data", target=["z", "x"]).labels, [[1, k + 0.5] for k in range(6)])


def test_a_list_beside_the_one_with_the_labels_only_gives_columns(tmp_path):
    more = {"more.csv": "path,patient\n" + "".join(f"{k}.png,p{k // 2}\n" for k in range(6)), "labels.csv": lines("{k}.png,{label}", "path,label\n")}
    source = read(write_files(tmp_path, {f"data/{name}": content for name, content in (PICTURES | more).items()}), "data")
    assert source.labels == CLASSES
    assert source.columns["patient"].tolist() == ["p0", "p0", "p1", "p1", "p2", "p2"]
    assert source.refused == []


def test_what_a_list_says_twice_or_of_nothing_is_refused_with_its_line(tmp_path):
    text = lines("photos/{k}.png,{label}", "path,label\n").replace("photos/5.png", "photos/9.png") + "photos/0.png,dog\n../secret.png,cat\n"
    write_files(tmp_path, {"secret.png": photo()})
    write_files(tmp_path / "data", PICTURES | {"labels.csv": text})
    source = read(tmp_path, "data")
    reasons = {one.place: one.reason for one in source.refused}
    assert len(source) == 5
    assert "not there" in reasons["labels.csv:6"]
    assert "another label" in reasons["labels.csv:7"]
    assert "not there" in reasons["labels.csv:8"]
    assert "no list names it" in reasons["photos/5.png"]


def test_a_text_file_that_names_no_pictures_is_no_list(tmp_path):
    pictures = {f"{name}/{k}.png": photo(k) for name in ("cat", "dog") for k in range(3)}
    write_files(tmp_path / "data", pictures | {"readme.txt": "Two kinds of pictures,\nof cats and dogs.\n"})
    assert read(tmp_path, "data").labels == ["cat"] * 3 + ["dog"] * 3


@pytest.mark.parametrize("write", [write_tar, write_zip])
def test_lists_are_read_in_archives_too(tmp_path, write):
    write(tmp_path / "a.archive", PICTURES | {"labels.csv": lines("photos/{k}.png,{label}", "path,label\n").encode()})
    (tmp_path / "a.archive").rename(tmp_path / ("a.tar" if write is write_tar else "a.zip"))
    assert read(tmp_path, "a.tar" if write is write_tar else "a.zip").labels == CLASSES


def shard(first, suffix="cls"):
    """Three pictures with their labels, as WebDataset names them."""
    files = {}
    for k in range(first, first + 3):
        files[f"{k:05d}.png"] = photo(10 * k)
        files[f"{k:05d}.{suffix}"] = (str(k % 2) if suffix == "cls" else json.dumps({"label": k % 2, "width": 6})).encode()
    return files


@pytest.mark.parametrize("suffix", ["cls", "json"])
def test_a_shard_pairs_pictures_and_labels_by_their_key(tmp_path, suffix):
    write_tar(tmp_path / "a.tar", shard(0, suffix))
    source = read(tmp_path, "a.tar")
    assert source.labels == [0, 1, 0]
    assert source.places == ["00000.png", "00001.png", "00002.png"]
    assert not source.refused


def test_shards_are_named_by_braces_or_by_their_folder(tmp_path):
    (tmp_path / "wds").mkdir()
    for k in range(3):
        write_tar(tmp_path / "wds" / f"s-{k:03d}.tar", shard(3 * k))
    by_folder, by_braces = read(tmp_path, "wds"), read(tmp_path, "wds/s-{000..002}.tar")
    assert by_folder.places == by_braces.places
    assert by_folder.places[-1] == "s-002.tar/00008.png"
    assert by_folder.labels == [k % 2 for k in range(9)]
    assert int(by_braces.read(7)[0, 0, 0]) == 70
    assert len(read(tmp_path, "wds/s-*.tar")) == 9
    with pytest.raises(DataError, match=r"2 of the files .* are missing, the first is wds/s-003\.tar"):
        read(tmp_path, "wds/s-{000..004}.tar")


def test_shards_of_one_name_in_two_folders_have_places_of_their_own(tmp_path):
    for k, part in enumerate(("one", "two")):
        (tmp_path / part).mkdir()
        write_tar(tmp_path / part / "s.tar", shard(0 * k))
    source = read(tmp_path, "{one,two}/s.tar")
    assert source.places == [f"{part}/s.tar/{k:05d}.png" for part in ("one", "two") for k in range(3)]


def test_shards_named_by_sets_are_given_sets(tmp_path):
    (tmp_path / "wds").mkdir()
    for name, first in (("train-00", 0), ("train-01", 3), ("test-00", 6)):
        write_tar(tmp_path / "wds" / f"{name}.tar", shard(first))
    assert read(tmp_path, "wds").given_sets == ["test"] * 3 + ["train"] * 6


FOLDERS = {f"{CLASSES[k]}/{k}.png": photo(10 * k) for k in range(6)}


def test_a_column_that_is_called_otherwise_rivals_with_class_folders_until_the_settings_decide(tmp_path):
    """A list of path and patient made the patient the label of pictures that lay in class folders."""
    patients = {"who.csv": "path,patient,split\n" + "".join(f"{CLASSES[k]}/{k}.png,p{k // 2},{'test' if k > 3 else 'train'}\n" for k in range(6))}
    write_files(tmp_path / "data", FOLDERS | {"cat/8.png": photo(8)} | patients)
    with pytest.raises(DataError, match='may be their classes, and the list beside them has a column that could be the label: "patient"') as caught:
        read(tmp_path, "data")
    assert 'data.target = "label" takes the folders, data.target = "patient" the column' in caught.value.next
    source = read(tmp_path, "data", target="label")
    said = dict(zip(source.places, zip(source.labels, source.columns["patient"].tolist(), source.given_sets, strict=True)))
    assert said.pop("cat/8.png") == ("cat", None, "")
    assert said == {f"{CLASSES[k]}/{k}.png": (CLASSES[k], f"p{k // 2}", "test" if k > 3 else "train") for k in range(6)}
    source = read(tmp_path, "data", target="patient")
    assert [label for label, place in zip(source.labels, source.places) if place != "cat/8.png"] == ["p0", "p1", "p2", "p0", "p1", "p2"]


@pytest.mark.parametrize(("name", "text"), [("l.csv", "path,class\n"), ("l.txt", ""), ("l.csv", "path,patient,label\n")])
def test_a_list_that_says_that_it_is_one_of_labels_counts_beside_class_folders(tmp_path, name, text):
    form = "{}/{}.png,p,{}" if "patient" in text else "{}/{}.png,{}"
    write_files(tmp_path / "data", FOLDERS | {name: text + "".join(form.format(CLASSES[k], k, "uv"[k // 3]) + "\n" for k in range(6))})
    source = read(tmp_path, "data")
    assert dict(zip(source.places, source.labels)) == {f"{CLASSES[k]}/{k}.png": "uv"[k // 3] for k in range(6)}


def test_folders_called_train_and_test_are_given_sets_also_where_a_list_says_the_labels(tmp_path):
    places = [f"{'test' if k > 3 else 'train'}/{k}.png" for k in range(6)]
    write_files(
        tmp_path / "data",
        {place: photo(k) for k, place in enumerate(places)} | {"l.csv": "path,breed\n" + "".join(f"{place},{CLASSES[k]}\n" for k, place in enumerate(places))},
    )
    source = read(tmp_path, "data")
    assert sorted(zip(source.places, source.labels, source.given_sets)) == sorted((place, CLASSES[k], place.split("/")[0]) for k, place in enumerate(places))


def test_a_list_of_numbers_in_json_is_a_label_of_several_amounts(tmp_path):
    lines = [json.dumps({"file": f"photos/{k}.png", "target": [k / 4, -k] if k else [None, 1], "id": f"n{k}", "parts": [1, 2]}) for k in range(6)]
    write_files(tmp_path / "data", PICTURES | {"items.jsonl": "\n".join(lines)})
    source = read(tmp_path, "data")
    assert source.labels[0] is None
    assert np.array_equal(np.stack(source.labels[1:]), [[k / 4, -k] for k in range(1, 6)])
    assert sorted(source.columns) == ["id", "target"]
    write_files(tmp_path / "data", {"items.jsonl": "\n".join(lines).replace("[0.25, -1]", "[0.25]")})
    with pytest.raises(DataError, match="lists of other lengths"):
        read(tmp_path, "data")


def test_a_file_of_another_kind_beside_pictures_without_a_suffix_says_nothing_of_them(tmp_path):
    write_files(tmp_path / "data", {f"{one}/{k}": photo(10 * k) for k, one in enumerate(CLASSES)} | {"classes.json": "{}"})
    source = read(tmp_path, "data")
    assert dict(zip(source.places, source.labels)) == {f"{one}/{k}": one for k, one in enumerate(CLASSES)}


@pytest.mark.parametrize("labels", [["[]", "cat", "dog"], ["cat", "dog", "[]"], ["[]", "3", "4"], ["4", "3", "[1e999]"]])
def test_a_list_of_no_numbers_is_no_label(tmp_path, labels):
    write_files(tmp_path / "data", PICTURES | {"l.csv": "path,label\n" + "".join(f"{k}.png,{labels[k % 3]}\n" for k in range(6))})
    source = read(tmp_path, "data")
    assert [label is None for label in source.labels] == [one.startswith("[") for one in labels] * 2
    write_files(tmp_path / "data", {"l.csv": "path,label\n" + "".join(f"{k}.png,{f'[{10**400}]' if k % 2 else 'cat'}\n" for k in range(6))})
    assert len(set(read(tmp_path, "data").labels)) == 2  # beyond any amount, so it is a word


def test_lists_of_other_lengths_that_are_no_labels_leave_the_folders_theirs(tmp_path):
    shapes = "".join(f'{CLASSES[k]}/{k}.png,"{[1] * (3 + k % 2)}"\n' for k in range(6))
    write_files(tmp_path / "data", FOLDERS | {"s.csv": "path,polygon\n" + shapes})
    assert read(tmp_path, "data", target="label").labels == ["cat"] * 3 + ["dog"] * 3
    with pytest.raises(DataError, match='a column that could be the label: "polygon"'):
        read(tmp_path, "data")


def test_several_lines_for_a_picture_refuse_nothing_where_the_folders_say_its_label(tmp_path):
    write_files(tmp_path / "data", FOLDERS | {"visits.csv": "path,visit\n" + "".join(f"{CLASSES[k % 6]}/{k % 6}.png,v{k}\n" for k in range(18))})
    source = read(tmp_path, "data", target="label")
    assert source.refused == []
    assert source.columns["visit"].tolist() == ["v0", "v2", "v4", "v1", "v3", "v5"]
    assert any(note.startswith("12 lines of lists say something else of a picture than a line before") for note in source.notes)


def test_a_list_names_first_the_pictures_of_its_own_folder(tmp_path):
    """The same file names in `train` and `test`, each with its metadata, as the Hub's folders of pictures have them."""
    files = {}
    for k, folder in enumerate(("train", "test")):
        files |= {f"{folder}/{n}.png": photo(40 * k + n) for n in range(6)}
        files[f"{folder}/metadata.csv"] = "file_name,label\n" + "".join(f"{n}.png,{CLASSES[(n + k) % 6]}\n" for n in range(6))
    write_files(tmp_path / "data", files)
    source = read(tmp_path, "data")
    assert dict(zip(source.places, zip(source.given_sets, source.labels))) == {
        f"{folder}/{n}.png": (folder, CLASSES[(n + k) % 6]) for k, folder in enumerate(("train", "test")) for n in range(6)
    }


@pytest.mark.parametrize("num", [3, 20_000])
def test_an_open_quotation_mark_far_down_in_a_list_is_named(tmp_path, num):
    """Where one had read a table before, whose cells may be larger, all that follows the mark was one label."""
    text = "path,label\n" + "".join(f"{k % 6}.png,{CLASSES[k % 6]}\n" for k in range(60)) + '1.png,"cat\n' + "0.png,cat\n" * num
    write_files(tmp_path / "data", PICTURES | {"l.csv": text})
    with pytest.raises(DataError, match=r"l\.csv can't be read as a list: a quotation mark is opened and not closed"):
        read(tmp_path, "data")


def test_a_gap_among_several_amounts_is_a_missing_label(tmp_path):
    write_files(tmp_path / "data", PICTURES | {"l.csv": "path,x,z\n" + "".join(f"{k}.png,0.{k},{'' if k == 3 else k}\n" for k in range(6))})
    labels = read(tmp_path, "data").labels
    assert labels[3] is None
    assert labels[5].tolist() == [0.5, 5.0]


@pytest.mark.parametrize(
    ("encoding", "said"), [("cp1252", "labels.csv is not UTF-8; it was read as Windows-1252"), ("utf-16", ""), ("utf-16-le", "its zeros say UTF-16-LE")]
)
def test_a_list_in_an_older_encoding_keeps_its_classes_apart_and_says_how_it_was_read(tmp_path, encoding, said):
    text = "path,label\n" + "".join(f"{k}.png,{('Bär', 'Bör')[k % 2]}\n" for k in range(6))
    write_files(tmp_path / "data", PICTURES | {"labels.csv": text.encode(encoding)})
    source = read(tmp_path, "data")
    assert source.labels == ["Bär", "Bör"] * 3
    assert [said in note for note in source.notes if "labels.csv" in note and "were read from" not in note] == [True] * bool(said)


def test_labels_beside_each_picture_may_be_in_an_older_encoding(tmp_path):
    labels = {f"photos/{k}.cls": ("Bär", "Bör")[k % 2].encode("cp1252") for k in range(6)}
    write_tar(tmp_path / "a.tar", PICTURES | labels)
    source = read(tmp_path, "a.tar")
    assert source.labels == ["Bär", "Bör"] * 3
    assert source.notes == ["0.cls is not UTF-8; it was read as Windows-1252, so look at its accents and signs. So were 5 more beside pictures."]


@pytest.mark.parametrize("word", ["nan", "NA", "None", "-"])
@pytest.mark.parametrize(("written", "read_as"), [("{k}.5", lambda k: [k + 0.5]), ("{k}", lambda k: k)])
def test_a_word_for_none_among_the_amounts_of_a_list_is_a_missing_label_and_no_class(tmp_path, word, written, read_as):
    rows = [f"{k}.png,{word if k == 3 else written.format(k=k)}" for k in range(6)]
    write_files(tmp_path / "data", PICTURES | {"l.csv": "\n".join(["path,weight", *rows])})
    assert read(tmp_path, "data").labels == [None if k == 3 else read_as(k) for k in range(6)]
    pairs = [f"{k}.png,{k}.5,{word if k == 3 else k}" for k in range(6)]
    write_files(tmp_path / "data", {"l.csv": "\n".join(["path,x,z", *pairs])})
    assert [label is None or label.tolist() for label in read(tmp_path, "data").labels] == [k == 3 or [k + 0.5, k] for k in range(6)]


def test_a_class_among_words_may_be_called_none(tmp_path):
    rows = "".join(f"{k}.png,{('None', 'rust')[k % 2]}\n" for k in range(6))
    write_files(tmp_path / "data", PICTURES | {"l.csv": f"path,label\n{rows}"})
    assert read(tmp_path, "data").labels == ["None", "rust"] * 3


@pytest.mark.parametrize(
    ("name", "text"), [("labels.csv", lines("PHOTOS/{k}.PNG,{label}", "path,label\n")), ("ids.tsv", lines("x{k}\t{label}", "id\tlabel\n"))]
)
def test_a_list_that_names_none_of_the_pictures_is_told_where_labels_are_missing(tmp_path, name, text):
    write_files(tmp_path / "data", PICTURES | {"README.txt": "Six photos,\nof cats and dogs.\n", name: text})
    example = ("PHOTOS/5.PNG" if name == "labels.csv" else "x5") + ", dog"
    with pytest.raises(DataError, match=f'Labels are missing: .*; 7 of the 7 lines of {name} name no picture that is there, such as "{example}"'):
        read(tmp_path, "data")
    write_files(tmp_path / "alone", PICTURES | {"README.txt": "Six photos,\nof cats and dogs.\n"})
    with pytest.raises(DataError, match=r'but only one class folder, "photos"\.\n'):
        read(tmp_path, "alone")
