"""The whole road on a small table: what a user sees at the doors, and what must never happen."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from surefoot.cli.main import main
from surefoot.data.packs import open_pack
from surefoot.data.predictions import load_predictions
from surefoot.exporting.answers import describe_answers
from surefoot.exporting.bundle import read_manifest
from surefoot.exporting.predictor import load
from surefoot.exporting.records import predict_inputs
from surefoot.project import Project
from surefoot.types import DataError, SealedError, UsageError

from .samples import SMALL, make_project, write_table


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("road"))
    project.run(set=SMALL)
    return project


def test_every_step_is_walked_and_reported_under_the_names_that_programs_read(walked: Project) -> None:
    status = json.loads(json.dumps(walked.status()))
    assert [step["step"][:3] for step in status["steps"]] == [f"s{n:02d}" for n in range(1, 15)]
    reports = {step["step"]: step["report"] for step in status["steps"]}
    assert {"value", "interval"} <= reports["s05_baseline"]["models"]["majority"].keys()
    assert set(reports["s09_diagnose"]["errors"]) == {"human", "train", "train_dev", "val"}
    assert set(reports["s09_diagnose"]["gaps"]) == {"bias", "variance", "mismatch"}
    assert {"rows", "tags", "ceilings", "mislabels"} <= reports["s10_errors"].keys()
    assert {"files", "parity"} <= reports["s12_export"].keys()
    assert {"metric", "value", "interval", "per_class", "wild", "openings"} <= reports["s13_test"].keys()


def test_the_probs_that_ship_are_those_that_val_was_measured_with(walked: Project) -> None:
    """The temperature included, whichever model won."""
    tune, pack = walked.report("tune"), open_pack(walked.store, walked.report("prepare").pack)
    val, position = load_predictions(walked.store, tune.val.predictions), {id: row for row, id in enumerate(pack.ids())}
    predictor = load(walked.root / walked.report("export").tuned_folder)
    assert predictor.manifest.temperature == tune.temperature != 1
    assert predictor.predict(pack.gather(np.array([position[id] for id in val.ids]))) == pytest.approx(val.outputs, abs=1e-4)


def test_what_is_learned_is_better_than_guessing_on_the_test_set(walked: Project) -> None:
    baseline, test = walked.report("baseline"), walked.report("test")
    assert test.value > baseline.models["majority"].value + 0.1
    assert test.interval[0] <= test.value <= test.interval[1]


def test_a_healthy_table_gets_no_stop(walked: Project) -> None:
    assert all(view.report.gate != "stop" for round_view in walked.rounds() for view in round_view.steps)


def test_no_id_stands_in_two_sets_and_train_statistics_know_nothing_of_val(walked: Project) -> None:
    sets = walked.store.get_table(walked.report("split").sets).to_pydict()
    assert len(sets["id"]) == len(set(sets["id"])) == 400
    data = walked.report("prepare")
    pack, rows = open_pack(walked.store, data.pack), walked.store.get_arrays(data.rows)
    numbers = pack.gather(rows["fold0.train"])[0].astype(float)
    assert np.allclose(walked.store.get_arrays(data.folds[0].fitted)["numeric.median"], np.nanmedian(numbers, 0), equal_nan=True)


def test_the_sealed_pack_opens_for_nobody_without_a_key(walked: Project) -> None:
    with pytest.raises(SealedError, match="sealed"):
        open_pack(walked.store, walked.report("prepare").test_pack)


def test_the_exported_bundle_answers_for_new_rows_in_any_column_order(walked: Project, tmp_path: Path) -> None:
    lines = write_table(tmp_path / "new.csv", 20, seed=9).read_text().splitlines()
    order = [3, 0, 2, 1]  # without the target, columns shuffled
    shuffled = ["\n".join(",".join(line.split(",")[n] for n in order) for line in lines)]
    (tmp_path / "shuffled.csv").write_text(shuffled[0] + "\n")
    predictor = load(walked.root / "export")
    said = [[row["pred"] for row in predict_inputs(predictor, [tmp_path / name])] for name in ("new.csv", "shuffled.csv")]
    assert said[0] == said[1]
    truth = [line.split(",")[4] for line in lines[1:]]
    assert np.mean([a == b for a, b in zip(said[0], truth)]) > 0.7


def test_a_second_run_does_nothing_again(walked: Project) -> None:
    assert not [step.name for step in walked.plan(set=SMALL) if step.redo]
    seconds = [view.seconds for view in walked.run(set=SMALL)]
    assert seconds == [view.seconds for view in walked.rounds()[0].steps]
    assert len(walked.rounds()) == 1


def test_the_test_set_is_opened_once_and_again_only_with_a_reason(walked: Project) -> None:
    changed = [*SMALL, "train.weight_decay=0.2"]
    views = walked.run(to="test", set=changed)
    assert views[-1].name == "s12_export"  # the second round stops short of the test set, whose figure stands
    with pytest.raises(SealedError, match="was opened before: 1 time"):
        walked.run(only="test", set=changed)
    with pytest.raises(SealedError, match="was opened before: 1 time"):
        walked.run(only="test", set=changed, again="   ")
    walked.run(only="test", set=changed, again="the labels were mended")
    told: list[str] = []
    again = Project(walked.root, sinks=(lambda event: told.append(str(event.data.get("text"))),))
    again.run(only="test", set=changed, again="once more")  # the same bundle: nothing is opened, and that is said
    assert [line for line in told if "was not opened again, and the reason was not written down" in line]
    assert [opening.why for opening in walked.report("test").openings] == ["first opening", "the labels were mended"]


def copy(project: Project, folder: Path) -> Project:
    """The project with its data, elsewhere."""
    return Project(shutil.copytree(project.root.parent, folder / "copy") / project.root.name)


def test_the_folder_export_holds_the_model_of_the_last_walk(walked: Project, tmp_path: Path) -> None:
    """A second round wrote over it, and a walk back to the first reported the first one's figure beside the second one's model."""
    project = copy(walked, tmp_path)
    project.run(set=SMALL)
    first, card = read_manifest(project.root / "export"), (project.root / "export" / "README.md").read_text(encoding="utf-8")
    project.run(to="export", set=[*SMALL, "seed=1"])
    assert read_manifest(project.root / "export").version != first.version
    project.run(set=SMALL)
    assert read_manifest(project.root / "export") == first
    assert (project.root / "export" / "README.md").read_text(encoding="utf-8") == card
    shutil.rmtree(project.root / "export")
    project.run(set=SMALL)
    assert read_manifest(project.root / "export") == first


def test_a_step_asked_for_alone_takes_what_the_round_was_last_walked_with(tmp_path: Path) -> None:
    """The settings were those of the round's first step, and all that followed was trained anew with them."""
    project = make_project(tmp_path, 150)
    project.run(to="split", set=SMALL)
    project.run(to="errors", set=[*SMALL, "search.trials=1"])
    seconds = [view.seconds for view in project.rounds()[0].steps]
    project.run(only="errors")
    assert [[view.seconds for view in one.steps] for one in project.rounds()] == [seconds]


def test_a_report_of_another_version_is_told_and_nothing_breaks(walked: Project, tmp_path: Path, capsys) -> None:
    project = copy(walked, tmp_path)
    project.run(to="tune", set=[*SMALL, "search.trials=1"])
    ref = project.store.put_bytes(b'{"findings": []}')
    with sqlite3.connect(project.root / "surefoot.db") as ledger:
        ledger.execute("UPDATE steps SET report = ?, version = '0.0.9' WHERE step = 's08_tune'", (ref,))
    for command in ("status", "report", "runs"):
        assert main([command, str(project.root)]) == 0
    assert "written by another version" in capsys.readouterr().out


def test_rounds_are_linked_and_compared_on_the_items_held_out_in_both(walked: Project) -> None:
    walked.run(to="tune", set=[*SMALL, "search.trials=2"])
    rounds = walked.rounds()
    assert rounds[-1].parent == rounds[-2].number
    compared = walked.compare(str(rounds[-2].number), str(rounds[-1].number))
    assert compared["difference"]["n"] == walked.report("split").counts["val"]
    assert compared["verdict"] in ("better", "worse", "within noise")
    with pytest.raises(UsageError, match="no round '99'"):
        walked.compare("1", "99")


def test_the_sentence_that_compare_prints_says_the_verdict_and_what_it_rests_on(walked: Project, capsys) -> None:
    walked.run(to="tune", set=[*SMALL, "train.lr=0.000001", "train.epochs=1", "search.trials=2"])
    one, other = (str(row.number) for row in walked.rounds()[-2:])
    assert main(["compare", one, other, str(walked.root)]) == 0
    said = capsys.readouterr().out.strip()
    compared = walked.compare(one, other)
    assert said == compared["sentence"]
    assert said.startswith((f"{compared['verdict']}: Accuracy differs by ", "within noise: both give equal predictions for the "))
    nets, difference = compared["nets"], compared["nets"]["difference"]  # the net that learned nothing is worse, whatever ships
    assert nets["verdict"] == "worse"
    low, high = difference["interval"]
    span = f"95 % interval {low:+.4g} to {high:+.4g}, p "
    assert nets["sentence"].startswith(f"worse: Accuracy differs by {difference['value']:+.4g} ({span}")
    assert nets["sentence"].endswith(f", {difference['n']:,} held out in both)")
    assert main(["compare", one, other, str(walked.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nets"]["p_value"] < 0.05


def test_the_columns_that_answers_rest_on_are_told_with_intervals(walked: Project) -> None:
    walked.run(to="errors", set=SMALL)
    found = walked.report("errors").importance
    assert set(found) > {"size", "colour", "price"}
    by_chance = [name for name in found if name.startswith("day")]
    assert min(found["size"].value, found["colour"].value) > max([found[name].value for name in by_chance], default=0.0)
    assert found["size"].interval[0] > 0  # what sells follows from it
    assert all(found[name].interval[0] <= 0 <= found[name].interval[1] for name in by_chance)
    page = walked.render().read_text(encoding="utf-8")
    assert "What answers rest on" in page
    assert "Importance of columns" in page


def test_the_report_is_one_page_that_loads_nothing(walked: Project) -> None:
    page = walked.render().read_text(encoding="utf-8")
    assert "Will it be sold?" in page
    assert 'src="http' not in page
    assert "<script" not in page
    without = walked.render(with_items=False).read_text(encoding="utf-8")
    assert "sales.csv:" not in without


def test_edited_tags_come_back_in_the_next_errors_report(walked: Project) -> None:
    walked.run(to="errors", set=SMALL)
    table = walked.root / walked.report("errors").csv
    lines = table.read_text(encoding="utf-8").splitlines()
    if len(lines) < 2:
        pytest.skip("the model made no errors to tag")
    cells = lines[1].split(",")
    edited = walked.root / "edited.csv"
    edited.write_text(f"id,tags,note\n{cells[0]},my own tag,seen\n", encoding="utf-8")
    assert walked.tag(edited) == 1
    walked.run(to="errors", set=SMALL)
    assert ("my own tag",) in [row.tags for row in walked.report("errors").rows]


@pytest.mark.parametrize(("protocol", "folds"), [("kfold", 3), ("iterated_kfold", 6)])
def test_every_fold_is_trained_and_scored(tmp_path: Path, protocol: str, folds: int) -> None:
    project = make_project(tmp_path, 150)
    changed = [f"split.protocol={protocol}", "split.folds=3", "split.iterations=2", "search.trials=1", "model.width=8", "model.depth=1", "train.threads=1"]
    project.run(to="tune", set=changed)
    tune, split = project.report("tune"), project.report("split")
    assert split.folds == folds == len(tune.weights) == len(tune.net.fold_values)
    assert tune.net.n == split.counts["train"]  # every item was val: pooled items are the unit of the interval


def test_a_net_that_stopped_early_is_trained_no_longer_in_the_end(tmp_path: Path) -> None:
    project = make_project(tmp_path, 150)
    project.run(to="tune", set=[*SMALL, "search.trials=1", "train.epochs=60", "train.patience=2", "train.lr=0.05", "train.weight_decay=0.0"])
    tune = project.report("tune")
    assert tune.history[-1].epoch < tune.train.epochs == 60
    assert tune.epochs <= tune.history[-1].epoch


def test_a_table_in_time_order_is_split_by_time(tmp_path: Path) -> None:
    rows = [f"2024-{1 + n // 28:02d}-{1 + n % 28:02d},{n % 7},{(n % 7) * 2 + n / 50:.3f}" for n in range(300)]
    (tmp_path / "sales.csv").write_text("day,weekday,amount\n" + "\n".join(rows) + "\n")
    project = Project.init(str(tmp_path / "sales.csv"), target="amount", out=str(tmp_path / "time"), budget="smoke")
    project.run(to="prepare", set=["split.protocol=holdout"])
    assert project.report("split").by == "time"
    pack = open_pack(project.store, project.report("prepare").pack)
    arrays = project.store.get_arrays(project.report("prepare").rows)
    assert arrays["fold0.train"].max() < arrays["fold0.val"].min() < len(pack)


@pytest.mark.parametrize("copies", [0, 12])
def test_near_copies_across_a_split_by_time_are_reported(tmp_path: Path, copies: int) -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(300, 4))
    values[300 - copies :] = values[:copies] + 1e-7
    rows = [f"{n},{','.join(f'{v:.7f}' for v in row)},{'ab'[int(row[0] > 0)]}" for n, row in enumerate(values)]
    (tmp_path / "log.csv").write_text("step,a,b,c,d,y\n" + "\n".join(rows) + "\n")
    project = Project.init(str(tmp_path / "log.csv"), target="y", out=str(tmp_path / "time"), budget="smoke")
    project.run(to="split", set=["split.time=step", "split.protocol=holdout"])
    report = project.report("split")
    assert report.by == "time"
    assert [(one.severity, one.evidence["items"]) for one in report.findings if one.code == "split.time_leak"] == ([("warn", 24)] if copies else [])
    assert not [one for one in report.findings if one.code == "split.leak"]


def test_groups_never_straddle_sets(tmp_path: Path) -> None:
    rows = [f"patient{n % 40},{n * 37 % 101},{'ill' if n % 40 % 2 else 'well'}" for n in range(400)]
    (tmp_path / "visits.csv").write_text("patient,value,state\n" + "\n".join(rows) + "\n")
    project = Project.init(str(tmp_path / "visits.csv"), target="state", out=str(tmp_path / "visits"), budget="smoke")
    project.run(to="split", set=["split.group=patient", "split.protocol=holdout"])
    groups = dict(zip(*(project.store.get_table(project.report("audit").index).column(c).to_pylist() for c in ("id", "group"))))
    sets = project.store.get_table(project.report("split").sets).to_pydict()
    seen: dict[str, set[str]] = {}
    for item, name in zip(sets["id"], sets["set"]):
        seen.setdefault(groups[item], set()).add(name)
    assert all(len(names) == 1 for names in seen.values())
    assert set(sets["set"]) == {"train", "val", "test"}


def test_rows_of_one_group_are_no_independent_evidence(tmp_path: Path) -> None:
    """Every interval counts patients, not visits: on val, in the table of errors, between rounds, and on the test set, and no reader is told otherwise."""
    generator = np.random.default_rng(0)
    own = generator.normal(size=60)
    rows = [f"p{n % 60},{own[n % 60] + 0.1 * generator.normal():.3f},{'ill' if own[n % 60] + 0.5 * generator.normal() > 0 else 'well'}" for n in range(480)]
    (tmp_path / "visits.csv").write_text("patient,value,state\n" + "\n".join(rows) + "\n")
    project = Project.init(str(tmp_path / "visits.csv"), target="state", out=str(tmp_path / "visits"), budget="smoke")
    changed = [*SMALL, "split.group=patient"]
    project.run(to="test", set=changed)
    index = project.store.get_table(project.report("audit").index).to_pydict()
    group, sets = dict(zip(index["id"], index["group"])), project.store.get_table(project.report("split").sets).to_pydict()
    num = {name: len({group[id] for id, one in zip(sets["id"], sets["set"]) if one == name}) for name in ("val", "test")}
    assert 5 < num["val"] < 20
    assert project.report("baseline").models["linear"].n == project.report("tune").val.n == project.report("diagnose").errors["val"].n == num["val"]
    test = project.report("test")
    assert test.n == test.tuned.n == num["test"]
    told = f"{test.items} of {num['test']} groups"
    assert test.items == project.report("split").counts["test"]
    assert told in (project.root / "export" / "README.md").read_text()
    assert f"{test.items} items of {num['test']} groups" in project.render().read_text()
    project.run(to="tune", set=[*changed, "search.trials=2"])
    assert project.compare("1", "2")["difference"]["n"] == num["val"]


def test_new_rows_move_no_known_one(tmp_path: Path) -> None:
    project = make_project(tmp_path, 200)
    project.run(to="split", set=SMALL)
    before = project.store.get_table(project.report("split").sets)
    known = dict(zip(before.column("id").to_pylist(), before.column("set").to_pylist()))
    lines = (tmp_path / "sales.csv").read_text().splitlines()
    more = write_table(tmp_path / "more.csv", 100, seed=5).read_text().splitlines()[1:]
    (tmp_path / "sales.csv").write_text("\n".join([lines[0], *more, *lines[1:]]) + "\n")
    project.run(to="split", set=SMALL)
    after = project.store.get_table(project.report("split").sets)
    now = dict(zip(after.column("id").to_pylist(), after.column("set").to_pylist()))
    assert project.report("split").newcomers == 100
    assert {item: now[item] for item in known} == known


def test_several_targets_of_zero_and_one_are_multilabel_and_walk(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(size=(200, 3))
    labels = (values[:, :2] + 0.2 * generator.normal(size=(200, 2)) > 0).astype(int)
    rows = [",".join([*(f"{v:.3f}" for v in value), *map(str, label)]) for value, label in zip(values, labels)]
    (tmp_path / "tags.csv").write_text("a,b,c,rainy,windy\n" + "\n".join(rows) + "\n")
    (tmp_path / "tags").mkdir()
    (tmp_path / "tags" / "surefoot.toml").write_text('budget = "smoke"\n[data]\nsource = "../tags.csv"\ntarget = ["rainy", "windy"]\n')
    project = Project(tmp_path / "tags")
    project.run(to="test", set=SMALL)
    assert project.report("problem").task == "multilabel"
    assert set(project.report("test").per_class) == {"rainy", "windy"}
    assert project.report("test").value > 0.7
    own = project.report("tune").threshold
    assert len(own) == 2
    assert 0.5 not in own
    assert {one.label: one.threshold for one in project.report("diagnose").thresholds if one.rule == "in use"} == dict(zip(("rainy", "windy"), own))
    predictor = load(project.root / "export")
    outputs = np.array([[own[0] + 1e-6, own[1] - 1e-6]])
    assert predictor.decide(outputs)[1] == [["rainy"]]
    assert describe_answers(predictor, outputs)[0]["threshold"] == dict(zip(("rainy", "windy"), own))
    assert "windy from a prob of" in (project.root / "export" / "README.md").read_text()
    page = project.render().read_text(encoding="utf-8")
    assert "one per label: " in page
    assert "Decision thresholds" in page


def test_a_set_with_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    (tmp_path / "same.csv").write_text("a,label\n" + "".join(f"{n},yes\n" for n in range(50)))
    with pytest.raises(DataError, match="one value only"):
        Project.init(str(tmp_path / "same.csv"), target="label", out=str(tmp_path / "p"))
    assert not (tmp_path / "p").exists()
