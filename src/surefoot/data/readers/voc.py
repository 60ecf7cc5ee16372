"""Pascal VOC: one XML file per picture, and lists of train, val and test (Everingham et al. 2010, the development kit).

A box is xmin, ymin, xmax, ymax in pixels counted from 1, the last one included: 1, 1, 640, 480 is a whole picture of 640 x 480. Some write
from 0; where any box does, all are read so.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from surefoot.data.readers.annotated import Album, Found, as_number, find_suffix, make_boxes, read_head, read_whole, stem
from surefoot.data.readers.encoding import read_words
from surefoot.data.readers.piles import GIVEN_SETS, Entry, Pile, split_path
from surefoot.types.source import Drawing, ItemError, Refused

MAX_BYTES = 1 << 24
"""The largest XML file that is read: thirty boxes take 10 KB."""
_LOOKED_AT = 20
"""Files whose heads tell whether XML files are annotations."""
HEAD_BYTES = 2048
WRONG_TYPE = "data.wrong_type"


def find_voc(pile: Pile) -> Found | None:
    """What the XML files of a pile say; None where none of the first is an annotation."""
    files = find_suffix(pile, ".xml")
    if not any(b"<annotation" in read_head(pile, entry, HEAD_BYTES) for entry in files[:_LOOKED_AT]):
        return None
    album = Album(pile)
    lists = [entry for entry in find_suffix(pile, ".txt") if "imagesets" in [part.lower() for part in split_path(entry.path)]]
    found = Found(classes=(), files={entry.path for entry in (*files, *lists)})
    read: list[tuple[str, str, Element]] = []
    for entry in files:
        try:
            root = parse_xml(pile.fetch(entry, MAX_BYTES + 1))
            read.append((_find_picture(entry.path, root, album), entry.path, root))
        except ItemError as error:
            found.refused.append(Refused(entry.path, error.reason, error.code))
    found.classes = tuple(sorted({name for _, _, root in read for thing in root.iter("object") if (name := _text(thing, "name"))}))
    drawn = [(picture, _draw(path, root, found.classes)) for picture, path, root in read]
    starts = [drawing.boxes.corners[:, :2] for _, drawing in drawn]
    counts_from_0 = bool(starts) and bool((np.concatenate(starts) == 0).any())
    if counts_from_0:
        found.notes.append("Boxes begin at pixel 0, so all coordinates are read as counted from 0, not from 1 as VOC has it.")
    for picture, drawing in drawn:
        found.drawings[picture].append(drawing if counts_from_0 else _count_from_0(drawing))
    _read_lists(pile, lists, album, found)
    return found


def parse_xml(data: bytes) -> Element:
    """The root of an XML file.

    Entities are where XML turns into an attack (a few lines that expand to gigabytes, files of the machine read into the text), and they can
    only be declared in a DOCTYPE; annotations need none, so one with a DOCTYPE is refused, in whatever encoding it hides.

    Raises:
        ItemError: broken, too large, or with a DOCTYPE.
    """
    if len(data) > MAX_BYTES:
        raise ItemError(f"more than {MAX_BYTES:,} bytes, which no annotation has", "data.too_large")
    parser, tree = expat.ParserCreate(), TreeBuilder()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = tree.start, tree.end, tree.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: an encoding that is not known
        raise ItemError(f"the XML is broken: {error}") from error
    return tree.close()


def _refuse_doctype(*_: object) -> None:
    raise ItemError("the XML has a DOCTYPE, which could declare entities; it is not read", WRONG_TYPE)


def _find_picture(path: str, root: Element, album: Album) -> str:
    """The picture that an annotation is about: by the name that it gives, else by its own."""
    if root.tag != "annotation":
        raise ItemError(f"its root is <{root.tag}>, not <annotation>", WRONG_TYPE)
    name = _text(root, "filename")
    picture = (album.find(name, path) if name else None) or album.find(path, path)
    if picture is None:
        raise ItemError(f"its picture {name or stem(path)} is not there")
    return picture


def _draw(path: str, root: Element, classes: tuple[str, ...]) -> Drawing:
    rows, refused = [], []
    for number, thing in enumerate(root.iter("object"), 1):
        name, box = _text(thing, "name"), thing.find("bndbox")
        if not name or box is None:
            refused.append(Refused(f"{path}, object {number}", "has no name" if not name else "has no bndbox"))
            continue
        x0, y0, x1, y1 = (as_number(_text(box, side)) for side in ("xmin", "ymin", "xmax", "ymax"))
        rows.append((x0, y0, x1, y1, classes.index(name), _text(thing, "difficult") == "1", False))
    size = root.find("size")
    width, height = (as_number(_text(size, side)) for side in ("width", "height")) if size is not None else (0.0, 0.0)
    stated = (int(width), int(height)) if 0 < width < 1e9 and 0 < height < 1e9 else (0, 0)
    return Drawing(make_boxes(rows), stated, refused=tuple(refused))


def _count_from_0(drawing: Drawing) -> Drawing:
    """Pixels counted from 1 as edges counted from 0. A box from a pixel to itself was meant as none: it stays without a size."""
    corners = drawing.boxes.corners.copy()
    is_flat = (corners[:, 2:] <= corners[:, :2]).any(1, keepdims=True)
    corners[:, :2] -= ~is_flat
    return replace(drawing, boxes=replace(drawing.boxes, corners=corners))


def _read_lists(pile: Pile, lists: list[Entry], album: Album, found: Found) -> None:
    """`ImageSets/Main/train.txt` and its like: a stem a line. `trainval` says nothing where train and val are there; a picture listed as test is test."""
    names = {stem(entry.path).lower(): entry for entry in lists if "main" in [part.lower() for part in split_path(entry.path)]}
    wanted = {name: given for name, given in GIVEN_SETS.items() if name in names}
    if "train" not in wanted.values() and "trainval" in names:
        wanted = {"trainval": "train"} | wanted
    for name, given in wanted.items():
        text, assumed = read_words(names[name].path, read_whole(pile, names[name]))
        found.notes += assumed
        for line in text.splitlines():
            words = line.split()
            if not words:
                continue
            picture = album.find(words[0], names[name].path, given)
            if picture is None:
                found.refused.append(Refused(words[0], f"is not there, and {names[name].path} lists it"))
            else:
                found.place(picture, given)


def _text(element: Element, name: str) -> str:
    return (element.findtext(name) or "").strip()
