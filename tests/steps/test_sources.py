"""Several sources on the road: what is general trains, raw is counted, and what is held out of the general ones reaches the pack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from surefoot.project import Project
from surefoot.types import DataError

HEAD = 'budget = "smoke"\n[train]\nthreads = 1\n[model]\nwidth = 16\ndepth = 1\n'


def write_rows(path: Path, num: int, seed: int, *, moved: float = 0.0, flipped: float = 0.0, extra: str = "") -> None:
    rng = np.random.default_rng(seed)
    rows = [f"size,weight,colour,sold{',part' if extra else ''}"]
    for number in range(num):
        size, weight, colour = rng.normal(), rng.normal(), rng.choice(["red", "green"])
        sold = (size + weight + 0.3 * rng.normal() > 0) != (rng.random() < flipped)
        part = f",{('train', 'val', 'test')[number % 3]}" if extra else ""
        rows.append(f"{size + moved:.4f},{weight:.4f},{colour},{'yes' if sold else 'no'}{part}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def walk(folder: Path, settings: str, to: str) -> Project:
    root = folder / "project"
    root.mkdir(exist_ok=True)
    (root / "surefoot.toml").write_text(HEAD + settings, encoding="utf-8")
    project = Project(root)
    project.run(to=to)
    return project


def test_general_items_train_and_their_held_out_share_flows_into_the_pack(tmp_path):
    write_rows(tmp_path / "own.csv", 400, 0)
    write_rows(tmp_path / "web.csv", 600, 1, moved=2.0)
    write_rows(tmp_path / "later.csv", 50, 2)
    sources = '[[data.sources]]\npath = "../own.csv"\n[[data.sources]]\npath = "../web.csv"\nrole = "general"\n'
    sources += '[[data.sources]]\npath = "../later.csv"\nlabels = "raw"\n[split]\nprotocol = "holdout"\n'
    project = walk(tmp_path, '[data]\ntarget = "sold"\n' + sources, "prepare")
    audit, split, data = (project.report(name) for name in ("audit", "split", "prepare"))
    assert [(one.name, one.role, one.labels, one.items, one.usable) for one in audit.sources] == [
        ("own", "practical", "labelled", 400, 400),
        ("web", "general", "labelled", 600, 600),
        ("later", "practical", "raw", 50, 0),
    ]
    assert all(one.agreement.value > 0.75 for one in audit.sources[:2])
    assert [(found.code, found.severity) for found in audit.findings if "shift" in found.code] == [("data.source_shift", "info")]
    assert next(iter(audit.drift["web"].columns)) == "size"
    assert split.counts == {"train": 780, "train_dev": 60, "val": 80, "test": 80}
    assert not [found for found in split.findings if found.code == "split.shift"]
    rows = project.store.get_arrays(data.rows)
    assert len(rows["train_dev"]) == 60
    assert not set(rows["train_dev"]) & (set(rows["fold0.train"]) | set(rows["fold0.val"]))


def test_a_source_with_bad_labels_is_named(tmp_path):
    write_rows(tmp_path / "own.csv", 600, 0)
    write_rows(tmp_path / "bad.csv", 600, 1, flipped=0.4)
    settings = '[data]\nsource = "../own.csv"\ntarget = "sold"\n[[data.sources]]\npath = "../bad.csv"\n'
    audit = walk(tmp_path, settings, "audit").report("audit")
    assert [(found.where, found.severity) for found in audit.findings if found.code == "data.mislabels"] == [("bad", "info")]
    assert not [found for found in audit.findings if found.code == "data.source_shift"]


def test_settings_that_were_measured_three_times_are_no_wrong_labels(tmp_path):
    """Of amounts: replicates in one file, and between two laboratories."""
    rng = np.random.default_rng(0)
    settings = rng.normal(size=(150, 2)).round(3)
    for name in ("one", "other"):
        rows = [f"{a},{b},{a - b + 0.1 * rng.normal():.4f}" for a, b in settings.tolist() for _ in range(3)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["heat,time,yield", *rows]) + "\n", encoding="utf-8")
    for sources in ('source = "../one.csv"\n', '[[data.sources]]\npath = "../one.csv"\n[[data.sources]]\npath = "../other.csv"\n'):
        audit = walk(tmp_path, f'[data]\ntarget = "yield"\n{sources}', "audit").report("audit")
        assert "data.duplicates" in {found.code for found in audit.findings}
        assert [found.code for found in audit.findings if found.severity != "info"] == []


def test_a_column_says_who_goes_where_and_is_no_input(tmp_path):
    write_rows(tmp_path / "own.csv", 300, 0, extra="part")
    settings = '[data]\nsource = "../own.csv"\ntarget = "sold"\n[split]\ncolumn = "part"\n'
    project = walk(tmp_path, settings, "split")
    assert project.report("split").counts == {"train": 100, "val": 100, "test": 100}
    assert project.report("split").by == "given"
    assert {one.name: one.role for one in project.report("audit").columns}["part"] == "ignored"
    with pytest.raises(DataError, match='The column colour holds "green", "red", which name no set'):
        walk(tmp_path, settings.replace('"part"', '"colour"'), "split")


def test_given_sets_from_two_places_are_told_apart_and_their_twins_are_not(tmp_path):
    for moved in (0.0, 1.5):
        (tmp_path / f"{moved}").mkdir()
        write_rows(tmp_path / f"{moved}" / "own.csv", 800, 0)
        write_rows(tmp_path / f"{moved}" / "exam.csv", 300, 1, moved=moved)
        settings = '[data]\nsource = "../own.csv"\ntest = "../exam.csv"\ntarget = "sold"\n'
        found = [one for one in walk(tmp_path / f"{moved}", settings, "split").report("split").findings if one.code == "split.shift"]
        assert len(found) == (moved > 0)
        assert all("size" in one.what and one.severity == "warn" for one in found)
