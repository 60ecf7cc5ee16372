"""Started by torchrun in `test_ranks`: fits the small job by an optimizer, with whole or shared weights, and writes what the first process has.

Arguments: folder, optimizer, `train.shard`, epochs, `train.micro_batch`, and `heavy` where items and classes weigh differently.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tests.engine.samples import FULL, make_desk, start_job

from surefoot.engine import ranks
from surefoot.engine.fit import fit

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    ranks.join()
    optimizer, shard, epochs = sys.argv[2], sys.argv[3], float(sys.argv[4])
    settings = {"batch_size": 33, "augment": "none", "averaging": 0.9, "lr": 0.01, "lookahead": 3, "optimizer": optimizer, "shard": shard, "epochs": epochs}
    settings |= {"micro_batch": int(sys.argv[5]), "class_weights": "balanced" if sys.argv[6] == "heavy" else "none"}
    config = FULL.model_copy(update=settings)
    desk = make_desk(folder / f"desk{ranks.is_first()}-{torch.distributed.get_rank() if ranks.count() > 1 else 0}", is_heavy=sys.argv[6] == "heavy")
    job = start_job(desk, config, 0.0)
    torch.manual_seed(0)
    job.network.body = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))  # batch norm would see the parts
    fitted = fit(job, config, seed=0, name="run", folder=folder / "run")
    if ranks.is_first():
        save_file(fitted.network.state_dict(), folder / "weights.safetensors")
        (folder / "log.txt").write_text("\n".join(f"{record.step} {record.loss:.5f} {record.val_metric:.5f}" for record in fitted.records))
    if ranks.count() > 1:
        torch.distributed.destroy_process_group()
