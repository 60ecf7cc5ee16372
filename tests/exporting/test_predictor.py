"""One object predicts for the test, the server and the command line."""

import numpy as np
import pytest

from surefoot.data import preprocess
from surefoot.exporting import bundle, predictor
from surefoot.exporting.answers import describe_answers
from surefoot.exporting.session import Session
from surefoot.types.errors import DamagedError, DataError

from . import samples


class Fixed:
    """Says what it was told to, whatever is asked."""

    def __init__(self, outputs):
        self.outputs = np.array(outputs, np.float32)

    def run(self, fields):
        return self.outputs, self.outputs


def make_predictor(outputs, **facts):
    problem = samples.make_problem(**{name: facts.pop(name) for name in ("task", "classes", "target", "num_outputs") if name in facts})
    manifest = bundle.describe(problem, kind="net", fields=preprocess.fields(samples.IMAGE_RECIPE), inputs=("image",), **facts)
    return predictor.Predictor(manifest, samples.IMAGE_RECIPE, Fixed(outputs))


def test_a_batch_of_any_size_gives_the_same_answers(image_predictor):
    pixels = np.random.default_rng(0).integers(0, 256, (1500, 1, 4, 4), dtype=np.uint8)
    whole = image_predictor.predict((pixels,))
    np.testing.assert_allclose(whole.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(whole[:7], image_predictor.predict((pixels[:7],)), atol=1e-6)
    np.testing.assert_allclose(whole[3:4], image_predictor.predict((pixels[3:4],)), atol=1e-6)
    assert image_predictor.predict((pixels[:0],)).shape == (0, 3)
    assert (whole.dtype, image_predictor.logits((pixels[:2],)).dtype) == (np.float64, np.float32)


def test_a_booster_predicts_by_its_file_as_its_graph_does(table_predictor, table_bundle):
    columns, buys = samples.make_people(seed=5)
    fields = preprocess.decode_columns(columns, table_predictor.recipe)
    logits, outputs = table_predictor.run(fields)
    graph_logits, graph_outputs = Session(table_bundle / bundle.GRAPH, 1).run(fields)
    np.testing.assert_allclose(logits, graph_logits, atol=1e-5)
    np.testing.assert_allclose(outputs, graph_outputs, atol=1e-6)
    assert (outputs.argmax(1) == buys).mean() > 0.8
    assert table_predictor.predict(tuple(field[:0] for field in fields)).shape == (0, 2)


def test_the_temperature_of_a_booster_moves_probs_and_not_logits(table_bundle, tmp_path):
    warm = predictor.load(samples.write_table_bundle(tmp_path / "warm", temperature=3.0), threads=1)
    cold = predictor.load(table_bundle, threads=1)
    fields = preprocess.decode_columns(samples.make_people(20)[0], cold.recipe)
    np.testing.assert_array_equal(warm.logits(fields), cold.logits(fields))
    np.testing.assert_allclose(warm.predict(fields)[:, 1], 1 / (1 + np.exp(-cold.logits(fields)[:, 0].astype(float) / 3)), rtol=1e-6)


def test_binary_is_decided_by_the_threshold():
    found = make_predictor([[0.75, 0.25], [0.7, 0.3], [0.1, 0.9]], threshold=0.3)
    preds, labels = found.decide(np.array([[0.75, 0.25], [0.7, 0.3], [0.1, 0.9]]))
    assert (preds.tolist(), labels) == ([0, 1, 1], ["no", "yes", "yes"])


def test_multilabel_and_regression_are_decided_each_in_their_way():
    several = make_predictor([[0.6, 0.5, 0.1]], task="multilabel", classes=("a", "b", "c"), num_outputs=3)
    assert several.decide(np.array([[0.6, 0.5, 0.1]]))[1] == [["a", "b"]]
    assert several.decide(np.array([[0.6, 0.5, 0.1]]))[0].tolist() == [[1, 1, 0]]
    own = make_predictor([], task="multilabel", classes=("a", "b", "c"), num_outputs=3, threshold=(0.7, 0.5, 0.1))
    assert own.decide(np.array([[0.6, 0.5, 0.1]]))[1] == [["b", "c"]]
    assert describe_answers(own, np.array([[0.6, 0.5, 0.1]]))[0]["threshold"] == {"a": 0.7, "b": 0.5, "c": 0.1}
    one = make_predictor([[3.5]], task="regression", classes=())
    assert one.decide(np.array([[3.5]]))[1] == [3.5]
    two = make_predictor([[3.5, 1]], task="vector_regression", classes=(), target=("x", "y"), num_outputs=2)
    assert two.decide(np.array([[3.5, 1]]))[1] == [[3.5, 1.0]]


def test_answers_name_the_probs_the_threshold_and_the_targets(image_predictor):
    assert describe_answers(make_predictor([], threshold=0.3), np.array([[0.25, 0.75]])) == [
        {"pred": "yes", "probs": {"no": 0.25, "yes": 0.75}, "threshold": 0.3}
    ]
    assert describe_answers(image_predictor, np.array([[0.5, 0.25, 0.25]])) == [{"pred": "cat", "probs": {"cat": 0.5, "dog": 0.25, "<b>emu</b>": 0.25}}]
    assert describe_answers(make_predictor([], task="regression", classes=()), np.array([[2.5]])) == [{"pred": 2.5}]
    vector = make_predictor([], task="vector_regression", classes=(), target=("x", "y"), num_outputs=2)
    assert describe_answers(vector, np.array([[2.5, 1.0]])) == [{"pred": {"x": 2.5, "y": 1.0}}]
    unnamed = make_predictor([], task="vector_regression", classes=(), target=("label",), num_outputs=2)
    assert describe_answers(unnamed, np.array([[2.5, 1.0]])) == [{"pred": {"label[0]": 2.5, "label[1]": 1.0}}]


def test_fields_of_another_form_are_refused(image_predictor, table_predictor):
    pixels = np.zeros((2, 1, 4, 4), np.uint8)
    for wrong in ((pixels.astype(np.float32),), (pixels[:, :, :3],), (pixels[0],)):
        with pytest.raises(DataError, match=r"must be uint8 \(B, 1, 4, 4\)"):
            image_predictor.predict(wrong)
    with pytest.raises(DataError, match="takes 1 fields, not 2"):
        image_predictor.predict((pixels, pixels))
    numeric, category = preprocess.decode_columns(samples.make_people(3)[0], table_predictor.recipe)
    for code in (-1, 4):
        with pytest.raises(DataError, match="codes beyond its categories"):
            table_predictor.predict((numeric, np.full_like(category, code)))
    with pytest.raises(DataError, match="category is int32"):
        table_predictor.predict((numeric, category[:2]))


def test_a_graph_that_does_not_fit_the_manifest_or_is_none_is_damaged(tmp_path):
    other = samples.write_image_bundle(tmp_path / "other", fields=preprocess.fields({"kind": "table", "columns": [{"name": "a", "kind": "numeric"}]}))
    with pytest.raises(DamagedError, match="does not take the fields of the manifest"):
        predictor.load(other)
    with pytest.raises(DamagedError, match="ONNX graph can't be loaded"):
        Session(b"not a graph")
