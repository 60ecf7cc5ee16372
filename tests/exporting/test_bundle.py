"""A bundle verifies only if one export wrote all of it."""

import hashlib
import json
import shutil

import pytest

from surefoot import durable
from surefoot.exporting import bundle
from surefoot.types.errors import DamagedError, UsageError

from . import samples


@pytest.fixture
def folder(image_bundle, tmp_path):
    return shutil.copytree(image_bundle, tmp_path / "export")


def write_manifest(folder, **changes):
    facts = json.loads((folder / bundle.MANIFEST).read_text())
    (folder / bundle.MANIFEST).write_text(json.dumps({**facts, **changes}))


def test_a_bundle_reads_back_as_it_was_written(tmp_path):
    contents = {bundle.GRAPH: samples.make_image_graph(), bundle.RECIPE: b"{}", bundle.CARD: b"card"}
    manifest = bundle.describe(samples.make_problem(), kind="net", fields=(), inputs=("image",), threshold=0.4)
    files = bundle.write_bundle(tmp_path / "new" / "export", contents, manifest)
    assert files == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "new" / "export").iterdir()}
    read = bundle.read_manifest(tmp_path / "new" / "export")
    assert (read.threshold, read.classes, read.question) == (0.4, ("no", "yes"), "Who buys?")
    assert read.files == bundle.with_files(manifest, contents).files


@pytest.mark.parametrize("name", [bundle.GRAPH, bundle.RECIPE, bundle.LABELS, bundle.CARD])
def test_an_altered_a_torn_and_a_missing_file_are_named(folder, name):
    whole = (folder / name).read_bytes()
    for damage in (whole[:-1], whole + b" ", bytes([whole[0] ^ 1]) + whole[1:]):
        (folder / name).write_bytes(damage)
        with pytest.raises(DamagedError, match=f"{name} of the bundle is torn or was altered"):
            bundle.read_manifest(folder)
    (folder / name).unlink()
    with pytest.raises(DamagedError, match=f"{name} of the bundle is missing"):
        bundle.read_manifest(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', "null", "[" * 100_000])
def test_a_manifest_that_is_no_manifest_is_damaged(folder, text):
    (folder / bundle.MANIFEST).write_text(text)
    with pytest.raises(DamagedError, match=r"manifest\.json is torn or altered"):
        bundle.read_manifest(folder)


def test_a_manifest_can_not_point_outside_or_leave_the_model_out(folder):
    files = json.loads((folder / bundle.MANIFEST).read_text())["files"]
    for wrong in ({**files, "../secret": "0" * 64}, {bundle.RECIPE: files[bundle.RECIPE]}):
        write_manifest(folder, files=wrong)
        with pytest.raises(DamagedError, match="does not list the files of a bundle"):
            bundle.read_manifest(folder)


def test_a_bundle_of_a_later_format_and_a_folder_that_is_none_are_usage_errors(folder, tmp_path):
    write_manifest(folder, format=2, novelty=True)
    with pytest.raises(UsageError, match="newer version of Surefoot"):
        bundle.read_manifest(folder)
    (tmp_path / "other").mkdir()
    with pytest.raises(UsageError, match="is no bundle"):
        bundle.read_manifest(tmp_path / "other")


def test_a_re_export_that_is_cut_off_at_any_file_never_leaves_a_mix_that_verifies(folder, monkeypatch):
    manifest = bundle.describe(samples.make_problem(), kind="boosting", fields=(), inputs=())
    contents = {bundle.BOOSTER: b"tree", bundle.RECIPE: (folder / bundle.RECIPE).read_bytes(), bundle.CARD: b"# card\n"}
    real, written = durable.replace, []

    def stop_after(count):
        def replace(path, data):
            if len(written) == count:
                raise KeyboardInterrupt("the power failed")
            written.append(path.name)
            real(path, data)

        return replace

    for count in range(len(contents) + 1):
        written.clear()
        monkeypatch.setattr(durable, "replace", stop_after(count))
        with pytest.raises(KeyboardInterrupt, match="the power failed"):
            bundle.write_bundle(folder, contents, manifest)
        with pytest.raises(DamagedError, match="export was not finished"):
            bundle.read_manifest(folder)
    monkeypatch.undo()
    bundle.write_bundle(folder, contents, manifest)
    assert bundle.read_manifest(folder).kind == "boosting"
    assert not (folder / bundle.GRAPH).exists()


def test_a_re_export_leaves_files_of_others_alone_and_takes_no_strange_ones(folder):
    (folder / "notes.txt").write_text("mine")
    contents = {name: (folder / name).read_bytes() for name in (bundle.GRAPH, bundle.RECIPE)}
    bundle.write_bundle(folder, contents, bundle.read_manifest(folder))
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(ValueError, match=r"model\.pkl"):
        bundle.write_bundle(folder, {**contents, "model.pkl": b""}, bundle.read_manifest(folder))


def test_a_new_card_keeps_the_model_and_its_version_and_mends_a_torn_card(folder):
    before = bundle.read_manifest(folder)
    (folder / bundle.CARD).write_text("half a ca")
    files = bundle.replace_card(folder, "# measured: 0.93\n")
    after = bundle.read_manifest(folder)
    assert after.files[bundle.CARD] == files[bundle.CARD] != before.files[bundle.CARD]
    assert after.version == before.version
    assert after.files[bundle.GRAPH] == before.files[bundle.GRAPH]


def test_a_new_card_is_not_put_on_a_damaged_model(folder):
    (folder / bundle.GRAPH).write_bytes(b"other")
    with pytest.raises(DamagedError, match=r"model\.onnx"):
        bundle.replace_card(folder, "# measured\n")


def test_the_version_changes_with_the_model(folder):
    before = bundle.read_manifest(folder)
    contents = {name: (folder / name).read_bytes() for name in before.files} | {bundle.GRAPH: samples.make_image_graph(seed=1)}
    bundle.write_bundle(folder, contents, before)
    assert bundle.read_manifest(folder).version != before.version
