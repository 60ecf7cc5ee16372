"""COCO: JSON with `images`, `annotations` and `categories`; a box is x, y, width, height in pixels (Lin et al. 2014, cocodataset.org/#format-data)."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from surefoot.data.readers.annotated import (
    Album,
    Found,
    as_number,
    clean,
    explain_broken,
    find_suffix,
    make_boxes,
    name_set,
    read_head,
    read_whole,
    set_of_folders,
)
from surefoot.data.readers.piles import Entry, Pile, split_path
from surefoot.types.source import Drawing, Refused

KEYS = ("images", "annotations", "categories")
HEAD_BYTES = 1 << 16
WRONG_TYPE = "data.wrong_type"


def find_coco(pile: Pile) -> Found | None:
    """What the COCO files of a pile say; None where there are none.

    Raises:
        DataError: a file is broken.
    """
    heads = [(entry, read_head(pile, entry, HEAD_BYTES)) for entry in find_suffix(pile, ".json")]
    candidates = [entry for entry, head in heads if is_coco(head) or _is_cut(head)]
    parsed = [(entry, content) for entry in candidates if (content := _parse(pile, entry)) is not None]
    boxed = [one for one in parsed if "instances" in one[0].path.rsplit("/", 1)[-1]] or parsed  # captions and keypoints tell of the same pictures
    if not boxed:
        return None
    names = _name_classes(content for _, content in boxed)
    found = Found(classes=tuple(names), files={entry.path for entry in candidates})
    album = Album(pile)
    for entry, content in boxed:
        _read_file(entry.path, content, album, found)
    return found


def is_coco(head: bytes) -> bool:
    """Whether the first bytes of a JSON file are those of COCO annotations: two of its keys, or one where more is to come."""
    keys = sum(f'"{key}"'.encode() in head for key in KEYS)
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and (keys > 1 or (keys == 1 and len(head) == HEAD_BYTES))


def _is_cut(head: bytes) -> bool:
    """Whether they are a whole file that begins as COCO annotations do and does not end: its other keys may have been cut off."""
    is_begun = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and any(f'"{key}"'.encode() in head for key in KEYS)
    return is_begun and len(head) < HEAD_BYTES and not head.rstrip().endswith(b"}")


def _parse(pile: Pile, entry: Entry) -> dict[str, Any] | None:
    """The content of a file, or None where it is JSON of another kind."""
    try:
        content = json.loads(read_whole(pile, entry))
    except (ValueError, RecursionError) as error:
        raise explain_broken(pile, entry, str(error)) from error
    if not isinstance(content, dict) or not all(key in content for key in KEYS):
        return None
    if other := [key for key in KEYS if not isinstance(content[key], list)]:
        raise explain_broken(pile, entry, f"`{other[0]}` is no list")
    return content


def _number_classes(path: str, content: dict[str, Any], found: Found) -> dict[Any, int]:
    """Id of a category -> number of its class. An id that stands for two names is the first one's: boxes may not change their class in silence."""
    numbers = {name: number for number, name in enumerate(found.classes)}
    kinds: dict[Any, int] = {}
    for position, one in enumerate(content["categories"]):
        number = numbers.get(clean(one["name"])) if _has(one, "id", "name") else None
        if number is None:
            found.refused.append(Refused(f"{path} categories[{position}]", "has no name, or no id that is a whole number"))
        elif kinds.setdefault(one["id"], number) != number:
            why = f"its id {one['id']!r} is that of {found.classes[kinds[one['id']]]} already"
            found.refused.append(Refused(f"{path} categories[{position}]", why))
    return kinds


def _name_classes(contents: Any) -> dict[str, None]:
    """Names of all categories in the order of their ids; of several files those of the first come first."""
    names: dict[str, None] = {}
    for content in contents:
        known = [(one["id"], clean(one["name"])) for one in content["categories"] if _has(one, "id", "name") and isinstance(one["id"], int)]
        names |= dict.fromkeys(name for _, name in sorted(known))
    return names


def _read_file(path: str, content: dict[str, Any], album: Album, found: Found) -> None:
    kinds = _number_classes(path, content, found)
    given = name_set(re.findall(r"[a-z]+", split_path(path)[-1].lower())) or set_of_folders(path)
    by_picture, seen = _group(path, content["annotations"], found), dict[Any, str]()
    for number, one in enumerate(content["images"]):
        place = f"{path} images[{number}]"
        if not _has(one, "id", "file_name"):
            found.refused.append(Refused(place, "has no id or no file_name"))
            continue
        if seen.setdefault(one["id"], str(one["file_name"])) != str(one["file_name"]):  # whose boxes are they? nobody can say that it has none
            found.refused.append(Refused(clean(one["file_name"]), f"its id {one['id']!r} in {place} is that of {clean(seen[one['id']])} already"))
            continue
        picture = album.find(str(one["file_name"]), path, given)
        if picture is None:
            by_picture.pop(one["id"], None)
            found.refused.append(Refused(clean(one["file_name"]), f"is not there, and {place} lists it"))
            continue
        found.drawings[picture].append(_draw(path, one, by_picture.pop(one["id"], []), kinds))
        if given:
            found.place(picture, given)
    orphans = sum(map(len, by_picture.values()))
    if orphans:
        found.refused.append(Refused(path, f"{orphans:,} annotations are of pictures that it doesn't list"))


def _group(path: str, annotations: list[Any], found: Found) -> dict[Any, list[tuple[int, dict[str, Any]]]]:
    """Id of a picture -> its annotations with their positions."""
    groups: dict[Any, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for number, one in enumerate(annotations):
        if _has(one, "image_id"):
            groups[one["image_id"]].append((number, one))
        else:
            found.refused.append(Refused(f"{path} annotations[{number}]", "has no image_id"))
    return groups


def _draw(path: str, picture: dict[str, Any], annotations: list[tuple[int, dict[str, Any]]], kinds: dict[Any, int]) -> Drawing:
    rows, refused = [], []
    for number, one in annotations:
        box, kind, place = one.get("bbox"), one.get("category_id"), f"{path} annotations[{number}]"
        if not isinstance(box, list) or len(box) != 4:
            refused.append(Refused(place, "has no bbox of four numbers"))
        elif not isinstance(kind, int) or kind not in kinds:
            refused.append(Refused(place, f"its category_id {kind!r} is none of the {len(kinds)} categories", WRONG_TYPE))
        else:
            x, y, width, height = map(as_number, box)
            rows.append((x, y, x + width, y + height, kinds[kind], False, bool(one.get("iscrowd"))))
    across, down = picture.get("width"), picture.get("height")
    stated = (across, down) if isinstance(across, int) and isinstance(down, int) and across > 0 and down > 0 else (0, 0)
    return Drawing(make_boxes(rows), stated, refused=tuple(refused))


def _has(one: Any, *keys: str) -> bool:
    """Whether it is an object in which these keys have values that can name something."""
    return isinstance(one, dict) and all(isinstance(one.get(key), str | int) for key in keys)
