"""Raw fields -> what a net can eat: fitted on train rows, part of the exported graph.

Axes: B batch, C channels, H W height and width, F numeric columns, K category columns.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from surefoot.types.data_reports import FieldSpec

_CLIP = 3.0
"""Smooth clip: x / sqrt(1 + (x / 3)^2) keeps the order and bounds outliers by 3 (Holzmüller et al. 2024, RealMLP)."""

_FAR = 1e6
"""Beyond it the clip is at its bound to a millionth of a millionth; the square of much more is no float32."""


class PrepareImage(nn.Module):
    """uint8 (B, C, H, W) -> float32, zero mean and unit variance per channel of the train set."""

    mean: Tensor
    factor: Tensor

    def __init__(self, statistics: dict[str, np.ndarray]) -> None:
        super().__init__()
        shape = (1, -1, 1, 1)
        self.register_buffer("mean", torch.tensor(statistics["image.mean"] * 255, dtype=torch.float32).reshape(shape))
        self.register_buffer("factor", torch.tensor(1 / (statistics["image.sd"] * 255), dtype=torch.float32).reshape(shape))

    def forward(self, image: Tensor) -> tuple[Tensor]:
        return ((image.to(self.mean.dtype) - self.mean).mul_(self.factor),)


class PrepareNumeric(nn.Module):
    """float32 (B, F), NaN where missing -> (B, F + M): imputed by the median, scaled, softly clipped; M columns tell where gaps were."""

    median: Tensor
    factor: Tensor
    gaps: Tensor

    def __init__(self, statistics: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.register_buffer("median", torch.tensor(statistics["numeric.median"], dtype=torch.float32))
        self.register_buffer("factor", torch.tensor(1 / statistics["numeric.scale"], dtype=torch.float32))
        self.register_buffer("gaps", torch.tensor(np.flatnonzero(statistics["numeric.missing"] > 0)))

    def forward(self, numeric: Tensor) -> Tensor:
        missing = torch.isnan(numeric)
        filled = torch.where(missing, self.median, numeric.to(self.median.dtype))
        scaled = ((filled - self.median) * self.factor).clamp(-_FAR, _FAR)
        clipped = scaled / torch.sqrt(1 + (scaled / _CLIP) ** 2)
        return torch.cat([clipped, missing[:, self.gaps].to(clipped.dtype)], 1) if len(self.gaps) else clipped


class PrepareCategory(nn.Module):
    """int32 codes (B, K) -> int64 codes; those the train rows never held become 0, the code of the unseen."""

    offsets: Tensor
    known: Tensor

    def __init__(self, statistics: dict[str, np.ndarray], num_columns: int) -> None:
        super().__init__()
        seen = [statistics[f"category.seen{number}"] for number in range(num_columns)]
        offsets = np.cumsum([0, *(len(s) for s in seen)])[:-1]
        known = np.concatenate([np.where(s, np.arange(len(s)), 0) for s in seen])
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.int64))
        self.register_buffer("known", torch.tensor(known, dtype=torch.int64))

    def forward(self, category: Tensor) -> Tensor:
        return self.known[category.to(torch.int64) + self.offsets]


class PrepareTable(nn.Module):
    """The fields of a table, each by its own transform."""

    def __init__(self, parts: list[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, *fields: Tensor) -> tuple[Tensor, ...]:
        return tuple(part(field) for part, field in zip(self.parts, fields))


class Finish(nn.Module):
    """Scaled regression outputs (B, T) -> the target's own units."""

    mean: Tensor
    sd: Tensor

    def __init__(self, statistics: dict[str, np.ndarray], log_target: bool) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(statistics["target.mean"], dtype=torch.float32))
        self.register_buffer("sd", torch.tensor(statistics["target.sd"], dtype=torch.float32))
        self.log_target = log_target

    def forward(self, scaled: Tensor) -> Tensor:
        values = scaled * self.sd + self.mean
        return torch.expm1(values.clamp(max=60.0)) if self.log_target else values  # e^60 is beyond any target; expm1 of more is inf


def build_prepare(fields: tuple[FieldSpec, ...], statistics: dict[str, np.ndarray]) -> nn.Module:
    """The fitted transform of these fields."""
    if fields[0].name == "image":
        return PrepareImage(statistics)
    parts: list[nn.Module] = []
    for field in fields:
        parts.append(PrepareNumeric(statistics) if field.name == "numeric" else PrepareCategory(statistics, field.shape[0]))
    return PrepareTable(parts)


def prepared_fields(fields: tuple[FieldSpec, ...], statistics: dict[str, np.ndarray]) -> tuple[FieldSpec, ...]:
    """The fields as the body of the net gets them: missing indicators counted in."""
    found = []
    for field in fields:
        if field.name == "numeric":
            gaps = [name for name, share in zip(field.names, statistics["numeric.missing"]) if share > 0]
            field = field.model_copy(update={"shape": (field.shape[0] + len(gaps),), "names": (*field.names, *(f"{name} is missing" for name in gaps))})
        found.append(field)
    return tuple(found)
