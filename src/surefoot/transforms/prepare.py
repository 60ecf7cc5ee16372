"""Raw fields -> what a net can eat: fitted on train rows, part of the exported graph.

Axes: B batch, C channels, H W height and width, F numeric columns, K category columns, L words of a text.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from surefoot.transforms.impute import Impute
from surefoot.transforms.statistics import ENCODINGS
from surefoot.types.data_reports import UNKNOWN, FieldSpec

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
    """float32 (B, F), NaN where missing -> (B, F + M): gaps filled, scaled, outliers softly clipped; M columns tell where gaps were."""

    fill: Tensor
    center: Tensor
    factor: Tensor
    gaps: Tensor
    clip: Tensor

    def __init__(self, statistics: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.register_buffer("fill", torch.tensor(statistics["numeric.fill"], dtype=torch.float32))
        self.register_buffer("center", torch.tensor(statistics["numeric.center"], dtype=torch.float32))
        self.register_buffer("factor", torch.tensor(1 / statistics["numeric.scale"], dtype=torch.float32))
        self.register_buffer("gaps", torch.tensor(np.flatnonzero(statistics["numeric.gaps"])))
        self.register_buffer("clip", torch.tensor(statistics["numeric.clip"]))
        self.clips = "all" if statistics["numeric.clip"].all() else "some" if statistics["numeric.clip"].any() else "none"
        self.impute = Impute(statistics) if "impute.columns" in statistics else None
        self.ranks = Ranks(statistics) if "numeric.ranks" in statistics else None

    def forward(self, numeric: Tensor) -> Tensor:
        missing = torch.isnan(numeric)
        filled = torch.where(missing, self.fill, numeric.to(self.fill.dtype))
        if self.impute is not None:
            filled = self.impute(filled, missing)
        scaled = ((filled - self.center) * self.factor).clamp(-_FAR, _FAR)
        if self.clips != "none":
            bent = scaled / torch.sqrt(1 + (scaled / _CLIP) ** 2)
            scaled = bent if self.clips == "all" else torch.where(self.clip, bent, scaled)
        if self.ranks is not None:
            scaled = self.ranks(filled, scaled)
        return torch.cat([scaled, missing[:, self.gaps].to(scaled.dtype)], 1) if len(self.gaps) else scaled


class Ranks(nn.Module):
    """Values (B, F) of the columns that are so scaled -> their rank among the train values, mean 0 and variance 1; a sum of ramps, one between two knots."""

    wanted: Tensor
    starts: Tensor
    widths: Tensor
    slopes: Tensor
    first: Tensor

    def __init__(self, statistics: dict[str, np.ndarray]) -> None:
        super().__init__()
        knots = statistics["numeric.knots"]
        self.register_buffer("wanted", torch.tensor(statistics["numeric.ranks"]))
        for name, values in (("starts", knots[:, :-1]), ("widths", np.diff(knots, axis=1)), ("slopes", statistics["numeric.slopes"])):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32))
        self.register_buffer("first", torch.tensor(statistics["numeric.first"], dtype=torch.float32))

    def forward(self, values: Tensor, others: Tensor) -> Tensor:
        ramps = torch.minimum((values.unsqueeze(2) - self.starts).clamp(min=0), self.widths)
        return torch.where(self.wanted, (ramps * self.slopes).sum(2) + self.first, others)


class PrepareCategory(nn.Module):
    """int32 codes (B, K) -> int64 codes; those the train rows never held become 0, the code of the unseen, or the commonest where gaps are filled so."""

    offsets: Tensor
    known: Tensor

    def __init__(self, statistics: dict[str, np.ndarray], num_columns: int) -> None:
        super().__init__()
        seen = [statistics[f"category.seen{number}"] for number in range(num_columns)]
        offsets = np.cumsum([0, *(len(s) for s in seen)])[:-1]
        fills = statistics["category.fill"]
        known = np.concatenate([np.where(s & (np.arange(len(s)) > 0), np.arange(len(s)), fill) for s, fill in zip(seen, fills)])
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.int64))
        self.register_buffer("known", torch.tensor(known, dtype=torch.int64))

    def forward(self, category: Tensor) -> Tensor:
        return self.known[category.to(torch.int64) + self.offsets]


class PrepareText(nn.Module):
    """int32 codes (B, L) -> int64 codes; words that the train rows never held become 1, the code of the unknown."""

    known: Tensor

    def __init__(self, seen: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("known", torch.tensor(np.where(seen, np.arange(len(seen)), UNKNOWN), dtype=torch.int64))

    def forward(self, text: Tensor) -> Tensor:
        return self.known[text.to(torch.int64)]


class EncodeCategory(nn.Module):
    """int64 codes (B, K) -> numbers (B, M) of the columns that are given as numbers: a column per code, or the share of the code among the train rows."""

    offsets: Tensor
    table: Tensor

    def __init__(self, statistics: dict[str, np.ndarray], columns: list[int]) -> None:
        super().__init__()
        tables = [_encode(statistics, column) for column in columns]
        rows, width = sum(len(one) for one in tables), sum(one.shape[1] for one in tables)
        whole, row, at = np.zeros((rows, width)), 0, 0
        offsets = []
        for one in tables:
            offsets.append(row)
            whole[row : row + len(one), at : at + one.shape[1]] = one
            row, at = row + len(one), at + one.shape[1]
        self.columns = columns
        self.register_buffer("offsets", torch.tensor(offsets, dtype=torch.int64))
        self.register_buffer("table", torch.tensor(whole, dtype=torch.float32))

    def forward(self, codes: Tensor) -> Tensor:
        return self.table[codes[:, self.columns] + self.offsets].sum(1)


def _encode(statistics: dict[str, np.ndarray], column: int) -> np.ndarray:
    """What each code of a column becomes: float64 (codes, width)."""
    share = statistics[f"category.share{column}"]
    if statistics["category.encoding"][column] == ENCODINGS.index("onehot"):
        return np.eye(len(share))
    mean = float(share @ share)
    sd = float(np.sqrt(share @ (share - mean) ** 2))
    return ((share - mean) / (sd or 1.0))[:, None]


class PrepareTable(nn.Module):
    """The fields of a table, each by its own transform; categories that are given as numbers move to the numbers.

    Args:
        parts: one per field. names: of the fields. encode: columns of categories that become numbers, `kept`: those that stay codes.
    """

    def __init__(self, parts: list[nn.Module], names: tuple[str, ...], encode: EncodeCategory | None = None, kept: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.parts, self.names, self.encode, self.kept = nn.ModuleList(parts), names, encode, list(kept)

    def forward(self, *fields: Tensor) -> tuple[Tensor, ...]:
        made = {name: part(field) for name, part, field in zip(self.names, self.parts, fields)}
        if self.encode is not None:
            codes = made.pop("category")
            numbers = self.encode(codes)
            numeric = torch.cat([made.pop("numeric"), numbers], 1) if "numeric" in made else numbers
            made = {"numeric": numeric} | ({"category": codes[:, self.kept]} if self.kept else {}) | made
        return tuple(made.values())


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
        if field.is_text:
            parts.append(PrepareText(statistics[f"{field.name}.seen"]))
        else:
            parts.append(PrepareNumeric(statistics) if field.name == "numeric" else PrepareCategory(statistics, field.shape[0]))
    coded, encoded = _sort_categories(statistics)
    return PrepareTable(parts, tuple(field.name for field in fields), EncodeCategory(statistics, encoded) if encoded else None, tuple(coded))


def _sort_categories(statistics: dict[str, np.ndarray]) -> tuple[list[int], list[int]]:
    """The columns of categories that stay codes, and those that become numbers."""
    encoding = statistics.get("category.encoding", np.zeros(0))
    return np.flatnonzero(encoding == 0).tolist(), np.flatnonzero(encoding).tolist()


def prepared_fields(fields: tuple[FieldSpec, ...], statistics: dict[str, np.ndarray]) -> tuple[FieldSpec, ...]:
    """The fields as the body of the net gets them: missing indicators counted in, and categories that became numbers among the numbers."""
    found = {field.name: field for field in fields}
    if "numeric" in found:
        field = found["numeric"]
        names = field.names or ("",) * field.shape[0]
        found["numeric"] = _widen(field, tuple(f"{name} is missing" for name, gap in zip(names, statistics["numeric.gaps"]) if gap))
    coded, encoded = _sort_categories(statistics)
    if not encoded:
        return tuple(found.values())
    field = found.pop("category")
    names = tuple(f"{field.names[j]} #{n}" for j in encoded for n in range(_encode(statistics, j).shape[1]))
    numeric = _widen(found.pop("numeric", FieldSpec(name="numeric", shape=(0,), dtype="float32")), names)
    kept = {"shape": (len(coded),), "names": tuple(field.names[j] for j in coded), "cardinalities": tuple(field.cardinalities[j] for j in coded)}
    return (numeric, *((field.model_copy(update=kept),) if coded else ()), *found.values())


def _widen(field: FieldSpec, names: tuple[str, ...]) -> FieldSpec:
    """A field of numbers with more columns."""
    return field.model_copy(update={"shape": (field.shape[0] + len(names),), "names": (*field.names, *names)})
