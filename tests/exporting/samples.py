"""Small bundles that need no training: a linear model of 4 x 4 pictures, a booster of a table, and a regression."""

import json

import lightgbm
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from surefoot.data import preprocess
from surefoot.exporting import boosting, bundle, trees
from surefoot.types.data_reports import FieldSpec
from surefoot.types.problem import Problem

IMAGE_RECIPE = {"kind": "image", "height": 4, "width": 4, "channels": 1}
IMAGE_CLASSES = ("cat", "dog", "<b>emu</b>")
TABLE_KINDS = {"age": "numeric", "job": "category", "member": "boolean"}


def make_problem(**changes):
    """A charter, binary on a table unless changed."""
    facts = {"question": "Who buys?", "kind": "table", "task": "binary", "target": ("buys",), "classes": ("no", "yes"), "metric": "accuracy"}
    return Problem.model_validate({**facts, "head": "sigmoid", "loss": "binary_cross_entropy", "num_outputs": 1, **changes})


def make_image_graph(seed=0, classes=3):
    """uint8 (B, 1, 4, 4) -> logits and softmax, float32."""
    rng = np.random.default_rng(seed)
    weights = {"scale": np.float32([255]), "w": rng.normal(size=(16, classes)).astype(np.float32), "b": rng.normal(size=classes).astype(np.float32)}
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["flat"]),
        helper.make_node("Div", ["flat", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "w", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["outputs"]),
    ]
    return _finish(nodes, {"image": (TensorProto.UINT8, ["batch", 1, 4, 4])}, classes, weights)


def make_number_graph():
    """numeric float32 (B, 2) -> their sum, as logits and as outputs."""
    nodes = [helper.make_node("ReduceSum", ["numeric", "axes"], ["logits"]), helper.make_node("Identity", ["logits"], ["outputs"])]
    return _finish(nodes, {"numeric": (TensorProto.FLOAT, ["batch", 2])}, 1, {"axes": np.int64([1])})


def write_image_bundle(folder, **facts):
    """A bundle of kind `linear` for pictures."""
    problem = make_problem(kind="image", task="multiclass", target=("label",), classes=IMAGE_CLASSES, num_outputs=3, question="What is <it>?")
    manifest = bundle.describe(problem, **{"kind": "linear", "name": "animals", "fields": preprocess.fields(IMAGE_RECIPE), "inputs": ("image",), **facts})
    bundle.write_bundle(folder, {**_papers(IMAGE_RECIPE, manifest), bundle.GRAPH: make_image_graph()}, manifest)
    return folder


def write_number_bundle(folder):
    """A regression of two numbers."""
    recipe = {"kind": "table", "columns": [{"name": "a", "kind": "numeric"}, {"name": "b", "kind": "numeric"}]}
    problem = make_problem(task="regression", target=("total",), classes=(), metric="rmse", head="identity")
    manifest = bundle.describe(problem, kind="net", name="sums", fields=preprocess.fields(recipe), inputs=("a", "b"), id="key")
    bundle.write_bundle(folder, {**_papers(recipe, manifest), bundle.GRAPH: make_number_graph()}, manifest)
    return folder


def make_people(rows=400, seed=0):
    """Columns of people and whether they buy."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(18, 80, rows).round()
    job = np.array(["clerk", "nurse", "<i>smith</i>", None], object)[rng.integers(0, 4, rows)]
    member = rng.integers(0, 2, rows).astype(float)
    buys = ((age > 40) ^ (job == "nurse")).astype(int)
    age[rng.random(rows) < 0.1] = np.nan
    return {"age": age, "job": job, "member": member}, buys


def write_table_bundle(folder, **facts):
    """A bundle of kind `boosting` for people, with its graph beside it."""
    columns, buys = make_people()
    recipe = preprocess.make_table_recipe(columns, TABLE_KINDS)
    specs = preprocess.fields(recipe)
    booster = train_booster(preprocess.decode_columns(columns, recipe), buys, specs, objective="binary")
    manifest = bundle.describe(make_problem(), **{"kind": "boosting", "name": "buyers", "fields": specs, "inputs": tuple(TABLE_KINDS), "id": "key", **facts})
    model = {bundle.BOOSTER: boosting.dump_booster(booster), bundle.GRAPH: trees.export_trees(booster, specs, "binary")}
    bundle.write_bundle(folder, {**_papers(recipe, manifest), **model}, manifest)
    return folder


def train_booster(fields, targets, specs: tuple[FieldSpec, ...], rounds=20, **settings):
    """A small booster, one thread, categories by code."""
    data = lightgbm.Dataset(boosting.join_features(fields), np.asarray(targets, float), categorical_feature=boosting.list_categorical(specs))
    return lightgbm.train({"verbose": -1, "num_threads": 1, "min_data_per_group": 5, **settings}, data, rounds)


def _papers(recipe, manifest):
    return {bundle.RECIPE: json.dumps(recipe).encode(), bundle.LABELS: "\n".join(manifest.classes).encode(), bundle.CARD: b"# card\n"}


def _finish(nodes, inputs, outputs, weights):
    graph = helper.make_graph(
        nodes,
        "sample",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", outputs]) for name in ("logits", "outputs")],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()
