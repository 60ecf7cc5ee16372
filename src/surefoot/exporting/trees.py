"""A LightGBM booster as an ONNX graph: one `TreeEnsemble` (ai.onnx.ml 5) in float64, splits and sums as LightGBM makes them.

Numbers go left where value <= threshold, codes where they belong to the split's set; a missing number goes where the split says,
or counts as 0 where training saw none missing (LightGBM, `Tree::NumericalDecision` and `Tree::CategoricalDecision`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from surefoot.exporting.boosting import UNSUPPORTED
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import SurefootError
from surefoot.types.problem import Task

_LESS_OR_EQUAL, _MEMBER = 0, 6
_TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT, "int32": TensorProto.INT32}


def export_trees(booster: lightgbm.Booster, specs: tuple[FieldSpec, ...], task: Task, *, temperature: float = 1.0, log_target: bool = False) -> bytes:
    """The graph of a booster: fields in, `logits` and `outputs` out, float32 both; compare it with the booster before it is shipped.

    Raises:
        SurefootError: `export.unsupported`; trees with linear leaves, averaged forests, or zeros that stand for missing.
    """
    model = booster.dump_model()
    forest = _read_forest(model)
    scores = model["num_tree_per_iteration"]
    nodes = [*_join(specs), _make_ensemble(forest, scores), helper.make_node("Cast", ["raw"], ["logits"], to=TensorProto.FLOAT)]
    constants = {"temperature": np.array(temperature), "one": np.array(1.0)}
    nodes += [*_make_outputs(task, log_target), helper.make_node("Cast", ["finished"], ["outputs"], to=TensorProto.FLOAT)]
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "booster",
        [helper.make_tensor_value_info(spec.name, _TYPES[spec.dtype], ["batch", *spec.shape]) for spec in specs],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])
            for name, size in (("logits", scores), ("outputs", max(scores, _width(task))))
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 5)], ir_version=10, producer_name="surefoot")
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()


@dataclass
class _Forest:
    """The attributes of a TreeEnsemble under way: a row per inner node, a row per leaf."""

    roots: list[int] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    leaves: list[tuple[int, float]] = field(default_factory=list)
    members: list[float] = field(default_factory=list)


def _read_forest(model: dict[str, Any]) -> _Forest:
    if model["average_output"]:
        raise SurefootError(f"{UNSUPPORTED}: an averaged forest has no graph here.", next="The bundle ships model.txt, which predicts the same.")
    forest = _Forest()
    for number, tree in enumerate(model["tree_info"]):
        forest.roots.append(len(forest.nodes))
        _add_tree(forest, tree["tree_structure"], number % model["num_tree_per_iteration"])
    return forest


def _add_tree(forest: _Forest, root: dict[str, Any], target: int) -> None:
    """Adds a tree depth first, the left side before the right; sets are listed in the order of their nodes."""
    if "split_feature" not in root:  # a tree without a split: both sides are its only leaf
        leaf = _add_leaf(forest, root, target)
        forest.nodes.append({"mode": _LESS_OR_EQUAL, "feature": 0, "split": 0.0, "nan_left": 0, "left": leaf, "right": leaf, "left_leaf": 1, "right_leaf": 1})
        return
    waiting: list[tuple[dict[str, Any], dict[str, Any] | None, str]] = [(root, None, "")]
    while waiting:
        split, parent, side = waiting.pop()
        if parent is not None:
            is_leaf = "split_feature" not in split
            parent[side], parent[f"{side}_leaf"] = (_add_leaf(forest, split, target), 1) if is_leaf else (len(forest.nodes), 0)
            if is_leaf:
                continue
        node = _read_split(forest, split)
        forest.nodes.append(node)
        waiting += [(split["right_child"], node, "right"), (split["left_child"], node, "left")]


def _add_leaf(forest: _Forest, leaf: dict[str, Any], target: int) -> int:
    if "leaf_coeff" in leaf:
        raise SurefootError(f"{UNSUPPORTED}: trees with linear leaves have no graph here.", next="The bundle ships model.txt, which predicts the same.")
    forest.leaves.append((target, float(leaf["leaf_value"])))
    return len(forest.leaves) - 1


def _read_split(forest: _Forest, split: dict[str, Any]) -> dict[str, Any]:
    if split["missing_type"] == "Zero":
        raise SurefootError(f"{UNSUPPORTED}: zeros that stand for missing have no graph here.", next="Train without zero_as_missing.")
    if split["decision_type"] == "==":
        forest.members += [*(float(code) for code in str(split["threshold"]).split("||")), np.nan]
        return {"mode": _MEMBER, "feature": split["split_feature"], "split": 0.0, "nan_left": 0}
    threshold = float(split["threshold"])
    nan_left = split["default_left"] if split["missing_type"] == "NaN" else threshold >= 0
    return {"mode": _LESS_OR_EQUAL, "feature": split["split_feature"], "split": threshold, "nan_left": int(nan_left)}


def _make_ensemble(forest: _Forest, scores: int) -> onnx.NodeProto:
    def column(name: str) -> list[int]:
        return [node[name] for node in forest.nodes]

    members = {"membership_values": numpy_helper.from_array(np.array(forest.members))} if forest.members else {}
    return helper.make_node(
        "TreeEnsemble",
        ["features"],
        ["raw"],
        domain="ai.onnx.ml",
        n_targets=scores,
        tree_roots=forest.roots,
        nodes_modes=numpy_helper.from_array(np.array(column("mode"), np.uint8)),
        nodes_featureids=column("feature"),
        nodes_splits=numpy_helper.from_array(np.array([node["split"] for node in forest.nodes])),
        nodes_missing_value_tracks_true=column("nan_left"),
        nodes_truenodeids=column("left"),
        nodes_falsenodeids=column("right"),
        nodes_trueleafs=column("left_leaf"),
        nodes_falseleafs=column("right_leaf"),
        leaf_targetids=[target for target, _ in forest.leaves],
        leaf_weights=numpy_helper.from_array(np.array([weight for _, weight in forest.leaves])),
        **members,
    )


def _join(specs: tuple[FieldSpec, ...]) -> list[onnx.NodeProto]:
    """Every field flat and as float64, side by side; the same as `boosting.join_features`."""
    nodes = []
    for spec in specs:
        nodes.append(helper.make_node("Flatten", [spec.name], [f"{spec.name}.flat"], axis=1))
        nodes.append(helper.make_node("Cast", [f"{spec.name}.flat"], [f"{spec.name}.wide"], to=TensorProto.DOUBLE))
    return [*nodes, helper.make_node("Concat", [f"{spec.name}.wide" for spec in specs], ["features"], axis=1)]


def _make_outputs(task: Task, log_target: bool) -> list[onnx.NodeProto]:
    """The same as `boosting.finish`."""
    if task in ("regression", "vector_regression"):
        if log_target:
            return [helper.make_node("Exp", ["raw"], ["power"]), helper.make_node("Sub", ["power", "one"], ["finished"])]
        return [helper.make_node("Identity", ["raw"], ["finished"])]
    scaled = helper.make_node("Div", ["raw", "temperature"], ["scaled"])
    if task == "multiclass":
        return [scaled, helper.make_node("Softmax", ["scaled"], ["finished"], axis=1)]
    if task == "multilabel":
        return [scaled, helper.make_node("Sigmoid", ["scaled"], ["finished"])]
    return [
        scaled,
        helper.make_node("Sigmoid", ["scaled"], ["positive"]),
        helper.make_node("Sub", ["one", "positive"], ["negative"]),
        helper.make_node("Concat", ["negative", "positive"], ["finished"], axis=1),
    ]


def _width(task: Task) -> int:
    return 2 if task == "binary" else 1
