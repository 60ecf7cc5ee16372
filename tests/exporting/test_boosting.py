"""A booster ships as a text file that predicts what was trained, and as a graph that says the same."""

import numpy as np
import pytest

from surefoot.exporting import boosting, trees
from surefoot.exporting.parity import compare
from surefoot.exporting.session import Session
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import DamagedError, SurefootError

from . import samples

SPECS = (FieldSpec(name="numeric", shape=(2,), dtype="float32"), FieldSpec(name="category", shape=(2,), dtype="int32", cardinalities=(40, 5)))


def make_fields(rows, seed=0, missing=0.2):
    rng = np.random.default_rng(seed)
    numeric = rng.normal(size=(rows, 2)).astype(np.float32)
    numeric[:, 1] = numeric[:, 1].round()
    numeric[rng.random(numeric.shape) < missing] = np.nan
    return numeric, np.stack([rng.integers(0, 40, rows), rng.integers(0, 5, rows)], 1).astype(np.int32)


def make_targets(fields):
    return (fields[1][:, 0] * 7 % 5 + (np.nan_to_num(fields[0][:, 0]) > 0) + 2 * (fields[1][:, 1] == 3)).astype(int)


def test_features_are_numbers_then_codes_and_pictures_are_flat():
    fields = (np.zeros((3, 1, 2, 2), np.uint8), np.ones((3, 2), np.float32), np.full((3, 2), 2, np.int32))
    specs = (FieldSpec(name="image", shape=(1, 2, 2), dtype="uint8"), *SPECS)
    np.testing.assert_array_equal(boosting.join_features(fields), [[0] * 4 + [1, 1, 2, 2]] * 3)
    assert boosting.list_categorical(specs) == [6, 7]


def test_a_booster_read_back_predicts_the_same_bits(tmp_path):
    fields = make_fields(500)
    booster = samples.train_booster(fields, make_targets(fields) % 3, SPECS, objective="multiclass", num_class=3)
    (tmp_path / "model.txt").write_bytes(boosting.dump_booster(booster))
    again = boosting.load_booster(tmp_path / "model.txt")
    np.testing.assert_array_equal(boosting.score(again, fields, 1), boosting.score(booster, fields, 1))
    np.testing.assert_allclose(boosting.finish(boosting.score(again, fields, 1), "multiclass"), booster.predict(boosting.join_features(fields)), rtol=1e-12)


def test_outputs_are_what_the_task_wants():
    raw = np.array([[0.0], [2.0], [-800.0]])
    np.testing.assert_allclose(boosting.finish(raw, "binary"), [[0.5, 0.5], [1 / (1 + np.e**2), 1 / (1 + np.e**-2)], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(boosting.finish(raw, "binary", temperature=2.0)[1, 1], 1 / (1 + np.e**-1))
    np.testing.assert_allclose(boosting.finish(np.array([[1000.0, 0, 0]]), "multiclass"), [[1, 0, 0]])
    np.testing.assert_array_equal(boosting.finish(raw, "regression"), raw)
    np.testing.assert_allclose(boosting.finish(np.log1p([[41.0]]), "regression", log_target=True), [[41.0]])
    np.testing.assert_allclose(boosting.finish(np.array([[0.0, 2.0]]), "multilabel"), [[0.5, 1 / (1 + np.e**-2)]])


def test_an_objective_whose_scores_a_bundle_does_not_know_is_unsupported():
    fields = make_fields(200)
    booster = samples.train_booster(fields, make_targets(fields), SPECS, rounds=2, objective="poisson")
    with pytest.raises(SurefootError, match=r"export\.unsupported: a booster with the objective 'poisson'"):
        boosting.dump_booster(booster)


def test_a_file_that_is_no_booster_is_damaged(tmp_path):
    (tmp_path / "model.txt").write_text("no tree at all")
    with pytest.raises(DamagedError, match=r"model\.txt is no LightGBM model"):
        boosting.load_booster(tmp_path / "model.txt")


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize(("task", "settings"), [("binary", {}), ("multiclass", {"num_class": 3}), ("regression", {})])
def test_the_graph_says_what_the_booster_says_also_of_missing_values_and_new_codes(task, settings, missing):
    fields = make_fields(600, missing=missing)
    targets = {"binary": make_targets(fields) > 2, "multiclass": make_targets(fields) % 3, "regression": np.log1p(make_targets(fields))}[task]
    booster = samples.train_booster(fields, targets, SPECS, objective=task, **settings)
    facts = {"temperature": 1.0 if task == "regression" else 1.7, "log_target": task == "regression"}
    session = Session(trees.export_trees(booster, SPECS, task, **facts), 1)
    asked = make_fields(600, seed=1)
    raw = boosting.score(booster, asked, 1)
    logits, outputs = session.run(asked)
    assert compare(raw, logits, task != "regression").ok
    np.testing.assert_allclose(outputs, boosting.finish(raw, task, **facts), atol=1e-6)


def test_a_booster_that_learned_nothing_still_has_a_graph():
    fields = make_fields(50)
    booster = samples.train_booster(fields, np.full(50, 3.0), SPECS, rounds=2, objective="regression")
    logits, _ = Session(trees.export_trees(booster, SPECS, "regression"), 1).run(fields)
    np.testing.assert_allclose(logits, boosting.score(booster, fields, 1), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"linear_tree": True}, "linear leaves"),
        ({"zero_as_missing": True}, "zeros that stand"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "averaged"),
    ],
)
def test_trees_that_the_graph_can_not_express_are_unsupported(settings, what):
    numeric = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    booster = samples.train_booster((numeric,), numeric[:, 0] * numeric[:, 1], SPECS[:1], rounds=3, objective="regression", **settings)
    with pytest.raises(SurefootError, match=rf"export\.unsupported: .*{what}"):
        trees.export_trees(booster, SPECS[:1], "regression")
