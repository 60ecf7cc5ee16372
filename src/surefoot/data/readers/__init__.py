"""Readers: a name -> items, one after another, nothing believed yet. One format per file; `detect.py` says which opens what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from surefoot.data.readers.annotated import rename_classes
from surefoot.data.readers.beside import name_labels
from surefoot.data.readers.detect import Opened, check_named, open_named
from surefoot.data.readers.joining import append_test, join_images
from surefoot.data.readers.labels import align_labels
from surefoot.data.readers.raw import RawTable
from surefoot.data.readers.repairs import mend
from surefoot.data.readers.sources import Raw, count_raw, list_sources
from surefoot.data.readers.table import assemble
from surefoot.types.configs import DataConfig
from surefoot.types.errors import DataError, UsageError
from surefoot.types.source import ImageSource, Named, TableSource

__all__ = ["Raw", "count_raw", "list_sources", "open_source"]


def open_source(config: DataConfig, root: Path, *, which: str = "source") -> ImageSource | TableSource:
    """Opens the data that the settings name.

    Args:
        config: `source`, the paths of `sources`, `test` and `wild` are paths relative to `root` or absolute, addresses,
            `sklearn:NAME`, `hub:NAME` or `my_code:Name`. Of several sources those that are labelled are read as one.
        root: the project's folder.
        which: "source", with the rows of `config.test` behind its own as given set "test"; or "wild", with the columns,
            types and labels of the source, and no given set.

    Raises:
        DataError: nothing is there, it can't be read, the sets don't fit each other, or a repair is wrong. UsageError: an unknown name.
    """
    opened = _open(config, root, which)
    return opened if which == "wild" else mend(opened, config, root)


def _open(config: DataConfig, root: Path, which: str) -> ImageSource | TableSource:
    if which not in ("source", "wild"):
        raise UsageError(f'There is no data "{which}".', where="open_source", next='Ask for "source" or "wild".')
    if not config.sources:
        check_named(config.source, "source")
    source = _open_all(config, root)
    if which == "wild":
        check_named(config.wild, "wild")
        return _open_wild(source, config, root)
    if not config.test:
        return source if isinstance(source, ImageSource) else assemble(source, config)
    test = _open_like(source, config.test, config, root)
    if isinstance(source, ImageSource) and isinstance(test, ImageSource):
        return append_test(source, test, config.test)
    assert isinstance(source, list)
    assert isinstance(test, list)
    return assemble([*source, *(_stand_apart(part, source, config.test).of_set("test") for part in test)], config)


def _open_all(config: DataConfig, root: Path) -> Opened:
    """The labelled sources, as one where there are several; each item then knows the name of its source."""
    labelled = [one for one in list_sources(config) if one.labels == "labelled"]
    first = open_named(labelled[0].path, root)
    first = name_labels(first, config.target, labelled[0].path) if isinstance(first, ImageSource) else first
    if len(labelled) == 1:
        return first
    opened = [first, *(_open_like(first, one.path, config, root) for one in labelled[1:])]
    images = [(one.name, part) for one, part in zip(labelled, opened, strict=True) if isinstance(part, ImageSource)]
    if images:
        return join_images(images)
    return [_name_part(table, one.name) for one, part in zip(labelled, opened, strict=True) if isinstance(part, list) for table in part]


def _name_part(table: RawTable, name: str) -> RawTable:
    """A table that belongs to one of several sources: equal file names in two of them stay apart."""
    places = table.places
    return replace(
        table,
        source=name,
        places=Named(len(places), lambda some: (f"{name}/{place}" for place in places[some])),
        refused=[replace(one, place=f"{name}/{one.place}") for one in table.refused],
    )


def _stand_apart(table: RawTable, others: list[RawTable], path: str) -> RawTable:
    """A table read from `path`; where another one has its name or its places, these begin with that path, so that no place stands for two rows."""
    top = path.rstrip("/\\")
    if table.texts and any(not set(table.places).isdisjoint(other.places) for other in others):  # places of texts are paths, which don't name their folder
        return table.called(top)
    if table.name not in {other.name for other in others}:
        return table
    return table.called(top if top.endswith(table.name) else f"{top}/{table.name}")


def _open_wild(source: Opened, config: DataConfig, root: Path) -> ImageSource | TableSource:
    """The wild set, understood as its source is."""
    wild = _open_like(source, config.wild, config, root)
    if isinstance(source, ImageSource) and isinstance(wild, ImageSource):
        return replace(wild.of_set(""), labels=align_labels(wild.labels, source.labels, config.wild))
    assert isinstance(source, list)
    assert isinstance(wild, list)
    return assemble([part.of_set("") for part in wild], config, like=source)


def _known_classes(source: Opened) -> frozenset[str]:
    """The labels of pictures, and of texts in class folders."""
    if isinstance(source, ImageSource):
        return frozenset(str(label) for label in source.labels if isinstance(label, str | int))
    return frozenset(label for part in source if part.texts for name in part.target for label in part.columns[name].unique().to_pylist())


def _open_like(source: Opened, name: str, config: DataConfig, root: Path) -> Opened:
    """Opens a second set of the same kind as the first, knowing its classes."""
    known = _known_classes(source)
    other = open_named(name, root, known)
    if isinstance(other, ImageSource) and other.columns:  # else its folders say what a column of the source says
        other = name_labels(other, config.target, name)
    if isinstance(other, ImageSource) != isinstance(source, ImageSource):
        kinds = ("pictures", "a table") if isinstance(source, ImageSource) else ("a table", "pictures")
        raise DataError(f'The source is {kinds[0]}, but "{name}" is {kinds[1]}.', where=name, next="Give both sets the same form.")
    if isinstance(source, ImageSource) and isinstance(other, ImageSource) and (source.annotations or other.annotations):
        if source.annotations is None or other.annotations is None:
            without = name if source.annotations else "the source"
            raise DataError(f"One set has boxes, and {without} has none.", where=name, next="Give both sets annotations, or neither.")
        return rename_classes(other, source.annotations.classes)
    return other
