"""The linear model is a matrix product, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surefoot.exporting.onnx import export_onnx
from surefoot.exporting.session import Session
from surefoot.models.linear import LinearBody
from surefoot.models.network import Deployed, Network
from surefoot.transforms.prepare import build_prepare
from surefoot.types import FieldSpec


def inputs_of(rows: int, num_inputs: int, cardinalities: tuple[int, ...], seed: int = 0) -> tuple[torch.Tensor, ...]:
    rng = np.random.default_rng(seed)
    fields = [torch.from_numpy(rng.normal(size=(rows, num_inputs)).astype(np.float32))] if num_inputs else []
    if cardinalities:
        fields.append(torch.from_numpy(np.stack([rng.integers(0, c, rows) for c in cardinalities], 1)))
    return tuple(fields)


def one_hot(fields: tuple[torch.Tensor, ...], cardinalities: tuple[int, ...]) -> np.ndarray:
    """Numbers first, then a column per code."""
    parts = [field.numpy() for field in fields if field.is_floating_point()]
    parts += [np.eye(c)[fields[-1][:, k].numpy()] for k, c in enumerate(cardinalities)]
    return np.concatenate(parts, 1)


@given(st.integers(0, 5), st.lists(st.integers(1, 5), max_size=3), st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))
def test_its_outputs_are_the_matrix_product_with_one_hot_codes(num_inputs, cardinalities, num_outputs, rows, seed):
    cardinalities = tuple(cardinalities)
    if not num_inputs and not cardinalities:
        num_inputs = 1
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(num_outputs, num_inputs + sum(cardinalities))), rng.normal(size=num_outputs)
    body = LinearBody(num_inputs, cardinalities, num_outputs)
    body.set_weights(torch.from_numpy(weights), torch.from_numpy(bias))
    fields = inputs_of(rows, num_inputs, cardinalities, seed)
    made = body(*fields)
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.detach().numpy(), one_hot(fields, cardinalities) @ weights.T + bias, rtol=1e-4, atol=1e-5)


def test_pictures_are_flattened():
    body = LinearBody(12, (), 2)
    weights = torch.arange(24.0).reshape(2, 12)
    body.set_weights(weights, torch.tensor([1.0, 2.0]))
    images = torch.randn((5, 3, 2, 2), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(body(images), images.reshape(5, 12) @ weights.T + torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize(("num_inputs", "cardinalities"), [(4, ()), (4, (3, 2)), (0, (3, 2))])
def test_without_weights_it_says_nothing_whatever_it_is_given(num_inputs, cardinalities):
    body = LinearBody(num_inputs, cardinalities, 3)
    assert torch.equal(body(*inputs_of(5, num_inputs, cardinalities)), torch.zeros(5, 3))


def test_all_of_it_can_be_trained_and_stored():
    body = LinearBody(4, (3, 2), 3)
    body(*inputs_of(5, 4, (3, 2))).sum().backward()
    assert all(parameter.grad is not None for parameter in body.parameters())
    other = LinearBody(4, (3, 2), 3)
    body.set_weights(torch.randn(3, 9, generator=torch.Generator().manual_seed(0)), torch.ones(3))
    other.load_state_dict(body.state_dict())
    fields = inputs_of(5, 4, (3, 2))
    assert torch.equal(other(*fields), body(*fields))


def test_weights_of_the_wrong_width_are_refused():
    with pytest.raises(RuntimeError, match="split_with_sizes"):
        LinearBody(4, (3, 2), 3).set_weights(torch.zeros(3, 8), torch.zeros(3))


GIVEN_AS_CODES = {"category.seen0": np.ones(4, bool), "category.fill": np.zeros(1, np.int64), "category.encoding": np.zeros(1, np.int64)}


@pytest.mark.parametrize(
    ("field", "statistics", "body"),
    [
        (FieldSpec(name="category", shape=(1,), dtype="int32", names=("c",), cardinalities=(4,)), GIVEN_AS_CODES, LinearBody(0, (4,), 1)),
        (FieldSpec(name="text", shape=(7,), dtype="int32", names=("t",), cardinalities=(4,)), {"text.seen": np.ones(4, bool)}, LinearBody(0, (), 1, (4,))),
    ],
)
def test_without_a_number_it_still_ships_for_any_batch(field, statistics, body):
    network = Network(build_prepare((field,), statistics), body).eval()
    body.set_weights(torch.tensor([[0.0, 1.0, 2.0, 3.0]]), torch.tensor([0.5]))
    session = Session(export_onnx(Deployed(network, "sigmoid"), (field,)))
    for num in (1, 5):
        codes = np.arange(num * field.shape[0], dtype=np.int32).reshape(num, -1) % 4
        assert np.abs(session.run((codes,))[0] - network(torch.from_numpy(codes)).detach().numpy()).max() < 1e-5


def test_a_text_adds_the_weights_of_its_words_over_the_root_of_their_number():
    body = LinearBody(0, (), 1, (5,))
    body.set_weights(torch.tensor([[9.0, 1.0, 2.0, 3.0, 4.0]]), torch.tensor([0.5]))
    said = body(torch.tensor([[2, 4, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]]))
    assert torch.allclose(said[:, 0], torch.tensor([0.5 + 6 / 2**0.5, 0.5, 0.5 + 4 / 2]))
