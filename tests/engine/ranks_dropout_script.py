"""Started by torchrun in `test_ranks`: two processes train with dropout and augmentation, at once and in two goes; each writes what it dropped first."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tests.engine.samples import FULL, make_desk, start_job

from surefoot.engine import ranks
from surefoot.engine.fit import Fitted, fit


def train(folder: Path, epochs: float, seen: list[torch.Tensor]) -> Fitted:
    """Goes on in the folder, at an lr that does not depend on how long the run is."""
    config = FULL.model_copy(update={"batch_size": 33, "lookahead": 3, "schedule": "fixed", "epochs": epochs})
    job = start_job(make_desk(folder / f"desk{rank}-{epochs}"), config)
    torch.manual_seed(0)
    drop = torch.nn.Dropout(0.5)
    drop.register_forward_hook(lambda module, _, output: seen.append((output == 0).byte()) if module.training else None)
    job.network.body = torch.nn.Sequential(torch.nn.Flatten(), drop, torch.nn.Linear(64, 3))
    return fit(job, config, seed=0, name="run", folder=folder / "run")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    ranks.join()
    rank = torch.distributed.get_rank()
    dropped: list[torch.Tensor] = []
    whole = train(folder / "whole", 2.0, dropped)
    train(folder / "cut", 1.0, [])
    cut = train(folder / "cut", 2.0, [])
    save_file({"dropped": dropped[0]}, folder / f"dropped{rank}.safetensors")
    if ranks.is_first():
        save_file(whole.network.state_dict(), folder / "whole.safetensors")
        save_file(cut.network.state_dict(), folder / "cut.safetensors")
    torch.distributed.destroy_process_group()
