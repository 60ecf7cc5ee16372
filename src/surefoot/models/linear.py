"""One linear layer over everything: the simplest model that looks at its input, and, with zero weights, the trivial one that does not."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn


class LinearBody(nn.Module):
    """Outputs that are a weighted sum of the inputs; a category adds the weight of its code.

    Args:
        num_inputs: pixels or numeric columns of an item.
        cardinalities: codes per category column.
        num_outputs: size of the output.
    """

    def __init__(self, num_inputs: int, cardinalities: tuple[int, ...], num_outputs: int) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch warns where there is no number among the inputs
            self.final = nn.Linear(num_inputs, num_outputs)
        self.codes = nn.ModuleList(nn.Embedding(cardinality, num_outputs) for cardinality in cardinalities)
        self.sizes = [num_inputs, *cardinalities]
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, *fields: Tensor) -> Tensor:
        """Prepared fields -> (B, num_outputs)."""
        has_numbers = fields[0].is_floating_point()
        outputs = self.final(fields[0].flatten(1)) if has_numbers else self.final.bias.expand(len(fields[0]), -1)
        for number, embedding in enumerate(self.codes):
            outputs = outputs + embedding(fields[-1][:, number])
        return outputs

    @torch.no_grad()
    def set_weights(self, weights: Tensor, bias: Tensor) -> None:
        """Takes over weights of a fitted linear model.

        Args:
            weights: (num_outputs, num_inputs + sum of cardinalities), numbers first, then one column per code.
            bias: (num_outputs,).
        """
        parts = weights.float().split(self.sizes, 1)
        self.final.weight.copy_(parts[0])
        self.final.bias.copy_(bias)
        for embedding, part in zip(self.codes, parts[1:]):
            embedding.load_state_dict({"weight": part.T})
