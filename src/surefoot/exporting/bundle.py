"""The bundle: a folder that holds all that a prediction needs, and the hashes that say it is whole.

`manifest.json` is deleted first and written last, so a folder that verifies was written by one export, never by parts of two.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from surefoot import __version__, durable
from surefoot.types.data_reports import FieldSpec
from surefoot.types.errors import DamagedError, UsageError
from surefoot.types.examples import Threshold
from surefoot.types.findings import Plain
from surefoot.types.problem import Problem, Task

FORMAT = 1
MANIFEST, WEIGHTS, GRAPH, BOOSTER = "manifest.json", "model.safetensors", "model.onnx", "model.txt"
RECIPE, LABELS, CARD = "preprocess.json", "labels.txt", "README.md"
NAMES = (WEIGHTS, GRAPH, BOOSTER, RECIPE, LABELS, CARD)
"""What a bundle may hold beside its manifest."""

_NEXT = "Export it again: `surefoot run --from export`."


class Manifest(Plain):
    """What a bundle is, and the hash of each of its files.

    Attributes:
        format: version of the layout. made_with: version of Surefoot.
        name: of the model, as servers call it.
        kind: `net`, `linear` and `constant` predict by model.onnx, `boosting` by model.txt.
        classes: in the order of the outputs; binary: the second is the positive one.
        num_outputs: logits per item; regression: values per item.
        threshold: from which prob on the positive class is chosen, or a label of multilabel; several: each label from its own.
        temperature: divides the logits; inside the graph already, for boosting applied by the predictor.
        log_target: the model's raw value is log1p of the target; undone inside the graph, for boosting by the predictor.
        fields: what the graph takes, in order.
        inputs: what a raw record holds: column names, or `image`.
        id: the column that names the rows of a table, if there is one; predictions carry it along.
        files: name -> SHA-256 of every other file.
    """

    format: int = FORMAT
    made_with: str = __version__
    name: str = "model"
    kind: Literal["net", "linear", "boosting", "constant"]
    question: str = ""
    task: Task
    target: tuple[str, ...]
    classes: tuple[str, ...] = ()
    num_outputs: int = 1
    metric: str
    threshold: Threshold = 0.5
    temperature: float = 1.0
    log_target: bool = False
    fields: tuple[FieldSpec, ...]
    inputs: tuple[str, ...]
    id: str = ""
    files: dict[str, str] = {}

    @property
    def version(self) -> str:
        """Names the model by its content; a new model card does not change it."""
        model = {name: digest for name, digest in self.files.items() if name in (GRAPH, BOOSTER, RECIPE)}
        return hashlib.sha256("".join(f"{name} {model[name]}\n" for name in sorted(model)).encode()).hexdigest()[:12]


def describe(problem: Problem, **facts: object) -> Manifest:
    """The manifest of a model for `problem`, without files; `facts` are the fields that the problem does not know."""
    known = {"question": problem.question, "task": problem.task, "target": problem.target, "classes": problem.classes, "metric": problem.metric}
    return Manifest.model_validate({**known, "num_outputs": problem.num_outputs, "log_target": problem.log_target, **facts})


def with_files(manifest: Manifest, contents: Mapping[str, bytes]) -> Manifest:
    """The manifest with the hashes of `contents`; the model card is written from it."""
    return manifest.model_copy(update={"files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}})


def write_bundle(folder: Path, contents: Mapping[str, bytes], manifest: Manifest) -> dict[str, str]:
    """Makes `folder` hold exactly this bundle; files of an older one go, other files stay.

    Args:
        contents: name (one of `NAMES`) -> bytes.
        manifest: its `files` are filled in here.

    Returns:
        name -> SHA-256 of every file, the manifest included.
    """
    strange = set(contents) - set(NAMES)
    if strange:
        raise ValueError(f"a bundle holds no {sorted(strange)}")
    durable.remove(folder / MANIFEST)
    for name in NAMES:
        if name in contents:
            durable.replace(folder / name, contents[name])
        else:
            durable.remove(folder / name)
    whole = with_files(manifest, contents)
    return whole.files | {MANIFEST: _write_manifest(folder, whole)}


def put_back(folder: Path, files: Mapping[str, str], read: Callable[[str], bytes]) -> bool:
    """Makes `folder` hold this bundle again where another one, a damaged one or none lies there; a new model card makes no other bundle.

    Args:
        files: name -> SHA-256, as `write_bundle` returned them. read: SHA-256 -> content.

    Returns:
        Whether anything had to be done.
    """
    wanted = Manifest.model_validate_json(read(files[MANIFEST]))
    with contextlib.suppress(DamagedError, UsageError):
        if _set_card_aside(read_manifest(folder)) == _set_card_aside(wanted):
            return False
    write_bundle(folder, {name: read(digest) for name, digest in files.items() if name != MANIFEST}, wanted)
    return True


def _set_card_aside(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"files": {name: digest for name, digest in manifest.files.items() if name != CARD}})


def replace_card(folder: Path, text: str) -> dict[str, str]:
    """Puts another model card into a bundle; what predicts is checked and stays as it is.

    After a crash half-way the card differs from its hash; calling this again mends it.

    Returns:
        name -> SHA-256 of every file, the manifest included.

    Raises:
        DamagedError: a file other than the card is torn, altered or missing.
    """
    manifest = _parse(folder)
    _verify(folder, {name: digest for name, digest in manifest.files.items() if name != CARD})
    durable.replace(folder / CARD, text.encode())
    files = manifest.files | {CARD: hashlib.sha256(text.encode()).hexdigest()}
    return files | {MANIFEST: _write_manifest(folder, manifest.model_copy(update={"files": files}))}


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle whose files are all as they were written.

    Raises:
        DamagedError: a file is torn, altered or missing; it is named.
        UsageError: the folder is no bundle, or was made by a newer version.
    """
    manifest = _parse(folder)
    _verify(folder, manifest.files)
    return manifest


def _write_manifest(folder: Path, manifest: Manifest) -> str:
    data = manifest.model_dump_json(indent=1).encode() + b"\n"
    durable.replace(folder / MANIFEST, data)
    return hashlib.sha256(data).hexdigest()


def _parse(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        if not any((folder / name).is_file() for name in NAMES):
            raise UsageError(f"{folder} is no bundle: it holds no {MANIFEST}.", where=str(folder), next="Give the folder that `surefoot export` made.")
        raise DamagedError(f"{MANIFEST} is missing: the export was not finished.", where=str(path), next=_NEXT)
    try:
        data = json.loads(path.read_bytes())
        if isinstance(data["format"], int) and data["format"] > FORMAT:
            raise UsageError("This bundle was made by a newer version of Surefoot.", where=str(path), next="Install that version or a later one.")
        manifest = Manifest.model_validate(data)
    except (ValueError, TypeError, KeyError, RecursionError) as error:  # no JSON, or not of this form
        raise DamagedError(f"{MANIFEST} is torn or altered.", where=str(path), next=_NEXT) from error
    needed = {RECIPE, BOOSTER if manifest.kind == "boosting" else GRAPH}
    if not needed <= set(manifest.files) <= set(NAMES):
        raise DamagedError(f"{MANIFEST} is altered: it does not list the files of a bundle.", where=str(path), next=_NEXT)
    return manifest


def _verify(folder: Path, files: Mapping[str, str]) -> None:
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            raise DamagedError(f"{name} of the bundle is missing.", where=str(path), next=_NEXT)
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise DamagedError(f"{name} of the bundle is torn or was altered: its SHA-256 is not that of the manifest.", where=str(path), next=_NEXT)
