"""Tables of several files: same columns, same types, labels that mean the same written the same."""

import numpy as np
import pytest

from surefoot.types.errors import DataError

from .samples import photo, read, read_text, two_classes, write_files, write_zip

TRAIN = "age,work,income\n39, State, <=50K\n50, ?, >50K\n38, Private, <=50K\n"
TEST = "age,work,income\n25, Private, <=50K.\n28, Local, >50K.\n"


def test_a_test_file_is_appended_as_given_test_set(tmp_path):
    write_files(tmp_path, {"train.csv": TRAIN, "exam.csv": TEST})
    source = read(tmp_path, "train.csv", test="exam.csv")
    assert source.given_sets == ["", "", "", "test", "test"]
    assert source.places[-1] == "exam.csv:3"
    assert source.columns["age"].tolist() == [39, 50, 38, 25, 28]
    assert source.columns["work"].tolist() == ["State", None, "Private", "Private", "Local"]


@pytest.mark.parametrize("name", ["b/data.csv", "b", "b/"])
def test_a_repair_of_a_row_hits_no_row_of_a_test_file_of_that_name(tmp_path, name):
    rows = "x,y\n1,a\n2,b\n3,a\n"
    write_files(tmp_path, {"a/data.csv": rows, "b/data.csv": rows, "repairs.csv": "place,action,value\ndata.csv:2,drop,\ndata.csv:3,relabel,a\n"})
    source = read(tmp_path, "a/data.csv", test=name, target="y")
    assert source.places == ["data.csv:3", "data.csv:4", "b/data.csv:2", "b/data.csv:3", "b/data.csv:4"]
    assert source.columns["y"].tolist() == ["a", "a", "a", "b", "a"]
    assert source.given_sets == ["", "", "test", "test", "test"]


@pytest.mark.parametrize("container", ["pattern", "archive"])
def test_parts_of_one_name_have_places_that_tell_them_apart(tmp_path, container):
    files = {f"t/{part}/x/data.csv": b"x,y\n1,a\n2,b\n" for part in ("one", "two")} | {"t/more.csv": b"x,y\n9,c\n"}
    if container == "archive":
        name = write_zip(tmp_path / "t.zip", {path: content for path, content in files.items() if path != "t/more.csv"}).name
    else:
        write_files(tmp_path, files)
        name = "t/{one/x/data,two/x/data,more}.csv"
    tops = ["one/x/data.csv", "two/x/data.csv"]
    source = read(tmp_path, name, target="y")
    assert source.places[:4] == [f"{top}:{line}" for top in tops for line in (2, 3)]
    assert source.places[4:] == ([] if container == "archive" else ["more.csv:2"])
    (tmp_path / "repairs.csv").write_text("place,action\ntwo/x/data.csv:2,drop\n")
    assert len(read(tmp_path, name, target="y")) == len(source) - 1
    (tmp_path / "repairs.csv").write_text("place,action\ndata.csv:2,drop\n")
    with pytest.raises(DataError, match=r'names "data\.csv:2", where no usable item is'):
        read(tmp_path, name, target="y")


def test_a_test_set_of_texts_with_the_paths_of_its_source_has_places_of_its_own(tmp_path):
    texts = {f"{kind}/{k}.txt": f"{kind} words of text {k}" for kind in ("ham", "spam") for k in range(2)}
    write_files(tmp_path, {f"{top}/{path}": text for top in ("a/mail", "b/mail", "c/post") for path, text in texts.items()})
    for name in ("b/mail", "c/post"):
        places = read(tmp_path, "a/mail", test=name).places
        assert places == [*sorted(texts), *(f"{name}/{path}" for path in sorted(texts))]


def test_labels_that_end_in_a_dot_in_one_file_alone_lose_it_and_it_is_said_once(tmp_path):
    write_files(tmp_path, {"train.csv": TRAIN, "exam.csv": TEST})
    source = read(tmp_path, "train.csv", test="exam.csv")
    assert source.columns["income"].tolist() == ["<=50K", ">50K", "<=50K", "<=50K", ">50K"]
    assert source.notes == ['Labels of "income" end in a dot in exam.csv and nowhere else ("<=50K.", ">50K."); it was stripped in 2 rows.']


def test_dots_that_merge_nothing_stay(tmp_path):
    source = read_text(tmp_path, "x,label\n1,Inc.\n2,Ltd\n")
    assert source.columns["label"].tolist() == ["Inc.", "Ltd"]
    write_files(tmp_path, {"a.csv": "x,label\n1,etc.\n2,no\n", "b.csv": "x,label\n1,etc.\n2,no\n"})
    assert read(tmp_path, "a.csv", test="b.csv").columns["label"].tolist() == ["etc.", "no"] * 2


def test_columns_may_come_in_another_order(tmp_path):
    write_files(tmp_path, {"train.csv": TRAIN, "exam.csv": "income,age,work\n>50K,60,State\n"})
    source = read(tmp_path, "train.csv", test="exam.csv")
    assert list(source.columns) == ["age", "work", "income"]
    assert source.columns["age"][-1] == 60


def test_columns_that_differ_are_an_error_that_suggests_the_nearest_name(tmp_path):
    write_files(tmp_path, {"train.csv": TRAIN, "exam.csv": "Age,work,incme\n60,State,>50K\n"})
    with pytest.raises(DataError, match=r'exam\.csv does not have the columns of train\.csv: it lacks "age", "income"; it also has "Age", "incme"') as caught:
        read(tmp_path, "train.csv", test="exam.csv")
    assert 'Did you mean "age"?' in caught.value.next


def test_ignored_columns_need_not_be_everywhere(tmp_path):
    write_files(tmp_path, {"train.csv": "id,x,y\n1,2,a\n2,3,b\n", "exam.csv": "x,y\n5,a\n"})
    source = read(tmp_path, "train.csv", test="exam.csv", ignore=["id"])
    assert list(source.columns) == ["x", "y"]
    assert 'left out: "id"' in source.notes[0]


def test_a_folder_with_train_and_test_files_is_one_table(tmp_path):
    write_files(tmp_path / "adult", {"train.csv": TRAIN, "test.csv": TEST, "val.csv": TRAIN, "readme.md": "# Adult"})
    source = read(tmp_path, "adult")
    assert source.given_sets == ["train"] * 3 + ["test"] * 2 + ["val"] * 3
    assert set(source.columns["income"]) == {"<=50K", ">50K"}


def test_dev_is_val_and_a_table_that_is_no_set_is_named(tmp_path):
    write_files(tmp_path / "adult", {"train.csv": TRAIN, "test.csv": TEST, "dev.csv": TRAIN, "extra.csv": TRAIN, "more.csv": TRAIN})
    source = read(tmp_path, "adult")
    assert source.given_sets == ["train"] * 3 + ["val"] * 3 + ["test"] * 2
    assert 'adult also holds "extra.csv", "more.csv", which were not read.' in source.notes
    write_files(tmp_path / "twice", {"train.csv": TRAIN, "dev.csv": TRAIN, "val.csv": TRAIN})
    with pytest.raises(DataError, match="two tables for the same set"):
        read(tmp_path, "twice")


def test_a_folder_with_one_table_is_that_table_and_with_several_an_error(tmp_path):
    write_files(tmp_path / "one", {"people.csv": TRAIN})
    assert len(read(tmp_path, "one")) == 3
    write_files(tmp_path / "two", {"a.csv": TRAIN, "b.csv": TRAIN})
    with pytest.raises(DataError, match=r'two/ holds 2 tables: "a\.csv", "b\.csv"') as caught:
        read(tmp_path, "two")
    assert 'source = "two/a.csv"' in caught.value.next


def test_types_are_decided_over_all_rows_of_source_and_test(tmp_path):
    write_files(tmp_path, {"train.csv": "code,y\n1,a\n2,b\n", "exam.csv": "code,y\nA7,a\nB3,b\n"})
    assert read(tmp_path, "train.csv", test="exam.csv").columns["code"].tolist() == ["1", "2", "A7", "B3"]


def test_a_wild_file_is_read_with_the_types_of_its_source(tmp_path):
    write_files(
        tmp_path,
        {
            "train.csv": "size,colour,flag,day,y\n1,red,t,13/1/2020,a\n2,7,f,2/1/2020,b\n",
            "wild.csv": "y,size,colour,flag,day\na.,big,5,t,1/2/2020\nb.,3,,maybe,2020-01-01\n",
        },
    )
    wild = read(tmp_path, "train.csv", wild="wild.csv", which="wild")
    assert np.array_equal(wild.columns["size"], [np.nan, 3], equal_nan=True)
    assert wild.columns["colour"].tolist() == ["5", None]
    assert np.array_equal(wild.columns["flag"], [1, np.nan], equal_nan=True)
    assert wild.columns["day"][0] == np.datetime64("2020-02-01")
    assert np.isnat(wild.columns["day"][1])
    assert wild.columns["y"].tolist() == ["a", "b"]
    assert wild.places == ["wild.csv:2", "wild.csv:3"]
    assert wild.given_sets == ["", ""]
    assert wild.booleans == ("flag",)
    assert any("no numbers" in note and "wild.csv:2" in note for note in wild.notes)
    assert wild.fingerprint == read(tmp_path, "wild.csv").fingerprint


def test_what_a_wild_file_lacks_is_of_the_source_s_type_all_the_same(tmp_path):
    write_files(tmp_path, {"train.csv": "colour,y\nred,1\nblue,2\n", "wild.csv": "colour,y\n?,1\n?,2\n"})
    assert read(tmp_path, "train.csv", wild="wild.csv", which="wild").columns["colour"].tolist() == [None, None]


def test_pictures_beside_a_table_are_an_error(tmp_path):
    write_files(tmp_path / "photos", two_classes())
    write_files(tmp_path, {"train.csv": TRAIN})
    with pytest.raises(DataError, match='The source is a table, but "photos" is pictures'):
        read(tmp_path, "train.csv", test="photos")
    with pytest.raises(DataError, match=r'The source is pictures, but "train\.csv" is a table'):
        read(tmp_path, "photos", wild="train.csv", which="wild")


def test_a_table_beside_pictures_does_not_hide_them(tmp_path):
    write_files(tmp_path / "photos", two_classes() | {"train.csv": TRAIN, "1.png": photo()})
    assert read(tmp_path, "photos").kind == "image"


def test_the_fingerprint_covers_both_files(tmp_path):
    write_files(tmp_path, {"train.csv": TRAIN, "exam.csv": TEST})
    first = read(tmp_path, "train.csv", test="exam.csv").fingerprint
    assert first == read(tmp_path, "train.csv", test="exam.csv").fingerprint
    assert first != read(tmp_path, "train.csv").fingerprint
    write_files(tmp_path, {"exam.csv": TEST + "30, State, >50K.\n"})
    assert first != read(tmp_path, "train.csv", test="exam.csv").fingerprint


def test_a_large_table_is_what_a_small_one_is(tmp_path, monkeypatch):
    write_files(tmp_path, {"train.csv": "when,age,work,is_new\n2024-01-27,39,State,yes\n,50,?,no\n1999-12-31,,Private,yes\n"})
    small = read(tmp_path, "train.csv")
    monkeypatch.setattr("surefoot.data.readers.table._MANY", 1)
    large = read(tmp_path, "train.csv")
    assert [*large.columns] == [*small.columns]
    for name, values in small.columns.items():
        assert large.columns[name].dtype == values.dtype
        np.testing.assert_array_equal(large.columns[name], values)
    assert large.columns["when"].base is not None  # mapped
