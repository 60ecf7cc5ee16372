"""The sources of a project: which there are, what each is called, and how many items the raw ones hold."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from surefoot.data.readers.detect import open_named
from surefoot.types.configs import DataConfig, SourceConfig
from surefoot.types.errors import UsageError
from surefoot.types.source import ImageSource


@dataclass(frozen=True)
class Raw:
    """A source without labels: how many items it holds, and how many of its files can't be items. They are counted, never trained on."""

    name: str
    role: str
    items: int
    refused: int


def list_sources(data: DataConfig) -> list[SourceConfig]:
    """Every source, each with a name: `data.source` first, as labelled data of the target distribution, then the tables `[[data.sources]]`.

    Raises:
        UsageError: two have the same name, or none is labelled.
    """
    first = [SourceConfig(path=data.source)] if data.source else []
    sources = [one if one.name else one.model_copy(update={"name": _name_of(one.path)}) for one in [*first, *data.sources]]
    twice = [name for name, count in Counter(one.name for one in sources).items() if count > 1]
    if twice:
        raise UsageError(
            f'{len(twice)} name stands for several sources: "{twice[0]}".', where="data.sources", next='Give each a name of its own: name = "phone".'
        )
    if sources and not any(one.labels == "labelled" and one.role == "practical" for one in sources):
        raise UsageError(
            "No source is labelled and practical, so there is nothing to choose and to judge on.",
            where="data.sources",
            next='Mark the one that is like the data the model will meet: role = "practical", labels = "labelled".',
        )
    return sources


def count_raw(data: DataConfig, root: Path) -> list[Raw]:
    """The sources that are marked raw, counted."""
    found = []
    for one in list_sources(data):
        if one.labels == "raw":
            opened = open_named(one.path, root, is_labelled=False)
            parts = [opened] if isinstance(opened, ImageSource) else opened
            found.append(Raw(one.name, one.role, sum(map(len, parts)), sum(len(part.refused) for part in parts)))
    return found


def _name_of(path: str) -> str:
    """`../data/phone_photos.tar.gz` -> phone_photos; `sklearn:digits` -> digits."""
    last = re.split(r"[/\\:]", path.split("?")[0].rstrip("/\\"))[-1]
    return re.sub(r"(\.(gz|xz|bz2|zip|tar|tgz|csv|tsv|txt|parquet|jsonl|npz|npy|xlsx))+$", "", last, flags=re.IGNORECASE) or path
