"""Checkpoints: everything a run needs to go on, written whole or not at all.

A checkpoint is one safetensors file and, written after it, a small JSON manifest with its SHA-256. Two generations are kept; a torn or altered
one is named, and the one before it is used.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from surefoot import durable
from surefoot.engine.averaging import Average
from surefoot.types.errors import SurefootError
from surefoot.types.reports import EpochRecord

if TYPE_CHECKING:
    from surefoot.engine.fit import Run

_KEPT = 2
_LOG = logging.getLogger("surefoot")


def save(folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer, average: Average, run: Run) -> None:
    """Writes the run as it stands after `run.step`, then removes all but the last two."""
    tensors = {f"model/{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in average.items()}
    tensors |= {f"best/{name}": value for name, value in run.best.items()}
    tensors |= {f"optimizer/{n}/{name}": value for n, state in optimizer.state_dict()["state"].items() for name, value in state.items() if value is not None}
    tensors["loss_sum"] = run.loss_sum
    data = to_bytes({name: value.detach().cpu().contiguous() for name, value in tensors.items()})
    manifest = {
        "step": run.step,
        "num_items": run.num_items,
        "best_epoch": run.best_epoch,
        "records": [record.model_dump() for record in run.records],
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    path = _tensors(folder, run.step)
    durable.replace(path, data)
    durable.replace(path.with_suffix(".json"), json.dumps(manifest).encode())
    for old in _manifests(folder)[:-_KEPT]:
        durable.remove(old)  # the manifest first: tensors without one do not exist
        durable.remove(old.with_suffix(".safetensors"))


def resume(folder: Path | None, network: nn.Module, optimizer: torch.optim.Optimizer, average: Average, run: Run) -> Run:
    """The run as its newest whole checkpoint has it, with network, optimizer and average set; `run` itself where there is none.

    Raises:
        SurefootError: the checkpoint is of another model; the differences are named.
    """
    for manifest_path in reversed(_manifests(folder)) if folder else ():
        found = _read(manifest_path)
        if found is None:
            _LOG.warning("checkpoint %s is torn or altered; the one before it is used", manifest_path.stem)
            continue
        manifest, tensors = found
        _check_names(network, _part(tensors, "model/"), manifest_path)
        network.load_state_dict(_part(tensors, "model/"))
        for name, value in _part(tensors, "average/").items():
            average[name].copy_(value)
        _load_optimizer(optimizer, _part(tensors, "optimizer/"))
        run.step, run.num_items, run.best_epoch = manifest["step"], manifest["num_items"], manifest["best_epoch"]
        run.records = [EpochRecord.model_validate(record) for record in manifest["records"]]
        run.best, run.loss_sum = _part(tensors, "best/"), tensors["loss_sum"].to(run.loss_sum.device)
        break
    if folder:
        log(folder, run.records)  # lines after the checkpoint are cut: the run writes them again
    return run


def log(folder: Path | None, records: list[EpochRecord]) -> None:
    """Writes `metrics.jsonl`, one line per epoch."""
    if folder:
        durable.replace(folder / "metrics.jsonl", "".join(record.model_dump_json() + "\n" for record in records).encode())


def _tensors(folder: Path, step: int) -> Path:
    return folder / "checkpoints" / f"step-{step:09d}.safetensors"


def _manifests(folder: Path) -> list[Path]:
    return sorted((folder / "checkpoints").glob("step-*.json"))


def _read(manifest_path: Path) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    try:
        manifest = json.loads(manifest_path.read_bytes())
        data = manifest_path.with_suffix(".safetensors").read_bytes()
    except (OSError, ValueError):
        return None
    if hashlib.sha256(data).hexdigest() != manifest.get("sha256"):
        return None
    return manifest, load(data)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, _, key = name.partition("/")
        state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if value.shape == parameter.shape:  # fused steps walk memory: state must lie as its weights do (channels_last)
                values[name] = torch.empty_like(parameter, requires_grad=False).copy_(value)


def _check_names(network: nn.Module, saved: dict[str, Tensor], path: Path) -> None:
    own = network.state_dict()
    differences = [f"{name} is only in the checkpoint" for name in saved.keys() - own.keys()] + [
        f"{name} is only in the model" for name in own.keys() - saved.keys()
    ]
    differences += [
        f"{n} has shape {tuple(saved[n].shape)} there, {tuple(own[n].shape)} here" for n in own.keys() & saved.keys() if own[n].shape != saved[n].shape
    ]
    if differences:
        raise SurefootError(
            f"The checkpoint is of another model: {'; '.join(sorted(differences)[:5])}.",
            where=str(path),
            next="Delete the run's folder, or go back to the model it was made with.",
        )
