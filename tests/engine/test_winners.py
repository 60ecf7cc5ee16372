"""The winner of the search lies where the examples do: here on the device without numbers, as on a GPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from torch import nn

from surefoot.data.examples import Examples
from surefoot.engine import yardsticks
from surefoot.engine.build import Desk, build_network
from surefoot.engine.weights import save_weights
from surefoot.engine.winners import tuned_network
from surefoot.store.blobs import Blobs
from surefoot.types import ModelConfig


@pytest.fixture
def elsewhere(desk: Desk) -> Desk:
    return replace(desk, examples=Examples(desk.examples.pack, desk.problem, in_memory=True, device="meta"))


def list_devices(network: nn.Module) -> set[str]:
    return {value.device.type for value in network.state_dict().values()}


def test_the_tuned_net_lies_where_the_examples_do(desk: Desk, elsewhere: Desk, tmp_path: Path) -> None:
    model, store = ModelConfig(width=4, depth=1), Blobs(tmp_path / "store")
    tune: Any = SimpleNamespace(model=model, weights=(save_weights(store, build_network(desk, model, desk.folds[0])),))
    assert list_devices(tuned_network(SimpleNamespace(store=store), elsewhere, tune, 0)) == {"meta"}  # type: ignore[arg-type]


def test_a_linear_yardstick_lies_where_the_examples_do(elsewhere: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def predict(network: nn.Module, examples: Examples, rows: np.ndarray) -> np.ndarray:
        asked.append(list_devices(network))
        return np.zeros((len(rows), 3), np.float32)

    monkeypatch.setattr(yardsticks, "predict", predict)
    fitted = yardsticks.fit_yardstick("majority", elsewhere, elsewhere.folds[0], elsewhere.folds[0].val)
    assert fitted.network is not None
    assert [*asked, list_devices(fitted.network)] == [{"meta"}, {"meta"}]
