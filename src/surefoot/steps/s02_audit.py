"""s02: reads every item once, refuses what can't be used, and says what is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from surefoot.analysis import leakage
from surefoot.checks import data as checks
from surefoot.data.extremes import count_extremes
from surefoot.data.identity import hash_image, hash_rows, number_equals
from surefoot.data.profile import profile_columns
from surefoot.data.readers import open_source
from surefoot.data.targets import check_column, encode_targets, to_name
from surefoot.types import (
    AuditReport,
    AuditStepConfig,
    ColumnProfile,
    Context,
    DataError,
    Finding,
    ImageSource,
    ItemError,
    Problem,
    Refused,
    RefusedItem,
    TableSource,
)

_LISTED = 2_000
_NAMED = 10
"""Classes and refused items that one sentence names."""
_CHUNK = 256


def audit(ctx: Context, config: AuditStepConfig, *, problem: Problem) -> AuditReport:
    """Reads the source and returns an index of what is usable, with findings.

    Raises:
        DataError: nothing readable is left, or fewer than two classes can be measured.
    """
    source = open_source(config.data, ctx.root)
    targets = encode_targets(source, problem)
    profiles: tuple[ColumnProfile, ...] = ()
    sizes: Counter[str] = Counter()
    modes: Counter[str] = Counter()
    refused = list(source.refused)
    visible = np.asarray([given != "test" for given in source.given_sets], bool)
    if isinstance(source, ImageSource):
        contents = _read_images(ctx, source, refused, sizes, modes)
    else:
        profiles = profile_columns(source, problem.target, config.data, config.split, visible)
        contents = _read_rows(source, profiles)
    rows = np.asarray([row for row in contents if not np.isnan(targets[row]).any()], np.int64)
    _check_left(rows, targets, problem, refused)
    ids = number_equals(contents[row] for row in rows)
    index = _build_index(source, config, problem, rows, ids, [contents[row] for row in rows], targets[rows])
    counts, edges = _count_targets(targets[rows], problem)
    findings = [
        *checks.refused(refused),
        *checks.duplicates([contents[row] for row in rows], ids, [tuple(t) for t in targets[rows]]),
        *(checks.balance(counts) if problem.task in ("binary", "multiclass") else []),
        *checks.columns(profiles, int(visible.sum())),
        *(checks.extremes(_count_extremes(source, profiles, visible), int(visible.sum())) if isinstance(source, TableSource) else []),
        *(_find_leaks(ctx, source, problem, profiles, targets, rows[visible[rows]]) if isinstance(source, TableSource) else []),
        *_check_sizes(sizes),
    ]
    return AuditReport(
        fingerprint=source.fingerprint,
        num_items=len(source) + len(source.refused),  # what reading refused is one of the source's items
        num_usable=len(rows),
        index=ctx.store.put_table(index),
        refused=tuple(RefusedItem(place=r.place, reason=r.reason, code=r.code) for r in refused[:_LISTED]),
        balance=counts,
        balance_edges=edges,
        columns=profiles,
        sizes=dict(sizes.most_common(50)),
        modes=dict(modes),
        num_wild=len(open_source(config.data, ctx.root, which="wild")) if config.data.wild else 0,
        findings=tuple(findings),
    )


def _read_rows(source: TableSource, profiles: tuple[ColumnProfile, ...]) -> dict[int, str]:
    """Row -> hash of what its inputs hold."""
    if not any(p.role == "input" for p in profiles):
        raise DataError("No column is left as an input.", where="data.ignore, data.target", next="Ignore fewer columns, or bring data that has more.")
    return dict(enumerate(hash_rows({p.name: source.columns[p.name] for p in profiles if p.role not in ("target", "id", "weight", "ignored")})))


def _read_images(ctx: Context, source: ImageSource, refused: list[Refused], sizes: Counter[str], modes: Counter[str]) -> dict[int, str]:
    """Row -> content hash of every picture that can be read; the others go to `refused` with their reason."""
    contents: dict[int, str] = {}
    for row, result in _each_image(source):
        if isinstance(result, ItemError):
            refused.append(Refused(source.places[row], result.reason, result.code))
        else:
            contents[row], shape = result
            sizes[f"{shape[0]}x{shape[1]}"] += 1
            modes["grey" if len(shape) == 2 else "colour"] += 1
        if row % 500 == 0:
            ctx.events.progress("reading pictures", row, len(source))
    return contents


def _each_image(source: ImageSource) -> Iterator[tuple[int, tuple[str, tuple[int, ...]] | ItemError]]:
    def read(row: int) -> tuple[str, tuple[int, ...]] | ItemError:
        try:
            image = source.read(row)
        except ItemError as error:
            return error
        return hash_image(image), image.shape

    with ThreadPoolExecutor(2) as pool:  # Pillow decodes outside the interpreter's lock
        for start in range(0, len(source), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(source)))
            yield from zip(rows, pool.map(read, rows))


def _check_left(rows: np.ndarray, targets: np.ndarray, problem: Problem, refused: list[Refused]) -> None:
    if not len(rows):
        reasons = Counter(item.reason for item in refused).most_common(_NAMED)
        raise DataError(
            f"None of the {len(targets):,} items can be used: {'; '.join(f'{reason} ({count:,})' for reason, count in reasons) or 'none has a target'}.",
            where=", ".join(item.place for item in refused[:_NAMED]) or f"s02_audit, {' and '.join(problem.target)}",
            next="Mend or replace them; check data.source and data.target.",
        )
    if problem.task in ("binary", "multiclass"):
        counts = np.bincount(targets[rows, 0].astype(int), minlength=len(problem.classes))
        if (counts >= 5).sum() < 2:
            listed = ", ".join(f"{name}: {count}" for name, count in zip(problem.classes[:_NAMED], counts))
            listed += f" and {len(counts) - _NAMED:,} more classes" if len(counts) > _NAMED else ""
            raise DataError(
                f"Fewer than two classes have the five items that measuring takes ({listed}).",
                where="s02_audit",
                next="Gather more items of at least two classes.",
            )


def _build_index(
    source: ImageSource | TableSource, config: AuditStepConfig, problem: Problem, rows: np.ndarray, ids: list[str], contents: list[str], targets: np.ndarray
) -> pa.Table:
    group, time, weight = None, None, np.ones(len(rows), np.float32)
    if isinstance(source, TableSource):
        for setting, name in (("split.group", config.split.group), ("data.id", config.data.id), ("data.weight", config.data.weight)):
            if name:
                check_column(source, name, setting)
        for name in config.data.ignore:
            check_column(source, name, "data.ignore")
        group = _read_groups(source.columns[config.split.group][rows]) if config.split.group else None
        time = _find_time(source, config, rows)
        weight = _read_weights(source.columns[config.data.weight][rows], config.data.weight) if config.data.weight else weight
    return pa.table(
        {
            "row": pa.array(rows),
            "id": pa.array(ids),
            "content": pa.array(contents),
            "place": pa.array([source.places[row] for row in rows]),
            "given_set": pa.array([source.given_sets[row] for row in rows]),
            "target": pa.array(list(targets), pa.list_(pa.float64())),
            "group": pa.array(group if group is not None else [None] * len(rows), pa.string()),
            "time": pa.array(time if time is not None else [None] * len(rows), pa.float64()),
            "weight": pa.array(weight, pa.float32()),
        }
    )


def _read_groups(values: np.ndarray) -> list[str | None]:
    """The group of each row; rows without one stand for themselves."""
    return [to_name(value) for value in values.tolist()]


def _read_weights(values: np.ndarray, name: str) -> np.ndarray:
    if values.dtype.kind != "f" or not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise DataError(
            f"The weights in {name} must be numbers from 0 up, one in every row and not all of them 0.",
            where=f"data.weight = {name!r}",
            next="Mend the column, or name none.",
        )
    return values.astype(np.float32)


def _find_time(source: TableSource, config: AuditStepConfig, rows: np.ndarray) -> np.ndarray | None:
    """Time of each row in days: the column asked for, else the first date column whose order the rows follow."""
    asked = config.split.time
    if asked == "none":
        return None
    if asked:
        check_column(source, asked, "split.time")
        days = _to_days(source.columns[asked][rows])
        if np.isnan(days).any():
            raise DataError(
                f"{int(np.isnan(days).sum()):,} rows have no {asked}: they can't be put in time order.",
                where=f"split.time = {asked!r}",
                next="Fill or drop them.",
            )
        return days
    for values in source.columns.values():
        if values.dtype.kind == "M" and len(rows) > 1:
            days = _to_days(values[rows])
            if not np.isnan(days).any() and (np.diff(days) >= 0).all() and days[-1] > days[0]:
                return days
    return None


def _to_days(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.astype("datetime64[s]").astype(np.float64) / 86_400)
    if values.dtype == object:
        raise DataError("The time column holds words, neither dates nor numbers.", where="split.time", next="Name a column of dates or numbers.")
    return values.astype(np.float64)


def _count_targets(targets: np.ndarray, problem: Problem) -> tuple[dict[str, int], tuple[float, ...]]:
    if problem.task in ("binary", "multiclass"):
        counts = np.bincount(targets[:, 0].astype(int), minlength=len(problem.classes))
        return {name: int(count) for name, count in zip(problem.classes, counts)}, ()
    if problem.task == "multilabel":
        return {name: int(count) for name, count in zip(problem.classes, targets.sum(0))}, ()
    low, high = float(targets[:, 0].min()), float(targets[:, 0].max())
    bins = 20 if high - low > 1e-9 * max(abs(low), abs(high)) else 1  # values that differ in their last digits make no twenty bins
    histogram, edges = np.histogram(targets[:, 0], bins=bins)
    return {f"{edges[n]:.6g}": int(count) for n, count in enumerate(histogram)}, tuple(float(edge) for edge in edges)


def _count_extremes(source: TableSource, profiles: tuple[ColumnProfile, ...], visible: np.ndarray) -> dict[str, tuple[int, int, int]]:
    return {p.name: count_extremes(source.columns[p.name][visible]) for p in profiles if p.role == "input" and p.kind == "numeric"}


def _find_leaks(
    ctx: Context, source: TableSource, problem: Problem, profiles: tuple[ColumnProfile, ...], targets: np.ndarray, rows: np.ndarray
) -> list[Finding]:
    if problem.task in ("multilabel", "vector_regression"):
        return []
    columns = {p.name: _to_numbers(source.columns[p.name])[rows] for p in profiles if p.role == "input"}
    scores = leakage.score_columns(columns, targets[rows, 0], is_classification=bool(problem.classes), seed=ctx.seed)
    return checks.leaks(scores, leakage.THRESHOLD)


def _to_numbers(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "M":
        return _to_days(values)
    return values if values.dtype.kind == "f" else np.unique(values.astype(str), return_inverse=True)[1].astype(np.float64)


def _check_sizes(sizes: Counter[str]) -> list[Finding]:
    sides = [max(map(int, size.split("x"))) for size in sizes]
    if not sides or max(sides) < 4 * min(sides):
        return []
    return [
        Finding(
            code="data.odd_size",
            severity="info",
            what=f"Picture sides range from {min(sides)} to {max(sides)} pixels.",
            where="pictures",
            next="All are brought to one size; look whether the largest and the smallest belong here.",
            evidence={"smallest": min(sides), "largest": max(sides)},
        )
    ]
