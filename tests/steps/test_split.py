"""The stored split at the doors: who is known keeps the set, whatever happens around, and what is given counts."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surefoot.project import Project
from surefoot.types import ConfigError, DataError


def make(folder: Path, header: str, rows: list[str], settings: str = "") -> Project:
    """A project on a table, whose target is its last column."""
    (folder / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "p").mkdir(exist_ok=True)
    (folder / "p" / "surefoot.toml").write_text(f'budget = "smoke"\n[data]\nsource = "../t.csv"\ntarget = "y"\n{settings}')
    return Project(folder / "p")


def split(project: Project, *changed: str) -> dict[str, str]:
    """Id -> set, after the road was walked so far."""
    project.run(to="split", set=list(changed))
    table = project.store.get_table(project.report("split").sets).to_pydict()
    return dict(zip(table["id"], table["set"]))


def codes(project: Project) -> list[str]:
    return [one.code for one in project.report("split").findings]


def in_set(sets: dict[str, str], name: str) -> set[str]:
    return {item for item, one in sets.items() if one == name}


def draw(num: int, seed: int = 0) -> list[str]:
    """Rows of a number that never repeats, and a class."""
    values = np.random.default_rng(seed).normal(size=num)
    return [f"{value:.6f},{'yes' if value > 0 else 'no'}" for value in values]


@pytest.mark.parametrize("change", ["drop a row", "append rows", "repeat a word"])
def test_a_column_that_names_rows_does_so_in_every_round_and_nobody_is_forgotten(tmp_path, change):
    rows = [f"{n},k{n},{row}" for n, row in enumerate(draw(200), 1)]
    project = make(tmp_path, "n,key,x,y", rows)
    before = split(project, "split.protocol=holdout")
    assert {one.name: one.role for one in project.report("audit").columns} == {"n": "id", "key": "id", "x": "input", "y": "target"}
    gone = 1 if change == "drop a row" else 0
    if gone:
        (tmp_path / "p" / "repairs.csv").write_text("place,action\nt.csv:17,drop\n")
    elif change == "append rows":
        make(tmp_path, "n,key,x,y", rows + [f"{7 * n},k{n},{row}" for n, row in enumerate(draw(5, 1), 300)])
    else:
        make(tmp_path, "n,key,x,y", [*rows[:-1], rows[-1].replace("k200", "k1").replace("200,", "1,", 1)])
    after = split(project, "split.protocol=holdout")
    assert {one.name: one.role for one in project.report("audit").columns if one.name in ("n", "key")} == {"n": "id", "key": "id"}
    known = {item: name for item, name in before.items() if item in after}
    assert len(known) == 200 - gone
    assert {item: after[item] for item in known} == known
    assert "split.forgotten" not in codes(project)


def test_a_counter_with_gaps_is_one_in_the_first_audit_too_and_what_the_settings_said_is_no_guess_that_stands(tmp_path):
    rows = [f"{n},{n * 7 % 50},{row}" for n, row in enumerate(draw(200), 1) if n % 17]
    roles = []
    for settings in ("", 'id = "z"\n', ""):
        project = make(tmp_path, "n,z,x,y", rows, settings)
        split(project)
        roles.append([one.role for one in project.report("audit").columns])
    assert roles == [["id", "input", "input", "target"], ["id", "id", "input", "target"], ["id", "input", "input", "target"]]


def test_a_split_that_knows_nobody_says_so(tmp_path):
    project = make(tmp_path, "x,y", draw(200))
    split(project)
    assert "split.forgotten" not in codes(project)
    project = make(tmp_path, "x,more,y", [f"1{row.replace(',', f',{n % 3},')}" for n, row in enumerate(draw(200))])
    split(project)
    (found,) = [one for one in project.report("split").findings if one.code == "split.forgotten"]
    assert (found.severity, found.evidence["known"], found.evidence["items"]) == ("warn", 200, 200)


@pytest.mark.parametrize("by", ["stratified", "group", "time"])
def test_a_hold_out_after_k_fold_takes_val_out_of_train_and_leaves_the_test_set(tmp_path, by):
    rows = [f"p{n % 30},2024-{1 + n // 28 % 12:02d}-{1 + n % 28:02d},{row}" for n, row in enumerate(draw(150))]
    settings = {"stratified": '[split]\ntime = "none"\n', "group": '[split]\ngroup = "who"\ntime = "none"\n', "time": '[split]\ntime = "day"\n'}[by]
    project = make(tmp_path, "who,day,x,y", rows, 'ignore = ["who"]\n' * (by != "group") + settings)
    before = split(project)
    assert project.report("split").protocol == "kfold"
    after = split(project, "split.protocol=holdout")
    report = project.report("split")
    assert (report.protocol, report.by) == ("holdout", by)
    assert in_set(after, "test") == in_set(before, "test")
    assert in_set(after, "train") | in_set(after, "val") == in_set(before, "train")
    assert len(in_set(after, "val")) == pytest.approx(len(before) * 0.2, abs=6)
    assert not {"split.forgotten", "split.overruled"} & set(codes(project))
    index = project.store.get_table(project.report("audit").index).to_pydict()
    if by == "group":
        sides = {(group, after[item]) for group, item in zip(index["group"], index["id"])}
        assert len(sides) == 30
    if by == "time":
        days = {name: [day for item, day in zip(index["id"], index["time"]) if after[item] == name] for name in ("train", "val", "test")}
        assert max(days["train"]) < min(days["val"]) <= max(days["val"]) < min(days["test"])
    assert split(project, "split.protocol=holdout", "split.folds=4") == after  # once parted, they stay


def test_val_is_no_set_of_newcomers_when_a_table_outgrows_k_fold(tmp_path):
    rows = draw(1_100)
    before = split(make(tmp_path, "x,y", rows[:900]))
    project = make(tmp_path, "x,y", rows)
    after = split(project)
    assert (project.report("split").protocol, project.report("split").newcomers) == ("holdout", 200)
    assert in_set(before, "test") <= in_set(after, "test")
    assert not in_set(before, "train") & in_set(after, "test")
    assert Counter(after.values()) == {"train": pytest.approx(660, abs=4), "val": pytest.approx(220, abs=4), "test": pytest.approx(220, abs=4)}
    assert len(in_set(after, "val") & set(before)) > 150


@pytest.mark.parametrize("protocol", ["holdout", "kfold"])
def test_rows_that_are_away_for_any_number_of_runs_come_back_to_their_set(tmp_path, protocol):
    """They were dealt anew, and a part of the test set was trained on. While they are away they count nowhere."""
    rows, changed = [*draw(200), *draw(3)], f"split.protocol={protocol}"  # three rows are there twice
    before = split(make(tmp_path, "x,y", rows), changed)
    for some in (rows[40:], [*rows[70:], *draw(30, 1)], rows[70:110]):
        project = make(tmp_path, "x,y", some)
        between = split(project, changed)
        assert len(between) == len(some) == sum(project.report("split").counts.values())
        assert all(name == before.get(item, name) for item, name in between.items())
    project = make(tmp_path, "x,y", [*rows, *draw(20, 2)])
    after = split(project, changed)
    assert {item: after[item] for item in before} == before
    assert (project.report("split").newcomers, project.report("split").away != "") == (20, True)
    assert not {"split.forgotten", "split.overruled", "split.leak"} & set(codes(project))


def test_rows_of_a_round_before_the_one_whose_result_stands_again_are_known_too(tmp_path):
    """The split of the first file is taken over from the first round, and knows nothing of the second."""
    project = make(tmp_path, "x,y", draw(200))
    (tmp_path / "other.csv").write_text("\n".join(["x,y", *draw(120, 1)]) + "\n")
    first = split(project)
    second = split(project, "data.source=../other.csv")
    assert split(project, "data.source=../t.csv") == first
    (tmp_path / "other.csv").write_text("\n".join(["x,y", *draw(120, 1), *draw(10, 2)]) + "\n")
    third = split(project, "data.source=../other.csv")
    assert {item: third[item] for item in second} == second
    make(tmp_path, "x,y", [*draw(200), *draw(10, 3)])
    fourth = split(project, "data.source=../t.csv")
    assert {item: fourth[item] for item in first} == first


def test_a_row_whose_class_was_mended_meanwhile_comes_back_to_its_set(tmp_path):
    rows = draw(200)
    before = split(make(tmp_path, "x,y", rows), "split.protocol=holdout")
    split(make(tmp_path, "x,y", rows[50:]), "split.protocol=holdout")
    flipped = [row.replace("yes", "no") if n % 5 else row for n, row in enumerate(rows)]
    assert split(make(tmp_path, "x,y", flipped), "split.protocol=holdout") == before


@pytest.mark.parametrize("by", ["group", "time", "stratified"])
def test_what_k_fold_called_train_joins_its_kin_when_it_comes_back_to_a_hold_out(tmp_path, by):
    rows = [f"p{n % 30},2024-{1 + n // 28 % 12:02d}-{1 + n % 28:02d},{row}" for n, row in enumerate(draw(180))]
    settings = {"stratified": '[split]\ntime = "none"\n', "group": '[split]\ngroup = "who"\ntime = "none"\n', "time": '[split]\ntime = "day"\n'}[by]
    settings = 'ignore = ["who"]\n' * (by != "group") + settings
    before = split(make(tmp_path, "who,day,x,y", rows, settings), "split.protocol=kfold")
    split(make(tmp_path, "who,day,x,y", rows[::2] + rows[1:30:2], settings), "split.protocol=holdout")
    project = make(tmp_path, "who,day,x,y", rows, settings)
    after = split(project, "split.protocol=holdout")
    assert in_set(after, "test") == in_set(before, "test")
    assert len(in_set(after, "val")) == pytest.approx(36, abs=10)
    assert not {"split.forgotten", "split.overruled", "split.leak"} & set(codes(project))
    index = project.store.get_table(project.report("audit").index).to_pydict()
    if by == "group":
        assert len({(group, after[item]) for group, item in zip(index["group"], index["id"])}) == 30
    if by == "time":
        days = {name: [day for item, day in zip(index["id"], index["time"]) if after[item] == name] for name in ("train", "val", "test")}
        assert max(days["train"]) < min(days["val"]) <= max(days["val"]) < min(days["test"])


def test_a_newcomer_of_a_group_whose_members_are_away_goes_where_they_were(tmp_path):
    rows = [f"p{n % 20},{row}" for n, row in enumerate(draw(200))]
    settings, changed = '[split]\ngroup = "who"\n', "split.protocol=holdout"
    project = make(tmp_path, "who,x,y", rows, settings)
    before = split(project, changed)
    index = project.store.get_table(project.report("audit").index).to_pydict()
    sides = {group: before[item] for group, item in zip(index["group"], index["id"])}
    staying = {group for name in ("train", "val", "test") for group in sorted(one for one in sides if sides[one] == name)[::2]}
    stay = [row for row in rows if row.split(",")[0] in staying]
    split(make(tmp_path, "who,x,y", stay, settings), changed)
    project = make(tmp_path, "who,x,y", [*stay, *(f"p{n % 20},{row}" for n, row in enumerate(draw(40, 1)))], settings)
    after = split(project, changed)
    index = project.store.get_table(project.report("audit").index).to_pydict()
    assert {group: after[item] for group, item in zip(index["group"], index["id"])} == sides
    assert project.report("split").newcomers == 40


def write_pictures(folder: Path, num: int = 40) -> None:
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for n in range(num):
            Image.fromarray(generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(folder / name / f"{n}.png")


def list_pictures(folder: Path) -> Project:
    """A project on pictures and a list that says of each its label, patient, day and weight."""
    write_pictures(folder / "photos")
    rows = [f"{name}/{n}.png,{name},p{n % 20},{n % 13 + 1},{1 + n % 2}" for name in ("cat", "dog") for n in range(40)]
    (folder / "photos" / "labels.csv").write_text("\n".join(["path,label,patient,day,sure", *rows]) + "\n")
    return Project.init(str(folder / "photos"), out=str(folder / "p"), budget="smoke")


def test_pictures_are_split_and_weighed_by_the_columns_of_a_list_beside_them(tmp_path):
    project = list_pictures(tmp_path)
    sets = split(project, "split.protocol=holdout", "split.group=patient", "data.weight=sure")
    index = project.store.get_table(project.report("audit").index).to_pydict()
    assert project.report("split").by == "group"
    assert len({(group, sets[item]) for group, item in zip(index["group"], index["id"])}) == 20
    assert set(sets.values()) == {"train", "val", "test"}
    assert {(place.split("/")[1], weight) for place, weight in zip(index["place"], index["weight"])} == {(f"{n}.png", 1 + n % 2) for n in range(40)}


def test_pictures_that_are_turned_or_converted_by_repairs_stay_who_they_are_and_where_they_are(tmp_path):
    """By the mended pixels they were newcomers, and turning a picture moved it into the test set."""
    write_pictures(tmp_path / "photos")
    shutil.copy(tmp_path / "photos/cat/3.png", tmp_path / "photos/cat/twin.png")
    Image.open(tmp_path / "photos/dog/5.png").rotate(90).save(tmp_path / "photos/dog/lying.png")
    project = Project.init(str(tmp_path / "photos"), out=str(tmp_path / "p"), budget="smoke")
    before = split(project, "split.protocol=holdout")
    mended = [f"cat/{n}.png,rotate,{turn}" for n, turn in zip(range(20), (90, 180, 270) * 7)] + [f"dog/{n}.png,convert,grey" for n in range(10, 20)]
    (tmp_path / "p" / "repairs.csv").write_text("\n".join(["place,action,value", *mended, "dog/lying.png,rotate,90"]) + "\n")
    assert split(project, "split.protocol=holdout") == before
    assert project.report("split").newcomers == 0
    index = project.store.get_table(project.report("audit").index).to_pydict()
    at = {place: row for row, place in enumerate(index["place"])}
    assert index["content"][at["cat/3.png"]] == index["content"][at["cat/twin.png"]]  # one thing, whichever way up it is used
    assert index["near"][at["dog/5.png"]] == index["near"][at["dog/lying.png"]] is not None  # equal as they are used


def test_a_target_that_was_named_beside_pictures_is_written_down_and_learned(tmp_path):
    list_pictures(tmp_path)
    labels = tmp_path / "photos" / "labels.csv"
    labels.write_text(labels.read_text().replace("label", "kind"))
    project = Project.init(str(tmp_path / "photos"), out=str(tmp_path / "q"), budget="smoke", target="kind")
    split(project, "split.group=patient")
    assert (project.report("problem").target, project.report("problem").classes) == (("kind",), ("cat", "dog"))
    assert project.report("split").by == "group"


def test_pictures_are_split_by_the_time_that_a_list_says(tmp_path):
    project = list_pictures(tmp_path)
    sets = split(project, "split.protocol=holdout", "split.time=day")
    index = project.store.get_table(project.report("audit").index).to_pydict()
    days = {name: [day for item, day in zip(index["id"], index["time"]) if sets[item] == name] for name in ("train", "val", "test")}
    assert project.report("split").by == "time"
    assert max(days["train"]) < min(days["val"]) <= max(days["val"]) < min(days["test"])


@pytest.mark.parametrize("setting", ["split.group", "split.time", "data.weight"])
def test_a_setting_that_names_a_column_is_refused_where_pictures_have_none(tmp_path, setting):
    project = list_pictures(tmp_path)
    with pytest.raises(DataError, match="There is no column 'patients' in the data") as caught:
        split(project, f"{setting}=patients")
    assert (caught.value.where, caught.value.next) == (f"{setting} = 'patients'", 'Did you mean "patient"?')
    (tmp_path / "photos" / "labels.csv").unlink()
    with pytest.raises(DataError, match="There is no column 'patient' in the data") as caught:
        split(project, f"{setting}=patient")
    assert "labels.csv with path,label,patient" in caught.value.next


def test_settings_for_the_columns_of_a_table_are_refused_with_pictures(tmp_path):
    project = list_pictures(tmp_path)
    with pytest.raises(ConfigError, match=r"data\.id: it is for tables(.|\n)*data\.ignore: it is for tables"):
        split(project, "data.id=patient", 'data.ignore=["day"]')


@pytest.mark.parametrize("protocol", ["holdout", "kfold"])
def test_a_test_folder_that_comes_later_is_the_test_set_and_it_is_told(tmp_path, protocol):
    write_pictures(tmp_path / "photos")
    project = Project.init(str(tmp_path / "photos"), out=str(tmp_path / "p"), budget="smoke")
    changed = f"split.protocol={protocol}"
    before = split(project, changed)
    assert codes(project).count("split.overruled") == 0
    for name in ("cat", "dog"):
        for n in range(40):
            folder = tmp_path / "photos" / ("test" if n < 10 else "train") / name
            folder.mkdir(parents=True, exist_ok=True)
            shutil.move(tmp_path / "photos" / name / f"{n}.png", folder)
        (tmp_path / "photos" / name).rmdir()
    after = split(project, changed)
    index = project.store.get_table(project.report("audit").index).to_pydict()
    given = {item for item, place in zip(index["id"], index["place"]) if place.startswith("test/")}
    assert in_set(after, "test") == given
    assert set(after) == set(before)
    assert in_set(before, "val") - given <= in_set(after, "val")
    (found,) = [one for one in project.report("split").findings if one.code == "split.overruled"]
    enter, leave = given - in_set(before, "test"), in_set(before, "test") - given
    assert (found.severity, found.evidence) == ("warn", {"items": len(enter | leave), "into_test": len(enter), "out_of_test": len(leave)})
    assert split(project, changed, "split.train_dev=0.2") == after
    assert "split.overruled" not in codes(project)  # by now they are what they were


def test_a_train_folder_alone_parts_nothing_and_time_still_does(tmp_path):
    """As competitions hand pictures out: all in `train`, with a list. Time was overruled in silence."""
    write_pictures(tmp_path / "photos" / "train")
    rows = [f"train/{name}/{n}.png,{name},{n % 13 + 1}" for name in ("cat", "dog") for n in range(40)]
    (tmp_path / "photos" / "labels.csv").write_text("\n".join(["path,label,day", *rows]) + "\n")
    project = Project.init(str(tmp_path / "photos"), out=str(tmp_path / "p"), budget="smoke")
    sets = split(project, "split.protocol=holdout", "split.time=day")
    index = project.store.get_table(project.report("audit").index).to_pydict()
    assert set(index["given_set"]) == {"train"}
    days = {name: [day for item, day in zip(index["id"], index["time"]) if sets[item] == name] for name in ("train", "test")}
    assert project.report("split").by == "time"
    assert max(days["train"]) < min(days["test"])


def test_rows_stay_where_they_are_whatever_column_is_left_out_and_taken_in_again(tmp_path):
    """The advice to ignore a leaking column made strangers of all rows: the test set was dealt anew, and train held what had been test."""
    rows = [f"{n % 7},{n % 3},{row}" for n, row in enumerate(draw(300))]
    project = make(tmp_path, "u,v,x,y", rows)

    def by_place(*changed: str) -> dict[str, str]:
        sets = split(project, "split.protocol=holdout", *changed)
        index = project.store.get_table(project.report("audit").index).to_pydict()
        return {place: sets[id] for place, id in zip(index["place"], index["id"])}

    first = by_place()
    for changed in (["data.ignore=['u']"], ["data.ignore=['u', 'v']"], ["data.ignore=['v']"], []):
        assert by_place(*changed) == first, changed
        assert not {"split.forgotten", "split.leak"} & set(codes(project))
    by_place("data.ignore=['u']")
    make(tmp_path, "u,v,x,y", rows[:200])
    by_place("data.ignore=['u', 'v']")
    make(tmp_path, "u,v,x,y", [*rows, *(f"0,0,{row}" for row in draw(50, 1))])
    after = by_place("data.ignore=['v']")
    assert {place: after[place] for place in first} == first
    assert project.report("split").newcomers == 50


def test_rows_that_are_equal_once_a_column_is_left_out_leak_nothing_and_test_keeps_its_own(tmp_path):
    """They were dealt apart while a column told them apart; the road stopped, and told to set what was set."""
    rows = [f"{n},{n % 300},{'yes' if n % 300 > 149 else 'no'}" for n in range(400)]
    project = make(tmp_path, "u,x,y", [row.replace(",", ".5,", 1) for row in rows])
    before = Counter(split(project, "split.protocol=holdout", "data.ignore=[]").values())
    after = Counter(split(project, "split.protocol=holdout", "data.ignore=['u']").values())
    assert after["test"] == before["test"]
    assert after["train"] < before["train"]
    refused = project.report("split").refused
    assert len(refused) == sum(before.values()) - sum(after.values())
    assert "by the columns that count now" in refused[0].reason
    assert [one.severity for one in project.report("split").findings if one.code == "split.leak"] == ["warn"]
    assert Counter(split(project, "split.protocol=holdout", "data.ignore=[]").values()) == before
