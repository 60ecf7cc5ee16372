"""The demo walks the whole road; what it leaves is used as people use a bundle."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from surefoot.cli.main import main

from ..steps.samples import SMALL, make_project


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> tuple[Path, str, str, float]:
    """The folder, stdout, stderr, and the seconds until the first line was on the screen."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "surefoot", "demo", "--out", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    first = process.stderr.readline()
    waited = time.perf_counter() - started
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    return folder, out, first + err, waited


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Twenty digits as files, named by what they are."""
    folder = tmp_path_factory.mktemp("pictures")
    digits = load_digits()
    for row in range(20):
        Image.fromarray((digits.images[row] * 255 / 16).astype(np.uint8)).save(folder / f"{row:02}_is_{digits.target[row]}.png")
    return folder


def test_the_demo_speaks_within_three_seconds(walked):
    _, _, err, waited = walked
    assert "digits" in err.splitlines()[0]
    assert waited < 3


def test_the_demo_ends_by_saying_where_the_report_is_and_what_was_found(walked):
    folder, out, _, _ = walked
    assert out.startswith("Test accuracy: ")
    assert f"Report: {folder / 'report.html'}" in out
    assert (folder / "report.html").is_file()


def test_the_demo_goes_on_where_it_was_and_opens_nothing_twice(walked, capsys):
    folder, _, _, _ = walked
    assert main(["demo", "--out", str(folder), "--json"]) == 0
    steps = {step["step"]: step["report"] for step in json.loads(capsys.readouterr().out)["steps"]}
    assert len(steps) == 14
    assert len(steps["s13_test"]["openings"]) == 1
    assert steps["s13_test"]["value"] > 0.94


def test_a_report_without_items_shows_none_of_them(walked, capsys):
    folder, _, _, _ = walked
    assert main(["status", str(folder), "--json"]) == 0
    steps = {step["step"]: step["report"] for step in json.loads(capsys.readouterr().out)["steps"]}
    places = [item["place"] for item in (*steps["s04_prepare"]["explored"]["sheet"], *steps["s10_errors"]["rows"])]  # there may be no error
    assert main(["report", str(folder), "--json"]) == 0
    page = Path(json.loads(capsys.readouterr().out)["report"])
    whole = page.read_text(encoding="utf-8")
    assert main(["report", str(folder), "--no-items"]) == 0
    assert capsys.readouterr().out.strip() == str(page)
    bare = page.read_text(encoding="utf-8")
    assert all(place in whole for place in places)
    assert not any(place in bare for place in places)
    assert bare.count("<img") < whole.count("<img")


def test_the_demo_leaves_other_projects_alone(tmp_path, capsys):
    (tmp_path / "surefoot.toml").write_text('[data]\nsource = "photos/"\n')
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "holds another project" in capsys.readouterr().err


def test_a_second_opening_of_the_test_set_needs_a_reason(walked, capsys):
    folder, _, _, _ = walked
    assert main(["status", str(folder)]) == 0
    assert "s13_test      " in capsys.readouterr().out
    assert main(["test", str(folder)]) == 0  # nothing changed: the figure stands, and nothing is opened
    assert "[13/14] Test: nothing it depends on changed." in capsys.readouterr().err


def test_pictures_are_predicted_from_the_project_s_folder(walked, pictures, capsys):
    folder, _, _, _ = walked
    assert main(["predict", str(folder), str(pictures)]) == 0
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 20
    right = sum(row["pred"] == Path(row["place"]).stem[-1] for row in rows)
    assert right >= 18
    assert sum(float(rows[0][f"prob:{digit}"]) for digit in range(10)) == pytest.approx(1, abs=1e-4)
    assert err.splitlines()[-1] == "20 predicted."


def test_predictions_are_written_whole_in_the_format_of_the_name(walked, pictures, tmp_path, capsys):
    folder, _, _, _ = walked
    assert main(["predict", str(folder / "export"), str(pictures), "--out", str(tmp_path / "preds.jsonl")]) == 0
    assert capsys.readouterr().out == ""
    rows = [json.loads(line) for line in (tmp_path / "preds.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 20
    assert {"place", "pred", "probs"} <= set(rows[0])


def test_what_can_not_be_predicted_is_listed_and_nothing_at_all_is_bad_data(walked, tmp_path, capsys):
    folder, _, _, _ = walked
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    assert main(["predict", str(folder), str(tmp_path)]) == 3
    out, err = capsys.readouterr()
    assert "torn.png" in out
    assert "Nothing could be predicted" in err


def test_a_folder_without_a_bundle_is_bad_data(tmp_path, capsys):
    assert main(["predict", str(tmp_path), "x.png"]) == 3
    assert "There is no bundle in" in capsys.readouterr().err


def test_an_unknown_format_is_refused(walked, pictures, capsys):
    folder, _, _, _ = walked
    assert main(["predict", str(folder), str(pictures), "--format", "xml"]) == 2
    assert "csv or jsonl" in capsys.readouterr().err


def test_a_bundle_is_served_until_it_is_told_to_stop(walked):
    folder, _, _, _ = walked
    process = subprocess.Popen([sys.executable, "-m", "surefoot", "serve", str(folder), "--port", "0"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = next(word for word in process.stderr.readline().split() if word.startswith("http"))
    try:
        assert httpx.get(f"{address}/v2/health/ready", timeout=30).status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=60)
        process.stderr.close()
    assert code == 0


def test_the_error_table_goes_out_is_edited_and_comes_back(tmp_path, capsys):
    project = make_project(tmp_path)  # the demo's net may be right about all of val
    project.run(to="errors", set=SMALL)
    folder = project.root
    table = tmp_path / "errors.csv"
    assert main(["errors", str(folder), "--csv", str(table)]) == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert rows
    rows[0]["tags"] = "upside down"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    capsys.readouterr()
    assert main(["errors", str(folder), "--tags", str(table), "--json"]) == 0
    steps = {step["step"]: step["report"] for step in json.loads(capsys.readouterr().out)["steps"]}
    assert steps["s10_errors"]["tags"]["upside down"] == 1
