"""The contact sheet: a row per item, as it came, as it is packed, and as trainings see it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from surefoot.analysis.views import draw_numbers, draw_pictures, draw_texts
from surefoot.cli.main import main
from surefoot.project import Project


def make_project(folder: Path) -> Project:
    random = np.random.default_rng(0)
    rows = [f"{random.normal():.3f},{('red', 'green')[n % 2]},{random.gamma(2):.2f},{('no', 'yes')[n % 3 // 2]}" for n in range(120)]
    (folder / "sales.csv").write_text("\n".join(["size,colour,price,sold", *rows]) + "\n", encoding="utf-8")
    return Project.init(str(folder / "sales.csv"), out=str(folder / "sales"), budget="smoke")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(40):
        path = folder / "data" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (12, 12, 3)).astype(np.uint8)).save(path)
    project = Project.init(str(folder / "data"), out=str(folder / "p"), budget="smoke")
    project.run(to="prepare")
    return str(project.root)


def test_it_has_a_row_per_item_and_a_column_per_stage_and_draw(capsys, photos):
    assert main(["sheet", photos, "--augment", "affine+colour(0.5)", "--draws", "3", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    page = Path(data["sheet"]).read_text(encoding="utf-8")
    assert (data["augment"], data["draws"]) == ("affine+colour(0.5)", 3)
    assert page.count("<img") == len(data["items"]) * 5
    assert all(item["place"].rpartition("/")[2] in page for item in data["items"])
    assert "http" not in page


def test_left_out_it_shows_what_the_search_would_begin_with(capsys, photos):
    assert main(["sheet", photos]) == 0
    assert "train.augment = 'shift_flip'" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "told"), [("affin", "Did you mean 'affine'"), ("affine(9)", "'9' is no strength")])
def test_a_wrong_augmentation_is_answered_in_three_parts(capsys, photos, text, told):
    assert main(["sheet", photos, "--augment", text]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "  where: " in err
    assert "  next:  " in err


def test_one_of_ones_own_that_fails_is_told_beside_the_items(capsys, photos):
    (Path(photos) / "mine.py").write_text("def fails(images, generator):\n    raise ValueError('not <b>today</b>')\n")
    assert main(["sheet", photos, "--augment", "mine:fails"]) == 0
    page = (Path(photos) / "sheet.html").read_text(encoding="utf-8")
    assert "could not be drawn: ValueError: not &lt;b&gt;today&lt;/b&gt;" in page
    assert page.count("<img") == 8 * 2


def test_before_the_data_is_prepared_it_says_what_to_run(capsys, tmp_path):
    project = make_project(tmp_path)
    assert main(["sheet", str(project.root)]) == 2
    assert f"surefoot run {project.root} --to prepare" in capsys.readouterr().err


def test_rows_of_a_table_are_shown_with_their_cells_and_in_standard_units(tmp_path):
    project = make_project(tmp_path)
    project.run(to="prepare")
    told = project.sheet(augment="noise", draws=2)
    page = Path(told["sheet"]).read_text(encoding="utf-8")
    assert "in standard units" in page
    assert "draw 2" in page
    item = project.report("prepare").explored.sheet[0]
    assert set(item.cells) >= {"size", "colour", "price"}
    assert f">{item.cells['colour']}<" in page
    project.sheet()
    assert "draw 1" not in (project.root / "sheet.html").read_text(encoding="utf-8"), "tables are not augmented unless the settings say so"


def test_draws_differ_and_are_the_same_each_time():
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    one, other = (draw_pictures([picture, picture], "affine", 3) for _ in range(2))
    assert len(one) == 2
    assert all(np.array_equal(a, b) for a, b in zip(one[0], other[0], strict=True))
    assert len({view.tobytes() for view in one[0]}) == 3
    assert all(np.array_equal(view, picture) for view in draw_pictures([picture], "none", 2)[0])
    assert draw_numbers(np.zeros((4, 2), np.float32), "noise", 3).shape == (3, 4, 2)


def test_what_is_for_numbers_leaves_texts_and_what_is_for_texts_leaves_numbers():
    numbers, words = np.zeros((4, 2), np.float32), np.full((4, 50), 7, np.int32)
    assert (draw_numbers(numbers, "noise+token_dropout", 2) == draw_numbers(numbers, "noise", 2)).all()
    assert (draw_numbers(numbers, "token_dropout", 2) == 0).all()
    assert set(np.unique(draw_texts(words, "noise+token_dropout", 2))) == {1, 7}
    assert (draw_texts(words, "noise", 2) == 7).all()
