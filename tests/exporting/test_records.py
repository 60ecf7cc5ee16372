"""Prediction from files: every item gets a row, in order, or the reason why not."""

import csv
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from surefoot.data import preprocess
from surefoot.data.making import table_recipe
from surefoot.data.readers import open_source
from surefoot.data.readers.table import read_table
from surefoot.exporting.records import check_out, format_rows, predict_inputs, read_columns
from surefoot.types.configs import DataConfig, PrepareConfig
from surefoot.types.data_reports import AuditReport, ColumnProfile
from surefoot.types.errors import UsageError

from . import samples


def make_png(seed=0, size=(4, 4)):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue(), pixels


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.png").write_bytes(make_png(0)[0])
    (folder / "deep" / "er" / "b.png").write_bytes(make_png(1, (9, 7))[0])
    (folder / "deep" / "torn.png").write_bytes(make_png(2)[0][:40])
    (folder / "notes.txt").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / ".DS_Store").write_bytes(b"x")
    return folder


def people_csv(path, rows, header="key,member,job,age"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_folder_gives_a_row_per_file_and_hidden_files_aside_nothing_is_lost(image_predictor, photos):
    rows = {row["place"].removeprefix(f"{photos}/"): row for row in predict_inputs(image_predictor, [photos])}
    assert list(rows) == ["a.png", "empty.png", "notes.txt", "deep/torn.png", "deep/er/b.png"]
    assert {name for name, row in rows.items() if "error" in row} == {"empty.png", "notes.txt", "deep/torn.png"}
    assert rows["empty.png"]["error"] == "the file is empty"
    pixels = preprocess.decode_image(make_png(0)[1], image_predictor.recipe)
    assert list(rows["a.png"]["probs"].values()) == pytest.approx(image_predictor.predict((pixels[None],))[0].tolist(), abs=1e-6)
    assert rows["a.png"]["pred"] in samples.IMAGE_CLASSES


def test_archives_give_the_rows_of_their_folders(image_predictor, photos, tmp_path):
    expected = [(row.get("pred"), "error" in row) for row in predict_inputs(image_predictor, [photos])]
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (path for path in photos.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(photos))
    with tarfile.open(tmp_path / "p.tar.xz", "w:xz") as archive:
        archive.add(photos, "p")
    for packed in ("p.zip", "p.tar.xz"):
        found = [(row.get("pred"), "error" in row) for row in predict_inputs(image_predictor, [tmp_path / packed])]
        assert sorted(found, key=str) == sorted(expected, key=str)


def test_single_files_several_inputs_and_torn_archives_each_get_their_rows(image_predictor, photos, tmp_path):
    with tarfile.open(tmp_path / "p.tar", "w") as archive:
        archive.add(photos / "a.png", "a.png")
        archive.add(photos / "a.png", "z.png")
    torn = tmp_path / "torn.tar"
    whole = (tmp_path / "p.tar").read_bytes()
    torn.write_bytes(whole[: whole.rindex(b"z.png") + 520])
    rows = list(predict_inputs(image_predictor, [photos / "a.png", torn, photos / "a.png"]))
    assert [("pred" in row, row["place"].rpartition("/")[2]) for row in rows] == [(True, "a.png"), (True, "a.png"), (False, "torn.tar"), (True, "a.png")]
    assert "torn" in rows[2]["error"]


def test_a_link_out_of_the_folder_is_not_followed(image_predictor, photos, tmp_path):
    (tmp_path / "secret.png").write_bytes(make_png(5)[0])
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    rows = {row["place"].rpartition("/")[2]: row for row in predict_inputs(image_predictor, [photos])}
    assert rows["link.png"]["error"] == "a link that leads out of the folder"


def test_more_pictures_than_fit_in_a_batch_keep_their_order(image_predictor, tmp_path):
    (tmp_path / "many").mkdir()
    for number in range(70):
        (tmp_path / "many" / f"{number:03}.png").write_bytes(make_png(number)[0])
    expected = image_predictor.predict((np.stack([make_png(number)[1][None] for number in range(70)]),))
    rows = list(predict_inputs(image_predictor, [tmp_path / "many"]))
    np.testing.assert_allclose([list(row["probs"].values()) for row in rows], expected, atol=1e-6)


def test_a_table_takes_reordered_columns_keeps_ids_needs_no_target_and_names_what_it_did_not_know(table_predictor, tmp_path):
    rows = ["k1,yes,nurse,30,x", "k2,no,pilot,?,y", "k3,no,clerk,55"]
    told = []
    found = list(predict_inputs(table_predictor, [people_csv(tmp_path / "p.csv", rows, "key,member,job,age,shoe")], told.append))
    columns = {"age": [30, None], "member": [1, 0], "job": ["nurse", "pilot"]}
    expected = table_predictor.predict(preprocess.decode_columns(columns, table_predictor.recipe))
    assert [row.get("id") for row in found] == ["k1", "k2", None]
    assert [row["place"] for row in found] == ["p.csv:2", "p.csv:3", "p.csv:4"]
    np.testing.assert_array_equal([list(row["probs"].values()) for row in found[:2]], expected)
    assert "error" in found[2]
    assert any("1 column is not used: shoe" in text for text in told)
    assert any("job holds values that were not seen in training and count as missing: pilot" in text for text in told)


def test_a_category_that_looks_like_a_truth_or_number_in_one_file_stays_what_it_was(tmp_path):
    recipe = {"kind": "table", "columns": [{"name": "code", "kind": "category", "categories": ["007", "yes"]}]}
    for cell, code in (("007", 1), ("yes", 2), ("7", 0)):
        (tmp_path / "one.csv").write_text(f"code,more\n{cell},1\n")
        columns, _ = read_columns(read_table(tmp_path / "one.csv"), recipe)
        assert preprocess.decode_columns(columns, recipe)[0].tolist() == [[code]]


def learn_days(folder, cells):
    """The recipe of a column of dates, as it ships."""
    (folder / "train.csv").write_text("day,y\n" + "".join(f"{cell},1\n" for cell in cells))
    source = open_source(DataConfig(source="train.csv"), folder)
    report = AuditReport(fingerprint="", num_items=1, num_usable=1, index="", columns=(ColumnProfile(name="day", kind="date"),))
    return json.loads(json.dumps(table_recipe(source, report, np.arange(len(source)), PrepareConfig())))


def ask_days(folder, recipe, cells):
    """Year, month and day of each cell of a request, which is the same as a file; None where there is none."""
    (folder / "ask.csv").write_text("day,more\n" + "".join(f"{cell},1\n" for cell in cells))
    columns, _ = read_columns(read_table(folder / "ask.csv"), recipe)
    by_file, by_request = (preprocess.decode_columns(one, recipe)[0][:, :3] for one in (columns, {"day": cells}))
    np.testing.assert_array_equal(by_file, by_request)
    return [None if np.isnan(row).any() else tuple(map(int, row)) for row in by_file]


@pytest.mark.parametrize(
    ("trained", "asked", "day"),
    [
        (["13/02/2024", "04/02/2024"], "05/03/2024", (2024, 3, 5)),  # the day came first in training
        (["02/13/2024", "02/04/2024"], "05/03/2024", (2024, 5, 3)),
        (["02.13.2024", "02.04.2024"], "05.03.2024", (2024, 5, 3)),
        (["02/03/2024", "02/04/2024"], "13/02/2024", None),  # it was read month first: what is no date by that is none
        (["13/02/2024", "2024-02-04"], "05/03/2024", (2024, 3, 5)),  # of two formats
        (["13/02/2024", "04/02/2024"], "05/03/2024 17:30", (2024, 3, 5)),  # with a time, which training did not have: the order stays
        (["13/02/2024", "04/02/2024"], "2024-03-05", (2024, 3, 5)),
        (["2024-02-13", "2024-02-04"], "05.03.2024", (2024, 3, 5)),  # training says nothing of an order
    ],
)
def test_a_date_in_a_request_of_one_row_is_the_day_it_was_in_training(tmp_path, trained, asked, day):
    recipe = learn_days(tmp_path, trained)
    assert ask_days(tmp_path, recipe, [asked]) == [day]
    assert ask_days(tmp_path, recipe, ["", asked, "soon"]) == [None, day, None]


def test_numbers_with_a_decimal_comma_are_read_beside_empty_cells_and_words(tmp_path):
    recipe = {"kind": "table", "columns": [{"name": "a", "kind": "numeric"}]}
    (tmp_path / "p.csv").write_text("a;b\n1,5;x\n;y\n-2,25;x\n3;y\n")
    columns, stray = read_columns(read_table(tmp_path / "p.csv"), recipe)
    np.testing.assert_array_equal(columns["a"], [1.5, np.nan, -2.25, 3])
    assert not stray
    (tmp_path / "p.csv").write_text("a;b\n1,5;x\nsoon;y\n")
    columns, stray = read_columns(read_table(tmp_path / "p.csv"), recipe)
    np.testing.assert_array_equal(columns["a"], [1.5, np.nan])
    assert stray == {"a": ["soon"]}


def test_the_decimal_mark_of_training_holds_for_a_single_row(tmp_path):
    (tmp_path / "train.csv").write_text("preis;gewicht;y\n950;3,5;a\n1.250;4,25;b\n")
    source = open_source(DataConfig(source="train.csv"), tmp_path)
    profiles = tuple(ColumnProfile(name=name, kind="numeric") for name in ("preis", "gewicht"))
    report = AuditReport(fingerprint="", num_items=2, num_usable=2, index="", columns=profiles)
    recipe = json.loads(json.dumps(table_recipe(source, report, np.arange(2), PrepareConfig())))
    for text, asked in (("preis;gewicht\n1.250;3\n", ["1.250", "3"]), ("preis,gewicht\n1250,3.5\n", ["1250", "3.5"])):
        (tmp_path / "ask.csv").write_text(text)
        columns, stray = read_columns(read_table(tmp_path / "ask.csv"), recipe)
        by_file, by_request = (preprocess.decode_columns(one, recipe)[0] for one in (columns, {"preis": asked[:1], "gewicht": asked[1:]}))
        assert by_file.tolist() == by_request.tolist() == [[1250, float(asked[1])]]
        assert not stray


def test_a_table_without_its_columns_is_one_error_that_names_them(table_predictor, tmp_path):
    bad = people_csv(tmp_path / "bad.csv", ["1,clerk", "2,clerk"], "agee,job")
    good = people_csv(tmp_path / "good.csv", ["k,yes,nurse,30", "k,yes,nurse,31"])
    rows = list(predict_inputs(table_predictor, [bad, good]))
    assert len(rows) == 3
    assert rows[0]["place"] == str(bad)
    assert "age (did you mean 'agee'?)" in rows[0]["error"]


def test_regression_answers_in_its_own_units(number_predictor, tmp_path):
    (tmp_path / "n.csv").write_text("b,a\n1.5,2\n10,20\n")
    assert [row["pred"] for row in predict_inputs(number_predictor, [tmp_path / "n.csv"])] == [3.5, 30.0]


def test_an_input_that_is_not_there_is_a_usage_error_before_anything_is_predicted(image_predictor, photos, tmp_path):
    with pytest.raises(UsageError, match=r"There is no .*gone\.png"):
        next(predict_inputs(image_predictor, [photos / "a.png", tmp_path / "gone.png"]))


def test_rows_are_written_as_json_lines(image_predictor):
    rows = [{"place": "ä.png", "pred": "cat", "probs": {"cat": 1.0}}, {"place": "b", "error": "torn"}]
    assert [json.loads(line) for line in format_rows(rows, image_predictor.manifest, "jsonl")] == rows


def test_rows_are_written_as_csv_with_one_header_and_a_column_per_class(table_predictor, image_predictor):
    rows = [{"place": "b", "error": 'torn, "badly"'}, {"place": "a", "id": "k", "pred": "yes", "probs": {"no": 0.25, "yes": 0.75}, "threshold": 0.5}]
    read = list(csv.DictReader(io.StringIO("".join(format_rows(rows, table_predictor.manifest, "csv")))))
    assert list(read[0]) == ["place", "id", "pred", "prob:no", "prob:yes", "threshold", "error"]
    assert read[0]["error"] == 'torn, "badly"'
    assert (read[1]["pred"], float(read[1]["prob:yes"]), read[1]["threshold"]) == ("yes", 0.75, "0.5")
    labels = image_predictor.manifest.model_copy(update={"task": "multilabel"})
    line = list(format_rows([{"place": "a", "pred": ["cat", "dog"], "probs": {}, "threshold": 0.5}], labels, "csv"))[1]
    assert json.loads(next(csv.reader([line]))[1]) == ["cat", "dog"]
    line = list(format_rows([{"place": "a", "pred": ["cat"], "probs": {}, "threshold": {"cat": 0.3, "dog": 0.6}}], labels, "csv"))[1]
    assert json.loads(next(csv.reader([line]))[-2]) == {"cat": 0.3, "dog": 0.6}
    vector = image_predictor.manifest.model_copy(update={"task": "vector_regression", "classes": (), "target": ("x", "y"), "num_outputs": 2})
    assert list(format_rows([{"place": "a", "pred": {"x": 1.5, "y": 2.0}}], vector, "csv")) == ["place,pred:x,pred:y,error\n", "a,1.5,2.0,\n"]


def test_an_unknown_format_is_a_usage_error(image_predictor):
    with pytest.raises(UsageError, match="no format 'xml'"):
        list(format_rows([], image_predictor.manifest, "xml"))


def test_values_that_count_as_missing_are_told_by_their_reason(table_predictor, tmp_path):
    told = []
    rows = ["k1,yes,nurse,foo", "k2,no,nurse,1e300", "k3,no,nurse,inf"]
    list(predict_inputs(table_predictor, [people_csv(tmp_path / "p.csv", rows)], told.append))
    assert "p.csv: age holds values that are no numbers and count as missing: foo." in told
    assert "p.csv: age holds values that are beyond what a model computes with (1e+30) and count as missing: 1e+300." in told
    assert "p.csv: age holds values that are infinite and count as missing: inf." in told


def test_a_few_stray_words_among_many_numbers_are_told_too(table_predictor, tmp_path):
    told = []
    rows = [f"k{n},yes,nurse,{'foo' if n == 7 else n}" for n in range(200)]
    list(predict_inputs(table_predictor, [people_csv(tmp_path / "p.csv", rows)], told.append))
    assert told == ["p.csv: age holds values that are no numbers and count as missing: foo."]


def test_answers_never_replace_what_is_read(table_predictor, image_predictor, photos, tmp_path):
    (tmp_path / "tables").mkdir()
    table = people_csv(tmp_path / "tables" / "p.csv", ["k,yes,nurse,30"])
    (tmp_path / "link.csv").symlink_to(table)
    for out, given in ((table, table), (tmp_path / "link.csv", table), (table, table.parent)):
        with pytest.raises(UsageError, match="is read itself: the answers would replace it"):
            check_out(out, [given], table_predictor.recipe)
    with pytest.raises(UsageError, match=r"b\.png is read itself"):
        check_out(photos / "deep" / "er" / "b.png", [tmp_path / "tables", photos], image_predictor.recipe)
    check_out(tmp_path / "tables" / "new.csv", [table.parent], table_predictor.recipe)
    (tmp_path / "old.csv").write_text("earlier answers")
    check_out(tmp_path / "old.csv", [table, table.parent], table_predictor.recipe)


def test_an_empty_table_is_said_to_be_empty_and_a_ragged_one_ragged(table_predictor, tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "ragged.csv").write_text("key,member,job,age\nk,yes\nk,yes,nurse,30,4\nk,no,nurse\n")
    empty, ragged = predict_inputs(table_predictor, [tmp_path / "empty.csv", tmp_path / "ragged.csv"])
    assert "empty.csv is empty" in empty["error"]
    assert "3 of 3 rows of ragged.csv have another number of cells than the header" in ragged["error"]
