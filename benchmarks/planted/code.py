"""The code of planted projects: nets, losses and data sets that a user could have written, each with one fault or none."""

from __future__ import annotations

HEAD = """import math
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
"""


def net(layers: str, forward: str = "return self.body(x)", *, extra: str = "") -> str:
    """A net around `nn.Sequential`.

    Args:
        layers: arguments of the Sequential; `size` is the number of inputs, `num_outputs` that of the outputs.
        forward: body of `forward(self, x)`, lines parted by `; ` or newlines.
        extra: further lines of `__init__`.
    """
    return HEAD + (
        "\n\nclass Net(nn.Module):\n"
        "    def __init__(self, input_shape, num_outputs):\n"
        "        super().__init__()\n"
        "        size = math.prod(input_shape)\n"
        f"        self.body = nn.Sequential({layers})\n"
        + "".join(f"        {line}\n" for line in extra.splitlines())
        + "\n    def forward(self, x):\n"
        + "".join(f"        {line}\n" for line in forward.splitlines())
    )


MLP = "nn.Flatten(), nn.Linear(size, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, num_outputs)"
CONV = (
    "nn.Conv2d(input_shape[0], 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), "
    "nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, num_outputs)"
)
NORMED = (
    "nn.Conv2d(input_shape[0], 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), "
    "nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, num_outputs)"
)
STACK = (
    "*[m for n in range(5) for m in (nn.Conv2d(input_shape[0] if not n else 32, 32, 3, padding=1), nn.ReLU())], "
    "nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, num_outputs)"
)
FOUR = "nn.Linear(size, 64), nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, num_outputs)"
THREE = "nn.Linear(size, 64), nn.Linear(64, 64), nn.Linear(64, num_outputs)"


def deep(activation: str, depth: int, width: int = 64) -> str:
    """The layers of a plain deep net, as one starred list."""
    hidden = f"*[m for _ in range({depth}) for m in (nn.Linear({width}, {width}), {activation})]"
    return f"nn.Flatten(), nn.Linear(size, {width}), {activation}, {hidden}, nn.Linear({width}, num_outputs)"


def start(how: str, kinds: str = "nn.Linear, nn.Conv2d", *, but_last: bool = False) -> str:
    """Lines that start every weight `w` (and bias `b`) in some way."""
    chosen = "[m for m in self.modules() if isinstance(m, (" + kinds + "))]" + ("[:-1]" if but_last else "")
    return f"for m in {chosen}:\n    w, b = m.weight.data, m.bias.data\n    {how}"


def loss(body: str, *, before: str = "") -> str:
    """A loss of the user's own."""
    return HEAD + before + "\n\ndef loss(logits, targets, weights=None):\n" + "".join(f"    {line}\n" for line in body.splitlines())


WRONG_BACKWARD = """

class Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * torch.sigmoid(x)
"""

WRONG_LOSS_BACKWARD = """

class Cost(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        ctx.save_for_backward(logits, targets)
        return F.cross_entropy(logits, targets)

    @staticmethod
    def backward(ctx, grad):
        logits, targets = ctx.saved_tensors
        wanted = F.one_hot(targets, logits.shape[1])
        return grad * (logits.softmax(1) - 0.5 * wanted) / len(logits), None
"""


def text(pool: str, out: str = "self.last(x)") -> str:
    """A net for one column of texts: a vector per word, pooled.

    Args:
        pool: line that makes (B, 32) of the codes `x`, (B, L). out: what is returned.
    """
    return HEAD + (
        "\n\nclass Net(nn.Module):\n"
        "    def __init__(self, vocabularies, num_outputs):\n"
        "        super().__init__()\n"
        "        self.words = nn.Embedding(vocabularies[0], 32)\n"
        "        self.last = nn.Linear(32, num_outputs)\n"
        "\n    def forward(self, x):\n"
        f"        {pool}\n        return {out}\n"
    )
