"""The default net for tables with text: a vector per word, pooled over the text, beside the row's numbers and categories.

Axis letters: `B` batch, `L` words of a text, `E` features of a word, `C` filters, `K` outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surefoot.models.convnet import start_small
from surefoot.models.tabular import ColumnEmbedding, stack_layers
from surefoot.types.data_reports import FieldSpec

_MOST_PER_WORD = 64
_REACH = 3
"""Words that a filter sees at once."""
_LOW = -1e4
"""Below all that a filter or a vector says, and still a number in fp16."""


class TextEmbedding(nn.Module):
    """A text as the sum of its words' vectors over the root of their number, their largest values, and the largest answers of filters over neighbours.

    Padding counts for nothing, and a text without words is all zeros.

    Args:
        num_codes: of the vocabulary, padding (0) and the unknown word (1) included.
        width: C, and E where it is at most 64.

    Sources: Shen et al. 2018, "Baseline Needs More Love" (mean and max of word vectors); Kim 2014, "Convolutional Neural Networks for Sentence
    Classification" (filters, largest answer); Cer et al. 2018, "Universal Sentence Encoder" (root of the length).
    """

    def __init__(self, num_codes: int, width: int) -> None:
        super().__init__()
        features = min(_MOST_PER_WORD, width)
        self.words = nn.Embedding(num_codes, features)
        nn.init.normal_(self.words.weight, std=0.3)
        self.filters = nn.Conv1d(features, width, _REACH, padding=_REACH // 2)
        self.relu = nn.ReLU()
        self.size = 2 * features + width

    def forward(self, codes: Tensor) -> Tensor:
        """Codes (B, L) int64 -> (B, 2 E + C)."""
        is_word = (codes > 0).unsqueeze(1)  # (B, 1, L)
        vectors = self.words(codes).transpose(1, 2) * is_word  # (B, E, L)
        count = is_word.sum(2).to(vectors.dtype)
        summed = vectors.sum(2) / count.clamp_min(1).sqrt()
        answers = self.relu(self.filters(vectors))
        largest = [torch.where(is_word, each, _LOW).amax(2) for each in (vectors, answers)]
        return torch.cat([summed, *(torch.where(count > 0, each, 0.0) for each in largest)], 1)


class TextNet(nn.Module):
    """Texts, numbers and categories of a row side by side, then [Linear -> ReLU -> Dropout]*depth -> Linear.

    Args:
        fields: as they reach the net; at least one holds text.
        num_outputs: K.
        width: filters of a text and units of a hidden layer.
        depth: hidden layers.
        dropout: share of what goes into the first and comes out of each hidden layer that is dropped.
    """

    def __init__(self, fields: tuple[FieldSpec, ...], num_outputs: int, width: int = 64, depth: int = 1, dropout: float = 0.1) -> None:
        super().__init__()
        by_name = {field.name: field for field in fields}
        texts = [field for field in fields if field.is_text]
        self.num_columns = len(fields) - len(texts)
        num_numeric = by_name["numeric"].shape[0] if "numeric" in by_name else 0
        self.columns = ColumnEmbedding(num_numeric, by_name["category"].cardinalities if "category" in by_name else ()) if self.num_columns else None
        self.texts = nn.ModuleList(TextEmbedding(field.cardinalities[0], width) for field in texts)
        size = sum(part.size for part in (self.columns, *self.texts) if part is not None)
        self.dropout = nn.Dropout(dropout)
        self.hidden = stack_layers(size, width, depth, dropout)
        self.final = nn.Linear(width if depth else size, num_outputs)
        start_small(self.final)

    def forward(self, *fields: Tensor) -> Tensor:
        """Numbers (B, F) float, codes of categories (B, C) int64, whichever the table has, then (B, L) int64 per text -> (B, K) raw outputs."""
        parts = [self.columns(*fields[: self.num_columns])] if self.columns is not None else []
        parts += [text(codes) for text, codes in zip(self.texts, fields[self.num_columns :])]
        return self.final(self.hidden(self.dropout(torch.cat(parts, 1))))
