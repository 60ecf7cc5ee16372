"""Checkpoints: everything a run needs to go on, written whole or not at all.

A checkpoint is one safetensors file and, written after it, a small JSON manifest with the SHA-256 of both. Two generations are kept; a torn or altered
one is named, and the one before it is used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from surefoot import durable
from surefoot.engine import shards
from surefoot.types.configs import TrainConfig
from surefoot.types.errors import SurefootError
from surefoot.types.reports import EpochRecord

if TYPE_CHECKING:
    from surefoot.engine.fit import Run
    from surefoot.engine.step import Gear

_KEPT = 2
_FREE = ("epochs", "patience", "precision", "threads", "micro_batch", "compile", "shard", "snapshot_epochs", "snapshot_steps", "val_epochs", "val_steps")
"""Settings that say how far a run goes, on what machine, or what is looked at: it may go on with others."""
_UNUSED = ("phases", "lr_range_test")
"""Settings that a run doesn't read."""
_LOG = logging.getLogger("surefoot")


@dataclass(frozen=True)
class State:
    """A run at one step, copied: `tensors` on the CPU, `facts` as JSON knows them."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


class Writer:
    """Writes checkpoints and the log in order, in a thread of its own: the loop waits only where one is due before the last is written.

    Args:
        folder: of the run; None: nothing is written.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint") if folder else None
        self._waiting: list[Future[None]] = []

    def __enter__(self) -> Writer:
        if self.folder:
            durable.sweep(self.folder)  # here, and not where it resumes: of several processes only the one that writes may
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            self.wait()
        except SurefootError as error:
            if kind is None:  # else the first error is told
                raise
            _LOG.warning("%s", error)  # after Ctrl-C nobody else would say that its checkpoint is missing
        finally:
            if self._pool:
                self._pool.shutdown()

    def save(self, network: nn.Module, gear: Gear, run: Run) -> None:
        """Copies the run as it stands and has it written; an error of the one before is raised here."""
        self.wait()
        if self._pool and self.folder:
            self._waiting.append(self._pool.submit(write, self.folder, capture(network, gear, run)))
        elif shards.is_sharded(network):
            capture(network, gear, run)  # the process that writes needs every other's part

    def log(self, records: list[EpochRecord]) -> None:
        """Has `metrics.jsonl` written."""
        if self._pool and self.folder:
            self._waiting.append(self._pool.submit(log, self.folder, list(records)))

    def wait(self) -> None:
        """Until all is written.

        Raises:
            SurefootError: something could not be.
        """
        while self._waiting:
            self._waiting.pop(0).result()


def capture(network: nn.Module, gear: Gear, run: Run) -> State:
    """Everything that the run needs to go on from here."""
    tensors = {f"model/{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in gear.average.items()}
    tensors |= {f"slow/{name}": value for name, value in gear.slow.items()}
    remembered, numbers = keep_optimizer(gear.optimizer)
    tensors |= {f"optimizer/{name}": value for name, value in remembered.items()}
    tensors["loss_sum"] = run.loss_sum
    # By name: the parts of a sharded net are gathered in one order everywhere, and a state that was loaded has any order.
    copied = {name: shards.whole(tensors[name].detach()).to("cpu", copy=True).contiguous() for name in sorted(tensors)}
    copied |= {f"best/{name}": value.cpu().contiguous() for name, value in run.best.items()}  # never changed once it is there
    facts = {
        "of": run.of,
        "step": run.step,
        "num_items": run.num_items,
        "best_epoch": run.best_epoch,
        "micro_batch": gear.micro_batch,
        "optimizer": numbers,
        "scaler": gear.scaler.state_dict() if gear.scaler else {},
        "made_on": describe_machine(str(run.loss_sum.device)),
        "records": [record.model_dump() for record in run.records],
    }
    return State(copied, facts)


def restore(state: State, network: nn.Module, gear: Gear, run: Run) -> None:
    """Sets network, gear and run to where they were."""
    tensors, facts = state.tensors, state.facts
    own = network.state_dict()
    network.load_state_dict({name: shards.spread(value, own[name]) for name, value in _part(tensors, "model/").items()})
    for prefix, copies in (("average/", gear.average), ("slow/", gear.slow)):
        for name, value in _part(tensors, prefix).items():
            copies[name].copy_(shards.spread(value, copies[name]))
    load_optimizer(gear.optimizer, _part(tensors, "optimizer/"), facts.get("optimizer", {}))
    if gear.scaler:
        gear.scaler.load_state_dict(facts["scaler"])
    gear.micro_batch = facts["micro_batch"]
    run.step, run.num_items, run.best_epoch = facts["step"], facts["num_items"], facts["best_epoch"]
    run.records = [EpochRecord.model_validate(record) for record in facts["records"]]
    run.best, run.loss_sum = _part(tensors, "best/"), tensors["loss_sum"].to(run.loss_sum.device, copy=True)


def write(folder: Path, state: State) -> None:
    """Writes a checkpoint, whole or not at all, then removes all but the last two."""
    data = to_bytes(state.tensors)
    path = _tensors(folder, state.facts["step"])
    durable.replace(path, data)
    durable.replace(path.with_suffix(".json"), json.dumps(state.facts | {"sha256": _seal(state.facts, data)}).encode())
    _prune(path)


def resume(folder: Path | None, network: nn.Module, gear: Gear, run: Run) -> None:
    """Sets network, gear and run to the newest whole checkpoint; leaves them where there is none.

    Raises:
        SurefootError: the checkpoint is of another model, or of a run with other settings; the differences are named.
    """
    generations = _manifests(folder) if folder else []
    while generations:
        manifest_path = generations.pop()
        state = _read(manifest_path)
        if state is None:
            instead = "the one before it is used" if generations else "the run starts anew"
            _LOG.warning("checkpoint %s is torn or altered; %s", manifest_path.stem, instead)
            continue
        _check_names(network, _part(state.tensors, "model/"), manifest_path)
        _check_settings(run.of, state.facts.get("of", {}), manifest_path)
        restore(state, network, gear, run)
        if differences := _compare(state.facts["made_on"], describe_machine(str(run.loss_sum.device))):
            _LOG.warning("goes on from %s, which was made elsewhere (%s): equal to an uninterrupted run to tolerance only", manifest_path.stem, differences)
        return


def log(folder: Path, records: list[EpochRecord]) -> None:
    """Writes `metrics.jsonl`, one line per record; lines after the checkpoint that a run goes on from are cut, and written again."""
    durable.replace(folder / "metrics.jsonl", "".join(record.model_dump_json() + "\n" for record in records).encode())


def describe_machine(device: str) -> dict[str, str]:
    """What bit-equal weights depend on."""
    kind = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.processor() or platform.machine()
    return {"device": device.split(":")[0], "processor": kind, "threads": str(torch.get_num_threads()), "torch": torch.__version__}


def _compare(before: dict[str, str], now: dict[str, str]) -> str:
    return ", ".join(f"{name} {before.get(name)}, now {now[name]}" for name in now if before.get(name) != now[name])


def _tensors(folder: Path, step: int) -> Path:
    return folder / "checkpoints" / f"step-{step:09d}.safetensors"


def _manifests(folder: Path) -> list[Path]:
    return sorted((folder / "checkpoints").glob("step-*.json"))


def _prune(newest: Path) -> None:
    """Removes all but the last two generations up to the newest. A later one was torn: the run went on from one before it."""
    last = [path.stem for path in _manifests(newest.parents[1]) if path.stem <= newest.stem][-_KEPT:]
    for suffix in (".json", ".safetensors"):  # the manifests first: tensors without one do not exist
        for path in newest.parent.glob(f"step-*{suffix}"):
            if path.stem not in last:
                durable.remove(path)


def _read(manifest_path: Path) -> State | None:
    """What a checkpoint holds, or None where one of them is missing or not as it was written."""
    try:
        manifest = json.loads(manifest_path.read_bytes())
        data = manifest_path.with_suffix(".safetensors").read_bytes()
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(manifest, dict) or manifest.pop("sha256", None) != _seal(manifest, data):
        return None
    return State(load(data), manifest)


def _seal(facts: dict[str, Any], data: bytes) -> str:
    """The SHA-256 of the tensors and of what the manifest says beside them: a step that was altered is as bad as weights that were."""
    digest = hashlib.sha256(data)
    digest.update(json.dumps(facts).encode())
    return digest.hexdigest()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def keep_optimizer(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, float]]:
    """What an optimizer remembers, the tensors and the plain numbers: beside its weight number 3 as `3/exp_avg`, in its first group as `group 0/lr`.

    Raises:
        SurefootError: beside a weight it remembers something else.
    """
    told = optimizer.state_dict()
    groups = {f"group {n}/{name}": value for n, group in enumerate(told["param_groups"]) for name, value in group.items()}
    states = {f"{n}/{name}": value for n, state in told["state"].items() for name, value in state.items() if value is not None}
    for name, value in states.items():
        if not isinstance(value, Tensor | int | float):
            raise SurefootError(
                f"{type(optimizer).__name__} remembers {name.partition('/')[2]} as an object of type {type(value).__name__}, which no checkpoint keeps.",
                where="train.optimizer",
                next="Keep tensors and plain numbers in self.state.",
            )
    every = states | groups
    return {n: v for n, v in every.items() if isinstance(v, Tensor)}, {n: v for n, v in every.items() if isinstance(v, int | float)}


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], numbers: dict[str, float]) -> None:
    """Gives an optimizer back what `keep_optimizer` found."""
    groups = optimizer.state_dict()["param_groups"]
    state: dict[int, dict[str, Tensor | float]] = {}
    every: dict[str, Tensor | float] = {**tensors, **numbers}
    for name, value in every.items():
        owner, _, key = name.partition("/")
        if owner.startswith("group "):
            group = groups[int(owner.removeprefix("group "))]
            held = group.get(key)
            group[key] = value.to(held.device, copy=True) if isinstance(held, Tensor) and isinstance(value, Tensor) else value
        else:
            state.setdefault(int(owner), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:  # fused steps walk memory: state must lie as its weights do (channels_last)
                values[name] = torch.empty_like(parameter, requires_grad=False).copy_(shards.spread(value, parameter))


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


def describe_run(config: TrainConfig, seed: int, name: str, num_train: int) -> dict[str, Any]:
    """What a run is of, as JSON knows it: what must be the same for a checkpoint to go on."""
    settings = json.loads(config.model_dump_json(exclude={*_FREE, *_UNUSED}))
    return {"seed": seed, "name": name, "items to train on": num_train} | {f"train.{key}": value for key, value in settings.items()}


def _check_settings(now: dict[str, Any], before: dict[str, Any], path: Path) -> None:
    """A setting that one of the two versions didn't have is not compared."""
    differences = [f"{name} was {before[name]!r}, now {now[name]!r}" for name in now if name in before and before[name] != now[name]]
    if differences:
        raise SurefootError(
            f"The checkpoint is of a run with other settings: {'; '.join(differences[:5])}.",
            where=str(path),
            next="Delete the run's folder, or go back to the settings it was made with.",
        )
