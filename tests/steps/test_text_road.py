"""The whole road on texts: from a folder of .txt files, and from a table with a column of them, to answers from a bundle."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.cli.main import main
from surefoot.data.packs import open_pack
from surefoot.engine import yardsticks
from surefoot.engine.build import lay_out
from surefoot.engine.predict import predict
from surefoot.exporting.predictor import load
from surefoot.exporting.records import predict_inputs
from surefoot.project import Project
from surefoot.serving.protocol import describe_model, read_request

from .samples import SMALL

FLIPPED = (40, 51, 72, 93, 114, 135, 162, 203, 244, 265)
"""Texts in the wrong folder."""
THINGS = ("room", "meal", "pool", "view", "desk", "bar", "lift", "staff")


def make_text(generator: np.random.Generator, is_good: bool) -> str:
    """What a guest wrote: two words tell what he thought, the rest is about anything."""
    mood = generator.choice(["lovely", "great", "superb", "kind"] if is_good else ["dirty", "awful", "rude", "cold"], 2)
    things = generator.choice(THINGS, 3)
    return f"The {things[0]} was {mood[0]} and the {things[1]} number {generator.integers(1, 10_000)} seemed {mood[1]}, near the {things[2]}!"


def write_folder(folder: Path, num: int = 300) -> Path:
    generator = np.random.default_rng(0)
    for n in range(num):
        path = folder / ("good" if n % 2 else "bad") / f"{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make_text(generator, bool(n % 2) != (n in FLIPPED)), encoding="utf-8")
    (folder / "bad" / "empty.txt").write_text("")
    return folder


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("text")
    project = Project.init(str(write_folder(folder / "guests")), out=str(folder / "project"), budget="smoke", question="Was the guest content?")
    project.run(set=SMALL)
    return project


def test_a_folder_of_texts_walks_every_step_and_is_learned(walked: Project) -> None:
    assert walked.report("test").value > 0.9
    assert max(value for name, value in walked.report("export").parity.items() if "difference" in name) <= 1e-4
    assert all(view.report.gate != "stop" for round_view in walked.rounds() for view in round_view.steps)


def test_the_empty_text_is_refused_with_its_path(walked: Project) -> None:
    assert [(item.place, item.code) for item in walked.report("audit").refused] == [("bad/empty.txt", "data.empty_item")]


def test_the_vocabulary_holds_what_train_alone_has_said_twice(walked: Project) -> None:
    data = walked.report("prepare")
    (column,) = data.recipe["columns"]
    assert {"lovely", "dirty", "!"} <= set(column["words"])
    assert "99% of the train texts" in data.choices[0]
    texts = dict(zip(*walked.store.get_table(data.texts).to_pydict().values()))
    pack, rows = open_pack(walked.store, data.pack), walked.store.get_arrays(data.rows)
    train = [texts[i] for i in pack.ids(rows["fold0.train"])]
    assert all(sum(word in text.lower() for text in train) >= 2 for word in column["words"] if word.isalpha())
    assert len(texts) == data.num_rows  # no text of the test set is kept


def test_the_linear_yardstick_is_a_layer_over_words_that_says_what_scikit_learn_fitted(walked: Project) -> None:
    assert "knn" not in walked.report("baseline").models
    assert walked.report("baseline").models["linear"].value > 0.9
    desk = lay_out(SimpleNamespace(store=walked.store, root=walked.root, seed=0), walked.report("problem"), walked.report("prepare"))
    part = desk.folds[0]
    fitted = yardsticks.fit_yardstick("linear", desk, part, part.val)
    words, rarity = yardsticks._count_words(desk, part.train, part)
    weights, bias = yardsticks._fit_weights(desk, part, words)
    assert fitted.network is not None
    said = predict(fitted.network, desk.examples, part.train)
    assert np.abs(said[:, 0] - (words @ weights[0] + bias[0])).max() < 1e-4
    assert len(rarity) == words.shape[1]


def test_the_table_of_errors_and_the_report_show_texts_and_without_items_none(walked: Project) -> None:
    page = walked.render().read_text(encoding="utf-8")
    assert "A look at the texts" in page
    assert "The contact sheet" in page
    assert "could not be drawn" not in page
    assert "seemed" in page
    assert "seemed" not in walked.render(with_items=False).read_text(encoding="utf-8")
    worst = walked.report("errors").worst
    assert worst
    assert all(row.text.startswith("The ") for row in worst)


def test_the_contact_sheet_shows_texts_as_they_came_as_they_are_packed_and_with_words_dropped(walked: Project) -> None:
    page = Path(walked.sheet(augment="token_dropout(2)", draws=2)["sheet"]).read_text(encoding="utf-8")
    item = walked.report("prepare").explored.sheet[0]
    packed = "the " + item.cells["text"].lower().split()[1]
    assert item.cells["text"] in page
    assert f">{packed} " in page
    assert " ? " in page
    assert "could not be drawn" not in page


def test_the_spreadsheet_of_errors_ends_with_the_text_and_comes_back_without_a_tag_of_it(walked: Project) -> None:
    report = walked.report("errors")
    rows = list(csv.DictReader((walked.root / report.csv).read_text(encoding="utf-8").splitlines()))
    assert list(rows[0])[-1] == "text"
    assert [row["text"] for row in rows] == [row.text for row in report.rows]
    assert all(row["text"].startswith("The ") for row in rows)
    assert walked.tag(walked.root / report.csv) == len(rows)
    assert not any("The" in tag for tags, _ in walked.ledger.tags().values() for tag in tags)
    assert list(report.importance) == ["text"]
    assert report.importance["text"].value > 0.3


def test_a_person_reads_the_text_itself(walked: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("q\n"))
    assert main(["human", str(walked.root)]) == 0
    assert "  text  The " in capsys.readouterr().err


def test_texts_in_the_wrong_folder_are_doubted_reviewed_and_right_in_the_next_round(
    walked: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(walked.root.parent, tmp_path / "text")
    project = Project(tmp_path / "text" / walked.root.name)
    doubted = {one.place: one for one in project.report("errors").mislabels}
    wrong = {f"{'good' if n % 2 else 'bad'}/{n}.txt" for n in FLIPPED} & set(doubted)
    assert wrong  # those of the test set are not looked at
    assert all(doubted[place].text.startswith("The ") for place in wrong)
    monkeypatch.setattr("sys.stdin", io.StringIO("".join("y\n" if place in wrong else "\n" for place in doubted)))
    assert main(["review", str(project.root)]) == 0
    assert "The " in capsys.readouterr().err
    assert main(["run", str(project.root), "--to", "audit", *(word for one in SMALL for word in ("--set", one))]) == 0
    problem, index = project.report("problem"), project.store.get_table(project.report("audit").index).to_pylist()
    classes = {item["place"]: problem.classes[int(item["target"][0])] for item in index}
    assert {classes[place] for place in wrong if place.startswith("bad")} <= {"good"}
    assert {classes[place] for place in wrong if place.startswith("good")} <= {"bad"}
    assert classes["bad/0.txt"] == "bad"


def test_raw_texts_are_answered_from_a_table_and_over_http(walked: Project, tmp_path: Path) -> None:
    predictor = load(walked.root / "export")
    said = ["The room was superb and lovely", "awful, RUDE &amp; dirty", ""]
    with (tmp_path / "new.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["n", "text"], *([str(n), text] for n, text in enumerate(said))])
    rows = list(predict_inputs(predictor, [tmp_path / "new.csv"]))
    assert [row["pred"] for row in rows[:2]] == ["good", "bad"]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in said))
    assert [row["probs"] for row in predict_inputs(predictor, [tmp_path / "new.jsonl"])] == [row["probs"] for row in rows]
    body = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [3], "data": [*said[:2], None]}]}
    outputs = predictor.predict(read_request(predictor, body))
    assert np.allclose([list(row["probs"].values()) for row in rows], outputs, atol=1e-6)
    assert "words" not in json.dumps(describe_model(predictor))


def test_files_of_one_text_each_are_answered_and_damaged_ones_named(walked: Project, tmp_path: Path) -> None:
    predictor = load(walked.root / "export")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.txt").write_text("A lovely, superb room")
    (tmp_path / "new" / "2.txt").write_text("awful and rude")
    (tmp_path / "new" / "3.txt").write_bytes(b"abc\0\0def")
    rows = {Path(row["place"]).name: row for row in predict_inputs(predictor, [tmp_path / "new"])}
    assert [rows[f"{n}.txt"].get("pred") for n in (1, 2)] == ["good", "bad"]
    assert "zero bytes" in rows["3.txt"]["error"]
    assert next(iter(predict_inputs(predictor, [tmp_path / "new" / "1.txt"])))["pred"] == "good"
    (tmp_path / "table.txt").write_text("text\tn\nawful rude dirty\t1\n")  # a table that is named so is still a table
    assert [row["pred"] for row in predict_inputs(predictor, [tmp_path / "table.txt"])] == ["bad"]


def test_a_table_of_texts_numbers_and_categories_is_learned_from_all_of_them(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    lines = []
    for _ in range(300):
        is_good, stars, town = bool(generator.random() < 0.5), generator.normal(), generator.choice(["Ulm", "Bonn"])
        score = 2 * is_good + stars + (town == "Ulm") + 0.1 * generator.normal()
        lines.append([make_text(generator, is_good), f"{stars:.3f}", town, make_text(generator, bool(generator.random() < 0.5)), f"{score:.3f}"])
    with (tmp_path / "stays.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["said", "stars", "town", "noted", "score"], *lines])
    project = Project.init(str(tmp_path / "stays.csv"), target="score", out=str(tmp_path / "stays"), budget="smoke")
    project.run(to="test", set=[*SMALL, "train.augment=token_dropout_swap", "train.epochs=20"])
    assert [field.name for field in project.report("prepare").fields] == ["numeric", "category", "text", "text2"]
    models = project.report("baseline").models
    assert models["linear"].value < 0.5 * models["boosting"].value  # boosting does not read, and half of the score is in the text
    assert project.report("test").metrics["r2"] > 0.8
    shutil.rmtree(project.root)
