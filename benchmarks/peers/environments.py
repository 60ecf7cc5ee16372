"""The peers' environments: one virtual environment each, with pinned versions, made when it is first asked for.

`python -m benchmarks.peers.environments [NAME ...]` makes them beforehand. They lie in the folder that the environment variable
SUREFOOT_PEERS names, or in `surefoot-peers` in the folder for temporary files, and stay there for the next time; delete it to have the room back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import ROOT

TORCH = "torch==2.13.0"
"""Ours. It goes in first and stays in every command: an open range of it, which most peers ask for, drags in gigabytes of CUDA packages."""

PEERS = {
    "lightning": (TORCH, "lightning==2.6.6", "torchmetrics==1.9.0"),
    "skorch": (TORCH, "skorch==1.4.0"),
    "keras": (TORCH, "keras==3.15.1"),
    "tensorflow": ("tensorflow-cpu==2.21.0", "keras==3.15.1"),
    "fastai": (TORCH, "torchvision==0.28.0", "fastai==2.8.12", "fastcore==2.2.39"),
}
"""Environment -> what is asked of pip; packages that we use too come in the versions of `constraints.txt`."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that would decide for a process how many threads it takes."""

_CONSTRAINTS = ROOT / "constraints.txt"
_MADE = "surefoot-peer.txt"
_SECONDS = 1800


class CannotMake(Exception):
    """Why there is no such environment here."""


def folder() -> Path:
    """Where the environments lie."""
    return Path(os.environ.get("SUREFOOT_PEERS") or Path(tempfile.gettempdir()) / "surefoot-peers")


def find(name: str) -> Path:
    """The Python of a peer's environment, which is made where it is missing or was made with other versions.

    Raises:
        CannotMake: venv or pip failed, with the end of what they said.
    """
    home = folder() / name
    python, made = home / "bin" / "python", home / _MADE
    wanted = "\n".join([*PEERS[name], _CONSTRAINTS.read_text(encoding="utf-8")])
    if made.is_file() and made.read_text(encoding="utf-8") == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    _call([sys.executable, "-m", "venv", str(home)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", str(_CONSTRAINTS)]
    if TORCH in PEERS[name]:
        _call([*pip, TORCH])
    _call([*pip, *PEERS[name]])
    made.write_text(wanted, encoding="utf-8")
    return python


def surroundings(name: str) -> dict[str, str]:
    """Environment variables for a peer's process: none of our paths, and what it writes for itself stays in its folder."""
    own = str(folder() / name / "home")
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV", *THREADS)}
    return kept | {"KERAS_HOME": own, "FASTAI_HOME": own, "MPLCONFIGDIR": own, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONWARNINGS": "ignore"}


def _call(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise CannotMake(f"{' '.join(command[1:4])} took more than {_SECONDS} s") from error
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line and not line.startswith("WARNING")]
        raise CannotMake(f"{' '.join(command[1:4])}: {' '.join(said[-3:])[-600:]}")


def main(names: list[str]) -> int:
    """Makes the named environments, or all, one after the other."""
    if set(names) - set(PEERS):
        print(f"Environments: {', '.join(PEERS)}.")
        return 2
    failed = 0
    for name in names or PEERS:
        try:
            print(f"{name}: {find(name)}", flush=True)
        except CannotMake as error:
            failed += 1
            print(f"{name}: {error}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
