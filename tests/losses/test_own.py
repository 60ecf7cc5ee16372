"""A user's loss is called as they wrote it, and refused in plain words where nothing can be minimised by it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from surefoot import losses
from surefoot.types.errors import UsageError


def load(folder: Path, body: str):
    (folder / "mine.py").write_text(f"import torch\ndef loss(logits, targets):\n    {body}\n")
    return losses.get("mine:loss", folder)


def test_a_loss_that_takes_no_weights_is_called_without_them(tmp_path):
    loss = load(tmp_path, "return ((logits - targets) ** 2).mean()")
    assert float(loss(torch.ones(3, 1), torch.zeros(3, 1), weights=None)) == 1.0
    with pytest.raises(UsageError, match=r"takes no weights, and data\.weight names some"):
        loss(torch.ones(3, 1), torch.zeros(3, 1), weights=torch.ones(3))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return None", "returns an object of type NoneType, not one number"),
        ("return (logits - targets) ** 2", r"returns a tensor of shape \(3, 1\), not one number"),
        ("return (logits.detach() - targets).mean()", "has no gradient"),
    ],
)
def test_what_can_not_be_minimised_is_refused(tmp_path, body, told):
    with pytest.raises(UsageError, match=told):
        load(tmp_path, body)(torch.ones(3, 1, requires_grad=True), torch.zeros(3, 1))


def test_a_class_is_no_loss(tmp_path):
    (tmp_path / "mine.py").write_text("class Loss:\n    pass\n")
    with pytest.raises(UsageError, match="mine:Loss is a class, no function"):
        losses.get("mine:Loss", tmp_path)


def test_a_module_that_is_built_is_a_loss_too(tmp_path):
    (tmp_path / "mine.py").write_text("import torch\nloss = torch.nn.MSELoss()\n")
    assert float(losses.get("mine:loss", tmp_path)(torch.ones(2, 1), torch.zeros(2, 1), weights=None)) == 1.0
