"""Lightning's Trainer, with everything off that can be switched off: log, checkpoints, progress bar, summary."""

from __future__ import annotations

import logging
from collections.abc import Callable

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import plain
from benchmarks.peers.side_by_side import Data, gather, main


class Module(lightning.LightningModule):
    """The plain net in Lightning's terms."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def training_step(self, batch: Data, number: int) -> Tensor:
        return F.cross_entropy(self.net(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return plain.make_optimizer(self.net)


def prepare(case: plain.Case, data: Data) -> Callable[[], object]:
    module, loader = Module(plain.build(case)), gather(data, case.batch_size)
    off = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(max_epochs=case.epochs, accelerator="cpu", devices=1, **off)
    return lambda: trainer.fit(module, loader)


if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    main(prepare)
