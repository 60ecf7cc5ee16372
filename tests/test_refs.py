"""Names become objects: short names, the user's own files, and errors that know the right spelling."""

from __future__ import annotations

import pytest

from surefoot import refs
from surefoot.parts import PARTS
from surefoot.types.errors import UsageError

CODE = """
FOUND = 41

def double(size, rate=0.5, **rest):
    return size * 2, rate, rest

class TinyNet:
    def __init__(self, width, depth=2):
        self.width, self.depth = width, depth

def greedy(size, moon):
    return moon
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "my_code.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "nets.py").write_text(CODE.replace("41", "42"), encoding="utf-8")
    return tmp_path


def said(name: str, project, kind: str = "model") -> UsageError:
    with pytest.raises(UsageError, match=r"\w") as caught:
        refs.resolve(name, kind=kind, folder=project)
    error = caught.value
    assert error.what
    assert error.next
    assert error.exit_code == 2
    assert name in error.where
    return error


# short names


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in PARTS.items() for name in names])
def test_every_short_name_leads_somewhere(kind, name):
    assert refs.resolve(name, kind=kind) is not None


@pytest.mark.parametrize(("kind", "wrong", "right"), [("optimizer", "adamW", "adamw"), ("model", "convent", "convnet"), ("metric", "acuracy", "accuracy")])
def test_a_misspelt_short_name_comes_with_the_right_one(kind, wrong, right, project):
    error = said(wrong, project, kind)
    assert f"no {kind} named {wrong!r}" in error.what
    assert error.next == f"Did you mean {right!r}?"


def test_a_name_like_no_other_comes_with_all_there_are(project):
    assert all(name in said("zzz", project, "sampler").next for name in PARTS["sampler"])


# the user's own


@pytest.mark.parametrize("name", ["my_code:FOUND", "my_code.py:FOUND"])
def test_a_users_object_is_found_with_and_without_py(project, name):
    assert refs.resolve(name, kind="model", folder=project) == 41


def test_a_users_file_may_lie_in_a_folder(project):
    assert refs.resolve("deep/nets.py:FOUND", kind="model", folder=project) == 42


def test_a_users_file_is_read_anew_each_time(project):
    assert refs.resolve("my_code:FOUND", kind="model", folder=project) == 41
    (project / "my_code.py").write_text("FOUND = 'changed, and of another length'", encoding="utf-8")
    assert refs.resolve("my_code:FOUND", kind="model", folder=project) == "changed, and of another length"


def test_a_users_file_goes_before_an_installed_module_of_its_name(project):
    (project / "json.py").write_text("FOUND = 'mine'", encoding="utf-8")
    assert refs.resolve("json:FOUND", kind="model", folder=project) == "mine"


def test_an_installed_module_is_found_too(project):
    import math

    assert refs.resolve("math:hypot", kind="loss", folder=project) is math.hypot


def test_a_misspelt_object_comes_with_the_right_one(project):
    assert said("my_code:TinyNett", project).next == "Did you mean 'TinyNet'?"


def test_an_object_like_no_other_comes_with_all_there_are(project):
    assert "TinyNet" in said("my_code:zzzzz", project).next


@pytest.mark.parametrize("name", ["absent:Net", "absent.py:Net", "deep/absent.py:Net", "../absent.py:Net", ".absent:Net", "my code:Net", "json.absent:Net"])
def test_a_file_that_is_not_there_is_said(project, name):
    what = said(name, project).what
    assert "no file" in what
    assert ".py.py" not in what


@pytest.mark.parametrize("name", ["", ":", ":Net", "my_code:", "a:b:c"])
def test_what_is_no_name_is_refused(project, name):
    assert "no model named" in said(name, project).what


def test_what_the_users_file_raises_is_not_wrapped(project):
    (project / "broken.py").write_text("1 / 0", encoding="utf-8")
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        refs.resolve("broken:Net", kind="model", folder=project)


def test_a_module_that_the_users_file_misses_is_not_blamed_on_the_name(project):
    (project / "needy.py").write_text("import surely_not_installed", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="surely_not_installed"):
        refs.resolve("needy:Net", kind="model", folder=project)


def test_a_module_that_an_installed_module_misses_is_not_blamed_on_the_name(project, monkeypatch):
    monkeypatch.syspath_prepend(project)
    (project / "torchling.py").write_text("import torchl", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="torchl'"):
        refs.resolve("torchling:Net", kind="model", folder=None)


def test_only_a_users_own_file_counts_as_source(project):
    assert refs.source_file("my_code:TinyNet", project) == (project / "my_code.py").resolve()
    assert refs.source_file("convnet", project) is None
    assert refs.source_file("math:hypot", project) is None
    assert refs.source_file("my_code:TinyNet", None) is None


# building


def test_a_part_is_built_with_what_its_signature_names(project):
    net = refs.build("my_code:TinyNet", kind="model", folder=project, available={"width": 8, "colour": "red"})
    assert (net.width, net.depth) == (8, 2)


def test_a_part_that_would_take_anything_is_given_only_what_it_names(project):
    assert refs.build("my_code:double", kind="model", folder=project, available={"size": 2, "moon": 1}) == (4, 0.5, {})


@pytest.mark.parametrize(("name", "missing"), [("greedy", "moon"), ("TinyNet", "width"), ("double", "size")])
def test_a_part_that_asks_for_what_there_is_not_is_refused(project, name, missing):
    available = {"size": 1} if name == "greedy" else {"height": 1}
    with pytest.raises(UsageError, match=f"asks for {missing}") as caught:
        refs.build(f"my_code:{name}", kind="model", folder=project, available=available)
    assert f"my_code:{name}" in caught.value.where
    assert ", ".join(available) in caught.value.next


def test_a_part_that_cant_be_called_is_refused(project):
    with pytest.raises(UsageError, match="can't be called by name"):
        refs.build("my_code:FOUND", kind="model", folder=project, available={})
