"""5 % planted label flips in train and val, walked from init to the error bench: how well the doubt of s10 finds them, and what s09 and s10 take.

Where the road doubts nobody, because the models know too little, what is measured is the doubt of val that it kept to itself. The seconds of s09 hold the
learning curve, which takes what the budget leaves it; beside them stand those of the same step without it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.machine import DATA, IS_QUICK
from benchmarks.walks import surefoot

if TYPE_CHECKING:
    from surefoot.project import Project

FLIPPED = 0.05
Arrays = tuple[np.ndarray, np.ndarray]


def run() -> dict[str, object]:
    found: dict[str, object] = {"digits as a table": _find(_digits(), "smoke" if IS_QUICK else "2m")}
    print(f"  digits: {found['digits as a table']}", flush=True)
    for name, read, budget in (("adult", _adult, "2m"), ("mnist", _mnist, "10m"), ("cifar10", _cifar10, "30m")):
        if IS_QUICK or not DATA.is_dir():
            found[name] = {"skipped": "quick" if IS_QUICK else "the shared data sets are not here"}
            continue
        found[name] = _find(read(), budget)
        print(f"  {name}: {found[name]}", flush=True)
    return found


def _find(data: tuple[dict[str, np.ndarray], np.ndarray], budget: str) -> dict[str, object]:
    """Plants flips, walks to s10, and compares its doubts with what was planted."""
    columns, truth = data
    rng = np.random.default_rng(0)
    given, names = truth.copy(), np.unique(truth)
    flipped = np.sort(rng.choice(len(truth), int(FLIPPED * len(truth)), replace=False))
    given[flipped] = names[(np.searchsorted(names, truth[flipped]) + rng.integers(1, len(names), len(flipped))) % len(names)]
    folder = Path(tempfile.mkdtemp(prefix="surefoot-flips-"))
    try:
        source = _write(folder, columns, given)
        made = surefoot("init", str(source), "--target", "label", "--out", str(folder / "project"), "--budget", budget)
        done = surefoot("run", str(folder / "project"), "--to", "errors")
        if made.returncode or done.returncode:
            return {"failed": (made.stderr + done.stderr)[-600:]}
        return _score(folder / "project", set(flipped.tolist()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, columns: dict[str, np.ndarray], given: np.ndarray) -> Path:
    """Pictures as arrays, a table as CSV."""
    if "pictures" in columns:
        np.savez(folder / "flips.npz", x=columns["pictures"], y=given)
        return folder / "flips.npz"
    import pandas as pd

    pd.DataFrame(columns | {"label": given}).to_csv(folder / "flips.csv", index=False)
    return folder / "flips.csv"


def _time_without_curve(walked: Project) -> float:
    """Seconds of s09 done again with a learning curve of no part."""
    from unittest.mock import patch

    with patch("surefoot.steps.s09_diagnose._choose_parts", return_value=([], 0.0)):
        views = walked.run("diagnose", "diagnose")
    return round(next(view.seconds for view in views if view.name == "s09_diagnose"), 1)


def _score(project: Path, flipped: set[int]) -> dict[str, object]:
    """Over the items that were doubted; the rows of the source are read off the audit's index."""
    from sklearn.metrics import roc_auc_score

    from surefoot.analysis.mislabels import doubt
    from surefoot.data.predictions import load_predictions
    from surefoot.project import Project

    walked = Project(project)
    report, index = walked.report("errors"), walked.store.get_table(walked.report("audit").index)
    row_of = dict(zip(index.column("id").to_pylist(), index.column("row").to_pylist(), strict=True))
    seconds = {step["step"]: round(step["seconds"], 1) for step in json.loads(surefoot("status", str(project), "--json").stdout)["steps"]}
    told: dict[str, object] = {"doubted": report.doubted, "suspects": report.num_suspects}
    told["seconds"] = {name: seconds[name] for name in ("s09_diagnose", "s10_errors")}
    told["asked of"] = "train and val" if report.doubts else "val"
    said = load_predictions(walked.store, report.doubts or walked.report("tune").val.predictions)
    is_flip = np.array([row_of[id] in flipped for id in said.ids])
    scores = said.outputs[:, 0] if report.doubts else doubt(said.targets, said.outputs)
    told["seconds"]["s09_diagnose without its curve"] = _time_without_curve(walked)
    top = is_flip[np.argsort(-scores)[: is_flip.sum()]]
    return told | {"flips": int(is_flip.sum()), "auroc": round(float(roc_auc_score(is_flip, scores)), 4), "recall_at_k": round(float(top.mean()), 4)}


def _digits() -> tuple[dict[str, np.ndarray], np.ndarray]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {f"p{k}": digits.data[:, k] for k in range(64)}, np.array([f"d{label}" for label in digits.target])


def _mnist() -> tuple[dict[str, np.ndarray], np.ndarray]:
    from benchmarks.peers import mnist

    pictures, labels = mnist.read("train")
    return {"pictures": pictures[:, 0]}, labels


def _cifar10() -> tuple[dict[str, np.ndarray], np.ndarray]:
    from benchmarks.cifar10 import read

    pictures, labels = read("train")
    return {"pictures": pictures.transpose(0, 2, 3, 1)}, labels


def _adult() -> tuple[dict[str, np.ndarray], np.ndarray]:
    import pandas as pd

    table = pd.read_csv(DATA / "tabular" / "adult_train.csv.gz", skipinitialspace=True)
    return {name: table[name].to_numpy() for name in table.columns if name != "income"}, table["income"].to_numpy().astype(str)
