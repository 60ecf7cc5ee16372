"""What `train.augment` does to a batch on its way to the net: pictures, and the numbers of a table on their own scale."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from surefoot.engine.augmenting import find_augmentation
from surefoot.transforms.prepare import build_prepare
from surefoot.transforms.statistics import measure
from surefoot.types import FieldSpec
from surefoot.types.errors import UsageError

from .samples import make_desk, make_problem, start_job


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def table_job(folder: Path | None = None) -> SimpleNamespace:
    """Metres from 0 to 1, grams in the tens of thousands, and a code."""
    random = np.random.default_rng(0)
    numbers = np.stack([random.random(500), random.normal(5e4, 1e4, 500)], 1).astype(np.float32)
    numbers[::7, 0] = np.nan
    codes = random.integers(1, 4, (500, 1)).astype(np.int32)
    fields = (
        FieldSpec(name="numeric", shape=(2,), dtype="float32", names=("metres", "grams")),
        FieldSpec(name="category", shape=(1,), dtype="int32", names=("kind",), cardinalities=(4,)),
    )
    statistics = measure(fields, [(numbers, codes)], np.zeros((500, 1)))
    prepare = build_prepare(fields, statistics)
    examples = SimpleNamespace(fields=fields, device="cpu")
    return SimpleNamespace(
        problem=make_problem(kind="table"),
        examples=examples,
        network=SimpleNamespace(prepare=prepare),
        folder=folder,
        inputs=(torch.from_numpy(numbers), torch.from_numpy(codes)),
        scale=torch.from_numpy(statistics["numeric.scale"]),
    )


def test_noise_on_a_table_is_of_each_columns_own_size_and_touches_neither_codes_nor_gaps():
    job = table_job()
    numbers, codes = find_augmentation(job, "noise")(job.inputs, generator())
    assert torch.equal(codes, job.inputs[1])
    assert torch.equal(torch.isnan(numbers), torch.isnan(job.inputs[0]))
    added = ((numbers - job.inputs[0]) / job.scale).nan_to_num()
    assert added.std(0).tolist() == pytest.approx([0.1, 0.1], rel=0.15)
    assert torch.equal(numbers.nan_to_num(), find_augmentation(job, "noise")(job.inputs, generator())[0].nan_to_num())


def test_what_is_not_changed_keeps_its_last_digit():
    job = table_job()
    for text in ("noise(0)", "none"):
        assert torch.equal(find_augmentation(job, text)(job.inputs, generator())[0].nan_to_num(), job.inputs[0].nan_to_num())


@pytest.mark.parametrize(("name", "what"), [("noise", "numbers"), ("token_swap", "texts")])
def test_what_a_table_does_not_have_is_not_augmented_in_silence(name, what):
    job = table_job()
    job.examples.fields = job.examples.fields[1:]
    with pytest.raises(UsageError, match=f"{name} changes {what}, and this table has none"):
        find_augmentation(job, name)


def test_a_users_own_augmentation_of_a_table_sees_standard_units(tmp_path):
    (tmp_path / "my.py").write_text("def up(numbers, generator):\n    return numbers + 1\n\ndef cut(numbers, generator):\n    return numbers[:, 1:]\n")
    job = table_job(tmp_path)
    numbers, _ = find_augmentation(job, "my:up")(job.inputs, generator())
    assert torch.allclose((numbers - job.inputs[0])[1], job.scale.float(), rtol=1e-3)
    with pytest.raises(UsageError, match=r"my:cut returns float32 \(2, 1\) where float32 \(2, 2\) came in"):
        find_augmentation(job, "my:cut")


def test_pictures_are_changed_by_what_is_joined(tmp_path):
    job = start_job(make_desk(tmp_path))
    (images,) = job.examples.inputs(torch.arange(16))
    (made,) = find_augmentation(job, "affine+noise(0.5)+erase")((images,), generator())
    assert made.shape == images.shape
    assert made.dtype == torch.uint8
    assert not torch.equal(made, images)
