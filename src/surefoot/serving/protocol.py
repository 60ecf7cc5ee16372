"""The Open Inference Protocol v2 (KServe), in JSON: requests -> fields, outputs -> responses, and what a model says of itself.

A request names either the graph's own tensors, or raw records: an input per column of a table, or pictures as base64 text of
their files. Letters: B items, K classes, T targets.
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.data import pictures, preprocess
from surefoot.exporting.predictor import Predictor
from surefoot.types.source import ItemError

MAX_ROWS = 10_000
MAX_PICTURES = 256
MAX_BODY_BYTES = 32 * 2**20

_NUMPY = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float32",
    "FP32": "float32",
    "FP64": "float64",
}
_DATATYPE = {"uint8": "UINT8", "float32": "FP32", "int32": "INT32"}
_ACCEPTED = {"uint8": {"UINT8"}, "float32": {"FP16", "FP32", "FP64"}, "int32": {"INT32", "INT64"}}
_OPTIONAL = ("logits",)


class RequestError(Exception):
    """A request that can't be answered: the HTTP status, and what is wrong with it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class _Tensor:
    """A parsed input: `data` is flat, object for BYTES."""

    name: str
    shape: tuple[int, ...]
    datatype: str
    data: np.ndarray


def read_request(predictor: Predictor, body: Any) -> tuple[np.ndarray, ...]:
    """The fields that an inference request asks about.

    Raises:
        RequestError: the request is not of the protocol, or not for this model. DataError: columns are missing.
    """
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise RequestError(400, 'a request is an object with a list "inputs" that holds at least one input')
    tensors = [_read_tensor(one) for one in inputs]
    names = [tensor.name for tensor in tensors]
    if len(set(names)) < len(names):
        raise RequestError(400, f"two inputs have the same name: {', '.join(sorted({name for name in names if names.count(name) > 1}))}")
    by_name = {tensor.name: tensor for tensor in tensors}
    if _are_fields(predictor, by_name):
        return tuple(_to_field(by_name[spec.name], spec.dtype) for spec in predictor.manifest.fields)
    if predictor.recipe["kind"] == "image":
        return _read_pictures(predictor, tensors)
    return preprocess.decode_columns({tensor.name: _to_column(tensor) for tensor in tensors}, predictor.recipe)


def write_response(predictor: Predictor, body: dict[str, Any], logits: np.ndarray, outputs: np.ndarray) -> dict[str, Any]:
    """The response to a request that `read_request` took.

    Raises:
        RequestError: it asks for an output that there is none of.
    """
    made = {entry["name"]: entry for entry in _list_outputs(predictor, logits, outputs)}
    asked = body.get("outputs")
    if asked is None:
        chosen = [name for name in made if name not in _OPTIONAL]
    else:
        chosen = [one.get("name") if isinstance(one, dict) else None for one in asked] if isinstance(asked, list) else [None]
        if any(not isinstance(name, str) or name not in made for name in chosen):
            raise RequestError(400, f'"outputs" is a list of objects with a "name" out of {", ".join(made)}')
    response = {"model_name": predictor.manifest.name, "model_version": predictor.manifest.version, "outputs": [made[name] for name in chosen]}
    if "id" in body:
        response["id"] = str(body["id"])
    return response


def describe_server(version: str) -> dict[str, Any]:
    """Metadata of the server."""
    return {"name": "surefoot", "version": version, "extensions": []}


def describe_model(predictor: Predictor) -> dict[str, Any]:
    """Metadata of the model; `parameters.records` says how raw records are sent."""
    manifest = predictor.manifest
    blank = tuple(np.zeros((1, *spec.shape), spec.dtype) for spec in manifest.fields)
    outputs = _list_outputs(predictor, *predictor.run(blank))
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": "lightgbm_text" if manifest.kind == "boosting" else "onnx_onnxv1",
        "inputs": [{"name": spec.name, "datatype": _DATATYPE[spec.dtype], "shape": [-1, *spec.shape]} for spec in manifest.fields],
        "outputs": [{"name": one["name"], "datatype": one["datatype"], "shape": [-1, *one["shape"][1:]]} for one in outputs],
        "parameters": {
            "question": manifest.question,
            "task": manifest.task,
            "target": list(manifest.target),
            "classes": list(manifest.classes),
            "threshold": manifest.threshold,
            "optional_outputs": list(_OPTIONAL),
            "records": _describe_records(predictor),
            "max_rows": MAX_ROWS,
            "max_body_bytes": MAX_BODY_BYTES,
        },
    }


def read_picture(data: bytes, recipe: dict[str, Any]) -> np.ndarray:
    """The bytes of a picture file -> uint8 (C, H, W).

    Raises:
        RequestError: it can't be read.
    """
    try:
        return preprocess.decode_image(pictures.decode(data), recipe)
    except ItemError as error:
        raise RequestError(400, f"the picture can't be read: {error.reason}") from error


def _read_tensor(given: Any) -> _Tensor:
    if not isinstance(given, dict) or not {"name", "shape", "datatype", "data"} <= set(given):
        raise RequestError(400, 'each input is an object with "name", "shape", "datatype" and "data"')
    name, shape, datatype = given["name"], given["shape"], given["datatype"]
    if not isinstance(name, str) or not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape) or not 1 <= len(shape) <= 8:
        raise RequestError(400, 'an input\'s "name" is text and its "shape" a list of 1 to 8 whole numbers')
    if datatype not in (*_NUMPY, "BYTES"):
        raise RequestError(400, f"input {name}: the datatype is one of {', '.join((*_NUMPY, 'BYTES'))}")
    if shape[0] > MAX_ROWS:
        raise RequestError(413, f"a request holds at most {MAX_ROWS:,} rows, this one {shape[0]:,}")
    flat = _flatten(name, given["data"])
    if len(flat) != math.prod(shape):
        raise RequestError(400, f"input {name}: the shape {shape} wants {math.prod(shape)} values, the data holds {len(flat)}")
    return _Tensor(name, tuple(shape), datatype, _read_bytes(name, flat) if datatype == "BYTES" else _read_numbers(name, flat, datatype))


def _flatten(name: str, data: Any) -> list[Any]:
    """Nested or flat, row by row."""
    if not isinstance(data, list):
        raise RequestError(400, f'input {name}: "data" is a list')
    for _ in range(8):
        if not any(isinstance(value, list) for value in data):
            return data
        if not all(isinstance(value, list) for value in data):
            break
        data = [value for inner in data for value in inner]
    raise RequestError(400, f"input {name}: the data is nested unevenly")


def _read_bytes(name: str, flat: list[Any]) -> np.ndarray:
    if not all(value is None or isinstance(value, str) for value in flat):
        raise RequestError(400, f"input {name}: BYTES are strings, or null where missing")
    values = np.empty(len(flat), object)
    values[:] = flat
    return values


def _read_numbers(name: str, flat: list[Any], datatype: str) -> np.ndarray:
    """As declared; null is NaN in floating-point inputs."""
    dtype = np.dtype(_NUMPY[datatype])
    if dtype.kind == "f":
        flat = [math.nan if value is None else value for value in flat]
    values = np.array(flat) if flat else np.zeros(0, dtype)
    if values.dtype.kind not in "biuf" or (dtype.kind in "biu" and values.dtype.kind == "f"):
        raise RequestError(400, f"input {name}: the data is not all {datatype}")
    if dtype.kind in "iu" and len(values) and not (np.iinfo(dtype).min <= int(values.min()) and int(values.max()) <= np.iinfo(dtype).max):
        raise RequestError(400, f"input {name}: values beyond {datatype}")
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def _are_fields(predictor: Predictor, tensors: dict[str, _Tensor]) -> bool:
    """Whether the inputs are the graph's own tensors; otherwise they are raw records."""
    specs = {spec.name: spec for spec in predictor.manifest.fields}
    if set(tensors) != set(specs):
        return False
    return all(tensors[name].datatype in _ACCEPTED[spec.dtype] and tensors[name].shape[1:] == spec.shape for name, spec in specs.items())


def _to_field(tensor: _Tensor, dtype: str) -> np.ndarray:
    data = tensor.data
    if dtype == "int32":
        data = data.clip(-1, np.iinfo(np.int32).max)  # what lies beyond is no code, and is refused by the predictor
    elif dtype == "float32":
        with np.errstate(over="ignore"):
            data = data.astype(np.float32)
        data = np.where(np.isfinite(data), data, np.float32(np.nan))  # as in `preprocess.decode_columns`
    return data.reshape(tensor.shape).astype(dtype)


def _to_column(tensor: _Tensor) -> np.ndarray:
    if math.prod(tensor.shape[1:]) != 1:
        raise RequestError(400, f"input {tensor.name}: a column has the shape [B] or [B, 1], not {list(tensor.shape)}")
    return tensor.data


def _read_pictures(predictor: Predictor, tensors: list[_Tensor]) -> tuple[np.ndarray, ...]:
    spec = predictor.manifest.fields[0]
    first = tensors[0]
    if len(tensors) != 1 or first.name != spec.name or first.datatype != "BYTES" or math.prod(first.shape[1:]) != 1:
        sizes = ", ".join(map(str, spec.shape))
        raise RequestError(400, f'send one input "{spec.name}": UINT8 of shape [B, {sizes}], or BYTES of shape [B] with picture files in base64')
    if len(first.data) > MAX_PICTURES:
        raise RequestError(413, f"a request holds at most {MAX_PICTURES} picture files, this one {len(first.data)}")
    pixels = [read_picture(_unpack(text), predictor.recipe) for text in first.data]
    return (np.stack(pixels) if pixels else np.zeros((0, *spec.shape), np.uint8),)


def _unpack(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(400, "a picture is the base64 text of its file") from error


def _list_outputs(predictor: Predictor, logits: np.ndarray, outputs: np.ndarray) -> list[dict[str, Any]]:
    preds, labels = predictor.decide(outputs)
    is_classification = bool(predictor.manifest.classes)
    made = [_write_tensor("probs", "FP64", outputs)] if is_classification else []
    made.append(_write_tensor("preds", "INT64" if is_classification else "FP64", preds))
    if is_classification and preds.ndim == 1:
        made.append({"name": "labels", "datatype": "BYTES", "shape": [len(labels)], "data": labels})
    return [*made, _write_tensor("logits", "FP32", logits)]


def _write_tensor(name: str, datatype: str, values: np.ndarray) -> dict[str, Any]:
    """Row by row; what is not finite, which JSON can't say, is null."""
    data = values.ravel().tolist()
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        data = [value if math.isfinite(value) else None for value in data]
    return {"name": name, "datatype": datatype, "shape": list(values.shape), "data": data}


def _describe_records(predictor: Predictor) -> dict[str, Any]:
    if predictor.recipe["kind"] == "image":
        how = f"One input of datatype BYTES: each value is the base64 text of a picture file ({', '.join(pictures.FORMATS)}) of any size."
        return {"how": how, "max_pictures": MAX_PICTURES, "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1]}]}
    how = "One input per column, in any order, shape [B] or [B, 1]; null where a value is missing. Numbers may come as text, dates in ISO 8601."
    kinds = {"numeric": "FP64", "boolean": "BOOL", "category": "BYTES", "date": "BYTES", "text": "BYTES"}
    told = [{key: value for key, value in column.items() if key not in ("words", "tokenizer")} for column in predictor.recipe["columns"]]
    columns = [{**column, "datatype": kinds[column["kind"]], "shape": [-1]} for column in told]
    return {"how": how, "inputs": columns}
