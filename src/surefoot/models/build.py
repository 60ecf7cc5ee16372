"""From settings to the body of a net: the user's own, a notation, or the default for the data."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from surefoot import refs
from surefoot.models.convnet import ConvNet
from surefoot.types.configs import ModelConfig
from surefoot.types.errors import UsageError
from surefoot.types.reports import FieldSpec


def build(config: ModelConfig, fields: tuple[FieldSpec, ...], num_outputs: int, folder: Path | None = None) -> nn.Module:
    by_name = {field.name: field for field in fields}
    given = {"num_outputs": num_outputs, "num_classes": num_outputs, "dropout": config.dropout}
    if config.width:
        given["width"] = config.width
    if config.depth:
        given["depth"] = config.depth
    if "image" in by_name:
        given |= {"input_shape": by_name["image"].shape, "in_channels": by_name["image"].shape[0]}
    else:
        given |= {"num_numeric": by_name["numeric"].shape[0] if "numeric" in by_name else 0, "cardinalities": by_name["category"].cardinalities if "category" in by_name else ()}
    if config.use:
        body = refs.build(config.use, kind="model", folder=folder, available=given)
        if not isinstance(body, nn.Module):
            raise UsageError(f"{config.use} made a {type(body).__name__}, no torch.nn.Module.", where="model.use", next="Return an nn.Module.")
        return body
    if "image" in by_name:
        return ConvNet(layers=config.layers, **{k: v for k, v in given.items() if k in ("input_shape", "num_outputs", "width", "depth", "dropout")})
    from surefoot.models.tabular import TabularNet

    return refs.call(TabularNet, given, what="tabular")


def sizes(fields: tuple[FieldSpec, ...], num_outputs: int) -> list[tuple[int, int]]:
    if fields[0].name == "image":
        return [(16, 1), (24, 2), (48, 2), (96, 2)]
    return [(64, 2), (128, 3), (256, 4), (512, 4)]
