"""One linear layer over everything: the simplest model that looks at its input, and, with zero weights, the trivial one that does not."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn


class LinearBody(nn.Module):
    """Outputs that are a weighted sum of the inputs; a category adds the weight of its code, a text those of its words over the root of their number.

    Args:
        num_inputs: pixels or numeric columns of an item.
        cardinalities: codes per category column; vocabularies: codes per text.
        num_outputs: size of the output.
    """

    def __init__(self, num_inputs: int, cardinalities: tuple[int, ...], num_outputs: int, vocabularies: tuple[int, ...] = ()) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch warns where there is no number among the inputs
            self.final = nn.Linear(num_inputs, num_outputs)
        self.codes = nn.ModuleList(nn.Embedding(cardinality, num_outputs) for cardinality in cardinalities)
        self.words = nn.ModuleList(nn.Embedding(vocabulary, num_outputs) for vocabulary in vocabularies)
        self.sizes = [num_inputs, *cardinalities, *vocabularies]
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, *fields: Tensor) -> Tensor:
        """Prepared fields -> (B, num_outputs)."""
        has_numbers = fields[0].is_floating_point()
        outputs = self.final(fields[0].flatten(1)) if has_numbers else self.final.bias.expand(fields[0].shape[0], -1)
        for number, embedding in enumerate(self.codes):
            outputs = outputs + embedding(fields[int(has_numbers)][:, number])
        for embedding, text in zip(self.words, fields[len(fields) - len(self.words) :]):
            is_word = (text > 0).unsqueeze(2).to(outputs.dtype)
            outputs = outputs + (embedding(text) * is_word).sum(1) / is_word.sum(1).clamp_min(1).sqrt()
        return outputs

    @torch.no_grad()
    def set_weights(self, weights: Tensor, bias: Tensor) -> None:
        """Takes over weights of a fitted linear model.

        Args:
            weights: (num_outputs, num_inputs + sum of cardinalities and vocabularies), numbers first, then one column per code of categories, then of texts.
            bias: (num_outputs,).
        """
        parts = weights.float().split(self.sizes, 1)
        self.final.weight.copy_(parts[0])
        self.final.bias.copy_(bias)
        for embedding, part in zip((*self.codes, *self.words), parts[1:]):
            embedding.load_state_dict({"weight": part.T})
