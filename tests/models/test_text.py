"""The default net for texts: words, not places, numbers beside them, and the same answers in the exported graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from surefoot.exporting.onnx import export_onnx
from surefoot.exporting.session import Session
from surefoot.models.build import build, sizes
from surefoot.models.network import Deployed, Network
from surefoot.models.text import TextEmbedding, TextNet
from surefoot.transforms.prepare import build_prepare
from surefoot.transforms.statistics import measure
from surefoot.types import ConfigError, FieldSpec, ModelConfig

WORDS = FieldSpec(name="text", shape=(7,), dtype="int32", names=("said",), cardinalities=(30,))
TITLE = FieldSpec(name="text2", shape=(3,), dtype="int32", names=("title",), cardinalities=(9,))
NUMBERS = FieldSpec(name="numeric", shape=(2,), dtype="float32", names=("a", "b"))
CODES = FieldSpec(name="category", shape=(1,), dtype="int32", names=("c",), cardinalities=(4,))


def inputs(fields, num=5, seed=0):
    generator = np.random.default_rng(seed)
    made = []
    for field in fields:
        if field.cardinalities:
            made.append(torch.from_numpy(generator.integers(0, field.cardinalities, (num, *field.shape))))
        else:
            made.append(torch.from_numpy(generator.normal(size=(num, *field.shape)).astype(np.float32)))
    return tuple(made)


@pytest.mark.parametrize("fields", [(WORDS,), (NUMBERS, WORDS), (CODES, WORDS), (NUMBERS, CODES, WORDS, TITLE)])
def test_it_joins_texts_with_whatever_else_a_row_holds(fields):
    torch.manual_seed(0)
    net = TextNet(fields, 3, width=8)
    given = inputs(fields)
    assert net(*given).shape == (5, 3)
    net(*given).pow(2).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in net.parameters())
    for place in range(len(fields)):  # each field is looked at
        other = tuple(torch.roll(field, 1, 0) if n == place else field for n, field in enumerate(given))
        assert (net.eval()(*other) - net(*given)).abs().max() > 0


def test_padding_counts_for_nothing_and_an_empty_text_is_all_zeros():
    torch.manual_seed(0)
    embed = TextEmbedding(30, 8).eval()
    short, padded = torch.tensor([[5, 6, 7]]), torch.tensor([[5, 6, 7, 0, 0, 0]])
    assert torch.allclose(embed(short), embed(padded), atol=1e-6)
    assert not embed(torch.zeros(2, 4, dtype=torch.int64)).any()


def test_order_matters_to_neighbours():
    torch.manual_seed(0)
    embed = TextEmbedding(30, 8).eval()
    assert (embed(torch.tensor([[5, 6, 7, 8]])) - embed(torch.tensor([[8, 6, 5, 7]]))).abs().max() > 1e-3


def test_the_ladder_of_sizes_grows_and_the_default_for_text_is_this_net():
    ladder = sizes((NUMBERS, WORDS), 2)
    counts = [sum(p.numel() for p in build(ModelConfig(width=w, depth=d), (NUMBERS, WORDS), 2).parameters()) for w, d in ladder]
    assert counts == sorted(counts)
    assert isinstance(build(ModelConfig(), (WORDS,), 2), TextNet)


def test_the_layer_notation_says_that_it_takes_no_text():
    with pytest.raises(ConfigError, match="this table has 1 text columns"):
        build(ModelConfig(layers="INPUT -> FC"), (WORDS,), 2)


def test_words_that_this_fold_never_held_count_as_unknown_and_the_graph_says_the_same_for_any_batch():
    told = np.random.default_rng(0).integers(2, 20, (40, WORDS.shape[0])).astype(np.int32)  # codes below 20 in many texts, the others in none
    statistics = measure((NUMBERS, WORDS), [(np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32), told)], np.zeros((40, 1)))
    torch.manual_seed(0)
    network = Network(build_prepare((NUMBERS, WORDS), statistics), TextNet((NUMBERS, WORDS), 3, width=8)).eval()
    numbers, tokens = inputs((NUMBERS, WORDS), 6)
    tokens = tokens.int()
    unknown = torch.where(tokens >= 20, 1, tokens)
    assert torch.equal(network(numbers, tokens), network(numbers, unknown))
    session = Session(export_onnx(Deployed(network, "softmax"), (NUMBERS, WORDS)))
    for num in (1, 3, 6):
        logits, probs = session.run((numbers[:num].numpy(), tokens[:num].numpy()))
        assert np.abs(logits - network(numbers[:num], tokens[:num]).detach().numpy()).max() < 1e-5
        assert np.allclose(probs.sum(1), 1, atol=1e-5)
