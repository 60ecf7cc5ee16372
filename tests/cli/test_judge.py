"""A person judges: answers, tags and labels come from the keyboard, or from a pipe."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from surefoot.cli.drawing import draw
from surefoot.cli.judge import _edit
from surefoot.cli.main import main
from surefoot.project import Project
from surefoot.runners import by_hand
from surefoot.types.error_reports import Mislabel

from ..steps.samples import SMALL, make_project


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("judged"))
    project.run(to="errors", set=SMALL)
    return project


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def truths(project: Project, num: int) -> list[str]:
    """The targets of the items that will be shown next."""
    from surefoot.data.packs import open_pack

    pack = open_pack(project.store, project.report("prepare").pack)
    targets = dict(zip(pack.ids(), pack.targets[:, 0].astype(int)))
    return [project.report("problem").classes[targets[id]] for id in due(project, num)]


def due(project: Project, num: int) -> list[str]:
    return by_hand.pick_val(project.store, project.report("prepare"), num, project.settings.seed, set(project.ledger.answers()))


def test_answers_at_the_keyboard_become_the_human_level(walked: Project, monkeypatch, capsys) -> None:
    right = truths(walked, 12)
    other = {"yes": "no", "no": "yes"}
    said = [*right[:9], other[right[9]], "perhaps", "?", right[11]]  # one wrong, one that is no class and is asked again, one not known
    type_in(monkeypatch, *said)
    assert main(["human", str(walked.root), "--items", "12", "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert (result["items"], result["wrong"]) == (12, 2)
    assert result["error"]["value"] == pytest.approx(2 / 12)
    assert [(one["answer"], one["target"]) for one in sorted(result["mistakes"], key=lambda one: one["answer"] == "?")] == [
        (said[9], right[9]),
        ("?", right[10]),
    ]
    assert (result["unfit"], result["elsewhere"]) == (0, 0)
    low, high = result["error"]["interval"]
    assert low < 2 / 12 < high
    assert "'perhaps' is no class" in captured.err
    assert "sales.csv" not in captured.err  # a place would tell what it is
    walked.run(to="diagnose", set=SMALL)
    report = walked.report("diagnose")
    assert report.human_from == "measured"
    assert report.errors["human"].value == pytest.approx(2 / 12)
    assert report.errors["human"].n == 12
    assert report.gaps["bias"].value == pytest.approx(report.errors["train"].value - 2 / 12)


def test_answers_about_no_val_item_are_counted(walked: Project, monkeypatch, capsys) -> None:
    problem, data = walked.report("problem"), walked.report("prepare")
    result = by_hand.judge_answers(walked.store, problem, data, {"gone": "yes", "lost": "?", "old": "perhaps"}, root=walked.root, seed=0)
    assert (result["items"], result["unfit"], result["elsewhere"]) == (0, 1, 2)
    monkeypatch.setattr(type(walked.ledger), "answers", lambda _: {"gone": "yes", "lost": "?"})
    assert main(["human", str(walked.root), "--no-input"]) == 0
    assert "2 older answers belong to no val item, and are left out." in capsys.readouterr().out


def test_answered_items_are_not_asked_again_and_q_stops(walked: Project, monkeypatch, capsys) -> None:
    known = set(walked.ledger.answers())
    type_in(monkeypatch, "q")
    assert main(["human", str(walked.root), "--items", "5"]) == 0
    assert set(walked.ledger.answers()) == known
    assert not known & set(due(walked, 500))
    capsys.readouterr()


def test_tags_typed_in_are_summed(walked: Project, monkeypatch, capsys) -> None:
    walked.run(to="errors", set=SMALL)
    first = walked.report("errors").rows[0]
    type_in(monkeypatch, "+odd one -missing values", "q")
    assert main(["tag", str(walked.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tags"]["odd one"] == 1
    assert "odd one" in walked.ledger.tags()[first.id][0]
    walked.run(to="errors", set=SMALL)
    assert walked.report("errors").tags["odd one"] == 1
    assert walked.report("errors").ceilings["odd one"].value > 0


def test_an_edited_table_that_is_not_what_was_written_is_told_and_nothing_of_it_taken(walked: Project, tmp_path, capsys) -> None:
    walked.run(to="errors", set=SMALL)
    id, before, table = walked.report("errors").rows[0].id, walked.ledger.tags(), tmp_path / "t.csv"
    faults = {
        f"{id},a,one, comma too many": "more cells than the header, 1 more",
        f"{id},a,\n1.2E+05,a,x": "no item '1.2E+05'",
        f"{id}": "ends early: it has no cell for tags, note",
        f"{id},a,\n{id},b,": f"Item {id} has two rows, the other in line 2",
    }
    for line, told in faults.items():
        table.write_text(f"id,tags,note\n{line}\n")
        assert main(["errors", str(walked.root), "--tags", str(table)]) == 3
        assert told in capsys.readouterr().err
        assert walked.ledger.tags() == before
    table.write_bytes(f"id,tags,note\n{id},naïve,é\n".encode("cp1252"))
    walked.tag(table)
    assert walked.ledger.tags()[id] == (["naïve"], "é")
    walked.ledger.tag(id, *before.get(id, ([], "")))


def test_a_tag_counts_once_however_often_and_in_whatever_case_it_is_written(walked: Project, tmp_path) -> None:
    walked.run(to="errors", set=SMALL)
    rows, before, table = walked.report("errors").rows, walked.ledger.tags(), tmp_path / "t.csv"
    cells = "".join(f"{row.id},mine; mine;MISLABEL,,no\n" for row in rows[:-1])
    table.write_text(f"id,tags,note,glare\n{cells}{rows[-1].id},Mine,,x\n")
    walked.tag(table)
    walked.run(to="errors", set=SMALL)
    report = walked.report("errors")
    assert report.tags == {"mine": len(rows), "mislabel": len(rows) - 1, "glare": 1}
    for ceiling in report.ceilings.values():
        assert ceiling.interval[0] <= ceiling.value <= ceiling.interval[1]
        assert ceiling.value <= report.num_wrong / report.num_val
    for row in rows:
        walked.ledger.tag(row.id, *before.get(row.id, (list(row.tags), row.note)))


def test_a_table_that_a_spreadsheet_wrote_with_semicolons_is_read(walked: Project, tmp_path) -> None:
    walked.run(to="errors", set=SMALL)
    row, table = walked.report("errors").rows[0], tmp_path / "t.csv"
    before = walked.ledger.tags().get(row.id, (list(row.tags), row.note))
    table.write_text(f'id;tags;note;glare\n{row.id};"mine;dark";0,5 of it;x\n')
    assert walked.tag(table) == 1
    assert walked.ledger.tags()[row.id] == (["mine", "dark", "glare"], "0,5 of it")
    walked.ledger.tag(row.id, *before)


def test_the_table_of_errors_that_was_deleted_is_missed_by_name(walked: Project, tmp_path, capsys) -> None:
    words = [word for one in SMALL for word in ("--set", one)]
    walked.run(to="errors", set=SMALL)
    (walked.root / walked.report("errors").csv).unlink()
    assert main(["errors", str(walked.root), "--csv", str(tmp_path / "t.csv")]) == 1
    assert "errors.csv of s10 is missing" in capsys.readouterr().err
    assert main(["run", str(walked.root), "--from", "errors", "--to", "errors", *words]) == 0
    assert main(["errors", str(walked.root), "--csv", str(tmp_path / "t.csv")]) == 0


def test_what_is_typed_changes_tags_and_notes() -> None:
    assert _edit(["dark"], "", "+blurry -dark") == (["blurry"], "")
    assert _edit(["dark"], "", "+odd size") == (["dark", "odd size"], "")
    assert _edit(["dark"], "x", "= blurry; odd size") == (["blurry", "odd size"], "x")
    assert _edit(["dark"], "", "= blurry; blurry") == (["blurry"], "")
    assert _edit(["dark", "mine"], "", "+Mine -Dark") == (["mine"], "")
    assert _edit(["dark"], "", "note: a shoe") == (["dark"], "a shoe")


def test_labels_that_a_person_mends_go_to_the_repairs_file(walked: Project, monkeypatch, capsys) -> None:
    queue = walked.report("errors").mislabels
    assert len(queue) >= 3
    type_in(monkeypatch, ":y", "", "d", "q")  # the classes are yes and no
    assert main(["review", str(walked.root), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["decided"], answer["kept"]) == (2, 1)
    with (walked.root / "repairs.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    due = [(queue[0].id, "relabel", queue[0].suggested), (queue[1].id, "keep", ""), (queue[2].id, "drop", "")]
    assert [(row["id"], row["action"], row["value"]) for row in rows] == due
    assert [row["place"] for row in rows] == [one.place for one in queue[:3]]
    type_in(monkeypatch, "purple", "q")
    assert main(["review", str(walked.root), "--json"]) == 0
    captured = capsys.readouterr()
    assert f"1 of {len(queue) - 3}" in captured.err
    assert not any(one.place in captured.err for one in queue[:3])  # neither what was changed nor what was kept
    assert "'purple' is no class" in captured.err
    assert json.loads(captured.out)["lines"] == 3
    (walked.root / "repairs.csv").unlink()


def test_review_names_no_file_that_is_not_there(walked: Project, monkeypatch, capsys) -> None:
    walked.run(to="errors", set=SMALL)
    type_in(monkeypatch, "q")
    assert main(["review", str(walked.root)]) == 0
    assert capsys.readouterr().out == "0 changed, 0 kept; nothing is written down.\n"
    type_in(monkeypatch, *[""] * len(walked.report("errors").mislabels))
    assert main(["review", str(walked.root)]) == 0
    assert "and none of them is asked about again." in capsys.readouterr().out
    assert main(["review", str(walked.root)]) == 0
    assert "No label is in doubt that was not decided about." in capsys.readouterr().err
    (walked.root / "repairs.csv").unlink()


def test_review_says_that_amounts_are_never_doubted(walked: Project, tmp_path, capsys) -> None:
    project = Project.init(str(walked.root.parent / "sales.csv"), target="price", out=str(tmp_path / "p"))
    project.run(to="problem")
    assert main(["review", str(project.root)]) == 2
    assert "Labels are doubted where each item has one class, and the task is regression." in capsys.readouterr().err


def test_a_class_named_as_a_key_is_meant_and_the_key_gets_a_colon(walked: Project, monkeypatch, capsys) -> None:
    asked = walked.report("problem").model_copy(update={"task": "multiclass", "classes": ("y", "d", "q", ":q")})
    assert [by_hand.choose_key(asked, letter) for letter in "ydq"] == [":y", ":d", "::q"]
    doubted = Mislabel(id="i", given="q", suggested="d", score=0.1, place="p")
    decided = {typed: by_hand.decide(asked, doubted, typed) for typed in ("y", "d", "q", "", ":y", ":D")}
    assert {typed: (one.action, one.value) for typed, one in decided.items()} == {
        "y": ("relabel", "y"), "d": ("relabel", "d"), "q": ("keep", ""), "": ("keep", ""), ":y": ("relabel", "d"), ":D": ("drop", ""),
    }  # fmt: skip
    plain = asked.model_copy(update={"classes": ("ant", "bee")})
    assert [by_hand.choose_key(plain, letter) for letter in "ydq"] == ["y", "d", "q"]
    type_in(monkeypatch, "q")
    assert main(["review", str(walked.root)]) == 0
    assert ":y takes the suggested one; another class by name; d drops the item; q stops" in capsys.readouterr().err  # of the classes yes and no


FLIPPED = (5, 47, 140, 151, 230)


@pytest.fixture(scope="module")
def flipped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Handwritten noughts and ones, some of them in the other's folder."""
    folder, digits = tmp_path_factory.mktemp("flipped"), load_digits(n_class=2)
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target)):
        path = folder / "digits" / str(1 - label if number in FLIPPED else label) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).save(path)
    project = Project.init(str(folder / "digits"), out=str(folder / "p"), budget="smoke")
    project.run(to="errors", set=SMALL)
    return project


def test_each_wrong_picture_is_painted_with_what_the_model_looked_at(flipped: Project) -> None:
    report = flipped.report("errors")
    painted = flipped.store.get_arrays(report.saliency)
    assert report.rows
    assert {row.id for row in (*report.rows, *report.worst)} == set(painted)
    for picture in painted.values():
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert (picture.max(2) != picture.min(2)).any()  # something spoke for or against what was said
    page = flipped.render().read_text(encoding="utf-8")
    assert "What the model looked at" in page
    assert "What the model looked at" not in flipped.render(with_items=False).read_text(encoding="utf-8")


def test_a_flipped_picture_is_doubted_reviewed_and_right_in_the_next_round(flipped: Project, monkeypatch, capsys) -> None:
    digits, project = load_digits(n_class=2), flipped
    wrong = {f"{1 - digits.target[number]}/{number}.png" for number in FLIPPED}
    places = [one.place for one in project.report("errors").mislabels]
    due = wrong & set(places)
    assert len(due) >= 2  # some are in the test set, which nobody looks at
    type_in(monkeypatch, *("y" if place in wrong else "" for place in places))
    assert main(["review", str(project.root), "--items", str(len(places))]) == 0
    words = [word for one in SMALL for word in ("--set", one)]
    assert main(["run", str(project.root), "--to", "audit", *words]) == 0
    targets = {item["place"]: int(item["target"][0]) for item in project.store.get_table(project.report("audit").index).to_pylist()}
    assert {place: targets[place] for place in due} == {place: 1 - int(place[0]) for place in due}
    assert sum(targets[place] != int(place[0]) for place in targets) == len(due)
    with (project.root / "repairs.csv").open("a") as file:
        file.write("x,0/0.png,relable,1,\n")
    capsys.readouterr()
    for command in (["review", str(project.root)], ["run", str(project.root), "--to", "audit", *words]):
        assert main(command) == 3
        told = capsys.readouterr().err
        assert f"Line {len(places) + 2} of repairs.csv" in told
        assert 'Did you mean "relabel"?' in told
        assert f"repairs.csv:{len(places) + 2}" in told


def test_keeping_a_label_changes_nothing_that_was_done(walked: Project, monkeypatch, capsys) -> None:
    walked.run(to="errors", set=SMALL)
    type_in(monkeypatch, "", "q")
    assert main(["review", str(walked.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == 1
    words = [word for one in SMALL for word in ("--set", one)]
    assert main(["run", str(walked.root), "--to", "errors", "--dry-run", "--json", *words]) == 0
    assert not [step for step in json.loads(capsys.readouterr().out)["steps"] if step["redo"]]
    kept = walked.report("errors").mislabels[0].place
    walked.run(to="errors", set=[*SMALL, "errors.neighbours=1"])
    assert kept not in {one.place for one in walked.report("errors").mislabels}  # the next time it is not listed either
    (walked.root / "repairs.csv").unlink()
    walked.run(to="errors", set=SMALL)


def test_suggested_labels_lie_beside_the_report_as_a_repairs_file(walked: Project) -> None:
    path = walked.root / walked.report("errors").repairs
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert len(rows) == walked.report("errors").num_suspects
    assert {row["action"] for row in rows} == {"relabel"}


def test_pictures_are_drawn_in_letters_and_rows_in_lines() -> None:
    picture = np.zeros((10, 20), np.uint8)
    picture[:, 10:] = 255
    lines = draw(picture).splitlines()
    assert all(line.startswith("  ") and line.endswith("@@") for line in lines)
    assert len(lines[0]) == 40
    assert draw({"a": "1", "long": "x"}) == "  a     1\n  long  x"


def test_a_rule_for_the_threshold_ships(walked: Project) -> None:
    from surefoot.exporting.bundle import read_manifest
    from surefoot.exporting.predictor import load

    walked.run(to="export", set=[*SMALL, "problem.miss_cost=20", "problem.alarm_cost=1"])
    tune = walked.report("tune")
    manifest = read_manifest(walked.root / "export")
    assert manifest.threshold == tune.threshold < 0.5
    outputs = np.array([[1 - p, p] for p in (tune.threshold + 1e-6, tune.threshold - 1e-6)])
    assert load(walked.root / "export").decide(outputs)[0].tolist() == [1, 0]
    in_use, even, *_ = walked.report("diagnose").thresholds
    assert (in_use.threshold, even.threshold) == (tune.threshold, 0.5)
    assert in_use.cost <= even.cost
