"""From settings to the body of a net: the user's own, a notation, or the default for the data."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, NoReturn

from torch import nn

from surefoot import refs
from surefoot.models.convnet import ConvNet
from surefoot.models.notation import is_whitened
from surefoot.models.tabular import TabularNet
from surefoot.models.text import TextNet
from surefoot.models.views import Views
from surefoot.types.configs import ModelConfig
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import ConfigError, UsageError

_PICTURE_SIZES = [(16, 1), (32, 1), (32, 2), (64, 2)]
_WHITENED_SIZES = [(16, 1), (32, 1), (64, 1), (96, 2)]
_TABLE_SIZES = [(64, 2), (128, 3), (256, 3), (512, 3)]
_TEXT_SIZES = [(16, 1), (32, 1), (64, 1), (128, 2)]


def build(config: ModelConfig, fields: tuple[FieldSpec, ...], num_outputs: int, folder: Path | None = None) -> nn.Module:
    """A fresh net that takes one tensor per field and returns (B, num_outputs) raw outputs.

    Args:
        config: `use` goes before `layers`, and both before the default; a width or depth of 0 is the user's own default, or a small one.
        fields: as they reach the net: `image` (C, H, W) float, or `numeric` (F,) float, `category` codes and `text` codes.
        num_outputs: size of the last layer.
        folder: the project's, where the user's files are.

    Raises:
        ConfigError: the layers can't be read or don't fit the fields.
        UsageError: what the settings name is no module, or asks for what is not there.
    """
    module = _build(config, fields, num_outputs, folder)
    if config.views == "none":
        return module
    if fields[0].name != "image":
        raise ConfigError("Only pictures have views.", where=f"model.views = {config.views!r}", next="Leave it out for tables.")
    return Views(module, config.views)


def _build(config: ModelConfig, fields: tuple[FieldSpec, ...], num_outputs: int, folder: Path | None) -> nn.Module:
    available = _lay_out(config, fields, num_outputs)
    if config.use:
        return _build_own(config, available, folder)
    if config.layers and "input_shape" not in available:
        told = [f"{len(available['cardinalities'])} category columns"] if available["cardinalities"] else []
        told += [f"{len(available['vocabularies'])} text columns"] if available["vocabularies"] else []
        raise ConfigError(
            f"The layer notation takes pictures or numbers, and this table has {' and '.join(told)}.",
            where="model.layers",
            next="Leave model.layers empty: the default net embeds categories and words. Or write a net of your own: model.use = 'my_code:Net'.",
        )
    if config.layers or fields[0].name == "image":
        return refs.call(ConvNet, available, what="the layers")
    if available["vocabularies"]:
        return refs.call(TextNet, available, what="the default net for texts")
    return refs.call(TabularNet, available, what="the default net for tables")


def sizes(fields: tuple[FieldSpec, ...], num_outputs: int) -> list[tuple[int, int]]:
    """The ladder of growing models as (width, depth), the smallest first; each has about 3 to 4 times the parameters of the one before."""
    if fields[0].name != "image":
        return list(_TEXT_SIZES if any(field.is_text for field in fields) else _TABLE_SIZES)
    return list(_WHITENED_SIZES if is_whitened(fields[0].shape) else _PICTURE_SIZES)


def _lay_out(config: ModelConfig, fields: tuple[FieldSpec, ...], num_outputs: int) -> dict[str, Any]:
    """What a model may ask for by name."""
    by_name = {field.name: field for field in fields}
    width, depth = sizes(fields, num_outputs)[1]
    available: dict[str, Any] = {
        "num_outputs": num_outputs,
        "num_classes": num_outputs,
        "width": config.width or width,
        "depth": config.depth or depth,
        "dropout": config.dropout,
        "fields": fields,
    }
    if len(fields) == 1 and not fields[0].cardinalities:
        available["input_shape"] = fields[0].shape
    if config.layers:
        available["layers"] = config.layers
    if "image" in by_name:
        return available | {"in_channels": by_name["image"].shape[0]}
    return available | {
        "num_numeric": by_name["numeric"].shape[0] if "numeric" in by_name else 0,
        "cardinalities": by_name["category"].cardinalities if "category" in by_name else (),
        "vocabularies": tuple(field.cardinalities[0] for field in fields if field.is_text),
    }


def _build_own(config: ModelConfig, available: dict[str, Any], folder: Path | None) -> nn.Module:
    """The object that `model.use` names, called; where the settings leave its width or depth open, its own default holds."""
    make = refs.resolve(config.use, kind="model", folder=folder)
    if isinstance(make, nn.Module) or not callable(make):
        _refuse(config, f"{config.use} is {_name_kind(make)}, nothing that makes a fresh net.")
    parameters = inspect.signature(make).parameters
    is_open = {"width": not config.width, "depth": not config.depth}
    own = {name for name in parameters if is_open.get(name) and parameters[name].default is not inspect.Parameter.empty}
    module = refs.call(make, {name: value for name, value in available.items() if name not in own}, what=f"model {config.use}")
    if not isinstance(module, nn.Module):
        _refuse(config, f"{config.use} made {_name_kind(module)}, no torch.nn.Module.")
    return module


def _name_kind(thing: object) -> str:
    return "a module that is built already" if isinstance(thing, nn.Module) else f"an object of type {type(thing).__name__}"


def _refuse(config: ModelConfig, what: str) -> NoReturn:
    raise UsageError(what, where=f"model.use = {config.use!r}", next="Name a class that derives from torch.nn.Module, or a function that returns such a net.")
