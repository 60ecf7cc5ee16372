"""The rules of the house as code: sizes, names, floors, what may write and what may run."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "surefoot"
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.name != "__init__.py")

Function = ast.FunctionDef | ast.AsyncFunctionDef

MANY_PARAMETERS = {"project.py: run", "project.py: plan"}
"""Functions that mirror the command line, option by option. Commands themselves are exempt for the same reason."""


def _place(path: Path, node: ast.AST | None = None) -> str:
    name = path.relative_to(SOURCE).as_posix()
    return f"{name}:{node.lineno}" if node is not None and hasattr(node, "lineno") else name


def _functions() -> Iterator[tuple[Path, Function]]:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield path, node


def _calls() -> Iterator[tuple[Path, ast.Call, str]]:
    """Every call in the source with the dotted name it is written with, e.g. `torch.load`, or `.write_text` on anything."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield path, node, _written(node.func)


def _written(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute):
        return f"{_written(function.value)}.{function.attr}"
    return ""


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


# sizes


def test_files_are_short_enough_to_read_at_once():
    limits = {path: 300 if path.parent.name == "steps" else 400 for path in FILES}
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not [f"{_place(path)}: {n} lines" for path, n in lengths.items() if n > limits[path]]


def test_functions_have_at_most_forty_lines():
    """Signature and docstring are for reading, not for understanding control flow: they are not counted."""
    long = []
    for path, function in _functions():
        body = function.body[1:] if ast.get_docstring(function) else function.body
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        if lines > 40:
            long.append(f"{_place(path, function)} {function.name}: {lines} lines")
    assert not long


def test_functions_take_at_most_six_parameters():
    greedy = []
    for path, function in _functions():
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        counted = [a.arg for a in arguments if a.arg not in ("self", "cls", "ctx", "config") and "Annotated" not in ast.dump(a)]
        is_step = path.parent.name == "steps" and path.stem[4:] == function.name  # a step names every report that it reads: that is the wiring
        if path.parent.name != "cli" and not is_step and len(counted) > 6 and f"{_place(path)}: {function.name}" not in MANY_PARAMETERS:
            greedy.append(f"{_place(path, function)} {function.name}: {len(counted)}")
    assert not greedy


def test_a_step_file_has_one_public_function():
    several = {}
    for path in (SOURCE / "steps").glob("s[0-9][0-9]_*.py"):
        public = [node.name for node in TREES[path].body if isinstance(node, Function) and not node.name.startswith("_")]
        if public != [path.stem[4:]]:
            several[path.name] = public
    assert not several


# names and words


def test_no_name_says_nothing():
    forbidden = {"manager", "helper", "handler", "utils", "util", "base", "common", "misc", "helpers", "managers"}
    names = [(_place(path), path.stem) for path in FILES]
    names += [(_place(path, node), node.name) for path, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    names += [(_place(path, function), function.name) for path, function in _functions()]
    words = [(place, name, {w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}) for place, name in names]
    assert not [f"{place} {name}" for place, name, parts in words if parts & forbidden]


def test_public_functions_and_classes_say_what_they_are():
    silent = []
    for path, tree in TREES.items():
        if ast.get_docstring(tree) is None and tree.body:
            silent.append(f"{_place(path)}: the file")
        for node in tree.body:
            named = isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")
            # The configs of the steps are told together, in the comment above them.
            if named and not node.name.endswith("StepConfig") and ast.get_docstring(node) is None:
                silent.append(f"{_place(path, node)} {node.name}")
    assert not silent


def test_nothing_is_left_for_later():
    """Libraries may raise NotImplementedError, and it may be caught; ours is implemented."""
    words = re.compile("\\bTO" + "DO\\b|\\bFIX" + "ME\\b|\\bXX" + "X\\b")
    found = [f"{_place(path)}: {word}" for path in FILES for word in words.findall(path.read_text(encoding="utf-8"))]
    for path, tree in TREES.items():
        raised = [node for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc)]
        found += [_place(path, node) for node in raised]
    assert not found


# what may run, and what may write


def test_nothing_runs_that_should_not():
    """No pickle is loaded in any of its disguises, no text is run as code, no shell is asked."""
    forbidden = {
        "eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load", "joblib.load", "pickle.load", "pickle.loads", "pickle.Unpickler",
        "cloudpickle.load", "cloudpickle.loads", "marshal.loads", "shelve.open", "dill.load", "yaml.load", "pd.read_pickle", "pandas.read_pickle",
        "torch.hub.load", "torch.jit.load", "torch.export.load",
    }  # fmt: skip
    found = [f"{_place(path, call)} {name}" for path, call, name in _calls() if name in forbidden]
    for path, call, name in _calls():
        for keyword in call.keywords:
            is_true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if keyword.arg in ("allow_pickle", "shell") and is_true:
                found.append(f"{_place(path, call)} {name}({keyword.arg}=True)")
    assert not found


def test_only_durable_writes_files():
    verbs = {
        "write_text", "write_bytes", "to_csv", "to_parquet", "to_json", "to_pickle", "to_feather", "save_model", "save_file", "savez", "savez_compressed",
        "savetxt", "tofile", "write_html", "write_image", "touch", "symlink_to", "hardlink_to",
    }  # fmt: skip
    whole = {
        "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move", "os.rename", "os.replace", "os.link", "os.symlink", "os.truncate",
        "np.save", "numpy.save", "torch.save", "onnx.save", "onnx.save_model", "json.dump", "os.open", "os.fdopen",
    }  # fmt: skip
    writes = []
    for path, call, name in _calls():
        verb = name.rpartition(".")[2]
        if path.name != "durable.py" and (name in whole or verb in verbs or (verb == "open" and _opens_for_writing(call, name)) or _saves_to_path(call, verb)):
            writes.append(f"{_place(path, call)} {name}")
    assert not writes


def _opens_for_writing(call: ast.Call, name: str) -> bool:
    """`open(path, "w")` and `path.open("w")`; a mode of `open` that isn't written out counts as writing."""
    position = 1 if name in ("open", "io.open", "os.open", "gzip.open", "bz2.open", "lzma.open", "tarfile.open") else 0
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[position : position + 1]
    if name.startswith(("Image", "webbrowser")) or not modes:
        return False
    mode = modes[0]
    if not isinstance(mode, ast.Constant):
        return position == 1
    return isinstance(mode.value, str) and bool(set(mode.value) & set("wax+"))


def _saves_to_path(call: ast.Call, verb: str) -> bool:
    """`image.save(path)`: something is saved under what is written as a path."""
    if verb != "save" or not call.args:
        return False
    first = call.args[0]
    is_joined = isinstance(first, ast.BinOp) and isinstance(first.op, ast.Div)
    is_text = isinstance(first, ast.JoinedStr) or (isinstance(first, ast.Constant) and isinstance(first.value, str))
    return is_joined or is_text or (isinstance(first, ast.Name) and first.id.endswith("path"))


def test_nothing_needs_a_system_that_is_no_windows():
    """What only POSIX has is asked for where it is used, so that it can be done without; `os.rename` replaces no file on Windows."""
    modules = {"resource", "fcntl", "pwd", "grp", "termios", "pty", "tty", "posix"}
    names = {
        "os.fork", "os.getuid", "os.geteuid", "os.mkfifo", "os.rename", "os.O_DIRECTORY", "os.O_NOFOLLOW", "os.killpg", "os.setsid", "signal.SIGKILL",
        "signal.SIGHUP", "signal.SIGUSR1",
    }  # fmt: skip
    found = [f"{_place(path, node)} {ast.unparse(node)}" for path, tree in TREES.items() for node in tree.body if modules & set(_imported(node))]
    attributes = [(path, node) for path, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert not found + [f"{_place(path, node)} {_written(node)}" for path, node in attributes if _written(node) in names]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [str(node.module)]
    return [one.name for one in node.names] if isinstance(node, ast.Import) else []


# the tests themselves


def test_expected_errors_are_expected_by_their_words():
    vague = []
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_raises = isinstance(node, ast.Call) and _written(node.func) == "pytest.raises"
            if is_raises and not any(keyword.arg == "match" for keyword in node.keywords):
                vague.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not vague


def test_test_files_say_what_they_are_about():
    assert not [str(path.relative_to(ROOT)) for path in TESTS if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None]


# tools, each once


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "ruff", "check", "."),
        ("-m", "ruff", "format", "--check", "."),
        ("-m", "mypy"),
        ("-c", "from importlinter.cli import lint_imports_command as f; f()"),
    ],
    ids=["ruff check", "ruff format", "mypy", "lint-imports"],
)
def test_a_tool_has_nothing_to_say(command):
    done = _run(*command)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"


def test_no_import_is_ignored_by_the_linter():
    assert "ignore_imports" not in (ROOT / ".importlinter").read_text(encoding="utf-8")


# what starting costs


@pytest.mark.parametrize("name", ["surefoot", "surefoot.types", "surefoot.tasks", "surefoot.parts", "surefoot.store.ledger", "surefoot.settings"])
def test_the_lowest_floors_do_not_import_torch(name):
    done = _run("-c", f"import sys, {name}; print('torch' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


def test_the_package_itself_imports_nothing_heavy():
    done = _run("-c", "import sys, surefoot; print(sorted({'torch', 'numpy', 'pydantic', 'sqlalchemy', 'pandas', 'rich'} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


def test_help_imports_nothing_heavy():
    done = _run("-X", "importtime", "-m", "surefoot", "--help")
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert done.returncode == 0, done.stderr[-2000:]
    assert not {"torch", "numpy", "pydantic", "sqlalchemy", "pandas", "rich.table", "rich.console", "PIL", "sklearn", "fastapi"} & modules
