"""Beginning a project: what is written can be read, and where nothing could be begun nothing is left."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from surefoot.cli.main import main
from surefoot.data.readers import remote
from surefoot.runners import names
from surefoot.runners.begin import write_project
from surefoot.types.errors import DataError

FROGS = """
class Frogs:
    def __len__(self):
        return 60

    def __getitem__(self, n):
        return {"a": float(n % 7), "b": float(n % 5)}, n % 2
"""


@pytest.fixture
def photos(tmp_path):
    """Forty noisy pictures in two class folders."""
    for number in range(40):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (28, 28), np.uint8)).save(path)
    return tmp_path / "photos"


@pytest.mark.parametrize("out", [".", "p", "a/p"])
def test_a_project_inside_its_own_data_is_refused_for_its_files_would_be_data(photos, monkeypatch, capsys, out):
    monkeypatch.chdir(photos)
    assert main(["init", ".", "--out", out]) == 2
    assert "would lie inside its own data" in capsys.readouterr().err
    assert sorted(path.name for path in photos.iterdir()) == ["a", "b"]


def test_data_inside_the_project_are_fine(photos, monkeypatch):
    monkeypatch.chdir(photos.parent)
    assert main(["init", "photos", "--out", "."]) == 0


def test_a_column_with_a_line_break_in_its_name_makes_no_settings_that_can_not_be_read(tmp_path):
    rows = "\n".join(f"{'yes' if n % 3 else 'no'},{n}" for n in range(40))
    (tmp_path / "risks.csv").write_text(f'"Risk\n(EUR)",n\n{rows}\n')
    folder = write_project(str(tmp_path / "risks.csv"), target="Risk\n(EUR)", out=str(tmp_path / "p"))
    assert names.load(folder).data.target == "Risk\n(EUR)"


def test_where_the_data_can_not_be_used_what_was_downloaded_goes_with_the_folder(tmp_path, monkeypatch):
    def fetch(url, folder):
        (folder / "store").mkdir(parents=True)
        (folder / "store" / "t.csv").write_text("a,y\n1,1\n")
        raise DataError("It holds one value only.")

    monkeypatch.setattr(remote, "fetch", fetch)
    with pytest.raises(DataError, match="one value"):
        write_project("https://example.org/t.csv", out=str(tmp_path / "p"))
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("words", [["init", "sklearn:digits", "--out"], ["demo", "--out"], ["pack", "photos", "--out"]])
def test_a_file_in_place_of_the_folder_is_told(photos, monkeypatch, capsys, words):
    monkeypatch.chdir(photos.parent)
    (photos.parent / "taken").write_text("x")
    assert main([*words, "taken"]) == 2
    assert "taken is a file" in capsys.readouterr().err


def test_settings_of_the_demo_that_can_not_be_read_are_told_as_such(tmp_path, capsys):
    (tmp_path / "surefoot.toml").write_text("question = [")
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "no TOML" in capsys.readouterr().err


def test_a_data_set_of_ones_own_is_begun_beside_its_code(tmp_path, monkeypatch):
    code = (
        "class Frogs:\n    def __len__(self):\n        return 60\n    def __getitem__(self, n):\n        return {'a': float(n % 7), 'b': float(n % 5)}, n % 2\n"
    )
    (tmp_path / "my_code.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my_code:Frogs"]) == 0
    assert (tmp_path / "surefoot.toml").is_file()
