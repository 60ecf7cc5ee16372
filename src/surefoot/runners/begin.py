"""Begins a project: looks at the data, infers what it can, and writes `surefoot.toml` with a reason on each line."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from surefoot import durable, refs, settings
from surefoot.data.readers.detect import open_named
from surefoot.events import Announcer
from surefoot.runners.plan import find_step
from surefoot.store.blobs import Blobs
from surefoot.store.ledger import ProjectLedger
from surefoot.store.scope import ScopedLedger
from surefoot.types.configs import Settings
from surefoot.types.context import Context
from surefoot.types.errors import UsageError
from surefoot.types.problem import Problem

_NO_PATH = re.compile(r"^(sklearn|hub):|^[\w.]+:[A-Za-z_]\w*$|^[a-z][a-z0-9+.-]+://")
_FEW = 1_000
"""Under this many items the third step makes K folds."""
_SUFFIXES = re.compile(r"[-_.]*(\.(gz|xz|bz2|zip|tar|tgz|csv|tsv|txt|parquet|jsonl|npz|npy|xlsx))+$", re.IGNORECASE)


def write_project(data: str, *, target: str = "", out: str = "", budget: str = "", question: str = "") -> Path:
    """Writes the settings of a new project and returns its folder.

    Args:
        data: path, `sklearn:NAME` or `my_code:Name`.
        out: folder of the project; by the name of the data in the current folder when empty.

    Raises:
        UsageError: the folder holds a project already, is a file, or lies inside the data. DataError: the data can't be used.
    """
    folder = Path(out or _name_folder(data))
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", where=str(folder), next="Name a folder for the project: --out DIR.")
    if Path(data).is_dir() and folder.resolve().is_relative_to(Path(data).resolve()):  # its own files would be data that change at every step
        beside = f"../{Path(data).resolve().name}-project"
        raise UsageError(f"The project {folder} would lie inside its own data.", where=str(folder), next=f"Give it a folder beside the data: --out {beside}")
    if (folder / settings.FILE).exists():
        raise UsageError(
            f"{folder} holds a project already.",
            where=str(folder / settings.FILE),
            next=f"Go on with it: surefoot run {folder}; or choose another folder: --out.",
        )
    if not _NO_PATH.match(data) and not Path(data).exists():
        open_named(data, Path())  # says what lies there instead, before the folder of the project could be taken for the data
    source = _relate(data, folder)
    test = _find_test(data)
    values: dict = {
        "question": question,
        "budget": budget or "20m",
        "data": {"source": source} | ({"target": target} if target else {}) | ({"test": _relate(test, folder)} if test else {}),
    }
    checked = settings.check(values)
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)  # `../table.csv` is found only from a folder that exists
    try:
        problem = _ask(checked, folder)
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)  # what was downloaded lies there
        raise
    durable.replace(folder / settings.FILE, _write_toml(checked, problem, test).encode())
    durable.replace(folder / ".surefoot" / "schema.json", settings.schema().encode())
    return folder


def _name_folder(data: str) -> str:
    if refs.source_file(data, Path()):
        return "."  # the user's own data set: the project is where its code is
    data = re.sub(r"\{[^}]*\}|[*?].*$", "", data)  # a pattern, or what is asked of an address
    name = _SUFFIXES.sub("", data.split(":")[-1].rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]) or "project"
    return f"{name}-project" if Path(name).exists() and not (Path(name) / settings.FILE).exists() else name


def _relate(data: str, folder: Path) -> str:
    """The path as the settings name it: relative to the project where it lies in or beside it, else absolute; a place that is no path stays as it is."""
    if not data or _NO_PATH.match(data):
        return data
    path, root = Path(data).resolve(), folder.resolve()
    try:
        relative = os.path.relpath(path, root)
    except ValueError:  # another drive
        return str(path)
    return Path(relative).as_posix() if relative.count("..") <= 1 else str(path)


def _find_test(data: str) -> str:
    """A file beside the data whose name says `test` where the data's says `train`."""
    path = Path(data)
    if path.is_file() and "train" in path.name:
        twin = path.with_name(path.name.replace("train", "test"))
        return str(twin) if twin.is_file() else ""
    return ""


def _ask(values: Settings, folder: Path) -> Problem:
    """What the first step says about the data; nothing of it is kept."""
    spec = find_step("problem")
    with tempfile.TemporaryDirectory() as scratch:
        ledger = ProjectLedger(Path(scratch) / "scratch.db")
        try:
            ctx = Context(folder.resolve(), Path(scratch), 1, values.seed, "cpu", Blobs(Path(scratch)), ScopedLedger(ledger, "init"), Announcer())
            report = spec.function(ctx, settings.compose(spec.config, values))
        finally:
            ledger.close()
    assert isinstance(report, Problem)
    return report


def _explain_split(problem: Problem) -> str:
    """How this data will be split if nothing else is said."""
    given = [name for name in ("train", "val", "test") if name in problem.given_sets]
    val = "K-fold, as there are under 1,000 items" if problem.num_items < _FEW else "one val set, as there are 1,000 items or more"
    if "val" in given and "test" in given:
        return "train, val and test as your data has them"
    if "val" in given:
        return "val as your data has it; test is carved out of the rest"
    return f"test as your data has it; of the rest {val}" if "test" in given else val


def _suggest_model(problem: Problem) -> list[str]:
    """Lines on the net; none where there is no net for the task yet."""
    if problem.task == "detection":
        return []
    lines = ['# layers = "INPUT -> [[CONV -> RELU]*2 -> POOL]*2 -> FC"'] if problem.kind == "image" else ["# width = 128", "# depth = 2"]
    return ["# [model]", *lines, '# use    = "my_code:TinyNet"', ""]


def _write_toml(values: Settings, problem: Problem, test: str) -> str:
    """The settings that matter, each with why it is so; what is left out is inferred again on every run."""
    reasons = {reason.setting: " ".join(reason.why.split()) for reason in problem.reasons}  # a comment is one line, whatever a column is called
    target = json.dumps(problem.target[0] if len(problem.target) == 1 else list(problem.target), ensure_ascii=False)
    lines = [
        "#:schema ./.surefoot/schema.json",
        f"question = {json.dumps(problem.question, ensure_ascii=False)}",
        f'budget   = "{values.budget}"            # the one dial: "smoke" | "20m" | "8h"; epochs, trials and model size follow',
        "seed     = 0",
        "",
        "[data]",
        f"source = {json.dumps(values.data.source, ensure_ascii=False)}        # {problem.num_items:,} items",
    ]
    if test:
        lines.append(f"test   = {json.dumps(values.data.test, ensure_ascii=False)}        # a twin of the source, named test: it stays the test set")
    if problem.kind == "table" or values.data.target:
        lines.append(f"target = {target}        # {reasons.get('data.target', 'as you said')}")
    lines += [
        "",
        "[problem]",
        f'task   = "{problem.task}"        # {reasons.get("problem.task", "as you said")}',
        f'metric = "{problem.metric}"        # {reasons.get("problem.metric", "as you said")}',
        *(
            ["# goal  = 0.95                 # the value of the metric that would do", "# human = 0.98                 # what a careful person reaches"]
            if problem.classes
            else ["# goal  = 10.0                 # the error, in units of the target, that would do"]
        ),
        "",
        f"# [split]                       # {_explain_split(problem)}",
        "# train = 0.6",
        "# val   = 0.2",
        "# test  = 0.2",
        "",
        *_suggest_model(problem),
        "# every key: docs/settings.md",
    ]
    return "\n".join(lines) + "\n"
