"""Repairs are applied while reading, the source stays as it is, and a wrong line is named with what is allowed."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data.measures import to_grey
from surefoot.data.readers import open_source
from surefoot.data.readers.repairs import Repair, list_decided, read_repairs, write_repairs
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DataError

from .samples import two_classes, write_files

HEAD = "id,place,action,value,reason\n"


@pytest.fixture
def project(tmp_path):
    write_files(tmp_path / "photos", {**two_classes(), "notes.txt": b"bring food"})
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,yes\n2,3,no\n3,4,yes\n4,5,no\n")
    return tmp_path


def open_with(project, lines, source="photos", **config):
    (project / "repairs.csv").write_text(HEAD + lines)
    return open_source(DataConfig(source=source, **config), project)


def test_pictures_are_dropped_relabelled_turned_and_converted(project):
    before = open_source(DataConfig(source="photos"), project)
    source = open_with(
        project,
        ",cat/0.png,drop,,torn\n,cat/1.png,relabel,dog,\n,dog/0.png,rotate,90,\n,dog/1.png,convert,grey,\n,dog/1.png,convert,invert,\n,notes.txt,drop,,\n",
    )
    assert source.places == ["cat/1.png", "dog/0.png", "dog/1.png"]
    assert source.labels == ["dog", "dog", "dog"]
    assert np.array_equal(source.read(1), np.rot90(before.read(2), -1))
    assert np.array_equal(source.read(2), 255 - to_grey(before.read(3)))
    assert source.changed == {1, 2}
    assert [(one.place, one.code, one.reason) for one in source.refused] == [
        ("cat/0.png", "data.repaired", "dropped by repairs.csv: torn"),
        ("notes.txt", "data.repaired", "dropped by repairs.csv"),
    ]
    assert "repairs.csv was applied: 2 × convert, 2 × drop, 1 × relabel, 1 × rotate." in source.notes
    assert source.fingerprint != before.fingerprint
    assert source.fetch(0) == (project / "photos/cat/1.png").read_bytes()


def test_rows_are_dropped_and_relabelled(project):
    source = open_with(project, ",t.csv:3,drop,,\n,t.csv:4,relabel,no,\n", "t.csv", target="y")
    assert source.columns["a"].tolist() == [1, 3, 4]
    assert source.columns["y"].tolist() in (["yes", "no", "no"], [1.0, 0.0, 0.0])


def test_without_a_file_nothing_is_repaired_unless_one_was_named(project):
    assert open_source(DataConfig(source="photos"), project).changed == frozenset()
    with pytest.raises(DataError, match=r"no file mine\.csv"):
        open_source(DataConfig(source="photos", repairs="mine.csv"), project)
    (project / "repairs.csv").write_text(HEAD + ",cat/0.png,drop,,\n")
    assert len(open_source(DataConfig(source="photos", repairs=""), project)) == 4


@pytest.mark.parametrize(
    ("line", "what", "next"),
    [
        (",cat/0.png,dorp,,", 'Line 2 .* says "dorp"', 'Did you mean "drop"'),
        (",cat/0.png,rotate,45,", 'cannot rotate by "45"', "90, 180, 270"),
        (",cat/0.png,convert,gray,", 'cannot convert by "gray"', "grey, colour, invert"),
        (",cat/0.png,relabel,,", "relabels to nothing", "column value"),
        (",cat/0.png,relabel,dgo,", 'to "dgo", which is no class', 'Did you mean "dog"'),
        (",cat/9.png,drop,,", 'names "cat/9.png", where no usable item is', "Did you mean"),
        ("x,,drop,,", "names no place", "as the report does"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_allowed(project, line, what, next):
    with pytest.raises(DataError, match=what) as caught:
        open_with(project, line + "\n")
    assert next in caught.value.next
    assert caught.value.where.endswith("repairs.csv:2")


def test_rows_of_a_table_can_not_be_turned(project):
    with pytest.raises(DataError, match="wants to rotate a row of a table"):
        open_with(project, ",t.csv:2,rotate,90,\n", "t.csv", target="y")


def test_a_file_without_the_columns_is_told(project):
    (project / "repairs.csv").write_text("path;what\na;b\n")
    with pytest.raises(DataError, match='has no column "place", "action"'):
        open_source(DataConfig(source="photos"), project)


def test_what_is_written_is_read_back(tmp_path):
    repairs = [Repair(2, "a, b/ü.png", "drop", reason='said "no"'), Repair(3, "c.png", "rotate", "180", id="x-0")]
    (tmp_path / "r.csv").write_bytes(write_repairs(repairs))
    assert read_repairs(tmp_path / "r.csv") == repairs


def test_names_that_end_in_a_space_or_a_line_break_survive_writing_and_reading(project):
    """macOS lays `Icon\\r` into folders: the file that the audit wrote stopped every later command."""
    names = ["cat/Icon\r", "cat/b .txt ", " cat.png"]
    write_files(project / "photos", dict.fromkeys(names, b"no picture"))
    repairs = [Repair(line, name, "drop", reason="no picture") for line, name in enumerate(names, 2)]
    (project / "repairs.csv").write_bytes(write_repairs(repairs))
    assert read_repairs(project / "repairs.csv") == repairs
    source = open_source(DataConfig(source="photos"), project)
    assert {one.place for one in source.refused if one.code == "data.repaired"} == {*names}


def test_spaces_that_a_person_left_around_a_place_are_not_its_name(project):
    assert open_with(project, ", cat/0.png ,relabel,dog,\n").labels[0] == "dog"
    assert list_decided(DataConfig(), project) >= {"cat/0.png"}


def test_an_item_is_not_relabelled_to_two_targets(project):
    with pytest.raises(DataError, match=r'Line 3 .* relabels to "cat" what line 2 relabels to "dog"'):
        open_with(project, ",cat/0.png,relabel,dog,\n,cat/0.png,relabel,cat,\n")
    assert open_with(project, ",cat/0.png,relabel,dog,\n,cat/0.png,relabel,dog,\n").labels[0] == "dog"


@pytest.mark.parametrize("value", ["nan", "-inf", "many"])
def test_an_amount_is_relabelled_to_a_number_alone(project, value):
    (project / "amounts.csv").write_text("a,y\n" + "".join(f"{n},{n * 1.37}\n" for n in range(9)))
    with pytest.raises(DataError, match=f'relabels to "{value}", and the target is a number'):
        open_with(project, f",amounts.csv:3,relabel,{value},\n", "amounts.csv", target="y")
    assert open_with(project, ",amounts.csv:3,relabel,7.5,\n", "amounts.csv", target="y").columns["y"][1] == 7.5
