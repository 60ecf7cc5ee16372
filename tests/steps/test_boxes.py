"""The road on pictures with boxes: read, audited, split and packed; and where it ends, said plainly."""

import json

import numpy as np
import pytest
from PIL import Image

from surefoot.cli.main import main
from surefoot.data.box_profile import read_table
from surefoot.data.box_samples import read_boxes
from surefoot.data.framing import frame_boxes
from surefoot.data.packs import Pack, open_pack, read_manifest
from surefoot.project import Project
from surefoot.store.blobs import Blobs
from surefoot.types import DataError, GateStop, SealedError

SHADES = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (30, 220, 30)}
NUM, RARE = 60, 10


def draw_picture(number):
    """A grey picture with up to four rectangles: every tenth has none, every sixth a green one."""
    generator = np.random.default_rng(number)
    width, height = (64, 48) if number % 3 else (48, 64)
    pixels = np.full((height, width, 3), 60 + number, np.uint8)
    names = [] if number % 10 == 9 else [*(["green"] if number % 6 == 0 else []), *generator.choice(["red", "blue"], generator.integers(1, 4), p=[0.9, 0.1])]
    boxes = []
    for place, name in enumerate(names):
        x0, y0 = int(generator.integers(2, 8)) + 12 * (place % 3), int(generator.integers(2, 8)) + 20 * (place // 3)
        x1, y1 = x0 + int(generator.integers(6, 11)), y0 + int(generator.integers(6, 12))
        pixels[y0:y1, x0:x1] = SHADES[name]
        boxes.append((name, x0, y0, x1, y1))
    return pixels, boxes


def write_coco(folder, spoil=lambda content: None):
    (folder / "images").mkdir(parents=True)
    names = sorted(SHADES)
    content = {"images": [], "annotations": [], "categories": [{"id": k, "name": name} for k, name in enumerate(names)]}
    for number in range(NUM):
        pixels, boxes = draw_picture(number)
        Image.fromarray(pixels).save(folder / "images" / f"{number:02d}.png")
        content["images"].append({"id": number, "file_name": f"{number:02d}.png", "width": pixels.shape[1], "height": pixels.shape[0]})
        content["annotations"] += [
            {"id": len(content["annotations"]) + k, "image_id": number, "category_id": names.index(name), "bbox": [x0, y0, x1 - x0, y1 - y0]}
            for k, (name, x0, y0, x1, y1) in enumerate(boxes)
        ]
    spoil(content)
    (folder / "annotations.json").write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes")
    project = Project.init(str(write_coco(folder / "data")), out=str(folder / "p"), budget="smoke")
    project.run(to="prepare")
    return project


def test_the_charter_names_the_task_and_its_metric(walked):
    problem = walked.report("problem")
    assert (problem.task, problem.metric, problem.metrics, problem.classes) == ("detection", "map_50_95", ("map_50",), ("blue", "green", "red"))
    text = (walked.root / "surefoot.toml").read_text()
    assert "boxes are drawn on the pictures" in text
    assert "layers" not in text


def test_the_audit_counts_boxes_classes_and_negatives(walked):
    audit = walked.report("audit")
    drawn = [draw_picture(number)[1] for number in range(NUM)]
    names = [name for boxes in drawn for name, *_ in boxes]
    assert audit.num_usable == NUM
    assert audit.balance == {name: names.count(name) for name in ("blue", "green", "red")}
    assert audit.boxes.num_boxes == len(names) == sum(audit.boxes.sides) == sum(audit.boxes.shapes.values())
    assert audit.boxes.num_negatives == 6 == audit.boxes.per_picture["0"]
    assert audit.boxes.classes["green"] == (RARE, RARE)
    assert sum(audit.boxes.per_picture.values()) == NUM
    assert {finding.code for finding in audit.findings} <= {"data.imbalance"}


def test_the_split_deals_the_rarest_class_evenly(walked):
    counts = walked.report("split").class_counts
    assert counts["test"]["green"] == 2
    assert walked.report("split").counts["test"] == NUM // 5
    assert sum(counts[name]["green"] for name in ("train", "test")) == RARE


def test_packed_boxes_hold_the_colour_of_their_class(walked):
    prepared, store = walked.report("prepare"), Blobs(walked.root / "store")
    pack = open_pack(store, prepared.pack)
    rows = np.arange(len(pack))
    images, boxes = read_boxes(pack, rows)
    assert prepared.recipe["resize"] == "fit"
    assert sum(map(len, boxes)) == pack.targets.sum()
    for image, some in zip(images, boxes, strict=True):
        for (x0, y0, x1, y1), kind in zip(some.corners, some.classes, strict=True):
            shade = image[:, int((y0 + y1) / 2), int((x0 + x1) / 2)]
            assert np.abs(shade - np.asarray(SHADES[("blue", "green", "red")[kind]])).max() < 40


def test_packed_boxes_are_those_of_the_audit_moved_with_their_picture(walked):
    prepared, store = walked.report("prepare"), Blobs(walked.root / "store")
    pack, drawn = open_pack(store, prepared.pack), read_table(store.get_table(walked.report("audit").boxes.table))
    for row in (0, 5, len(pack) - 1):
        one = drawn[pack.ids(np.asarray([row]))[0]]
        expected = frame_boxes(one.boxes, one.size, prepared.recipe)
        (found,) = read_boxes(pack, np.asarray([row]))[1]
        assert found.corners == pytest.approx(expected.corners, abs=1e-4)
        assert found.classes.tolist() == expected.classes.tolist()


def test_the_boxes_of_the_test_set_stay_sealed(walked):
    prepared = walked.report("prepare")
    with pytest.raises(SealedError, match="test set"):
        open_pack(Blobs(walked.root / "store"), prepared.test_pack)
    (coco,) = walked.root.glob("runs/*-prepare-*/coco")
    assert "annotations" not in json.loads((coco / "test.json").read_text())


def test_the_sets_are_written_as_coco_with_the_boxes_as_they_were_drawn(walked):
    (coco,) = walked.root.glob("runs/*-prepare-*/coco")
    content = json.loads((coco / "fold0.train.json").read_text())
    by_picture = {image["id"]: image["file_name"] for image in content["images"]}
    for number, name in by_picture.items():
        boxes = [[*one["bbox"]] for one in content["annotations"] if one["image_id"] == number]
        drawn = draw_picture(int(name[-6:-4]))[1]
        assert sorted(boxes) == sorted([x0, y0, x1 - x0, y1 - y0] for _, x0, y0, x1, y1 in drawn)
    assert {one["name"] for one in content["categories"]} == set(SHADES)


def test_the_road_ends_before_the_models_and_says_what_there_is(walked):
    with pytest.raises(GateStop, match="no detector to train on them yet") as caught:
        walked.run()
    assert caught.value.exit_code == 4
    assert caught.value.where == "s05_baseline"
    assert "coco" in caught.value.next
    assert "--to prepare" in caught.value.next


def test_the_page_shows_pictures_with_their_boxes_before_and_after_each_augmentation(walked):
    page = walked.render().read_text()
    assert page.count('class="tile boxed"') > 8
    assert page.count('class="box t') > 20
    for title in ("Boxes per class", "Box sizes", "Box shapes", "Boxes per picture", "A look at the boxes", "Train a detector elsewhere"):
        assert title in page
    for name in ("flip", "shift", "crop", "scale", "affine"):
        assert f"<figcaption>{name}</figcaption>" in page


def test_packing_again_gives_the_same_bytes(walked):
    before = walked.report("prepare")
    walked.run(from_="prepare", to="prepare")
    after = walked.report("prepare")
    assert (after.pack, after.test_pack, after.pictures, after.drawn) == (before.pack, before.test_pack, before.pictures, before.drawn)


def test_wild_pictures_are_packed_with_their_boxes_and_sealed(tmp_path):
    project = Project.init(str(write_coco(tmp_path / "data")), out=str(tmp_path / "p"), budget="smoke")
    write_coco(tmp_path / "wild", lambda content: content["annotations"].__delitem__(slice(3, None)))
    project.run(to="prepare", set=["data.wild=../wild"])
    prepared = project.report("prepare")
    assert prepared.num_wild == NUM
    store = Blobs(project.root / "store")
    manifest = read_manifest(store, prepared.wild_pack)
    pack = Pack(manifest, [store.path(shard.file) for shard in manifest.shards])
    assert pack.is_sealed
    assert sum(map(len, read_boxes(pack, np.arange(NUM))[1])) == 3 == pack.targets.sum()


def test_a_wild_picture_that_cannot_be_read_is_listed_and_the_others_are_packed(tmp_path):
    project = Project.init(str(write_coco(tmp_path / "data")), out=str(tmp_path / "p"), budget="smoke")
    torn = next(iter(sorted(write_coco(tmp_path / "wild").rglob("*.png"))))
    torn.write_bytes(torn.read_bytes()[:60])
    project.run(to="prepare", set=["data.wild=../wild"])
    manifest = read_manifest(Blobs(project.root / "store"), project.report("prepare").wild_pack)
    assert manifest.num_rows == NUM - 1
    assert [one.place.rsplit("/")[-1] for one in manifest.refused] == [torn.name]


def test_nobody_is_asked_to_type_boxes(walked, capsys):
    assert main(["human", str(walked.root)]) == 2
    assert "Boxes can't be answered" in capsys.readouterr().err


def test_what_is_wrong_with_annotations_is_found_and_told(tmp_path):
    def spoil(content):
        content["annotations"][0]["bbox"] = [-3, 5, 12, 10]
        content["annotations"][1]["bbox"] = [5, 5, 0, 10]
        content["annotations"][2]["category_id"] = 44
        content["annotations"].append(content["annotations"][5] | {"id": 999})
        content["images"][30]["width"] = 4_000
        content["categories"].append({"id": 9, "name": "never drawn"})

    project = Project.init(str(write_coco(tmp_path / "data", spoil)), out=str(tmp_path / "p"), budget="smoke")
    (tmp_path / "data" / "images" / "07.png").unlink()
    project.run(to="audit")
    audit = project.report("audit")
    found = {(finding.code, finding.severity): finding.what for finding in audit.findings}
    assert "reach beyond their picture, by 3.0 pixels" in found["data.clipped_boxes", "warn"]
    assert "its size is 0 x 10" in " ".join(finding.what for finding in audit.findings if finding.code == "data.corrupt_item")
    assert "category_id 44 is none of the 4 categories" in found["data.wrong_type", "warn"]
    assert "repeat another one" in found["data.duplicates", "info"]
    assert "drawn on 4000 x" in found["data.odd_size", "warn"]
    assert "never drawn (0)" in found["data.rare_class", "warn"]
    assert {item.place for item in audit.refused} == {"images/30.png", "07.png"}
    assert len(audit.boxes.refused) == 2


def test_equal_pictures_with_other_boxes_are_conflicting(tmp_path):
    folder = write_coco(tmp_path / "data")
    (folder / "images" / "01.png").write_bytes((folder / "images" / "02.png").read_bytes())
    project = Project.init(str(folder), out=str(tmp_path / "p"), budget="smoke")
    project.run(to="audit")
    assert "data.conflicting_labels" in {finding.code for finding in project.report("audit").findings}


def test_boxes_that_the_packed_pictures_lose_are_told(tmp_path):
    project = Project.init(str(write_coco(tmp_path / "data")), out=str(tmp_path / "p"), budget="smoke")
    project.run(to="prepare", set=["data.side=16"])
    (finding,) = [one for one in project.report("prepare").findings if one.code == "prepare.lost_boxes"]
    assert finding.evidence["small"] > 50
    assert finding.evidence["cropped"] == 0
    project.run(to="prepare", set=["prepare.resize=cover", "data.side=64"])
    lost = [one for one in project.report("prepare").findings if one.code == "prepare.lost_boxes"]
    assert lost[0].evidence["cropped"] > 0
    assert "resize" in lost[0].next


def test_no_box_at_all_is_refused(tmp_path):
    def spoil(content):
        for one in content["annotations"]:
            one["bbox"][2] = 0

    project = Project.init(str(write_coco(tmp_path / "data", spoil)), out=str(tmp_path / "p"), budget="smoke")
    with pytest.raises(DataError, match="No box is left"):
        project.run(to="audit")


@pytest.mark.parametrize(("task", "said"), [("multiclass", "The pictures have boxes, and the task multiclass takes none")])
def test_a_task_that_takes_no_boxes_is_refused(walked, task, said):
    with pytest.raises(DataError, match=said):
        walked.run(to="problem", set=[f"problem.task={task}", "problem.metric=accuracy"])


def test_detection_without_boxes_is_refused(tmp_path):
    (tmp_path / "surefoot.toml").write_text('[data]\nsource = "sklearn:digits"\n[problem]\ntask = "detection"\n')
    with pytest.raises(DataError, match="detection needs boxes, and the source has none"):
        Project(tmp_path).run(to="problem")
