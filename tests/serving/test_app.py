"""The server keeps the Open Inference Protocol, answers as the predictor does, and explains what it refuses."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from exporting import samples
from surefoot.data import preprocess
from surefoot.serving import guard, protocol


def make_png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def tensor(name, data, shape, datatype):
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def infer(client, inputs, **more):
    return client.post(f"{client.model}/infer", json={"inputs": inputs, **more})


def outputs_of(response):
    assert response.status_code == 200, response.text
    return {entry["name"]: np.array(entry["data"], object).reshape(entry["shape"]) for entry in response.json()["outputs"]}


def refused(response, status, text):
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    assert text in response.json()["error"]


def test_health_and_metadata_are_as_the_protocol_has_them(pictures):
    assert pictures.get("/v2/health/live").json() == {"live": True}
    assert pictures.get("/v2/health/ready").json() == {"ready": True}
    assert set(pictures.get("/v2").json()) == {"name", "version", "extensions"}
    version = pictures.predictor.manifest.version
    for path in (pictures.model, f"{pictures.model}/versions/{version}"):
        assert pictures.get(f"{path}/ready").json() == {"name": "animals", "ready": True}
        told = pictures.get(path).json()
        assert {"name", "versions", "platform", "inputs", "outputs"} <= set(told)
        assert told["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, 1, 4, 4]}]
        assert told["outputs"][:3] == [
            {"name": "probs", "datatype": "FP64", "shape": [-1, 3]},
            {"name": "preds", "datatype": "INT64", "shape": [-1]},
            {"name": "labels", "datatype": "BYTES", "shape": [-1]},
        ]
        assert told["parameters"]["classes"] == list(samples.IMAGE_CLASSES)


def test_the_metadata_say_how_each_column_is_sent(people):
    records = people.get(people.model).json()["parameters"]["records"]["inputs"]
    assert [(one["name"], one["datatype"]) for one in records] == [("age", "FP64"), ("job", "BYTES"), ("member", "BOOL")]
    assert set(records[1]["categories"]) == {"clerk", "nurse", "<i>smith</i>"}


def test_the_graphs_own_tensors_are_taken_flat_and_nested(pictures):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 1, 4, 4), dtype=np.uint8)
    expected = pictures.predictor.predict((pixels,))
    for data in (pixels.ravel().tolist(), pixels.tolist()):
        got = outputs_of(infer(pictures, [tensor("image", data, [3, 1, 4, 4], "UINT8")]))
        np.testing.assert_allclose(got["probs"].astype(float), expected, atol=1e-6)
        assert got["labels"].tolist() == [samples.IMAGE_CLASSES[k] for k in expected.argmax(1)]


def test_a_picture_file_in_base64_gives_what_its_pixels_give(pictures):
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7), dtype=np.uint8)
    expected = pictures.predictor.predict((preprocess.decode_image(pixels, pictures.predictor.recipe)[None],))
    got = outputs_of(infer(pictures, [tensor("image", [base64.b64encode(make_png(pixels)).decode()], [1], "BYTES")]))
    np.testing.assert_allclose(got["probs"].astype(float), expected, atol=1e-6)


def test_columns_in_any_order_give_what_the_predictor_gives(people):
    columns = {"member": [True, None], "age": [30, None], "job": ["nurse", None]}
    expected = people.predictor.predict(preprocess.decode_columns(columns, people.predictor.recipe))
    inputs = [tensor("member", [True, False], [2, 1], "BOOL"), tensor("job", ["nurse", None], [2], "BYTES"), tensor("age", [30.0, None], [2], "FP64")]
    columns["member"][1] = False
    expected = people.predictor.predict(preprocess.decode_columns(columns, people.predictor.recipe))
    np.testing.assert_array_equal(outputs_of(infer(people, inputs))["probs"].astype(float), expected)


def test_the_tensors_of_a_table_take_null_as_missing(people):
    numeric, category = preprocess.decode_columns(samples.make_people(5)[0], people.predictor.recipe)
    numeric[0, 0] = np.nan
    data = [None if np.isnan(value) else float(value) for value in numeric.ravel()]
    inputs = [tensor("category", category.ravel().tolist(), [5, 1], "INT64"), tensor("numeric", data, [5, 2], "FP32")]
    np.testing.assert_array_equal(outputs_of(infer(people, inputs))["probs"].astype(float), people.predictor.predict((numeric, category)))


def test_ids_names_and_asked_outputs_come_back(pictures):
    zero = [tensor("image", [0] * 16, [1, 1, 4, 4], "UINT8")]
    answer = infer(pictures, zero, id="seven", outputs=[{"name": "logits"}]).json()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("seven", "animals", pictures.predictor.manifest.version)
    assert [(entry["name"], entry["datatype"], entry["shape"]) for entry in answer["outputs"]] == [("logits", "FP32", [1, 3])]
    assert "id" not in infer(pictures, zero).json()
    assert [entry["name"] for entry in infer(pictures, zero).json()["outputs"]] == ["probs", "preds", "labels"]


def test_regression_answers_preds_in_own_units_and_no_rows_get_no_answers(numbers, pictures):
    body = json.dumps({"inputs": [tensor("b", [1.5, "HUGE"], [2], "FP64"), tensor("a", ["2", "1"], [2], "BYTES")]}).replace('"HUGE"', "1e400")
    got = numbers.post(f"{numbers.model}/infer", content=body).json()["outputs"]
    assert got == [{"name": "preds", "datatype": "FP64", "shape": [2, 1], "data": [3.5, None]}]
    assert outputs_of(infer(pictures, [tensor("image", [], [0, 1, 4, 4], "UINT8")]))["probs"].shape == (0, 3)


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "no JSON"),
        (b"{", 400, "no JSON"),
        (b"\xff\xfe", 400, "no JSON"),
        (b"[" * 100_000, 400, "no JSON"),
        (b"[1]", 400, '"inputs"'),
        (b'{"inputs": []}', 400, '"inputs"'),
        (b'{"inputs": [3]}', 400, "each input is an object"),
        (b'{"inputs": [{"name": "image"}]}', 400, "each input is an object"),
    ],
)
def test_bodies_that_are_no_request_are_refused(pictures, body, status, text):
    refused(pictures.post(f"{pictures.model}/infer", content=body), status, text)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": 3}, "is text"),
        ({"shape": [-1, 16]}, "whole numbers"),
        ({"shape": [True]}, "whole numbers"),
        ({"shape": []}, "whole numbers"),
        ({"shape": "16"}, "whole numbers"),
        ({"datatype": "STRING"}, "the datatype is one of"),
        ({"datatype": ["UINT8"]}, "the datatype is one of"),
        ({"data": [0] * 15}, "wants 16 values, the data holds 15"),
        ({"data": "0"}, '"data" is a list'),
        ({"data": [[0, 1], 2]}, "nested unevenly"),
        ({"data": [256] + [0] * 15}, "beyond UINT8"),
        ({"data": [-1] + [0] * 15}, "beyond UINT8"),
        ({"data": [0.5] + [0] * 15}, "not all UINT8"),
        ({"data": [None] + [0] * 15}, "not all UINT8"),
        ({"data": ["0"] * 16}, "not all UINT8"),
        ({"data": [10**30] + [0] * 15}, "not all UINT8"),
        ({"shape": [1, 16]}, "send one input"),
        ({"datatype": "FP32"}, "send one input"),
        ({"name": "picture"}, "send one input"),
        ({"datatype": "BYTES", "shape": [1], "data": [7]}, "BYTES are strings"),
        ({"datatype": "BYTES", "shape": [1], "data": ["not base64!"]}, "base64 text of its file"),
        ({"datatype": "BYTES", "shape": [1], "data": ["aGVsbG8="]}, "the picture can't be read: the content is no picture"),
        ({"datatype": "BYTES", "shape": [1], "data": [None]}, "the picture can't be read: the file is empty"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_with_the_reason(pictures, change, text):
    refused(infer(pictures, [{**tensor("image", [0] * 16, [1, 1, 4, 4], "UINT8"), **change}]), 400, text)


def test_missing_columns_bad_codes_and_double_names_are_refused(people):
    refused(infer(people, [tensor("aeg", [1], [1], "FP64"), tensor("job", ["x"], [1], "BYTES")]), 400, "age (did you mean 'aeg'?), member")
    refused(infer(people, [tensor("age", [1], [1], "FP64")] * 2), 400, "two inputs have the same name: age")
    refused(infer(people, [tensor("age", [1, 2], [1, 2], "FP64"), tensor("job", ["x"], [1], "BYTES")]), 400, "a column has the shape [B] or [B, 1]")
    for code in (-1, 4, 2**40):
        refused(infer(people, [tensor("numeric", [1, 1], [1, 2], "FP32"), tensor("category", [code], [1, 1], "INT64")]), 400, "codes beyond its categories")
    columns = [tensor("age", [1, 2], [2], "FP64"), tensor("job", ["x"], [1], "BYTES"), tensor("member", [True], [1], "BOOL")]
    refused(infer(people, columns), 400, "differ in length")


def test_unknown_models_versions_outputs_paths_methods_and_binary_tensors_are_refused(pictures):
    refused(pictures.get("/v2/models/other"), 404, "the model is called animals")
    refused(pictures.get(f"{pictures.model}/versions/9/ready"), 404, "no such version")
    refused(pictures.post("/v2/models/other/infer", json={}), 404, "the model is called animals")
    refused(infer(pictures, [tensor("image", [0] * 16, [1, 1, 4, 4], "UINT8")], outputs=[{"name": "weights"}]), 400, "probs, preds, labels, logits")
    refused(pictures.get("/nowhere"), 404, "Not Found")
    refused(pictures.get(f"{pictures.model}/infer"), 405, "Method Not Allowed")
    refused(pictures.post(f"{pictures.model}/infer", content=b"{}", headers={"Inference-Header-Content-Length": "2"}), 400, "binary tensors")
    assert pictures.get("/docs").status_code == 404


def test_too_many_rows_and_too_large_bodies_are_refused(pictures, people, monkeypatch):
    refused(infer(pictures, [tensor("image", [], [10_001, 1, 4, 4], "UINT8")]), 413, "at most 10,000 rows")
    refused(infer(pictures, [tensor("image", ["x"] * 300, [300], "BYTES")]), 413, "at most 256 picture files")
    refused(people.post("/predict", json=[{}] * 10_001), 413, "at most 10,000 rows")
    monkeypatch.setattr(guard, "MAX_BODY_BYTES", 2**20)
    refused(pictures.post("/predict", content=b"x" * (2**20 + 1)), 413, "at most 1 MiB")


def test_an_error_of_the_model_shows_no_traceback(pictures, monkeypatch):
    def fail(predictor, body):
        raise RuntimeError("secret path /home/me")

    monkeypatch.setattr("surefoot.serving.app.read_request", fail)
    response = infer(pictures, [tensor("image", [0] * 16, [1, 1, 4, 4], "UINT8")])
    refused(response, 500, "its log says why")
    assert "secret" not in response.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "[::1].evil.example"])
def test_a_loopback_server_answers_to_its_own_names_only(pictures, host):
    refused(pictures.get("/v2/health/live", headers={"Host": host}), 403, "its own address only")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:8000", "[::1]:8000"])
def test_its_own_names_are_answered(pictures, host):
    assert pictures.get("/v2/health/live", headers={"Host": host}).status_code == 200


def test_the_page_predicts_a_picture_from_its_bytes(pictures):
    pixels = np.random.default_rng(2).integers(0, 256, (4, 4), dtype=np.uint8)
    row = pictures.post("/predict", content=make_png(pixels)).json()["rows"][0]
    assert list(row["probs"].values()) == pytest.approx(pictures.predictor.predict((pixels[None, None],))[0].tolist(), abs=1e-6)
    assert row["pred"] == max(row["probs"], key=row["probs"].get)
    refused(pictures.post("/predict", content=b""), 400, "send the picture's file")
    refused(pictures.post("/predict", content=b"GIF89a"), 400, "can't be read")


def test_the_page_predicts_records_and_names_what_it_did_not_know(people):
    answer = people.post("/predict", json={"age": "30", "job": "pilot", "member": None, "shoe": 42}).json()
    assert (answer["unseen"], answer["ignored"]) == ({"job": ["pilot"]}, ["shoe"])
    assert set(answer["rows"][0]) == {"pred", "probs", "threshold"}
    several = people.post("/predict", json=[{"age": 30, "job": "nurse", "member": True}, {"age": 60, "job": None, "member": False}]).json()["rows"]
    fields = preprocess.decode_columns({"age": [30, 60], "job": ["nurse", None], "member": [True, False]}, people.predictor.recipe)
    assert [list(row["probs"].values()) for row in several] == people.predictor.predict(fields).tolist()
    refused(people.post("/predict", json={"age": 30}), 400, "job, member")
    refused(people.post("/predict", json=[]), 400, "an object with a value per column")
    refused(people.post("/predict", json=["x"]), 400, "an object with a value per column")
    refused(people.post("/predict", content=b"age=3"), 400, "no JSON")


def test_half_a_character_and_names_that_are_none_are_refused(people, pictures):
    refused(people.post("/predict", content=rb'{"age": 30, "job": "\ud800", "member": true}'), 400, "no JSON")
    refused(people.post("/predict", content=rb'{"age": 30, "job": "x", "member": true, "\ud800": 1}'), 400, "no JSON")
    assert people.post("/predict", content=rb'{"age": 30, "job": "\ud83d\ude00", "member": true}').json()["unseen"] == {"job": ["\U0001f600"]}
    body = {"inputs": [{"name": "age", "datatype": "FP64", "shape": [0], "data": []}], "outputs": [{"name": []}]}
    with pytest.raises(protocol.RequestError, match="is a list of objects"):
        protocol.write_response(pictures.predictor, body, np.zeros((0, 3), np.float32), np.zeros((0, 3)))


def test_columns_that_nobody_asked_for_take_no_room(people, monkeypatch):
    """A request of ten thousand rows with hundreds of names of their own made millions of empty cells."""
    seen = []
    decode = preprocess.decode_columns
    monkeypatch.setattr(preprocess, "decode_columns", lambda columns, recipe: seen.append(set(columns)) or decode(columns, recipe))
    records = [{"age": n, "job": "nurse", "member": True, **{f"own{n}-{k}": 1 for k in range(9)}} for n in range(5)]
    answer = people.post("/predict", json=records).json()
    assert seen == [{"age", "job", "member"}]
    assert len(answer["ignored"]) == 45


def test_a_value_that_is_not_finite_is_null_on_the_page_too(numbers):
    assert numbers.post("/predict", json=[{"a": 1, "b": 2}, {"a": None, "b": 2}]).json()["rows"] == [{"pred": 3.0}, {"pred": None}]


def test_what_is_not_finite_is_null_in_an_answer():
    made = protocol._write_tensor("preds", "FP64", np.array([[1.5], [np.nan], [np.inf]]))
    assert json.dumps(made["data"], allow_nan=False) == "[1.5, null, null]"
