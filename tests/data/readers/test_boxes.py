"""Pictures with boxes: COCO, VOC and YOLO say the same of the same pictures, and what is wrong with them is told with its place."""

import json
import tarfile
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from surefoot.data.boxes import settle_all
from surefoot.data.pack_folder import pack_folder
from surefoot.data.pictures import look
from surefoot.data.readers import open_source
from surefoot.types.configs import DataConfig, PrepareConfig
from surefoot.types.errors import DataError, UsageError

from .samples import SHARED, encode, photo, read, reasons, two_classes, write_files, write_tar, write_zip

CLASSES = ("cell", "dot")
SHADES = {"cell": (200, 30, 30), "dot": (30, 30, 200)}
THINGS = {
    "a": [("cell", 4, 6, 24, 26), ("dot", 30, 2, 36, 10)],
    "b": [("cell", 0, 0, 10, 12)],
    "c": [],
}
WIDTH, HEIGHT = 40, 30


def paint(things, size=(WIDTH, HEIGHT)):
    """A grey picture with a filled rectangle for each thing."""
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    for name, x0, y0, x1, y1 in things:
        pixels[y0:y1, x0:x1] = SHADES[name]
    return pixels


def pictures(folder):
    return {f"{folder}/{name}.png": encode(paint(things)) for name, things in THINGS.items()}


def coco_json(things=THINGS, **changed):
    images = [{"id": n, "file_name": f"{name}.png", "width": WIDTH, "height": HEIGHT} for n, name in enumerate(things)]
    annotations = [
        {"id": 10 * n + k, "image_id": n, "category_id": 3 + 2 * CLASSES.index(name), "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0}
        for n, found in enumerate(things.values())
        for k, (name, x0, y0, x1, y1) in enumerate(found)
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 3, "name": "cell"}, {"id": 5, "name": "dot"}]}
    return content | changed


def voc_xml(name, things, size=(WIDTH, HEIGHT), start=1):
    drawn = "".join(
        f"<object><name>{kind}</name><difficult>0</difficult><bndbox>"
        f"<xmin>{x0 + start}</xmin><ymin>{y0 + start}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        for kind, x0, y0, x1, y1 in things
    )
    stated = f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>" if size else ""
    return f"<annotation><filename>{name}.png</filename>{stated}{drawn}</annotation>"


def yolo_lines(things):
    return "".join(
        f"{CLASSES.index(kind)} {(x0 + x1) / 2 / WIDTH} {(y0 + y1) / 2 / HEIGHT} {(x1 - x0) / WIDTH} {(y1 - y0) / HEIGHT}\n" for kind, x0, y0, x1, y1 in things
    )


COCO = pictures("images") | {"annotations/instances.json": json.dumps(coco_json())}
VOC = pictures("JPEGImages") | {f"Annotations/{name}.xml": voc_xml(name, things) for name, things in THINGS.items()}
YOLO = (
    pictures("images")
    | {f"labels/{name}.txt": yolo_lines(things) for name, things in THINGS.items() if things}
    | {"data.yaml": "train: images\nnc: 2\nnames: [cell, dot]\n"}
)
FORMATS = {"coco": COCO, "voc": VOC, "yolo": YOLO}


def see_picture(source, row):
    """Width, height and EXIF orientation."""
    height, width = source.read(row).shape[:2]
    return width, height, look(source.fetch(row))[1].turn


def pile_of(source):
    """The source's boxes, held against its pictures."""
    return settle_all(source, {row: see_picture(source, row) for row in range(len(source))})


def drawn(source):
    """Name of each picture -> what is drawn on it, as in THINGS."""
    settled, names = pile_of(source).settled, source.annotations.classes
    return {
        source.places[row].rsplit("/", 1)[-1][:-4]: [
            (names[kind], *map(round, corners)) for corners, kind in zip(one.boxes.corners.tolist(), one.boxes.classes.tolist(), strict=True)
        ]
        for row, one in settled.items()
    }


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("container", ["folder", "tar", "zip"])
def test_each_format_says_the_same_of_the_same_pictures_wherever_they_lie(tmp_path, kind, container):
    files = {f"set/{name}": content.encode() if isinstance(content, str) else content for name, content in FORMATS[kind].items()}
    name = {"folder": "data", "tar": "data.tar", "zip": "data.zip"}[container]
    {"folder": write_files, "tar": write_tar, "zip": write_zip}[container](tmp_path / name, files)
    source = read(tmp_path, name)
    assert source.annotations.classes == CLASSES
    assert drawn(source) == THINGS
    assert np.array_equal(source.labels, [[1, 1], [1, 0], [0, 0]])
    assert set(source.given_sets) == {""}
    assert source.refused == source.notes == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_painted_rectangle_lies_under_its_box(tmp_path, kind):
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in FORMATS[kind].items()}), "x")
    one = pile_of(source).settled[0].boxes
    x0, y0, x1, y1 = one.corners[0].round().astype(int)
    pixels = source.read(0)
    assert (pixels[y0:y1, x0:x1] == SHADES["cell"]).all()
    assert (pixels == SHADES["cell"]).all(2).sum() == (x1 - x0) * (y1 - y0)


def test_pictures_in_class_folders_are_no_boxes(tmp_path):
    write_files(tmp_path / "x", two_classes() | {"notes.json": '{"images": 4}', "cat/words.txt": "a b c d e", "dog/some.xml": "<html/>"})
    assert read(tmp_path, "x").annotations is None


# given sets


def test_voc_lists_give_the_sets_and_a_picture_listed_as_test_too_is_test(tmp_path):
    lists = {"train": "a\nb\n", "val": "c -1\n", "test": "b\n", "cell_train": "a 1\n", "trainval": "a\nb\nc\n"}
    write_files(tmp_path / "x", VOC | {f"ImageSets/Main/{name}.txt": text for name, text in lists.items()})
    source = read(tmp_path, "x")
    assert source.given_sets == ["train", "test", "val"]
    assert source.notes == ["1 picture(s) are listed in several sets, e.g. JPEGImages/b.png is listed as train and as test; it counts as test."]


def test_coco_files_are_named_by_their_sets(tmp_path):
    one, two = ({name: THINGS[name] for name in names} for names in ("ab", "c"))
    files = pictures("train2017") | {"val2017/c.png": encode(paint([]))}
    del files["train2017/c.png"]
    write_files(
        tmp_path / "x",
        files | {"annotations/instances_train2017.json": json.dumps(coco_json(one)), "annotations/instances_val2017.json": json.dumps(coco_json(two))},
    )
    source = read(tmp_path, "x")
    assert dict(zip(source.places, source.given_sets, strict=True)) == {"train2017/a.png": "train", "train2017/b.png": "train", "val2017/c.png": "val"}
    assert drawn(source) == THINGS


def test_yolo_folders_and_lists_give_the_sets(tmp_path):
    files = {"images/train/a.png": encode(paint(THINGS["a"])), "images/more/b.png": encode(paint(THINGS["b"])), "images/more/c.png": encode(paint([]))}
    labels = {"labels/train/a.txt": yolo_lines(THINGS["a"]), "labels/more/b.txt": yolo_lines(THINGS["b"])}
    lists = {"data.yaml": "train: images/train\nval: lists/val.txt\nnames:\n  0: cell\n  1: dot\n", "lists/val.txt": "./images/more/b.png\nimages/more/c.png\n"}
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in (files | labels | lists).items()}), "x")
    assert dict(zip(source.places, source.given_sets, strict=True)) == {"images/more/b.png": "val", "images/more/c.png": "val", "images/train/a.png": "train"}
    assert source.refused == []


@pytest.mark.parametrize(("encoding", "notes"), [("cp1252", 1), ("utf-16", 0)])
@pytest.mark.parametrize("name", ["data.yaml", "classes.txt"])
def test_names_of_classes_in_an_older_encoding_stay_apart(tmp_path, name, encoding, notes):
    text = "names: [Bär, Bör]\n" if name == "data.yaml" else "Bär\nBör\n"
    files = {path: content for path, content in YOLO.items() if path != "data.yaml"}
    source = read(write_files(tmp_path, {f"x/{path}": content for path, content in (files | {name: text.encode(encoding)}).items()}), "x")
    assert source.annotations.classes == ("Bär", "Bör")
    assert sum("read as Windows-1252" in note for note in source.notes) == notes


@pytest.mark.parametrize("root", ["path: cells\n", "path: ../datasets/cells\n", "path: /home/someone/cells\n", ""])
def test_yolo_sets_lie_below_the_path_that_the_yaml_names_or_beside_it(tmp_path, root):
    files = {"images/train/a.png": encode(paint(THINGS["a"])), "images/more/b.png": encode(paint(THINGS["b"]))}
    labels = {"labels/train/a.txt": yolo_lines(THINGS["a"]), "labels/more/b.txt": yolo_lines(THINGS["b"])}
    settings = f"{root}train: images/train\nval: images/more\ntest: images/gone\nnames: [cell, dot]\n"
    top = "cells/" if root == "path: cells\n" else ""
    write_files(tmp_path / "x", {f"{top}{name}": content for name, content in (files | labels).items()} | {"data.yaml": settings})
    source = read(tmp_path, "x")
    assert dict(zip(source.places, source.given_sets)) == {f"{top}images/train/a.png": "train", f"{top}images/more/b.png": "val"}
    assert [note for note in source.notes if "nothing is there" in note] == [
        "data.yaml says `test: images/gone`, and nothing is there: this says of no picture which set it belongs to."
    ]


DOTTED = {"a": "frame.0001", "b": "frame.0002", "c": "x_png.rf.abc"}
"""Names with dots, as frames of a film and exports of Roboflow have them."""


def dotted(folder):
    return {f"{folder}{DOTTED[name]}.png": encode(paint(things)) for name, things in THINGS.items()}


@pytest.mark.parametrize(("images", "labels"), [("images/", "labels/"), ("", "")])
def test_yolo_pictures_with_a_dot_in_their_name_keep_their_boxes(tmp_path, images, labels):
    files = dotted(images) | {f"{labels}{DOTTED[name]}.txt": yolo_lines(THINGS[name]) for name in "ab"} | {f"{images}frame.png": photo()}
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in (files | {"data.yaml": "names: [cell, dot]\n"}).items()}), "x")
    assert drawn(source) == {DOTTED[name]: things for name, things in THINGS.items()} | {"frame": []}
    assert source.refused == []


def test_a_yolo_file_is_about_no_picture_of_half_its_name(tmp_path):
    files = {"a.png": encode(paint(THINGS["a"])), "a.txt": yolo_lines(THINGS["a"]), "b.png": photo(), "b.v1.txt": yolo_lines(THINGS["b"])}
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in (files | {"classes.txt": "cell\ndot\n"}).items()}), "x")
    assert drawn(source) == {"a": THINGS["a"], "b": []}


@pytest.mark.parametrize("suffix", ["", ".png", ".jpg"])
def test_voc_pictures_with_a_dot_in_their_name_keep_their_boxes_and_their_sets(tmp_path, suffix):
    xml = {name: voc_xml(DOTTED[name], things).replace(".png</filename>", f"{suffix}</filename>") for name, things in THINGS.items()}
    files = dotted("JPEGImages/") | {f"Annotations/{DOTTED[name]}.xml": text for name, text in xml.items()}
    lists = {"train": f"{DOTTED['a']}\n{DOTTED['c']}\n", "test": f"{DOTTED['b']}\n"}
    write_files(tmp_path / "x", files | {f"ImageSets/Main/{name}.txt": text for name, text in lists.items()})
    source = read(tmp_path, "x")
    assert drawn(source) == {DOTTED[name]: things for name, things in THINGS.items()}
    assert source.given_sets == ["train", "test", "train"]
    assert source.refused == []


@pytest.mark.parametrize("other", ["extra", "val", "a"])
def test_equal_names_in_two_folders_have_the_boxes_of_their_own_folder(tmp_path, other):
    things = {"train": THINGS["a"], other: THINGS["b"]}
    files = {f"images/{folder}/1.png": encode(paint(one)) for folder, one in things.items()}
    files |= {f"labels/{folder}/1.txt": yolo_lines(one) for folder, one in things.items()}
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in (files | {"data.yaml": "names: [cell, dot]\n"}).items()}), "x")
    settled = pile_of(source).settled
    counts = {place: len(settled[row].boxes) for row, place in enumerate(source.places)}
    assert counts == {"images/train/1.png": 2, f"images/{other}/1.png": 1}


def test_a_test_set_given_apart_has_the_classes_of_its_source(tmp_path):
    write_files(tmp_path / "x", COCO)
    other = coco_json({"a": THINGS["a"]}, categories=[{"id": 3, "name": "dot"}, {"id": 5, "name": "unheard of"}])
    write_files(tmp_path / "t", {"images/a.png": encode(paint(THINGS["b"])), "a.json": json.dumps(other)})
    source = read(tmp_path, "x", test="t")
    assert source.annotations.classes == CLASSES
    assert source.given_sets == ["", "", "", "test"]
    last = pile_of(source).settled[3]
    assert last.boxes.classes.tolist() == [1]
    assert [one.code for one in last.refused] == ["data.wrong_type"]
    write_files(tmp_path / "plain", two_classes())
    with pytest.raises(DataError, match="One set has boxes, and plain has none"):
        read(tmp_path, "x", test="plain")


# bad input: boxes


BAD = {
    "outside": ((50, 40, 60, 50), "lies outside its picture of 40 x 30 pixels"),
    "mostly outside": ((36, 5, 60, 15), "lies outside its picture"),
    "negative": ((20, 20, 10, 25), "its size is -1"),
    "empty": ((20, 20, 20, 20), "its size is 0 x 0"),
    "nan": ((float("nan"), 2, 10, 10), "no finite number"),
    "infinite": ((2, 2, float("inf"), 10), "no finite number"),
}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("fault", BAD)
def test_a_bad_box_is_refused_with_its_place_and_its_picture_is_used(tmp_path, kind, fault):
    corners, why = BAD[fault]
    things = THINGS | {"b": [*THINGS["b"], ("dot", *corners)]}
    files = dict(FORMATS[kind])
    if kind == "coco":
        files["annotations/instances.json"] = json.dumps(coco_json(things))
    elif kind == "voc":
        files["Annotations/b.xml"] = voc_xml("b", things["b"], start=0 if fault == "empty" else 1)
    else:
        files["labels/b.txt"] = yolo_lines(things["b"])
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in files.items()}), "x")
    pile = pile_of(source)
    (refused,) = [one for settled in pile.settled.values() for one in settled.refused]
    assert refused.place.endswith("b.png, box 2 (dot)")
    assert why in refused.reason
    assert len(pile.settled) == 3
    assert [len(one.boxes) for one in pile.settled.values()] == [2, 1, 0]


def test_a_box_that_reaches_beyond_its_picture_is_clipped_and_counted(tmp_path):
    write_files(tmp_path / "x", COCO | {"annotations/instances.json": json.dumps(coco_json(THINGS | {"c": [("dot", -2, 20, 10, 33)]}))})
    one = pile_of(read(tmp_path, "x")).settled[2]
    assert one.boxes.corners.tolist() == [[0, 20, 10, 30]]
    assert (one.num_clipped, one.overshoot) == (1, 3.0)


@pytest.mark.parametrize(
    ("kind", "change", "place", "why"),
    [
        ("coco", {"category_id": 9}, "annotations/instances.json annotations[2]", "category_id 9 is none of the 2 categories"),
        ("coco", {"bbox": [1, 2, 3]}, "annotations/instances.json annotations[2]", "has no bbox of four numbers"),
        ("yolo", "7 0.5 0.5 0.1 0.1", "labels/b.txt:1", "its class is 7, and classes are 0 to 1"),
        ("yolo", "-1 0.5 0.5 0.1 0.1", "labels/b.txt:1", "its class is -1"),
        ("yolo", "0 0.5 0.5", "labels/b.txt:1", "3 words, where a class and four numbers"),
        ("yolo", "0 0.5 0.5 x 0.1", "labels/b.txt:1", "5 words, where a class and four numbers"),
        ("voc", "<object><name>cell</name></object>", "Annotations/b.xml, object 1", "has no bndbox"),
    ],
)
def test_unknown_classes_and_boxes_that_can_not_be_read_are_refused_with_their_line(tmp_path, kind, change, place, why):
    files = dict(FORMATS[kind])
    if kind == "coco":
        content = coco_json()
        content["annotations"][2] |= change
        files["annotations/instances.json"] = json.dumps(content)
    elif kind == "yolo":
        files["labels/b.txt"] = change + "\n"
    else:
        files["Annotations/b.xml"] = f"<annotation><filename>b.png</filename>{change}</annotation>"
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in files.items()}), "x")
    (refused,) = [one for settled in pile_of(source).settled.values() for one in settled.refused]
    assert refused.place == place
    assert why in refused.reason


@pytest.mark.parametrize("kind", FORMATS)
def test_a_box_drawn_twice_counts_once(tmp_path, kind):
    things = THINGS | {"b": THINGS["b"] * 2}
    files = FORMATS[kind] | {
        "coco": {"annotations/instances.json": json.dumps(coco_json(things))},
        "voc": {"Annotations/b.xml": voc_xml("b", things["b"])},
        "yolo": {"labels/b.txt": yolo_lines(things["b"])},
    }.get(kind, {})
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in files.items()}), "x")
    assert drawn(source) == THINGS
    assert pile_of(source).settled[1].num_repeated == 1


def test_a_picture_listed_twice_has_the_boxes_of_both(tmp_path):
    content = coco_json()
    content["images"].append(content["images"][0] | {"id": 77})
    content["annotations"] += [content["annotations"][0] | {"image_id": 77}, content["annotations"][0] | {"image_id": 77, "bbox": [30, 20, 5, 5]}]
    source = read(write_files(tmp_path, {f"x/{name}": c for name, c in (COCO | {"annotations/instances.json": json.dumps(content)}).items()}), "x")
    assert len(source) == 3
    assert source.annotations.drawings[0].listed == 2
    assert drawn(source)["a"] == [*THINGS["a"], ("cell", 30, 20, 35, 25)]


# bad input: pictures and files


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_is_annotated_and_not_there_is_listed(tmp_path, kind):
    files = {name: content for name, content in FORMATS[kind].items() if not name.endswith("b.png")}
    source = read(write_files(tmp_path, {f"x/{name}": content for name, content in files.items()}), "x")
    (refused,) = source.refused
    assert len(source) == 2
    assert "is not there" in refused.reason
    assert "b" in refused.place


def test_a_picture_that_nobody_annotated_is_refused_but_a_negative_where_the_format_says_so(tmp_path):
    for kind, files in FORMATS.items():
        folder = "JPEGImages" if kind == "voc" else "images"
        write_files(tmp_path / kind, files | {f"{folder}/new.png": photo()})
    for kind in ("coco", "voc"):
        assert list(reasons(read(tmp_path, kind)).values()) == ["data.wrong_type"]
    yolo = read(tmp_path, "yolo")
    assert (len(yolo), yolo.refused) == (4, [])
    assert yolo.labels[3].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (COCO | {"annotations/instances.json": json.dumps(coco_json())[:-40]}, "annotations/instances.json is broken"),
        (COCO | {"annotations/instances.json": '{"images": [], "annotations": [], "categories": [' + "[" * 100_000}, "annotations/instances.json is broken"),
        (YOLO | {"data.yaml": "names: [cell, dot\n"}, "data.yaml is broken"),
        (YOLO | {"data.yaml": "names: [[1], [2]]\n"}, "`names` is no list of class names"),
        ({name: content for name, content in COCO.items() if not name.endswith(".png")}, "none of its 0 pictures is listed"),
        (COCO | {"annotations/instances.json": json.dumps(coco_json(categories=[]))}, "none of them names a class"),
        (COCO | {"annotations/instances.json": json.dumps(coco_json())[:40]}, "annotations/instances.json is broken"),
        (COCO | {"annotations/instances.json": json.dumps(coco_json(images={"a": 1}))}, "instances.json is broken: `images` is no list"),
    ],
)
def test_annotations_that_can_not_be_used_are_an_error_in_three_parts(tmp_path, files, said):
    write_files(tmp_path / "x", files)
    with pytest.raises(DataError, match=said) as caught:
        read(tmp_path, "x")
    assert caught.value.where
    assert caught.value.next


BOMB = '<!DOCTYPE a [<!ENTITY x "lol"><!ENTITY y "&x;&x;&x;">]><annotation><filename>&y;</filename></annotation>'
STEALER = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<annotation><filename>b.png</filename>", "the XML is broken"),
        ("", "the XML is broken"),
        (BOMB, "has a DOCTYPE"),
        (STEALER, "has a DOCTYPE"),
        (BOMB.encode("utf-16"), "has a DOCTYPE"),
        ("<html></html>", "its root is <html>"),
    ],
)
def test_a_broken_or_hostile_xml_is_refused_and_the_others_are_read(tmp_path, content, why):
    source = read(write_files(tmp_path, {f"x/{name}": c for name, c in (VOC | {"Annotations/b.xml": content}).items()}), "x")
    found = {one.place: one.reason for one in source.refused}
    assert why in found["Annotations/b.xml"]
    assert len(source) == 2


def test_an_annotation_drawn_on_another_size_refuses_its_picture(tmp_path):
    files = VOC | {"Annotations/b.xml": voc_xml("b", THINGS["b"], size=(80, 60)), "Annotations/c.xml": voc_xml("c", [], size=(0, 0))}
    pile = pile_of(read(write_files(tmp_path, {f"x/{name}": c for name, c in files.items()}), "x"))
    assert {one.place: (one.reason, one.code) for one in pile.refused.values()} == {
        "JPEGImages/b.png": ("its annotation was drawn on 80 x 60 pixels, the picture has 40 x 30", "data.odd_size")
    }
    assert sorted(pile.settled) == [0, 2]  # a size of 0 says nothing


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("is_stored", [True, False])
def test_boxes_follow_a_picture_that_is_stored_turned(tmp_path, turn, is_stored):
    """The stated size tells whether boxes were drawn on the stored picture; where it can't, they are taken as drawn upright."""
    stored = Image.fromarray(paint([("cell", 4, 6, 24, 26)]))
    exif = Image.Exif()
    exif[0x0112] = turn
    content = encode(np.asarray(stored), "PNG", exif=exif)
    write_files(tmp_path / "x", {"a.png": content, "b.png": photo()})
    upright = np.asarray(stored)
    from surefoot.data.pictures import decode

    red = (decode(content) == SHADES["cell"]).all(2)
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    truth = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    is_told = turn in (5, 6, 7, 8)
    things = [("cell", 4, 6, 24, 26)] if is_stored and is_told else [("cell", *truth)]
    size = (WIDTH, HEIGHT) if is_stored or not is_told else (HEIGHT, WIDTH)
    write_files(tmp_path / "x", {"a.xml": voc_xml("a", things, size=size)})
    one = pile_of(read(tmp_path, "x")).settled[0]
    assert tuple(one.boxes.corners[0]) == truth
    assert one.turn == ("" if turn == 1 else "unclear" if not is_told else "turned" if is_stored else "drawn upright")
    assert upright.shape == (HEIGHT, WIDTH, 3)


def test_voc_that_counts_from_0_is_read_so_and_says_so(tmp_path):
    files = VOC | {f"Annotations/{name}.xml": voc_xml(name, things, start=0) for name, things in THINGS.items()}
    source = read(write_files(tmp_path, {f"x/{name}": c for name, c in files.items()}), "x")
    assert drawn(source) == THINGS
    assert "counted from 0" in source.notes[0]


def test_outlines_become_the_boxes_around_them_and_numbers_name_what_has_no_name(tmp_path):
    files = {name: content for name, content in YOLO.items() if name != "data.yaml"} | {"labels/c.txt": "1 0.5 0.5 0.75 0.5 0.75 0.9\n"}
    source = read(write_files(tmp_path, {f"x/{name}": c for name, c in files.items()}), "x")
    assert source.annotations.classes == ("0", "1")
    assert drawn(source)["c"] == [("1", 20, 15, 30, 27)]
    assert "No file names the classes" in source.notes[0]


def test_annotations_named_alone_lead_to_the_folder(tmp_path):
    write_files(tmp_path / "x", COCO | YOLO)
    for name in ("x/annotations/instances.json", "x/data.yaml"):
        with pytest.raises(DataError, match="tells of pictures and holds none") as caught:
            read(tmp_path, name)
        assert "folder" in caught.value.next


def test_several_sources_with_boxes_are_one_and_repairs_take_drawings_along(tmp_path):
    other = {name.replace("images/", "images/other_"): content for name, content in pictures("images").items()}
    lines = {f"labels/other_{name}.txt": yolo_lines(things) for name, things in THINGS.items() if things}
    write_files(tmp_path, {f"one/{name}": content for name, content in COCO.items()})
    write_files(tmp_path, {f"two/{name}": content for name, content in (other | lines | {"data.yaml": "names: [dot, cell]\n"}).items()})
    both = DataConfig(source="one", sources=[{"path": "two"}])
    whole = open_source(both, tmp_path)
    assert [whole.annotations.classes, len(whole), len(whole.annotations.drawings)] == [CLASSES, 6, 6]
    assert [label.tolist() for label in whole.labels] == [[1, 1], [1, 0], [0, 0], [1, 1], [0, 1], [0, 0]]
    (tmp_path / "repairs.csv").write_text("place,action,value\none/images/a.png,drop,\n")
    mended = open_source(both, tmp_path)
    assert [len(drawing.boxes) for drawing in mended.annotations.drawings] == [1, 0, 2, 1, 0]
    assert mended.sources == ["one"] * 2 + ["two"] * 3
    (tmp_path / "repairs.csv").write_text("place,action,value\none/images/a.png,rotate,90\n")
    with pytest.raises(DataError, match="turns a picture and not its boxes"):
        open_source(both, tmp_path)


def test_pictures_with_boxes_are_packed_in_a_project_alone(tmp_path):
    write_files(tmp_path / "x", COCO)
    with pytest.raises(UsageError, match="Pictures with boxes are packed in a project"):
        pack_folder(DataConfig(source=str(tmp_path / "x")), PrepareConfig(), tmp_path / "p")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not here")
def test_blood_cells_are_as_their_catalogue_says():
    source = read(SHARED, "detection/bccd_voc.tar.xz")
    assert Counter(source.given_sets) == {"train": 205, "val": 87, "test": 72}
    assert dict(zip(source.annotations.classes, np.sum(source.labels, 0).astype(int).tolist(), strict=True)) == {"Platelets": 361, "RBC": 4155, "WBC": 372}
    some = [row for row, place in enumerate(source.places) if place.endswith(("00338.jpg", "00343.jpg"))]
    pile = settle_all(source, {row: see_picture(source, row) for row in some})
    assert [one.refused[0].reason for one in pile.settled.values()] == ["its size is 0 x 0"] * 2
    with tarfile.open(SHARED / "detection/bccd_voc.tar.xz") as archive:
        assert sum(name.endswith(".jpg") for name in archive.getnames()) == len(source)


# shards


SIDECARS = {
    "voc": lambda name: {f"{name}.xml": voc_xml(name, THINGS[name]).encode()},
    "yolo": lambda name: {f"{name}.txt": yolo_lines(THINGS[name]).encode()} if THINGS[name] else {},
}


@pytest.mark.parametrize("kind", SIDECARS)
def test_tar_shards_with_annotations_beside_their_pictures_are_pictures_with_boxes(tmp_path, kind):
    """Equal names in two shards are two pictures, each with its own boxes."""
    shown = {path.rsplit("/")[-1]: content for path, content in pictures("").items()}
    for shard, names in {"train-000.tar": "ab", "val-000.tar": "a"}.items():
        files = {path: content for path, content in shown.items() if path[0] in names}
        for name in names:
            files |= SIDECARS[kind](name)
        write_tar(tmp_path / shard, files | ({"classes.txt": b"cell\ndot\n"} if kind == "yolo" else {}))
    source = read(tmp_path, "{train,val}-000.tar")
    assert source.annotations.classes == CLASSES
    assert [len(one.boxes) for one in source.annotations.drawings] == [2, 1, 2]
    assert source.given_sets == ["train", "train", "val"]
    assert [place.split("/")[0] for place in source.places] == ["train-000.tar", "train-000.tar", "val-000.tar"]


def test_boxes_in_json_of_nobodys_format_are_refused_with_what_to_write(tmp_path):
    shown = {path.rsplit("/")[-1]: content for path, content in pictures("").items()}
    boxes = json.dumps({"objects": [{"bbox": [1, 2, 30, 20], "name": "cell"}]}).encode()
    write_tar(tmp_path / "s-0.tar", shown | {f"{path.split('.')[0]}.json": boxes for path in shown})
    with pytest.raises(DataError, match='holds boxes under "objects", in no format') as caught:
        read(tmp_path, "s-{0..0}.tar")
    assert "VOC" in caught.value.next
    assert ".json" in caught.value.where


def test_a_category_id_that_stands_for_two_names_is_the_first_ones_and_told(tmp_path):
    content = coco_json()
    content["categories"].append({"id": 5, "name": "speck"})
    source = read(write_files(tmp_path, {f"x/{name}": one for name, one in (COCO | {"annotations/instances.json": json.dumps(content)}).items()}), "x")
    assert source.labels[0].tolist() == [1, 1, 0]
    assert [(one.place, one.reason) for one in source.refused] == [("annotations/instances.json categories[2]", "its id 5 is that of dot already")]


def test_a_picture_with_the_id_of_another_is_no_negative(tmp_path):
    content = coco_json()
    content["images"][2]["id"] = 0
    source = read(write_files(tmp_path, {f"x/{name}": one for name, one in (COCO | {"annotations/instances.json": json.dumps(content)}).items()}), "x")
    assert [place.rpartition("/")[2] for place in source.places] == ["a.png", "b.png"]
    assert "its id 0 in annotations/instances.json images[2] is that of a.png already" in [one.reason for one in source.refused]


@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_a_picture_in_the_lists_of_train_and_val_is_not_learnt_from_and_told(tmp_path, kind):
    if kind == "coco":
        both = {"instances_train.json": json.dumps(coco_json()), "instances_val.json": json.dumps(coco_json({"a": THINGS["a"]}))}
        files = pictures("images") | both
    else:
        lists = {"val.txt": "a.png\n", "train.txt": "a.png\nb.png\nc.png\n"}
        files = YOLO | lists | {"data.yaml": "names: [cell, dot]\ntrain: train.txt\nval: val.txt\n"}
    source = read(write_files(tmp_path, {f"x/{name}": one for name, one in files.items()}), "x")
    assert source.given_sets == ["val", "train", "train"]
    assert any("listed in several sets" in note and "counts as val" in note for note in source.notes)


def test_a_yolo_list_that_names_a_picture_that_is_not_there_is_told(tmp_path):
    files = YOLO | {"train.txt": "a.png\nb.png\ngone.png\n", "val.txt": "c.png\n", "data.yaml": "names: [cell, dot]\ntrain: train.txt\nval: val.txt\n"}
    source = read(write_files(tmp_path, {f"x/{name}": one for name, one in files.items()}), "x")
    assert [(one.place, one.reason) for one in source.refused] == [("gone.png", "is not there, and train.txt lists it")]


def test_one_broken_yolo_file_does_not_hide_the_boxes_of_the_others(tmp_path):
    first = min(name for name in YOLO if name.endswith(".txt"))
    source = read(write_files(tmp_path, {f"x/{name}": one for name, one in (YOLO | {first: "not a box\n"}).items()}), "x")
    assert source.annotations is not None
    assert source.annotations.drawings[0].refused
